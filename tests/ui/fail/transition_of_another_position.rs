//! A position has its own transitions, and no other ones.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) -> Itinerary {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip) compensate flights.cancel(cx, flight);
        step hotel: Hotel = hotels.reserve(cx, flight) compensate hotels.cancel_by_key(cx);
        return Itinerary { flight, hotel };
    }
}

fn books_the_hotel_first(start: BookFlightStep) -> BookReturn {
    start.done(Hotel)
}

fn compensates_what_is_not_begun(start: BookFlightStep) {
    start.compensated();
}

fn books_a_room_while_it_compensates(undo: BookHotelCompensation) {
    undo.done(Hotel);
}

fn main() {}
