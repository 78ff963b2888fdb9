//! Reads trips from a JSON Lines file: all of them, or every mistake by line and column.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use saga_runtime::SagaId;

use super::trip::Trip;

/// The largest trips file that is read, in bytes: a bigger one is a mistake.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The most mistakes that are listed one by one.
const MISTAKES_SHOWN_MAX: usize = 20;

/// Why a trips file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TripsError {
    /// The file cannot be read.
    #[error("cannot read the trips file {}: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is far too big.
    #[error("the trips file {} has {bytes} bytes, and {FILE_BYTES_MAX} is the most: split it", file.display())]
    TooBig {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// There is no trip in it.
    #[error("the trips file {} holds no trip: write one JSON object per line", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// Some lines are no trips.
    #[error("{}", list(file, mistakes))]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong, in the order of the file.
        mistakes: Vec<Mistake>,
    },
}

/// One mistake in a trips file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong there, and the mend.
    pub what: String,
}

/// Reads all trips of `file`. Empty lines are skipped.
pub fn read_trips(file: &Path) -> Result<Vec<Trip>, TripsError> {
    let unreadable = |cause| TripsError::Unreadable { file: file.to_owned(), cause };
    let bytes = fs::metadata(file).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(TripsError::TooBig { file: file.to_owned(), bytes });
    }
    let content = fs::read(file).map_err(unreadable)?;
    let (trips, mistakes) = parse_trips(&content);
    match (trips.is_empty(), mistakes.is_empty()) {
        (_, false) => Err(TripsError::Malformed { file: file.to_owned(), mistakes }),
        (true, true) => Err(TripsError::Empty { file: file.to_owned() }),
        (false, true) => Ok(trips),
    }
}

/// The trips of a file's content, and its mistakes.
pub fn parse_trips(content: &[u8]) -> (Vec<Trip>, Vec<Mistake>) {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut trips = Vec::new();
    let mut mistakes = Vec::new();
    let mut first_lines: HashMap<String, usize> = HashMap::new();
    for (index, bytes) in content.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match parse_trip(bytes) {
            Ok(trip) => {
                let first = *first_lines.entry(trip.id.clone()).or_insert(line);
                if first == line {
                    trips.push(trip);
                } else {
                    let what = format!(
                        "the id `{}` stands on line {first} already: give each trip its own",
                        trip.id
                    );
                    mistakes.push(Mistake { line, column: 1, what });
                }
            }
            Err((column, what)) => mistakes.push(Mistake { line, column, what }),
        }
    }
    (trips, mistakes)
}

/// The trip of one line, or the column and what is wrong there.
fn parse_trip(line: &[u8]) -> Result<Trip, (usize, String)> {
    let text = std::str::from_utf8(line)
        .map_err(|error| (error.valid_up_to() + 1, "this is not UTF-8: save the file as UTF-8".to_owned()))?;
    if !text.trim_start().starts_with('{') {
        return Err((
            1,
            "this is no JSON object: write each trip as `{\"id\": …}` on a line of its own".to_owned(),
        ));
    }
    let trip: Trip =
        serde_json::from_str(text).map_err(|error| (error.column().max(1), without_place(&error)))?;
    SagaId::new(&trip.id).map_err(|error| (1, error.to_string()))?;
    for (name, value) in [("traveller", &trip.traveller), ("card", &trip.card.0)] {
        if value.trim().is_empty() {
            return Err((1, format!("`{name}` is empty")));
        }
    }
    if trip.from == trip.to {
        return Err((
            1,
            format!("the trip goes from {} to {}: there is nothing to book", trip.from, trip.to),
        ));
    }
    Ok(trip)
}

/// The error's words without "at line 1 column 7": each line is parsed by itself, so its line would mislead.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn list(file: &Path, mistakes: &[Mistake]) -> String {
    let file = file.display();
    let shown = mistakes.iter().take(MISTAKES_SHOWN_MAX);
    let shown: Vec<String> =
        shown.map(|Mistake { line, column, what }| format!("\n  {file}:{line}:{column}: {what}")).collect();
    let more = match mistakes.len().saturating_sub(MISTAKES_SHOWN_MAX) {
        0 => String::new(),
        more => format!("\n  … and {more} more"),
    };
    let lines = if mistakes.len() == 1 { "line is" } else { "lines are" };
    format!(
        "{} {lines} no trip that can be booked; nothing was begun:{}{more}",
        mistakes.len(),
        shown.concat()
    )
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = r#"{"id":"t1","traveller":"A","party":1,"from":"ZRH","to":"LIS","date":"2026-09-14","nights":3,"card":"c"}"#;

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
                "1:90: unknown field `knights`, expected one of `id`, `traveller`, `party`, `from`, `to`, `date`, `nights`, `card`",
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
