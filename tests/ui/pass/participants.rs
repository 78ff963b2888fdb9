//! What calls are made on: trait objects, references, boxes; what is written around a saga; and a runtime by another
//! name.

extern crate saga_runtime as other;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use saga_runtime::{Context, Keyed, StepError};

#[derive(Debug, thiserror::Error, StepError)]
pub enum No {
    #[error("no")]
    #[outcome(refused)]
    No,
    #[error(transparent)]
    #[outcome(inner)]
    Boxed(Box<No>),
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<u8, No>> + Send + 'a>>;

pub trait Desk: Keyed + Send + Sync {
    fn make<'a>(&'a self, cx: &'a Context) -> Answer<'a>;
}

pub struct Counter;

impl Keyed for Counter {}

impl Desk for Counter {
    fn make<'a>(&'a self, _: &'a Context) -> Answer<'a> {
        Box::pin(async { Ok(1) })
    }
}

static COUNTER: Counter = Counter;

/// A function of the user that takes what a call is given.
async fn through(desk: &dyn Desk, cx: &Context) -> Result<u8, No> {
    desk.make(cx).await
}

const LIMIT: Duration = Duration::from_secs(1);

mod reexported {
    pub use saga_runtime::*;
}

mod deep {
    use super::*;

    other::saga! {
        #[saga(crate = ::other, version = 2)]
        #[allow(dead_code, reason = "forwarded")]
        pub(crate) saga Deep(r#loop: u8) -> (u8, u8) {
            with shared: dyn Desk, boxed: Box<dyn Desk>, owned: Counter, borrowed: &'static Counter, counted: Arc<Counter>;
            timeout (LIMIT * 2);
            retry forever every (LIMIT)..1h30m;

            /// Documented.
            step one: u8 = through(shared, cx) timeout 1.5s retry never compensate shared.make(cx) { timeout (LIMIT), retry 3 times };
            parallel {
                step two: u8 = boxed.make(cx) compensate nothing;
                step three: u8 = async move { borrowed.make(cx).await } compensate counted.make(cx);
            }
            read four: u8 = COUNTER.make(cx);
            step five: u8 = COUNTER.make(cx) compensate boxed.make(cx);
            pivot six: u8 = owned.make(cx);
            parallel {
                step seven: u8 = shared.make(cx);
                { step eight: u8 = shared.make(cx); step nine: u8 = boxed.make(cx); }
            }
            return (one + two + three + four + five + six + seven + eight + nine, r#loop);
        }
    }
}

reexported::saga! {
    #[saga(crate = crate::reexported)]
    saga Elsewhere() {
        with desk: Counter;
        pivot one: u8 = desk.make(cx);
    }
}

macro_rules! sagas {
    ($($name:ident($input:ident: $ty:ty, $call:expr, $wait:literal)),*) => {
        saga_runtime::saga! {
            $(
                saga $name($input: $ty) -> $ty {
                    with desk: Counter;
                    step made: u8 = desk.make(cx) timeout $wait compensate desk.make(cx);
                    step last: u8 = $call;
                    return $input + made + last;
                }
            )*
        }
    };
}

sagas!(First(a: u8, COUNTER.make(&Context::clone(todo())), 5s), Second(b: u8, COUNTER.make(todo()), 1m));

fn todo() -> &'static Context {
    std::process::exit(1)
}

fn main() {
    let participants = deep::DeepParticipants {
        shared: Arc::new(Counter),
        boxed: Box::new(Counter),
        owned: Counter,
        borrowed: &COUNTER,
        counted: Arc::new(Counter),
    };
    let _ = (participants, deep::Deep::begin(1), Elsewhere::begin(), First::begin(1), Second::begin(2));
}
