//! A public saga in a crate that denies every lint that `saga!` could be blamed for.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused,
    rust_2018_idioms,
    future_incompatible,
    nonstandard_style,
    unused_qualifications,
    unused_results,
    single_use_lifetimes,
    trivial_casts,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::unwrap_used,
    clippy::panic
)]

use saga_runtime::{Context, Keyed, StepError, saga};

/// Says no.
#[derive(Debug, thiserror::Error, StepError)]
#[error("no")]
#[outcome(refused)]
pub struct No;

/// Makes numbers.
#[derive(Debug, Clone, Copy)]
pub struct Desk;

impl Keyed for Desk {}

#[allow(clippy::missing_errors_doc)]
impl Desk {
    /// Makes a number.
    #[allow(clippy::unused_async)]
    pub async fn make(&self, _: &Context, number: u8) -> Result<u8, No> {
        if number == 0 { Err(No) } else { Ok(number) }
    }

    /// Forgets a number.
    #[allow(clippy::unused_async)]
    pub async fn forget(&self, _: &Context, _: u8) -> Result<(), No> {
        Ok(())
    }
}

saga! {
    /// Makes numbers.
    pub saga Count(first: u8, unused: String) -> Vec<u8> {
        with desk: Desk, idle: Desk;
        /// Documented.
        step one: u8 = desk.make(cx, *first) compensate desk.forget(cx, *one);
        parallel {
            step two: u8 = desk.make(cx, *one) compensate desk.forget(cx, *two);
            {
                read three: u8 = desk.make(cx, *one);
                step four: u8 = desk.make(cx, *three) probe async { desk.make(cx, 1).await.map(Some) }
                    compensate desk.forget(cx, *four);
            }
        }
        step five: u8 = desk.make(cx, *two) keyed compensate nothing;
        pivot six: u8 = desk.make(cx, *four);
        step seven: u8 = desk.make(cx, *six);
        return vec![one, two, four, six, seven];
    }

    pub saga Undocumented() {
        with desk: Desk;
        step one: u8 = desk.make(cx, 1);
    }
}

fn main() {
    let _ = (Count::begin(1, String::new()), Undocumented::begin());
}
