//! A suspect's turn: see [`suspects`](crate::coordinator::suspects).

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::Driver;
use crate::machine::Place;
use crate::saga::Saga;

/// How the saga stands among those that are suspected of having ended the process.
pub(super) enum Turn {
    Unneeded,
    /// A call of it could go on if it were its turn.
    Awaited,
    Taken(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit),
}

impl Turn {
    pub(super) fn is_awaited_no_more(&mut self) {
        if matches!(self, Self::Awaited) {
            *self = Self::Unneeded;
        }
    }
}

impl<S: Saga> Driver<S> {
    /// Whether the step at `place` can have its next attempt now: all can but suspects, which have to have their turn.
    pub(super) fn may_have_its_turn(&mut self, place: &Place) -> bool {
        if !self.process_ends.is_suspect(place) || matches!(self.turn, Turn::Taken(_)) {
            return true;
        }
        match Arc::clone(&self.shared.turn).try_acquire_owned() {
            Ok(turn) => self.turn = Turn::Taken(turn),
            Err(_) => self.turn = Turn::Awaited,
        }
        matches!(self.turn, Turn::Taken(_))
    }

    /// Lets the next suspect have its turn, when no attempt of this one is in flight any more.
    pub(super) fn pass_the_turn_on(&mut self) {
        if matches!(self.turn, Turn::Taken(_))
            && !self.in_flight.keys().any(|place| self.process_ends.is_suspect(place))
        {
            self.turn = Turn::Unneeded;
        }
    }
}
