//! A recorded run as a Mermaid sequence diagram.

use std::fmt::Write as _;

use crate::saga::{Block, Saga};
use crate::text;

/// One record of a saga's log, as far as a diagram needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Name of the step, such as `flight`, or `pick[2]` for the third item of a `for`; `None` for the saga as a whole.
    pub step: Option<&'a str>,
    /// What happened, such as `done`, `refused`, or `compensation failed`.
    pub event: &'a str,
    /// Its payload as JSON text. Only the message of a failure is shown; outputs and inputs may be personal.
    pub data: Option<&'a str>,
    /// When it was recorded, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// The run of `saga` that `records` tell of, as a Mermaid sequence diagram: the coordinator, and a lane per step that
/// calls somebody. A log does not say who a participant is, and a step calls the same one each time.
///
/// The first attempt of a step has no record of its own: its call is drawn where its answer is.
pub fn sequence(saga: &Saga, records: &[RecordView<'_>]) -> String {
    let mut chart = String::from("sequenceDiagram\n    participant c as ");
    chart.push_str(&text::mermaid(&format!("{} coordinator", saga.name)));
    chart.push('\n');
    let mut run = Run { chart, lanes: lanes(saga, records), open: Vec::new(), by_hand: None, last_ms: None };
    for (i, lane) in run.lanes.iter().enumerate() {
        let _ = writeln!(run.chart, "    participant p{i} as {}", text::mermaid(lane));
    }
    for record in records {
        run.record(record);
    }
    run.chart
}

/// The steps that somebody is called for, in the order of the declaration, as far as they occur in `records`; then
/// those that only `records` know.
fn lanes(saga: &Saga, records: &[RecordView<'_>]) -> Vec<String> {
    let steps = saga.steps();
    let occurs = |name: &str| records.iter().filter_map(|record| record.step).any(|step| base(step) == name);
    let mut lanes: Vec<String> = steps
        .iter()
        .filter(|step| step.kind.is_call() && occurs(&step.name))
        .map(|step| step.name.clone())
        .collect();
    let waits = waits(saga);
    for name in records.iter().filter_map(|record| record.step).map(base) {
        let is_wait = steps.iter().any(|step| step.name == name) || waits.iter().any(|wait| wait == name);
        if !is_wait && !lanes.iter().any(|lane| lane == name) && !is_decision(name) {
            lanes.push(name.to_owned());
        }
    }
    lanes
}

/// The names of the steps that make the lists of `for`s.
fn waits(saga: &Saga) -> Vec<String> {
    fn of(blocks: &[Block], names: &mut Vec<String>) {
        for block in blocks {
            match block {
                Block::Step(_) => {}
                Block::Parallel(branches) => branches.iter().for_each(|branch| of(branch, names)),
                Block::If(arms) => arms.iter().for_each(|arm| of(&arm.body, names)),
                Block::For { item, body, .. } => {
                    names.push(format!("for {item}"));
                    of(body, names);
                }
            }
        }
    }
    let mut names = Vec::new();
    of(&saga.body, &mut names);
    names
}

/// A step without a name of its own is called after its keyword: no name of a user has a space in it.
fn is_decision(name: &str) -> bool {
    matches!(name.split(' ').next(), Some("if" | "for")) && name.contains(' ')
}

/// `pick[2]` is an item of `pick`.
fn base(step: &str) -> &str {
    step.split('[').next().unwrap_or(step)
}

struct Run {
    chart: String,
    lanes: Vec<String>,
    /// The calls that are open: the step, with its item, and whether it is its compensation.
    open: Vec<(String, bool)>,
    /// The step of which an operator has just said how it stands: nobody is called.
    by_hand: Option<String>,
    last_ms: Option<u64>,
}

impl Run {
    fn record(&mut self, record: &RecordView<'_>) {
        let waited = self.last_ms.map_or(0, |last| record.at_ms.saturating_sub(last));
        self.last_ms = Some(record.at_ms);
        if waited >= 1000 {
            self.note(&format!("{} later", duration(waited)));
        }
        let lane = record.step.and_then(|step| self.lanes.iter().position(|lane| lane == base(step)));
        match (record.step, lane) {
            (step, _) if record.event == "operator" => {
                let act = record.data.and_then(|data| member(data, "act")).unwrap_or_default();
                let of_step = step.map_or_else(String::new, |step| format!(" of {step}"));
                self.note(&format!("an operator: {act}{of_step}"));
                self.by_hand = step.map(str::to_owned);
            }
            (step, _) if step.is_some() && self.by_hand.as_deref() == step => {
                if !record.event.ends_with("opened") {
                    self.by_hand = None;
                }
            }
            (Some(step), Some(lane)) => self.step(step, lane, record),
            (Some(step), None) => self.note(&with_message(&format!("{step} {}", record.event), record)),
            (None, _) => self.note(&with_message(record.event, record)),
        }
    }

    fn step(&mut self, step: &str, lane: usize, record: &RecordView<'_>) {
        let (is_back, event) = match record.event.strip_prefix("compensation ") {
            Some(event) => (true, event),
            None => (record.event == "compensated", record.event),
        };
        match event {
            "opened" => self.call(step, lane, is_back),
            "gave up" | "parked" | "not sent" | "absent" => {
                self.answered(step, is_back);
                self.note(&with_message(&format!("{step} {}", record.event), record));
            }
            _ => {
                if !self.answered(step, is_back) {
                    self.call(step, lane, is_back);
                    self.answered(step, is_back);
                }
                let text = with_message(record.event, record);
                // A reply that was lost is an arrow that does not arrive.
                let is_lost =
                    record.data.and_then(|data| member(data, "outcome")).as_deref() == Some("unknown");
                let arrow = match event {
                    "done" | "compensated" => "-->>",
                    _ if is_lost => "--x",
                    _ => "-->>",
                };
                let _ = writeln!(self.chart, "    p{lane}{arrow}c: {}", text::mermaid(&text));
            }
        }
    }

    fn call(&mut self, step: &str, lane: usize, is_back: bool) {
        self.open.push((step.to_owned(), is_back));
        let text = if is_back { format!("compensate {step}") } else { step.to_owned() };
        let _ = writeln!(self.chart, "    c->>p{lane}: {}", text::mermaid(&text));
    }

    /// Closes the call; `false` if it was not open.
    fn answered(&mut self, step: &str, is_back: bool) -> bool {
        let found = self.open.iter().position(|(open, back)| open == step && *back == is_back);
        found.map(|place| self.open.remove(place)).is_some()
    }

    fn note(&mut self, text: &str) {
        let _ = writeln!(self.chart, "    Note over c: {}", text::mermaid(text));
    }
}

/// About how long: `5.2s`, `3m 20s`, `26h 5m`.
fn duration(ms: u64) -> String {
    let (seconds, minutes) = (ms / 1000, ms / 60_000);
    match minutes {
        0 => format!("{seconds}.{}s", ms % 1000 / 100),
        1..60 => format!("{minutes}m {}s", seconds % 60),
        _ => format!("{}h {}m", minutes / 60, minutes % 60),
    }
}

/// `event`, and the message of the failure if `record` holds one.
fn with_message(event: &str, record: &RecordView<'_>) -> String {
    let is_output = matches!(record.event, "begun" | "done" | "completed");
    let message = record.data.filter(|_| !is_output).and_then(|data| member(data, "message"));
    match message.filter(|message| !message.is_empty()) {
        Some(message) => text::short(&format!("{event}: {message}"), 80),
        None => event.to_owned(),
    }
}

/// The string `name` of a flat JSON object of strings and booleans, as the log writes them.
fn member(json: &str, name: &str) -> Option<String> {
    let mut rest = json.trim().strip_prefix('{')?;
    loop {
        let (key, after) = string(rest)?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        if value.starts_with('"') {
            let (text, after) = string(value)?;
            if key == name {
                return Some(text);
            }
            rest = after;
        } else {
            rest = value.get(value.find(',')?..)?;
        }
        rest = rest.trim_start().strip_prefix(',')?;
    }
}

/// The JSON string that `json` begins with, and what follows it.
fn string(json: &str) -> Option<(String, &str)> {
    let json = json.trim_start().strip_prefix('"')?;
    let mut text = String::new();
    let mut chars = json.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, json.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'u' => {
                    let unit = json.get(at + 2..at + 6)?;
                    // One half of a pair is no character: what is shown then is that something was there.
                    let c = u32::from_str_radix(unit, 16).ok()?;
                    text.push(char::from_u32(c).unwrap_or('\u{fffd}'));
                    chars.nth(3)?;
                }
                'n' | 'r' | 't' | 'b' | 'f' => text.push(' '),
                c => text.push(c),
            },
            c => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_says_of_a_step_is_no_call() {
        let (inputs, body) = (Vec::new(), Vec::new());
        let saga = Saga { name: "Trip".to_owned(), inputs, output: "()".to_owned(), body };
        let record = |step, event, data| RecordView { step, event, data, at_ms: 0 };
        let flight = Some("flight");
        let records = [
            record(flight, "operator", Some(r#"{"act":"action done","operator":"ann"}"#)),
            record(flight, "opened", None),
            record(flight, "done", Some("7")),
            record(None, "operator", Some(r#"{"act":"suspend"}"#)),
            record(flight, "compensated", None),
        ];
        let chart = sequence(&saga, &records);
        let arrows = chart.lines().filter(|line| line.contains(">>")).count();
        assert_eq!(arrows, 2, "only the compensation is a call: {chart}");
        assert!(
            chart.contains("an operator: action done of flight") && chart.contains("an operator: suspend")
        );
    }

    #[test]
    fn a_message_is_read_out_of_a_note() {
        let note = r#"{"outcome":"unknown","message":"\"503\"\n\u00e9 gone","definitive":true}"#;
        assert_eq!(member(note, "message").as_deref(), Some("\"503\" é gone"));
        assert_eq!(member(note, "outcome").as_deref(), Some("unknown"));
        assert_eq!(member(r#"{"definitive":true,"message":"no"}"#, "message").as_deref(), Some("no"));
        for broken in ["", "{", "{\"a", "{\"a\":", "7", "{\"a\":\"\\u12\"}", "{}"] {
            assert_eq!(member(broken, "message"), None, "{broken}");
        }
    }
}
