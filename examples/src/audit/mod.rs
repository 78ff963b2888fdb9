//! The audit: what the services hold is what the completed sagas own, to the unit.

use std::collections::BTreeMap;

use reqwest::StatusCode;

pub use self::finding::{Discrepancy, Finding, Thing};
use crate::desk::{ClientError, client, root_cause};
use crate::service::addresses::AddressBook;
use crate::service::kind::ServiceKind;
use crate::service::wire::{Held, Holdings, What};

mod finding;

/// A saga that was completed, and so owns what its output names.
pub trait Owner {
    /// Where it owns something.
    type Kind: ServiceKind;

    /// The saga.
    fn saga(&self) -> &str;

    /// What it owns of one service.
    fn owned(&self, service: Self::Kind) -> Vec<Owned>;

    /// Whether a best-effort step, of which it does not know whether it was done, may have left this.
    fn may_have_left(&self, _held: &Held) -> bool {
        false
    }
}

/// What a completed saga owns of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The service's name for it.
    pub id: String,
    /// What it is.
    pub thing: Thing,
}

/// Who may own what the services hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners<O> {
    /// The sagas that were completed.
    pub completed: Vec<O>,
    /// The sagas that have not ended, and how they stand in a word: what is held for them may be theirs.
    pub unfinished: BTreeMap<String, &'static str>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport<K> {
    /// The sums, a line per service.
    pub totals: Vec<Total<K>>,
    /// What does not add up. Empty: everything does.
    pub discrepancies: Vec<Discrepancy<K>>,
}

/// The sums of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total<K> {
    /// The service.
    pub service: K,
    /// What it had when it was new, in its unit.
    pub initial: i64,
    /// What it has left.
    pub remaining: i64,
    /// What it holds.
    pub held: i64,
    /// What the completed sagas own of it.
    pub owned: i64,
    /// What is not taken from its stock.
    pub made: Vec<Made>,
}

/// The sums of things that are not taken from stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Which things.
    pub what: What,
    /// How many the service holds.
    pub held: i64,
    /// How many the completed sagas own.
    pub owned: i64,
}

/// Why there is no audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// No client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A service does not tell what it holds.
    #[error("the {service} service does not tell what it holds: {cause}")]
    Service {
        /// The service.
        service: &'static str,
        /// Why.
        cause: String,
    },
}

/// Asks all services what they hold, and compares it with what the completed sagas own.
pub async fn audit<A, O>(addresses: &A, owners: &Owners<O>) -> Result<AuditReport<A::Kind>, AuditError>
where
    A: AddressBook,
    O: Owner<Kind = A::Kind>,
{
    Ok(compare(&fetch_holdings(addresses).await?, owners))
}

/// What all services hold.
pub async fn fetch_holdings<A: AddressBook>(addresses: &A) -> Result<Vec<Holdings<A::Kind>>, AuditError> {
    let http = client()?;
    let mut all = Vec::new();
    for &service in A::Kind::SERVICES {
        let failed = |cause: String| AuditError::Service { service: service.name(), cause };
        let answer = http
            .get(format!("{}/audit", addresses.of(service)))
            .send()
            .await
            .map_err(|error| failed(root_cause(&error)))?;
        if answer.status() != StatusCode::OK {
            return Err(failed(format!("it answers {}", answer.status())));
        }
        let holdings: Holdings<A::Kind> = answer.json().await.map_err(|error| failed(root_cause(&error)))?;
        if holdings.service != service {
            let cause = format!("at {} is the {} service", addresses.of(service), holdings.service);
            return Err(failed(cause));
        }
        all.push(holdings);
    }
    Ok(all)
}

/// Compares what services hold with what the completed sagas own.
pub fn compare<O: Owner>(holdings: &[Holdings<O::Kind>], owners: &Owners<O>) -> AuditReport<O::Kind> {
    let mut report = AuditReport { totals: Vec::new(), discrepancies: Vec::new() };
    for of in holdings {
        let owned: Vec<(&str, Owned)> = (owners.completed.iter())
            .flat_map(|owner| owner.owned(of.service).into_iter().map(|owned| (owner.saga(), owned)))
            .collect();
        compare_held(of, &owned, owners, &mut report.discrepancies);
        compare_stock(of, &mut report.discrepancies);
        report.totals.push(total(of, &owned));
    }
    report
}

impl<K> AuditReport<K> {
    /// Whether everything adds up.
    pub fn is_clean(&self) -> bool {
        self.discrepancies.is_empty()
    }

    /// Whether everything adds up but for what is held for sagas that have not ended.
    pub fn is_unfinished(&self) -> bool {
        let mut findings = self.discrepancies.iter().map(|discrepancy| &discrepancy.finding);
        !self.is_clean() && findings.all(|finding| matches!(finding, Finding::Unfinished { .. }))
    }
}

impl Owned {
    /// So many of `item`, for so much, under this name.
    pub fn new(id: &str, what: &What, item: &str, (quantity, amount): (i64, crate::money::Cents)) -> Self {
        let thing = Thing { what: what.clone(), item: item.to_owned(), quantity, amount };
        Self { id: id.to_owned(), thing }
    }
}

impl<O> Default for Owners<O> {
    fn default() -> Self {
        Self { completed: Vec::new(), unfinished: BTreeMap::new() }
    }
}

fn compare_held<K: ServiceKind, O: Owner<Kind = K>>(
    of: &Holdings<K>,
    owned: &[(&str, Owned)],
    owners: &Owners<O>,
    discrepancies: &mut Vec<Discrepancy<K>>,
) {
    let service = of.service;
    let mut unclaimed: BTreeMap<&str, &Held> = of.held.iter().map(|held| (held.id.as_str(), held)).collect();
    for (saga, Owned { id, thing }) in owned {
        let whose = Some((*saga).to_owned());
        let id = id.clone();
        let held = unclaimed.get(id.as_str()).copied().filter(|held| held.saga == *saga);
        let Some(held) = held else {
            let finding = Finding::Lost { id, thing: thing.clone() };
            discrepancies.push(Discrepancy { service, saga: whose, key: None, finding });
            continue;
        };
        unclaimed.remove(id.as_str());
        let is = Thing::of(held);
        if is != *thing {
            let finding = Finding::Differs { id, held: is, owned: thing.clone() };
            discrepancies.push(Discrepancy { service, saga: whose, key: Some(held.key.clone()), finding });
        }
    }
    for held in unclaimed.into_values() {
        if owners.completed.iter().any(|owner| owner.saga() == held.saga && owner.may_have_left(held)) {
            continue;
        }
        let (id, thing) = (held.id.clone(), Thing::of(held));
        let finding = match owners.unfinished.get(&held.saga) {
            Some(standing) => Finding::Unfinished { id, thing, standing },
            None => Finding::Leaked { id, thing },
        };
        let (saga, key) = (Some(held.saga.clone()), Some(held.key.clone()));
        discrepancies.push(Discrepancy { service, saga, key, finding });
    }
}

fn compare_stock<K: ServiceKind>(of: &Holdings<K>, discrepancies: &mut Vec<Discrepancy<K>>) {
    for level in &of.stock {
        let held = stocked(of).filter(|held| held.item == level.item).map(|held| held.quantity).sum::<i64>();
        if held + level.remaining != level.initial {
            let (initial, remaining) = (level.initial, level.remaining);
            let finding = Finding::Stock { item: level.item.clone(), initial, held, remaining };
            discrepancies.push(Discrepancy { service: of.service, saga: None, key: None, finding });
        }
    }
}

fn total<K: ServiceKind>(of: &Holdings<K>, owned: &[(&str, Owned)]) -> Total<K> {
    let owned = |is_meant: &dyn Fn(&What) -> bool| -> i64 {
        owned.iter().filter(|(_, of)| is_meant(&of.thing.what)).map(|(_, of)| of.thing.quantity).sum()
    };
    let held = |is_meant: &dyn Fn(&What) -> bool| -> i64 {
        of.held.iter().filter(|held| is_meant(&held.what)).map(|held| held.quantity).sum()
    };
    let made = of.service.things().iter().filter(|what| !what.is_from_stock());
    Total {
        service: of.service,
        initial: of.stock.iter().map(|level| level.initial).sum(),
        remaining: of.stock.iter().map(|level| level.remaining).sum(),
        held: held(&What::is_from_stock),
        owned: owned(&What::is_from_stock),
        made: made
            .map(|what| {
                let is_it = |other: &What| other == what;
                Made { what: what.clone(), held: held(&is_it), owned: owned(&is_it) }
            })
            .collect(),
    }
}

/// What is taken from stock.
fn stocked<K>(of: &Holdings<K>) -> impl Iterator<Item = &Held> {
    of.held.iter().filter(|held| held.what.is_from_stock())
}
