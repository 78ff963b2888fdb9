//! Random sagas that are right: every form of the language, nested, with every clause.
//!
//! The macro's own tests mutate them, `ui` has rustc compile them.

#![allow(clippy::unwrap_used, reason = "a string can be written to")]

use std::fmt::Write;

use fastrand::Rng;

/// What all of them call: to stand in the same file, before them.
pub const PRELUDE: &str = r"
use std::time::{Duration, SystemTime};

use saga_runtime::{Context, Keyed, StepError};

const LIMIT: Duration = Duration::from_secs(5);

/// What a desk answers.
#[derive(Debug, StepError)]
pub enum DeskError {
    /// No.
    #[outcome(refused)]
    Full,
}

impl std::fmt::Display for DeskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(stringify!(full))
    }
}

/// Answers the same to the same key.
pub struct Sure;
impl Keyed for Sure {}
impl Sure {
    async fn make<T: Default, U: Send>(&self, _cx: &Context, _uses: U) -> Result<T, DeskError> {
        Ok(T::default())
    }
    async fn undo<U: Send>(&self, _cx: &Context, _uses: U) -> Result<(), DeskError> {
        Err(DeskError::Full)
    }
}

/// Says nothing about keys.
pub struct Careless;
impl Careless {
    async fn make<T: Default, U: Send>(&self, _cx: &Context, _uses: U) -> Result<T, DeskError> {
        Ok(T::default())
    }
    async fn find<T, U: Send>(&self, _cx: &Context, _uses: U) -> Result<Option<T>, DeskError> {
        Ok(None)
    }
    async fn undo<U: Send>(&self, _cx: &Context, _uses: U) -> Result<(), DeskError> {
        Ok(())
    }
}

fn some<U, T: Default>(_uses: U) -> T {
    T::default()
}
fn is<U>(_uses: U) -> bool {
    true
}
fn when<U>(_uses: U) -> SystemTime {
    SystemTime::UNIX_EPOCH
}
";

/// The types of outputs.
const TYPES: &[&str] = &["u8", "String", "Vec<u64>", "Option<bool>", "(u8, String)"];

/// A name that can be mentioned.
#[derive(Clone)]
struct Name {
    name: String,
    /// It is the output of an arm, and seen as an `Option`.
    is_optional: bool,
}

struct Writer<'r> {
    rng: &'r mut Rng,
    text: String,
    /// Numbers the names.
    next: usize,
    after_pivot: bool,
}

/// The declaration of a saga called `name`.
pub fn saga(name: &str, rng: &mut Rng) -> String {
    let mut writer = Writer { rng, text: String::new(), next: 0, after_pivot: false };
    writer.saga(name);
    writer.text
}

impl Writer<'_> {
    fn one_in(&mut self, of: usize) -> bool {
        self.rng.usize(..of) == 0
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.rng.usize(..from.len())]
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("s{}", self.next)
    }

    fn saga(&mut self, name: &str) {
        let mut available = Vec::new();
        let inputs = self.rng.usize(..3);
        let fields = (0..inputs).map(|_| {
            let (name, ty) = (self.name(), self.pick(TYPES));
            available.push(Name { name: name.clone(), is_optional: false });
            format!("{name}: {ty}")
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        let has_output = !self.one_in(4);
        let output = if has_output { "-> u8" } else { "" };
        write!(
            self.text,
            "/// A saga.\npub saga {name}({fields}) {output} {{ with sure: Sure, careless: Careless;"
        )
        .unwrap();
        if self.one_in(3) {
            let uses = self.uses(&available);
            let deadline = if self.one_in(2) { format!("at (when({uses}))") } else { "30m".to_owned() };
            write!(self.text, "deadline {deadline};").unwrap();
        }
        if self.one_in(3) {
            self.push("timeout 5s;");
        }
        if self.one_in(3) {
            self.push("retry 3 times every 100ms..(LIMIT);");
        }
        let depth = self.rng.usize(1..4);
        self.statements(&mut available, depth);
        if self.one_in(2) {
            self.pivot(&mut available);
            if !self.one_in(3) {
                self.statements(&mut available, depth - 1);
            }
        }
        if has_output {
            let uses = self.uses(&available);
            write!(self.text, "return some({uses});").unwrap();
        }
        self.push("}");
    }

    /// One to three statements, which see what is available and add to it.
    fn statements(&mut self, available: &mut Vec<Name>, depth: usize) {
        for _ in 0..self.rng.usize(1..4) {
            self.statement(available, depth);
        }
    }

    fn statement(&mut self, available: &mut Vec<Name>, depth: usize) {
        match self.rng.usize(..if depth == 0 { 10 } else { 16 }) {
            0..6 => self.step(available),
            6 | 7 => self.read(available),
            8 => self.receive(available),
            9 => self.sleep(available),
            10 | 11 => self.parallel(available, depth - 1),
            12 | 13 => self.branching(available, depth - 1),
            _ => self.each(available, depth - 1),
        }
    }

    /// Some of what is available, as one argument.
    fn uses(&mut self, available: &[Name]) -> String {
        let mut uses = String::new();
        for name in available {
            if self.one_in(2) && uses.matches(',').count() < 10 {
                write!(uses, "{}, ", name.name).unwrap();
            }
        }
        format!("({uses})")
    }

    fn step(&mut self, available: &mut Vec<Name>) {
        let (name, ty, uses) = (self.name(), self.pick(TYPES), self.uses(available));
        let is_sure = self.one_in(2);
        let desk = if is_sure { "sure" } else { "careless" };
        write!(self.text, "step {name}: {ty} = {desk}.make(cx, {uses})").unwrap();
        let before = available.clone();
        available.push(Name { name: name.clone(), is_optional: false });
        let mut clauses = self.policies();
        let mut settles = is_sure;
        if self.one_in(5) {
            let uses = self.uses(&before);
            clauses.push(format!("probe careless.find(cx, {uses})"));
            settles = true;
        }
        let mut is_compensated = false;
        if self.after_pivot {
            if self.one_in(4) {
                let uses = self.uses(&before);
                clauses.push(format!("else some({uses})"));
            }
        } else if self.one_in(3) {
            clauses.push("compensate nothing".to_owned());
        } else {
            let by_output = settles || self.one_in(2);
            let own = if by_output { format!("{name}, ") } else { String::new() };
            let uses = self.uses(&before);
            let policies = self.policies().join(", ");
            let policies = if policies.is_empty() { policies } else { format!("{{ {policies} }}") };
            clauses.push(format!("compensate careless.undo(cx, ({own}{uses},)) {policies}"));
            settles |= !by_output;
            is_compensated = true;
        }
        if !settles {
            clauses.push("keyed".to_owned());
        }
        if self.one_in(5) {
            let number = self.next;
            let all = [format!("Made{number}"), format!("Full{number}"), format!("Undone{number}")];
            let count = self.rng.usize(1..if is_compensated { 4 } else { 3 });
            clauses.push(format!("events {}", all[..count].join(", ")));
        }
        self.clauses(clauses);
    }

    /// In any order.
    fn clauses(&mut self, mut clauses: Vec<String>) {
        self.rng.shuffle(&mut clauses);
        write!(self.text, " {};", clauses.join(" ")).unwrap();
    }

    fn policies(&mut self) -> Vec<String> {
        let mut policies = Vec::new();
        if self.one_in(4) {
            policies.push(format!("timeout {}", self.pick(&["5s", "1.5h", "(LIMIT * 2)"])));
        }
        if self.one_in(4) {
            let retry =
                ["never", "forever", "2 times", "forever every 1s..(LIMIT)", "1_000 times every 1ms..1h30m"];
            policies.push(format!("retry {}", self.pick(&retry)));
        }
        policies
    }

    fn read(&mut self, available: &mut Vec<Name>) {
        let (name, ty, uses) = (self.name(), self.pick(TYPES), self.uses(available));
        let desk = self.pick(&["sure", "careless"]);
        write!(self.text, "read {name}: {ty} = {desk}.make(cx, {uses})").unwrap();
        let mut clauses = self.policies();
        if self.one_in(3) {
            let uses = self.uses(available);
            clauses.push(format!("else some({uses})"));
        }
        available.push(Name { name, is_optional: false });
        self.clauses(clauses);
    }

    fn receive(&mut self, available: &mut Vec<Name>) {
        let (name, ty) = (self.name(), self.pick(TYPES));
        let mut clauses = vec![format!("within {}", self.pick(&["24h", "(LIMIT)"]))];
        if self.one_in(2) {
            let uses = self.uses(available);
            clauses.push(format!("else some({uses})"));
        }
        write!(self.text, "receive {name}: {ty}").unwrap();
        available.push(Name { name, is_optional: false });
        self.clauses(clauses);
    }

    fn sleep(&mut self, available: &[Name]) {
        let uses = self.uses(available);
        let time = if self.one_in(2) { format!("until (when({uses}))") } else { "1h30m".to_owned() };
        write!(self.text, "sleep {time};").unwrap();
    }

    fn pivot(&mut self, available: &mut Vec<Name>) {
        let (name, uses) = (self.name(), self.uses(available));
        write!(self.text, "pivot {name}: String = sure.make(cx, {uses})").unwrap();
        let policies = self.policies();
        self.clauses(policies);
        available.push(Name { name, is_optional: false });
        self.after_pivot = true;
    }

    fn parallel(&mut self, available: &mut Vec<Name>, depth: usize) {
        self.push("parallel {");
        let before = available.clone();
        for _ in 0..self.rng.usize(1..4) {
            let mut in_branch = before.clone();
            if self.one_in(2) {
                self.statement(&mut in_branch, depth);
            } else {
                self.push("{");
                self.statements(&mut in_branch, depth);
                self.push("}");
            }
            available.extend_from_slice(&in_branch[before.len()..]);
        }
        self.push("}");
    }

    fn branching(&mut self, available: &mut Vec<Name>, depth: usize) {
        let before = available.clone();
        let arms = self.rng.usize(1..4);
        for arm in 0..arms {
            let mut in_arm = before.clone();
            let optional = before.iter().filter(|name| name.is_optional).map(|name| name.name.clone());
            let optional = optional.collect::<Vec<_>>();
            if arm > 0 {
                self.push(" else ");
            }
            if arm > 0 && arm + 1 == arms && self.one_in(2) {
                self.push("{");
            } else if !optional.is_empty() && self.one_in(2) {
                let (bound, name) = (self.name(), &optional[self.rng.usize(..optional.len())]);
                write!(self.text, "if let Some({bound}) = {name} && is({bound}) {{").unwrap();
                in_arm.push(Name { name: bound, is_optional: false });
            } else {
                let uses = self.uses(&before);
                write!(self.text, "if is({uses}) {{").unwrap();
            }
            let bound = in_arm.len();
            self.statements(&mut in_arm, depth);
            let made = in_arm.drain(bound..);
            available.extend(made.map(|name| Name { is_optional: true, ..name }));
            self.push("}");
        }
    }

    fn each(&mut self, available: &mut Vec<Name>, depth: usize) {
        let (item, ty, uses) = (self.name(), self.pick(TYPES), self.uses(available));
        let is_parallel = self.one_in(2);
        let (parallel, limit) = if is_parallel { ("parallel ", "limit 3") } else { ("", "") };
        write!(self.text, "{parallel}for {item}: {ty} in some::<_, Vec<{ty}>>({uses}) {limit} {{").unwrap();
        let mut in_body = available.clone();
        in_body.push(Name { name: item, is_optional: false });
        let inside = in_body.len();
        self.statements(&mut in_body, depth);
        available.extend(in_body.drain(inside..).map(|name| Name { is_optional: false, ..name }));
        self.push("}");
    }
}
