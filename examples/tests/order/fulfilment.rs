//! All orders that ship with the example, on the services, with the approver, the table and the audit.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Parser;
use saga_examples::ending::{self, Ending};
use saga_examples::order::approver::Approver;
use saga_examples::order::audit::{Fulfilled, compare};
use saga_examples::order::desk::Desks;
use saga_examples::order::fulfil::{approve, register};
use saga_examples::order::fulfilment::Fulfilment;
use saga_examples::order::kind::ServiceKind;
use saga_examples::order::orders_file::shipped_orders;
use saga_examples::order::program::arguments::FulfilmentOptions;
use saga_examples::order::program::fulfil::fulfil;
use saga_examples::order::saga::FulfilOrder;
use saga_examples::service::addresses::AddressBook;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Coordinator, SagaId};
use tokio::task::JoinSet;

use super::support::{World, order};

/// What becomes of all shipped orders, whatever the services do meanwhile.
async fn fulfil_all(world: &World) -> BTreeMap<String, Ending<Fulfilment>> {
    let log = SqliteLog::open(world.directory.path().join("orders.db")).unwrap();
    let desks = Desks::new(world.services.addresses()).unwrap();
    let coordinator = register(Coordinator::builder(log), desks).start().await.unwrap();
    let orders = shipped_orders().unwrap();
    let approver = Approver::new(world.services.addresses(), &orders).unwrap();
    let office = coordinator.clone();
    let mut sagas = JoinSet::new();
    for order in orders.clone() {
        let coordinator = coordinator.clone();
        sagas.spawn(async move { ending::run::<FulfilOrder>(&coordinator, &order.id.clone(), order).await });
    }
    tokio::select! {
        _ = sagas.join_all() => {}
        () = approver.work(async |saga, approval| approve(&office, &saga, approval).await) => {}
    }
    let ids = orders.iter().map(|order| SagaId::new(&order.id).unwrap());
    ending::close_books::<FulfilOrder>(coordinator, ids).await
}

async fn check_audit(world: &World, endings: &BTreeMap<String, Ending<Fulfilment>>) {
    let owners = ending::owners(endings, |saga, fulfilment| Fulfilled {
        saga: saga.to_owned(),
        fulfilment: fulfilment.clone(),
    });
    let report = compare(&world.holdings().await, &owners);
    assert!(report.is_clean(), "{:?}", report.discrepancies);
}

#[tokio::test]
async fn the_shipped_orders_fail_at_each_possible_place() {
    let world = World::new().await;
    let endings = fulfil_all(&world).await;
    let count = |word: &str| endings.values().filter(|ending| ending.word() == word).count();
    assert_eq!((count("completed"), count("compensated")), (17, 15), "{endings:?}");
    for (reason, times) in [
        ("dock is out of stock", 2),
        ("headset is out of stock", 2),
        ("no shelf has fax-machine", 1),
        ("card-9001 is declined", 1),
        ("card-4404 is declined", 1),
        ("card-8000 is declined", 1),
        ("Rosa from the office has not approved the order", 2),
        ("no `approval` came in time", 2),
        ("no carrier delivers to NO", 1),
        ("Baltic Cargo SE takes no more parcels", 1),
        ("cannot deliver at PO Box 77", 1),
    ] {
        let found = endings.values().filter(|ending| ending.reason().contains(reason)).count();
        assert_eq!(found, times, "{reason}: {endings:?}");
    }
    let completed = endings.values().filter_map(|ending| match ending {
        Ending::Completed(fulfilment) => Some(fulfilment),
        _ => None,
    });
    assert_eq!(completed.clone().filter(|fulfilment| fulfilment.notice.is_none()).count(), 2);
    assert_eq!(completed.filter(|fulfilment| fulfilment.consent.is_some()).count(), 3);
    check_audit(&world, &endings).await;
}

/// Its child had done everything, and was held.
#[tokio::test]
async fn a_shipment_is_undone_with_its_order() {
    let world = World::new().await;
    let log = SqliteLog::open(world.directory.path().join("orders.db")).unwrap();
    let coordinator = register(Coordinator::builder(log), world.desks.clone()).start().await.unwrap();
    world.fault("payment:capture:refuse@refused").await;
    world.fault("shipping:void:lose-reply@refused").await;
    for (id, word) in [("paid", "completed"), ("refused", "compensated")] {
        let ending = ending::run::<FulfilOrder>(&coordinator, id, order(id)).await;
        assert_eq!(ending.word(), word, "{ending}");
    }
    let keys: Vec<String> =
        world.held(ServiceKind::Shipping).await.into_iter().map(|held| held.key).collect();
    let shipped =
        ["ShipOrder/paid/shipment/parcel", "ShipOrder/paid/shipment/label", "FulfilOrder/paid/dispatched"];
    assert_eq!(keys, shipped);
    let ids = ["paid", "refused"].map(|id| SagaId::new(id).unwrap());
    let endings = ending::close_books::<FulfilOrder>(coordinator, ids).await;
    check_audit(&world, &endings).await;
    assert_eq!(saga_examples::service::faults::left(world.services.addresses()).await.unwrap(), 0);
}

#[tokio::test]
async fn faults_of_every_kind_leave_nothing_behind() {
    let world = World::new().await;
    for fault in [
        "payment:authorize:lose-reply:3",
        "payment:void:die-after",
        "payment:capture:die-before:2",
        "payment:capture:refuse:2",
        "inventory:reserve:lose-reply:5",
        "inventory:reserve:die-after:2",
        "inventory:release:unavailable:3",
        "shipping:pack:drop:3",
        "shipping:label:lose-reply:2",
        "shipping:unpack:lose-reply",
        "shipping:dispatch:die-after",
        "notice:ask:lose-reply:2",
        "notice:notify:lose-reply:always",
    ] {
        world.fault(fault).await;
    }
    let endings = fulfil_all(&world).await;
    assert!(endings.values().all(Ending::is_end), "{endings:?}");
    check_audit(&world, &endings).await;
}

#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: FulfilmentOptions,
}

#[tokio::test]
async fn the_main_job_runs_on_services_that_run_already() {
    let world = World::new().await;
    let data = tempfile::tempdir().unwrap();
    let addresses = data.path().join("addresses.json");
    world.services.addresses().write(&addresses).unwrap();
    let addresses = addresses.to_str().unwrap().to_owned();
    let arguments = ["order_fulfilment", "--services", &addresses, "--data", data.path().to_str().unwrap()];
    let Arguments { options } = Arguments::parse_from(arguments);
    let code = fulfil(&options).await.unwrap();
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));

    let arguments = [&arguments[..], &["--crash-after", "lunch"]].concat();
    let error = fulfil(&Arguments::parse_from(arguments).options).await.unwrap_err();
    assert!(
        error.to_string().starts_with("there is no step `lunch` to crash after: write one of "),
        "{error}"
    );
}
