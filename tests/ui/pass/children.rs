//! Locks and child sagas wherever they can stand; nothing of the prelude is needed, and no lint has anything to say.

#![no_implicit_prelude]
#![deny(warnings, missing_docs, clippy::pedantic)]

/// Sagas of another module.
pub mod rooms {
    use ::saga_runtime::{Context, Keyed, StepError};
    use ::std::result::Result::{self, Ok};
    use ::std::string::String;
    use ::std::vec::Vec;

    /// Does everything.
    #[derive(Debug)]
    pub struct Desk;
    impl Keyed for Desk {}

    /// Says no.
    #[derive(::std::fmt::Debug, ::thiserror::Error, StepError)]
    #[error("no")]
    #[outcome(refused)]
    pub struct No;

    impl Desk {
        /// Does it.
        ///
        /// # Errors
        /// Never.
        #[allow(clippy::unused_async, reason = "a desk answers at once")]
        pub async fn ask(&self, _: &Context) -> Result<u32, No> {
            Ok(1)
        }
    }

    ::saga_runtime::saga! {
        /// Has no input.
        pub saga Lamp() -> u32 {
            with desk: Desk;
            step bulb: u32 = desk.ask(cx) compensate desk.ask(cx);
            return bulb;
        }

        /// Has one, and a child itself.
        pub saga Room(number: u32) -> Vec<u32> {
            with desk: Desk;
            lock number, "rooms";
            saga lamp: u32 = Lamp();
            step r#bed: u32 = desk.ask(cx) compensate desk.ask(cx);
            return ::std::vec![number, lamp, bed];
        }

        /// Has two, and a pivot.
        pub saga Letter(to: String, lines: Vec<u32>) {
            with desk: Desk;
            lock to.as_str(), lines.len(), ::std::format!("letter/{to}");
            pivot stamp: u32 = desk.ask(cx);
        }

        /// Is called by a word of Rust.
        pub saga r#Type(r#in: u32) -> u32 {
            with desk: Desk;
            lock r#in;
            step r#fn: u32 = desk.ask(cx) compensate desk.ask(cx);
            return r#fn;
        }

        /// For any desk.
        pub saga Any<D: ::std::marker::Send + ::std::marker::Sync>(number: u32) -> u32 {
            with desk: D;
            read seen: u32 = async { let _ = desk; Ok::<_, No>(*number) };
            return seen;
        }
    }
}

use rooms::{Desk, Room};
use ::std::clone::Clone;
use ::std::option::Option;
use ::std::string::String;
use ::std::vec::Vec;

::saga_runtime::saga! {
    /// Everywhere.
    pub saga House(name: String, rooms: Vec<u32>) -> (Vec<Vec<u32>>, Option<u32>, Option<u32>, Vec<u32>) {
        with desk: Desk;
        lock name, rooms.len(), { let all = rooms.len(); all + 1 };
        deadline 1h;

        for number: u32 in rooms.clone() {
            saga room: Vec<u32> = Room(*number);
        }
        saga lamp: u32 = self::rooms::Lamp();
        parallel {
            saga r#type: u32 = rooms::r#Type(if *lamp > 1 { 2 } else { *lamp },);
            {
                if let Option::Some(first) = rooms.first() {
                    saga one: u32 = rooms::Any::<Desk>(*first)
                        events OneBegun, OneFailed, OneTurned;
                } else if *lamp > 3 {
                    saga other: u32 = crate::rooms::Lamp();
                }
                parallel for number: u32 in rooms.clone() limit 3 {
                    saga lit: u32 = crate::rooms::Any::<Desk>(*number);
                }
            }
        }
        pivot paid: u32 = desk.ask(cx);
        saga first: () = rooms::Letter(name.clone(), rooms.clone()) else ();
        parallel {
            saga second: () = rooms::Letter(::std::format!("{name}{paid}"), Vec::new());
            if *paid > 1 {
                saga third: Vec<u32> = Room(*paid);
            }
        }
        return { let _: ((), (), Option<Vec<u32>>, u32) = (first, second, third, r#type); (room, one, other, lit) };
    }
}

/// Nothing is run.
fn main() {
    let _ = House::begin(String::new(), Vec::new());
}
