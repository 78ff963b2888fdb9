//! How long a service wants to be left alone.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// `Retry-After`, in seconds or as a date: then by the service's own clock, if it says what that shows.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    let value = text(RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn of(retry: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        // Sun, 06 Nov 1994 08:49:37 GMT
        retry_after(&headers, UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn it_is_a_number_of_seconds_or_a_date() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(of("120", None), seconds(120));
        assert_eq!(of(" 0 ", None), seconds(0));
        assert_eq!(of("99999999999999999999999", None), seconds(u64::MAX));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT", None), seconds(60));
        assert_eq!(of("Sunday, 06-Nov-94 08:50:37 GMT", None), seconds(60));
        assert_eq!(of("Sun, 06 Nov 1994 08:00:00 GMT", None), seconds(0), "it is over");
        let slow_clock = Some("Sun, 06 Nov 1994 08:50:00 GMT");
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT", slow_clock), seconds(37));
        for none in ["", "-1", "1.5", "soon", "+3"] {
            assert_eq!(of(none, None), None, "{none}");
        }
    }
}
