//! Sagas of every form, on participants of every kind.

#![allow(clippy::unused_async, reason = "a fake does at once what a service takes time for")]

use std::sync::atomic::{AtomicBool, Ordering};

use saga_runtime::verify::{Exploration, explore};
use saga_runtime::{Context, Keyed, StepError, saga};

/// What a fake that does what it is asked never says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, StepError)]
#[error("no")]
#[outcome(refused)]
pub struct No;

/// Answers by key.
pub struct Prudent;

impl Keyed for Prudent {}

/// Says no to whoever has a seat already.
#[derive(Default)]
pub struct Seats {
    taken: AtomicBool,
}

impl Seats {
    /// Takes one.
    pub async fn reserve(&self, _: &Context) -> Result<u32, No> {
        if self.taken.swap(true, Ordering::Relaxed) { Err(No) } else { Ok(1) }
    }

    /// Takes it back, whatever it was.
    pub async fn cancel(&self, _: &Context) -> Result<(), No> {
        Ok(())
    }
}

/// Does what it is asked, each time.
pub struct Careless;

impl Prudent {
    /// Takes one.
    pub async fn reserve(&self, _: &Context) -> Result<u32, No> {
        Ok(1)
    }

    /// Takes it back.
    pub async fn cancel(&self, _: &Context, _: &u32) -> Result<(), No> {
        Ok(())
    }
}

impl Careless {
    /// Takes one.
    pub async fn reserve(&self, _: &Context) -> Result<u32, No> {
        Ok(1)
    }

    /// Is never asked: the kit answers probes.
    pub async fn find(&self, _: &Context) -> Result<Option<u32>, No> {
        Ok(None)
    }

    /// Takes it back.
    pub async fn cancel(&self, _: &Context, _: &u32) -> Result<(), No> {
        Ok(())
    }

    /// Takes it back, whatever it was.
    pub async fn cancel_by_key(&self, _: &Context) -> Result<(), No> {
        Ok(())
    }
}

saga! {
    /// Two steps.
    pub saga Pair() -> u32 {
        with desk: Prudent;
        retry 1 times every 100ms..200ms;

        step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
        step hotel: u32 = desk.reserve(cx) compensate desk.cancel(cx, hotel);

        return flight + hotel;
    }

    /// A step that says no to whoever asks again.
    pub saga Seat() -> u32 {
        with seats: Seats;
        retry 1 times every 100ms..200ms;

        step seat: u32 = seats.reserve(cx) compensate seats.cancel(cx);

        return seat;
    }

    /// A step of each kind.
    pub saga Travel() -> u32 {
        with flights: Prudent, hotels: Careless, cars: Careless;
        retry 1 times every 100ms..200ms;

        step flight: u32 = flights.reserve(cx) compensate flights.cancel(cx, flight);
        step hotel: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, hotel);
        step car: u32 = cars.reserve(cx) compensate cars.cancel_by_key(cx);

        return flight + hotel + car;
    }

    /// Four steps.
    pub saga Four() -> u32 {
        with flights: Prudent, hotels: Careless, cars: Careless;
        retry 1 times every 100ms..200ms;

        step a: u32 = flights.reserve(cx) compensate flights.cancel(cx, a);
        step b: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, b);
        step c: u32 = cars.reserve(cx) compensate cars.cancel_by_key(cx);
        step d: u32 = flights.reserve(cx) compensate flights.cancel(cx, d);

        return a + b + c + d;
    }

    /// Five steps.
    pub saga Five() -> u32 {
        with flights: Prudent, hotels: Careless, cars: Careless;
        retry 1 times every 100ms..200ms;

        step a: u32 = flights.reserve(cx) compensate flights.cancel(cx, a);
        step b: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, b);
        step c: u32 = cars.reserve(cx) compensate cars.cancel_by_key(cx);
        step d: u32 = flights.reserve(cx) compensate flights.cancel(cx, d);
        step e: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, e);

        return a + b + c + d + e;
    }

    /// Eight steps.
    pub saga Eight() -> u32 {
        with flights: Prudent, hotels: Careless, cars: Careless;
        retry 1 times every 100ms..200ms;

        step a: u32 = flights.reserve(cx) compensate flights.cancel(cx, a);
        step b: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, b);
        step c: u32 = cars.reserve(cx) compensate cars.cancel_by_key(cx);
        step d: u32 = flights.reserve(cx) compensate flights.cancel(cx, d);
        step e: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, e);
        step f: u32 = cars.reserve(cx) compensate cars.cancel_by_key(cx);
        step g: u32 = flights.reserve(cx) compensate flights.cancel(cx, g);
        step h: u32 = hotels.reserve(cx) probe hotels.find(cx) compensate hotels.cancel(cx, h);

        return a + b + c + d + e + f + g + h;
    }

    /// A sequence, a `parallel` with a probed step, a pivot, and a step after it.
    pub saga Trip(price: u32) -> u32 {
        with flights: Prudent, hotels: Careless, cars: Careless;
        retry 1 times every 100ms..200ms;

        step flight: u32 = flights.reserve(cx) compensate flights.cancel(cx, flight);
        parallel {
            step hotel: u32 = hotels.reserve(cx)
                probe hotels.find(cx)
                compensate hotels.cancel(cx, hotel);
            step car: u32 = cars.reserve(cx) compensate cars.cancel_by_key(cx);
        }
        pivot receipt: u32 = flights.reserve(cx);
        step voucher: u32 = flights.reserve(cx);

        return price + flight + hotel + car + receipt + voucher;
    }

    /// Items, a decision, an approval and a timer.
    pub saga Order(lines: u32, dear: bool) -> u32 {
        with stock: Prudent, desk: Careless;
        retry 1 times every 100ms..200ms;

        for line: u32 in 0..*lines {
            step pick: u32 = stock.reserve(cx) compensate stock.cancel(cx, pick);
        }
        if *dear {
            receive approval: u32 within 1h;
            step insurance: u32 = desk.reserve(cx) compensate desk.cancel_by_key(cx);
        }
        sleep 1h;
        parallel for line: u32 in 0..*lines limit 2 {
            step label: u32 = stock.reserve(cx) compensate stock.cancel(cx, label);
        }

        return pick.len() as u32 + approval.unwrap_or(0) + insurance.unwrap_or(0) + label.len() as u32;
    }

    /// Begins a child before its pivot, and one after it.
    pub saga House() -> u32 {
        with desk: Prudent;
        retry 1 times every 100ms..200ms;

        step first: u32 = desk.reserve(cx) compensate desk.cancel(cx, first);
        saga room: u32 = Room();
        pivot paid: u32 = desk.reserve(cx);
        saga garden: u32 = Room();

        return first + room + paid + garden;
    }

    /// What a house has.
    pub saga Room() -> u32 {
        with desk: Prudent;
        retry 1 times every 100ms..200ms;

        step bed: u32 = desk.reserve(cx) compensate desk.cancel(cx, bed);
        step lamp: u32 = desk.reserve(cx) compensate desk.cancel(cx, lamp);

        return bed + lamp;
    }
}

/// Explores a [`Pair`].
pub fn pair() -> Exploration<Pair> {
    explore(|| (), || PairParticipants { desk: Prudent })
}

/// Explores a [`Seat`].
pub fn seat() -> Exploration<Seat> {
    explore(|| (), || SeatParticipants { seats: Seats::default() })
}

/// Explores a [`Travel`].
pub fn travel() -> Exploration<Travel> {
    explore(|| (), || TravelParticipants { flights: Prudent, hotels: Careless, cars: Careless })
}

/// Explores [`Four`] steps.
pub fn four() -> Exploration<Four> {
    explore(|| (), || FourParticipants { flights: Prudent, hotels: Careless, cars: Careless })
}

/// Explores [`Five`] steps.
pub fn five() -> Exploration<Five> {
    explore(|| (), || FiveParticipants { flights: Prudent, hotels: Careless, cars: Careless })
}

/// Explores [`Eight`] steps.
pub fn eight() -> Exploration<Eight> {
    explore(|| (), || EightParticipants { flights: Prudent, hotels: Careless, cars: Careless })
}

/// Explores a [`Trip`].
pub fn trip() -> Exploration<Trip> {
    explore(|| 7, || TripParticipants { flights: Prudent, hotels: Careless, cars: Careless })
}

/// Explores an [`Order`] of two lines, dear enough to be approved.
pub fn order() -> Exploration<Order> {
    let order = explore(|| (2, true), || OrderParticipants { stock: Prudent, desk: Careless });
    order.signal(|| OrderSignal::Approval(1))
}

/// Explores a [`House`] with its rooms.
pub fn house() -> Exploration<House> {
    let house = explore(|| (), || HouseParticipants { desk: Prudent });
    house.child::<Room>(|| RoomParticipants { desk: Prudent })
}
