//! A saga's declaration as data.

use std::borrow::Cow;
use std::fmt;

/// A declaration as data: what diagrams, choreography and recovery are made from.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Name of the saga, such as `BookTrip`.
    pub name: &'static str,
    /// `#[saga(version = N)]`; 1 if nothing is said.
    pub version: u32,
    /// What the saga's own parameters stand for that its data uses, in their order.
    pub parameters: &'static [Parameter],
    /// The inputs in their order.
    pub inputs: &'static [Field],
    /// Type of the output as written.
    pub output: &'static str,
    /// The participants in their order.
    pub participants: &'static [Field],
    /// The steps in the order in which they are written; a step's index is its place here. What the coordinator decides
    /// or waits for (`if`, `for`, `sleep`, `lock`) is a step too: each is recorded under its name.
    pub steps: &'static [StepDefinition],
    /// How the steps are nested.
    pub body: &'static [Block],
}

/// A name and its type as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The type.
    pub ty: &'static str,
}

/// A parameter of the saga that its data uses.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name as declared, such as `M`; of a child saga the name of its step.
    pub name: &'static str,
    /// What it stands for.
    pub stands_for: StandsFor,
}

/// What a parameter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandsFor {
    /// A type, by its [`SagaParameter::NAME`](crate::SagaParameter::NAME).
    Type(&'static str),
    /// A number.
    Signed(i128),
    /// A number.
    Unsigned(u128),
    /// A truth value.
    Bool(bool),
    /// A character.
    Char(char),
    /// What the parameters of a child saga stand for, which is begun with parameters of its parent.
    Child(&'static [Parameter]),
}

/// A node of the tree of blocks.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// The step with this index.
    Step(usize),
    /// Branches that run at the same time, each a sequence.
    Parallel(&'static [&'static [Block]]),
    /// One of several sequences.
    If {
        /// The step that decides: its output is the index of an arm.
        step: usize,
        /// The sequences. The last one is that of `else`; it is empty where none is written.
        arms: &'static [&'static [Block]],
    },
    /// A sequence for each item of a list.
    For {
        /// The step that makes the list: its output are the items.
        step: usize,
        /// What is done for each item.
        body: &'static [Block],
        /// How many items are worked on at once: 1 for `for`, N for `parallel for … limit N`.
        limit: u32,
    },
}

/// One step as declared.
#[derive(Debug, PartialEq, Eq)]
pub struct StepDefinition {
    /// Name of the step and of its output. A step that has none is called after what it is and, where that is not
    /// enough, a number: `if car`, `for line`, `sleep`, `sleep 2`, `lock`.
    pub name: &'static str,
    /// Type of its output as written.
    pub output: &'static str,
    /// What it does.
    pub kind: StepKind,
    /// Where it stands relative to the point of no return.
    pub zone: Zone,
    /// How its effect is undone.
    pub compensation: Compensation,
    /// Whether its call is known to answer by key: by the word `keyed`, or because nothing else settles a doubt.
    pub keyed: bool,
    /// Whether a probe is declared.
    pub probe: bool,
    /// Whether it has a value for the case that it fails: `else`.
    pub otherwise: bool,
    /// The names that `events` gives to what happens to it.
    pub events: Option<EventNames>,
    /// What is written, shortened to what a reader needs: the condition of an `if`, the items of a `for`, how long a
    /// `sleep` or `receive` takes, the child of a `saga`; empty for a call.
    pub text: &'static str,
}

/// The domain names of a step's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNames {
    /// It is done.
    pub done: &'static str,
    /// It was refused.
    pub refused: &'static str,
    /// It is compensated.
    pub compensated: &'static str,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// `step`, `pivot`: calls a participant, with an effect.
    Call,
    /// `read`: calls a participant, without an effect.
    Read,
    /// `local`: writes into the log's own database.
    Local,
    /// `saga`: executes another saga.
    Saga,
    /// `receive`: waits for a signal.
    Receive,
    /// `sleep`: waits for a time.
    Sleep,
    /// `if`: decides which arm is taken.
    If,
    /// `for`: makes the list of items.
    For,
    /// `lock`: takes the saga's locks.
    Lock,
}

/// Where a step stands relative to the point of no return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// Before the pivot, or in a saga without one.
    Compensatable,
    /// The point of no return.
    Pivot,
    /// After the pivot.
    Retriable,
}

/// How a step's effect is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compensation {
    /// It is not.
    None,
    /// Declared harmless: `compensate nothing`.
    Nothing,
    /// By a call that the idempotency key suffices for.
    ByKey,
    /// By a call that needs the step's output.
    ByOutput,
}

impl StepDefinition {
    /// A step before the pivot of which nothing more is said.
    pub const fn new(kind: StepKind, name: &'static str, output: &'static str) -> Self {
        let (zone, compensation) = (Zone::Compensatable, Compensation::None);
        let (keyed, probe, otherwise) = (false, false, false);
        Self { name, output, kind, zone, compensation, keyed, probe, otherwise, events: None, text: "" }
    }

    /// The same at the point of no return.
    #[must_use]
    pub const fn pivot(self) -> Self {
        Self { zone: Zone::Pivot, ..self }
    }

    /// The same after the pivot.
    #[must_use]
    pub const fn retriable(self) -> Self {
        Self { zone: Zone::Retriable, ..self }
    }

    /// The same, declared harmless.
    #[must_use]
    pub const fn harmless(self) -> Self {
        Self { compensation: Compensation::Nothing, ..self }
    }

    /// The same, compensated by a call that the idempotency key suffices for.
    #[must_use]
    pub const fn undone_by_key(self) -> Self {
        Self { compensation: Compensation::ByKey, ..self }
    }

    /// The same, compensated by a call that needs its output.
    #[must_use]
    pub const fn undone_by_output(self) -> Self {
        Self { compensation: Compensation::ByOutput, ..self }
    }

    /// The same, known to answer by key.
    #[must_use]
    pub const fn keyed(self) -> Self {
        Self { keyed: true, ..self }
    }

    /// The same with a probe.
    #[must_use]
    pub const fn probe(self) -> Self {
        Self { probe: true, ..self }
    }

    /// The same with a value for the case that it fails.
    #[must_use]
    pub const fn otherwise(self) -> Self {
        Self { otherwise: true, ..self }
    }

    /// The same with names for what happens to it.
    #[must_use]
    pub const fn events(self, done: &'static str, refused: &'static str, compensated: &'static str) -> Self {
        Self { events: Some(EventNames { done, refused, compensated }), ..self }
    }

    /// The same with what a reader needs to see of what is written.
    #[must_use]
    pub const fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }
}

impl StepKind {
    /// Whether it has an effect on the world, which someone could have to undo.
    pub const fn is_effectful(self) -> bool {
        matches!(self, Self::Call | Self::Local | Self::Saga)
    }

    /// Whether the coordinator alone gets it done, without a call that could be in flight.
    pub const fn is_passive(self) -> bool {
        matches!(self, Self::Receive | Self::Sleep | Self::If | Self::For | Self::Lock)
    }
}

/// What makes two definitions able to continue each other's sagas: names, kinds, types, order and nesting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Definition {
    /// The fingerprint: changes with names, kinds, types, order and nesting, never with policies, calls or docs.
    ///
    /// With what the parameters stand for that its data uses.
    pub const fn fingerprint(&self) -> Fingerprint {
        let mut hash = Fnv::new().text(self.name).number(self.version as u64).text(self.output);
        hash = hash.parameters(self.parameters);
        let mut i = 0;
        while i < self.inputs.len() {
            hash = hash.text(self.inputs[i].name).text(self.inputs[i].ty);
            i += 1;
        }
        let mut i = 0;
        while i < self.steps.len() {
            let step = &self.steps[i];
            hash = hash.text(step.name).text(step.output).number(step.kind as u64);
            hash = hash.number(step.zone as u64).number(step.compensation as u64);
            i += 1;
        }
        Fingerprint(hash.blocks(self.body).0)
    }

    /// The name with what its data's parameters stand for, such as `Transfer<Eur>`: what the log calls it.
    pub fn full_name(&self) -> Cow<'static, str> {
        let mut shown = Vec::new();
        show(self.parameters, &mut shown, false);
        if shown.is_empty() {
            self.name.into()
        } else {
            format!("{}<{}>", self.name, shown.join(", ")).into()
        }
    }
}

/// Adds what these stand for; of a child saga what does not stand there already.
fn show(parameters: &[Parameter], shown: &mut Vec<String>, is_child: bool) {
    for parameter in parameters {
        match parameter.stands_for {
            StandsFor::Child(parameters) => show(parameters, shown, true),
            own => {
                let own = own.to_string();
                if !is_child || !shown.contains(&own) {
                    shown.push(own);
                }
            }
        }
    }
}

impl fmt::Display for StandsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(name) => f.write_str(name),
            Self::Signed(number) => write!(f, "{number}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Char(value) => write!(f, "{value:?}"),
            Self::Child(parameters) => f.debug_list().entries(*parameters).finish(),
        }
    }
}

impl Fingerprint {
    /// Reads what [`Display`](fmt::Display) writes: 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 16 { u64::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// FNV-1a, 64 bits: stable for ever, and computable in a constant, which no hasher of the standard library is.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }

    const fn number(mut self, number: u64) -> Self {
        let bytes = number.to_le_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    /// The length comes first, so that `("ab", "c")` and `("a", "bc")` differ.
    const fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        self = self.number(bytes.len() as u64);
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    /// None leave the hash as it is: it is that of a saga without any.
    const fn parameters(mut self, parameters: &[Parameter]) -> Self {
        let mut i = 0;
        while i < parameters.len() {
            self = match parameters[i].stands_for {
                StandsFor::Type(name) => self.byte(b't').text(name),
                StandsFor::Signed(number) => self.byte(b'n').number_128(number.cast_unsigned()),
                StandsFor::Unsigned(number) => self.byte(b'n').number_128(number),
                StandsFor::Bool(value) => self.byte(b'b').number(value as u64),
                StandsFor::Char(value) => self.byte(b'c').number(value as u64),
                StandsFor::Child(parameters) => self.parameters(parameters),
            };
            i += 1;
        }
        self
    }

    const fn number_128(self, number: u128) -> Self {
        let bytes = number.to_le_bytes();
        let mut hash = self;
        let mut i = 0;
        while i < bytes.len() {
            hash = hash.byte(bytes[i]);
            i += 1;
        }
        hash
    }

    const fn blocks(mut self, blocks: &[Block]) -> Self {
        self = self.byte(b'[');
        let mut i = 0;
        while i < blocks.len() {
            self = match &blocks[i] {
                Block::Step(step) => self.byte(b's').number(*step as u64),
                Block::Parallel(branches) => self.byte(b'p').sequences(branches),
                Block::If { step, arms } => self.byte(b'i').number(*step as u64).sequences(arms),
                // How many items are open at once shapes the history.
                Block::For { step, body, limit } => {
                    self.byte(b'f').number(*step as u64).number(*limit as u64).blocks(body)
                }
            };
            i += 1;
        }
        self.byte(b']')
    }

    const fn sequences(self, sequences: &[&[Block]]) -> Self {
        let mut hash = self.number(sequences.len() as u64);
        let mut i = 0;
        while i < sequences.len() {
            hash = hash.blocks(sequences[i]);
            i += 1;
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: StepDefinition =
        StepDefinition::new(StepKind::Call, "flight", "Flight").undone_by_output().keyed();

    const fn definition(steps: &'static [StepDefinition], body: &'static [Block]) -> Definition {
        Definition {
            name: "Trip",
            version: 1,
            parameters: &[],
            inputs: &[],
            output: "()",
            participants: &[],
            steps,
            body,
        }
    }

    #[test]
    fn nesting_changes_the_fingerprint() {
        const SEQUENCE: Definition = definition(&[STEP, STEP], &[Block::Step(0), Block::Step(1)]);
        const PARALLEL: Definition =
            definition(&[STEP, STEP], &[Block::Parallel(&[&[Block::Step(0)], &[Block::Step(1)]])]);
        assert_ne!(SEQUENCE.fingerprint(), PARALLEL.fingerprint());
    }

    #[test]
    fn what_parameters_stand_for_changes_the_fingerprint() {
        const fn of(parameters: &'static [Parameter]) -> Definition {
            Definition { parameters, ..definition(&[STEP], &[Block::Step(0)]) }
        }
        const fn parameter(stands_for: StandsFor) -> Parameter {
            Parameter { name: "M", stands_for }
        }
        const EUR: Definition = of(&[parameter(StandsFor::Type("Eur"))]);
        const USD: Definition = of(&[parameter(StandsFor::Type("Usd"))]);
        const MINUS_ONE: Definition = of(&[parameter(StandsFor::Signed(-1))]);
        const NO: Definition = of(&[parameter(StandsFor::Bool(false))]);
        const NONE: Definition = of(&[]);
        const CHILD: Definition = of(&[parameter(StandsFor::Child(EUR.parameters))]);
        const PLAIN_CHILD: Definition = of(&[parameter(StandsFor::Child(&[]))]);
        let all = [&EUR, &USD, &MINUS_ONE, &NO, &NONE].map(Definition::fingerprint);
        assert_eq!(all.into_iter().collect::<std::collections::HashSet<_>>().len(), all.len());
        let names = [&EUR, &MINUS_ONE, &NO, &NONE, &CHILD, &PLAIN_CHILD].map(Definition::full_name);
        assert_eq!(names, ["Trip<Eur>", "Trip<-1>", "Trip<false>", "Trip", "Trip<Eur>", "Trip"]);
        // A saga that had none before is the same saga.
        assert_eq!(NONE.fingerprint().to_string(), "7f819a9054db95ae");
        assert_eq!(PLAIN_CHILD.fingerprint(), NONE.fingerprint());
    }

    #[test]
    fn a_fingerprint_is_read_back_as_written() {
        let fingerprint = definition(&[STEP], &[Block::Step(0)]).fingerprint();
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        assert_eq!(Fingerprint::parse("no fingerprint"), None);
    }
}
