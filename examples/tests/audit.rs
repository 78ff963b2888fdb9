//! The audit finds what does not add up, to the unit, and says where.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod support;

use saga_examples::travel::audit::{Booked, Owners, audit, compare, fetch_holdings};
use saga_examples::travel::trip::{Itinerary, Trip, total};
use saga_examples::travel::values::Cents;
use saga_examples::travel::wire::Holdings;

use self::support::{World, action, compensation, trip};

async fn book(world: &World, trip: &Trip) -> Booked {
    let (desks, cx) = (&world.desks, |step| action(&trip.id, step, 1));
    let flight = desks.flights.reserve(&cx("flight"), trip).await.unwrap();
    let hotel = desks.hotels.reserve(&cx("hotel"), trip, &flight).await.unwrap();
    let mut car = None;
    if trip.wants_car {
        car = Some(desks.cars.reserve(&cx("car"), trip, &flight).await.unwrap());
    }
    let price = total(&flight, &hotel, car.as_ref());
    let receipt = desks.cards.charge(&cx("receipt"), &trip.card, price).await.unwrap();
    let voucher = desks.flights.issue_voucher(&cx("voucher"), &flight).await.unwrap();
    Booked { saga: trip.id.clone(), itinerary: Itinerary { flight, hotel, car, receipt, voucher } }
}

async fn booked_world() -> (Vec<Holdings>, Vec<Booked>) {
    let world = World::new().await;
    let booked = vec![book(&world, &trip("a")).await, book(&world, &trip("b")).await];
    (fetch_holdings(world.services.addresses()).await.unwrap(), booked)
}

fn owners(booked: &[Booked]) -> Owners {
    Owners { completed: booked.to_vec(), ..Owners::default() }
}

#[track_caller]
fn check(holdings: &[Holdings], booked: &[Booked], expected: &[&str]) {
    let report = compare(holdings, &owners(booked));
    assert_eq!(report.discrepancies.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    assert_eq!(report.is_clean(), expected.is_empty());
}

#[tokio::test]
async fn what_is_held_is_what_is_owned() {
    let (holdings, booked) = booked_world().await;
    check(&holdings, &booked, &[]);
    let sums: Vec<_> = (compare(&holdings, &owners(&booked)).totals.iter())
        .map(|total| (total.service.to_string(), total.initial - total.remaining, total.held, total.owned))
        .collect();
    let sum = |service: &str, number| (service.to_owned(), number, number, number);
    assert_eq!(sums, [sum("flight", 4), sum("hotel", 2), sum("car", 2), sum("card", 112_800)]);
}

#[tokio::test]
async fn what_nobody_owns_has_leaked() {
    let (holdings, booked) = booked_world().await;
    check(
        &holdings,
        &booked[..1],
        &[
            "flight service: flight-3 is held, and no completed trip owns it: reservation of 2 × SA 755 for 198.00 (saga b, key BookTrip/b/flight)",
            "flight service: flight-4 is held, and no completed trip owns it: voucher of 1 × flight-3 for 0.00 (saga b, key BookTrip/b/voucher)",
            "hotel service: hotel-2 is held, and no completed trip owns it: reservation of 1 × Hotel Karlova for 267.00 (saga b, key BookTrip/b/hotel)",
            "car service: car-2 is held, and no completed trip owns it: reservation of 1 × Praha Letiště for 99.00 (saga b, key BookTrip/b/car)",
            "card service: card-2 is held, and no completed trip owns it: charge of 56400 × card-2001 for 564.00 (saga b, key BookTrip/b/receipt)",
        ],
    );
}

#[tokio::test]
async fn what_is_held_for_a_saga_that_has_not_ended_is_named_as_such() {
    let (holdings, booked) = booked_world().await;
    let mut owners = owners(&booked[..1]);
    owners.unfinished.insert("b".to_owned(), "parked");
    let report = compare(&holdings, &owners);
    assert!(!report.is_clean() && report.is_unfinished());
    assert_eq!(report.discrepancies.len(), 5);
    assert_eq!(
        report.discrepancies[3].to_string(),
        "car service: car-2 is held for a trip that is parked: reservation of 1 × Praha Letiště for 99.00 (saga b, key BookTrip/b/car)"
    );
}

#[tokio::test]
async fn what_is_not_held_any_more_is_lost() {
    let world = World::new().await;
    let booked = [book(&world, &trip("a")).await];
    let car = booked[0].itinerary.car.as_ref().unwrap();
    world.desks.cars.cancel(&compensation("a", "car"), car).await.unwrap();
    let report = audit(world.services.addresses(), &owners(&booked)).await.unwrap();
    assert_eq!(report.discrepancies.len(), 1);
    assert_eq!(
        report.discrepancies[0].to_string(),
        "car service: car-1 is owned by a completed trip, and not held for it: reservation of 1 × Praha Letiště for 99.00 (saga a)"
    );
}

#[tokio::test]
async fn one_unit_too_many_or_too_few_is_found() {
    let (mut holdings, mut booked) = booked_world().await;
    booked[0].itinerary.receipt.amount = Cents(56_399);
    holdings[1].stock.iter_mut().find(|level| level.item == "Hotel Karlova").unwrap().remaining += 1;
    check(
        &holdings,
        &booked,
        &[
            "hotel service: Hotel Karlova had 16; 2 held and 15 left make 17",
            "card service: card-1 is held as charge of 56400 × card-2001 for 564.00, and owned as charge of 56399 × card-2001 for 563.99 (saga a, key BookTrip/a/receipt)",
        ],
    );
}

#[tokio::test]
async fn a_reservation_of_another_saga_is_not_ones_own() {
    let (holdings, mut booked) = booked_world().await;
    let (one, two) = booked.split_at_mut(1);
    std::mem::swap(&mut one[0].itinerary.car, &mut two[0].itinerary.car);
    let report = compare(&holdings, &owners(&booked));
    assert_eq!(report.discrepancies.len(), 4, "two lost, two leaked: {:?}", report.discrepancies);
}

#[tokio::test]
async fn a_service_that_does_not_answer_fails_the_audit() {
    let world = World::new().await;
    let addresses = world.services.addresses().clone();
    drop(world.services);
    let error = audit(&addresses, &Owners::default()).await.unwrap_err().to_string();
    assert!(error.starts_with("the flight service does not tell what it holds: "), "{error}");

    let world = World::new().await;
    let mut swapped = world.services.addresses().clone();
    std::mem::swap(&mut swapped.car, &mut swapped.card);
    let error = audit(&swapped, &Owners::default()).await.unwrap_err().to_string();
    assert!(
        error.contains("the car service does not tell") && error.contains("is the card service"),
        "{error}"
    );
}
