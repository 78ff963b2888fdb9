//! The participants: what they hold, and what they answer.

use std::sync::LazyLock;

use saga_participant::{Action, ActionThen, Call, Compensation, CompensationThen, State};

use crate::history::{Outcome, Step};

/// What a participant remembers of the saga's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Row {
    /// Nothing.
    None,
    /// That it is done.
    Done,
    /// That it was refused.
    Refused,
    /// That it never will be done.
    Tombstone,
    /// That it was done, and is undone.
    Undone,
}

/// A call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// Which action.
    pub step: Step,
    /// Whether its compensation.
    pub undoes: bool,
}

/// What a participant does with a request, as far as it is free to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// What it is asked.
    Complies,
    /// It refuses.
    Refuses,
    /// It refuses what it has done, for that is done.
    RefusesAgain,
    /// Nothing, and says so: it may be asked again.
    Fails,
}

/// The participants of both steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Services {
    /// It has the barrier of the participant's kit, and so answers by key.
    pub flight: Row,
    /// It has none, and knows a key by what it has booked for it.
    pub hotel: Hotel,
}

/// A participant that does not answer by key: to a second call it may say no, or do it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hotel {
    /// How often it has done what it was asked, and not taken it back.
    pub bookings: u8,
    /// Whether it was compensated: what comes later is refused.
    pub is_barred: bool,
}

static RESERVE: LazyLock<Action> =
    LazyLock::new(|| Action::new("flight", "reserve", &()).unwrap_or_else(|error| unreachable!("{error}")));
static CANCEL: LazyLock<Compensation> = LazyLock::new(|| {
    Compensation::new("flight", "cancel", &()).unwrap_or_else(|error| unreachable!("{error}"))
});

impl Services {
    /// Before anything was called.
    pub const FRESH: Self = Self { flight: Row::None, hotel: Hotel { bookings: 0, is_barred: false } };

    /// How many effects are in place, of each step.
    pub fn effects(&self) -> (u8, u8) {
        (u8::from(self.flight == Row::Done), self.hotel.bookings)
    }

    /// Whether it is the participant's choice to refuse.
    pub fn may_refuse(&self, request: Request) -> bool {
        let is_new = match request.step {
            Step::Flight => matches!(self.flight.decide_action(), ActionThen::Work(_)),
            Step::Hotel => self.hotel.bookings == 0 && !self.hotel.is_barred,
        };
        is_new && !request.undoes
    }

    /// Whether the participant knows that it was asked before, and may refuse for that.
    pub fn may_refuse_again(&self, request: Request) -> bool {
        request.step == Step::Hotel && !request.undoes && self.hotel.bookings > 0
    }

    /// Handles a request.
    pub fn handle(&mut self, request: Request, reaction: Reaction, has_barrier: bool) -> Outcome {
        let refuses = match reaction {
            Reaction::Fails => return Outcome::Transient,
            Reaction::Refuses | Reaction::RefusesAgain => true,
            Reaction::Complies => false,
        };
        match request.step {
            Step::Flight if has_barrier => self.flight.handle(request.undoes, refuses),
            Step::Flight => self.flight.handle_without_barrier(request.undoes, refuses),
            Step::Hotel => self.hotel.handle(request.undoes, refuses, has_barrier),
        }
    }
}

impl Hotel {
    fn handle(&mut self, undoes: bool, refuses: bool, has_barrier: bool) -> Outcome {
        if undoes {
            *self = Self { bookings: 0, is_barred: has_barrier };
        } else if refuses || self.is_barred {
            return Outcome::Refused;
        } else {
            self.bookings += 1;
        }
        Outcome::Done
    }
}

impl Row {
    fn state(self) -> Option<State> {
        let work = |row: Self| match RESERVE.decide(row.state().as_ref()).map(|decision| decision.then) {
            Ok(ActionThen::Work(work)) => work,
            other => unreachable!("{other:?}"),
        };
        match self {
            Self::None => None,
            Self::Done => Some(work(Self::None).done("1".into())),
            Self::Refused => Some(work(Self::None).refused("null".into())),
            Self::Tombstone => CANCEL.decide(None).ok().and_then(|decision| decision.write),
            Self::Undone => match CANCEL.decide(Self::Done.state().as_ref()).map(|decision| decision.then) {
                Ok(CompensationThen::Undo(undo)) => Some(undo.done("null".into())),
                other => unreachable!("{other:?}"),
            },
        }
    }

    fn of(state: Option<State>) -> Option<Self> {
        match state? {
            State::Done { .. } => Some(Self::Done),
            State::Refused { .. } => Some(Self::Refused),
            State::Tombstone { .. } => Some(Self::Tombstone),
            State::Undone { .. } => Some(Self::Undone),
            // Written before the work, in its transaction: what the work comes to replaces it.
            State::Open { .. } | State::Barred { .. } => None,
        }
    }

    fn decide_action(self) -> ActionThen {
        let decided = RESERVE.decide(self.state().as_ref());
        decided.unwrap_or_else(|fault| unreachable!("{fault}")).then
    }

    fn handle(&mut self, undoes: bool, refuses: bool) -> Outcome {
        if !undoes {
            return match self.decide_action() {
                ActionThen::Work(work) if refuses => {
                    *self = Self::of(Some(work.refused("null".into()))).unwrap_or(*self);
                    Outcome::Refused
                }
                ActionThen::Work(work) => {
                    *self = Self::of(Some(work.done("1".into()))).unwrap_or(*self);
                    Outcome::Done
                }
                ActionThen::Done(_) => Outcome::Done,
                ActionThen::Refused(_) | ActionThen::Superseded => Outcome::Refused,
            };
        }
        let decided = CANCEL.decide(self.state().as_ref()).unwrap_or_else(|fault| unreachable!("{fault}"));
        let written = match decided.then {
            CompensationThen::Undo(undo) => Some(undo.done("null".into())),
            CompensationThen::Undone(_) | CompensationThen::NothingToUndo => decided.write,
        };
        *self = Self::of(written).unwrap_or(*self);
        Outcome::Done
    }

    /// A compensation takes away what is there, and knows nothing of what comes later.
    fn handle_without_barrier(&mut self, undoes: bool, refuses: bool) -> Outcome {
        match (undoes, *self) {
            (true, _) => *self = Self::None,
            (false, Self::None) if refuses => return Outcome::Refused,
            (false, _) => *self = Self::Done,
        }
        Outcome::Done
    }
}
