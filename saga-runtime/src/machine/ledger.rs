//! The call of a position: what the machine knows of it, and its attempts.

use std::fmt;

use crate::definition::{StepDefinition, StepKind, Zone};
use crate::machine::attempts::{Action, AttemptFact, Attempts, Phase};
use crate::machine::call::{Call, CallKind, Role, Settlement};
use crate::machine::fact::Refusal;
use crate::machine::state::Cause;

/// The call of a step.
#[derive(Debug)]
pub struct StepCall {
    step: usize,
    name: &'static str,
    kind: StepKind,
    role: Role,
    keyed: bool,
    probe: bool,
    otherwise: bool,
}

impl StepCall {
    /// The call of the step with index `step` of these. `keyed`: whether its participants are known to answer by key,
    /// declared or not.
    pub const fn new(steps: &[StepDefinition], step: usize, keyed: bool) -> Self {
        let definition = &steps[step];
        let StepDefinition { name, kind, zone, probe, otherwise, .. } = *definition;
        let role = match zone {
            Zone::Compensatable => Role::Compensatable,
            Zone::Pivot => Role::Pivot,
            Zone::Retriable => Role::Retriable,
        };
        // Only what calls a participant can have an effect that nobody knows of.
        let keyed = keyed || definition.keyed || !matches!(kind, StepKind::Call);
        Self { step, name, kind, role, keyed, probe, otherwise }
    }

    /// Index of the step.
    pub const fn step(&self) -> usize {
        self.step
    }

    /// Name of the step.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// A call of a position, and its attempts.
#[derive(Clone, Copy)]
pub struct Ledger {
    call: &'static StepCall,
    role: Role,
    attempts: Attempts,
}

impl Ledger {
    /// The first attempt of the action is open.
    pub fn opened(call: &'static StepCall) -> Self {
        Self { call, role: call.role, attempts: Attempts::opened() }
    }

    /// No attempt of the action has been made.
    pub fn waiting(call: &'static StepCall) -> Self {
        Self { attempts: Attempts::waiting(), ..Self::opened(call) }
    }

    /// The first attempt of the compensation is open.
    pub fn compensation(call: &'static StepCall) -> Self {
        Self { role: Role::Compensation, ..Self::opened(call) }
    }

    /// The same action, seen from a saga that turned.
    #[must_use]
    pub fn unsettled(self) -> Self {
        Self { role: Role::Settling, attempts: self.attempts.unsettled(), ..self }
    }

    /// Whether an attempt is open.
    pub fn is_open(&self) -> bool {
        self.attempts.is_open()
    }

    /// Whether the effect may have taken place although nobody knows.
    pub fn in_doubt(&self) -> bool {
        self.attempts.in_doubt()
    }

    /// Index of the step.
    pub fn step(&self) -> usize {
        self.call.step
    }

    /// What hangs on the call.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the coordinator alone gets it done.
    pub fn is_passive(&self) -> bool {
        self.call.kind.is_passive()
    }

    /// Opens nothing after all, as the saga is to turn. After the pivot none does.
    pub fn hold(&mut self) {
        if matches!(self.role, Role::Compensatable | Role::Pivot) {
            self.attempts = Attempts::waiting();
        }
    }

    /// Whether the action failed, and the value behind `else` is to take the output's place.
    pub fn has_failed(&self) -> bool {
        self.attempts.phase() == Phase::Failed
    }

    /// Records a refusal and answers whether it was legal.
    pub fn refuse(&mut self, refusal: &Refusal, turn: &mut Option<Cause>) -> bool {
        self.attempts.refuse(self.action(), refusal, turn)
    }

    /// Records a fact about an attempt and answers whether it was legal.
    pub fn record(&mut self, fact: &AttemptFact, turn: &mut Option<Cause>) -> bool {
        self.attempts.record(self.action(), fact, turn)
    }

    fn action(&self) -> Action {
        let waits = matches!(self.call.kind, StepKind::Sleep | StepKind::Receive);
        Action { step: self.call.name, role: self.role, otherwise: self.call.otherwise, waits }
    }

    /// The call as it is next, or open.
    pub fn call(&self) -> Call {
        let StepCall { step, kind, keyed, probe, otherwise, .. } = *self.call;
        let settlement = match self.role {
            Role::Compensation => Settlement { keyed: true, probe: false },
            _ => Settlement { keyed, probe },
        };
        let kind = match kind {
            _ if self.role == Role::Compensation => CallKind::Compensation,
            _ if self.has_failed() => CallKind::Evaluation,
            StepKind::If | StepKind::For | StepKind::Lock => CallKind::Evaluation,
            StepKind::Sleep | StepKind::Receive if self.attempts.due_ms().is_none() => CallKind::Evaluation,
            StepKind::Sleep | StepKind::Receive => CallKind::Wait,
            StepKind::Local => CallKind::Local,
            StepKind::Call | StepKind::Read | StepKind::Saga => settlement.next(&self.attempts),
        };
        let (role, attempts) = (self.role, self.attempts);
        Call { place: step.into(), kind, role, attempts, settlement, otherwise }
    }
}

/// `flight: attempt 1 open`: names and numbers only, so that no personal data gets into a program's own log.
impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call.name, self.attempts)?;
        match self.attempts.made().checked_sub(self.attempts.spent()) {
            None | Some(0) => Ok(()),
            Some(before) => write!(f, ", {before} before the saga turned"),
        }
    }
}
