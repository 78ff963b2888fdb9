//! A sequence on its way forward: the saga's body, a branch, an arm, the body of a `for`.

use crate::machine::call::Call;
use crate::machine::fact::{Event, Tells};
use crate::machine::ledger::Ledger;
use crate::machine::state::{Applied, Cause, Rejected};

/// The positions of a sequence on the way forward. What is the same for every step is here; what `saga!` generates
/// knows the positions, and which follows which.
pub trait Region: Sized {
    /// The saga's events.
    type Event: Event;

    /// The call of this position; `None` where it is a block, or the end.
    fn ledger(&mut self) -> Option<&mut Ledger>;

    /// Adds the calls of this position.
    fn calls(&self, calls: &mut Vec<Call>);

    /// The position after `event`: of a step, whose call is then done; of a block, with whatever can happen in it.
    fn advance(self, event: Self::Event, turn: &mut Option<Cause>) -> Applied<Self>;

    /// Opens nothing after all, as the saga is to turn: it was just arrived at.
    fn hold(&mut self) {
        if let Some(ledger) = self.ledger() {
            ledger.hold();
        }
    }

    /// The position after `event`, or this one given back where the event is illegal. Sets `turn` when the event
    /// turns the saga; opens nothing once it is set.
    fn apply(mut self, event: Self::Event, turn: &mut Option<Cause>) -> Applied<Self> {
        let Some(ledger) = self.ledger() else { return self.advance(event, turn) };
        if event.step() != Some(ledger.step()) {
            return Err(Rejected(self));
        }
        let (is_legal, advances) = match event.told().tells {
            Tells::Refused(refusal) => (ledger.refuse(refusal, turn), false),
            Tells::Attempt(fact) => (ledger.record(fact, turn), false),
            // What the coordinator decides it decides only for a saga that goes on.
            Tells::Done(_) => (ledger.is_open() && (turn.is_none() || !ledger.is_passive()), true),
            Tells::Otherwise(_) => (ledger.has_failed() && turn.is_none(), true),
            _ => (false, false),
        };
        match (is_legal, advances) {
            (false, _) => Err(Rejected(self)),
            (true, false) => Ok(self),
            (true, true) => {
                let mut at = self.advance(event, turn)?;
                if turn.is_some() {
                    at.hold();
                }
                Ok(at)
            }
        }
    }
}
