//! What goes wrong, and when.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// How long a call may take where that shall happen to be too long.
const SHORT: Duration = Duration::from_millis(250);

/// How long a call may take where none shall take too long, however busy the machine is.
const LONG: Duration = Duration::from_secs(30);

/// One of the saga's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The first.
    Flight,
    /// The second.
    Hotel,
    /// The last.
    Car,
}

/// What a participant is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The action.
    Do,
    /// Its compensation.
    Undo,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 422, without effect.
    Refuse,
    /// 503, without effect.
    Unavailable,
    /// The connection breaks before the effect.
    Drop,
    /// The connection breaks after the effect.
    LoseReply,
    /// No effect, and no answer, ever.
    Hang,
    /// The effect, and no answer, ever.
    HangAfter,
    /// No answer, and the effect when nobody waits for it any more.
    Late,
    /// The effect, and an answer that is broken.
    Garble,
    /// The effect, and an answer with this status.
    Status(u16),
    /// The effect, and an answer after so many milliseconds.
    Slow(u64),
    /// The worker is killed before the effect, which never comes.
    KillBefore,
    /// The worker is killed after the effect, before the answer.
    KillAt,
    /// The effect, the worker stands still for longer than its time-out, the answer.
    StopAt,
}

/// Which call of a saga: of which step, in which direction, the how many-th that comes, from 1.
pub type Call = (Step, Direction, u32);

/// What happens to one saga.
#[derive(Debug, Clone, Default)]
pub struct SagaPlan {
    /// Its id.
    pub id: String,
    /// What goes wrong with its calls.
    pub faults: BTreeMap<Call, Fault>,
    /// Whether the worker is killed as soon as it has accepted it.
    pub kill_when_accepted: bool,
    /// After how long a request asks to cancel it.
    pub cancel_after: Option<Duration>,
}

/// What happens to a worker and its sagas.
#[derive(Debug, Clone)]
pub struct Plan {
    /// From what it is made.
    pub seed: u64,
    /// Whether the participants are keyed.
    pub keyed: bool,
    /// Whether the worker is told that they are.
    pub said_keyed: bool,
    /// How long a call may take.
    pub call_timeout: Duration,
    /// The sagas, which run at the same time.
    pub sagas: Vec<SagaPlan>,
    /// After how long the worker is told to end, and started again.
    pub terminate_after: Option<Duration>,
    /// After how long it is killed, whatever it does then.
    pub kill_after: Option<Duration>,
}

impl Step {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Flight, Self::Hotel, Self::Car];

    /// Its name in the saga and in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flight => "flight",
            Self::Hotel => "hotel",
            Self::Car => "car",
        }
    }
}

impl Plan {
    /// The plan of this seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let sagas = (0..random.u32(1..=3)).map(|number| SagaPlan::new(seed, number, &mut random)).collect();
        let keyed = random.bool();
        let kill_after = (random.u8(..3) == 0).then(|| Duration::from_micros(random.u64(..60_000)));
        let terminate_after = (random.u8(..5) == 0).then(|| Duration::from_millis(random.u64(..400)));
        Self { seed, keyed, said_keyed: keyed, call_timeout: SHORT, sagas, terminate_after, kill_after }
    }

    /// One saga with these faults. Calls time out only if one of them never comes to its end.
    pub fn of(keyed: bool, faults: &[(Call, Fault)]) -> Self {
        let faults: BTreeMap<Call, Fault> = faults.iter().copied().collect();
        let call_timeout = if faults.values().any(|fault| fault.takes_too_long()) { SHORT } else { LONG };
        let saga = SagaPlan { id: "trip".to_owned(), faults, ..SagaPlan::default() };
        Self {
            seed: 0,
            keyed,
            said_keyed: keyed,
            call_timeout,
            sagas: vec![saga],
            terminate_after: None,
            kill_after: None,
        }
    }
}

impl SagaPlan {
    fn new(seed: u64, number: u32, random: &mut Rng) -> Self {
        let mut faults = BTreeMap::new();
        // What turns a saga, so that there is something to undo.
        if random.bool() {
            let step = Step::ALL[random.usize(..3)];
            faults.insert((step, Direction::Do, random.u32(1..=2)), Fault::Refuse);
        }
        for _ in 0..random.u32(..=4) {
            let direction = if random.u8(..5) < 2 { Direction::Undo } else { Direction::Do };
            let call = (Step::ALL[random.usize(..3)], direction, [1, 1, 1, 2, 2, 3][random.usize(..6)]);
            faults.insert(call, Fault::any(random));
        }
        if random.bool() {
            let first_calls = Step::ALL.map(|step| (step, Direction::Do, 1));
            let first_undos = Step::ALL.map(|step| (step, Direction::Undo, 1));
            let calls = [first_calls, first_undos].concat();
            faults.insert(calls[random.usize(..calls.len())], Fault::KillAt);
        }
        let cancel_after = (random.u8(..6) == 0).then(|| Duration::from_millis(random.u64(..100)));
        let kill_when_accepted = random.u8(..6) == 0;
        Self { id: format!("trip-{seed}-{number}"), faults, kill_when_accepted, cancel_after }
    }
}

impl Fault {
    fn any(random: &mut Rng) -> Self {
        match random.u8(..20) {
            0 => Self::Refuse,
            1 | 2 => Self::Unavailable,
            3 => Self::Drop,
            4 | 5 => Self::LoseReply,
            6 => Self::Hang,
            7 => Self::HangAfter,
            8 | 9 => Self::Late,
            10 => Self::Garble,
            11 => Self::Status([500, 502, 302, 404, 400, 418][random.usize(..6)]),
            12 => Self::Slow(random.u64(..200)),
            13 | 14 => Self::KillBefore,
            15..=18 => Self::KillAt,
            _ => Self::StopAt,
        }
    }

    /// Whether the worker waits in vain.
    fn takes_too_long(self) -> bool {
        matches!(self, Self::Hang | Self::HangAfter | Self::Late | Self::StopAt)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
