//! A scripted world: participants whose ledger is the truth, and what goes wrong on the way to them and back.
//!
//! Each participant keeps exactly what its kind promises, and not a hair more: whoever asks a [`Careless`] desk twice
//! gets two reservations, and whoever forgets one leaks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use saga_runtime::{Context, Keyed, StepError};
use tokio::sync::Notify;

/// Which call of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// An action with an effect.
    Action,
    /// An action without one.
    Read,
    /// The probe for an action.
    Probe,
    /// The compensation.
    Compensation,
    /// A local action: made by the log.
    Local,
    /// The compensation of one.
    LocalCompensation,
}

/// One call: the `nth` of its kind for a step, from 1. Numbers go on across crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The step.
    pub step: &'static str,
    /// Which of its calls.
    pub which: Which,
    /// Its number.
    pub nth: u32,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The participant says no.
    Refuse,
    /// The participant has no time: surely no effect.
    Transient,
    /// It takes place, and the reply never comes.
    LostReply,
    /// It takes place, and the reply cannot be read.
    Garbled,
    /// It never arrives, and nobody says so.
    NeverArrives,
    /// It never arrives, as far as anybody can say.
    Unreachable,
    /// It arrives just before the next call of anybody does.
    Overtaken,
    /// It arrives when everything else is over.
    Late,
    /// The client panics before it sends.
    PanicBefore,
    /// The client panics after it has sent.
    PanicAfter,
    /// It takes its time, but not too much.
    Slow,
    /// The participant says no, after a time.
    SlowRefusal,
    /// A statement of a local call fails.
    BadStatement,
    /// A statement of a local call takes the transaction with it.
    LosesTransaction,
}

impl Fault {
    /// All faults that a call of this kind can have.
    pub fn of(which: Which) -> &'static [Self] {
        use Fault::{
            BadStatement, Garbled, Late, LosesTransaction, LostReply, NeverArrives, Overtaken, PanicAfter,
            PanicBefore, Refuse, Slow, SlowRefusal, Transient, Unreachable,
        };
        match which {
            Which::Action => &[
                Refuse,
                Transient,
                LostReply,
                Garbled,
                NeverArrives,
                Unreachable,
                Overtaken,
                Late,
                PanicBefore,
                PanicAfter,
                Slow,
                SlowRefusal,
            ],
            Which::Read => &[Refuse, Transient, NeverArrives, PanicBefore, Slow],
            Which::Probe => {
                &[Refuse, Transient, LostReply, NeverArrives, Unreachable, Late, PanicBefore, PanicAfter]
            }
            Which::Compensation => &[
                Refuse,
                Transient,
                LostReply,
                Garbled,
                Unreachable,
                Overtaken,
                Late,
                PanicBefore,
                PanicAfter,
            ],
            Which::Local | Which::LocalCompensation => {
                &[Refuse, Transient, BadStatement, LosesTransaction, PanicBefore, PanicAfter]
            }
        }
    }
}

/// How long a slow call takes: less than any time-out.
pub const SLOW: Duration = Duration::from_secs(2);

/// What a desk or the way to it answers other than done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, StepError)]
pub enum DeskError {
    /// A no.
    #[error("{0}")]
    #[outcome(refused)]
    Refused(&'static str),
    /// Not now.
    #[error("closed for the moment")]
    #[outcome(transient)]
    Closed,
    /// Who knows.
    #[error("the answer was lost")]
    #[outcome(unknown)]
    Lost,
    /// A statement of a local call.
    #[error("{0}")]
    #[outcome(transient)]
    Statement(String),
}

/// What a desk keeps of one idempotency key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Account {
    /// The reservations that are held: what is true.
    held: Vec<u32>,
    /// What a keyed desk answers from now on.
    answer: Option<Result<u32, &'static str>>,
    /// Cancelled by key: a late action is refused.
    closed: bool,
    /// Attempts with a lower number than this are refused.
    barred_below: u32,
}

/// How a desk treats repeated calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conduct {
    Keyed,
    Probed,
    Careless,
    Harmless,
}

#[derive(Debug, Clone)]
enum Message {
    Action { conduct: Conduct, key: String, attempt: u32, refuse: bool },
    Probe { key: String, attempt: u32 },
    Compensation { key: String, reservation: Option<u32> },
}

enum Reply {
    Reserved(Result<u32, DeskError>),
    Found(Option<u32>),
    Undone,
}

#[derive(Default)]
struct Inner {
    script: BTreeMap<Place, Fault>,
    /// All calls that were made, in their order, with their attempt numbers.
    made: Vec<(Place, u32)>,
    accounts: BTreeMap<String, Account>,
    /// Overtaken by other messages: these arrive before the next one.
    soon: Vec<Message>,
    /// These arrive when everything is over.
    late: Vec<Message>,
    reservations: u32,
    /// How many reservations were ever made by key, those that were undone included.
    effects: BTreeMap<String, u32>,
    in_flight: usize,
    most_in_flight: usize,
    watched: Option<Place>,
}

/// Every participant, and the network between. Clones are the same world; it survives the coordinator.
#[derive(Clone, Default)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
    /// Told when the watched call is made.
    noticed: Arc<Notify>,
}

/// Answers the same to the same key, with one effect; a late action after its compensation is refused.
pub struct Prudent(pub World);
impl Keyed for Prudent {}

/// Makes a reservation for every call; its probe bars the attempts before it.
pub struct Probed(pub World);

/// Makes a reservation for every call; a cancellation by key undoes one, and bars the key.
pub struct Careless(pub World);

/// What a panic of a client says.
pub const PANIC: &str = "scripted panic";

/// Keeps scripted panics out of the output of the tests.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload_as_str() != Some(PANIC) {
                before(info);
            }
        }));
    });
}

impl World {
    /// A world in which nothing goes wrong.
    pub fn new() -> Self {
        quiet_panics();
        Self::default()
    }

    /// From now on `fault` happens to the call at `place`.
    pub fn script(&self, place: Place, fault: Fault) {
        self.inner().script.insert(place, fault);
    }

    /// `fault` happens to `times` calls of a step, from the first on.
    pub fn script_all(&self, step: &'static str, which: Which, fault: Fault, times: u32) {
        for nth in 1..=times {
            self.script(Place { step, which, nth }, fault);
        }
    }

    /// The way is free from now on.
    pub fn heal(&self) {
        self.inner().script.clear();
    }

    /// All calls so far, in the order in which they were made.
    pub fn calls(&self) -> Vec<Place> {
        self.inner().made.iter().map(|(place, _)| *place).collect()
    }

    /// The attempt numbers of the calls of a step so far.
    pub fn attempts(&self, step: &str, which: Which) -> Vec<u32> {
        let inner = self.inner();
        let made = inner.made.iter().filter(|(place, _)| place.step == step && place.which == which);
        made.map(|(_, attempt)| *attempt).collect()
    }

    /// How many calls of a step were made.
    pub fn count(&self, step: &str, which: Which) -> usize {
        self.attempts(step, which).len()
    }

    /// The most calls that were ever in flight at once.
    pub fn most_in_flight(&self) -> usize {
        self.inner().most_in_flight
    }

    /// Resolves when the call at `place` is made.
    pub fn watch(&self, place: Place) -> impl Future<Output = ()> + use<> {
        self.inner().watched = Some(place);
        let noticed = Arc::clone(&self.noticed);
        async move { noticed.notified().await }
    }

    /// Everything that is still under way arrives.
    pub fn settle_down(&self) {
        let mut inner = self.inner();
        let under_way: Vec<Message> = {
            let soon = std::mem::take(&mut inner.soon);
            let late = std::mem::take(&mut inner.late);
            soon.into_iter().chain(late).collect()
        };
        for message in under_way {
            inner.arrive(message);
        }
    }

    /// How many reservations are held for each key, where there are any.
    pub fn held(&self) -> BTreeMap<String, usize> {
        let inner = self.inner();
        let held = inner.accounts.iter().map(|(key, account)| (key.clone(), account.held.len()));
        held.filter(|(_, count)| *count > 0).collect()
    }

    /// How many reservations were ever made for `key`.
    pub fn effects(&self, key: &str) -> u32 {
        self.inner().effects.get(key).copied().unwrap_or_default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call is made: answers what goes wrong with it.
    pub(crate) fn made(&self, cx: &Context, which: Which) -> Option<Fault> {
        let mut inner = self.inner();
        let (step, attempt) = (name(cx), cx.attempt());
        let before = inner.made.iter().filter(|(place, _)| place.step == step && place.which == which);
        let nth = u32::try_from(before.count()).unwrap_or(u32::MAX) + 1;
        let place = Place { step, which, nth };
        inner.made.push((place, attempt));
        if inner.watched == Some(place) {
            self.noticed.notify_one();
        }
        for overtaken in std::mem::take(&mut inner.soon) {
            inner.arrive(overtaken);
        }
        inner.script.get(&place).copied()
    }

    async fn send(&self, cx: &Context, which: Which, message: Message) -> Result<Reply, DeskError> {
        let fault = self.made(cx, which);
        let _in_flight = InFlight::new(self);
        self.deliver(fault, message).await
    }

    #[allow(clippy::panic, reason = "it is scripted")]
    async fn deliver(&self, fault: Option<Fault>, message: Message) -> Result<Reply, DeskError> {
        let Some(fault) = fault else { return Ok(self.arrive(message)) };
        match (fault, message) {
            (Fault::Refuse | Fault::SlowRefusal, Message::Action { conduct, key, attempt, .. }) => {
                let reply = self.arrive(Message::Action { conduct, key, attempt, refuse: true });
                if fault == Fault::SlowRefusal {
                    tokio::time::sleep(SLOW).await;
                }
                Ok(reply)
            }
            (Fault::Refuse | Fault::SlowRefusal, _) => Err(DeskError::Refused("no")),
            (Fault::Transient, _) => Err(DeskError::Closed),
            (Fault::LostReply, message) => {
                self.arrive(message);
                pending().await
            }
            (Fault::Garbled, message) => {
                self.arrive(message);
                Err(DeskError::Lost)
            }
            (Fault::NeverArrives, _) => pending().await,
            (Fault::Unreachable, _) => Err(DeskError::Lost),
            (Fault::Overtaken, message) => {
                self.inner().soon.push(message);
                Err(DeskError::Lost)
            }
            (Fault::Late, message) => {
                self.inner().late.push(message);
                Err(DeskError::Lost)
            }
            (Fault::PanicBefore | Fault::BadStatement | Fault::LosesTransaction, _) => panic!("{PANIC}"),
            (Fault::PanicAfter, message) => {
                self.arrive(message);
                panic!("{PANIC}")
            }
            (Fault::Slow, message) => {
                let reply = self.arrive(message);
                tokio::time::sleep(SLOW).await;
                Ok(reply)
            }
        }
    }

    fn arrive(&self, message: Message) -> Reply {
        self.inner().arrive(message)
    }

    async fn reserve(&self, cx: &Context, conduct: Conduct) -> Result<u32, DeskError> {
        let which = if conduct == Conduct::Harmless { Which::Read } else { Which::Action };
        let key = cx.key().to_string();
        let message = Message::Action { conduct, key, attempt: cx.attempt(), refuse: false };
        match self.send(cx, which, message).await? {
            Reply::Reserved(answer) => answer,
            Reply::Found(_) | Reply::Undone => Err(DeskError::Lost),
        }
    }

    async fn cancel(&self, cx: &Context, reservation: Option<u32>) -> Result<(), DeskError> {
        let key = cx.action_key().to_string();
        self.send(cx, Which::Compensation, Message::Compensation { key, reservation }).await.map(|_| ())
    }
}

impl Inner {
    fn arrive(&mut self, message: Message) -> Reply {
        match message {
            Message::Action { conduct: Conduct::Harmless, refuse, .. } => {
                Reply::Reserved(if refuse { Err(DeskError::Refused("no")) } else { Ok(0) })
            }
            Message::Action { conduct, key, attempt, refuse } => {
                Reply::Reserved(self.action(conduct, key, attempt, refuse).map_err(DeskError::Refused))
            }
            Message::Probe { key, attempt } => {
                let account = self.accounts.entry(key).or_default();
                if account.held.is_empty() {
                    account.barred_below = account.barred_below.max(attempt);
                }
                Reply::Found(account.held.first().copied())
            }
            Message::Compensation { key, reservation } => {
                let account = self.accounts.entry(key).or_default();
                match reservation {
                    Some(reservation) => account.held.retain(|held| *held != reservation),
                    None => {
                        account.held.pop();
                    }
                }
                account.closed = true;
                Reply::Undone
            }
        }
    }

    fn action(
        &mut self,
        conduct: Conduct,
        key: String,
        attempt: u32,
        refuse: bool,
    ) -> Result<u32, &'static str> {
        let account = self.accounts.entry(key.clone()).or_default();
        if let (Conduct::Keyed, Some(answer)) = (conduct, account.answer) {
            return answer;
        }
        let barred = match conduct {
            Conduct::Keyed | Conduct::Careless => account.closed,
            Conduct::Probed => attempt < account.barred_below,
            Conduct::Harmless => false,
        };
        let answer = if barred {
            Err("too late")
        } else if refuse {
            Err("sold out")
        } else {
            self.reservations += 1;
            *self.effects.entry(key).or_default() += 1;
            account.held.push(self.reservations);
            Ok(self.reservations)
        };
        if conduct == Conduct::Keyed {
            account.answer = Some(answer);
        }
        answer
    }
}

/// Counts a call as long as it is not dropped.
struct InFlight(World);

impl InFlight {
    fn new(world: &World) -> Self {
        let mut inner = world.inner();
        inner.in_flight += 1;
        inner.most_in_flight = inner.most_in_flight.max(inner.in_flight);
        drop(inner);
        Self(world.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.inner().in_flight -= 1;
    }
}

impl Prudent {
    /// Reserves, once for the key.
    pub async fn reserve(&self, cx: &Context) -> Result<u32, DeskError> {
        self.0.reserve(cx, Conduct::Keyed).await
    }

    /// Gives a reservation back.
    pub async fn cancel(&self, cx: &Context, reservation: &u32) -> Result<(), DeskError> {
        self.0.cancel(cx, Some(*reservation)).await
    }

    /// Asks for something.
    pub async fn look(&self, cx: &Context) -> Result<u32, DeskError> {
        self.0.reserve(cx, Conduct::Harmless).await
    }
}

impl Probed {
    /// Reserves, once for each call.
    pub async fn reserve(&self, cx: &Context) -> Result<u32, DeskError> {
        self.0.reserve(cx, Conduct::Probed).await
    }

    /// Finds the reservation for the key, or bars the attempts before this one.
    pub async fn find(&self, cx: &Context) -> Result<Option<u32>, DeskError> {
        let message = Message::Probe { key: cx.key().to_string(), attempt: cx.attempt() };
        match self.0.send(cx, Which::Probe, message).await? {
            Reply::Found(found) => Ok(found),
            Reply::Reserved(_) | Reply::Undone => Err(DeskError::Lost),
        }
    }

    /// Gives a reservation back.
    pub async fn cancel(&self, cx: &Context, reservation: &u32) -> Result<(), DeskError> {
        self.0.cancel(cx, Some(*reservation)).await
    }
}

impl Careless {
    /// Reserves, once for each call.
    pub async fn reserve(&self, cx: &Context) -> Result<u32, DeskError> {
        self.0.reserve(cx, Conduct::Careless).await
    }

    /// Gives the reservation for the key back, and takes no other for it.
    pub async fn cancel(&self, cx: &Context) -> Result<(), DeskError> {
        self.0.cancel(cx, None).await
    }

    /// Tells somebody something: no effect that counts.
    pub async fn notify(&self, cx: &Context) -> Result<u32, DeskError> {
        self.0.reserve(cx, Conduct::Harmless).await
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        f.debug_struct("World")
            .field("made", &inner.made)
            .field("accounts", &inner.accounts)
            .finish_non_exhaustive()
    }
}

/// `flight`, or `pick[2]` of an item: each name is kept for good, once.
pub(crate) fn name(cx: &Context) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    if cx.items().is_empty() {
        return cx.step();
    }
    let name = format!("{}{}", cx.step(), saga_runtime::machine::Items::from(cx.items().to_vec()));
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.get(name.as_str()) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.into_boxed_str());
            names.insert(name);
            name
        }
    }
}
