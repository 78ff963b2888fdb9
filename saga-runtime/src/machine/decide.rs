//! What to do about a call, and what the end of an attempt means. Pure: randomness is passed in.

use std::any::{Any, type_name};
use std::fmt;
use std::time::{Duration, SystemTime};

use crate::definition::Definition;
use crate::error::{Failure, FailureKind};
use crate::machine::attempts::{AttemptFact, Phase};
use crate::machine::call::{Call, CallKind, Role};
use crate::machine::fact::{FactKind, Refusal};
use crate::machine::policy::Retry;

/// What to do about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// An attempt is open: make it, unless it is in flight.
    Make,
    /// Record [`AttemptFact::Opened`] after this time, then make the attempt.
    Open {
        /// The back-off.
        after: Duration,
    },
    /// Record [`AttemptFact::GaveUp`].
    GiveUp,
    /// Wait for an operator.
    Wait,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Settled<E> {
    /// The action or compensation is done, or the probe found the action done.
    Done(E),
    /// It is this call that the log is to make within its transaction.
    Local(Local<E>),
    /// It is this child saga that is to be begun.
    Begins(Begins),
    /// It is to wait until this time.
    Due(Time),
    /// The probe found that the action did not happen and never will.
    Absent,
    /// It failed.
    Failed(Failure),
    /// The call panicked with this message.
    Panicked(String),
    /// Nobody knows what it did, and an operator has to say so before it is tried again.
    ByHand(String),
}

/// The call of a `local` step, which waits for its transaction. It may be made several times, each time in a transaction
/// of which nothing was kept of the time before.
pub struct Local<E> {
    run: Box<InTransaction<E>>,
    tx: &'static str,
}

/// Answers nothing to a transaction of another type.
type InTransaction<E> = dyn FnMut(&dyn Any) -> Option<Settled<E>> + Send;

impl<E> Local<E> {
    /// A call within transactions of this type.
    pub fn new<Tx: 'static>(mut call: impl FnMut(&Tx) -> Settled<E> + Send + 'static) -> Self {
        Self { run: Box::new(move |tx| tx.downcast_ref().map(&mut call)), tx: type_name::<Tx>() }
    }

    /// Makes the call; `None` within a transaction of another type.
    pub fn run(&mut self, tx: &dyn Any) -> Option<Settled<E>> {
        (self.run)(tx)
    }

    /// The name of the type of its transactions.
    pub fn tx_name(&self) -> &'static str {
        self.tx
    }
}

impl<E> fmt::Debug for Local<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("tx", &self.tx).finish_non_exhaustive()
    }
}

/// A child saga that a step begins.
#[derive(Debug)]
pub struct Begins {
    /// Which saga.
    pub definition: &'static Definition,
    /// Its input, as JSON.
    pub input: String,
}

/// Until when a `sleep` or `receive` waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// So long from now.
    After(Duration),
    /// Until then.
    At(SystemTime),
}

impl Time {
    /// The time in milliseconds since the Unix epoch; `now_ms` is the time at which it is asked for. One before the
    /// epoch is the epoch, one too far away the last that there is.
    pub fn due_ms(self, now_ms: u64) -> u64 {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::After(duration) => now_ms.saturating_add(millis(duration)),
            Self::At(time) => time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, millis),
        }
        // What is kept in a log has to be a time that a clock can show.
        .min(i64::MAX.unsigned_abs())
    }
}

/// What to do about `call` under `retry`. `jitter` is a random number.
pub fn decide(call: &Call, retry: &Retry, jitter: u32) -> Decision {
    let attempts = &call.attempts;
    match attempts.phase() {
        _ if matches!(call.kind, CallKind::Evaluation | CallKind::Wait) => return Decision::Wait,
        Phase::Open => return Decision::Make,
        Phase::Parked | Phase::Ended | Phase::Failed => return Decision::Wait,
        Phase::Waiting => {}
    }
    if attempts.spent() == 0 {
        return Decision::Open { after: Duration::ZERO };
    }
    // A call that answers differently to the same key is never repeated while nobody knows what it did.
    let repeatable = !attempts.in_doubt() || call.settlement.keyed || call.settlement.probe;
    let spent = retry.is_spent(attempts.spent());
    match call.role {
        Role::Compensatable if spent || !repeatable => Decision::GiveUp,
        Role::Pivot if spent && !attempts.in_doubt() => Decision::GiveUp,
        Role::Retriable if call.otherwise && (spent || !repeatable) => Decision::GiveUp,
        _ if !repeatable => Decision::Wait,
        _ => Decision::Open { after: retry.back_off(attempts.spent(), jitter) },
    }
}

/// Whether an operator should see `call`: it waits for one, or has spent its retries and goes on nevertheless.
pub fn is_parked(call: &Call, retry: &Retry) -> bool {
    match call.attempts.phase() {
        Phase::Parked => true,
        Phase::Ended | Phase::Failed => false,
        Phase::Open | Phase::Waiting => match call.role {
            Role::Compensatable => false,
            Role::Retriable if call.otherwise => false,
            Role::Pivot | Role::Retriable | Role::Settling | Role::Compensation => {
                let failed = call.attempts.spent().saturating_sub(u32::from(call.attempts.is_open()));
                retry.is_spent(failed)
            }
        },
    }
}

/// The facts that follow when the open attempt of `call` ended at the time `now_ms` other than done.
pub fn settle<E>(call: &Call, settled: Settled<E>, now_ms: u64) -> Result<E, Vec<FactKind>> {
    let failure = match settled {
        Settled::Done(event) => return Ok(event),
        Settled::Due(time) => {
            return Err(vec![FactKind::Attempt(AttemptFact::Due(time.due_ms(now_ms)))]);
        }
        Settled::Absent => return Err(vec![FactKind::Attempt(AttemptFact::Absent)]),
        Settled::Panicked(message) if call.kind == CallKind::Compensation => {
            let message = format!("the compensation panicked: {message}");
            return Err(vec![
                FactKind::Compensation(AttemptFact::Failed(Failure::unknown(&*message))),
                FactKind::Compensation(AttemptFact::Parked(message)),
            ]);
        }
        Settled::ByHand(message) => {
            return Err(vec![
                FactKind::Attempt(AttemptFact::Failed(Failure::unknown(&*message))),
                FactKind::Attempt(AttemptFact::Parked(message)),
            ]);
        }
        Settled::Panicked(message) => Failure::unknown(format!("the call panicked: {message}")),
        // Whoever drives the saga begins the child, and settles the step by what becomes of that.
        Settled::Begins(_) => Failure::unknown("a child saga was not begun"),
        Settled::Local(_) => Failure::unknown("a local call was not handed to the log"),
        Settled::Failed(failure) => failure,
    };
    Err(vec![match call.kind {
        CallKind::Compensation => FactKind::Compensation(AttemptFact::Failed(failure)),
        // A probe has no effect of its own: whatever became of it, it settled nothing and added no doubt.
        CallKind::Probe => {
            FactKind::Attempt(AttemptFact::Failed(Failure { kind: FailureKind::Transient, ..failure }))
        }
        CallKind::Action | CallKind::Local if failure.kind == FailureKind::Refused => {
            let definitive = call.settlement.keyed || !call.attempts.in_doubt();
            FactKind::Refused(Refusal { message: failure.message, definitive })
        }
        CallKind::Action | CallKind::Local | CallKind::Evaluation | CallKind::Wait => {
            FactKind::Attempt(AttemptFact::Failed(failure))
        }
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::attempts::Attempts;
    use crate::machine::call::Settlement;

    const KEYED: Settlement = Settlement { keyed: true, probe: false };
    const PROBED: Settlement = Settlement { keyed: false, probe: true };
    const CARELESS: Settlement = Settlement { keyed: false, probe: false };

    fn after(kind: FailureKind, role: Role, settlement: Settlement) -> Call {
        let failure = Failure::new(kind, String::new());
        let attempts = Attempts::opened().after(&AttemptFact::Failed(failure)).unwrap();
        let kind = settlement.next(&attempts);
        Call { place: 0.into(), kind, role, attempts, settlement, otherwise: false }
    }

    fn decision(call: &Call, retry: Retry) -> Decision {
        decide(call, &retry, 0)
    }

    #[test]
    fn a_careless_participant_is_never_asked_twice_after_a_lost_reply() {
        let call = after(FailureKind::Unknown, Role::Compensatable, CARELESS);
        assert_eq!(decision(&call, Retry::DEFAULT), Decision::GiveUp);
        let call = after(FailureKind::Transient, Role::Compensatable, CARELESS);
        assert!(matches!(decision(&call, Retry::DEFAULT), Decision::Open { .. }));
    }

    #[test]
    fn a_doubt_is_settled_by_the_same_key_or_else_by_the_probe() {
        assert_eq!(after(FailureKind::Unknown, Role::Compensatable, KEYED).kind, CallKind::Action);
        assert_eq!(after(FailureKind::Unknown, Role::Compensatable, PROBED).kind, CallKind::Probe);
        assert_eq!(after(FailureKind::Transient, Role::Compensatable, PROBED).kind, CallKind::Action);
    }

    #[test]
    fn spent_retries_turn_the_saga_before_the_pivot_only() {
        let spent = |kind, role| decision(&after(kind, role, KEYED), Retry::NEVER);
        assert_eq!(spent(FailureKind::Unknown, Role::Compensatable), Decision::GiveUp);
        assert_eq!(spent(FailureKind::Transient, Role::Pivot), Decision::GiveUp);
        for role in [Role::Pivot, Role::Retriable, Role::Settling, Role::Compensation] {
            assert!(matches!(spent(FailureKind::Unknown, role), Decision::Open { .. }), "{role:?}");
        }
    }

    #[test]
    fn what_goes_on_over_its_budget_is_shown_as_parked() {
        let call = after(FailureKind::Unknown, Role::Pivot, KEYED);
        assert!(is_parked(&call, &Retry::NEVER));
        assert!(!is_parked(&call, &Retry::DEFAULT));
    }

    #[test]
    fn a_refusal_after_a_lost_reply_is_definitive_only_from_a_keyed_call() {
        let refused = || Failure::refused("no");
        let definitive = |settlement| {
            let mut call = after(FailureKind::Unknown, Role::Compensatable, settlement);
            call.kind = CallKind::Action;
            match settle::<()>(&call, Settled::Failed(refused()), 0).unwrap_err().remove(0) {
                FactKind::Refused(refusal) => refusal.definitive,
                other => panic!("{other:?}"),
            }
        };
        assert!(definitive(KEYED));
        assert!(!definitive(CARELESS));
    }

    #[test]
    fn a_panic_in_a_compensation_is_for_an_operator() {
        let call =
            Call { kind: CallKind::Compensation, ..after(FailureKind::Transient, Role::Compensation, KEYED) };
        let facts = settle::<()>(&call, Settled::Panicked("oops".into()), 0).unwrap_err();
        assert!(matches!(facts[1], FactKind::Compensation(AttemptFact::Parked(_))));
    }
}
