//! What the log's records say: the machine's facts, and what the coordinator notes beside them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::coordinator::child::ChildOf;
use crate::coordinator::operator::{Act, Closed, Operator};
use crate::definition::Definition;
use crate::error::{Failure, FailureKind};
use crate::id::SagaId;
use crate::log::{History, Record};
use crate::machine::{AttemptFact, Effect, Fact, FactKind, Items, Place, Refusal};

/// The first record of every saga: its data is the input.
pub(crate) const BEGUN: &str = "begun";

/// The record of a deadline.
const DEADLINE: &str = "deadline";

/// The record of a saga that another one begins.
const CHILD_OF: &str = "child of";

/// The record of a child that has done everything.
const HELD: &str = "held";

/// The last record of a saga that has every effect.
const COMPLETED: &str = "completed";

/// The record of what an operator did.
const OPERATOR: &str = "operator";

/// The last record of a saga that an operator ended by hand.
const CLOSED: &str = "closed";

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Something that moves the machine.
    Fact(Fact),
    /// Until when the saga has to have opened its pivot, in milliseconds since the Unix epoch.
    Deadline(u64),
    /// It is the child of another saga.
    ChildOf(ChildOf),
    /// It has done everything, with this output as JSON, and can still compensate until its parent ends.
    Held(String),
    /// An operator did this. What follows from it stands in the records behind.
    Operated(Operator, Act),
    /// An operator ended it by hand.
    Closed(Closed),
}

/// The payload of every record but outputs and inputs.
#[derive(Serialize, Deserialize, Default)]
struct Note {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definitive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    residue: Option<Vec<(String, String)>>,
}

/// The record of the input.
pub(crate) fn begun(input: String, at_ms: u64) -> Record {
    Record { at_ms, step: None, event: BEGUN.to_owned(), data: Some(input) }
}

/// The record of the saga's deadline.
pub(crate) fn deadline(due_ms: u64, at_ms: u64) -> Record {
    Record { at_ms, step: None, event: DEADLINE.to_owned(), data: due(due_ms) }
}

/// The record that the saga is the child of another.
pub(crate) fn begun_by(of: &ChildOf, at_ms: u64) -> Record {
    let note = Note {
        parent: Some(of.parent.to_string()),
        root: Some(of.root.to_string()),
        held: Some(of.held),
        ..Note::default()
    };
    Record { at_ms, step: None, event: CHILD_OF.to_owned(), data: self::note(&note) }
}

/// The record that the saga has done everything, and can still compensate.
pub(crate) fn held(output: String, at_ms: u64) -> Record {
    Record { at_ms, step: None, event: HELD.to_owned(), data: Some(output) }
}

/// The record of what an operator does, with this step if it is about one.
pub(crate) fn operated(by: &Operator, act: Act, step: Option<String>, at_ms: u64) -> Record {
    let note = Note { act: Some(act.to_string()), ..note_by(by) };
    Record { at_ms, step, event: OPERATOR.to_owned(), data: self::note(&note) }
}

/// The record that an operator ends the saga by hand.
pub(crate) fn closed(closed: &Closed, at_ms: u64) -> Record {
    let residue = closed.residue.iter().map(|(step, effect)| (step.to_string(), effect.to_string()));
    let note = Note { residue: Some(residue.collect()), ..note_by(&closed.by) };
    Record { at_ms, step: None, event: CLOSED.to_owned(), data: self::note(&note) }
}

fn note_by(by: &Operator) -> Note {
    Note { operator: Some(by.name.clone()), reason: Some(by.reason.clone()), ..Note::default() }
}

/// How an operator ended a saga, from the data of the record that says so.
pub(crate) fn closed_of_data(data: String) -> Result<Closed, String> {
    read_closed(&Record { at_ms: 0, step: None, event: CLOSED.to_owned(), data: Some(data) })
}

/// How an operator ended the saga, if one did.
pub(crate) fn closed_by_hand(history: &History) -> Option<Closed> {
    history
        .records
        .last()
        .filter(|record| record.step.is_none() && record.event == CLOSED)
        .and_then(|record| read_closed(record).ok())
}

/// Whose child the saga is, if it is one.
pub(crate) fn child_of(history: &History) -> Option<ChildOf> {
    let is_child_of = |record: &&Record| record.step.is_none() && record.event == CHILD_OF;
    history.records.iter().find(is_child_of).and_then(|record| read_child_of(record).ok())
}

/// The output of a saga that completed, as JSON.
pub(crate) fn output(history: &History) -> Option<String> {
    history.records.last().filter(|record| record.event == COMPLETED)?.data.clone()
}

/// Why a saga compensated, in words.
pub(crate) fn why_compensated(history: &History) -> String {
    match turned(history) {
        Some((Turn::Cancelled, _, message)) => format!("cancelled: {message}"),
        Some((Turn::DeadlinePassed, ..)) => "its deadline passed".to_owned(),
        Some((Turn::Refused, step, message)) => format!("`{step}` was refused: {message}"),
        Some((Turn::GaveUp, step, message)) => format!("`{step}` was given up: {message}"),
        None => "it compensated".to_owned(),
    }
}

/// What turns a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Turn {
    Refused,
    GaveUp,
    Cancelled,
    DeadlinePassed,
}

/// What turned a saga, with the step and the message, as far as its records alone say so.
pub(crate) fn turned(history: &History) -> Option<(Turn, &str, String)> {
    let turn = |record: &Record| {
        Some(match (record.step.as_deref(), record.event.as_str()) {
            (None, "cancelled") => Turn::Cancelled,
            (None, "deadline passed") => Turn::DeadlinePassed,
            (Some(_), "refused") => Turn::Refused,
            (Some(_), "gave up") => Turn::GaveUp,
            _ => return None,
        })
    };
    let mut turns = history.records.iter().rev().filter_map(|record| Some((turn(record)?, record)));
    let (turn, record) = turns.next()?;
    let message = note_of(record).ok().and_then(|note| note.message).unwrap_or_default();
    Some((turn, record.step.as_deref().unwrap_or_default(), message))
}

/// What `record` says, or what is wrong with it.
pub(crate) fn read(definition: &Definition, record: &Record) -> Result<Entry, String> {
    match (&record.step, record.event.as_str()) {
        (None, DEADLINE) => due_ms(record).map(Entry::Deadline),
        (None, CHILD_OF) => read_child_of(record).map(Entry::ChildOf),
        (None, HELD) => data(record).map(Entry::Held),
        (None, CLOSED) => read_closed(record).map(Entry::Closed),
        (_, OPERATOR) => {
            let note = note_of(record)?;
            let act = note.act.as_deref().and_then(Act::parse).ok_or("it does not say what was done")?;
            Ok(Entry::Operated(by(note), act))
        }
        _ => to_fact(definition, record).map(Entry::Fact),
    }
}

/// The record of `fact`.
pub(crate) fn to_record(definition: &Definition, fact: Fact, at_ms: u64) -> Record {
    let step = fact.place.as_ref().and_then(|place| {
        let step = definition.steps.get(place.step)?;
        Some(format!("{}{}", step.name, place.items))
    });
    let message = |message: String| note(&Note { message: Some(message), ..Note::default() });
    let (event, data) = match fact.kind {
        FactKind::Done(output) => ("done", Some(output)),
        FactKind::Refused(refusal) => {
            let Refusal { message, definitive } = refusal;
            let note = Note { message: Some(message), definitive: Some(definitive), ..Note::default() };
            ("refused", self::note(&note))
        }
        FactKind::Attempt(AttemptFact::Opened) => ("opened", None),
        FactKind::Attempt(AttemptFact::Failed(failure)) => ("failed", failed(failure)),
        FactKind::Attempt(AttemptFact::Absent) => ("absent", None),
        FactKind::Attempt(AttemptFact::NotSent) => ("not sent", None),
        FactKind::Attempt(AttemptFact::Due(due_ms)) => ("due", due(due_ms)),
        FactKind::Attempt(AttemptFact::GaveUp(text)) => ("gave up", message(text)),
        FactKind::Attempt(AttemptFact::Parked(text)) => ("parked", message(text)),
        FactKind::Otherwise(output) => ("else", Some(output)),
        FactKind::Sent(signal) => ("sent", Some(signal)),
        FactKind::Compensated => ("compensated", None),
        FactKind::Compensation(AttemptFact::Opened) => ("compensation opened", None),
        FactKind::Compensation(AttemptFact::Failed(failure)) => ("compensation failed", failed(failure)),
        FactKind::Compensation(AttemptFact::Absent) => ("compensation absent", None),
        FactKind::Compensation(AttemptFact::NotSent) => ("compensation not sent", None),
        FactKind::Compensation(AttemptFact::Due(due_ms)) => ("compensation due", due(due_ms)),
        FactKind::Compensation(AttemptFact::GaveUp(text)) => ("compensation gave up", message(text)),
        FactKind::Compensation(AttemptFact::Parked(text)) => ("compensation parked", message(text)),
        FactKind::Cancelled(reason) => ("cancelled", message(reason)),
        FactKind::DeadlinePassed => ("deadline passed", None),
        FactKind::Completed(output) => (COMPLETED, Some(output)),
    };
    Record { at_ms, step, event: event.to_owned(), data }
}

/// The fact that `record` stands for, or what is wrong with it.
fn to_fact(definition: &Definition, record: &Record) -> Result<Fact, String> {
    let place = record.step.as_deref().map(|name| place(definition, name)).transpose()?;
    let kind = match record.event.as_str() {
        "done" => FactKind::Done(data(record)?),
        "refused" => {
            let note = note_of(record)?;
            let definitive = note.definitive.ok_or("it does not say whether it is definitive")?;
            FactKind::Refused(Refusal { message: note.message.unwrap_or_default(), definitive })
        }
        "else" => FactKind::Otherwise(data(record)?),
        "sent" => FactKind::Sent(data(record)?),
        "compensated" => FactKind::Compensated,
        "cancelled" => FactKind::Cancelled(note_of(record)?.message.unwrap_or_default()),
        "deadline passed" => FactKind::DeadlinePassed,
        COMPLETED => FactKind::Completed(data(record)?),
        event => match event.strip_prefix("compensation ") {
            Some(event) => FactKind::Compensation(attempt(event, record)?),
            None => FactKind::Attempt(attempt(event, record)?),
        },
    };
    Ok(Fact { place, kind })
}

/// The place that `name` names: `flight`, or `pick[2]` of an item.
fn place(definition: &Definition, name: &str) -> Result<Place, String> {
    let (step, items) = Items::split_off(name).ok_or_else(|| format!("`{name}` names no step and item"))?;
    let step = definition.steps.iter().position(|known| known.name == step);
    let step = step.ok_or_else(|| format!("`{}` has no step `{name}`", definition.name))?;
    Ok(Place { step, items })
}

fn attempt(event: &str, record: &Record) -> Result<AttemptFact, String> {
    let message = || note_of(record).map(|note| note.message.unwrap_or_default());
    Ok(match event {
        "opened" => AttemptFact::Opened,
        "failed" => {
            let Note { outcome, message, .. } = note_of(record)?;
            let kind = match outcome.as_deref() {
                Some("refused") => FailureKind::Refused,
                Some("transient") => FailureKind::Transient,
                Some("unknown") => FailureKind::Unknown,
                other => return Err(format!("{other:?} is no outcome of an attempt")),
            };
            AttemptFact::Failed(Failure::new(kind, message.unwrap_or_default()))
        }
        "absent" => AttemptFact::Absent,
        "not sent" => AttemptFact::NotSent,
        "due" => AttemptFact::Due(due_ms(record)?),
        "gave up" => AttemptFact::GaveUp(message()?),
        "parked" => AttemptFact::Parked(message()?),
        other => return Err(format!("{other:?} is no event of this version")),
    })
}

fn failed(failure: Failure) -> Option<String> {
    let outcome = Some(failure.kind.to_string());
    note(&Note { outcome, message: Some(failure.message), ..Note::default() })
}

fn due(due_ms: u64) -> Option<String> {
    note(&Note { due_ms: Some(due_ms), ..Note::default() })
}

fn note(note: &Note) -> Option<String> {
    // Strings and booleans: this cannot fail.
    serde_json::to_string(note).ok()
}

fn read_child_of(record: &Record) -> Result<ChildOf, String> {
    let Note { parent, root, held, .. } = note_of(record)?;
    let id = |id: Option<String>| SagaId::new(id.unwrap_or_default()).map_err(|error| error.to_string());
    let held = held.ok_or("it does not say whether it is held")?;
    Ok(ChildOf { parent: id(parent)?, root: id(root)?, held })
}

fn read_closed(record: &Record) -> Result<Closed, String> {
    let mut note = note_of(record)?;
    let residue = note.residue.take().ok_or("it does not say what may still be in effect")?;
    let residue = residue.into_iter().map(|(step, effect)| {
        let effect = Effect::parse(&effect).ok_or_else(|| format!("{effect:?} is no effect"))?;
        Ok((Cow::Owned(step), effect))
    });
    Ok(Closed { residue: residue.collect::<Result<_, String>>()?, by: by(note) })
}

fn by(note: Note) -> Operator {
    Operator { name: note.operator.unwrap_or_default(), reason: note.reason.unwrap_or_default() }
}

fn due_ms(record: &Record) -> Result<u64, String> {
    Ok(note_of(record)?.due_ms.ok_or("it does not say until when")?)
}

fn note_of(record: &Record) -> Result<Note, String> {
    serde_json::from_str(&data(record)?).map_err(|error| format!("its data cannot be read: {error}"))
}

fn data(record: &Record) -> Result<String, String> {
    record.data.clone().ok_or_else(|| "its data is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Compensation, StepDefinition, StepKind, Zone};

    const DEFINITION: Definition = Definition {
        name: "Trip",
        version: 1,
        parameters: &[],
        inputs: &[],
        output: "()",
        participants: &[],
        steps: &[StepDefinition {
            name: "flight",
            output: "u32",
            kind: StepKind::Call,
            zone: Zone::Compensatable,
            compensation: Compensation::ByKey,
            keyed: true,
            probe: false,
            otherwise: false,
            events: None,
            text: "",
        }],
        body: &[],
    };

    #[test]
    fn every_fact_is_read_back_from_its_record() {
        let attempts = || {
            [FailureKind::Refused, FailureKind::Transient, FailureKind::Unknown]
                .map(|kind| AttemptFact::Failed(Failure::new(kind, "\"quoted\"\n")))
                .into_iter()
                .chain([AttemptFact::Opened, AttemptFact::Absent, AttemptFact::NotSent, AttemptFact::Due(7)])
                .chain([AttemptFact::GaveUp("spent".into()), AttemptFact::Parked("panic".into())])
        };
        let step = [
            FactKind::Done("7".into()),
            FactKind::Refused(Refusal { message: "no".into(), definitive: false }),
            FactKind::Otherwise("8".into()),
            FactKind::Sent("9".into()),
            FactKind::Compensated,
        ];
        let of_step = step.into_iter().chain(attempts().map(FactKind::Attempt));
        let of_step = of_step.chain(attempts().map(FactKind::Compensation));
        let of_saga =
            [FactKind::Cancelled("why".into()), FactKind::DeadlinePassed, FactKind::Completed("7".into())];
        let places = [vec![], vec![2, 0]].map(|items| Place { step: 0, items: items.into() });
        let facts = of_step
            .flat_map(|kind| places.clone().map(|place| Fact { place: Some(place), kind: kind.clone() }));
        for fact in facts.chain(of_saga.map(|kind| Fact { place: None, kind })) {
            let record = to_record(&DEFINITION, fact.clone(), 1);
            assert_eq!(to_fact(&DEFINITION, &record), Ok(fact));
        }
    }

    #[test]
    fn what_operators_did_is_read_back_from_its_record() {
        let by = || Operator { name: "ann".into(), reason: "\"asked\" the hotel".into() };
        for act in [Act::ActionDone, Act::Suspend] {
            let record = operated(&by(), act, Some("flight".into()), 1);
            assert_eq!(read(&DEFINITION, &record), Ok(Entry::Operated(by(), act)));
        }
        let residue = vec![("flight".into(), Effect::Done), ("stay/bed".into(), Effect::InDoubt)];
        let closed = Closed { by: by(), residue };
        assert_eq!(read(&DEFINITION, &self::closed(&closed, 1)), Ok(Entry::Closed(closed)));
    }

    #[test]
    fn a_record_of_another_version_is_an_error_that_names_it() {
        let record = Record { at_ms: 0, step: Some("train".into()), event: "done".into(), data: None };
        assert_eq!(to_fact(&DEFINITION, &record), Err("`Trip` has no step `train`".into()));
        let record = Record { at_ms: 0, step: Some("flight".into()), event: "flown".into(), data: None };
        assert_eq!(to_fact(&DEFINITION, &record), Err("\"flown\" is no event of this version".into()));
    }
}
