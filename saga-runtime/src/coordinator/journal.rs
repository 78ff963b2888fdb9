//! Facts as records of the log, and back.

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::error::{Failure, FailureKind};
use crate::log::Record;
use crate::machine::{AttemptFact, Fact, FactKind, Refusal};

/// The first record of every saga: its data is the input.
pub(crate) const BEGUN: &str = "begun";

/// The payload of every record but outputs and inputs.
#[derive(Serialize, Deserialize, Default)]
struct Note {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definitive: Option<bool>,
}

/// The record of `fact`.
pub(crate) fn to_record(definition: &Definition, fact: Fact, at_ms: u64) -> Record {
    let step = fact.step.and_then(|step| definition.steps.get(step)).map(|step| step.name.to_owned());
    let message = |message: String| note(&Note { message: Some(message), ..Note::default() });
    let (event, data) = match fact.kind {
        FactKind::Done(output) => ("done", Some(output)),
        FactKind::Refused(refusal) => {
            let Refusal { message, definitive } = refusal;
            let note = Note { message: Some(message), definitive: Some(definitive), outcome: None };
            ("refused", self::note(&note))
        }
        FactKind::Attempt(AttemptFact::Opened) => ("opened", None),
        FactKind::Attempt(AttemptFact::Failed(failure)) => ("failed", failed(failure)),
        FactKind::Attempt(AttemptFact::Absent) => ("absent", None),
        FactKind::Attempt(AttemptFact::NotSent) => ("not sent", None),
        FactKind::Attempt(AttemptFact::GaveUp(text)) => ("gave up", message(text)),
        FactKind::Attempt(AttemptFact::Parked(text)) => ("parked", message(text)),
        FactKind::Compensated => ("compensated", None),
        FactKind::Compensation(AttemptFact::Opened) => ("compensation opened", None),
        FactKind::Compensation(AttemptFact::Failed(failure)) => ("compensation failed", failed(failure)),
        FactKind::Compensation(AttemptFact::Absent) => ("compensation absent", None),
        FactKind::Compensation(AttemptFact::NotSent) => ("compensation not sent", None),
        FactKind::Compensation(AttemptFact::GaveUp(text)) => ("compensation gave up", message(text)),
        FactKind::Compensation(AttemptFact::Parked(text)) => ("compensation parked", message(text)),
        FactKind::Cancelled(reason) => ("cancelled", message(reason)),
        FactKind::Completed(output) => ("completed", Some(output)),
    };
    Record { at_ms, step, event: event.to_owned(), data }
}

/// The fact that `record` stands for, or what is wrong with it.
pub(crate) fn to_fact(definition: &Definition, record: &Record) -> Result<Fact, String> {
    let step = match &record.step {
        None => None,
        Some(name) => {
            let step = definition.steps.iter().position(|step| step.name == name);
            Some(step.ok_or_else(|| format!("`{}` has no step `{name}`", definition.name))?)
        }
    };
    let kind = match record.event.as_str() {
        "done" => FactKind::Done(data(record)?),
        "refused" => {
            let note = read(record)?;
            let definitive = note.definitive.ok_or("it does not say whether it is definitive")?;
            FactKind::Refused(Refusal { message: note.message.unwrap_or_default(), definitive })
        }
        "compensated" => FactKind::Compensated,
        "cancelled" => FactKind::Cancelled(read(record)?.message.unwrap_or_default()),
        "completed" => FactKind::Completed(data(record)?),
        event => match event.strip_prefix("compensation ") {
            Some(event) => FactKind::Compensation(attempt(event, record)?),
            None => FactKind::Attempt(attempt(event, record)?),
        },
    };
    Ok(Fact { step, kind })
}

fn attempt(event: &str, record: &Record) -> Result<AttemptFact, String> {
    let message = || read(record).map(|note| note.message.unwrap_or_default());
    Ok(match event {
        "opened" => AttemptFact::Opened,
        "failed" => {
            let Note { outcome, message, .. } = read(record)?;
            let kind = match outcome.as_deref() {
                Some("refused") => FailureKind::Refused,
                Some("transient") => FailureKind::Transient,
                Some("unknown") => FailureKind::Unknown,
                other => return Err(format!("{other:?} is no outcome of an attempt")),
            };
            AttemptFact::Failed(Failure { kind, message: message.unwrap_or_default() })
        }
        "absent" => AttemptFact::Absent,
        "not sent" => AttemptFact::NotSent,
        "gave up" => AttemptFact::GaveUp(message()?),
        "parked" => AttemptFact::Parked(message()?),
        other => return Err(format!("{other:?} is no event of this version")),
    })
}

fn failed(failure: Failure) -> Option<String> {
    let outcome = Some(failure.kind.to_string());
    note(&Note { outcome, message: Some(failure.message), definitive: None })
}

fn note(note: &Note) -> Option<String> {
    // Strings and booleans: this cannot fail.
    serde_json::to_string(note).ok()
}

fn read(record: &Record) -> Result<Note, String> {
    serde_json::from_str(&data(record)?).map_err(|error| format!("its data cannot be read: {error}"))
}

fn data(record: &Record) -> Result<String, String> {
    record.data.clone().ok_or_else(|| "its data is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Compensation, StepDefinition, StepKind};

    const DEFINITION: Definition = Definition {
        name: "Trip",
        version: 1,
        inputs: &[],
        output: "()",
        participants: &[],
        steps: &[StepDefinition {
            name: "flight",
            output: "u32",
            kind: StepKind::Compensatable,
            compensation: Compensation::ByKey,
            probe: false,
        }],
        body: &[],
    };

    #[test]
    fn every_fact_is_read_back_from_its_record() {
        let attempts = || {
            [FailureKind::Refused, FailureKind::Transient, FailureKind::Unknown]
                .map(|kind| AttemptFact::Failed(Failure { kind, message: "\"quoted\"\n".into() }))
                .into_iter()
                .chain([AttemptFact::Opened, AttemptFact::Absent, AttemptFact::NotSent])
                .chain([AttemptFact::GaveUp("spent".into()), AttemptFact::Parked("panic".into())])
        };
        let step = [
            FactKind::Done("7".into()),
            FactKind::Refused(Refusal { message: "no".into(), definitive: false }),
            FactKind::Compensated,
        ];
        let of_step = step.into_iter().chain(attempts().map(FactKind::Attempt));
        let of_step = of_step.chain(attempts().map(FactKind::Compensation));
        let of_saga = [FactKind::Cancelled("why".into()), FactKind::Completed("7".into())];
        let facts = of_step.map(|kind| Fact { step: Some(0), kind });
        for fact in facts.chain(of_saga.map(|kind| Fact { step: None, kind })) {
            let record = to_record(&DEFINITION, fact.clone(), 1);
            assert_eq!(to_fact(&DEFINITION, &record), Ok(fact));
        }
    }

    #[test]
    fn a_record_of_another_version_is_an_error_that_names_it() {
        let record = Record { at_ms: 0, step: Some("train".into()), event: "done".into(), data: None };
        assert_eq!(to_fact(&DEFINITION, &record), Err("`Trip` has no step `train`".into()));
        let record = Record { at_ms: 0, step: Some("flight".into()), event: "flown".into(), data: None };
        assert_eq!(to_fact(&DEFINITION, &record), Err("\"flown\" is no event of this version".into()));
    }
}
