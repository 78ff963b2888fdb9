//! Without the prelude, and with a crate called like a word of generated code.

#![no_implicit_prelude]

#[derive(::std::fmt::Debug, ::thiserror::Error, ::saga_runtime::StepError)]
#[error("no")]
#[outcome(refused)]
struct No;

struct Desk;

impl ::saga_runtime::Keyed for Desk {}

impl Desk {
    async fn make(&self, _: &::saga_runtime::Context) -> ::std::result::Result<u8, No> {
        ::std::result::Result::Ok(1)
    }
}

::saga_runtime::saga! {
    saga Count(first: u8) -> u8 {
        with desk: Desk;
        timeout 1m;
        retry 1 times;
        step one: u8 = desk.make(cx) compensate desk.make(cx);
        parallel {
            step two: u8 = desk.make(cx) probe async { ::std::result::Result::Ok::<_, No>(::std::option::Option::None) }
                compensate desk.make(cx);
            step three: u8 = desk.make(cx) compensate desk.make(cx) { timeout 1s };
        }
        pivot four: u8 = desk.make(cx);
        return first + one + two + three + four;
    }
}

fn main() {
    let _ = Count::begin(1);
}
