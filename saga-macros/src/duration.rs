//! Durations as they are written: `5s`, `1.5h`, `1h30m`.

/// The longest duration: what nanoseconds in 64 bits hold.
const LONGEST: u128 = u64::MAX as u128;

/// Each unit, its nanoseconds, and how else it is called; from large to small.
const UNITS: &[(&str, u128, &[&str])] = &[
    ("d", 86_400_000_000_000, &["day", "days"]),
    ("h", 3_600_000_000_000, &["hr", "hrs", "hour", "hours"]),
    ("m", 60_000_000_000, &["min", "mins", "minute", "minutes"]),
    ("s", 1_000_000_000, &["sec", "secs", "second", "seconds"]),
    ("ms", 1_000_000, &["msec", "msecs", "milli", "millis", "millisecond", "milliseconds"]),
    ("us", 1_000, &["µs", "μs", "usec", "usecs", "micro", "micros", "microsecond", "microseconds"]),
    ("ns", 1, &["nsec", "nsecs", "nano", "nanos", "nanosecond", "nanoseconds"]),
];

/// Why a text is no duration, and how it would be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The nanoseconds of a literal.
pub(crate) fn nanoseconds(literal: &str) -> Result<u128, Malformed> {
    let text = literal.replace('_', "");
    let malformed = |message: String| Malformed { message, help: help(&text) };
    let mut rest = text.as_str();
    let mut total: u128 = 0;
    let mut units_left = UNITS;
    while !rest.is_empty() {
        let (number, after_number) = split(rest, |char| char.is_ascii_digit() || char == '.');
        let (unit, after_unit) = split(after_number, |char| !char.is_ascii_digit() && char != '.');
        if number.is_empty() {
            return Err(malformed(format!("`{literal}` is no duration")));
        }
        if unit.is_empty() {
            return Err(malformed(format!("the duration `{literal}` has a number without a unit")));
        }
        let Some((name, size)) = unit_of(unit) else {
            return Err(malformed(format!("`{unit}` is no unit of a duration")));
        };
        let Some(position) = units_left.iter().position(|(left, ..)| *left == name) else {
            return Err(malformed(format!("the units of `{literal}` do not go from large to small")));
        };
        units_left = &units_left[position + 1..];
        let part = scale(number, size).ok_or_else(|| out_of_range(literal))?;
        total =
            total.checked_add(part).filter(|total| *total <= LONGEST).ok_or_else(|| out_of_range(literal))?;
        rest = after_unit;
    }
    Ok(total)
}

/// The literal with a unit that people write by another name, put right: `5min` is `5m`.
pub(crate) fn unit_meant(unit: &str) -> Option<&'static str> {
    let lower = unit.to_lowercase();
    let known =
        |(name, _, others): &&(&str, u128, &[&str])| *name == lower || others.contains(&lower.as_str());
    UNITS.iter().find(known).map(|(name, ..)| *name)
}

fn unit_of(unit: &str) -> Option<(&'static str, u128)> {
    let unit = if matches!(unit, "µs" | "μs") { "us" } else { unit };
    UNITS.iter().find(|(name, ..)| *name == unit).map(|(name, size, _)| (*name, *size))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|char| !belongs(char)).unwrap_or(text.len()))
}

/// `number` (decimal) times `size`, if that is a whole number of nanoseconds.
fn scale(number: &str, size: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = whole.parse::<u128>().ok()?.checked_mul(size)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    let numerator = fraction.parse::<u128>().ok()?.checked_mul(size)?;
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    (numerator % denominator == 0).then(|| whole.checked_add(numerator / denominator))?
}

fn out_of_range(literal: &str) -> Malformed {
    Malformed {
        message: format!("the duration `{literal}` does not fit whole nanoseconds in 64 bits"),
        help: "the shortest is `1ns`, the longest is `213503d`".to_owned(),
    }
}

fn help(text: &str) -> String {
    let mut mended = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after_number) = split(rest, |char| char.is_ascii_digit() || char == '.');
        let (unit, after_unit) = split(after_number, |char| !char.is_ascii_digit() && char != '.');
        // A number alone is taken for seconds.
        let Some(meant) = unit_meant(if unit.is_empty() { "s" } else { unit }) else { break };
        mended.push_str(number);
        mended.push_str(meant);
        rest = after_unit;
    }
    if rest.is_empty() && nanoseconds_fit(&mended) {
        format!("did you mean `{mended}`?")
    } else {
        "the units are `d`, `h`, `m`, `s`, `ms`, `us` and `ns`: `30m`, `1.5s`, `1h30m`".to_owned()
    }
}

/// Whether units go from large to small, each once: only then is a mended text worth showing.
fn nanoseconds_fit(mended: &str) -> bool {
    let units =
        mended.split(|char: char| char.is_ascii_digit() || char == '.').filter(|unit| !unit.is_empty());
    let positions = units.map(|unit| UNITS.iter().position(|(name, ..)| *name == unit)).collect::<Vec<_>>();
    !positions.is_empty()
        && positions.is_sorted_by(|one, next| one < next)
        && mended.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u128 = 1_000_000;
    const SECOND: u128 = 1_000 * MILLISECOND;

    #[test]
    fn every_unit_decimals_and_compounds() {
        let cases = [
            ("7ns", 7),
            ("500us", 500_000),
            ("500µs", 500_000),
            ("500μs", 500_000),
            ("100ms", 100 * MILLISECOND),
            ("5s", 5 * SECOND),
            ("30m", 1_800 * SECOND),
            ("24h", 86_400 * SECOND),
            ("1d", 86_400 * SECOND),
            ("1.5h", 5_400 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("1m500ms", 60 * SECOND + 500 * MILLISECOND),
            ("1_000ms", SECOND),
            ("0s", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(nanoseconds(text), Ok(expected), "{text}");
        }
    }

    #[track_caller]
    fn refused(text: &str, message: &str, help: &str) {
        let malformed = nanoseconds(text).unwrap_err();
        assert_eq!((malformed.message.as_str(), malformed.help.as_str()), (message, help));
    }

    #[test]
    fn a_number_without_a_unit() {
        refused("5", "the duration `5` has a number without a unit", "did you mean `5s`?");
    }

    #[test]
    fn a_unit_by_another_name() {
        refused("5min", "`min` is no unit of a duration", "did you mean `5m`?");
        refused("1hour30minutes", "`hour` is no unit of a duration", "did you mean `1h30m`?");
        refused("5S", "`S` is no unit of a duration", "did you mean `5s`?");
    }

    #[test]
    fn an_unknown_unit() {
        let units = "the units are `d`, `h`, `m`, `s`, `ms`, `us` and `ns`: `30m`, `1.5s`, `1h30m`";
        refused("5weeks", "`weeks` is no unit of a duration", units);
        refused("0x3d", "`x` is no unit of a duration", units);
        refused("\"5s\"", "`\"5s\"` is no duration", units);
    }

    #[test]
    fn units_in_the_wrong_order() {
        let units = "the units are `d`, `h`, `m`, `s`, `ms`, `us` and `ns`: `30m`, `1.5s`, `1h30m`";
        refused("30m1h", "the units of `30m1h` do not go from large to small", units);
        refused("1m1m", "the units of `1m1m` do not go from large to small", units);
    }

    #[test]
    fn too_short_and_too_long() {
        let limits = "the shortest is `1ns`, the longest is `213503d`";
        for text in ["0.5ns", "213504d", "99999999999999999999999999999999999999999999s", "1.2.3s"] {
            refused(
                text,
                &format!("the duration `{text}` does not fit whole nanoseconds in 64 bits"),
                limits,
            );
        }
        assert!(nanoseconds("213503d").is_ok());
    }
}
