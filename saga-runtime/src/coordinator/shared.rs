//! What all sagas of one coordinator share.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};

use crate::coordinator::clock::Clock;
use crate::coordinator::driver::Command;
use crate::coordinator::recovery::Unclaimed;
use crate::coordinator::registration::{Recoverable, Registered};
use crate::coordinator::status::{Progress, SagaStatus};
use crate::coordinator::waiters::Waiters;
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{Append, AppendError, LogError, SagaLog, Wake};

/// How often an unavailable log is tried again.
pub(crate) const LOG_BACK_OFF: Duration = Duration::from_millis(500);

/// The alarm of a coordinator in which no saga waits for a time.
pub(crate) const NO_ALARM: u64 = u64::MAX;

pub(crate) struct Shared {
    pub(crate) log: Arc<dyn SagaLog>,
    /// The time by which sagas wait, and by which their records are dated.
    pub(crate) clock: Arc<Clock>,
    /// The sagas that this coordinator can execute, by their Rust type.
    pub(crate) typed: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// The same, by their definitions.
    registered: Registered,
    pub(crate) waiters: Waiters,
    pub(crate) calls_at_once: Arc<Semaphore>,
    pub(crate) sagas_at_once: Arc<Semaphore>,
    /// The turn of one who is suspected of having ended the process.
    pub(crate) turn: Arc<Semaphore>,
    /// How long participants remember keys, if not for ever.
    pub(crate) horizon: Option<Duration>,
    entries: Mutex<Entries>,
    quarantined: Mutex<HashMap<SagaId, String>>,
    unclaimed: Mutex<HashMap<SagaId, Unclaimed>>,
    /// When the first of the sagas that nobody drives wakes, in milliseconds since the Unix epoch.
    alarm: watch::Sender<u64>,
    shutdown: watch::Sender<bool>,
    /// Every task of the coordinator holds a clone: when all are gone, it has drained.
    alive: watch::Sender<()>,
}

#[derive(Default)]
struct Entries {
    driven: HashMap<SagaId, Arc<Entry>>,
    /// Those that are dormant and seen by handles. Of a dormant saga that nobody looks at, nothing is kept.
    dormant: HashMap<SagaId, Dormant>,
    /// The sagas that were let go since [`Shared::watch_for_departures`], while anybody asks.
    departed: Option<HashSet<SagaId>>,
}

/// What the handles of a saga that nobody drives hold on to.
struct Dormant {
    entry: Weak<Entry>,
    reins: Reins,
}

/// A saga that is being driven, or dormant, as its handles see it.
pub(crate) struct Entry {
    pub(crate) id: SagaId,
    shared: Weak<Shared>,
    /// Its full name.
    pub(crate) definition: Cow<'static, str>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) input: Arc<str>,
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
}

/// The task's ends of an [`Entry`].
pub(crate) struct Reins {
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
}

impl Shared {
    pub(crate) fn new(
        log: Arc<dyn SagaLog>,
        clock: Arc<Clock>,
        typed: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
        registered: Registered,
        calls_at_once: usize,
        sagas_at_once: usize,
        horizon: Option<Duration>,
    ) -> Self {
        Self {
            log,
            clock,
            typed,
            registered,
            waiters: Waiters::default(),
            calls_at_once: Arc::new(Semaphore::new(calls_at_once)),
            sagas_at_once: Arc::new(Semaphore::new(sagas_at_once)),
            turn: Arc::new(Semaphore::new(1)),
            horizon,
            entries: Mutex::default(),
            quarantined: Mutex::default(),
            unclaimed: Mutex::default(),
            alarm: watch::Sender::new(NO_ALARM),
            shutdown: watch::Sender::new(false),
            alive: watch::Sender::new(()),
        }
    }

    /// The saga that is registered with this full name and fingerprint.
    pub(crate) fn registered(&self, name: &str, fingerprint: Fingerprint) -> Option<&Arc<dyn Recoverable>> {
        let known = self.registered.iter().find(|((n, f), _)| *n == name && *f == fingerprint);
        known.map(|(_, saga)| saga)
    }

    /// The fingerprints under which sagas of this full name are registered.
    pub(crate) fn fingerprints(&self, name: &str) -> Vec<Fingerprint> {
        self.registered.keys().filter(|(n, _)| *n == name).map(|(_, f)| *f).collect()
    }

    /// Appends for one saga.
    pub(crate) async fn append(&self, append: Append) -> Result<(), AppendError> {
        let mut answers = self.log.append(vec![append]).await;
        answers.pop().unwrap_or_else(|| {
            let cause = "it gave no answer to an append".to_owned();
            Err(AppendError::Unavailable(LogError { place: "of this coordinator".to_owned(), cause }))
        })
    }

    /// The entry of a saga that is being driven, or dormant and seen by a handle; otherwise a new one, with the reins for
    /// the task to be spawned.
    pub(crate) fn enter(
        self: &Arc<Self>,
        id: &SagaId,
        definition: Cow<'static, str>,
        fingerprint: Fingerprint,
        input: &Arc<str>,
    ) -> (Arc<Entry>, Option<Reins>) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get(id) {
            return (entry, None);
        }
        let (progress, progress_seen) = watch::channel(Progress::Beginning);
        let (commands_sent, commands) = mpsc::unbounded_channel();
        let entry = Arc::new(Entry {
            id: id.clone(),
            shared: Arc::downgrade(self),
            definition,
            fingerprint,
            input: Arc::clone(input),
            progress: progress_seen,
            commands: commands_sent,
        });
        entries.driven.insert(id.clone(), Arc::clone(&entry));
        (entry, Some(Reins { progress, commands }))
    }

    /// The saga is not driven any more: it has ended, or cannot go on.
    pub(crate) fn remove(&self, id: &SagaId) {
        let removed = {
            let mut entries = lock(&self.entries);
            entries.depart(id)
        };
        // The last one asks for the lock.
        drop(removed);
    }

    pub(crate) fn entry(&self, id: &SagaId) -> Option<Arc<Entry>> {
        lock(&self.entries).get(id)
    }

    /// Whether the saga is dormant, and seen.
    pub(crate) fn is_dormant(&self, id: &SagaId) -> bool {
        lock(&self.entries).dormant.contains_key(id)
    }

    /// How many sagas are driven.
    pub(crate) fn running(&self) -> usize {
        lock(&self.entries).driven.len()
    }

    /// Lets a saga go dormant that its task drives: its last append, which is durable, says that it wakes at `wake`,
    /// which is not [`Wake::Now`]. It has nothing in flight, and owes nobody an answer.
    ///
    /// From `Ok` on the task must do nothing but end: somebody else may drive the saga already. Nothing of it stays in
    /// memory but, as long as there are handles, what they see and the ends that the next task takes up
    /// ([`rouse`](Self::rouse)): for them the saga goes on as it stands, and is told to have stopped if the coordinator
    /// shuts down.
    ///
    /// With `Err` the reins are given back, and the task goes on: there is something to do, for a command has come, the
    /// time has, or the coordinator is shutting down.
    pub(crate) fn park(&self, id: &SagaId, wake: Wake, reins: Reins) -> Result<(), Reins> {
        let parked = {
            let mut entries = lock(&self.entries);
            // Under the lock that whoever wakes it takes: what comes later finds it dormant, what came before is seen.
            let due = wake <= Wake::At(self.clock.now_ms());
            if due || !reins.commands.is_empty() || self.is_shutting_down() {
                return Err(reins);
            }
            let entry = entries.depart(id);
            if let Some(entry) = &entry {
                entries.dormant.insert(id.clone(), Dormant { entry: Arc::downgrade(entry), reins });
            }
            entry
        };
        if let Wake::At(ms) = wake {
            self.arm(ms);
        }
        // The last one takes the dormant one's place with it.
        drop(parked);
        Ok(())
    }

    /// The reins of a dormant saga that handles see, for the task to be spawned: it is driven from now on. `None` where
    /// it is driven already, or nobody sees it.
    pub(crate) fn rouse(&self, id: &SagaId) -> Option<Reins> {
        let mut entries = lock(&self.entries);
        let Dormant { entry, reins } = entries.dormant.remove(id)?;
        entries.driven.insert(id.clone(), entry.upgrade()?);
        Some(reins)
    }

    /// Forgets the place of a dormant saga whose last handle is gone.
    fn forget(&self, id: &SagaId) {
        let forgotten = {
            let mut entries = lock(&self.entries);
            let unseen = entries.dormant.get(id).is_some_and(|dormant| dormant.entry.strong_count() == 0);
            if unseen { entries.dormant.remove(id) } else { None }
        };
        drop(forgotten);
    }

    /// From now on [`has_departed`](Self::has_departed) knows which sagas were let go. What the log says of those is
    /// older than what they have become, if it was read before.
    pub(crate) fn watch_for_departures(&self) {
        lock(&self.entries).departed = Some(HashSet::new());
    }

    /// Nobody asks any more.
    pub(crate) fn forget_departures(&self) {
        lock(&self.entries).departed = None;
    }

    /// Whether the saga was driven, and let go, since [`watch_for_departures`](Self::watch_for_departures).
    pub(crate) fn has_departed(&self, id: &SagaId) -> bool {
        lock(&self.entries).departed.as_ref().is_some_and(|departed| departed.contains(id))
    }

    /// Sees to it that the alarm goes off at `at_ms` at the latest.
    pub(crate) fn arm(&self, at_ms: u64) {
        self.alarm.send_if_modified(|alarm| {
            let earlier = at_ms < *alarm;
            *alarm = at_ms.min(*alarm);
            earlier
        });
    }

    /// The alarm goes off at no time, until somebody arms it again.
    pub(crate) fn disarm(&self) {
        self.alarm.send_replace(NO_ALARM);
    }

    /// When the alarm goes off.
    pub(crate) fn alarm(&self) -> watch::Receiver<u64> {
        self.alarm.subscribe()
    }

    pub(crate) fn quarantine(&self, id: &SagaId, cause: &str) {
        lock(&self.quarantined).insert(id.clone(), cause.to_owned());
    }

    /// The saga goes on after all.
    pub(crate) fn release(&self, id: &SagaId) {
        lock(&self.quarantined).remove(id);
    }

    pub(crate) fn leave_unclaimed(&self, unclaimed: Unclaimed) {
        lock(&self.unclaimed).insert(unclaimed.id.clone(), unclaimed);
    }

    pub(crate) fn unclaimed(&self) -> Vec<Unclaimed> {
        lock(&self.unclaimed).values().cloned().collect()
    }

    pub(crate) fn quarantined(&self) -> Vec<(SagaId, String)> {
        lock(&self.quarantined).iter().map(|(id, cause)| (id.clone(), cause.clone())).collect()
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        *self.shutdown.borrow()
    }

    /// Begins to drain: what is in flight ends, nothing new starts.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.send_replace(true);
        self.calls_at_once.close();
        self.sagas_at_once.close();
        // From here on none goes dormant any more.
        let dormant = std::mem::take(&mut lock(&self.entries).dormant);
        for Dormant { reins, .. } in dormant.into_values() {
            reins.progress.send_replace(Progress::Begun(SagaStatus::Stopped, None));
        }
    }

    /// Resolves when the coordinator shuts down.
    pub(crate) async fn shutdown(&self) {
        // An error would say that the sender is gone, and it is held by `self`.
        let _ = self.shutdown.subscribe().wait_for(|down| *down).await;
    }

    /// Waits before another try; when the coordinator begins to shut down, that is made at once. `false`: it was the
    /// last one.
    pub(crate) async fn back_off(&self, pause: Duration) -> bool {
        if self.is_shutting_down() {
            return false;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.shutdown() => {}
        }
        true
    }

    /// Held by every task.
    pub(crate) fn task(&self) -> watch::Receiver<()> {
        self.alive.subscribe()
    }

    /// Resolves when no task is left.
    pub(crate) async fn drained(&self) {
        self.alive.closed().await;
    }
}

impl Entries {
    fn depart(&mut self, id: &SagaId) -> Option<Arc<Entry>> {
        if let Some(departed) = &mut self.departed {
            departed.insert(id.clone());
        }
        self.driven.remove(id)
    }

    fn get(&self, id: &SagaId) -> Option<Arc<Entry>> {
        let driven = self.driven.get(id).map(Arc::clone);
        driven.or_else(|| self.dormant.get(id)?.entry.upgrade())
    }
}

impl Entry {
    /// Whether it is known that the saga is driven, or why it is not.
    pub(crate) fn is_decided(&self) -> bool {
        // An error says that nobody will decide it any more.
        !matches!(*self.progress.borrow(), Progress::Beginning) || self.progress.has_changed().is_err()
    }

    /// Resolves when [`is_decided`](Self::is_decided) holds.
    pub(crate) async fn decided(&self) {
        let mut progress = self.progress.clone();
        let _ = progress.wait_for(|progress| !matches!(progress, Progress::Beginning)).await;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // Nobody holds the lock while an entry is dropped.
        if let Some(shared) = self.shared.upgrade() {
            shared.forget(&self.id);
        }
    }
}

/// No code that holds one of these locks can panic; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::log::MemoryLog;

    fn shared() -> Arc<Shared> {
        let (log, clock) = (Arc::new(MemoryLog::new()), Arc::new(Clock::new()));
        Arc::new(Shared::new(log, clock, HashMap::new(), HashMap::new(), 1, 1, None))
    }

    fn id() -> SagaId {
        SagaId::new("s").expect("it is an id")
    }

    /// A saga that is driven: what a handle holds, and what its task does.
    fn driven(shared: &Arc<Shared>) -> (Arc<Entry>, Reins) {
        let fingerprint = Fingerprint::parse("0123456789abcdef").expect("it is a fingerprint");
        let (entry, reins) = shared.enter(&id(), "Trip".into(), fingerprint, &"7".into());
        let reins = reins.expect("nobody drives it yet");
        reins.progress.send_replace(Progress::Begun(SagaStatus::Running, None));
        (entry, reins)
    }

    fn retry(entry: &Entry) -> oneshot::Receiver<()> {
        let (answer, answered) = oneshot::channel();
        entry.commands.send(Command::Retry { answer }).expect("somebody takes it");
        answered
    }

    fn kept(shared: &Shared) -> usize {
        let entries = lock(&shared.entries);
        entries.driven.len() + entries.dormant.len()
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_dormant_saga_that_nobody_sees_nothing_is_kept() {
        let shared = shared();
        let (entry, reins) = driven(&shared);
        drop(entry);
        assert_eq!(shared.running(), 1);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        assert_eq!((shared.running(), kept(&shared)), (0, 0));
        assert!(shared.rouse(&id()).is_none() && shared.entry(&id()).is_none());
        let (_, reins) = driven(&shared);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok(), "and it is driven anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_handle_sees_a_dormant_saga_go_on_and_end() {
        let shared = shared();
        let (entry, reins) = driven(&shared);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        assert_eq!(shared.running(), 0);
        assert!(matches!(*entry.progress.borrow(), Progress::Begun(SagaStatus::Running, _)));
        assert!(entry.progress.has_changed().is_ok(), "somebody will tell it the end");
        let found = shared.entry(&id()).expect("it is seen");
        assert!(Arc::ptr_eq(&found, &entry), "a second handle sees the same");
        let (found, none) = shared.enter(&id(), "Trip".into(), entry.fingerprint, &"7".into());
        assert!(Arc::ptr_eq(&found, &entry) && none.is_none(), "attaching does not drive it");

        let reins = shared.rouse(&id()).expect("it is dormant");
        assert_eq!(shared.running(), 1);
        assert!(shared.rouse(&id()).is_none(), "one task drives it");
        shared.remove(&id());
        reins.progress.send_replace(Progress::Begun(SagaStatus::Completed, None));
        assert!(matches!(*entry.progress.borrow(), Progress::Begun(SagaStatus::Completed, _)));
        assert_eq!(kept(&shared), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn with_the_last_handle_the_dormant_saga_is_forgotten() {
        let shared = shared();
        let (entry, reins) = driven(&shared);
        let other = Arc::clone(&entry);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        drop(entry);
        assert_eq!(kept(&shared), 1);
        drop(other);
        assert_eq!(kept(&shared), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_keeps_a_saga_from_going_dormant_or_is_found_by_who_drives_it_next() {
        let shared = shared();
        let (entry, reins) = driven(&shared);
        let answered = retry(&entry);
        let mut reins = shared.park(&id(), Wake::Never, reins).expect_err("a command has come");
        assert_eq!(shared.running(), 1);
        assert!(reins.commands.try_recv().is_ok());
        drop(answered);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        let _answered = retry(&entry);
        let mut reins = shared.rouse(&id()).expect("it is dormant");
        assert!(reins.commands.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_whose_time_has_come_does_not_go_dormant() {
        let shared = shared();
        let (_entry, mut reins) = driven(&shared);
        let now = shared.clock.now_ms();
        for wake in [Wake::Now, Wake::At(0), Wake::At(now)] {
            reins = shared.park(&id(), wake, reins).expect_err("it has work to do");
        }
        let hour = now + 3_600_000;
        tokio::time::advance(Duration::from_hours(2)).await;
        reins = shared.park(&id(), Wake::At(hour), reins).expect_err("it has work to do by now");
        assert_eq!((shared.running(), *shared.alarm().borrow()), (1, NO_ALARM));
        assert!(shared.park(&id(), Wake::At(hour + 7_200_000), reins).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_alarm_goes_off_for_the_first_that_wakes() {
        let shared = shared();
        let later = shared.clock.now_ms() + 10_000_000;
        let mut alarm = shared.alarm();
        for (after, expected, heard) in [(5, 5, true), (7, 5, false), (5, 5, false), (2, 2, true)] {
            let (_, reins) = driven(&shared);
            assert!(shared.park(&id(), Wake::At(later + after), reins).is_ok());
            assert!(alarm.has_changed().is_ok_and(|changed| changed == heard), "{after}");
            assert_eq!(*alarm.borrow_and_update(), later + expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_tells_the_handles_of_dormant_sagas_and_lets_none_go_dormant() {
        let shared = shared();
        let (entry, reins) = driven(&shared);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        shared.begin_shutdown();
        assert!(matches!(*entry.progress.borrow(), Progress::Begun(SagaStatus::Stopped, _)));
        let (answer, _) = oneshot::channel();
        assert!(entry.commands.send(Command::Retry { answer }).is_err(), "nobody takes commands any more");
        assert_eq!(kept(&shared), 0);
        let (_entry, reins) = driven(&shared);
        assert!(shared.park(&id(), Wake::Never, reins).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_the_log_is_told_what_has_departed_since() {
        let shared = shared();
        let (_, reins) = driven(&shared);
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        shared.watch_for_departures();
        assert!(!shared.has_departed(&id()), "that was before");
        let (_, reins) = driven(&shared);
        assert!(!shared.has_departed(&id()), "it is driven");
        assert!(shared.park(&id(), Wake::Never, reins).is_ok());
        assert!(shared.has_departed(&id()));
        shared.watch_for_departures();
        let (_, reins) = driven(&shared);
        shared.remove(&id());
        assert!(shared.has_departed(&id()), "an end counts, too");
        drop(reins);
        shared.forget_departures();
        assert!(!shared.has_departed(&id()));
    }
}
