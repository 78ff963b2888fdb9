//! The saga: one declaration, from which `saga!` writes the state machine and its compensations.

use saga_runtime::saga;

use super::desk::{CarDesk, CardDesk, FlightDesk, HotelDesk};
use super::trip::{
    CarReservation, FlightReservation, HotelReservation, Itinerary, Receipt, Trip, Voucher, total,
};

saga! {
    /// Books a flight, a hotel and, if it is wanted, a car for one trip: all of them, or none.
    pub saga BookTrip(trip: Trip) -> Itinerary {
        with flights: FlightDesk, hotels: HotelDesk, cars: CarDesk, cards: CardDesk;
        deadline 30m;
        timeout 5s;
        retry 5 times every 50ms..2s;

        /// Holds the seats.
        step flight: FlightReservation = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);

        parallel {
            /// Holds the rooms. The hotel does not answer by key: a lost reply is probed for.
            step hotel: HotelReservation = hotels.reserve(cx, trip, flight)
                probe hotels.find(cx)
                compensate hotels.cancel(cx, hotel);

            if trip.wants_car {
                /// Holds the car.
                step car: CarReservation = cars.reserve(cx, trip, flight)
                    compensate cars.cancel(cx, car);
            }
        }

        /// Charges the card: from here on the trip takes place.
        pivot receipt: Receipt = cards.charge(cx, &trip.card, total(flight, hotel, car.as_ref()));

        /// Issues the voucher.
        step voucher: Voucher = flights.issue_voucher(cx, flight);

        return Itinerary { flight, hotel, car, receipt, voucher };
    }
}
