//! The four services keep what they promise: one effect per key, tombstones, bars, and clear errors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod support;

use saga_examples::travel::service::{Service, ServiceOptions};
use saga_examples::travel::stock::Stock;
use saga_examples::travel::trip::Card;
use saga_examples::travel::values::Cents;
use saga_examples::travel::wire::ServiceKind;

use self::support::{World, action, compensation, refusal, some_flight, trip, trip_as};

#[tokio::test]
async fn the_same_key_gets_the_same_answer_with_one_effect() {
    let world = World::new().await;
    let (trip, desks) = (trip("t"), &world.desks);
    let flight = desks.flights.reserve(&action("t", "flight", 1), &trip).await.unwrap();
    let car = desks.cars.reserve(&action("t", "car", 1), &trip, &flight).await.unwrap();
    let receipt = desks.cards.charge(&action("t", "receipt", 1), &trip.card, Cents(700)).await.unwrap();
    let voucher = desks.flights.issue_voucher(&action("t", "voucher", 1), &flight).await.unwrap();
    assert_eq!(flight, desks.flights.reserve(&action("t", "flight", 2), &trip).await.unwrap());
    assert_eq!(car, desks.cars.reserve(&action("t", "car", 2), &trip, &flight).await.unwrap());
    assert_eq!(
        receipt,
        desks.cards.charge(&action("t", "receipt", 2), &trip.card, Cents(700)).await.unwrap()
    );
    assert_eq!(voucher, desks.flights.issue_voucher(&action("t", "voucher", 2), &flight).await.unwrap());
    assert_eq!(world.remaining(ServiceKind::Flight, "SA 755").await, 18);
    assert_eq!(world.held(ServiceKind::Flight).await.len(), 2, "seats and a voucher");
    assert_eq!(world.held(ServiceKind::Car).await.len(), 1);
    assert_eq!(world.held(ServiceKind::Card).await[0].quantity, 700);
}

#[tokio::test]
async fn a_refusal_is_kept_under_its_key_too() {
    let world = World::new().await;
    let flights = &world.desks.flights;
    let athens = |id| trip_as(id, r#""party":3,"from":"VIE","to":"ATH","date":"2026-09-21","nights":3"#);
    let first = flights.reserve(&action("a", "flight", 1), &athens("a")).await.unwrap();
    let refused = refusal(flights.reserve(&action("b", "flight", 1), &athens("b")).await);
    assert_eq!(refused, "flight SA 318 is sold out: 0 seats left, 3 wanted");
    flights.cancel(&compensation("a", "flight"), &first).await.unwrap();
    assert_eq!(refusal(flights.reserve(&action("b", "flight", 2), &athens("b")).await), refused);
    flights.reserve(&action("c", "flight", 1), &athens("c")).await.unwrap();
}

#[tokio::test]
async fn a_key_stands_for_one_request_only() {
    let world = World::new().await;
    let (cards, card) = (&world.desks.cards, Card("card-2001".to_owned()));
    cards.charge(&action("t", "receipt", 1), &card, Cents(100)).await.unwrap();
    let reason = refusal(cards.charge(&action("t", "receipt", 2), &card, Cents(200)).await);
    assert_eq!(
        reason,
        "`BookTrip/t/receipt` stands for another request already: give each request a key of its own"
    );
    assert_eq!(world.held(ServiceKind::Card).await[0].quantity, 100);
}

#[tokio::test]
async fn a_cancellation_that_comes_first_bars_the_action() {
    let world = World::new().await;
    let (cars, flight) = (&world.desks.cars, some_flight());
    let given = cars.reserve(&action("other", "car", 1), &trip("other"), &flight).await.unwrap();
    for _ in 0..2 {
        cars.cancel(&compensation("t", "car"), &given).await.unwrap();
    }
    let reason = refusal(cars.reserve(&action("t", "car", 1), &trip("t"), &flight).await);
    assert_eq!(reason, "`BookTrip/t/car` was cancelled: it will not be done any more");
    assert_eq!(world.held(ServiceKind::Car).await.len(), 1, "what the other saga holds");
}

#[tokio::test]
async fn a_cancelled_action_gives_its_stock_back_and_does_not_come_again() {
    let world = World::new().await;
    let (flights, trip) = (&world.desks.flights, trip("t"));
    let flight = flights.reserve(&action("t", "flight", 1), &trip).await.unwrap();
    for _ in 0..3 {
        flights.cancel(&compensation("t", "flight"), &flight).await.unwrap();
    }
    refusal(flights.reserve(&action("t", "flight", 2), &trip).await);
    assert_eq!(world.remaining(ServiceKind::Flight, "SA 755").await, 20);
    assert_eq!(world.held(ServiceKind::Flight).await, []);
    let reason = refusal(flights.issue_voucher(&action("t", "voucher", 1), &flight).await);
    assert_eq!(reason, "the reservation flight-1 is cancelled");
}

#[tokio::test]
async fn the_hotel_is_careless_and_books_again() {
    let world = World::new().await;
    let (hotels, trip, flight) = (&world.desks.hotels, trip("t"), some_flight());
    let first = hotels.reserve(&action("t", "hotel", 1), &trip, &flight).await.unwrap();
    let second = hotels.reserve(&action("t", "hotel", 1), &trip, &flight).await.unwrap();
    assert_ne!(first.reservation, second.reservation);
    assert_eq!(hotels.find(&action("t", "hotel", 2)).await.unwrap().as_ref(), Some(&first));
    for _ in 0..2 {
        hotels.cancel(&compensation("t", "hotel"), &first).await.unwrap();
    }
    assert_eq!(hotels.find(&action("t", "hotel", 3)).await.unwrap().as_ref(), Some(&second));
    assert_eq!(world.remaining(ServiceKind::Hotel, "Hotel Karlova").await, 15);
    let unknown =
        saga_examples::travel::trip::HotelReservation { reservation: "hotel-99".to_owned(), ..first };
    let reason = refusal(hotels.cancel(&compensation("t", "hotel"), &unknown).await);
    assert_eq!(reason, "there is no reservation hotel-99");
}

#[tokio::test]
async fn a_probe_that_finds_nothing_bars_the_attempts_before_it() {
    let world = World::new().await;
    let (hotels, trip, flight) = (&world.desks.hotels, trip("t"), some_flight());
    assert_eq!(hotels.find(&action("t", "hotel", 3)).await.unwrap(), None);
    assert_eq!(hotels.find(&action("t", "hotel", 2)).await.unwrap(), None, "and lifts no bar");
    for late in [1, 2] {
        let reason = refusal(hotels.reserve(&action("t", "hotel", late), &trip, &flight).await);
        assert_eq!(
            reason,
            format!(
                "attempt {late} of `BookTrip/t/hotel` was probed meanwhile: it will not be done any more"
            )
        );
    }
    assert_eq!(world.held(ServiceKind::Hotel).await, []);
    hotels.reserve(&action("t", "hotel", 4), &trip, &flight).await.unwrap();
    hotels.reserve(&action("other", "hotel", 1), &trip, &flight).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_with_the_reason() {
    let world = World::new().await;
    let (desks, flight) = (&world.desks, some_flight());
    let parts = |to: &str| format!(r#""party":3,"from":"HAM","to":"{to}","date":"2026-10-12","nights":3"#);
    let (nowhere, dublin, venice) =
        (trip_as("n", &parts("XXX")), trip_as("d", &parts("DUB")), trip_as("v", &parts("VCE")));
    let reason = refusal(desks.flights.reserve(&action("n", "flight", 1), &nowhere).await);
    assert_eq!(reason, "no flight from HAM to XXX on 2026-10-12");
    let reason = refusal(desks.hotels.reserve(&action("n", "hotel", 1), &nowhere, &flight).await);
    assert_eq!(reason, "there is no hotel in XXX");
    let reason = refusal(desks.hotels.reserve(&action("d", "hotel", 1), &dublin, &flight).await);
    assert_eq!(reason, "Hotel Liffey is full from 2026-10-12: 0 rooms left, 2 wanted");
    let reason = refusal(desks.cars.reserve(&action("v", "car", 1), &venice, &flight).await);
    assert_eq!(reason, "no car left at Venezia Tessera on 2026-10-12");
    let charge = |saga: &'static str, card: &str, cents| {
        let card = Card(card.to_owned());
        async move { refusal(desks.cards.charge(&action(saga, "receipt", 1), &card, Cents(cents)).await) }
    };
    assert_eq!(charge("1", "card-0", 1).await, "card-0 is declined: there is no such card");
    assert_eq!(
        charge("2", "card-9001", 30_001).await,
        "card-9001 is declined: 300.01 wanted, 300.00 left of its limit"
    );
    assert_eq!(
        charge("3", "card-9001", -5).await,
        "-0.05 cannot be charged: ask for 0.01 or more",
        "no money is made"
    );
    let reason = refusal(desks.flights.issue_voucher(&action("n", "voucher", 1), &flight).await);
    assert_eq!(reason, "there is no reservation flight-1");
}

#[tokio::test]
async fn everything_survives_the_end_of_the_service() {
    let world = World::new().await;
    let (trip, flight) = (trip("t"), some_flight());
    let car = world.desks.cars.reserve(&action("t", "car", 1), &trip, &flight).await.unwrap();
    world.desks.hotels.find(&action("t", "hotel", 2)).await.unwrap();
    world.fault("card:charge:unavailable").await;
    let world = world.restart().await;
    assert_eq!(world.desks.cars.reserve(&action("t", "car", 2), &trip, &flight).await.unwrap(), car);
    assert_eq!(world.remaining(ServiceKind::Car, "Praha Letiště").await, 15, "stocked once only");
    refusal(world.desks.hotels.reserve(&action("t", "hotel", 1), &trip, &flight).await);
    let charge = world.desks.cards.charge(&action("t", "receipt", 1), &trip.card, Cents(1)).await;
    assert!(charge.unwrap_err().to_string().contains("not available"));
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_refused_with_the_mend() {
    let world = World::new().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/reservations", world.services.addresses().car);
    let answer = http.post(&url).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert_eq!(
        answer.text().await.unwrap(),
        r#"{"reason":"the header `attempt` is missing: send it with each call"}"#
    );
    let call = http
        .post(&url)
        .header("attempt", "1")
        .header("idempotency-key", "k")
        .header("saga-id", "s")
        .body("{");
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status(), 422);
    let text = answer.text().await.unwrap();
    assert!(text.contains("this is no request to reserve: EOF while parsing"), "{text}");
    let faults = format!("{}/faults", world.services.addresses().car);
    let fault = r#"{"operation":"probe","kind":"drop"}"#;
    let text = http.post(faults).body(fault).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("the car service has no operation `probe`: it has reserve, cancel"), "{text}");
}

#[tokio::test]
async fn a_service_that_cannot_serve_says_why_and_the_mend() {
    let directory = tempfile::tempdir().unwrap();
    let stock = Stock::shipped().unwrap();
    let options = |service, name: &str, port| ServiceOptions {
        service,
        database: directory.path().join(name),
        port,
        stock: stock.clone(),
    };
    let first = Service::bind(&options(ServiceKind::Hotel, "hotel.db", 0)).await.unwrap();
    let address = first.address().unwrap();
    let error =
        Service::bind(&options(ServiceKind::Car, "car.db", address.port())).await.unwrap_err().to_string();
    assert!(error.contains(&format!("cannot listen on {address}")) && error.contains("--port"), "{error}");

    std::fs::write(
        directory.path().join("text.db"),
        "no database at all, but long enough to be looked at".repeat(99),
    )
    .unwrap();
    let newer = rusqlite::Connection::open(directory.path().join("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();
    let older = rusqlite::Connection::open(directory.path().join("older.db")).unwrap();
    older.pragma_update(None, "user_version", 1).unwrap();
    let other = rusqlite::Connection::open(directory.path().join("other.db")).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    for (name, expected) in [
        ("text.db", "this file is no database: move it away"),
        ("newer.db", "its schema has version 7, and this program knows up to 2"),
        ("older.db", "its schema has version 1, and this program has 2: move it away"),
        ("hotel.db", "it belongs to the hotel service: give each service a file of its own"),
        ("other.db", "it belongs to another program"),
        ("missing/car.db", "unable to open database file"),
    ] {
        let error = Service::bind(&options(ServiceKind::Car, name, 0)).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(name), "{error}");
    }
}
