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

/// What a saga with parameters asks of its participant.
pub trait Desk: Keyed + Send + Sync + 'static {
    /// Does it.
    fn make<T: Default + Send, U: Send>(
        &self,
        cx: &Context,
        uses: U,
    ) -> impl Future<Output = Result<T, DeskError>> + Send;
    /// Undoes it.
    fn undo<U: Send>(&self, cx: &Context, uses: U) -> impl Future<Output = Result<(), DeskError>> + Send;
}
impl Desk for Sure {
    async fn make<T: Default + Send, U: Send>(&self, cx: &Context, uses: U) -> Result<T, DeskError> {
        self.make(cx, uses).await
    }
    async fn undo<U: Send>(&self, cx: &Context, uses: U) -> Result<(), DeskError> {
        self.undo(cx, uses).await
    }
}

/// Knows its own desk.
pub trait Bank {
    /// The desk.
    type Client: Desk;
}

/// A transaction of some other log.
pub struct Tape;

fn put<X, U, T: Default>(_tx: &X, _uses: U) -> Result<T, DeskError> {
    Ok(T::default())
}
fn take<X, U>(_tx: &X, _uses: U) -> Result<(), DeskError> {
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
fn key<U>(_uses: U) -> String {
    String::new()
}

/// Sagas that others begin.
pub mod children {
    use super::{Desk, Sure, key, put, some, take};

    saga_runtime::saga! {
        /// Has no input.
        pub saga Lamp() -> u8 {
            with sure: Sure;
            step bulb: u8 = sure.make(cx, ()) compensate sure.undo(cx, bulb);
            return bulb;
        }

        /// Locks, and has a child.
        pub saga Room(number: u8) -> String {
            with sure: Sure;
            lock number, key(number);
            saga lamp: u8 = Lamp();
            step bed: String = sure.make(cx, lamp) compensate sure.undo(cx, bed);
            return bed;
        }

        /// For any desk.
        pub saga Any<D: Desk>(numbers: Vec<u64>, text: String) -> Vec<u64> {
            with desk: D;
            step made: Vec<u64> = desk.make(cx, (numbers, text)) compensate nothing;
            return made;
        }

        /// Waits, and is local.
        pub saga Seat(free: Option<bool>) -> Option<bool> {
            receive answer: bool within 1h else false;
            local seat: Option<bool> = put(tx, (free, answer)) compensate take(tx, seat);
            return seat;
        }

        /// Reads.
        pub saga Look(at: (u8, String)) -> (u8, String) {
            with sure: Sure;
            read seen: (u8, String) = sure.make(cx, at);
            return seen;
        }

        /// Has a pivot.
        pub saga Letter(to: String) {
            with sure: Sure;
            pivot stamp: u8 = sure.make(cx, to);
        }

        /// Has one, and an output.
        pub saga Post(text: String, count: u8) -> u8 {
            with sure: Sure;
            step stamp: u8 = sure.make(cx, (text, count)) compensate nothing;
            step sent: u8 = sure.make(cx, stamp);
            return some(sent);
        }
    }
}
";

/// The types of outputs.
const TYPES: &[&str] = &["u8", "String", "Vec<u64>", "Option<bool>", "(u8, String)", "()"];

/// The sagas of the prelude that can compensate throughout: how many arguments they have, and their outputs.
const COMPENSATABLE: &[(&str, usize, &str)] = &[
    ("children::Lamp", 0, "u8"),
    ("children::Room", 1, "String"),
    ("crate::children::Any::<Sure>", 2, "Vec<u64>"),
    ("children::Seat", 1, "Option<bool>"),
    ("self::children::Look", 1, "(u8, String)"),
];

/// Those with a pivot.
const FINAL: &[(&str, usize, &str)] = &[("children::Letter", 1, "()"), ("children::Post", 2, "u8")];

/// A name that can be mentioned.
#[derive(Clone)]
struct Name {
    name: String,
    /// It is the output of an arm, and seen as an `Option`.
    is_optional: bool,
}

/// A name that can be mentioned as it is.
fn plain(name: String) -> Name {
    Name { name, is_optional: false }
}

struct Writer<'r> {
    rng: &'r mut Rng,
    text: String,
    /// Numbers the names.
    next: usize,
    after_pivot: bool,
    /// The saga has a parameter, and a participant of its type.
    has_desk: bool,
    /// The name and type of the next output, where several arms make the same one.
    given: Option<(String, &'static str)>,
}

/// The declaration of a saga called `name`.
pub fn saga(name: &str, rng: &mut Rng) -> String {
    let mut writer =
        Writer { rng, text: String::new(), next: 0, after_pivot: false, has_desk: false, given: None };
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

    /// The name and type of an output.
    fn output(&mut self) -> (String, &'static str) {
        match self.given.take() {
            Some(output) => output,
            None => (self.name(), self.pick(TYPES)),
        }
    }

    fn doc(&mut self) {
        if self.one_in(6) {
            self.push("\n/// It is said why.\n");
        }
    }

    fn saga(&mut self, name: &str) {
        let (mut available, mut texts) = (Vec::new(), Vec::new());
        let inputs = self.rng.usize(..3);
        let fields = (0..inputs).map(|_| {
            let (name, ty) = self.output();
            if ["u8", "String"].contains(&ty) {
                texts.push(name.clone());
            }
            available.push(plain(name.clone()));
            format!("{name}: {ty}")
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        let output = (!self.one_in(4)).then(|| self.pick(TYPES));
        let arrow = output.map(|ty| format!("-> {ty}")).unwrap_or_default();
        let (parameters, bounds, desk) = match self.rng.usize(..9) {
            0 => ("<D: Desk>", "", ", desk: D"),
            1 => ("<D, const N: usize>", "where D: Desk", ", desk: D"),
            2 => ("<B>", "where B: Bank + 'static", ", desk: B::Client"),
            _ => ("", "", ""),
        };
        self.has_desk = !desk.is_empty();
        let options = match self.rng.usize(..8) {
            0 => "#[saga(version = 2)]",
            1 => "#[saga(tx = Tape)]",
            _ => "",
        };
        let vis = self.pick(&["", "pub", "pub", "pub", "pub(crate)"]);
        write!(
            self.text,
            "/// A saga.\n{options} {vis} saga {name}{parameters}({fields}) {arrow} {bounds} {{ with sure: Sure, careless: Careless{desk};"
        )
        .unwrap();
        self.settings(&available, &texts);
        let depth = self.rng.usize(1..4);
        self.statements(&mut available, depth);
        match self.rng.usize(..6) {
            0..3 => {
                self.pivot("pivot", &mut available);
                if !self.one_in(3) {
                    self.statements(&mut available, depth - 1);
                }
            }
            3 if self.one_in(3) => self.local_pivot(&mut available),
            3 => self.pivot("step", &mut available),
            _ => {}
        }
        if output.is_some() {
            let uses = self.uses(&available);
            write!(self.text, "return some({uses});").unwrap();
        }
        self.push("}");
    }

    /// What stands before the first step, in any order.
    fn settings(&mut self, inputs: &[Name], texts: &[String]) {
        let mut settings = Vec::new();
        if self.one_in(3) {
            let uses = self.uses(inputs);
            let deadline = if self.one_in(2) { format!("at (when({uses}))") } else { "30m".to_owned() };
            settings.push(format!("deadline {deadline};"));
        }
        if self.one_in(3) {
            settings.push("timeout 5s;".to_owned());
        }
        if self.one_in(3) {
            settings.push("retry 3 times every 100ms..(LIMIT);".to_owned());
        }
        if self.one_in(3) {
            let keys = (0..self.rng.usize(1..4)).map(|_| self.key(inputs, texts)).collect::<Vec<_>>();
            settings.push(format!("lock {};", keys.join(", ")));
        }
        self.rng.shuffle(&mut settings);
        self.push(&settings.concat());
    }

    fn key(&mut self, inputs: &[Name], texts: &[String]) -> String {
        let uses = self.uses(inputs);
        match self.rng.usize(..5) {
            0 => "\"all\"".to_owned(),
            1 => "17".to_owned(),
            2 => format!("{{ let made = key({uses}); made }}"),
            3 if !texts.is_empty() => {
                let text = &texts[self.rng.usize(..texts.len())];
                if self.one_in(2) { text.clone() } else { format!("format!(\"of/{{{text}}}\")") }
            }
            _ => format!("key({uses})"),
        }
    }

    /// One to three statements, which see what is available and add to it.
    fn statements(&mut self, available: &mut Vec<Name>, depth: usize) {
        for _ in 0..self.rng.usize(1..4) {
            self.statement(available, depth);
        }
    }

    fn statement(&mut self, available: &mut Vec<Name>, depth: usize) {
        self.doc();
        match self.rng.usize(..if depth == 0 { 13 } else { 20 }) {
            0 => self.sleep(available),
            1..13 => self.output_of_any_kind(available),
            13 | 14 => self.parallel(available, depth - 1),
            15..17 => self.branching(available, depth - 1),
            _ => self.each(available, depth - 1),
        }
    }

    fn output_of_any_kind(&mut self, available: &mut Vec<Name>) {
        match self.rng.usize(..13) {
            0..6 => self.step(available),
            6 | 7 => self.read(available),
            8 => self.receive(available),
            9 | 10 => self.local(available),
            _ => self.child(available),
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

    /// A participant, and whether it is `Keyed`.
    fn desk(&mut self) -> (&'static str, bool) {
        match self.rng.usize(..4) {
            0 | 1 => ("careless", false),
            2 if self.has_desk => ("desk", true),
            _ => ("sure", true),
        }
    }

    fn step(&mut self, available: &mut Vec<Name>) {
        let ((name, ty), uses) = (self.output(), self.uses(available));
        let (desk, is_sure) = self.desk();
        write!(self.text, "step {name}: {ty} = {desk}.make(cx, {uses})").unwrap();
        let mut clauses = self.policies();
        let mut settles = is_sure;
        if self.one_in(5) {
            let uses = self.uses(available);
            clauses.push(format!("probe careless.find(cx, {uses})"));
            settles = true;
        }
        let mut is_compensated = false;
        if self.after_pivot {
            self.otherwise(4, available, &mut clauses);
        } else if self.one_in(3) {
            clauses.push("compensate nothing".to_owned());
        } else {
            let by_output = settles || self.one_in(2);
            let own = if by_output { format!("{name}, ") } else { String::new() };
            let uses = self.uses(available);
            clauses.push(format!("compensate careless.undo(cx, ({own}{uses},)) {}", self.policy_block()));
            settles |= !by_output;
            is_compensated = true;
        }
        if !settles {
            clauses.push("keyed".to_owned());
        }
        self.events(&name, is_compensated, &mut clauses);
        available.push(plain(name));
        self.clauses(clauses);
    }

    /// In any order.
    fn clauses(&mut self, mut clauses: Vec<String>) {
        self.rng.shuffle(&mut clauses);
        write!(self.text, " {};", clauses.join(" ")).unwrap();
    }

    fn otherwise(&mut self, of: usize, available: &[Name], clauses: &mut Vec<String>) {
        if self.one_in(of) {
            let uses = self.uses(available);
            clauses.push(format!("else some({uses})"));
        }
    }

    /// The names of an output's events, the same wherever it is made.
    fn events(&mut self, name: &str, is_compensated: bool, clauses: &mut Vec<String>) {
        if self.one_in(3) {
            let number = name.trim_start_matches('s');
            let all = [format!("Made{number}"), format!("Full{number}"), format!("Undone{number}")];
            let count = self.rng.usize(1..if is_compensated { 4 } else { 3 });
            clauses.push(format!("events {}", all[..count].join(", ")));
        }
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

    /// The policies of a compensation.
    fn policy_block(&mut self) -> String {
        let policies = self.policies().join(", ");
        if policies.is_empty() { policies } else { format!("{{ {policies} }}") }
    }

    fn read(&mut self, available: &mut Vec<Name>) {
        let ((name, ty), uses) = (self.output(), self.uses(available));
        let (desk, _) = self.desk();
        write!(self.text, "read {name}: {ty} = {desk}.make(cx, {uses})").unwrap();
        let mut clauses = self.policies();
        self.otherwise(3, available, &mut clauses);
        self.events(&name, false, &mut clauses);
        available.push(plain(name));
        self.clauses(clauses);
    }

    fn receive(&mut self, available: &mut Vec<Name>) {
        let (name, ty) = self.output();
        let mut clauses = vec![format!("within {}", self.pick(&["24h", "(LIMIT)"]))];
        self.otherwise(2, available, &mut clauses);
        self.events(&name, false, &mut clauses);
        write!(self.text, "receive {name}: {ty}").unwrap();
        available.push(plain(name));
        self.clauses(clauses);
    }

    fn local(&mut self, available: &mut Vec<Name>) {
        let ((name, ty), uses) = (self.output(), self.uses(available));
        let with = self.pick(&["", "cx, ", "careless, sure, "]);
        write!(self.text, "local {name}: {ty} = put(tx, ({with}{uses},))").unwrap();
        let mut clauses = Vec::new();
        let mut is_compensated = false;
        if self.after_pivot {
            self.otherwise(3, available, &mut clauses);
        } else if self.one_in(3) {
            clauses.push("compensate nothing".to_owned());
        } else {
            let own = if self.one_in(2) { format!("{name}, ") } else { String::new() };
            let uses = self.uses(available);
            clauses.push(format!("compensate take(tx, ({own}{uses},))"));
            is_compensated = true;
        }
        self.events(&name, is_compensated, &mut clauses);
        available.push(plain(name));
        self.clauses(clauses);
    }

    fn child(&mut self, available: &mut Vec<Name>) {
        let wanted = self.given.take();
        let all = COMPENSATABLE.iter().chain(if self.after_pivot { FINAL } else { &[] });
        let fitting = all.filter(|(_, _, ty)| wanted.as_ref().is_none_or(|(_, wanted)| ty == wanted));
        let fitting = fitting.collect::<Vec<_>>();
        if fitting.is_empty() {
            // No saga has such an output.
            self.given = wanted;
            return self.step(available);
        }
        let (child, arguments, ty) = fitting[self.rng.usize(..fitting.len())];
        let name = wanted.map_or_else(|| self.name(), |(name, _)| name);
        let arguments = (0..*arguments).map(|_| format!("some({})", self.uses(available)));
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let mut clauses = Vec::new();
        if self.after_pivot {
            self.otherwise(3, available, &mut clauses);
        }
        self.events(&name, !self.after_pivot, &mut clauses);
        write!(self.text, "saga {name}: {ty} = {child}({arguments})").unwrap();
        available.push(plain(name));
        self.clauses(clauses);
    }

    fn sleep(&mut self, available: &[Name]) {
        let uses = self.uses(available);
        let time = if self.one_in(2) { format!("until (when({uses}))") } else { "1h30m".to_owned() };
        write!(self.text, "sleep {time};").unwrap();
    }

    /// Written as such, or as the last step, which has no compensation.
    fn pivot(&mut self, word: &str, available: &mut Vec<Name>) {
        let ((name, ty), uses) = (self.output(), self.uses(available));
        let (desk, is_sure) = self.desk();
        write!(self.text, "{word} {name}: {ty} = {desk}.make(cx, {uses})").unwrap();
        let mut clauses = self.policies();
        if self.one_in(3) {
            let uses = self.uses(available);
            clauses.push(format!("probe careless.find(cx, {uses})"));
        } else if !is_sure {
            clauses.push("keyed".to_owned());
        }
        self.events(&name, false, &mut clauses);
        self.clauses(clauses);
        available.push(plain(name));
        self.after_pivot = true;
    }

    fn local_pivot(&mut self, available: &mut Vec<Name>) {
        let ((name, ty), uses) = (self.output(), self.uses(available));
        write!(self.text, "local {name}: {ty} = put(tx, {uses});").unwrap();
        available.push(plain(name));
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
        let has_else = arms > 1 && self.one_in(2);
        // Made in each arm, and one output behind them.
        let shared = if self.one_in(3) { Some(self.output()) } else { None };
        for arm in 0..arms {
            let mut in_arm = before.clone();
            if arm > 0 {
                self.push(" else ");
            }
            if has_else && arm + 1 == arms {
                self.push("{");
            } else {
                self.condition(&mut in_arm);
            }
            let bound = in_arm.len();
            if let Some((name, ty)) = &shared {
                self.given = Some((name.clone(), ty));
                self.output_of_any_kind(&mut in_arm);
                in_arm.pop();
                if self.one_in(2) {
                    in_arm.push(plain(name.clone()));
                    self.statements(&mut in_arm, depth);
                    in_arm.remove(bound);
                }
            } else {
                self.statements(&mut in_arm, depth);
            }
            let made = in_arm.drain(bound..);
            available.extend(made.map(|name| Name { is_optional: true, ..name }));
            self.push("}");
        }
        if let Some((name, _)) = shared {
            available.push(Name { name, is_optional: !has_else });
        }
    }

    /// `if … {`, and what it binds.
    fn condition(&mut self, available: &mut Vec<Name>) {
        let optional = available.iter().filter(|name| name.is_optional).map(|name| name.name.clone());
        let optional = optional.collect::<Vec<_>>();
        let uses = self.uses(available);
        if optional.is_empty() || self.one_in(2) {
            write!(self.text, "if is({uses}) {{").unwrap();
            return;
        }
        let (bound, name) = (self.name(), &optional[self.rng.usize(..optional.len())]);
        match self.rng.usize(..3) {
            0 => write!(self.text, "if let Some({bound}) = {name} {{"),
            1 => write!(self.text, "if let Some({bound}) = {name} && is({bound}) {{"),
            _ => {
                let other = &optional[self.rng.usize(..optional.len())];
                let second = self.name();
                available.push(plain(second.clone()));
                write!(
                    self.text,
                    "if is({uses}) && let Some({bound}) = {name} && let Some({second}) = {other} {{"
                )
            }
        }
        .unwrap();
        available.push(plain(bound));
    }

    fn each(&mut self, available: &mut Vec<Name>, depth: usize) {
        let ((item, ty), uses) = (self.output(), self.uses(available));
        let is_parallel = self.one_in(2);
        let (parallel, limit) = if is_parallel { ("parallel ", "limit 3") } else { ("", "") };
        write!(self.text, "{parallel}for {item}: {ty} in some::<_, Vec<{ty}>>({uses}) {limit} {{").unwrap();
        let mut in_body = available.clone();
        in_body.push(plain(item));
        let inside = in_body.len();
        self.statements(&mut in_body, depth);
        available.extend(in_body.drain(inside..).map(|name| Name { is_optional: false, ..name }));
        self.push("}");
    }
}
