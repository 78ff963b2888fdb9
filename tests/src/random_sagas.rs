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

/// Whoever answers the same to the same key.
pub trait Desk: Keyed + Send + Sync + 'static {
    /// Makes one.
    fn make<T: Default + Send, U: Send>(
        &self,
        cx: &Context,
        uses: U,
    ) -> impl Future<Output = Result<T, DeskError>> + Send;
    /// Takes it back.
    fn undo<U: Send>(&self, cx: &Context, uses: U) -> impl Future<Output = Result<(), DeskError>> + Send;
}

/// The transactions of a log that is not this workspace's.
pub struct OtherTx;

fn note<X, T: Default, U>(_tx: &X, _uses: U) -> Result<T, DeskError> {
    Ok(T::default())
}
fn erase<X, U>(_tx: &X, _uses: U) -> Result<(), DeskError> {
    Ok(())
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

saga_runtime::saga! {
    /// Can turn, and returns nothing.
    pub saga Lamp() {
        with sure: Sure;
        step lit: u8 = sure.make(cx, ()) compensate sure.undo(cx, lit);
    }

    /// Can turn with its own child and what it has noted.
    pub saga Room(number: u8, names: Vec<u64>) -> String {
        lock number;
        local noted: u8 = note(tx, names) compensate erase(tx, noted);
        saga lamp: () = Lamp();
        return some((number, names, noted, lamp));
    }

    /// Has a pivot.
    pub saga Letter(to: String) -> Vec<u64> {
        with sure: Sure;
        pivot sent: u8 = sure.make(cx, to);
        return some(sent);
    }

    /// Can turn, whoever its desk is.
    pub saga Errand<D: Desk>(what: Option<bool>) -> u8 {
        with desk: D;
        step done: u8 = desk.make(cx, what) compensate desk.undo(cx, done);
        return done;
    }
}

impl Desk for Sure {
    async fn make<T: Default + Send, U: Send>(&self, cx: &Context, uses: U) -> Result<T, DeskError> {
        Sure::make(self, cx, uses).await
    }
    async fn undo<U: Send>(&self, cx: &Context, uses: U) -> Result<(), DeskError> {
        Sure::undo(self, cx, uses).await
    }
}
";

/// The types of outputs.
const TYPES: &[&str] = &["u8", "String", "Vec<u64>", "Option<bool>", "(u8, String)"];

/// A saga of the prelude.
struct Child {
    name: &'static str,
    inputs: usize,
    output: &'static str,
    is_compensatable: bool,
}

const CHILDREN: &[Child] = &[
    Child { name: "Lamp", inputs: 0, output: "()", is_compensatable: true },
    Child { name: "Room", inputs: 2, output: "String", is_compensatable: true },
    Child { name: "Errand::<Sure>", inputs: 1, output: "u8", is_compensatable: true },
    Child { name: "Letter", inputs: 1, output: "Vec<u64>", is_compensatable: false },
];

/// A name that can be mentioned.
#[derive(Clone)]
struct Name {
    name: String,
    /// It is the output of an arm, and seen as an `Option`.
    is_optional: bool,
}

/// Where a statement stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    BeforePivot,
    Pivot,
    AfterPivot,
}

struct Writer<'r> {
    rng: &'r mut Rng,
    text: String,
    /// Numbers the names.
    next: usize,
    zone: Zone,
    has_parameter: bool,
}

/// The declaration of a saga called `name`.
pub fn saga(name: &str, rng: &mut Rng) -> String {
    let mut writer =
        Writer { rng, text: String::new(), next: 0, zone: Zone::BeforePivot, has_parameter: false };
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
        self.push("/// A saga.\n");
        let options = ["version = 2", "tx = OtherTx", "version = 3, tx = OtherTx"];
        if self.one_in(4) {
            let options = self.pick(&options);
            write!(self.text, "#[saga({options})]").unwrap();
        }
        self.has_parameter = self.one_in(4);
        let in_where = self.one_in(2);
        let (parameter, bound) = match (self.has_parameter, in_where) {
            (false, _) => ("", ""),
            (true, false) => ("<D: Desk>", ""),
            (true, true) => ("<D>", "where D: Desk,"),
        };
        let mut available = Vec::new();
        let inputs = self.rng.usize(..3);
        let fields = (0..inputs).map(|_| {
            let (name, ty) = (self.name(), self.pick(TYPES));
            available.push(Name { name: name.clone(), is_optional: false });
            format!("{name}: {ty}")
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        let has_output = !self.one_in(4);
        let output = if has_output { format!("-> {}", self.pick(TYPES)) } else { String::new() };
        let visibility = self.pick(&["pub", "pub(crate)", ""]);
        write!(self.text, "{visibility} saga {name}{parameter}({fields}) {output} {bound} {{").unwrap();
        self.head(&available);
        let depth = self.rng.usize(1..4);
        self.statements(&mut available, depth);
        match self.rng.usize(..5) {
            0 | 1 => {
                self.pivot(&mut available);
                if !self.one_in(3) {
                    self.statements(&mut available, depth - 1);
                }
            }
            // What stands last and has no compensation is the pivot, too.
            2 => {
                self.zone = Zone::Pivot;
                if self.one_in(2) { self.local(&mut available) } else { self.step(&mut available) }
            }
            _ => {}
        }
        if has_output {
            let uses = self.uses(&available);
            write!(self.text, "return some({uses});").unwrap();
        }
        self.push("}");
    }

    /// What is said for the whole saga, in any order.
    fn head(&mut self, inputs: &[Name]) {
        let parameter = if self.has_parameter { ", desk: D" } else { "" };
        let mut statements = vec![format!("with sure: Sure, careless: Careless{parameter};")];
        if self.one_in(3) {
            let uses = self.uses(inputs);
            let deadline = if self.one_in(2) { format!("at (when({uses}))") } else { "30m".to_owned() };
            statements.push(format!("deadline {deadline};"));
        }
        if self.one_in(3) {
            statements.push("timeout 5s;".to_owned());
        }
        if self.one_in(3) {
            statements.push("retry 3 times every 100ms..(LIMIT);".to_owned());
        }
        if self.one_in(3) {
            let keys = (0..self.rng.usize(1..4)).map(|_| self.key(inputs)).collect::<Vec<_>>();
            statements.push(format!("lock {};", keys.join(", ")));
        }
        self.rng.shuffle(&mut statements);
        self.push(&statements.concat());
    }

    /// What can be locked: a text, or what has one.
    fn key(&mut self, inputs: &[Name]) -> String {
        let uses = self.uses(inputs);
        match (self.rng.usize(..3), inputs.last()) {
            (0, Some(input)) => format!("format!(\"key/{{{}:?}}\")", input.name),
            (1, _) => format!("some::<_, u8>({uses})"),
            _ => "\"everywhere\"".to_owned(),
        }
    }

    /// One to three statements, which see what is available and add to it.
    fn statements(&mut self, available: &mut Vec<Name>, depth: usize) {
        for _ in 0..self.rng.usize(1..4) {
            self.statement(available, depth);
        }
    }

    fn statement(&mut self, available: &mut Vec<Name>, depth: usize) {
        match self.rng.usize(..if depth == 0 { 11 } else { 18 }) {
            0..5 => self.step(available),
            5 => self.read(available),
            6 => self.receive(available),
            7 => self.sleep(available),
            8 | 9 => self.local(available),
            10 => self.child(available),
            11 | 12 => self.parallel(available, depth - 1),
            13 | 14 => self.branching(available, depth - 1),
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

    fn documentation(&mut self) {
        if self.one_in(6) {
            self.push("/// Something.\n");
        }
    }

    fn step(&mut self, available: &mut Vec<Name>) {
        let name = self.name();
        self.step_called(&name, None, available);
    }

    fn step_called(&mut self, name: &str, ty: Option<&str>, available: &mut Vec<Name>) {
        self.documentation();
        let ty = ty.unwrap_or_else(|| self.pick(TYPES));
        let (desk, is_sure) = self.desk();
        let call = self.call(desk, available);
        write!(self.text, "step {name}: {ty} = {call}").unwrap();
        let mut clauses = self.policies();
        let mut settles = is_sure;
        if self.one_in(5) {
            let uses = self.uses(available);
            clauses.push(format!("probe careless.find(cx, {uses})"));
            settles = true;
        }
        let mut is_compensated = false;
        if self.zone == Zone::BeforePivot {
            let by_output = settles || self.one_in(2);
            if self.one_in(3) {
                clauses.push("compensate nothing".to_owned());
                settles = true;
            } else {
                let own = if by_output { name } else { "" };
                let uses = self.undoing(own, available);
                let policies = self.policies().join(", ");
                let policies = if policies.is_empty() { policies } else { format!("{{ {policies} }}") };
                let (desk, _) = self.desk();
                clauses.push(format!("compensate {desk}.undo(cx, {uses}) {policies}"));
                settles |= !by_output;
                is_compensated = true;
            }
        }
        self.otherwise(available, &mut clauses);
        if !settles || self.one_in(8) {
            clauses.push("keyed".to_owned());
        }
        self.events(is_compensated, &mut clauses);
        self.clauses(clauses);
        available.push(Name { name: name.to_owned(), is_optional: false });
    }

    /// A desk, and whether it answers the same to the same key.
    fn desk(&mut self) -> (&'static str, bool) {
        match self.rng.usize(..4) {
            0 if self.has_parameter => ("desk", true),
            0 | 1 => ("sure", true),
            _ => ("careless", false),
        }
    }

    /// A call that is awaited.
    fn call(&mut self, desk: &str, available: &[Name]) -> String {
        let uses = self.uses(available);
        match (self.rng.usize(..6), available.last()) {
            (0, _) => format!("async {{ let _ = {uses}; {desk}.make(cx, ()).await }}"),
            (1, Some(Name { name, .. })) => format!("{desk}.make(cx, format!(\"{{{name}:?}}\"))"),
            _ => format!("{desk}.make(cx, {uses})"),
        }
    }

    /// What a compensation uses: its `own` output, or none if that is empty, and some of what is available.
    fn undoing(&mut self, own: &str, available: &[Name]) -> String {
        let uses = self.uses(available);
        if own.is_empty() { uses } else { format!("({own}, {uses},)") }
    }

    /// In any order.
    fn clauses(&mut self, mut clauses: Vec<String>) {
        self.rng.shuffle(&mut clauses);
        write!(self.text, " {};", clauses.join(" ")).unwrap();
    }

    fn policies(&mut self) -> Vec<String> {
        let mut policies = Vec::new();
        if self.one_in(4) {
            let timeout = ["5s", "1.5h", "7ns", "1us", "2d", "(LIMIT * 2)"];
            policies.push(format!("timeout {}", self.pick(&timeout)));
        }
        if self.one_in(4) {
            let retry =
                ["never", "forever", "2 times", "forever every 1s..(LIMIT)", "1_000 times every 1ms..1h30m"];
            policies.push(format!("retry {}", self.pick(&retry)));
        }
        policies
    }

    /// The value of what fails after the pivot.
    fn otherwise(&mut self, available: &[Name], clauses: &mut Vec<String>) {
        if self.zone == Zone::AfterPivot && self.one_in(4) {
            let uses = self.uses(available);
            clauses.push(format!("else some({uses})"));
        }
    }

    /// Names for the first of what can happen.
    fn events(&mut self, can_be_compensated: bool, clauses: &mut Vec<String>) {
        if self.one_in(5) {
            self.next += 1;
            let number = self.next;
            let all = [format!("Made{number}"), format!("Full{number}"), format!("Undone{number}")];
            let count = self.rng.usize(1..if can_be_compensated { 4 } else { 3 });
            clauses.push(format!("events {}", all[..count].join(", ")));
        }
    }

    fn local(&mut self, available: &mut Vec<Name>) {
        self.documentation();
        let (name, ty, uses) = (self.name(), self.pick(TYPES), self.uses(available));
        write!(self.text, "local {name}: {ty} = note(tx, {uses})").unwrap();
        let mut clauses = Vec::new();
        let mut is_compensated = false;
        if self.zone == Zone::BeforePivot {
            is_compensated = !self.one_in(3);
            clauses.push(if is_compensated {
                let own = if self.one_in(2) { &*name } else { "" };
                let uses = self.undoing(own, available);
                let policies = self.policies().join("; ");
                let policies = if policies.is_empty() { policies } else { format!("{{ {policies} }}") };
                format!("compensate erase(tx, {uses}) {policies}")
            } else {
                "compensate nothing".to_owned()
            });
        }
        self.otherwise(available, &mut clauses);
        self.events(is_compensated, &mut clauses);
        self.clauses(clauses);
        available.push(Name { name, is_optional: false });
    }

    fn child(&mut self, available: &mut Vec<Name>) {
        self.documentation();
        let can_turn = self.zone == Zone::BeforePivot;
        let children = CHILDREN.iter().filter(|child| child.is_compensatable || !can_turn);
        let children = children.collect::<Vec<_>>();
        let child = children[self.rng.usize(..children.len())];
        let (name, Child { name: saga, output, inputs, .. }) = (self.name(), child);
        let inputs = (0..*inputs).map(|_| format!("some({})", self.uses(available))).collect::<Vec<_>>();
        write!(self.text, "saga {name}: {output} = {saga}({})", inputs.join(", ")).unwrap();
        let mut clauses = Vec::new();
        self.otherwise(available, &mut clauses);
        self.events(can_turn, &mut clauses);
        self.clauses(clauses);
        available.push(Name { name, is_optional: false });
    }

    fn read(&mut self, available: &mut Vec<Name>) {
        let name = self.name();
        self.read_called(&name, None, available);
    }

    fn read_called(&mut self, name: &str, ty: Option<&str>, available: &mut Vec<Name>) {
        self.documentation();
        let ty = ty.unwrap_or_else(|| self.pick(TYPES));
        let (desk, _) = self.desk();
        let call = self.call(desk, available);
        write!(self.text, "read {name}: {ty} = {call}").unwrap();
        let mut clauses = self.policies();
        if self.one_in(3) {
            let uses = self.uses(available);
            clauses.push(format!("else some({uses})"));
        }
        self.events(false, &mut clauses);
        self.clauses(clauses);
        available.push(Name { name: name.to_owned(), is_optional: false });
    }

    fn receive(&mut self, available: &mut Vec<Name>) {
        self.documentation();
        let (name, ty) = (self.name(), self.pick(TYPES));
        let mut clauses = vec![format!("within {}", self.pick(&["24h", "(LIMIT)"]))];
        if self.one_in(2) {
            let uses = self.uses(available);
            clauses.push(format!("else some({uses})"));
        }
        self.events(false, &mut clauses);
        write!(self.text, "receive {name}: {ty}").unwrap();
        available.push(Name { name, is_optional: false });
        self.clauses(clauses);
    }

    fn sleep(&mut self, available: &[Name]) {
        self.documentation();
        let uses = self.uses(available);
        let times = [format!("until (when({uses}))"), "1h30m".to_owned(), "(LIMIT)".to_owned()];
        let time = &times[self.rng.usize(..3)];
        write!(self.text, "sleep {time};").unwrap();
    }

    fn pivot(&mut self, available: &mut Vec<Name>) {
        self.documentation();
        let (name, ty) = (self.name(), self.pick(TYPES));
        let (desk, is_sure) = self.desk();
        let call = self.call(desk, available);
        write!(self.text, "pivot {name}: {ty} = {call}").unwrap();
        let mut clauses = self.policies();
        let is_probed = self.one_in(4);
        if is_probed {
            let uses = self.uses(available);
            clauses.push(format!("probe careless.find(cx, {uses})"));
        }
        if !is_probed && !is_sure {
            clauses.push("keyed".to_owned());
        }
        self.events(false, &mut clauses);
        self.clauses(clauses);
        available.push(Name { name, is_optional: false });
        self.zone = Zone::AfterPivot;
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
        self.documentation();
        let before = available.clone();
        let arms = self.rng.usize(1..4);
        // What every arm makes exists behind them, if one of them is always taken.
        let common = self.one_in(3).then(|| (self.name(), self.pick(TYPES)));
        let mut is_exhaustive = false;
        for arm in 0..arms {
            let mut in_arm = before.clone();
            let optional = before.iter().filter(|name| name.is_optional).map(|name| name.name.clone());
            let optional = optional.collect::<Vec<_>>();
            if arm > 0 {
                self.push(" else ");
            }
            if arm > 0 && arm + 1 == arms && self.one_in(2) {
                is_exhaustive = true;
                self.push("{");
            } else if !optional.is_empty() && self.one_in(2) {
                let (bound, name) = (self.name(), &optional[self.rng.usize(..optional.len())]);
                let also = if self.one_in(2) { format!("&& is({bound})") } else { String::new() };
                write!(self.text, "if let Some({bound}) = {name} {also} {{").unwrap();
                in_arm.push(Name { name: bound, is_optional: false });
            } else {
                let uses = self.uses(&before);
                write!(self.text, "if is({uses}) {{").unwrap();
            }
            let bound = in_arm.len();
            self.statements(&mut in_arm, depth);
            if let Some((name, ty)) = &common {
                let ty = Some(*ty);
                if self.one_in(2) {
                    self.step_called(name, ty, &mut in_arm);
                } else {
                    self.read_called(name, ty, &mut in_arm);
                }
                in_arm.pop();
            }
            let made = in_arm.drain(bound..);
            available.extend(made.map(|name| Name { is_optional: true, ..name }));
            self.push("}");
        }
        available.extend(common.map(|(name, _)| Name { name, is_optional: !is_exhaustive }));
    }

    fn each(&mut self, available: &mut Vec<Name>, depth: usize) {
        self.documentation();
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
