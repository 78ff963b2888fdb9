//! Reads a JSON Lines file, one entry a line: all of them, or every mistake by line and column.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes: a bigger one is a mistake.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The most mistakes that are listed one by one.
const MISTAKES_SHOWN_MAX: usize = 20;

/// What a line holds: something that a saga is begun with.
pub trait Entry: Clone + PartialEq + Send + 'static {
    /// Names the entry, and the saga that is begun with it.
    fn id(&self) -> &str;
}

/// What the entries of a file are called, and what is done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// One of them, such as `trip`.
    pub noun: &'static str,
    /// What is done with each, such as `booked`.
    pub done: &'static str,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The file cannot be read.
    #[error("cannot read the {noun}s file {}: {cause}", file.display())]
    Unreadable {
        /// What should be in it.
        noun: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is far too big.
    #[error("the {noun}s file {} has {bytes} bytes, and {FILE_BYTES_MAX} is the most: split it", file.display())]
    TooBig {
        /// What should be in it.
        noun: &'static str,
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// There is nothing in it.
    #[error("the {noun}s file {} holds no {noun}: write one JSON object per line", file.display())]
    Empty {
        /// What should be in it.
        noun: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// Some lines are not what they should be.
    #[error("{}", list(*subject, file, mistakes))]
    Malformed {
        /// What they should be.
        subject: Subject,
        /// The file.
        file: PathBuf,
        /// What is wrong, in the order of the file.
        mistakes: Vec<Mistake>,
    },
}

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong there, and the mend.
    pub what: String,
}

/// What is wrong within a line, and at which column, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMistake {
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong there, and the mend.
    pub what: String,
}

/// Reads all entries of `file`. Empty lines are skipped.
pub fn read<E: Entry>(
    file: &Path,
    subject: Subject,
    parse_line: impl Fn(&str) -> Result<E, LineMistake>,
) -> Result<Vec<E>, LinesError> {
    let (file, noun) = (file.to_owned(), subject.noun);
    let content = match fs::metadata(&file).map(|metadata| metadata.len()) {
        Ok(bytes) if bytes > FILE_BYTES_MAX => return Err(LinesError::TooBig { noun, file, bytes }),
        Ok(_) => fs::read(&file),
        Err(cause) => Err(cause),
    };
    let content = match content {
        Ok(content) => content,
        Err(cause) => return Err(LinesError::Unreadable { noun, file, cause }),
    };
    let (entries, mistakes) = parse(&content, subject, parse_line);
    match (entries.is_empty(), mistakes.is_empty()) {
        (_, false) => Err(LinesError::Malformed { subject, file, mistakes }),
        (true, true) => Err(LinesError::Empty { noun, file }),
        (false, true) => Ok(entries),
    }
}

/// The entries of a file's content, and its mistakes.
pub fn parse<E: Entry>(
    content: &[u8],
    subject: Subject,
    parse_line: impl Fn(&str) -> Result<E, LineMistake>,
) -> (Vec<E>, Vec<Mistake>) {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut entries = Vec::new();
    let mut mistakes = Vec::new();
    let mut first_lines: HashMap<String, usize> = HashMap::new();
    for (index, bytes) in content.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match text_of(bytes, subject).and_then(&parse_line) {
            Ok(entry) => {
                let first = *first_lines.entry(entry.id().to_owned()).or_insert(line);
                if first == line {
                    entries.push(entry);
                } else {
                    let (id, noun) = (entry.id(), subject.noun);
                    let what =
                        format!("the id `{id}` stands on line {first} already: give each {noun} its own");
                    mistakes.push(Mistake { line, column: 1, what });
                }
            }
            Err(LineMistake { column, what }) => mistakes.push(Mistake { line, column, what }),
        }
    }
    (entries, mistakes)
}

/// A line that may be a JSON object.
fn text_of(line: &[u8], subject: Subject) -> Result<&str, LineMistake> {
    let text = std::str::from_utf8(line).map_err(|error| {
        LineMistake::new(error.valid_up_to() + 1, "this is not UTF-8: save the file as UTF-8")
    })?;
    if text.trim_start().starts_with('{') {
        return Ok(text);
    }
    let noun = subject.noun;
    let what = format!("this is no JSON object: write each {noun} as `{{\"id\": …}}` on a line of its own");
    Err(LineMistake::new(1, what))
}

impl LineMistake {
    /// At this column, from 1.
    pub fn new(column: usize, what: impl Into<String>) -> Self {
        Self { column, what: what.into() }
    }
}

impl From<serde_json::Error> for LineMistake {
    /// The error's words without "at line 1 column 7": each line is parsed by itself, so its line would mislead.
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let words = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
        Self::new(error.column().max(1), words)
    }
}

fn list(subject: Subject, file: &Path, mistakes: &[Mistake]) -> String {
    let (file, Subject { noun, done }) = (file.display(), subject);
    let shown = mistakes.iter().take(MISTAKES_SHOWN_MAX);
    let shown: Vec<String> =
        shown.map(|Mistake { line, column, what }| format!("\n  {file}:{line}:{column}: {what}")).collect();
    let more = match mistakes.len().saturating_sub(MISTAKES_SHOWN_MAX) {
        0 => String::new(),
        more => format!("\n  … and {more} more"),
    };
    let lines = if mistakes.len() == 1 { "line is" } else { "lines are" };
    format!(
        "{} {lines} no {noun} that can be {done}; nothing was begun:{}{more}",
        mistakes.len(),
        shown.concat()
    )
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}
