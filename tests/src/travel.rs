//! The travel example for tests: its services in this process with plenty of stock, its saga on a log in a file, and
//! its audit as the oracle.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use saga_examples::travel::audit::{compare, fetch_holdings};
use saga_examples::travel::booking::{self, Ending};
use saga_examples::travel::desk::Desks;
use saga_examples::travel::faults;
use saga_examples::travel::services::Services;
use saga_examples::travel::stock::Stock;
use saga_examples::travel::trip::{Card, FlightReservation, Itinerary, Trip};
use saga_examples::travel::values::{Cents, City, Date};
use saga_runtime::log::{SagaLog, SqliteLog};
use saga_runtime::{Context, Coordinator, RunsOn, Saga, SagaId};
use tempfile::TempDir;
use tokio::time::timeout;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Enough for every test: one flight, one hotel, one station, one card.
const STOCK: &str = r#"{
    "flights": [{"flight": "SA 1", "from": "ZRH", "to": "LIS", "date": "2026-09-14", "seats": 100000, "fare": 100}],
    "hotels": [{"hotel": "Avenida", "city": "LIS", "rooms": 100000, "rate": 200}],
    "cars": [{"station": "Lisboa", "city": "LIS", "cars": 100000, "rate": 300}],
    "cards": [{"card": "card", "limit": 100000000}]
}"#;

/// The services in this process, and a directory for their databases and for logs.
#[derive(Debug)]
pub struct World {
    services: Services,
    directory: TempDir,
}

impl World {
    /// New services with plenty of stock.
    pub async fn new() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let services = Services::start_with(directory.path(), &Stock::parse(STOCK)?).await?;
        Ok(Self { services, directory })
    }

    /// The file of the log with this name.
    pub fn log(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory of the services' databases.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Clients for the services.
    pub fn desks(&self) -> anyhow::Result<Desks> {
        Ok(Desks::new(self.services.addresses())?)
    }

    /// A coordinator for the example's saga, or a variant of it, on the log `trips.db`.
    pub async fn coordinator<S: RunsOn<SqliteLog> + Saga<Participants: From<Desks>>>(
        &self,
    ) -> anyhow::Result<Coordinator> {
        self.coordinator_on::<S, _>(SqliteLog::open(self.log("trips.db"))?).await
    }

    /// The same on another log.
    pub async fn coordinator_on<S: RunsOn<L> + Saga<Participants: From<Desks>>, L: SagaLog>(
        &self,
        log: L,
    ) -> anyhow::Result<Coordinator> {
        Ok(Coordinator::builder(log).register::<S>(self.desks()?.into()).start().await?)
    }

    /// Tells a service to misbehave.
    pub async fn fault(&self, order: &str) -> anyhow::Result<()> {
        let order = order.parse().with_context(|| order.to_owned())?;
        Ok(faults::order(self.services.addresses(), &order).await?)
    }

    /// How many orders are still to come.
    pub async fn faults_left(&self) -> anyhow::Result<usize> {
        Ok(faults::left(self.services.addresses()).await?)
    }

    /// Lets all services behave again.
    pub async fn mend(&self) -> anyhow::Result<()> {
        Ok(faults::clear(self.services.addresses()).await?)
    }

    /// Comes back when every call that a service held back for at most this long before now has landed: calls of our
    /// own, without effect, are held back for as long from now on, and land after them.
    pub async fn until_late_calls_have_landed(&self, held_back: Duration) -> anyhow::Result<()> {
        let id = SagaId::new("marker")?;
        for operation in ["flight:reserve", "hotel:reserve", "car:reserve", "card:charge"] {
            self.fault(&format!("{operation}:slow({})@{id}", held_back.as_millis())).await?;
        }
        let (desks, cx) = (self.desks()?, |step| Context::action("Marker", id.clone(), step, 1));
        // Nobody sells this.
        let nowhere = Trip { to: "XXX".parse()?, ..trip("marker") };
        let none = FlightReservation {
            reservation: String::new(),
            flight: String::new(),
            seats: 0,
            price: Cents(0),
        };
        let (flight_cx, hotel_cx, car_cx, card_cx) = (cx("flight"), cx("hotel"), cx("car"), cx("card"));
        let (flight, hotel, car, charge) = tokio::join!(
            desks.flights.reserve(&flight_cx, &nowhere),
            desks.hotels.reserve(&hotel_cx, &nowhere, &none),
            desks.cars.reserve(&car_cx, &nowhere, &none),
            desks.cards.charge(&card_cx, &nowhere.card, none.price),
        );
        ensure!(
            flight.is_err() && hotel.is_err() && car.is_err() && charge.is_err(),
            "a marker had an effect"
        );
        Ok(())
    }

    /// Shuts the coordinator down and asserts that each of these trips has ended as it should, that every fault was
    /// felt, and that the services hold what the completed trips own, to the unit.
    pub async fn close<S: Saga<Output = Itinerary>>(
        &self,
        coordinator: Coordinator,
        expected: &[(String, &str)],
    ) -> anyhow::Result<()> {
        let sagas = expected.iter().map(|(id, _)| SagaId::new(id)).collect::<Result<Vec<_>, _>>()?;
        let closed = timeout(PATIENCE, booking::close_books::<S>(coordinator, sagas)).await;
        let endings = closed.context("the coordinator does not drain")?;
        for (id, word) in expected {
            let ending = endings.get(id).with_context(|| format!("{id} is lost"))?;
            ensure!(ending.word() == *word, "{id} should be {word}, and is {ending}");
        }
        ensure!(self.faults_left().await? == 0, "not every fault was felt");
        self.audit(&endings).await
    }

    /// Asserts that the services hold what these trips own, and nothing else.
    pub async fn audit(&self, endings: &BTreeMap<String, Ending>) -> anyhow::Result<()> {
        let holdings = fetch_holdings(self.services.addresses()).await?;
        let report = compare(&holdings, &booking::owners(endings));
        let found: Vec<String> = report.discrepancies.iter().map(ToString::to_string).collect();
        ensure!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    }
}

/// A trip for one that can be booked.
///
/// # Panics
///
/// Never: the trip is right.
#[expect(clippy::expect_used, reason = "these are a city and a day")]
pub fn trip(id: &str) -> Trip {
    let city = |code: &str| code.parse::<City>().expect("a city");
    Trip {
        id: id.to_owned(),
        traveller: "Ada".to_owned(),
        party: 1,
        from: city("ZRH"),
        to: city("LIS"),
        date: Date::new(2026, 9, 14).expect("a day"),
        nights: 2,
        wants_car: true,
        card: Card("card".to_owned()),
    }
}

/// Comes back when `condition` holds; fails after a generous time.
pub async fn until<F: Future<Output = anyhow::Result<bool>>>(
    mut condition: impl FnMut() -> F,
) -> anyhow::Result<()> {
    let wait = async {
        while !condition().await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    };
    timeout(PATIENCE, wait).await.context("it did not come about")?
}

/// The example's saga with short timeouts and few retries. Policies are no part of its form: it resumes the example's
/// sagas, and the example resumes its own.
pub mod hasty {
    use saga_examples::travel::desk::{CarDesk, CardDesk, Desks, FlightDesk, HotelDesk};
    use saga_examples::travel::trip::{
        CarReservation, FlightReservation, HotelReservation, Itinerary, Receipt, Trip, Voucher, total,
    };
    use saga_runtime::saga;

    /// How long a call may take.
    pub const TIMEOUT: std::time::Duration = std::time::Duration::from_millis(400);

    saga! {
        /// Books a flight, a hotel and, if it is wanted, a car for one trip: all of them, or none.
        pub saga BookTrip(trip: Trip) -> Itinerary {
            with flights: FlightDesk, hotels: HotelDesk, cars: CarDesk, cards: CardDesk;
            retry 3 times every 2ms..50ms;
            timeout (TIMEOUT);

            step flight: FlightReservation = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);

            parallel {
                step hotel: HotelReservation = hotels.reserve(cx, trip, flight)
                    probe hotels.find(cx)
                    compensate hotels.cancel(cx, hotel);

                if trip.wants_car {
                    step car: CarReservation = cars.reserve(cx, trip, flight)
                        compensate cars.cancel(cx, car);
                }
            }

            pivot receipt: Receipt = cards.charge(cx, &trip.card, total(flight, hotel, car.as_ref()));

            step voucher: Voucher = flights.issue_voucher(cx, flight);

            return Itinerary { flight, hotel, car, receipt, voucher };
        }
    }

    impl From<Desks> for BookTripParticipants {
        fn from(desks: Desks) -> Self {
            let Desks { flights, hotels, cars, cards } = desks;
            Self { flights, hotels, cars, cards }
        }
    }
}
