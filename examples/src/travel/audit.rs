//! The audit: what the services hold is what the completed trips own, to the unit.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::StatusCode;

use super::addresses::Addresses;
use super::desk::{ClientError, client, root_cause};
use super::trip::Itinerary;
use super::values::Cents;
use super::wire::{Held, Holdings, ServiceKind, What};

/// A trip that was completed, and so owns what its itinerary names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The saga that booked it.
    pub saga: String,
    /// What it owns.
    pub itinerary: Itinerary,
}

/// Who may own what the services hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    /// The trips that were completed.
    pub completed: Vec<Booked>,
    /// The sagas that have not ended, and how they stand in a word: what is held for them may be theirs.
    pub unfinished: BTreeMap<String, &'static str>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The sums, a line per service.
    pub totals: Vec<Total>,
    /// What does not add up. Empty: everything does.
    pub discrepancies: Vec<Discrepancy>,
}

/// The sums of one service, in its unit; vouchers apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The service.
    pub service: ServiceKind,
    /// What it had when it was new.
    pub initial: i64,
    /// What it has left.
    pub remaining: i64,
    /// What it holds.
    pub held: i64,
    /// What the completed trips own of it.
    pub owned: i64,
    /// How many vouchers it has issued, and how many the completed trips own.
    pub vouchers: (i64, i64),
}

/// One thing that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// Where.
    pub service: ServiceKind,
    /// Whose, if it is anybody's.
    pub saga: Option<String>,
    /// Under which idempotency key, if the service knows it.
    pub key: Option<String>,
    /// What is wrong.
    pub finding: Finding,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The service holds it, and no completed trip owns it.
    Leaked {
        /// The service's name for it.
        id: String,
        /// What it is.
        thing: Thing,
    },
    /// The service holds it for a saga that has not ended.
    Unfinished {
        /// The service's name for it.
        id: String,
        /// What it is.
        thing: Thing,
        /// How the saga stands, in a word.
        standing: &'static str,
    },
    /// A completed trip owns it, and the service does not hold it.
    Lost {
        /// The service's name for it.
        id: String,
        /// What it is.
        thing: Thing,
    },
    /// The service holds something else under this name than the trip owns.
    Differs {
        /// The service's name for it.
        id: String,
        /// What the service holds.
        held: Thing,
        /// What the trip owns.
        owned: Thing,
    },
    /// Held and left do not make up what there was.
    Stock {
        /// Which item.
        item: String,
        /// What there was.
        initial: i64,
        /// What is held.
        held: i64,
        /// What is left.
        remaining: i64,
    },
}

/// Something that a service holds or a trip owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub what: What,
    /// Which flight, hotel, station, card or reservation.
    pub item: String,
    /// How many seats, rooms, cars, cents or vouchers.
    pub quantity: i64,
    /// What it costs.
    pub amount: Cents,
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
        service: ServiceKind,
        /// Why.
        cause: String,
    },
}

/// Asks all four services what they hold, and compares it with what the completed trips own.
pub async fn audit(addresses: &Addresses, owners: &Owners) -> Result<AuditReport, AuditError> {
    Ok(compare(&fetch_holdings(addresses).await?, owners))
}

/// What all four services hold.
pub async fn fetch_holdings(addresses: &Addresses) -> Result<Vec<Holdings>, AuditError> {
    let http = client()?;
    let mut all = Vec::new();
    for service in ServiceKind::ALL {
        let failed = |cause: String| AuditError::Service { service, cause };
        let answer = http
            .get(format!("{}/audit", addresses.of(service)))
            .send()
            .await
            .map_err(|error| failed(root_cause(&error)))?;
        if answer.status() != StatusCode::OK {
            return Err(failed(format!("it answers {}", answer.status())));
        }
        let holdings: Holdings = answer.json().await.map_err(|error| failed(root_cause(&error)))?;
        if holdings.service != service {
            let cause = format!("at {} is the {} service", addresses.of(service), holdings.service);
            return Err(failed(cause));
        }
        all.push(holdings);
    }
    Ok(all)
}

/// Compares what services hold with what the completed trips own.
pub fn compare(holdings: &[Holdings], owners: &Owners) -> AuditReport {
    let mut report = AuditReport { totals: Vec::new(), discrepancies: Vec::new() };
    for of in holdings {
        let booked = owners.completed.iter();
        let owned: Vec<Owned<'_>> = booked.flat_map(|booked| owned(of.service, booked)).collect();
        compare_held(of, &owned, &owners.unfinished, &mut report.discrepancies);
        compare_stock(of, &mut report.discrepancies);
        report.totals.push(total(of, &owned));
    }
    report
}

impl AuditReport {
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

/// What a completed trip owns of one service.
struct Owned<'a> {
    saga: &'a str,
    id: &'a str,
    thing: Thing,
}

fn owned(service: ServiceKind, booked: &Booked) -> Vec<Owned<'_>> {
    let Itinerary { flight, hotel, car, receipt, voucher } = &booked.itinerary;
    let own = |id, what, item: &str, quantity, amount| {
        let thing = Thing { what, item: item.to_owned(), quantity, amount };
        Owned { saga: &booked.saga, id, thing }
    };
    match service {
        ServiceKind::Flight => vec![
            own(&flight.reservation, What::Reservation, &flight.flight, flight.seats, flight.price),
            own(&voucher.voucher, What::Voucher, &voucher.reservation, 1, Cents(0)),
        ],
        ServiceKind::Hotel => {
            vec![own(&hotel.reservation, What::Reservation, &hotel.hotel, hotel.rooms, hotel.price)]
        }
        ServiceKind::Car => vec![own(&car.reservation, What::Reservation, &car.station, 1, car.price)],
        ServiceKind::Card => {
            vec![own(&receipt.receipt, What::Charge, &receipt.card.0, receipt.amount.0, receipt.amount)]
        }
    }
}

fn compare_held(
    of: &Holdings,
    owned: &[Owned<'_>],
    unfinished: &BTreeMap<String, &'static str>,
    discrepancies: &mut Vec<Discrepancy>,
) {
    let service = of.service;
    let mut unclaimed: BTreeMap<&str, &Held> = of.held.iter().map(|held| (held.id.as_str(), held)).collect();
    for Owned { saga, id, thing } in owned {
        let whose = Some((*saga).to_owned());
        let id = (*id).to_owned();
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
        let (id, thing) = (held.id.clone(), Thing::of(held));
        let finding = match unfinished.get(&held.saga) {
            Some(standing) => Finding::Unfinished { id, thing, standing },
            None => Finding::Leaked { id, thing },
        };
        let (saga, key) = (Some(held.saga.clone()), Some(held.key.clone()));
        discrepancies.push(Discrepancy { service, saga, key, finding });
    }
}

fn compare_stock(of: &Holdings, discrepancies: &mut Vec<Discrepancy>) {
    for level in &of.stock {
        let held = stocked(of).filter(|held| held.item == level.item).map(|held| held.quantity).sum::<i64>();
        if held + level.remaining != level.initial {
            let (initial, remaining) = (level.initial, level.remaining);
            let finding = Finding::Stock { item: level.item.clone(), initial, held, remaining };
            discrepancies.push(Discrepancy { service: of.service, saga: None, key: None, finding });
        }
    }
}

fn total(of: &Holdings, owned: &[Owned<'_>]) -> Total {
    let is_voucher = |thing: &Thing| thing.what == What::Voucher;
    Total {
        service: of.service,
        initial: of.stock.iter().map(|level| level.initial).sum(),
        remaining: of.stock.iter().map(|level| level.remaining).sum(),
        held: stocked(of).map(|held| held.quantity).sum(),
        owned: owned.iter().filter(|of| !is_voucher(&of.thing)).map(|of| of.thing.quantity).sum(),
        vouchers: (
            of.held.iter().filter(|held| held.what == What::Voucher).map(|held| held.quantity).sum(),
            owned.iter().filter(|of| is_voucher(&of.thing)).map(|of| of.thing.quantity).sum(),
        ),
    }
}

/// What is taken from stock: a voucher is not.
fn stocked(of: &Holdings) -> impl Iterator<Item = &Held> {
    of.held.iter().filter(|held| held.what != What::Voucher)
}

impl Thing {
    fn of(held: &Held) -> Self {
        Self { what: held.what, item: held.item.clone(), quantity: held.quantity, amount: held.amount }
    }
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} service: {}", self.service, self.finding)?;
        if let Some(saga) = &self.saga {
            write!(f, " (saga {saga}")?;
            if let Some(key) = &self.key {
                write!(f, ", key {key}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaked { id, thing } => write!(f, "{id} is held, and no completed trip owns it: {thing}"),
            Self::Unfinished { id, thing, standing } => {
                write!(f, "{id} is held for a trip that is {standing}: {thing}")
            }
            Self::Lost { id, thing } => {
                write!(f, "{id} is owned by a completed trip, and not held for it: {thing}")
            }
            Self::Differs { id, held, owned } => write!(f, "{id} is held as {held}, and owned as {owned}"),
            Self::Stock { item, initial, held, remaining } => {
                write!(f, "{item} had {initial}; {held} held and {remaining} left make {}", held + remaining)
            }
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} × {} for {}", self.what, self.quantity, self.item, self.amount)
    }
}
