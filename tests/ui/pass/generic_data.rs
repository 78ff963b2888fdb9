//! Parameters in the data of sagas, in every form; nothing of the prelude is needed, and no lint has anything to say.

#![no_implicit_prelude]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
#![allow(dead_code, clippy::unused_async, clippy::missing_errors_doc, clippy::unnecessary_wraps, reason = "a desk answers at once")]

use ::std::clone::Clone as _;
use ::std::fmt::Display;
use ::std::convert::{From, Infallible};
use ::std::future::Future;
use ::std::iter::{IntoIterator as _, Iterator as _};
use ::std::marker::{PhantomData, Send, Sync};
use ::std::option::Option::{self, None, Some};
use ::std::result::Result::{self, Ok};
use ::std::string::String;
use ::std::vec::Vec;

use ::saga_runtime as renamed;
use ::saga_runtime::{Context, Keyed, Saga, SagaData, SagaParameter, saga};

/// An amount.
#[derive(Debug, ::serde::Serialize, ::serde::Deserialize)]
pub struct Eur(pub u64);

impl SagaParameter for Eur {
    const NAME: &'static str = "Eur";
}

/// Has a bound of its own.
#[derive(Debug, ::serde::Serialize, ::serde::Deserialize)]
pub struct Priced<M: SagaParameter, const CENTS: u64>(pub M);

/// Holds nothing of its parameter.
#[derive(Debug, ::serde::Serialize, ::serde::Deserialize)]
pub struct Marked<M>(pub PhantomData<M>);

/// A participant that says what its receipts are.
pub trait Bank<M>: Keyed + Send + Sync + 'static {
    /// Says that it is paid.
    type Receipt: SagaData;

    /// Pays.
    fn pay(&self, cx: &Context, amount: &M) -> impl Future<Output = Result<Self::Receipt, Infallible>> + Send;
    /// Gives it back.
    fn refund(&self, cx: &Context) -> impl Future<Output = Result<(), Infallible>> + Send;
}

/// The only bank.
#[derive(Debug, Clone, Copy)]
pub struct House;

impl Keyed for House {}
impl SagaParameter for House {
    const NAME: &'static str = "House";
}

impl<M: SagaData> Bank<M> for House {
    type Receipt = String;

    async fn pay(&self, _: &Context, _: &M) -> Result<String, Infallible> {
        Ok(String::new())
    }

    async fn refund(&self, _: &Context) -> Result<(), Infallible> {
        Ok(())
    }
}

impl House {
    /// Asks for anything.
    pub async fn ask<T: Send>(&self, _: &Context, answer: T) -> Result<T, Infallible> {
        Ok(answer)
    }
}

saga! {
    /// Only its input uses the parameter: not what happens, what is sent, or what is undone.
    pub saga Deposit<M>(amount: M) {
        with bank: House;
        read seen: u64 = async { let _ = amount; bank.ask(cx, 1).await };
        receive approval: bool within 1h;
        if *approval {
            read again: u64 = bank.ask(cx, *seen);
        } else {
            sleep 1s;
        }
        parallel for number: u64 in 0..*seen limit 2 {
            read third: u64 = bank.ask(cx, *number);
        }
        parallel {
            read left: u64 = bank.ask(cx, 1);
            step right: u64 = bank.ask(cx, 2) compensate bank.refund_all(cx);
        }
    }

    /// Its data is what the bank says it is, in part.
    pub saga Pay<M, B, const CENTS: u64, const IS_QUICK: bool = true>(amount: Priced<M, CENTS>) -> Option<B::Receipt>
    where
        B: Bank<M>,
        M: From<u64> + SagaData + SagaParameter,
        Vec<M>: SagaData,
    {
        with bank: B, idle: ::std::boxed::Box<dyn Keyed + Send + Sync>;
        lock "account";
        step first: B::Receipt = bank.pay(cx, &amount.0) compensate bank.refund(cx);
        step marked: Marked<M> = async { let _: &B::Receipt = first; bank.pay(cx, &M::from(CENTS)).await.map(|_| Marked(PhantomData)) }
            probe async { Ok::<_, Infallible>(None) }
            compensate async { let _: &Marked<M> = marked; bank.refund(cx).await };
        parallel for each: M in [M::from(1)] limit 3 {
            for inner: u64 in 0..CENTS {
                if let Some(more) = inner.checked_sub(1) && IS_QUICK {
                    step paid: Vec<B::Receipt> =
                        async { let _ = more; bank.pay(cx, each).await.map(|receipt| ::std::vec![receipt]) }
                        compensate async { let _: &Vec<B::Receipt> = paid; bank.refund(cx).await };
                }
            }
        }
        pivot last: B::Receipt = bank.pay(cx, &amount.0);
        read best: M = async { Ok::<_, Infallible>(M::from(1)) } else M::from(2);
        receive thanks: M within 1h else M::from(3);
        return paid.into_iter().flatten().flatten().flatten().next();
    }

    /// Has parameters for its child alone, and one of which nothing is said.
    pub saga Parent<M: SagaData + From<u64>, B: Bank<M>, Nobody>(price: M) {
        with bank: House;
        pivot held: u64 = bank.ask(cx, 1);
        saga child: Option<B::Receipt> = Pay::<M, B, 7, false>(Priced(M::from(*held)));
    }

    /// The same without any data of a parameter.
    #[saga(crate = crate::renamed)]
    saga Quiet<B: Bank<Eur, Receipt = String> + SagaParameter>() {
        with bank: House;
        pivot held: u64 = bank.ask(cx, 1);
        saga child: Option<String> = Pay::<Eur, B, 7, false>(Priced(Eur(1)));
    }

    /// Local steps, and a participant that is one for its data.
    #[saga(crate = crate::renamed)]
    pub saga Written<M: Display>(text: M) -> Marked<M> {
        with bank: ::std::boxed::Box<dyn Answering<M>>;
        local row: Marked<M> = async_free(tx, text) compensate async_free(tx, text);
        step done: Marked<M> = bank.answer(cx) compensate nothing;
        return { let _ = row; done };
    }
}

/// A bank that is a trait object.
pub trait Answering<M>: Keyed + Send + Sync {
    /// Answers.
    fn answer(
        &self,
        cx: &Context,
    ) -> ::std::pin::Pin<::std::boxed::Box<dyn Future<Output = Result<Marked<M>, Infallible>> + Send>>;
}

fn async_free<T, M>(_: &T, _: &M) -> Result<Marked<M>, Infallible> {
    Ok(Marked(PhantomData))
}

impl House {
    /// Gives everything back.
    pub async fn refund_all(&self, _: &Context) -> Result<(), Infallible> {
        Ok(())
    }
}

impl From<u64> for Eur {
    fn from(cents: u64) -> Self {
        Self(cents)
    }
}

fn is_saga<S: Saga + ::saga_runtime::RunsOn<::saga_runtime::log::SqliteLog>>() {}

/// Whatever they are paid in.
pub fn are_sagas<M: SagaData + SagaParameter + From<u64>>() {
    is_saga::<Deposit<M>>();
    is_saga::<Pay<M, House, 3>>();
    is_saga::<Parent<M, House, ()>>();
}

fn main() {
    are_sagas::<Eur>();
    is_saga::<Written<String>>();
    is_saga::<Quiet<House>>();
    let _ = PayParticipants::<House, true> { bank: House, idle: ::std::boxed::Box::new(House) };
    let _: PayState<Eur, House, 3> = Pay::<Eur, House, 3>::begin(Priced(Eur(1)));
    let state: DepositState<Eur> = Deposit::begin(Eur(1));
    let _ = state.clone();
    let _ = ::std::format!("{state:?}");
    let _: DepositSignal<Eur> = DepositSignal::Approval(true);
    let _: DepositEvent<Eur> = DepositEvent::Cancelled(String::new());
}
