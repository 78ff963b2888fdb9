//! `timeout …` and `retry …`, as clauses and as default statements.

use super::parser::Parser;
use super::time::Found;
use super::words;
use crate::ast::{DurationValue, Policies, Retry};
use crate::report::At;
use crate::suggest::nearest;

/// The retries where nothing is said about the waits.
const FIRST: DurationValue = DurationValue::Literal(100_000_000);
const CAP: DurationValue = DurationValue::Literal(10_000_000_000);

const RETRY_FORMS: &str =
    "write `retry 5 times every 100ms..10s`, `retry forever every 100ms..10s` or `retry never`";

impl Parser<'_, '_> {
    /// Reads `timeout …` or `retry …`, whichever `word` is, behind its keyword.
    pub(super) fn policy(&mut self, word: &str, keyword: At, policies: &mut Policies) {
        if word == "timeout" {
            let is_twice = policies.timeout.is_some();
            let timeout = self.timeout();
            if is_twice {
                self.twice(keyword, word);
            } else {
                policies.timeout = timeout;
            }
        } else {
            let is_twice = policies.retry.is_some();
            let retry = self.retry();
            if is_twice {
                self.twice(keyword, word);
            } else {
                policies.retry = retry;
            }
        }
    }

    pub(super) fn twice(&mut self, at: At, word: &str) {
        self.report.error(at, format!("`{word}` is given twice")).help("remove one of the two");
    }

    fn timeout(&mut self) -> Option<DurationValue> {
        let at = self.here();
        let Found::Duration(value) = self.duration("timeout")? else { return None };
        if value.is_zero() {
            self.report
                .error(at, "a time-out of 0 leaves the call no time")
                .help("write a longer one, such as `timeout 30s`");
            return None;
        }
        Some(value)
    }

    fn retry(&mut self) -> Option<Retry> {
        let is_count = self.cursor.literal().is_some();
        match self.peek_word().as_deref() {
            _ if is_count => self.retry_times(),
            Some("never") => {
                self.take_ident();
                Some(Retry::Never)
            }
            Some("forever") => {
                self.take_ident();
                self.retry_every(None)
            }
            other => {
                let meant = other.and_then(|word| nearest(word, &["never", "forever"]));
                let found = self.found();
                let error = self
                    .report
                    .error(self.here_or_last(), format!("expected how often to retry, found {found}"));
                match meant {
                    Some(meant) => error.help(format!("did you mean `retry {meant}`?")),
                    None => error.help(RETRY_FORMS),
                };
                self.skip_argument();
                None
            }
        }
    }

    fn retry_times(&mut self) -> Option<Retry> {
        let count = self.take_literal()?;
        let text = count.to_string().replace('_', "");
        let is_number = text.chars().all(|char| char.is_ascii_digit());
        let limit = text.parse::<u32>().ok();
        let times_at = self.here_or_last();
        let times = self.peek_word().filter(|word| !words::is_clause(word) && !words::is_statement(word));
        match times.as_deref() {
            Some("times") => {
                self.take_ident();
            }
            other if is_number => {
                let meant = other.and_then(|word| nearest(word, &["times"]));
                let help = format!("write `retry {text} times`");
                self.report.error(times_at, format!("expected `times`, found {}", self.found())).help(help);
                if meant.is_some() {
                    self.take_ident();
                } else {
                    return None;
                }
            }
            _ => {}
        }
        let retry = self.retry_every(limit);
        match limit {
            Some(0) => {
                self.report.error(&count, "`retry 0 times` never tries again").help("write `retry never`");
                None
            }
            Some(_) => retry,
            None if is_number => {
                self.report
                    .error(
                        &count,
                        format!("`{count}` retries are too many: at most {} can be counted", u32::MAX),
                    )
                    .help("write `retry forever`");
                None
            }
            None => {
                self.report.error(&count, format!("`{count}` is no number of retries")).help(RETRY_FORMS);
                None
            }
        }
    }

    /// `every A..B`, or the waits where nothing is said.
    fn retry_every(&mut self, limit: Option<u32>) -> Option<Retry> {
        let meant = self.peek_word().filter(|word| !words::is_clause(word) && !words::is_statement(word));
        if let Some(word) = meant.filter(|word| word != "every" && nearest(word, &["every"]).is_some()) {
            self.report
                .error(self.here(), format!("expected `every`, found `{word}`"))
                .help("did you mean `every`?");
            self.take_ident();
        } else if self.take_word("every").is_none() {
            return Some(Retry::Every { limit, first: FIRST, cap: CAP });
        }
        let first_at = self.here();
        let first = self.duration("every")?;
        if !self.take_puncts('.', '.') {
            let wait = first_at_text(&first);
            self.report
                .error(
                    self.here_or_last(),
                    format!("expected `..` and the longest wait, found {}", self.found()),
                )
                .help(format!("write `every {wait}..10s`: the first wait, and the longest one"));
            self.skip_argument();
            return None;
        }
        if self.is_punct('=') {
            self.report
                .error(self.here(), "the longest wait follows `..` without `=`")
                .help("write `100ms..10s`");
            self.bump();
        }
        let cap_at = self.here();
        let cap = self.duration("every")?;
        let (Found::Duration(first), Found::Duration(cap)) = (first, cap) else { return None };
        if first.is_zero() {
            self.report
                .error(first_at, "a first wait of 0 tries again without a pause")
                .help("write a longer one, such as `every 100ms..10s`");
            return None;
        }
        if let (DurationValue::Literal(first), DurationValue::Literal(cap)) = (&first, &cap)
            && cap < first
        {
            self.report
                .error(cap_at, "the longest wait is shorter than the first one")
                .help("write the first wait, then the longest: `every 100ms..10s`");
            return None;
        }
        Some(Retry::Every { limit, first, cap })
    }
}

/// A wait as a help shows it.
fn first_at_text(first: &Found) -> String {
    match first {
        Found::Duration(DurationValue::Expression(tokens)) => format!("({tokens})"),
        Found::Duration(DurationValue::Literal(nanoseconds)) if nanoseconds % 1_000_000_000 == 0 => {
            format!("{}s", nanoseconds / 1_000_000_000)
        }
        Found::Duration(DurationValue::Literal(nanoseconds)) => format!("{}ms", nanoseconds / 1_000_000),
        Found::Malformed => "100ms".to_owned(),
    }
}
