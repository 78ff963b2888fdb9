//! A service with a barrier under random deliveries, and what must hold of it whatever comes in which order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use saga_participant::{
    Action, Answer, Compensated, Compensation, Error, Fault, InvalidCall, Probe, WorkError,
};
use serde::{Deserialize, Serialize};

/// What the service sells: this is its own table, next to the barrier's.
pub const SCHEMA_SQLITE: &str = "CREATE TABLE booking (number INTEGER PRIMARY KEY, key TEXT NOT NULL, seats BIGINT NOT NULL, cancelled BIGINT NOT NULL)";

/// Makes a booking, and returns its number.
pub const BOOK: &str = "INSERT INTO booking (key, seats, cancelled) VALUES ($1, $2, 0) RETURNING number";

/// Cancels one, if it is not cancelled.
pub const CANCEL: &str =
    "UPDATE booking SET cancelled = 1 WHERE number = $1 AND cancelled = 0 RETURNING seats";

/// All of them.
pub const BOOKINGS: &str = "SELECT key, number, cancelled FROM booking ORDER BY number";

/// Everything that is remembered.
pub const REMEMBERED: &str = "SELECT key || ' ' || state FROM saga_barrier ORDER BY key";

/// How many keys there are.
const KEYS: u32 = 2;

/// What a booking is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its number.
    pub number: i64,
    /// How many seats.
    pub seats: i64,
}

/// What a refusal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Sold out, at the delivery with this number: two refusals can be told apart.
    SoldOut(u32),
}

/// One message that arrives.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Which one in the history.
    pub number: u32,
    /// Of which action.
    pub key: u32,
    /// What it asks for.
    pub asks: Asks,
    /// What becomes of it.
    pub fate: Fate,
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Book so many seats.
    Action {
        /// The number of the attempt.
        attempt: u32,
        /// The request: another one is a mistake of the caller.
        seats: i64,
        /// Whether the service refuses, if it gets to work.
        refuses: bool,
    },
    /// Cancel them.
    Compensation {
        /// The request: another one is a mistake of the caller.
        reason: u32,
    },
    /// What became of it?
    Probe {
        /// The number of the attempt.
        attempt: u32,
    },
}

/// What becomes of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is committed.
    Commit,
    /// The process dies before the commit.
    Crash,
    /// The work fails after it has written.
    Fail,
}

/// What the caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To an action.
    Answer(Answer<Booking, Refusal>),
    /// To a compensation: the seats that are free again.
    Compensated(Compensated<i64>),
    /// To a probe.
    Found(Option<Booking>),
    /// The key was used with another request.
    OtherRequest,
    /// Nothing: the process died, or the work failed.
    Nothing,
}

/// What the service's tables say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Key, number, and whether it is cancelled.
    pub bookings: Vec<(String, i64, bool)>,
    /// What the barrier remembers.
    pub remembered: Vec<String>,
}

/// A service on some database.
pub trait Service {
    /// Does what a message asks for, with the fate that it has.
    fn deliver(&mut self, delivery: &Delivery) -> Reply;

    /// What it has.
    fn tables(&mut self) -> Tables;
}

impl Delivery {
    /// The idempotency key.
    pub fn key(&self) -> String {
        key(self.key)
    }

    /// As an action; `None` if it is something else.
    pub fn action(&self) -> Result<Option<Action>, InvalidCall> {
        let Asks::Action { attempt, seats, .. } = self.asks else { return Ok(None) };
        Action::new(self.key(), "book", &seats)?.of_saga("s").map(|action| Some(action.attempt(attempt)))
    }

    /// As a compensation.
    pub fn compensation(&self) -> Result<Option<Compensation>, InvalidCall> {
        let Asks::Compensation { reason } = self.asks else { return Ok(None) };
        Compensation::new(self.key(), "cancel", &reason)?.of_saga("s").map(Some)
    }

    /// As a probe.
    pub fn probe(&self) -> Result<Option<Probe>, InvalidCall> {
        let Asks::Probe { attempt } = self.asks else { return Ok(None) };
        Probe::new(self.key())?.of_saga("s").map(|probe| Some(probe.attempt(attempt)))
    }

    /// What the service's work comes to, after it has made a booking.
    pub fn end_work(&self, number: i64) -> Result<Booking, WorkError<Refusal>> {
        match (self.asks, self.fate) {
            (_, Fate::Fail) => Err(WorkError::failed("the disk is full")),
            (Asks::Action { seats, refuses: false, .. }, _) => Ok(Booking { number, seats }),
            _ => Err(WorkError::Refused(Refusal::SoldOut(self.number))),
        }
    }
}

/// The key with this number.
pub fn key(number: u32) -> String {
    format!("BookTrip/trip-{number}/flight")
}

/// The reply to a call that came to an error, if it is one that may occur.
pub fn failed(error: Error) -> Reply {
    match error {
        error if matches!(error.fault(), Some(Fault::OtherRequest { .. })) => Reply::OtherRequest,
        Error::Work { .. } => Reply::Nothing,
        other => Reply::from_nowhere(&other),
    }
}

impl Reply {
    #[expect(clippy::panic, reason = "in a test a panic is the report")]
    fn from_nowhere(error: &Error) -> Self {
        panic!("no delivery may end with {error:?}")
    }
}

/// Histories of up to 25 deliveries.
pub fn histories() -> impl Strategy<Value = Vec<Delivery>> {
    let asks = prop_oneof![
        5 => (1..6_u32, prop_oneof![9 => Just(2_i64), 1 => Just(3)], prop::bool::weighted(0.3))
            .prop_map(|(attempt, seats, refuses)| Asks::Action { attempt, seats, refuses }),
        2 => prop_oneof![9 => Just(0_u32), 1 => Just(1)].prop_map(|reason| Asks::Compensation { reason }),
        1 => (1..6_u32).prop_map(|attempt| Asks::Probe { attempt }),
    ];
    let fate = prop_oneof![6 => Just(Fate::Commit), 1 => Just(Fate::Crash), 1 => Just(Fate::Fail)];
    prop::collection::vec((0..KEYS, asks, fate), 1..25).prop_map(|deliveries| {
        (1..)
            .zip(deliveries)
            .map(|(number, (key, asks, fate))| Delivery { number, key, asks, fate })
            .collect()
    })
}

/// What callers were told of one key. It is about answers only, and knows nothing of the barrier's states.
#[derive(Debug, Default)]
struct Told {
    done: Option<Booking>,
    refused: Option<Refusal>,
    compensated: Option<Compensated<i64>>,
    /// The highest attempt of a probe that was told that there is nothing.
    never_up_to: u32,
    /// The first request of each kind that was answered for.
    seats: Option<i64>,
    reason: Option<u32>,
}

/// Delivers a history, and checks after each delivery what must hold.
pub fn check(service: &mut impl Service, history: &[Delivery]) -> Result<(), TestCaseError> {
    let mut told: BTreeMap<u32, Told> = BTreeMap::new();
    for delivery in history {
        let before = service.tables();
        let reply = service.deliver(delivery);
        let after = service.tables();
        let told = told.entry(delivery.key).or_default();
        match &reply {
            // What died, failed or was a mistake has left nothing at all.
            Reply::Nothing | Reply::OtherRequest => prop_assert_eq!(&before, &after, "{:?}", delivery),
            Reply::Answer(answer) => told.check_answer(delivery, answer)?,
            Reply::Compensated(compensated) => told.check_compensated(delivery, compensated)?,
            Reply::Found(found) => told.check_found(delivery, found.as_ref())?,
        }
        if reply == Reply::OtherRequest {
            told.check_mistake(delivery)?;
        }
        told.check_bookings(&delivery.key(), &after)?;
    }
    Ok(())
}

impl Told {
    fn check_answer(
        &mut self,
        delivery: &Delivery,
        answer: &Answer<Booking, Refusal>,
    ) -> Result<(), TestCaseError> {
        let Asks::Action { attempt, seats, .. } = delivery.asks else {
            return Err(TestCaseError::fail("an answer to what is no action"));
        };
        match answer {
            Answer::Done(booking) => {
                prop_assert!(self.compensated.is_none(), "done after its compensation: {:?}", delivery);
                prop_assert!(self.refused.is_none(), "done after it was refused");
                let is_late = self.done.is_none() && attempt <= self.never_up_to;
                prop_assert!(!is_late, "done although a probe was told that it never will be");
                prop_assert_eq!(self.seats.get_or_insert(seats), &seats, "answered for another request");
                prop_assert_eq!(self.done.get_or_insert_with(|| booking.clone()), booking);
            }
            Answer::Refused(refusal) => {
                prop_assert!(self.done.is_none(), "refused after it was done");
                prop_assert_eq!(self.seats.get_or_insert(seats), &seats, "answered for another request");
                prop_assert_eq!(self.refused.get_or_insert_with(|| refusal.clone()), refusal);
            }
            Answer::Superseded => {
                let by_probe = self.done.is_none() && attempt <= self.never_up_to;
                prop_assert!(self.compensated.is_some() || by_probe, "superseded by nothing: {:?}", delivery);
            }
        }
        Ok(())
    }

    fn check_compensated(
        &mut self,
        delivery: &Delivery,
        compensated: &Compensated<i64>,
    ) -> Result<(), TestCaseError> {
        let Asks::Compensation { reason } = delivery.asks else {
            return Err(TestCaseError::fail("compensated what was no compensation"));
        };
        match (&self.done, compensated) {
            (Some(booking), Compensated::Undone(seats)) => prop_assert_eq!(booking.seats, *seats),
            (None, Compensated::NothingToUndo) => {}
            (done, compensated) => prop_assert!(false, "{:?} was compensated with {:?}", done, compensated),
        }
        // After a refusal there is no row of the compensation's own, and nothing that it could be compared with.
        if self.refused.is_none() {
            prop_assert_eq!(self.reason.get_or_insert(reason), &reason, "answered for another request");
        }
        prop_assert_eq!(self.compensated.get_or_insert_with(|| compensated.clone()), compensated);
        Ok(())
    }

    fn check_found(&mut self, delivery: &Delivery, found: Option<&Booking>) -> Result<(), TestCaseError> {
        let Asks::Probe { attempt } = delivery.asks else {
            return Err(TestCaseError::fail("found what was no probe's"));
        };
        let there = self.done.as_ref().filter(|_| self.compensated.is_none());
        prop_assert_eq!(found, there);
        if found.is_none() {
            self.never_up_to = self.never_up_to.max(attempt);
        }
        Ok(())
    }

    fn check_mistake(&self, delivery: &Delivery) -> Result<(), TestCaseError> {
        let is_mistake = match delivery.asks {
            Asks::Action { seats, .. } => self.seats.is_some_and(|first| first != seats),
            Asks::Compensation { reason } => self.reason.is_some_and(|first| first != reason),
            Asks::Probe { .. } => false,
        };
        prop_assert!(is_mistake, "called a mistake, and is none: {:?}", delivery);
        Ok(())
    }

    /// The effect is there exactly once, or not at all.
    fn check_bookings(&self, key: &str, tables: &Tables) -> Result<(), TestCaseError> {
        let of_key: Vec<_> = tables.bookings.iter().filter(|(of, ..)| of == key).collect();
        let is_cancelled = self.compensated.is_some();
        let expected: Vec<_> =
            self.done.iter().map(|booking| (key.to_owned(), booking.number, is_cancelled)).collect();
        prop_assert_eq!(of_key, expected.iter().collect::<Vec<_>>());
        Ok(())
    }
}
