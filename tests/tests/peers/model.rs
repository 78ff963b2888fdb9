//! One step, and every history of its messages: which engine, with which participant, neither leaks nor undoes what never was.
//!
//! The step is attempted three times at most. Each message is answered, answered and repeated when all is over, lost, arrives
//! without an answer, arrives after its sender has gone on, or arrives when all is over; or the participant has no time, or
//! says no. A later step is refused, so that the step is to be compensated, by a message that has such a fate too.

use std::mem::take;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use saga_participant::rusqlite::Barrier;
use saga_participant::{Action, Answer, Compensation, UndoError, WorkError};
use saga_runtime::log::MemoryLog;
use saga_runtime::{Context, Coordinator, Keyed, Outcome, StepError, saga};

/// How often the step is attempted, at most.
const ATTEMPTS_MAX: usize = 3;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    AnsweredAndRepeated,
    /// Whoever it reaches has no time for it.
    Busy,
    Lost,
    ReplyLost,
    /// It arrives just before the next message does.
    Overtaken,
    /// It arrives when all is over.
    Late,
}

/// A message of an action, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Attempt {
    fate: Fate,
    /// The participant says no, if it has not answered before.
    sold_out: bool,
}

/// What becomes of the messages of one step.
#[derive(Debug, Clone)]
struct Story {
    attempts: Vec<Attempt>,
    /// Of the first message of the compensation; the second one is answered.
    compensation: Fate,
}

impl Story {
    fn all() -> Vec<Self> {
        let attempts = Self::attempts(ATTEMPTS_MAX);
        let fates = [Fate::Answered, Fate::AnsweredAndRepeated, Fate::Lost, Fate::ReplyLost, Fate::Late];
        let stories = attempts
            .iter()
            .flat_map(|attempts| fates.map(|compensation| Self { attempts: attempts.clone(), compensation }));
        stories.collect()
    }

    /// Up to the first that is answered.
    fn attempts(at_most: usize) -> Vec<Vec<Attempt>> {
        if at_most == 0 {
            return vec![Vec::new()];
        }
        let attempt = |fate| Attempt { fate, sold_out: false };
        let answered = [Fate::Answered, Fate::AnsweredAndRepeated].map(attempt);
        let no = Attempt { fate: Fate::Answered, sold_out: true };
        let mut all: Vec<_> = answered.into_iter().chain([no]).map(|last| vec![last]).collect();
        for fate in [Fate::Busy, Fate::Lost, Fate::ReplyLost, Fate::Overtaken, Fate::Late] {
            let behind = Self::attempts(at_most - 1).into_iter();
            all.extend(behind.map(|behind| [vec![attempt(fate)], behind].concat()));
        }
        all
    }
}

#[derive(Debug, Clone, Copy)]
enum Message {
    Action { sold_out: bool },
    Compensation,
}

/// What the sender of a message is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Done,
    Refused,
    Busy,
    Nothing,
}

/// A participant with one seat to give, for one key.
trait Participant: Send {
    fn new() -> Self;
    fn act(&mut self, sold_out: bool) -> Told;
    fn undo(&mut self);
    /// How many seats are taken.
    fn held(&self) -> i64;
}

/// Answers the same to the same key, with one effect, and keeps no record of a compensation.
struct WithoutBarrier {
    answer: Option<Told>,
    held: bool,
}

impl Participant for WithoutBarrier {
    fn new() -> Self {
        Self { answer: None, held: false }
    }

    fn act(&mut self, sold_out: bool) -> Told {
        *self.answer.get_or_insert_with(|| {
            self.held = !sold_out;
            if sold_out { Told::Refused } else { Told::Done }
        })
    }

    fn undo(&mut self) {
        self.held = false;
    }

    fn held(&self) -> i64 {
        i64::from(self.held)
    }
}

/// The participant's kit: the barrier in the transaction of the work.
struct WithBarrier(Connection);

impl WithBarrier {
    const BARRIER: Barrier = Barrier::new();

    fn begin(&mut self) -> Transaction<'_> {
        self.0.transaction_with_behavior(TransactionBehavior::Immediate).unwrap()
    }
}

impl Participant for WithBarrier {
    fn new() -> Self {
        let database = Connection::open_in_memory().unwrap();
        Self::BARRIER.create(&database).unwrap();
        database.execute_batch("CREATE TABLE seat (number INTEGER PRIMARY KEY)").unwrap();
        Self(database)
    }

    fn act(&mut self, sold_out: bool) -> Told {
        let action = Action::new("key", "reserve", &()).unwrap();
        let work = |tx: &Transaction<'_>| {
            if sold_out {
                return Err(WorkError::Refused(()));
            }
            tx.execute("INSERT INTO seat DEFAULT VALUES", ()).map_err(WorkError::failed)?;
            Ok(tx.last_insert_rowid())
        };
        match Self::BARRIER.action(self.begin(), &action, work).unwrap().commit().unwrap() {
            Answer::Done(_) => Told::Done,
            Answer::Refused(()) | Answer::Superseded => Told::Refused,
        }
    }

    fn undo(&mut self) {
        let compensation = Compensation::new("key", "cancel", &()).unwrap();
        let undo = |tx: &Transaction<'_>, number: i64| {
            tx.execute("DELETE FROM seat WHERE number = ?1", [number]).map_err(UndoError::failed)?;
            Ok(())
        };
        Self::BARRIER.compensation(self.begin(), &compensation, undo).unwrap().commit().unwrap();
    }

    fn held(&self) -> i64 {
        self.0.query_row("SELECT count(*) FROM seat", (), |row| row.get(0)).unwrap()
    }
}

/// The way to a participant.
struct Network<P> {
    participant: P,
    soon: Vec<Message>,
    late: Vec<Message>,
}

impl<P: Participant> Network<P> {
    fn new() -> Self {
        Self { participant: P::new(), soon: Vec::new(), late: Vec::new() }
    }

    fn send(&mut self, message: Message, fate: Fate) -> Told {
        for overtaken in take(&mut self.soon) {
            self.arrive(overtaken);
        }
        match fate {
            Fate::Answered => return self.arrive(message),
            Fate::AnsweredAndRepeated => {
                self.late.push(message);
                return self.arrive(message);
            }
            Fate::Busy => return Told::Busy,
            Fate::Lost => {}
            Fate::ReplyLost => {
                self.arrive(message);
            }
            Fate::Overtaken => self.soon.push(message),
            Fate::Late => self.late.push(message),
        }
        Told::Nothing
    }

    fn arrive(&mut self, message: Message) -> Told {
        match message {
            Message::Action { sold_out } => self.participant.act(sold_out),
            Message::Compensation => {
                self.participant.undo();
                Told::Done
            }
        }
    }

    /// What is held when everything has arrived.
    fn held(mut self) -> i64 {
        for message in take(&mut self.soon).into_iter().chain(take(&mut self.late)) {
            self.arrive(message);
        }
        self.participant.held()
    }
}

/// Whether a step is compensated, by what its attempts were told.
type Rule = fn(&[Told]) -> bool;

/// If an attempt was done or nobody knows, unless a later one was refused: who answers by key has done nothing then.
fn any_done_or_unknown(told: &[Told]) -> bool {
    told.last() != Some(&Told::Refused) && told.iter().any(|told| matches!(told, Told::Done | Told::Nothing))
}

fn only_completed(told: &[Told]) -> bool {
    told.contains(&Told::Done)
}

fn by_the_last_attempt(told: &[Told]) -> bool {
    matches!(told.last(), Some(Told::Done | Told::Nothing))
}

fn always(_: &[Told]) -> bool {
    true
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Something is held in the end.
    leaked: usize,
    /// Compensated, although every attempt has surely had no effect.
    undone_that_never_was: usize,
}

/// What an engine with this rule comes to.
fn judge<P: Participant>(stories: &[Story], rule: Rule) -> Tally {
    let mut tally = Tally::default();
    for story in stories {
        let mut network = Network::<P>::new();
        let attempts = story.attempts.iter();
        let told: Vec<_> = attempts
            .map(|attempt| network.send(Message::Action { sold_out: attempt.sold_out }, attempt.fate))
            .collect();
        let is_compensated = rule(&told);
        if is_compensated && network.send(Message::Compensation, story.compensation) == Told::Nothing {
            network.send(Message::Compensation, Fate::Answered);
        }
        tally.leaked += usize::from(network.held() > 0);
        let never_was = told.iter().all(|told| matches!(told, Told::Busy | Told::Refused));
        tally.undone_that_never_was += usize::from(is_compensated && never_was);
    }
    tally
}

/// What the engine is told of a message.
#[derive(Debug, Clone, Copy, thiserror::Error, StepError)]
enum No {
    #[error("sold out")]
    #[outcome(refused)]
    SoldOut,
    #[error("no time")]
    #[outcome(transient)]
    Busy,
    #[error("no answer")]
    #[outcome(unknown)]
    Silence,
}

/// The way to the participant with the barrier, for the engine.
struct Desk {
    network: Mutex<Network<WithBarrier>>,
    story: Story,
    told: Mutex<Vec<Told>>,
    compensations: Mutex<usize>,
}

impl Keyed for Desk {}

#[allow(clippy::unused_async, reason = "a call of a saga is one")]
impl Desk {
    async fn reserve(&self, _cx: &Context) -> Result<(), No> {
        let mut told = self.told.lock().unwrap();
        // There is no further attempt than the story's: this is out of range otherwise.
        let Attempt { fate, sold_out } = self.story.attempts[told.len()];
        told.push(self.network.lock().unwrap().send(Message::Action { sold_out }, fate));
        match told[told.len() - 1] {
            Told::Done => Ok(()),
            Told::Refused => Err(No::SoldOut),
            Told::Busy => Err(No::Busy),
            Told::Nothing => Err(No::Silence),
        }
    }

    async fn cancel(&self, _cx: &Context) -> Result<(), No> {
        let mut compensations = self.compensations.lock().unwrap();
        *compensations += 1;
        let fate = if *compensations == 1 { self.story.compensation } else { Fate::Answered };
        match self.network.lock().unwrap().send(Message::Compensation, fate) {
            Told::Nothing => Err(No::Silence),
            _ => Ok(()),
        }
    }

    async fn refuse(&self, _cx: &Context) -> Result<(), No> {
        Err(No::SoldOut)
    }
}

saga! {
    saga OneStep() {
        with desk: Arc<Desk>;
        retry 2 times every 1s..1s;
        step seat: () = desk.reserve(cx) compensate desk.cancel(cx);
        pivot paid: () = desk.refuse(cx);
    }
}

/// What this engine comes to, with the participant's kit.
async fn judge_this_engine(stories: &[Story]) -> Tally {
    let mut tally = Tally::default();
    for story in stories {
        let desk = Arc::new(Desk {
            network: Mutex::new(Network::new()),
            story: story.clone(),
            told: Mutex::default(),
            compensations: Mutex::default(),
        });
        let participants = OneStepParticipants { desk: Arc::clone(&desk) };
        let builder = Coordinator::builder(MemoryLog::new()).register::<OneStep>(participants);
        let coordinator = builder.start().await.unwrap();
        let outcome = coordinator.begin::<OneStep>("s-1", ()).await.unwrap().outcome().await;
        assert!(matches!(outcome, Ok(Outcome::Compensated(_))), "{story:?}: {outcome:?}");
        coordinator.shutdown().await;

        let desk = Arc::into_inner(desk).unwrap();
        let (told, compensations) =
            (desk.told.into_inner().unwrap(), desk.compensations.into_inner().unwrap());
        assert_eq!(told.len(), story.attempts.len(), "it attempts as often as was said: {story:?}");
        assert_eq!(compensations > 0, any_done_or_unknown(&told), "{story:?}: {told:?}");
        tally.leaked += usize::from(desk.network.into_inner().unwrap().held() > 0);
        let never_was = told.iter().all(|told| matches!(told, Told::Busy | Told::Refused));
        tally.undone_that_never_was += usize::from(compensations > 0 && never_was);
    }
    tally
}

/// A model of one step with lost, late and duplicated messages: of 840 histories "only completed steps are compensated", as in
/// steno, leaks in 200 even with a perfect barrier, and "by the last attempt" in 32. Here are some more histories, with the
/// participant's kit and this engine in the place of the model's.
#[tokio::test(start_paused = true)]
async fn only_one_rule_and_only_with_a_barrier_neither_leaks_nor_undoes_what_never_was() {
    let stories = Story::all();
    assert_eq!(stories.len(), 1_090);
    let none = Tally::default();
    assert_eq!(judge_this_engine(&stories).await, none);
    assert_eq!(judge::<WithBarrier>(&stories, any_done_or_unknown), none);
    let rules: [Rule; 3] = [only_completed, by_the_last_attempt, always];
    let tallies = rules.map(|rule| judge::<WithBarrier>(&stories, rule));
    let wrong = tallies.map(|tally| (tally.leaked, tally.undone_that_never_was));
    assert_eq!(wrong, [(585, 0), (105, 0), (0, 20)]);
    // The right rule is not enough by itself.
    let without = judge::<WithoutBarrier>(&stories, any_done_or_unknown);
    assert_eq!((without.leaked, without.undone_that_never_was), (57, 0));
}
