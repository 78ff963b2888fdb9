//! The arguments.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use reqwest::Url;
use reqwest::header::HeaderValue;

/// The longest name of a worker, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// The longest that a call may take: less than the saga's own time-out.
const CALL_TIMEOUT_MAX: Duration = Duration::from_secs(50);

/// Books trips that come over HTTP: a flight, a hotel and a car for each, all of them or none, whatever happens.
///
/// Prints the address that it listens on as a line on standard output when it is ready. SIGTERM and ctrl-c drain: calls
/// in flight end and are recorded, everything else resumes at the next start. `RUST_LOG=info` tells on standard error
/// what it does.
#[derive(Debug, Clone, Parser)]
#[command(name = "travel_worker", version)]
pub struct Arguments {
    /// Where the sagas are kept. Only `sqlite:PATH` is built in: a file that is made if there is none, and that one process
    /// has open at a time.
    #[arg(long, value_name = "sqlite:PATH", value_parser = parse_store)]
    pub store: PathBuf,
    /// Where the participants are: `URL/flight/do`, `URL/flight/undo`, and the same for `hotel` and `car`. HTTP only.
    #[arg(long, value_name = "URL", value_parser = parse_base)]
    pub participants: Url,
    /// Where to listen, such as `127.0.0.1:8080`; a port alone is one of 127.0.0.1, and 0 takes any that is free. Nobody
    /// is asked who they are: another address than a loopback one is for a network that you trust.
    #[arg(long, value_name = "ADDR", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// The worker's name: the participants read it in the header `Worker`.
    #[arg(long, value_parser = parse_name)]
    pub name: HeaderValue,
    /// The participants answer the same to the same key, with one effect, refusals included: a call whose answer was lost
    /// is made again. Without this it never is.
    #[arg(long)]
    pub keyed: bool,
    /// How long this worker may stay silent before another one takes its sagas over. It means nothing for `sqlite:PATH`,
    /// whose file belongs to the one process that has it open for as long as it lives.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    pub lease_ttl: Duration,
    /// How long a call of a participant may take. After that its outcome is unknown.
    #[arg(long, hide = true, value_name = "DURATION", default_value = "5s", value_parser = parse_call_timeout)]
    pub call_timeout: Duration,
}

fn parse_store(text: &str) -> Result<PathBuf, String> {
    match text.split_once(':') {
        Some(("sqlite", "")) => Err("name the file: `sqlite:PATH`, such as `sqlite:trips.db`".to_owned()),
        Some(("sqlite", path)) => Ok(path.into()),
        Some(("postgres" | "postgresql", _)) => {
            Err("Postgres is not built in: write `sqlite:PATH`, such as `sqlite:trips.db`".to_owned())
        }
        _ => Err("only SQLite is built in: write `sqlite:PATH`, such as `sqlite:trips.db`".to_owned()),
    }
}

fn parse_base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: write `http://HOST:PORT`"))?;
    if url.scheme() != "http" || !url.has_host() {
        return Err("write `http://HOST:PORT`: no other scheme is built in".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("leave `?` and `#` away: paths are put behind it".to_owned());
    }
    Ok(url)
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse::<u16>().ok()) {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err(format!("a port is missing: write `{text}:8080`, or `{text}:0` for any that is free"));
    }
    text.parse().map_err(|_| "write an IP address and a port, such as `127.0.0.1:8080`".to_owned())
}

fn parse_name(text: &str) -> Result<HeaderValue, String> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("a name has 1 to {NAME_BYTES_MAX} visible ASCII characters"));
    }
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

/// A number with a unit, such as `5s`, `1.5s` or `200ms`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and its unit, such as `5s`, `200ms` or `1m`".to_owned();
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("it must be longer than no time".to_owned()) } else { Ok(duration) }
}

fn parse_call_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_duration(text)?;
    if timeout > CALL_TIMEOUT_MAX {
        return Err(format!("it can be {} s at most", CALL_TIMEOUT_MAX.as_secs()));
    }
    Ok(timeout)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(further: &[&str]) -> Result<Arguments, String> {
        let given = ["travel_worker", "--participants", "http://127.0.0.1:9/x", "--name", "w1"];
        let all = given.iter().chain(further);
        Arguments::try_parse_from(all).map_err(|error| error.to_string())
    }

    #[test]
    fn the_arguments_are_in_order() {
        Arguments::command().debug_assert();
        let arguments = parse(&["--store", "sqlite:/a:b.db", "--listen", "127.0.0.1:0"]).unwrap();
        assert_eq!(arguments.store, PathBuf::from("/a:b.db"));
        assert!(!arguments.keyed);
        assert_eq!(
            (arguments.lease_ttl, arguments.call_timeout),
            (Duration::from_secs(5), Duration::from_secs(5))
        );
        let arguments =
            parse(&["--store", "sqlite:x", "--listen", "7", "--lease-ttl", "1.5s", "--keyed"]).unwrap();
        assert_eq!((arguments.listen.to_string().as_str(), arguments.keyed), ("127.0.0.1:7", true));
        assert_eq!(arguments.lease_ttl, Duration::from_millis(1500));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_mend() {
        let sqlite = ["--store", "sqlite:x", "--listen", "0"];
        for (arguments, said) in [
            (&["--store", "postgres://h/d", "--listen", "0"][..], "Postgres is not built in"),
            (&["--store", "x.db", "--listen", "0"], "only SQLite is built in"),
            (&["--store", "sqlite:", "--listen", "0"], "name the file"),
            (&["--store", "sqlite:x", "--listen", "127.0.0.1"], "a port is missing"),
            (&["--store", "sqlite:x", "--listen", "here:80"], "write an IP address and a port"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        for (further, said) in [
            (["--lease-ttl", "5"], "write a number and its unit"),
            (["--lease-ttl", "0s"], "longer than no time"),
            (["--lease-ttl", "1e3s"], "write a number and its unit"),
            (["--call-timeout", "2m"], "50 s at most"),
        ] {
            let error = parse(&[&sqlite[..], &further].concat()).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(parse_base("https://x").unwrap_err().contains("no other scheme"));
        assert!(parse_base("http://x?y").unwrap_err().contains("leave `?`"));
        assert!(parse_name("a b").is_err() && parse_name("").is_err() && parse_name("ü").is_err());
    }
}
