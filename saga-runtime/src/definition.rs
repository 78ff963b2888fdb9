//! A saga's declaration as data.

use std::fmt;

/// A declaration as data: what diagrams, choreography and recovery are made from.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Name of the saga, such as `BookTrip`.
    pub name: &'static str,
    /// `#[saga(version = N)]`; 1 if nothing is said.
    pub version: u32,
    /// The inputs in their order.
    pub inputs: &'static [Field],
    /// Type of the output as written.
    pub output: &'static str,
    /// The participants in their order.
    pub participants: &'static [Field],
    /// The steps in the order in which they are written; a step's index is its place here.
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

/// A node of the tree of blocks.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// The step with this index.
    Step(usize),
    /// Branches that run at the same time, each a sequence.
    Parallel(&'static [&'static [Block]]),
}

/// One step as declared.
#[derive(Debug, PartialEq, Eq)]
pub struct StepDefinition {
    /// Name of the step and of its output.
    pub name: &'static str,
    /// Type of its output as written.
    pub output: &'static str,
    /// What kind of step it is.
    pub kind: StepKind,
    /// How its effect is undone.
    pub compensation: Compensation,
    /// Whether a probe is declared.
    pub probe: bool,
}

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A step before the pivot, or of a saga without one.
    Compensatable,
    /// Has no effect on the world.
    Read,
    /// The point of no return.
    Pivot,
    /// A step after the pivot.
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

/// What makes two definitions able to continue each other's sagas: names, kinds, types, order and nesting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Definition {
    /// The fingerprint: changes with names, kinds, types, order and nesting, never with policies, calls or docs.
    pub const fn fingerprint(&self) -> Fingerprint {
        let mut hash = Fnv::new().text(self.name).number(self.version as u64).text(self.output);
        let mut i = 0;
        while i < self.inputs.len() {
            hash = hash.text(self.inputs[i].name).text(self.inputs[i].ty);
            i += 1;
        }
        let mut i = 0;
        while i < self.steps.len() {
            let step = &self.steps[i];
            hash = hash.text(step.name).text(step.output).number(step.kind as u64);
            hash = hash.number(step.compensation as u64);
            i += 1;
        }
        Fingerprint(hash.blocks(self.body).0)
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

    const fn blocks(mut self, blocks: &[Block]) -> Self {
        self = self.byte(b'[');
        let mut i = 0;
        while i < blocks.len() {
            self = match &blocks[i] {
                Block::Step(step) => self.byte(b's').number(*step as u64),
                Block::Parallel(branches) => {
                    let mut hash = self.byte(b'p').number(branches.len() as u64);
                    let mut k = 0;
                    while k < branches.len() {
                        hash = hash.blocks(branches[k]);
                        k += 1;
                    }
                    hash
                }
            };
            i += 1;
        }
        self.byte(b']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: StepDefinition = StepDefinition {
        name: "flight",
        output: "Flight",
        kind: StepKind::Compensatable,
        compensation: Compensation::ByOutput,
        probe: false,
    };

    const fn definition(steps: &'static [StepDefinition], body: &'static [Block]) -> Definition {
        Definition { name: "Trip", version: 1, inputs: &[], output: "()", participants: &[], steps, body }
    }

    #[test]
    fn nesting_changes_the_fingerprint() {
        const SEQUENCE: Definition = definition(&[STEP, STEP], &[Block::Step(0), Block::Step(1)]);
        const PARALLEL: Definition =
            definition(&[STEP, STEP], &[Block::Parallel(&[&[Block::Step(0)], &[Block::Step(1)]])]);
        assert_ne!(SEQUENCE.fingerprint(), PARALLEL.fingerprint());
    }

    #[test]
    fn a_fingerprint_is_read_back_as_written() {
        let fingerprint = definition(&[STEP], &[Block::Step(0)]).fingerprint();
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        assert_eq!(Fingerprint::parse("no fingerprint"), None);
    }
}
