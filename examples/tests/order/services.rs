//! The four services keep what they promise: one effect per key, tombstones, stock that comes back, clear errors.

use saga_examples::money::{Card, Cents};
use saga_examples::order::approver::Approver;
use saga_examples::order::fulfilment::{Authorization, Pick, Shipment};
use saga_examples::order::kind::{Operation, ServiceKind};
use saga_examples::service::ServiceKind as _;
use saga_runtime::FailureKind;

use super::support::{PICKS, World, action, compensation, kind, order, order_as, refusal};

#[tokio::test]
async fn the_same_key_gets_the_same_answer_with_one_effect() {
    let world = World::new().await;
    let (first, order) = (world.fulfil(&order("o")).await.unwrap(), order("o"));
    assert_eq!(world.fulfil(&order).await.unwrap(), first, "the whole order once more");
    assert_eq!(world.remaining(ServiceKind::Inventory, "A-01").await, 38);
    assert_eq!(world.remaining(ServiceKind::Inventory, "D-01").await, 9);
    assert_eq!(world.remaining(ServiceKind::Shipping, "Alpine Parcel CH").await, 39);
    assert_eq!(world.remaining(ServiceKind::Payment, "card-3001").await, 500_000 - 13_850);
    assert_eq!(world.remaining(ServiceKind::Notice, "example.com").await, 499);
    let held = async |service| world.held(service).await.len();
    assert_eq!(held(ServiceKind::Payment).await, 1, "the authorization has become the payment");
    assert_eq!(held(ServiceKind::Shipping).await, 3, "a parcel, its label, and that it is on its way");
}

#[tokio::test]
async fn a_refusal_is_kept_under_its_key_too() {
    let world = World::new().await;
    let headsets = |id| order_as(id, "CH", r#"{"sku":"headset","quantity":3,"price":1}"#);
    let (first, second) = (headsets("a"), headsets("b"));
    let pick = world.pick(&first, 0).await.unwrap();
    let refused = refusal(world.pick(&second, 0).await);
    assert_eq!(refused, "headset is out of stock: 0 units left on shelf A-04, 3 wanted");
    world.desks.inventory.release(&compensation("a", PICKS[0]), &pick).await.unwrap();
    assert_eq!(refusal(world.pick(&second, 0).await), refused);
    world.pick(&headsets("c"), 0).await.unwrap();
}

#[tokio::test]
async fn units_come_from_a_shelf_that_has_enough() {
    let world = World::new().await;
    let cables = |id: &str, quantity: i64| {
        order_as(id, "CH", &format!(r#"{{"sku":"cable-usb-c","quantity":{quantity},"price":1}}"#))
    };
    for (id, quantity, shelf) in [("a", 10, "D-01"), ("b", 10, "D-02"), ("c", 2, "D-01"), ("d", 3, "D-02")] {
        assert_eq!(world.pick(&cables(id, quantity), 0).await.unwrap().shelf, shelf);
    }
}

#[tokio::test]
async fn a_compensation_that_comes_first_bars_the_action() {
    let world = World::new().await;
    let (desks, order) = (&world.desks, order("o"));
    let pick =
        Pick { pick: String::new(), sku: order.lines[0].sku.clone(), shelf: String::new(), quantity: 1 };
    let authorization =
        Authorization { authorization: String::new(), card: order.card.clone(), amount: Cents(1) };
    for _ in 0..2 {
        desks.inventory.release(&compensation("o", PICKS[0]), &pick).await.unwrap();
        desks.payments.void(&compensation("o", "authorization"), &authorization).await.unwrap();
    }
    assert_eq!(
        refusal(world.pick(&order, 0).await),
        "`FulfilOrder/o/pick-0` was cancelled: it will not be done any more"
    );
    refusal(desks.payments.authorize(&action("o", "authorization", 1), &order).await);
    assert_eq!(world.held(ServiceKind::Inventory).await, []);
    assert_eq!(world.held(ServiceKind::Payment).await, []);
}

#[tokio::test]
async fn everything_before_the_pivot_can_be_undone_and_does_not_come_again() {
    let world = World::new().await;
    let (desks, order) = (&world.desks, order("o"));
    let cx = |step| action("o", step, 1);
    let authorization = desks.payments.authorize(&cx("authorization"), &order).await.unwrap();
    let pick = world.pick(&order, 0).await.unwrap();
    let picks = [pick.clone()];
    let parcel = desks.shipping.pack(&cx("parcel"), &order, &picks).await.unwrap();
    let label = desks.shipping.label(&cx("label"), &order, &parcel).await.unwrap();
    for _ in 0..2 {
        desks.shipping.void_label(&compensation("o", "label"), &order, &label).await.unwrap();
        desks.shipping.unpack(&compensation("o", "parcel"), &parcel).await.unwrap();
        desks.inventory.release(&compensation("o", PICKS[0]), &pick).await.unwrap();
        desks.payments.void(&compensation("o", "authorization"), &authorization).await.unwrap();
    }
    for of in world.holdings().await {
        assert_eq!(of.held, [], "{} holds something", of.service);
        assert!(of.stock.iter().all(|level| level.remaining == level.initial), "{}", of.service);
    }
    refusal(desks.payments.authorize(&cx("authorization"), &order).await);
    refusal(desks.shipping.pack(&cx("parcel"), &order, &picks).await);
    assert_eq!(
        refusal(desks.payments.capture(&cx("payment"), &authorization).await),
        "the authorization payment-1 is given up, or taken already"
    );
    assert_eq!(
        refusal(desks.shipping.dispatch(&cx("dispatched"), &Shipment { parcel, label }).await),
        "there is no parcel shipping-1"
    );
}

#[tokio::test]
async fn what_is_behind_the_point_of_no_return_is_not_undone_silently() {
    let world = World::new().await;
    let done = world.fulfil(&order("o")).await.unwrap();
    let desks = &world.desks;
    let authorization = Authorization {
        authorization: "payment-1".to_owned(),
        card: done.payment.card.clone(),
        amount: done.payment.amount,
    };
    assert_eq!(
        refusal(desks.payments.void(&compensation("o", "authorization"), &authorization).await),
        "the money of `FulfilOrder/o/authorization` is taken already: it can only be paid back"
    );
    let on_its_way = "the parcel shipping-1 is on its way";
    let Shipment { parcel, label } = &done.shipment;
    assert_eq!(refusal(desks.shipping.unpack(&compensation("o", "parcel"), parcel).await), on_its_way);
    assert_eq!(
        refusal(desks.shipping.void_label(&compensation("o", "label"), &order("o"), label).await),
        on_its_way
    );
    assert_eq!(world.held(ServiceKind::Shipping).await.len(), 3);
    assert_eq!(
        refusal(desks.payments.capture(&action("o", "twice", 1), &authorization).await),
        "the authorization payment-1 is given up, or taken already"
    );
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_with_the_reason() {
    let world = World::new().await;
    let desks = &world.desks;
    let authorize = |id: &'static str, card: &str| {
        let order = saga_examples::order::orders::Order { card: Card(card.to_owned()), ..order(id) };
        async move { refusal(desks.payments.authorize(&action(id, "authorization", 1), &order).await) }
    };
    assert_eq!(authorize("a", "card-0").await, "card-0 is declined: there is no such card");
    world.fulfil(&order_as("big", "CH", r#"{"sku":"desk-lamp","quantity":1,"price":490000}"#)).await.unwrap();
    assert_eq!(
        authorize("b", "card-3001").await,
        "card-3001 is declined: 138.50 wanted, 100.00 left of its limit"
    );
    let fax = order_as("f", "CH", r#"{"sku":"fax-machine","quantity":1,"price":1}"#);
    assert_eq!(refusal(world.pick(&fax, 0).await), "no shelf has fax-machine");
    let pick = world.pick(&order("p"), 0).await.unwrap();
    let picks = [pick];
    let pack = |id: &'static str, country: &'static str| {
        let (order, picks) = (order_as(id, country, ""), &picks);
        async move { desks.shipping.pack(&action(id, "parcel", 1), &order, picks).await }
    };
    assert_eq!(refusal(pack("n", "NO").await), "no carrier delivers to NO");
    assert_eq!(refusal(pack("s", "SE").await), "Baltic Cargo SE takes no more parcels");
    let parcel = pack("c", "CH").await.unwrap();
    let mut boxed = order("c");
    boxed.destination.street = "PO Box 7".to_owned();
    let label = desks.shipping.label(&action("c", "label", 1), &boxed, &parcel).await;
    assert_eq!(refusal(label), "Alpine Parcel CH cannot deliver at PO Box 7: it needs a street");
    let other = Shipment {
        label: desks.shipping.label(&action("c", "label-2", 1), &order("c"), &parcel).await.unwrap(),
        parcel: pack("d", "CH").await.unwrap(),
    };
    assert_eq!(
        refusal(desks.shipping.dispatch(&action("d", "dispatched", 1), &other).await),
        "the parcel shipping-6 has no label shipping-5"
    );
    let mut unreachable = order("m");
    unreachable.mail = "ada@example.org".parse().unwrap();
    let told = desks.notices.order_shipped(&action("m", "notice", 1), &unreachable, &other).await;
    assert_eq!(refusal(told), "the gateway of example.org is down: it takes no messages");
}

#[tokio::test]
async fn a_question_comes_into_the_inbox_once() {
    let world = World::new().await;
    let order = order("o");
    let ask = |attempt| {
        let (notices, order) = (&world.desks.notices, &order);
        async move { notices.ask_for_approval(&action("o", "request", attempt), order).await }
    };
    assert_eq!(ask(1).await.unwrap(), ask(2).await.unwrap());
    let approver = Approver::new(world.services.addresses(), &[]).unwrap();
    let questions = approver.look().await.unwrap();
    let question = format!("{:?}", questions[0]);
    assert_eq!(questions.len(), 1);
    assert_eq!((&*questions[0].saga, questions[0].total), ("o", Cents(13_850)), "{question}");
    assert_eq!(world.held(ServiceKind::Notice).await, [], "nothing is held for anybody");
}

#[tokio::test]
async fn everything_survives_the_end_of_the_services() {
    let world = World::new().await;
    let order = order("o");
    let done = world.fulfil(&order).await.unwrap();
    world.desks.notices.ask_for_approval(&action("o", "request", 1), &order).await.unwrap();
    world.fault("payment:authorize:unavailable").await;
    let world = world.restart().await;
    let authorize = world.desks.payments.authorize(&action("other", "authorization", 1), &order).await;
    assert_eq!(kind(&authorize), Some(FailureKind::Transient), "the fault was kept");
    assert_eq!(world.fulfil(&order).await.unwrap(), done);
    assert_eq!(Approver::new(world.services.addresses(), &[]).unwrap().look().await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_operation_of_every_service_can_be_made_to_fail() {
    let world = World::new().await;
    for service in ServiceKind::ALL {
        for operation in service.operations() {
            world.fault(&format!("{service}:{operation}:lose-reply")).await;
        }
    }
    let unknown = Some(FailureKind::Unknown);
    let (desks, order) = (&world.desks, order("o"));
    let cx = |step, attempt| action("o", step, attempt);
    assert_eq!(kind(&desks.payments.authorize(&cx("authorization", 1), &order).await), unknown);
    let authorization = desks.payments.authorize(&cx("authorization", 2), &order).await.unwrap();
    assert_eq!(kind(&world.pick(&order, 0).await), unknown);
    let picks = [world.pick(&order, 0).await.unwrap()];
    assert_eq!(kind(&desks.notices.ask_for_approval(&cx("request", 1), &order).await), unknown);
    assert_eq!(kind(&desks.shipping.pack(&cx("parcel", 1), &order, &picks).await), unknown);
    let parcel = desks.shipping.pack(&cx("parcel", 2), &order, &picks).await.unwrap();
    assert_eq!(kind(&desks.shipping.label(&cx("label", 1), &order, &parcel).await), unknown);
    let label = desks.shipping.label(&cx("label", 2), &order, &parcel).await.unwrap();
    assert_eq!(kind(&desks.shipping.void_label(&compensation("o", "label"), &order, &label).await), unknown);
    assert_eq!(kind(&desks.shipping.unpack(&compensation("o", "parcel"), &parcel).await), unknown);
    assert_eq!(world.held(ServiceKind::Shipping).await, [], "undone, though nothing said so");
    assert_eq!(kind(&desks.inventory.release(&compensation("o", PICKS[0]), &picks[0]).await), unknown);
    assert_eq!(kind(&desks.payments.capture(&cx("payment", 1), &authorization).await), unknown);
    let shipment = Shipment { parcel, label };
    assert_eq!(kind(&desks.shipping.dispatch(&cx("dispatched", 1), &shipment).await), unknown);
    assert_eq!(kind(&desks.notices.order_shipped(&cx("notice", 1), &order, &shipment).await), unknown);
    assert_eq!(
        kind(&desks.payments.void(&compensation("o", "authorization"), &authorization).await),
        unknown
    );
    let left = saga_examples::service::faults::left(world.services.addresses()).await.unwrap();
    assert_eq!(left, 0);
    assert_eq!(Operation::ALL.len(), 11);
}
