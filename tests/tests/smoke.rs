#![allow(missing_docs)]
use saga_runtime::{Context, StepError, saga, Coordinator, Outcome};
use serde::{Serialize, Deserialize};

#[derive(Debug, thiserror::Error, StepError)]
pub enum DeskError {
    #[error("sold out")]
    #[outcome(refused)]
    SoldOut,
}
#[derive(Serialize, Deserialize)]
pub struct Trip { pub card: String }
#[derive(Serialize, Deserialize)]
pub struct Flight(u32);
#[derive(Serialize, Deserialize)]
pub struct Hotel(u32);
#[derive(Serialize, Deserialize)]
pub struct Car(u32);
#[derive(Serialize, Deserialize, Debug)]
pub struct Itinerary { pub n: u32 }
pub struct Desk;
impl saga_runtime::Keyed for Desk {}
pub struct HotelDesk;
impl Desk {
    async fn flight(&self, _cx: &Context, _trip: &Trip) -> Result<Flight, DeskError> { Ok(Flight(1)) }
    async fn car(&self, _cx: &Context, _trip: &Trip, _f: &Flight) -> Result<Car, DeskError> { if _trip.card == "nocar" { Err(DeskError::SoldOut)} else {Ok(Car(1))} }
    async fn charge(&self, _cx: &Context, _trip: &str, _n: u32) -> Result<u32, DeskError> { Ok(3) }
    async fn cancel_flight(&self, _cx: &Context, _f: &Flight) -> Result<(), DeskError> { Ok(()) }
    async fn cancel_car(&self, _cx: &Context, _f: &Car) -> Result<(), DeskError> { Ok(()) }
    async fn voucher(&self, _cx: &Context, _f: &Flight) -> Result<u32, DeskError> { Ok(9) }
}
impl HotelDesk {
    async fn hotel(&self, _cx: &Context, _trip: &Trip, _f: &Flight) -> Result<Hotel, DeskError> { Ok(Hotel(1)) }
    async fn find(&self, _cx: &Context) -> Result<Option<Hotel>, DeskError> { Ok(None) }
    async fn cancel(&self, _cx: &Context, _f: &Hotel) -> Result<(), DeskError> { Ok(()) }
}

saga! {
    /// Books.
    pub saga BookTrip(trip: Trip) -> Itinerary {
        with flights: Desk, hotels: HotelDesk;
        retry 5 times every 100ms..10s;

        step flight: Flight = flights.flight(cx, trip)
            timeout 5s
            compensate flights.cancel_flight(cx, flight);

        parallel {
            step hotel: Hotel = hotels.hotel(cx, trip, flight)
                probe hotels.find(cx)
                compensate hotels.cancel(cx, hotel);
            step car: Car = flights.car(cx, trip, flight)
                compensate flights.cancel_car(cx, car);
        }
        pivot receipt: u32 = flights.charge(cx, &trip.card, flight.0 + hotel.0 + car.0);
        step voucher: u32 = flights.voucher(cx, flight);
        return Itinerary { n: receipt + voucher };
    }
}

#[tokio::test]
async fn books() {
    let coordinator = Coordinator::builder(saga_runtime::log::MemoryLog::new())
        .register::<BookTrip>(BookTripParticipants { flights: Desk, hotels: HotelDesk })
        .start().await.unwrap();
    let begun = coordinator.begin::<BookTrip>("t1", Trip { card: "x".into() }).await.unwrap();
    match begun.outcome().await.unwrap() { Outcome::Completed(i) => assert_eq!(i.n, 12), other => panic!("{other:?}") }
    let begun = coordinator.begin::<BookTrip>("t2", Trip { card: "nocar".into() }).await.unwrap();
    let h = begun.handle().unwrap().clone();
    match begun.outcome().await.unwrap() { Outcome::Compensated(i) => println!("{i}"), other => panic!("{other:?}") }
    for r in h.history().await.unwrap().records { println!("{r:?}"); }
    println!("{:?}", h.state().await.unwrap());
}
