//! What happens when something fails, told from the declaration.

use std::fmt::Write as _;

use crate::saga::{Block, Kind, Saga, Step, Undo, Zone};
use crate::text::{clean, code};

/// One thing that can fail, and what happens then. The sentences are Markdown for one line, as in a cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Name of the step; `None` for the saga as a whole.
    pub step: Option<String>,
    /// Whether that step is the point of no return.
    pub is_pivot: bool,
    /// What fails, such as `refused` or `reply lost`.
    pub when: String,
    /// What happens then, up to where it ends: compensated, parked, or forward.
    pub then: String,
}

/// What happens when something fails in `saga`: step by step, then what holds for all of them.
pub fn failures(saga: &Saga) -> Vec<FailureRow> {
    let mut table =
        Table { rows: Vec::new(), levels: vec![Level { entered: Entered::Saga, done: Vec::new() }] };
    table.sequence(&saga.body);
    table.general(saga);
    table.rows
}

/// [`failures`] as a Markdown table.
pub fn failure_table(saga: &Saga) -> String {
    let mut markdown = String::from("| step | what fails | what happens |\n| --- | --- | --- |\n");
    for row in failures(saga) {
        let step = row.step.as_deref().map_or_else(|| "any".to_owned(), code);
        let pivot = if row.is_pivot { " (pivot)" } else { "" };
        let _ = writeln!(markdown, "| {step}{pivot} | {} | {} |", row.when, row.then);
    }
    markdown
}

const COMPENSATED: &str = "**compensated**";
const AGAIN: &str = "asked again with the same key";
const PROBED: &str = "probed, and made again only after the probe found nothing";
const PARKED_FOR_OPERATOR: &str = "**parked** for an operator; never compensated";
const SHOWN_AS_PARKED: &str = "once its retries are spent it is also shown as **parked**";

struct Table {
    rows: Vec<FailureRow>,
    /// The sequences around the current step, outermost first.
    levels: Vec<Level>,
}

/// A sequence as far as it is done.
struct Level {
    entered: Entered,
    /// What undoes each block that is done, in the order of the blocks.
    done: Vec<String>,
}

/// How a sequence hangs in the one around it.
enum Entered {
    Saga,
    Arm,
    /// At the same time as others: what undoes the other branches, or items.
    Beside(Option<String>),
    /// After earlier items: what undoes them.
    After(Option<String>),
}

impl Table {
    fn sequence(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Step(step) => self.step(step),
                Block::Parallel(branches) => {
                    for (i, branch) in branches.iter().enumerate() {
                        let others = branches.iter().enumerate().filter(|(j, _)| *j != i);
                        let others: Vec<String> = others.filter_map(|(_, other)| undo_all(other)).collect();
                        let siblings = (!others.is_empty()).then(|| others.join(" ∥ "));
                        self.inside(Entered::Beside(siblings), branch);
                    }
                }
                Block::If(arms) => {
                    for arm in arms {
                        self.inside(Entered::Arm, &arm.body);
                    }
                }
                Block::For { limit, body, .. } => {
                    let entered = match (limit, undo_all(body)) {
                        (0 | 1, undo) => Entered::After(
                            undo.map(|undo| format!("the earlier items' {undo}, latest first")),
                        ),
                        (_, undo) => Entered::Beside(undo.map(|undo| format!("the other items' {undo}"))),
                    };
                    self.inside(entered, body);
                }
            }
            if let (Some(level), Some(undo)) = (self.levels.last_mut(), undo(block)) {
                level.done.push(undo);
            }
        }
    }

    fn inside(&mut self, entered: Entered, blocks: &[Block]) {
        self.levels.push(Level { entered, done: Vec::new() });
        self.sequence(blocks);
        self.levels.pop();
    }

    fn row(&mut self, step: &Step, when: impl Into<String>, then: impl Into<String>) {
        self.rows.push(FailureRow {
            step: Some(clean(&step.name)),
            is_pivot: step.zone == Zone::Pivot,
            when: when.into(),
            then: then.into(),
        });
    }

    fn step(&mut self, step: &Step) {
        let refused = match step.refused_as() {
            Some(name) => format!("refused ({})", code(name)),
            None => "refused".to_owned(),
        };
        match step.kind {
            Kind::Call => self.call(step, &refused),
            Kind::Read => {
                let goes_on = step.zone == Zone::Retriable && !step.otherwise;
                let when = if goes_on { refused } else { format!("{refused}, or its retries are spent") };
                self.row(step, when, self.refusal(step));
                let then = "it has no effect, and is asked again";
                self.row(step, "reply lost", then);
            }
            Kind::Local => {
                let then = format!("its own writes are rolled back → {}", self.refusal(step));
                self.row(step, refused, then);
            }
            Kind::Saga => {
                self.row(step, "its child saga ends compensated", self.refusal(step));
                self.row(step, "its child saga is parked", "waits with it, and is shown as **parked**");
            }
            Kind::Receive => {
                let within = clean(&step.text);
                let within = within.strip_prefix("within ").unwrap_or(&within);
                let when = match within {
                    "" => "no signal in time".to_owned(),
                    time => format!("no signal within {}", code(time)),
                };
                self.row(step, when, self.refusal(step));
                self.row(step, "a signal comes too late", "it is rejected with the reason");
            }
            Kind::Lock => {
                let end =
                    if step.zone == Zone::Compensatable { "a cancel or the deadline ends that" } else { "" };
                self.row(step, "held by another saga", ["waits, and shows the holder", end].join("; "));
            }
            Kind::Sleep => {}
        }
    }

    fn call(&mut self, step: &Step, refused: &str) {
        self.row(step, refused, self.refusal(step));
        let settle = match (step.keyed, step.probe) {
            (true, _) => format!("{AGAIN} (a refusal is then definitive)"),
            (false, true) => format!("if its participant is keyed: {AGAIN}; else: {PROBED}"),
            (false, false) => format!("if its participant is keyed: {AGAIN}; else: never repeated"),
        };
        match step.zone {
            Zone::Compensatable => {
                let spent = if step.keyed || step.probe { "Retries spent" } else { "Still not known" };
                let then = format!("{settle}. {spent} → {}", self.way_back(Some(step)));
                self.row(step, "reply lost", then);
                if !step.keyed {
                    let then = format!(
                        "if its participant is keyed: definitive, as refused; else it may have taken effect → {}",
                        self.way_back(Some(step))
                    );
                    self.row(step, "refused after a lost reply", then);
                }
            }
            Zone::Pivot => {
                let then =
                    format!("{settle}, until it is known, however long: never abandoned; {SHOWN_AS_PARKED}");
                self.row(step, "reply lost", then);
                if !step.keyed {
                    let then = "if its participant is keyed: definitive, as refused; \
                                else it may have taken effect, which is settled first";
                    self.row(step, "refused after a lost reply", then);
                }
            }
            Zone::Retriable if step.otherwise => {
                self.row(
                    step,
                    "reply lost",
                    format!("{settle}. Retries spent → its `else` value, and forward"),
                );
            }
            Zone::Retriable => {
                self.row(step, "reply lost", format!("{settle}, until it is done; {SHOWN_AS_PARKED}"));
            }
        }
    }

    /// What a refusal leads to.
    fn refusal(&self, step: &Step) -> String {
        match step.zone {
            _ if step.otherwise => "its `else` value, and forward".to_owned(),
            Zone::Compensatable | Zone::Pivot => self.way_back(None),
            Zone::Retriable => PARKED_FOR_OPERATOR.to_owned(),
        }
    }

    /// The way back from the current step; `own` is that step if it may have taken effect.
    fn way_back(&self, own: Option<&Step>) -> String {
        let mut first = Vec::new();
        let mut stages = Vec::new();
        if let Some(step) = own {
            let name = code(&step.name);
            match step.undo {
                Undo::ByKey => stages.push(format!("{name} by its key")),
                Undo::ByOutput => {
                    let settled = match (step.keyed, step.probe) {
                        (true, _) => "the same key again",
                        (false, true) => "the same key again, or the probe",
                        (false, false) => "the same key again, if keyed",
                    };
                    first.push(format!("settle {name} ({settled})"));
                    stages.push(format!("{name} if it was done"));
                }
                Undo::Nothing => first.push(format!("leave {name}, which is declared harmless")),
                Undo::None => {}
            }
        }
        let mut waits = false;
        for level in self.levels.iter().rev() {
            stages.extend(level.done.iter().rev().cloned());
            match &level.entered {
                Entered::Saga | Entered::Arm => {}
                Entered::Beside(others) => {
                    waits = true;
                    let own = (!stages.is_empty()).then(|| stages.join(" → "));
                    let all: Vec<String> = own.into_iter().chain(others.clone()).collect();
                    stages = match all.as_slice() {
                        [_, _] => vec![format!("({})", all.join(" ∥ "))],
                        _ => all,
                    };
                }
                Entered::After(items) => stages.extend(items.clone()),
            }
        }
        if waits {
            first.insert(0, "wait for what is in flight".to_owned());
        }
        if stages.is_empty() {
            first.push("nothing to compensate".to_owned());
        } else {
            first.push(format!("compensate {}", stages.join(" → ")));
        }
        format!("{} → {COMPENSATED}", first.join(" → "))
    }

    fn general(&mut self, saga: &Saga) {
        let steps = saga.steps();
        let pivot = steps.iter().find(|step| step.zone == Zone::Pivot);
        let is_undone = steps.iter().any(|step| step.is_undone());
        if steps.iter().any(|step| step.kind.is_call()) {
            let forward =
                if pivot.is_some() { "; after the pivot: forward, shown as **parked**" } else { "" };
            let then = format!("tried again. Retries spent with nothing in doubt → as refused{forward}");
            self.any("failed for now, surely without effect", then);
        }
        let turning = format!(
            "wait for what is in flight → compensate what is done or in doubt, latest first → {COMPENSATED}"
        );
        match pivot {
            Some(pivot) => {
                let pivot = code(&pivot.name);
                self.any(format!("cancelled, or past the deadline, before {pivot}"), turning);
                self.any(format!("cancelled while {pivot} is open"), "decided when its outcome is known");
                self.any(format!("cancelled after {pivot}"), "too late: forward");
            }
            None => self.any("cancelled, or past the deadline", turning),
        }
        if is_undone {
            let then = format!("tried for ever; {SHOWN_AS_PARKED}; never reported as compensated with a gap");
            self.any("a compensation fails", then);
        }
        let then = "resumed from the log; an attempt that was open counts as a lost reply";
        self.any("the process dies", then);
    }

    fn any(&mut self, when: impl Into<String>, then: impl Into<String>) {
        self.rows.push(FailureRow { step: None, is_pivot: false, when: when.into(), then: then.into() });
    }
}

/// What undoes a sequence, latest first.
fn undo_all(blocks: &[Block]) -> Option<String> {
    let undone: Vec<String> = blocks.iter().rev().filter_map(undo).collect();
    match undone.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(format!("({})", undone.join(" → "))),
    }
}

/// What undoes a block.
fn undo(block: &Block) -> Option<String> {
    match block {
        Block::Step(step) => step.is_undone().then(|| code(&step.name)),
        Block::Parallel(branches) => {
            let undone: Vec<String> = branches.iter().filter_map(|branch| undo_all(branch)).collect();
            match undone.as_slice() {
                [] => None,
                [one] => Some(one.clone()),
                _ => Some(format!("({})", undone.join(" ∥ "))),
            }
        }
        Block::If(arms) => {
            let undone: Vec<String> = arms.iter().filter_map(|arm| undo_all(&arm.body)).collect();
            (!undone.is_empty()).then(|| format!("({} if done)", undone.join(" or ")))
        }
        Block::For { limit, body, .. } => undo_all(body).map(|undone| match limit {
            0 | 1 => format!("each item's {undone}, latest first"),
            _ => format!("each item's {undone}"),
        }),
    }
}
