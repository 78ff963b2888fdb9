//! What clients and the four services say to each other: operations, requests and answers.

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::service;
use super::stock::Stock;
use super::trip::{Card, HotelReservation};
use super::values::{Cents, City, Date};
use crate::service::answer::{Answer, Call};
pub use crate::service::kind::UnknownWord;
use crate::service::kind::{self, words};
use crate::service::stock::{StockError, StockItem};
use crate::service::wire::What;
pub use crate::service::wire::{Held, StockLevel};

/// Seats, rooms or a car: taken from stock.
pub const RESERVATION: What = What::from_stock("reservation");
/// Money: taken from the card's limit.
pub const CHARGE: What = What::from_stock("charge");
/// A paper for a seat.
pub const VOUCHER: What = What::made("voucher");

/// Everything that a service holds and has left.
pub type Holdings = crate::service::wire::Holdings<ServiceKind>;

/// One of the four services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// Seats and vouchers; keyed.
    Flight,
    /// Rooms; *not* keyed: a repeated reserve books again, but a probe tells what the first one did.
    Hotel,
    /// Cars; keyed.
    Car,
    /// Money; keyed.
    Card,
}

/// What a service can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Hold seats, rooms or a car.
    Reserve,
    /// Charge a card.
    Charge,
    /// Undo a reservation or a charge.
    Cancel,
    /// Tell what an attempt in doubt did, and bar it if it did nothing.
    Probe,
    /// Issue a voucher for a reservation of seats.
    Voucher,
}

/// Asks the flight service to hold seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveSeats {
    /// Where the flight begins.
    pub from: City,
    /// Where it ends.
    pub to: City,
    /// When.
    pub date: Date,
    /// How many.
    pub seats: i64,
}

/// Asks the hotel service to hold rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveRooms {
    /// Where.
    pub city: City,
    /// The first night.
    pub arrival: Date,
    /// How many nights.
    pub nights: u8,
    /// How many rooms.
    pub rooms: i64,
}

/// Asks the car service to hold a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveCar {
    /// Where.
    pub city: City,
    /// The flight that the traveller comes with: the station waits when it is late.
    pub flight: String,
    /// From when.
    pub date: Date,
    /// For how many days.
    pub days: u8,
}

/// Asks the card service to charge a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Which card.
    pub card: Card,
    /// How much.
    pub amount: Cents,
}

/// Asks the flight service for a voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueVoucher {
    /// The reservation that it shall stand for.
    pub reservation: String,
}

/// Asks the hotel service to undo a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReservation {
    /// The hotel service's name for it.
    pub reservation: String,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The reservation held for the key. `None`: no earlier attempt held one, and none ever will.
    pub reservation: Option<HotelReservation>,
}

impl ServiceKind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Flight, Self::Hotel, Self::Car, Self::Card];

    /// Its name in addresses, files and faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flight => "flight",
            Self::Hotel => "hotel",
            Self::Car => "car",
            Self::Card => "card",
        }
    }

    /// What it can be asked to do.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Self::Flight => &[Operation::Reserve, Operation::Cancel, Operation::Voucher],
            Self::Hotel => &[Operation::Reserve, Operation::Cancel, Operation::Probe],
            Self::Car => &[Operation::Reserve, Operation::Cancel],
            Self::Card => &[Operation::Charge, Operation::Cancel],
        }
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Reserve, Self::Charge, Self::Cancel, Self::Probe, Self::Voucher];

    /// Its name in faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Charge => "charge",
            Self::Cancel => "cancel",
            Self::Probe => "probe",
            Self::Voucher => "voucher",
        }
    }
}

words! {
    ServiceKind: "service";
    Operation: "operation";
}

impl kind::ServiceKind for ServiceKind {
    type Operation = Operation;
    type Addresses = Addresses;
    type Stock = Stock;

    const SERVICES: &'static [Self] = &Self::ALL;
    const SUBJECT: &'static str = "trip";
    const DATA: &'static str = "travel-data";
    const SCHEMA: &'static str = service::SCHEMA;

    fn name(self) -> &'static str {
        Self::name(self)
    }

    fn operations(self) -> &'static [Operation] {
        Self::operations(self)
    }

    fn path(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (Self::Card, Operation::Cancel) => "/charges/cancel",
            (_, Operation::Reserve) => "/reservations",
            (_, Operation::Cancel) => "/reservations/cancel",
            (_, Operation::Probe) => "/reservations/probe",
            (_, Operation::Voucher) => "/vouchers",
            (_, Operation::Charge) => "/charges",
        }
    }

    fn things(self) -> &'static [What] {
        match self {
            Self::Flight => const { &[RESERVATION, VOUCHER] },
            Self::Hotel | Self::Car => const { &[RESERVATION] },
            Self::Card => const { &[CHARGE] },
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Flight => "seats",
            Self::Hotel => "rooms",
            Self::Car => "cars",
            Self::Card => "money",
        }
    }

    fn counts_money(self) -> bool {
        self == Self::Card
    }

    fn shipped_stock() -> Result<Stock, StockError> {
        Stock::shipped()
    }

    fn items(self, stock: &Stock) -> Vec<StockItem> {
        stock.items(self)
    }

    fn perform(self, tx: Transaction<'_>, call: &Call<Self>) -> rusqlite::Result<Answer> {
        service::perform(self, tx, call)
    }
}
