//! Sagas with parameters: their participants are what the user puts in.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::{Context, Keyed};
use travel::*;

pub trait Airline: Keyed + Send + Sync + 'static {
    fn reserve(&self, cx: &Context) -> impl Future<Output = Result<Flight, DeskError>> + Send;
    fn cancel(&self, cx: &Context, flight: &Flight) -> impl Future<Output = Result<(), DeskError>> + Send;
}

impl Airline for Flights {
    async fn reserve(&self, cx: &Context) -> Result<Flight, DeskError> {
        self.reserve(cx, &Trip { days: 1 }).await
    }

    async fn cancel(&self, cx: &Context, flight: &Flight) -> Result<(), DeskError> {
        self.cancel(cx, flight).await
    }
}

pub trait Bank {
    type Client: Keyed + Send + Sync + 'static;
    fn pay(client: &Self::Client, cx: &Context) -> impl Future<Output = Result<Receipt, DeskError>> + Send;
}

pub struct House;

impl Bank for House {
    type Client = Flights;
    async fn pay(client: &Flights, cx: &Context) -> Result<Receipt, DeskError> {
        client.pay(cx).await
    }
}

saga_runtime::saga! {
    /// Books with any airline, and pays at any bank.
    pub saga Book<A: Airline, B, const N: u32>(trip: Trip) -> Vec<Flight>
    where
        B: Bank + 'static,
    {
        with airline: A, bank: B::Client, hotels: Hotels;
        for day: u32 in 0..trip.days.min(N) {
            step flight: Flight = async { let _ = day; airline.reserve(cx).await }
                compensate airline.cancel(cx, flight);
        }
        if trip.days > 3 {
            step hotel: Hotel = hotels.reserve(cx, &Flight) compensate hotels.cancel_by_key(cx);
        }
        pivot receipt: Receipt = B::pay(bank, cx);
        return flight;
    }
}

fn is_saga<S: saga_runtime::Saga<Input = Trip>>() {}

fn main() {
    is_saga::<Book<Flights, House, 7>>();
    let _ = BookParticipants::<Flights, House, 7> { airline: Flights, bank: Flights, hotels: Hotels };
    let _: BookState = Book::<Flights, House, 7>::begin(Trip { days: 1 });
}
