//! The barrier on SQLite, by rusqlite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::Path;
use std::sync::Barrier as Gate;
use std::thread;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use rusqlite::{Connection, DropBehavior, Transaction, TransactionBehavior, params};
use saga_participant::rusqlite::Barrier;
use saga_participant::{
    Action, Answer, Compensated, Compensation, Error, ErrorKind, Fault, Probe, Retention, UndoError,
    WorkError,
};
use saga_tests::barrier::{
    Asks, BOOK, BOOKINGS, Booking, CANCEL, Delivery, Fate, REMEMBERED, Refusal, Reply, SCHEMA_SQLITE,
    Service, Tables, check, failed, histories,
};

const BARRIER: Barrier = Barrier::new();

struct Shop(Connection);

impl Shop {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        BARRIER.create(&connection).unwrap();
        connection.execute_batch(SCHEMA_SQLITE).unwrap();
        Self(connection)
    }

    fn begin(&mut self) -> Transaction<'_> {
        self.0.transaction_with_behavior(TransactionBehavior::Immediate).unwrap()
    }

    /// Books for the key `k`, or is answered what was answered before.
    fn book(&mut self) -> Answer<Booking, Refusal> {
        let action = action();
        let booked =
            BARRIER.action(self.begin(), &action, |tx| Ok(Booking { number: book(tx, "k", 1)?, seats: 1 }));
        booked.unwrap().commit().unwrap()
    }

    fn cancel(&mut self) -> Compensated<i64> {
        BARRIER
            .compensation(self.begin(), &compensation(), |tx, booking| cancel(tx, &booking))
            .unwrap()
            .commit()
            .unwrap()
    }

    fn bookings(&self) -> i64 {
        self.0.query_row("SELECT count(*) FROM booking WHERE cancelled = 0", [], |row| row.get(0)).unwrap()
    }

    fn rows(&self) -> i64 {
        self.0.query_row("SELECT count(*) FROM saga_barrier", [], |row| row.get(0)).unwrap()
    }
}

fn action() -> Action {
    Action::new("k", "book", &1).unwrap().of_saga("s-1").unwrap()
}

fn compensation() -> Compensation {
    Compensation::new("k", "cancel", &()).unwrap().of_saga("s-1").unwrap()
}

fn book(tx: &Transaction<'_>, key: &str, seats: i64) -> rusqlite::Result<i64> {
    tx.query_row(BOOK, params![key, seats], |row| row.get(0))
}

fn cancel(tx: &Transaction<'_>, booking: &Booking) -> Result<i64, UndoError> {
    Ok(tx.query_row(CANCEL, [booking.number], |row| row.get(0))?)
}

impl Service for Shop {
    fn deliver(&mut self, delivery: &Delivery) -> Reply {
        let tx = self.begin();
        let key = delivery.key();
        match delivery.asks {
            Asks::Action { seats, .. } => {
                let action = delivery.action().unwrap().unwrap();
                let answer = BARRIER.action(tx, &action, |tx| delivery.end_work(book(tx, &key, seats)?));
                match answer {
                    Ok(answer) if delivery.fate != Fate::Crash => Reply::Answer(answer.commit().unwrap()),
                    Ok(_) => Reply::Nothing,
                    Err(error) => failed(error),
                }
            }
            Asks::Compensation { .. } => {
                let compensation = delivery.compensation().unwrap().unwrap();
                let answer = BARRIER.compensation(tx, &compensation, |tx, booking: Booking| {
                    let seats = cancel(tx, &booking)?;
                    if delivery.fate == Fate::Fail {
                        Err(WorkError::failed("the disk is full"))
                    } else {
                        Ok(seats)
                    }
                });
                match answer {
                    Ok(answer) if delivery.fate != Fate::Crash => {
                        Reply::Compensated(answer.commit().unwrap())
                    }
                    Ok(_) => Reply::Nothing,
                    Err(error) => failed(error),
                }
            }
            Asks::Probe { .. } => {
                let answer = BARRIER.probe(tx, &delivery.probe().unwrap().unwrap()).unwrap();
                if delivery.fate == Fate::Crash {
                    Reply::Nothing
                } else {
                    Reply::Found(answer.commit().unwrap())
                }
            }
        }
    }

    fn tables(&mut self) -> Tables {
        let mut bookings = self.0.prepare(BOOKINGS).unwrap();
        let bookings = bookings.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let mut remembered = self.0.prepare(REMEMBERED).unwrap();
        let remembered = remembered.query_map([], |row| row.get(0)).unwrap();
        Tables {
            bookings: bookings.collect::<Result<_, _>>().unwrap(),
            remembered: remembered.collect::<Result<_, _>>().unwrap(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_in_whatever_order_has_one_effect_or_none(history in histories()) {
        check(&mut Shop::new(), &history)?;
    }
}

#[test]
fn a_duplicate_is_answered_the_same_and_does_nothing() {
    let mut shop = Shop::new();
    let booked = shop.book();
    assert_eq!(booked, Answer::Done(Booking { number: 1, seats: 1 }));
    assert_eq!(shop.book(), booked);
    assert_eq!(shop.bookings(), 1);
}

#[test]
fn a_refusal_is_stored_and_what_the_work_wrote_is_undone() {
    let mut shop = Shop::new();
    let mut times = 0;
    for _ in 0..2 {
        let refused = BARRIER.action(shop.begin(), &action(), |tx| -> Result<Booking, _> {
            times += 1;
            book(tx, "k", 1)?;
            Err(WorkError::Refused(Refusal::SoldOut(7)))
        });
        assert_eq!(refused.unwrap().commit().unwrap(), Answer::Refused(Refusal::SoldOut(7)));
    }
    assert_eq!((times, shop.bookings()), (1, 0));
    assert_eq!(shop.cancel(), Compensated::NothingToUndo);
}

#[test]
fn a_compensation_before_its_action_succeeds_and_the_late_action_is_superseded() {
    let mut shop = Shop::new();
    assert_eq!(shop.cancel(), Compensated::NothingToUndo);
    assert_eq!(shop.book(), Answer::Superseded);
    assert_eq!((shop.bookings(), shop.cancel()), (0, Compensated::NothingToUndo));
}

#[test]
fn a_compensation_is_given_what_the_action_answered() {
    let mut shop = Shop::new();
    shop.book();
    assert_eq!(shop.cancel(), Compensated::Undone(1));
    assert_eq!(shop.cancel(), Compensated::Undone(1));
    assert_eq!((shop.book(), shop.bookings()), (Answer::Superseded, 0));
}

#[test]
fn after_a_probe_that_found_nothing_the_attempts_before_it_are_barred_and_the_next_is_done() {
    let mut shop = Shop::new();
    let probe = Probe::new("k").unwrap().attempt(2);
    let found: Option<Booking> = BARRIER.probe(shop.begin(), &probe).unwrap().commit().unwrap();
    assert_eq!(found, None);
    let mut book_at = |attempt: u32| {
        let action = action().attempt(attempt);
        let tx = shop.begin();
        BARRIER.action(tx, &action, |tx| delivery().end_work(book(tx, "k", 1)?)).unwrap().commit().unwrap()
    };
    assert_eq!(book_at(1), Answer::Superseded);
    assert_eq!(book_at(3), Answer::Done(Booking { number: 1, seats: 1 }));
    // What was done is done: the late attempt is answered as its successor was.
    assert_eq!(book_at(1), Answer::Done(Booking { number: 1, seats: 1 }));
}

fn delivery() -> Delivery {
    let asks = Asks::Action { attempt: 1, seats: 1, refuses: false };
    Delivery { number: 1, key: 1, asks, fate: Fate::Commit }
}

#[test]
fn after_an_error_there_is_nothing_that_could_be_committed() {
    type Work = fn(&Transaction<'_>) -> Result<i64, WorkError<Refusal>>;
    let mut shop = Shop::new();
    let failures: [Work; 2] = [
        |_| Err(WorkError::failed("the disk is full")),
        |tx| Ok(tx.query_row("SELECT no_such_column FROM booking", [], |row| row.get(0))?),
    ];
    for failure in failures {
        let mut tx = shop.begin();
        // Also if its owner wants otherwise.
        tx.set_drop_behavior(DropBehavior::Commit);
        let error = BARRIER.action(tx, &action(), |tx| {
            book(tx, "k", 1)?;
            failure(tx)
        });
        let error = error.map(drop).unwrap_err();
        assert!(matches!(&error, Error::Work { key, .. } if key == "k"), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Transient);
        assert_eq!((shop.bookings(), shop.rows()), (0, 0));
    }
    assert_eq!(shop.book(), Answer::Done(Booking { number: 1, seats: 1 }));
}

#[test]
fn an_answer_that_was_not_committed_was_never_given() {
    let mut shop = Shop::new();
    let mut tx = shop.begin();
    tx.set_drop_behavior(DropBehavior::Commit);
    drop(BARRIER.action(tx, &action(), |tx| delivery().end_work(book(tx, "k", 1)?)).unwrap());
    assert_eq!((shop.bookings(), shop.rows()), (0, 0));
}

#[test]
fn a_panic_in_the_work_leaves_nothing() {
    let mut shop = Shop::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let tx = shop.begin();
        let _ = BARRIER.action(tx, &action(), |tx| -> Result<(), WorkError<()>> {
            book(tx, "k", 1)?;
            panic!("as told")
        });
    }));
    assert!(panicked.is_err());
    assert_eq!((shop.bookings(), shop.rows()), (0, 0));
    assert!(shop.book().done().is_some());
}

#[test]
fn a_key_with_another_request_is_a_fault_and_no_refusal() {
    let mut shop = Shop::new();
    shop.book();
    for other in [Action::new("k", "book", &2), Action::new("k", "take", &1)] {
        let tx = shop.begin();
        let error =
            BARRIER.action(tx, &other.unwrap(), |_| Ok::<i64, WorkError<()>>(1)).map(drop).unwrap_err();
        assert!(matches!(error.fault(), Some(Fault::OtherRequest { .. })), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Fault);
    }
    assert_eq!(shop.bookings(), 1);
}

#[test]
fn an_answer_of_another_type_is_a_fault_that_names_key_and_type() {
    let mut shop = Shop::new();
    shop.book();
    let tx = shop.begin();
    let error =
        BARRIER.action(tx, &action(), |_| Ok::<Vec<u8>, WorkError<()>>(vec![])).map(drop).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("the stored answer for the key \"k\" is no `alloc::vec::Vec<u8>`: "),
        "{message}"
    );
    let tx = shop.begin();
    let undo = |_: &Transaction<'_>, _: String| -> Result<(), UndoError> { panic!("nothing can be undone") };
    let error = BARRIER.compensation(tx, &compensation(), undo).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fault);
    assert_eq!(shop.bookings(), 1);
}

#[test]
fn what_could_not_be_answered_twice_is_not_done_once() {
    let mut shop = Shop::new();
    let error = BARRIER.action(shop.begin(), &action(), |tx| -> Result<f64, WorkError<()>> {
        book(tx, "k", 1)?;
        Ok(f64::NAN)
    });
    let error = error.map(drop).unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::Unwritable { ty: "f64", .. })), "{error:?}");
    assert_eq!((shop.bookings(), shop.rows()), (0, 0));
}

#[test]
fn rows_stay_until_the_horizon() {
    let mut shop = Shop::new();
    let hour = Duration::from_hours(1);
    let barrier = Barrier::with(Retention::new().horizon(hour));
    let now = SystemTime::now();
    shop.book();
    let other = Action::new("other", "book", &1).unwrap();
    barrier.action(shop.begin(), &other, |_| Ok::<_, WorkError<()>>(1)).unwrap().commit().unwrap();
    assert_eq!(barrier.expire(&shop.0, now + hour - Duration::from_secs(1)).unwrap(), 0);
    assert_eq!(barrier.expire(&shop.0, now + hour + Duration::from_secs(5)).unwrap(), 1);
    // The other one was written without a horizon.
    assert_eq!(barrier.expire(&shop.0, now + 1000 * hour).unwrap(), 0);
    assert_eq!(shop.rows(), 1);
}

#[test]
fn rows_of_a_saga_that_has_ended_linger_and_go() {
    let mut shop = Shop::new();
    shop.book();
    let other = Action::new("other", "book", &1).unwrap().of_saga("s-2").unwrap();
    BARRIER.action(shop.begin(), &other, |_| Ok::<_, WorkError<()>>(1)).unwrap().commit().unwrap();
    let now = SystemTime::now();
    BARRIER.forget(&shop.0, "s-1").unwrap();
    assert_eq!(BARRIER.expire(&shop.0, now).unwrap(), 0);
    // A late duplicate is still answered, and a late compensation still undoes: neither makes the row stay.
    assert!(shop.book().done().is_some());
    shop.cancel();
    assert_eq!(BARRIER.expire(&shop.0, now + Duration::from_hours(25)).unwrap(), 1);
    assert_eq!(shop.rows(), 1);
    let at_once = Barrier::with(Retention::new().linger(Duration::ZERO));
    at_once.forget(&shop.0, "s-2").unwrap();
    assert_eq!(at_once.expire(&shop.0, SystemTime::now()).unwrap(), 1);
}

#[test]
fn work_that_ends_the_transaction_itself_is_a_fault_from_then_on() {
    let mut shop = Shop::new();
    // Only SQL can do that: the transaction itself is not in the hands of the work.
    let error = BARRIER.action(shop.begin(), &action(), |tx| -> Result<(), WorkError<()>> {
        tx.execute_batch("COMMIT; BEGIN")?;
        Ok(())
    });
    assert!(matches!(error.map(drop).unwrap_err(), Error::Database(_)));
    let error =
        BARRIER.action(shop.begin(), &action(), |_| Ok::<(), WorkError<()>>(())).map(drop).unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::Open { key }) if key == "k"), "{error:?}");
}

fn open(path: &Path) -> Shop {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    Shop(connection)
}

#[test]
fn of_many_at_once_one_is_done_and_all_are_answered_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let shop = open(&path);
    shop.0.execute_batch(SCHEMA_SQLITE).unwrap();
    let gate = Gate::new(8);
    let answers: Vec<_> = thread::scope(|scope| {
        let call = || {
            let mut shop = open(&path);
            // Also the table may be made by all of them at once.
            BARRIER.create(&shop.0).unwrap();
            gate.wait();
            shop.book()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers, vec![Answer::Done(Booking { number: 1, seats: 1 }); 8]);
    assert_eq!(shop.bookings(), 1);
}

#[test]
fn a_busy_database_is_transient() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let mut holder = open(&path);
    BARRIER.create(&holder.0).unwrap();
    holder.0.execute_batch(SCHEMA_SQLITE).unwrap();
    let held = holder.begin();
    let mut shop = open(&path);
    shop.0.busy_timeout(Duration::ZERO).unwrap();
    let tx = shop.0.transaction().unwrap();
    let error = BARRIER.action(tx, &action(), |_| Ok::<(), WorkError<()>>(())).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    drop(held);
    assert!(shop.book().done().is_some());
}
