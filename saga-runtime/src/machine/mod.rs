//! The pure core: what a saga's state is, how a fact changes it, and what is to be done next.
//!
//! ```text
//!            facts (from the log, or just happened)
//!                 │ apply
//!                 ▼
//!   State ──── next ────▶ calls to make, or the output to return
//!                 │ decide (policy)
//!                 ▼
//!        open an attempt now or after a back-off, give up, or wait for an operator
//! ```
//!
//! No IO, no clock, no randomness, no panic. `saga!` generates the positions of a saga ([`Region`], [`Backward`]);
//! what holds for every saga (the [`State`] around them, the ledger of [`Attempts`], the decision what to do after a
//! failure) is written once, here. Policies are no part of the state: what was decided is recorded as a fact, so that
//! a changed policy never changes the past.

mod ahead;
mod attempts;
mod call;
mod decide;
mod fact;
mod ledger;
mod place;
mod policy;
mod region;
mod residue;
mod state;

pub use ahead::is_ahead;
pub use attempts::{Action, AttemptFact, Attempts, Phase};
pub use call::{Call, CallKind, Role, Settlement};
pub use decide::{Begins, Decision, Local, Settled, Time, decide, is_parked, settle};
pub use fact::{Event, EventError, Fact, FactKind, Held, Json, Refusal, Tells, Told};
pub use ledger::{Ledger, StepCall};
pub use place::{Items, Place};
pub use policy::{Policy, Retry};
pub use region::Region;
pub use residue::{Effect, Residue};
pub use state::{Applied, Backward, Cause, Control, Forward, IllegalEvent, Next, Rejected, State};
