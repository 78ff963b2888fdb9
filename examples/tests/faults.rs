//! Each way to misbehave, as the clients see it, and what it leaves behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod support;

use std::time::Duration;

use saga_examples::travel::audit::fetch_holdings;
use saga_examples::travel::faults;
use saga_examples::travel::wire::ServiceKind;
use saga_runtime::FailureKind;
use tokio::time::timeout;

use self::support::{World, action, compensation, kind, refusal, some_flight, trip};

/// What a first call sees of a fault, and how many cars are held then; the same key mends it with one effect.
async fn check(fault: &str, seen: Option<FailureKind>, held: usize) {
    let world = World::new().await;
    let (cars, trip, flight) = (&world.desks.cars, trip("t"), some_flight());
    world.fault(&format!("car:reserve:{fault}")).await;
    let first = cars.reserve(&action("t", "car", 1), &trip, &flight).await;
    assert_eq!(kind(&first), seen, "{first:?}");
    // A service that died is on its way back: until then nothing listens at its port.
    until_back(&world).await;
    assert_eq!(world.held(ServiceKind::Car).await.len(), held);
    let again = cars.reserve(&action("t", "car", 2), &trip, &flight).await;
    if seen == Some(FailureKind::Refused) {
        assert_eq!(kind(&again), seen, "a keyed service keeps its refusal");
    } else {
        let held = world.held(ServiceKind::Car).await;
        assert_eq!((held.len(), again.unwrap().reservation), (1, held[0].id.clone()));
    }
}

async fn until_back(world: &World) {
    let addresses = world.services.addresses();
    let back = async {
        while fetch_holdings(addresses).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), back).await.unwrap();
}

#[tokio::test]
async fn a_slow_service_answers_in_the_end() {
    check("slow(30)", None, 1).await;
}

#[tokio::test]
async fn a_refusal_is_kept() {
    check("refuse", Some(FailureKind::Refused), 0).await;
}

#[tokio::test]
async fn an_unavailable_service_does_nothing_and_says_so() {
    check("unavailable", Some(FailureKind::Transient), 0).await;
}

#[tokio::test]
async fn a_lost_reply_leaves_its_effect() {
    check("lose-reply", Some(FailureKind::Unknown), 1).await;
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing() {
    check("drop", Some(FailureKind::Unknown), 0).await;
}

#[tokio::test]
async fn a_death_before_the_work_leaves_nothing() {
    check("die-before", Some(FailureKind::Unknown), 0).await;
}

#[tokio::test]
async fn a_death_after_the_work_leaves_its_effect() {
    check("die-after", Some(FailureKind::Unknown), 1).await;
}

#[tokio::test]
async fn a_service_that_hangs_never_answers_and_does_nothing() {
    let world = World::new().await;
    world.fault("car:reserve:hang").await;
    let (trip, flight, cx) = (trip("t"), some_flight(), action("t", "car", 1));
    let call = world.desks.cars.reserve(&cx, &trip, &flight);
    assert!(timeout(Duration::from_millis(200), call).await.is_err());
    assert_eq!(world.held(ServiceKind::Car).await, []);
    world.desks.cars.reserve(&action("t", "car", 2), &trip, &flight).await.unwrap();
}

#[tokio::test]
async fn slow_work_is_done_also_when_the_caller_has_given_up() {
    let world = World::new().await;
    world.fault("hotel:reserve:slow(100)").await;
    let (trip, flight, cx) = (trip("t"), some_flight(), action("t", "hotel", 1));
    let call = world.desks.hotels.reserve(&cx, &trip, &flight);
    assert!(timeout(Duration::from_millis(40), call).await.is_err());
    world.until_held(ServiceKind::Hotel, 1).await;
    let found = world.desks.hotels.find(&action("t", "hotel", 2)).await.unwrap();
    assert_eq!(found.unwrap().reservation, "hotel-1");
}

#[tokio::test]
async fn work_that_comes_late_is_barred_by_the_cancellation_or_the_probe() {
    let world = World::new().await;
    let (desks, trip, flight) = (&world.desks, trip("t"), some_flight());
    world.fault("car:reserve:slow(150)").await;
    world.fault("hotel:reserve:slow(150)").await;
    let (car_cx, hotel_cx) = (action("t", "car", 1), action("t", "hotel", 1));
    let settle = async {
        // The calls are under way once their faults are taken.
        while faults::left(world.services.addresses()).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
        let car = saga_examples::travel::trip::CarReservation {
            reservation: String::new(),
            station: String::new(),
            days: 1,
            price: saga_examples::travel::values::Cents(1),
        };
        desks.cars.cancel(&compensation("t", "car"), &car).await.unwrap();
        assert_eq!(desks.hotels.find(&action("t", "hotel", 2)).await.unwrap(), None);
    };
    let (car, hotel, ()) = tokio::join!(
        desks.cars.reserve(&car_cx, &trip, &flight),
        desks.hotels.reserve(&hotel_cx, &trip, &flight),
        settle
    );
    assert!(refusal(car).contains("was cancelled"));
    assert!(refusal(hotel).contains("was probed meanwhile"));
    assert_eq!(world.held(ServiceKind::Car).await, []);
    assert_eq!(world.held(ServiceKind::Hotel).await, []);
}

#[tokio::test]
async fn faults_are_counted_in_order_and_may_be_for_one_saga_only() {
    let world = World::new().await;
    let (flights, transient) = (&world.desks.flights, Some(FailureKind::Transient));
    world.fault("flight:reserve:unavailable:2@a").await;
    world.fault("flight:reserve:refuse@b").await;
    let mut seen = Vec::new();
    for (saga, attempt) in [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("c", 1)] {
        seen.push(kind(&flights.reserve(&action(saga, "flight", attempt), &trip(saga)).await));
    }
    assert_eq!(seen, [transient, Some(FailureKind::Refused), transient, None, None]);
    assert_eq!(faults::left(world.services.addresses()).await.unwrap(), 0);

    world.fault("flight:reserve:unavailable:always").await;
    for attempt in 1..4 {
        assert_eq!(kind(&flights.reserve(&action("d", "flight", attempt), &trip("d")).await), transient);
    }
    faults::clear(world.services.addresses()).await.unwrap();
    flights.reserve(&action("d", "flight", 4), &trip("d")).await.unwrap();
}

#[tokio::test]
async fn every_operation_can_be_made_to_fail() {
    let world = World::new().await;
    let (desks, trip) = (&world.desks, trip("t"));
    for order in ["flight:cancel", "flight:voucher", "hotel:cancel", "hotel:probe", "card:charge"] {
        world.fault(&format!("{order}:lose-reply")).await;
    }
    let unknown = Some(FailureKind::Unknown);
    let flight = desks.flights.reserve(&action("t", "flight", 1), &trip).await.unwrap();
    let hotel = desks.hotels.reserve(&action("t", "hotel", 1), &trip, &flight).await.unwrap();
    assert_eq!(kind(&desks.hotels.find(&action("t", "hotel", 2)).await), unknown);
    assert_eq!(kind(&desks.flights.issue_voucher(&action("t", "voucher", 1), &flight).await), unknown);
    assert_eq!(
        kind(&desks.cards.charge(&action("t", "receipt", 1), &trip.card, flight.price).await),
        unknown
    );
    assert_eq!(kind(&desks.hotels.cancel(&compensation("t", "hotel"), &hotel).await), unknown);
    assert_eq!(kind(&desks.flights.cancel(&compensation("t", "flight"), &flight).await), unknown);
    assert_eq!(world.held(ServiceKind::Card).await.len(), 1, "the charge was made");
    assert_eq!(world.held(ServiceKind::Hotel).await, [], "the rooms were given back");
}

#[tokio::test]
async fn where_nothing_listens_a_call_surely_had_no_effect() {
    let world = World::new().await;
    let desks = world.desks.clone();
    drop(world.services);
    let error = desks.flights.reserve(&action("t", "flight", 1), &trip("t")).await.unwrap_err();
    assert_eq!(kind::<()>(&Err(error.clone())), Some(FailureKind::Transient));
    assert!(error.to_string().starts_with("the flight service is not available: "), "{error}");
}
