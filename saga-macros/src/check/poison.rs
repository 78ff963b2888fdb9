//! Calls and values that mention a name whose declaration is wrong.

use super::{calls, values};
use crate::ast::Call;
use crate::model::Model;
use crate::uses::mentions;

/// The declaration has been reported. What uses it may be right: it is refused without a word.
pub(super) fn check(model: &Model<'_>) {
    let saga = model.ast;
    let calls = model.steps.iter().flat_map(|step| calls(&step.ast).map(|(_, call)| call));
    let is_poisoned = |call: &Call| {
        mentions(&call.tokens).iter().any(|mention| saga.poisoned.iter().any(|name| *name == mention.name))
    };
    if !saga.poisoned.is_empty() {
        calls
            .chain(values(saga))
            .chain(&saga.returns)
            .filter(|call| is_poisoned(call))
            .for_each(Call::refuse);
    }
}
