//! The main job of every program: runs a saga for each entry of its input, shows what became of them, and audits the
//! services.

use std::collections::BTreeSet;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::Table;
use saga_runtime::coordinator::Builder;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Coordinator, Handle, Saga, SagaId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::arguments::JobOptions;
use super::progress::Progress;
use super::{report, say, told_to_end, warn};
use crate::audit::{AuditError, Owner, compare, fetch_holdings};
use crate::ending::{self, Ending};
use crate::lines::Entry;
use crate::service::addresses::AddressBook;
use crate::service::fault::FaultOrder;
use crate::service::faults;
use crate::service::kind::ServiceKind;
use crate::service::supervise::{SuperviseOptions, Supervisor, this_program};
use crate::service::wire::Holdings;

/// How long the audit waits for services that are started again.
const RESTART_TIME_MAX: Duration = Duration::from_secs(10);

/// The pause between two tries.
const AUDIT_PAUSE: Duration = Duration::from_millis(100);

/// What is done, and how it is shown.
pub trait Job {
    /// The services that it is done with.
    type Kind: ServiceKind;
    /// The saga that is run for each entry.
    type Saga: Saga<Input: Entry, Output: Clone + Send>;
    /// What a completed saga owns.
    type Owner: Owner<Kind = Self::Kind>;

    /// The saga log, within the data directory.
    const LOG: &'static str;

    /// Registers the saga, on the services at `addresses`.
    fn register(
        &self,
        builder: Builder<SqliteLog>,
        addresses: &<Self::Kind as ServiceKind>::Addresses,
    ) -> anyhow::Result<Builder<SqliteLog>>;

    /// What goes on beside the sagas until all have settled.
    fn beside(
        &self,
        _coordinator: &Coordinator,
        _addresses: &<Self::Kind as ServiceKind>::Addresses,
        _entries: &[InputOf<Self>],
    ) -> impl Future<Output = anyhow::Result<()>> {
        std::future::pending()
    }

    /// A line per entry, in the order of the input.
    fn table(&self, settled: &[Settled<InputOf<Self>, OutputOf<Self>>]) -> Table;

    /// What a completed saga with this output owns.
    fn owner(saga: &str, output: &OutputOf<Self>) -> Self::Owner;
}

/// What the sagas of a job are begun with.
pub type InputOf<J> = <<J as Job>::Saga as Saga>::Input;

/// What the sagas of a job return.
pub type OutputOf<J> = <<J as Job>::Saga as Saga>::Output;

/// An entry of the input, and what became of it.
#[derive(Debug)]
pub struct Settled<I, O> {
    /// The entry.
    pub entry: I,
    /// What became of it.
    pub ending: Ending<O>,
}

/// Does the job. The exit code says whether every saga came to its end and the audit found everything in order.
pub async fn run<J: Job>(
    job: &J,
    options: &JobOptions<J::Kind>,
    entries: Vec<InputOf<J>>,
) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("cannot make the data directory {}", options.data.display()))?;
    let log = SqliteLog::open(options.data.join(J::LOG))?;
    let (addresses, supervisor) = find_services(options).await?;
    let services = Services { addresses: &addresses, are_own: supervisor.is_some() };
    let result = run_on(job, options, services, log, entries).await;
    if let Some(supervisor) = supervisor {
        supervisor.stop().await;
    }
    result
}

/// The services that run already, or new processes.
async fn find_services<K: ServiceKind>(
    options: &JobOptions<K>,
) -> anyhow::Result<(K::Addresses, Option<Supervisor<K>>)> {
    if let Some(services) = &options.services {
        let addresses = K::Addresses::read(services)?;
        fetch_holdings(&addresses).await.with_context(|| {
            format!("cannot use the services of `{services}`: start them with the subcommand `services`, or leave --services away")
        })?;
        return Ok((addresses, None));
    }
    let directory = options.data.clone();
    let supervisor =
        Supervisor::<K>::start(&SuperviseOptions { program: this_program()?, directory, first_port: 0 })
            .await?;
    Ok((supervisor.addresses().clone(), Some(supervisor)))
}

/// The services that the job is done with.
struct Services<'a, A> {
    addresses: &'a A,
    /// Whether this program has started them, and starts them again when they die.
    are_own: bool,
}

async fn run_on<J: Job>(
    job: &J,
    options: &JobOptions<J::Kind>,
    services: Services<'_, <J::Kind as ServiceKind>::Addresses>,
    log: SqliteLog,
    mut entries: Vec<InputOf<J>>,
) -> anyhow::Result<ExitCode> {
    services.order_faults(&options.faults).await?;
    let unfinished = ending::unfinished::<J::Saga>(&log).await?;
    let coordinator = job
        .register(Coordinator::builder(log), services.addresses)?
        .sagas_at_once(usize::try_from(options.concurrency)?)
        .start()
        .await?;
    let ids = unfinished.iter().map(Entry::id).collect();
    say_lines(&report::recovery_lines(J::Kind::SUBJECT, ids, coordinator.recovery()))?;
    let others: Vec<_> = unfinished.into_iter().filter(|entry| !entries.contains(entry)).collect();
    entries.extend(others);

    let mut told = pin!(told_to_end(false));
    let known = entries.clone();
    let progress = Arc::new(Progress::<J::Saga>::new(entries.len(), J::Kind::SUBJECT));
    let mut settled = tokio::select! {
        settled = run_all::<J>(&coordinator, entries, &progress) => settled?,
        ended = job.beside(&coordinator, services.addresses, &known) => {
            ended?;
            anyhow::bail!("what goes on beside the {}s has ended before them", J::Kind::SUBJECT);
        }
        told = told.as_mut() => {
            told?;
            return stop(coordinator, progress.under_way(), options).await;
        }
    };

    let holdings = services.fetch_patiently().await.context("there is no audit")?;
    let held = holdings.iter().flat_map(|of| &of.held).map(|held| held.saga.as_str());
    let sagas: BTreeSet<&str> = settled.iter().map(|settled| settled.entry.id()).chain(held).collect();
    let mut quarantined = coordinator.recovery().quarantined.clone();
    quarantined.extend(coordinator.quarantined().into_iter().map(|(id, cause)| (id.to_string(), cause)));
    let endings =
        ending::close_books::<J::Saga>(coordinator, sagas.iter().filter_map(|id| SagaId::new(id).ok())).await;
    for Settled { entry, ending } in &mut settled {
        // A saga that was parked, or waited for one, may have come to its end meanwhile.
        let last = endings.get(entry.id()).filter(|last| !matches!(last, Ending::Stopped));
        if let (Ending::Parked { .. } | Ending::Waiting { .. }, Some(last)) = (&*ending, last) {
            ending.clone_from(last);
        }
    }
    say(&job.table(&settled).to_string())?;
    let shown = settled.iter().map(|settled| settled.entry.id()).collect();
    say_lines(&report::others_lines(&shown, &endings))?;
    // Once more, now that nothing moves any more.
    let holdings = services.fetch_patiently().await.context("there is no audit")?;
    let report = compare(&holdings, &ending::owners(&endings, J::owner));
    say(&report::audit_text(&report))?;
    let mut endings = settled.iter().map(|settled| &settled.ending).chain(endings.values());
    let all_ended = endings.all(Ending::is_end) && quarantined.is_empty();
    Ok(if report.is_clean() && all_ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_lines(lines: &[String]) -> anyhow::Result<()> {
    lines.iter().try_for_each(|line| say(line))
}

/// Lets what is in flight come to its end. The sagas go on when the program is run again.
async fn stop<K: ServiceKind>(
    coordinator: Coordinator,
    under_way: usize,
    options: &JobOptions<K>,
) -> anyhow::Result<ExitCode> {
    let (data, subject) = (options.data.display(), K::SUBJECT);
    warn("stopping: calls in flight come to their end (once more to stop at once)");
    tokio::select! {
        () = coordinator.shutdown() => {}
        told = told_to_end(false) => told?,
    }
    warn(&format!(
        "stopped with {under_way} {subject}s under way: run the same again with `--data {data}` to resume them"
    ));
    Ok(ExitCode::FAILURE)
}

impl<A: AddressBook> Services<'_, A> {
    /// What they hold. One that died of a fault in the end is on its way back, if this program supervises it.
    async fn fetch_patiently(&self) -> Result<Vec<Holdings<A::Kind>>, AuditError> {
        let deadline = Instant::now() + RESTART_TIME_MAX;
        loop {
            match fetch_holdings(self.addresses).await {
                Err(AuditError::Service { .. }) if self.are_own && Instant::now() < deadline => {
                    sleep(AUDIT_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Faults that were left over when the last run ended are not meant for this one.
    async fn order_faults(&self, orders: &[FaultOrder<A::Kind>]) -> anyhow::Result<()> {
        if self.are_own {
            faults::clear(self.addresses).await?;
        }
        for order in orders {
            faults::order(self.addresses, order).await?;
        }
        Ok(())
    }
}

/// Runs all sagas at once: how many are worked on at the same time is the coordinator's concern.
async fn run_all<J: Job>(
    coordinator: &Coordinator,
    entries: Vec<InputOf<J>>,
    progress: &Arc<Progress<J::Saga>>,
) -> anyhow::Result<Vec<Settled<InputOf<J>, OutputOf<J>>>> {
    let mut tasks = JoinSet::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let (coordinator, progress) = (coordinator.clone(), Arc::clone(progress));
        tasks.spawn(async move {
            let watch = |saga: &Handle<J::Saga>| progress.begun(saga);
            let ending = ending::run_watched::<J::Saga>(&coordinator, entry.id(), entry.clone(), watch).await;
            progress.settled(entry.id(), &ending);
            (index, Settled { entry, ending })
        });
    }
    let mut settled = Vec::new();
    let all_settled = async {
        while let Some(result) = tasks.join_next().await {
            settled.push(result?);
        }
        anyhow::Ok(())
    };
    tokio::select! {
        all = all_settled => all?,
        () = progress.keep_showing() => {}
    }
    progress.finish();
    settled.sort_by_key(|(index, _)| *index);
    Ok(settled.into_iter().map(|(_, settled)| settled).collect())
}
