//! Every form, nested; also with names that generated code uses itself.

#[path = "../travel.rs"]
mod travel;
use std::time::Duration;
use travel::*;

const GRACE: Duration = Duration::from_secs(60);

saga_runtime::saga! {
    /// Books as many trips as there are days.
    pub saga BookAll(trip: Trip, items: Vec<u32>) -> (Option<Vec<Flight>>, Vec<Option<Vec<Receipt>>>, Receipt) {
        with flights: Flights, hotels: Hotels;
        deadline at (std::time::SystemTime::now() + GRACE * trip.days);
        timeout 5s;

        if trip.days > 3 && !items.is_empty() {
            for arm: u32 in items.clone() {
                step flight: Flight = flights.reserve(cx, &Trip { days: *arm })
                    events FlightReserved
                    compensate flights.cancel(cx, flight) { timeout 3s, retry forever every 1s..1m };
            }
        } else if items.len() == 1 {
            sleep (GRACE);
        }
        parallel for undo: u32 in 0..trip.days limit 3 {
            parallel {
                if let [first, rest @ ..] = &items[..] && *first > 1 {
                    parallel for decided: u32 in rest.iter().copied() limit 2 {
                        step receipt: Receipt = async { let _ = (first, decided); flights.pay(cx).await }
                            compensate nothing;
                    }
                }
                {
                    read weather: u32 = async { Ok::<_, DeskError>(*undo) } retry never else 7;
                    step hotel: Hotel = hotels.reserve(cx, &Flight)
                        probe hotels.find(cx)
                        compensate hotels.cancel(cx, hotel);
                }
            }
        }
        receive approval: Option<bool> within 1h30m else None;
        if approval == &Some(false) {
            step paid: Receipt = flights.pay(cx) compensate nothing;
        } else {
            step paid: Receipt = flights.pay(cx) compensate nothing;
        }
        sleep until (std::time::SystemTime::UNIX_EPOCH);
        pivot end: Receipt = async { let _: &Receipt = paid; flights.pay(cx).await };
        for line: u32 in weather.clone() {
            step event: Option<Receipt> = async { flights.pay(cx).await.map(Some) } keyed else None;
            if *line > 3 {
                receive thanks: u8 within 2d else 0;
            }
        }
        return (flight, receipt, end);
    }
}

fn main() {
    let _ = BookAll::begin(Trip { days: 1 }, vec![]);
    let _ = (BookAllSignal::Approval(None), BookAllSignal::Thanks(1));
}
