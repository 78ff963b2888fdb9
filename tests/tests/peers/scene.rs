//! The trip that every peer's own example books: a flight, a hotel and a car, one after another.

use saga_runtime::log::MemoryLog;
use saga_runtime::{Coordinator, Handle, saga};
use saga_tests::run::{Report, Scenario, run};
use saga_tests::sagas::Shape;
use saga_tests::world::{Place, Prudent, Which, World};

saga! {
    /// All of it, or nothing.
    pub(crate) saga Trip(trip: u32) -> u32 {
        with desk: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
        step hotel: u32 = desk.reserve(cx) compensate desk.cancel(cx, hotel);
        step car: u32 = desk.reserve(cx) compensate desk.cancel(cx, car);

        return booked(trip, [flight, hotel, car]);
    }
}

/// All that is reserved is used, and the input is returned.
fn booked(trip: u32, _reservations: [u32; 3]) -> u32 {
    trip
}

impl Shape for Trip {
    const EFFECTS: &'static [&'static str] = &["flight", "hotel", "car"];
    const APPENDS: usize = 4;

    fn participants(world: &World) -> TripParticipants {
        TripParticipants { desk: Prudent(world.clone()) }
    }
}

pub(crate) const fn action(step: &'static str, nth: u32) -> Place {
    Place { step, which: Which::Action, nth }
}

pub(crate) const fn compensation(step: &'static str, nth: u32) -> Place {
    Place { step, which: Which::Compensation, nth }
}

/// Runs the trip through every life of its process, and holds what the desk has against what the end says.
#[track_caller]
pub(crate) fn replay(scenario: &Scenario) -> Report {
    run::<Trip>(scenario).unwrap_or_else(|broken| panic!("{broken}"))
}

/// The calls in their order: `flight hotel -hotel -flight`, and `?hotel` for a probe.
pub(crate) fn told(calls: &[Place]) -> String {
    let calls = calls.iter().map(|call| match call.which {
        Which::Action | Which::Read | Which::Local => call.step.to_owned(),
        Which::Compensation | Which::LocalCompensation => format!("-{}", call.step),
        Which::Probe => format!("?{}", call.step),
    });
    calls.collect::<Vec<_>>().join(" ")
}

/// A process that executes trips, until the coordinator is dropped.
pub(crate) async fn start(log: &MemoryLog, world: &World) -> Coordinator {
    Coordinator::builder(log.clone()).register::<Trip>(Trip::participants(world)).start().await.unwrap()
}

pub(crate) async fn begin(coordinator: &Coordinator, id: &str) -> Handle<Trip> {
    coordinator.begin::<Trip>(id, 7).await.unwrap().handle().unwrap().clone()
}

/// Comes back when the call at `place` has been made.
pub(crate) async fn until_called(world: &World, place: Place) {
    let made = world.watch(place);
    if !world.calls().contains(&place) {
        made.await;
    }
}

/// What the desk holds, as `Trip/s-1/flight`.
pub(crate) fn held(world: &World) -> Vec<String> {
    world.settle_down();
    assert!(world.held().values().all(|count| *count == 1), "{world:?}");
    world.held().into_keys().collect()
}
