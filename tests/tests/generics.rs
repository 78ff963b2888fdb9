//! Sagas whose data uses parameters: each is a saga of its own in the log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a bank answers at once")]

use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

use saga_runtime::definition::StandsFor;
use saga_runtime::log::{MemoryLog, SagaLog, SqliteLog};
use saga_runtime::machine::Cause;
use saga_runtime::{
    BeginError, Begun, Compensatable, Context, Coordinator, Handle, Keyed, Outcome, RunsOn, Saga, SagaData,
    SagaId, SagaParameter, SagaStatus, StartError, StepError, saga,
};
use serde::{Deserialize, Serialize};

/// An amount of some currency. Neither `Clone` nor `Debug`: data need not be.
trait Money: SagaData {
    fn of(cents: u64) -> Self;
    fn cents(&self) -> u64;
}

macro_rules! currencies {
    ($($name:ident)*) => {
        $(
            #[derive(Serialize, Deserialize, PartialEq)]
            struct $name(u64);

            impl SagaParameter for $name {
                const NAME: &'static str = stringify!($name);
            }

            impl Money for $name {
                fn of(cents: u64) -> Self {
                    Self(cents)
                }

                fn cents(&self) -> u64 {
                    self.0
                }
            }
        )*
    };
}

currencies!(Eur Usd);

#[derive(Serialize, Deserialize)]
struct Debit<M> {
    amount: M,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Receipt<M> {
    cents: u64,
    parts: Vec<u64>,
    currency: PhantomData<M>,
}

#[derive(Serialize, Deserialize)]
struct Fee<const PARTS: u64>(u64);

#[derive(Debug, thiserror::Error, StepError)]
#[error("refused")]
#[outcome(refused)]
struct Refused;

trait Bank<M>: Keyed + Send + Sync + 'static {
    fn debit(&self, cx: &Context, amount: &M) -> impl Future<Output = Result<Debit<M>, Refused>> + Send;
    fn refund(&self, cx: &Context, debit: &Debit<M>) -> impl Future<Output = Result<(), Refused>> + Send;
    fn pay(&self, cx: &Context, cents: u64) -> impl Future<Output = Result<u64, Refused>> + Send;
    fn take_back(&self, cx: &Context) -> impl Future<Output = Result<(), Refused>> + Send;
}

/// Notes what it is asked for.
#[derive(Clone, Default)]
struct House {
    notes: Arc<Mutex<Vec<String>>>,
    refuses: &'static str,
}

impl House {
    fn note(&self, cx: &Context) -> Result<(), Refused> {
        let key = cx.key().as_str().rsplit('/').next().unwrap_or_default().to_owned();
        let is_refused = key == self.refuses;
        self.notes.lock().unwrap().push(key);
        if is_refused { Err(Refused) } else { Ok(()) }
    }

    fn notes(&self) -> String {
        std::mem::take(&mut *self.notes.lock().unwrap()).join(" ")
    }
}

impl Keyed for House {}

impl<M: Money> Bank<M> for House {
    async fn debit(&self, cx: &Context, amount: &M) -> Result<Debit<M>, Refused> {
        self.note(cx)?;
        Ok(Debit { amount: M::of(amount.cents()) })
    }

    async fn refund(&self, cx: &Context, debit: &Debit<M>) -> Result<(), Refused> {
        assert!(debit.amount.cents() > 0);
        self.note(cx)
    }

    async fn pay(&self, cx: &Context, cents: u64) -> Result<u64, Refused> {
        self.note(cx)?;
        Ok(cents)
    }

    async fn take_back(&self, cx: &Context) -> Result<(), Refused> {
        self.note(cx)
    }
}

saga! {
    /// Moves an amount in parts, once it is approved.
    saga Transfer<M: Money, B: Bank<M>, const PARTS: u64>(amount: M) -> Receipt<M> {
        with bank: B;
        step debit: Debit<M> = bank.debit(cx, amount) compensate bank.refund(cx, debit);
        receive limit: M within 24h;
        if debit.amount.cents() > limit.cents() {
            step fee: Fee<PARTS> = async { bank.pay(cx, PARTS).await.map(Fee) }
                compensate bank.take_back(cx);
        }
        parallel for part: M in (0..PARTS).map(|part| M::of(debit.amount.cents() / PARTS + part)) limit 1 {
            step paid: u64 = bank.pay(cx, part.cents()) compensate bank.take_back(cx);
        }
        pivot booked: u64 = bank.pay(cx, paid.iter().sum());
        return Receipt { cents: booked, parts: paid, currency: PhantomData };
    }
}

type InEur<const PARTS: u64> = Transfer<Eur, House, PARTS>;
type InUsd<const PARTS: u64> = Transfer<Usd, House, PARTS>;

fn at(bank: &House) -> TransferParticipants<House> {
    TransferParticipants { bank: bank.clone() }
}

async fn begun<S: Saga>(coordinator: &Coordinator, id: &str, input: S::Input) -> Handle<S> {
    match coordinator.begin::<S>(id, input).await.unwrap() {
        Begun::Started(handle) | Begun::Attached(handle) => handle,
        Begun::Finished(_) => panic!("it has not ended"),
    }
}

async fn both(log: impl SagaLog, eur: &House, usd: &House) -> Coordinator {
    let builder = Coordinator::builder(log).register::<InEur<2>>(at(eur)).register::<InUsd<2>>(at(usd));
    builder.start().await.unwrap()
}

#[tokio::test]
async fn two_of_one_saga_run_side_by_side_and_go_on_as_themselves_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("transfers.db");
    let (eur, usd) = (House::default(), House { refuses: "booked", ..House::default() });
    let coordinator = both(SqliteLog::open(&path).unwrap(), &eur, &usd).await;
    begun::<InEur<2>>(&coordinator, "in-eur", Eur(10)).await;
    begun::<InUsd<2>>(&coordinator, "in-usd", Usd(10)).await;
    // Both wait for the limit.
    while eur.notes.lock().unwrap().is_empty() || usd.notes.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    coordinator.shutdown().await;

    let coordinator = both(SqliteLog::open(&path).unwrap(), &eur, &usd).await;
    assert!(coordinator.recovery().unclaimed.is_empty());
    let (in_eur, in_usd) = (SagaId::new("in-eur").unwrap(), SagaId::new("in-usd").unwrap());
    let Some(Begun::Attached(in_eur)) = coordinator.find::<InEur<2>>(&in_eur).await.unwrap() else {
        panic!()
    };
    let Some(Begun::Attached(in_usd)) = coordinator.find::<InUsd<2>>(&in_usd).await.unwrap() else {
        panic!()
    };
    in_eur.send(TransferSignal::Limit(Eur(10))).await.unwrap();
    in_usd.send(TransferSignal::Limit(Usd(5))).await.unwrap();
    let receipt = Receipt { cents: 11, parts: vec![5, 6], currency: PhantomData };
    assert!(matches!(in_eur.outcome().await, Ok(Outcome::Completed(paid)) if paid == receipt));
    assert!(matches!(in_usd.outcome().await, Ok(Outcome::Compensated(Cause::Refused { .. }))));
    assert_eq!(eur.notes(), "debit paid[0] paid[1] booked");
    let compensated = "paid[1].compensate paid[0].compensate fee.compensate debit.compensate";
    assert_eq!(usd.notes(), format!("debit fee paid[0] paid[1] booked {compensated}"));
}
