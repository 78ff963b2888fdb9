//! The audit finds what does not add up, to the unit, and says where.

use saga_examples::order::audit::{Fulfilled, Owners, compare};
use saga_examples::order::kind::ServiceKind;
use saga_examples::service::wire::Holdings;

use super::support::{World, action, order};

async fn two_orders() -> (Vec<Holdings<ServiceKind>>, Vec<Fulfilled>) {
    let world = World::new().await;
    let mut fulfilled = Vec::new();
    for id in ["a", "b"] {
        let fulfilment = world.fulfil(&order(id)).await.unwrap();
        fulfilled.push(Fulfilled { saga: id.to_owned(), fulfilment });
    }
    (world.holdings().await, fulfilled)
}

fn owners(fulfilled: &[Fulfilled]) -> Owners {
    Owners { completed: fulfilled.to_vec(), ..Owners::default() }
}

#[track_caller]
fn check(holdings: &[Holdings<ServiceKind>], fulfilled: &[Fulfilled], expected: &[&str]) {
    let report = compare(holdings, &owners(fulfilled));
    assert_eq!(report.discrepancies.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_is_held_is_what_is_owned() {
    let (holdings, fulfilled) = two_orders().await;
    check(&holdings, &fulfilled, &[]);
    let report = compare(&holdings, &owners(&fulfilled));
    let sums: Vec<_> = (report.totals.iter())
        .map(|total| (total.service.to_string(), total.initial - total.remaining, total.held, total.owned))
        .collect();
    let sum = |service: &str, number| (service.to_owned(), number, number, number);
    assert_eq!(sums, [sum("payment", 27_700), sum("inventory", 10), sum("shipping", 2), sum("notice", 2)]);
    let made: Vec<_> =
        report.totals[2].made.iter().map(|made| (made.what.name(), made.held, made.owned)).collect();
    assert_eq!(made, [("label", 2, 2), ("handover", 2, 2)]);
}

#[tokio::test]
async fn what_nobody_owns_has_leaked() {
    let (holdings, fulfilled) = two_orders().await;
    check(
        &holdings,
        &fulfilled[..1],
        &[
            "payment service: payment-4 is held, and no completed order owns it: payment of 13850 × card-3001 for 138.50 (saga b, key FulfilOrder/b/payment)",
            "inventory service: inventory-3 is held, and no completed order owns it: pick of 2 × A-01 for 0.00 (saga b, key FulfilOrder/b/pick-0)",
            "inventory service: inventory-4 is held, and no completed order owns it: pick of 3 × D-01 for 0.00 (saga b, key FulfilOrder/b/pick-1)",
            "shipping service: shipping-4 is held, and no completed order owns it: parcel of 1 × Alpine Parcel CH for 7.90 (saga b, key FulfilOrder/b/parcel)",
            "shipping service: shipping-5 is held, and no completed order owns it: label of 1 × shipping-4 for 0.00 (saga b, key FulfilOrder/b/label)",
            "shipping service: shipping-6 is held, and no completed order owns it: handover of 1 × shipping-4 for 0.00 (saga b, key FulfilOrder/b/dispatched)",
            "notice service: notice-2 is held, and no completed order owns it: notice of 1 × example.com for 0.00 (saga b, key FulfilOrder/b/notice)",
        ],
    );
}

#[tokio::test]
async fn an_authorization_that_was_neither_taken_nor_given_up_has_leaked() {
    let world = World::new().await;
    let order = order("a");
    world.desks.payments.authorize(&action("a", "authorization", 1), &order).await.unwrap();
    check(
        &world.holdings().await,
        &[],
        &[
            "payment service: payment-1 is held, and no completed order owns it: authorization of 13850 × card-3001 for 138.50 (saga a, key FulfilOrder/a/authorization)",
        ],
    );
    let mut owners = owners(&[]);
    owners.unfinished.insert("a".to_owned(), "parked");
    let report = compare(&world.holdings().await, &owners);
    assert!(report.is_unfinished() && !report.is_clean());
}

#[tokio::test]
async fn one_unit_too_many_or_too_few_is_found() {
    let (mut holdings, mut fulfilled) = two_orders().await;
    fulfilled[0].fulfilment.picks[1].quantity += 1;
    holdings[2].stock.iter_mut().find(|level| level.item == "Alpine Parcel CH").unwrap().remaining += 1;
    check(
        &holdings,
        &fulfilled,
        &[
            "inventory service: inventory-2 is held as pick of 3 × D-01 for 0.00, and owned as pick of 4 × D-01 for 0.00 (saga a, key FulfilOrder/a/pick-1)",
            "shipping service: Alpine Parcel CH had 40; 2 held and 39 left make 41",
        ],
    );
}

#[tokio::test]
async fn a_message_whose_reply_was_lost_may_have_been_sent_and_may_not() {
    let (mut holdings, mut fulfilled) = two_orders().await;
    let known = fulfilled[1].fulfilment.notice.take();
    check(&holdings, &fulfilled, &[]);
    holdings[3].held.clear();
    for level in &mut holdings[3].stock {
        level.remaining = level.initial;
    }
    fulfilled[0].fulfilment.notice = None;
    check(&holdings, &fulfilled, &[]);
    fulfilled[1].fulfilment.notice = known;
    check(
        &holdings,
        &fulfilled,
        &[
            "notice service: notice-2 is owned by a completed order, and not held for it: notice of 1 × example.com for 0.00 (saga b)",
        ],
    );
}
