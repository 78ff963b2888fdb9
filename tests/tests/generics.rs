//! Sagas whose data uses parameters: each is a saga of its own in the log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a bank answers at once")]

use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saga_runtime::definition::StandsFor;
use saga_runtime::log::{MemoryLog, SagaLog, SqliteLog};
use saga_runtime::machine::Cause;
use saga_runtime::{
    BeginError, Begun, Compensatable, Context, Coordinator, Handle, Keyed, Outcome, RunsOn, Saga, SagaData,
    SagaId, SagaParameter, StartError, StepError, saga,
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

#[tokio::test(start_paused = true)]
async fn one_is_never_continued_as_the_other() {
    let log = MemoryLog::new();
    let bank = House::default();
    let coordinator = both(log.clone(), &bank, &bank).await;
    begun::<InEur<2>>(&coordinator, "a", Eur(10)).await;
    let conflict = coordinator.begin::<InUsd<2>>("a", Usd(10)).await.err().unwrap();
    assert!(matches!(conflict, BeginError::Conflict { .. }), "{conflict}");
    let message = conflict.to_string();
    assert!(message.contains("`Transfer<Eur, 2>`") && message.contains("`Transfer<Usd, 2>`"), "{message}");
    let unknown = coordinator.begin::<InEur<3>>("b", Eur(10)).await.err().unwrap().to_string();
    assert!(unknown.contains("`Transfer<Eur, 3>` is not registered"), "{unknown}");
    coordinator.shutdown().await;

    let builder =
        Coordinator::builder(log.clone()).register::<InUsd<2>>(at(&bank)).register::<InEur<3>>(at(&bank));
    let coordinator = builder.start().await.unwrap();
    let conflict = coordinator.find::<InUsd<2>>(&SagaId::new("a").unwrap()).await.err().unwrap().to_string();
    assert!(conflict.contains("`Transfer<Eur, 2>`"), "{conflict}");
    // It sleeps in the log until its time is up.
    tokio::time::sleep(Duration::from_hours(25)).await;
    let unclaimed = coordinator.unclaimed();
    assert_eq!((unclaimed.len(), unclaimed[0].definition.as_str()), (1, "Transfer<Eur, 2>"));
    coordinator.shutdown().await;

    let coordinator = both(log, &bank, &bank).await;
    let found = coordinator.find::<InEur<2>>(&SagaId::new("a").unwrap()).await.unwrap();
    let Some(Begun::Attached(found)) = found else { panic!("it is driven") };
    assert!(matches!(found.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(bank.notes(), "debit debit.compensate");
}

#[tokio::test]
async fn two_of_one_name_are_not_registered_beside_one_another() {
    #[derive(Serialize, Deserialize)]
    struct Franc(u64);
    impl SagaParameter for Franc {
        const NAME: &'static str = "Eur";
    }
    impl Money for Franc {
        fn of(cents: u64) -> Self {
            Self(cents)
        }

        fn cents(&self) -> u64 {
            self.0
        }
    }
    let bank = House::default();
    let builder = Coordinator::builder(MemoryLog::new()).register::<InEur<2>>(at(&bank));
    let error = builder.register::<Transfer<Franc, House, 2>>(at(&bank)).start().await.unwrap_err();
    assert!(matches!(error, StartError::RegisteredTwice { .. }), "{error}");
    assert!(error.to_string().contains("`Transfer<Eur, 2>`"), "{error}");
}

#[test]
fn what_parameters_stand_for_is_part_of_the_definition() {
    let parameters = InEur::<2>::DEFINITION.parameters;
    let names = parameters.iter().map(|parameter| (parameter.name, parameter.stands_for));
    assert_eq!(names.collect::<Vec<_>>(), [("M", StandsFor::Type("Eur")), ("PARTS", StandsFor::Signed(2))]);
    assert_eq!(InEur::<2>::DEFINITION.full_name(), "Transfer<Eur, 2>");
    let fingerprints = [
        InEur::<2>::DEFINITION.fingerprint(),
        InEur::<3>::DEFINITION.fingerprint(),
        InUsd::<2>::DEFINITION.fingerprint(),
    ];
    // What the participants are is no part of it.
    assert_eq!(fingerprints[0], Transfer::<Eur, Branch, 2>::DEFINITION.fingerprint());
    assert!(fingerprints[0] != fingerprints[1] && fingerprints[0] != fingerprints[2]);
    // The log keeps it for ever.
    assert_eq!(fingerprints[0].to_string(), "e3a8266915a55a25");
}

/// Another bank.
struct Branch;

impl Keyed for Branch {}

impl<M: Money> Bank<M> for Branch {
    async fn debit(&self, _: &Context, _: &M) -> Result<Debit<M>, Refused> {
        Err(Refused)
    }

    async fn refund(&self, _: &Context, _: &Debit<M>) -> Result<(), Refused> {
        Ok(())
    }

    async fn pay(&self, _: &Context, _: u64) -> Result<u64, Refused> {
        Err(Refused)
    }

    async fn take_back(&self, _: &Context) -> Result<(), Refused> {
        Ok(())
    }
}

#[test]
fn a_position_carries_what_is_still_needed_and_the_machine_is_pure() {
    let state: TransferState<Eur, 2> = InEur::begin(Eur(10));
    let state = state.apply(TransferEvent::DebitDone(Debit { amount: Eur(10) })).unwrap();
    let state = state.apply(TransferEvent::LimitDone(Eur(10))).unwrap();
    let TransferState::Forward(TransferForward::IfFee(at)) = state.clone() else { panic!("{state:?}") };
    // Neither the amount nor anything else.
    let TransferIfFeeStep { debit, limit, undo: _, attempts: _ } = at;
    assert_eq!((debit.amount.cents(), limit.cents()), (10, 10));
    assert!(!format!("{state:?}").contains("10"), "no data is shown: {state:?}");
    let other: TransferState<Usd, 2> = InUsd::begin(Usd(10));
    let refused = other.apply(TransferEvent::LimitDone(Usd(10)));
    assert!(refused.is_err(), "it is not there yet");
}

saga! {
    /// Only its numbers are parameters.
    saga Numbers<const A: u128, const B: bool, const C: char, const D: i8>(first: Few<A, B>) -> Other<C, D> {
        with bank: House;
        step noted: Few<A, B> = async { bank.pay_any(cx).await.map(|()| Few) } compensate nothing;
        return { let _ = (first, noted); Other };
    }
}

#[derive(Serialize, Deserialize)]
struct Few<const A: u128, const B: bool>;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Other<const C: char, const D: i8>;

impl House {
    async fn pay_any(&self, cx: &Context) -> Result<(), Refused> {
        self.note(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_are_parameters_as_types_are() {
    type All = Numbers<{ u128::MAX }, true, 'ü', -1>;
    let name = format!("Numbers<{}, true, 'ü', -1>", u128::MAX);
    assert_eq!(All::DEFINITION.full_name(), name);
    let builder = Coordinator::builder(MemoryLog::new());
    let coordinator =
        builder.register::<All>(NumbersParticipants { bank: House::default() }).start().await.unwrap();
    assert_eq!(begun::<All>(&coordinator, "n", Few).await.outcome().await, Ok(Outcome::Completed(Other)));
}

mod children {
    use super::*;

    saga! {
        /// Holds an amount.
        saga Hold<M: Money, B: Bank<M>>(amount: M) -> Debit<M> {
            with bank: B;
            step debit: Debit<M> = bank.debit(cx, amount) compensate bank.refund(cx, debit);
            return debit;
        }

        /// Knows of its parameters only what its children are begun with.
        saga Shop<M: Money + SagaParameter, B: Bank<M>>(cents: u64) -> u64 {
            with bank: House;
            saga held: Debit<M> = Hold::<M, B>(M::of(*cents));
            step paid: u64 = async { bank.pay_some(cx, *cents).await } compensate async { bank.pay_any(cx).await };
            step last: u64 = async { bank.pay_some(cx, held.amount.cents()).await } compensate nothing;
            return paid + last;
        }

        /// Its own data is that of no parameter.
        saga Quiet<M: Money + SagaParameter, B: Bank<M>>(cents: u64) {
            with bank: House;
            step paid: u64 = async { bank.pay_some(cx, *cents).await } compensate nothing;
            parallel for each: u64 in [*paid, 1] limit 2 {
                saga shop: u64 = Shop::<M, B>(*each);
            }
        }
    }

    impl House {
        async fn pay_some(&self, cx: &Context, cents: u64) -> Result<u64, Refused> {
            self.note(cx).map(|()| cents)
        }
    }

    fn is_compensatable<S: Saga + Compensatable + RunsOn<MemoryLog>>() {}

    #[tokio::test(start_paused = true)]
    async fn a_child_is_begun_with_the_parameters_of_its_parent() {
        is_compensatable::<Quiet<Eur, House>>();
        let (shop, bank) = (House { refuses: "last", ..House::default() }, House::default());
        let builder = Coordinator::builder(MemoryLog::new())
            .register::<Shop<Eur, House>>(ShopParticipants { bank: shop.clone() })
            .register::<Hold<Usd, House>>(HoldParticipants { bank: bank.clone() });
        let error = builder.start().await.unwrap_err().to_string();
        assert!(error.contains("`Shop<Eur>` begins `Hold<Eur>`, which is not registered"), "{error}");

        let builder = Coordinator::builder(MemoryLog::new())
            .register::<Shop<Eur, House>>(ShopParticipants { bank: shop.clone() })
            .register::<Quiet<Eur, House>>(QuietParticipants { bank: House::default() })
            .register::<Hold<Eur, House>>(HoldParticipants { bank: bank.clone() });
        let coordinator = builder.start().await.unwrap();
        let handle = begun::<Shop<Eur, House>>(&coordinator, "shop", 7).await;
        assert!(matches!(handle.outcome().await, Ok(Outcome::Compensated(_))));
        assert_eq!(
            (shop.notes(), bank.notes()),
            ("paid last paid.compensate".into(), "debit debit.compensate".into())
        );
        let handle = begun::<Quiet<Eur, House>>(&coordinator, "quiet", 7).await;
        assert!(matches!(handle.outcome().await, Ok(Outcome::Compensated(_))));
        assert!(shop.notes().contains("last"));
    }

    #[test]
    fn what_a_child_is_begun_with_tells_its_parents_apart() {
        let (eur, usd) = (Quiet::<Eur, House>::DEFINITION, Quiet::<Usd, House>::DEFINITION);
        assert_ne!(eur.fingerprint(), usd.fingerprint());
        assert_eq!(eur.fingerprint(), Quiet::<Eur, Branch>::DEFINITION.fingerprint());
    }
}
