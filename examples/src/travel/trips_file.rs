//! Reads trips from a JSON Lines file: all of them, or every mistake by line and column.

use std::path::Path;

use saga_runtime::SagaId;

use super::trip::Trip;
use crate::lines::{self, LineMistake, LinesError, Mistake, Subject};

/// The trips that ship with the example.
const TRIPS: &str = include_str!("../../travel/trips.jsonl");

const SUBJECT: Subject = Subject { noun: "trip", done: "booked" };

/// Reads all trips of `file`. Empty lines are skipped.
pub fn read_trips(file: &Path) -> Result<Vec<Trip>, LinesError> {
    lines::read(file, SUBJECT, parse_trip)
}

/// The trips of a file's content, and its mistakes.
pub fn parse_trips(content: &[u8]) -> (Vec<Trip>, Vec<Mistake>) {
    lines::parse(content, SUBJECT, parse_trip)
}

/// The trips that ship with the example.
pub fn shipped_trips() -> anyhow::Result<Vec<Trip>> {
    let (trips, mistakes) = parse_trips(TRIPS.as_bytes());
    match mistakes.first() {
        None => Ok(trips),
        Some(mistake) => anyhow::bail!("the trips that ship with the example are not in order: {mistake}"),
    }
}

fn parse_trip(line: &str) -> Result<Trip, LineMistake> {
    let trip: Trip = serde_json::from_str(line)?;
    SagaId::new(&trip.id).map_err(|error| LineMistake::new(1, error.to_string()))?;
    for (name, value) in [("traveller", &trip.traveller), ("card", &trip.card.0)] {
        if value.trim().is_empty() {
            return Err(LineMistake::new(1, format!("`{name}` is empty")));
        }
    }
    if trip.from == trip.to {
        let what = format!("the trip goes from {} to {}: there is nothing to book", trip.from, trip.to);
        return Err(LineMistake::new(1, what));
    }
    Ok(trip)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = r#"{"id":"t1","traveller":"A","party":1,"from":"ZRH","to":"LIS","date":"2026-09-14","nights":3,"wants_car":true,"card":"c"}"#;

    #[track_caller]
    fn check(content: &str, expected: &[&str]) {
        let (_, mistakes) = parse_trips(content.as_bytes());
        assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_right_line_is_a_trip_and_empty_lines_are_none() {
        let (trips, mistakes) = parse_trips(format!("\n{RIGHT}\r\n  \n").as_bytes());
        assert_eq!((trips.len(), mistakes.len()), (1, 0));
        assert_eq!(serde_json::to_string(&trips[0]).unwrap(), RIGHT);
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        check(&RIGHT[..20], &["1:20: EOF while parsing a string"]);
        check(
            &RIGHT.replace("nights", "knights"),
            &[
                "1:90: unknown field `knights`, expected one of `id`, `traveller`, `party`, `from`, `to`, `date`, `nights`, `wants_car`, `card`",
            ],
        );
        check(
            &RIGHT.replace("LIS", "Lisbon"),
            &["1:63: `Lisbon` is no city: write the three capital letters of its IATA code, such as `ZRH`"],
        );
        check(
            &RIGHT.replace("09-14", "09-31"),
            &["1:80: `2026-09-31` is no date: write a day that exists as YYYY-MM-DD, such as `2026-09-14`"],
        );
        check(&RIGHT.replace("\"party\":1", "\"party\":10"), &["1:37: 10 is not within 1 to 9"]);
        check(
            &RIGHT.replace("\"t1\"", "\"t 1\""),
            &["1:1: \"t 1\" cannot be the id of a saga: ' ' at byte 1 is not a visible ASCII character"],
        );
        check(
            &RIGHT.replace("LIS", "ZRH"),
            &["1:1: the trip goes from ZRH to ZRH: there is nothing to book"],
        );
        check(&RIGHT.replace("\"A\"", "\" \""), &["1:1: `traveller` is empty"]);
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        check(
            &format!("{{}}\n{RIGHT}\n[]\n{RIGHT}\n"),
            &[
                "1:2: missing field `id`",
                "3:1: this is no JSON object: write each trip as `{\"id\": …}` on a line of its own",
                "4:1: the id `t1` stands on line 2 already: give each trip its own",
            ],
        );
    }

    #[test]
    fn no_prefix_of_a_line_panics_and_bytes_that_are_no_text_are_named() {
        for end in 0..RIGHT.len() {
            assert_eq!(parse_trips(&RIGHT.as_bytes()[..end]).0.len(), 0);
        }
        let (_, mistakes) = parse_trips(b"{\"id\":\"\xff\"}");
        assert_eq!(mistakes[0].to_string(), "1:8: this is not UTF-8: save the file as UTF-8");
    }
}
