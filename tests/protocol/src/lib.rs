//! The protocol as a whole, explored in all orders: workers that claim a saga and lose it, die and come back, a log that is
//! fenced by their epoch, a network that loses, delays, reorders and repeats, and participants with and without a barrier.
//!
//! **What is real.** A worker's memory is the state of the runtime's own [machine](saga_runtime::machine), folded from a
//! history; what an attempt has come to, whether there is another one, what is compensated and when the saga has ended is
//! said by the machine's own `settle`, `decide` and `next`, of a saga that is declared by `saga!`. The participant that answers
//! by key decides by the barrier of `saga_participant`.
//!
//! **What is a model**, and where the code is that it stands for:
//!
//! | here | there |
//! | --- | --- |
//! | `Protocol::claim`: what was open when a saga is loaded is in doubt | `taint` in `saga-runtime/src/coordinator/driver/mod.rs` |
//! | a worker makes its records durable, and only then sends or answers | `Driver::record` in `coordinator/driver/record.rs` |
//! | the end is recorded with the fact before it | `Driver::finish_record`, there |
//! | `View::planned` | `Driver::plan` in `coordinator/driver/plan.rs` |
//! | `Protocol::append`: the epoch and the place, in one statement | `judge` in `saga-runtime/src/log/rules.rs`; the lease is a log's of many workers, as section 4 of the design has it |
//! | `Hotel::handle` | what a service must do that does not answer by key |
//!
//! **What is assumed.** A participant that does not answer by key keeps what was compensated from being done later, and is sent no request twice by the network: what it would answer to the second one says nothing of the first.
//! One that answers by key may be sent a request twice, but does not fail for now on one copy of it and do the other: only a
//! refusal is remembered, so that a [failure](model::Without::OneFailureForBothCopies) says nothing of a copy.
//!
//! **What is shown**, of every state that can be reached within the [bounds](model::Bounds): a saga that has ended has all
//! effects or none, also when what is still on its way arrives; what was answered stays true; the log is a history; and
//! nothing stands still before its end, which every history reaches, for each action uses something up. Without any one of
//! [six rules](model::Without) that is not so, and the shortest history that shows it is printed.
//!
//! `PROTOCOL_CRASHES=3 PROTOCOL_TAKE_OVERS=5 cargo test --release -p saga-protocol --features model -- --nocapture` explores
//! more; there are `PROTOCOL_TIMEOUTS`, `_REFUSALS`, `_FAILURES`, `_DUPLICATES` and `_CANCELS` too.

pub mod history;
pub mod model;
pub mod services;
pub mod world;
