//! Whatever things are called: generated code finds the runtime's, and the user's code finds the user's.

use saga_runtime::{Context, Keyed, StepError, saga};
use serde::{Deserialize, Serialize};

/// Names of the standard library, taken by the user.
#[allow(dead_code)]
mod mine {
    use serde::{Deserialize, Serialize};

    macro_rules! types {
        ($($name:ident)*) => {
            $(
                #[derive(Clone, Serialize, Deserialize)]
                pub struct $name(pub u8);
            )*
        };
    }

    types!(State Event Result Option String Vec Box Arc Some None Ok Err Clone Send Sync Debug Context Saga Step);
}

#[derive(Debug, thiserror::Error, StepError)]
#[error("no")]
#[outcome(refused)]
struct No;

/// Both the participant and what it answers are private.
struct Desk;

impl Keyed for Desk {}

impl Desk {
    async fn make<T>(&self, _: &Context, value: T) -> std::result::Result<T, No> {
        std::result::Result::Ok(value)
    }

    async fn undo<T>(&self, _: &Context, _: &T) -> std::result::Result<(), No> {
        std::result::Result::Ok(())
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Private;

mod shadowed {
    use super::mine::*;
    use super::{Desk, Private};

    saga_runtime::saga! {
        saga Shadowed(state: State, event: Event) -> Result {
            with desk: Desk;
            step option: Option = desk.make(cx, Option(state.0)) compensate desk.undo(cx, option);
            parallel {
                step string: String = desk.make(cx, String(event.0)) compensate desk.undo(cx, string);
                {
                    step vec: Vec = desk.make(cx, Vec(1)) compensate desk.undo(cx, vec);
                    step some: Some = desk.make(cx, Some(vec.0)) probe desk.make(cx, std::option::Option::None)
                        compensate desk.undo(cx, &(some, vec));
                }
            }
            pivot r#box: Box = desk.make(cx, Box(string.0 + some.0));
            step private: Private = desk.make(cx, Private);
            return Result(r#box.0);
        }
    }

    // The user's own names are the user's types.
    pub(super) fn begin() -> impl Sized {
        Shadowed::begin(State(1), Event(2))
    }
}

saga! {
    saga Words(r#type: u8, attempts: u8, request: u8) -> u8 {
        with participants: Desk, r#in: Desk;
        step state: u8 = participants.make(cx, *r#type + attempts) compensate participants.undo(cx, &(state, request));
        step event: u8 = r#in.make(cx, *state) compensate r#in.undo(cx, event);
        step done: u8 = r#in.make(cx, *event) compensate r#in.undo(cx, done);
        step turn: u8 = r#in.make(cx, *done) compensate nothing;
        parallel {
            step at: u8 = r#in.make(cx, *turn) compensate r#in.undo(cx, at);
            step output: u8 = r#in.make(cx, *turn + attempts) compensate r#in.undo(cx, output);
        }
        step r#return: u8 = r#in.make(cx, *at + output) compensate r#in.undo(cx, r#return);
        step self_: u8 = r#in.make(cx, *r#return);
        return r#type + attempts + request + state + event + done + turn + r#return + self_;
    }

    /// Nothing goes in, nothing comes out.
    saga Nothing() {
        with desk: Desk;
        step only: u8 = desk.make(cx, 1);
    }

    saga Flügel(größe: u8) {
        with tür: Desk;
        step öffnen: u8 = tür.make(cx, *größe);
    }
}

fn in_a_function() {
    struct Local;

    impl Keyed for Local {}

    impl Local {
        async fn answer(&self, _: &Context) -> Result<Here, No> {
            Ok(Here)
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Here;

    saga! {
        saga Inside(here: Here) -> Here {
            with local: Local;
            pivot answer: Here = local.answer(cx);
            return if true { here } else { answer };
        }
    }

    let participants = InsideParticipants { local: Local };
    let _ = (Inside::begin(Here), participants);
}

/// Names that generated code has for itself, through an `if` and a `for`, and names of the standard library.
mod blocks {
    use super::Desk;
    use super::mine::{Err, None, Ok, Option, Some, String, Vec};

    saga_runtime::saga! {
        saga Blocks(ends: u8, at: u8) -> (std::option::Option<Some>, std::vec::Vec<Vec>) {
            with desk: Desk;
            if *ends > 1 {
                step if_end_arm: Some = desk.make(cx, Some(*at)) compensate desk.undo(cx, if_end_arm);
            } else {
                step arm: String = desk.make(cx, String(1)) compensate desk.undo(cx, arm);
            }
            for end: u8 in 0..*ends {
                step turn: Vec = desk.make(cx, Vec(*end)) compensate desk.undo(cx, turn);
                if *at > *end {
                    step request: Ok = desk.make(cx, Ok(turn.0)) compensate desk.undo(cx, request);
                }
            }
            receive items: Option within 1h else Option(1);
            read result: None = desk.make(cx, None(items.0)) else None(2);
            step output: Err = desk.make(cx, Err(result.0)) compensate desk.undo(cx, output);
            return (if_end_arm, turn);
        }
    }
}

fn main() {
    in_a_function();
    let (words, nothing) = (Words::begin(1, 2, 3), Nothing::begin());
    let _ = (words, nothing, shadowed::begin(), Flügel::begin(1));
}
