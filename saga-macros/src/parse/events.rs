//! `events FlightReserved, FlightReservationFailed, FlightCancelled`

use proc_macro2::Ident;

use super::parser::Parser;
use super::words;
use crate::ast::Events;
use crate::report::At;

impl Parser<'_, '_> {
    /// Reads one to three names behind `events`. `None`: there is none, which was reported.
    pub(super) fn events(&mut self, keyword: &Ident) -> Option<Events> {
        if self.peek_word().is_none_or(|word| words::is_clause(&word))
            || words::looks_like_statement(self.cursor)
        {
            self.report
                .error(keyword, "`events` names no event")
                .help("write `events Done, Refused, Compensated`: one to three names of yours");
            self.skip_names();
            return None;
        }
        let mut names = Vec::from_iter(self.take_name("an event"));
        let mut too_many = None;
        while self.is_punct(',') && !self.is_comma_before_clause() {
            let comma = self.here();
            self.take_punct(',');
            let Some(name) = self.take_name("an event") else {
                self.skip_names();
                break;
            };
            if names.len() == 3 {
                too_many.get_or_insert(comma);
            } else {
                names.push(name);
            }
        }
        if let Some(comma) = too_many {
            self.too_many(comma);
        }
        let mut names = names.into_iter();
        Some(Events { done: names.next()?, refused: names.next(), compensated: names.next() })
    }

    /// Skips the rest of a list in which something is wrong.
    fn skip_names(&mut self) {
        while self.is_punct(',') && !self.is_comma_before_clause() || self.cursor.literal().is_some() {
            self.bump();
            self.skip_argument();
        }
    }

    fn too_many(&mut self, comma: At) {
        self.report
            .error(comma, "`events` names more than three events")
            .help("a step has three: it is done, refused, or compensated");
    }

    /// `, keyed`: the comma stands between clauses, where there is none.
    fn is_comma_before_clause(&self) -> bool {
        let Some((_, rest)) = self.cursor.punct() else { return false };
        rest.ident().is_some_and(|(word, _)| words::is_clause(&word.to_string()))
    }
}
