//! The saga's participants: a client for each service.

pub use self::car::CarDesk;
pub use self::card::CardDesk;
pub use self::flight::FlightDesk;
pub use self::hotel::HotelDesk;
use super::addresses::Addresses;
use super::wire::ServiceKind;
use crate::desk::{ClientError, client};
pub use crate::desk::{CrashPoint, DeskError};

mod car;
mod card;
mod flight;
mod hotel;

/// A client of one of the four services.
type Desk = crate::desk::Desk<ServiceKind>;

/// All four participants.
#[derive(Debug, Clone)]
pub struct Desks {
    /// Books seats.
    pub flights: FlightDesk,
    /// Books rooms.
    pub hotels: HotelDesk,
    /// Books cars.
    pub cars: CarDesk,
    /// Charges cards.
    pub cards: CardDesk,
}

impl Desks {
    /// Clients for the services at `addresses`.
    pub fn new(addresses: &Addresses) -> Result<Self, ClientError> {
        Self::with_crash(addresses, None)
    }

    /// The same, with a place where the process shall crash.
    pub fn with_crash(addresses: &Addresses, crash: Option<&CrashPoint>) -> Result<Self, ClientError> {
        let http = client()?;
        let desk = |service| Desk::new(service, &http, addresses, crash);
        Ok(Self {
            flights: FlightDesk(desk(ServiceKind::Flight)),
            hotels: HotelDesk(desk(ServiceKind::Hotel)),
            cars: CarDesk(desk(ServiceKind::Car)),
            cards: CardDesk(desk(ServiceKind::Card)),
        })
    }
}
