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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{StepDefinition, StepKind};
    use crate::machine::attempts::{AttemptFact, Phase};
    use crate::machine::fact::{EventError, Fact, Held, Refusal, Told};
    use crate::machine::ledger::StepCall;

    static FLIGHT: StepCall = StepCall::new(STEPS, 0, true);
    static HOTEL: StepCall = StepCall::new(STEPS, 1, true);
    const STEPS: &[StepDefinition] = &[
        StepDefinition::new(StepKind::Call, "flight", "Flight"),
        StepDefinition::new(StepKind::Call, "hotel", "Hotel"),
    ];

    #[derive(Debug)]
    enum Trip {
        Flight(Ledger),
        Hotel(Ledger),
        Return,
    }

    enum TripEvent {
        FlightDone(u8),
        FlightRefused(Refusal),
        FlightAttempt(AttemptFact),
        HotelDone(u8),
    }

    impl Event for TripEvent {
        fn told(&self) -> Told<'_> {
            let (step, name, tells) = match self {
                Self::FlightDone(flight) => (0, "FlightDone", Tells::Done(Held::new("flight", flight))),
                Self::FlightRefused(refusal) => (0, "FlightRefused", Tells::Refused(refusal)),
                Self::FlightAttempt(fact) => (0, "FlightAttempt", Tells::Attempt(fact)),
                Self::HotelDone(hotel) => (1, "HotelDone", Tells::Done(Held::new("hotel", hotel))),
            };
            Told { step: Some(step), name, tells }
        }

        fn from_fact(_: Fact) -> Result<Self, EventError> {
            Err(EventError::Unknown)
        }
    }

    impl Region for Trip {
        type Event = TripEvent;

        fn ledger(&mut self) -> Option<&mut Ledger> {
            match self {
                Self::Flight(ledger) | Self::Hotel(ledger) => Some(ledger),
                Self::Return => None,
            }
        }

        fn calls(&self, _: &mut Vec<Call>) {}

        fn advance(self, event: TripEvent, _: &mut Option<Cause>) -> Applied<Self> {
            match (self, event) {
                (Self::Flight(_), TripEvent::FlightDone(_)) => Ok(Self::Hotel(Ledger::opened(&HOTEL))),
                (Self::Hotel(_), TripEvent::HotelDone(_)) => Ok(Self::Return),
                (at, _) => Err(Rejected(at)),
            }
        }
    }

    fn flight() -> Trip {
        Trip::Flight(Ledger::opened(&FLIGHT))
    }

    #[test]
    fn a_step_that_is_done_leads_to_the_next_whose_first_attempt_is_open() {
        let at = flight().apply(TripEvent::FlightDone(1), &mut None);
        assert!(matches!(at, Ok(Trip::Hotel(hotel)) if hotel.is_open()));
    }

    #[test]
    fn an_event_of_another_step_is_given_back() {
        let at = flight().apply(TripEvent::HotelDone(1), &mut None);
        assert!(matches!(at, Err(Rejected(Trip::Flight(_)))));
        let at = Trip::Return.apply(TripEvent::HotelDone(1), &mut None);
        assert!(matches!(at, Err(Rejected(Trip::Return))));
    }

    #[test]
    fn a_step_is_done_only_by_an_attempt_that_is_open() {
        let waiting = || Trip::Flight(Ledger::waiting(&FLIGHT));
        assert!(waiting().apply(TripEvent::FlightDone(1), &mut None).is_err());
        let at = waiting().apply(TripEvent::FlightAttempt(AttemptFact::Opened), &mut None).unwrap();
        assert!(at.apply(TripEvent::FlightDone(1), &mut None).is_ok());
    }

    #[test]
    fn a_refusal_turns_the_saga_from_where_it_is() {
        let mut turn = None;
        let refusal = Refusal { message: "sold out".to_owned(), definitive: true };
        let at = flight().apply(TripEvent::FlightRefused(refusal), &mut turn);
        assert!(matches!(at, Ok(Trip::Flight(_))));
        assert_eq!(turn, Some(Cause::Refused { step: "flight", message: "sold out".to_owned() }));
    }

    #[test]
    fn a_saga_that_is_to_turn_opens_nothing_where_it_arrives() {
        let at = flight().apply(TripEvent::FlightDone(1), &mut Some(Cause::DeadlinePassed));
        assert!(matches!(at, Ok(Trip::Hotel(hotel)) if hotel.call().attempts.phase() == Phase::Waiting));
    }
}
