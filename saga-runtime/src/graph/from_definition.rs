//! A definition as what is drawn.

use saga_graph::{Arm, Block, Events, Field, Kind, Saga, Step, Undo, Zone};

use crate::definition::{self, Compensation, Definition, StepDefinition, StepKind};

impl From<&Definition> for Saga {
    /// A block whose step the definition does not have is left out.
    fn from(definition: &Definition) -> Self {
        let field = |field: &definition::Field| Field { name: field.name.into(), ty: field.ty.into() };
        Self {
            name: definition.full_name().into_owned(),
            inputs: definition.inputs.iter().map(field).collect(),
            output: definition.output.into(),
            body: blocks(definition, definition.body),
        }
    }
}

fn blocks(definition: &Definition, of: &[definition::Block]) -> Vec<Block> {
    of.iter().filter_map(|of| block(definition, of)).collect()
}

fn block(definition: &Definition, block: &definition::Block) -> Option<Block> {
    Some(match block {
        definition::Block::Step(index) => Block::Step(step(definition.steps.get(*index)?)?),
        definition::Block::Parallel(branches) => {
            Block::Parallel(branches.iter().map(|branch| blocks(definition, branch)).collect())
        }
        definition::Block::If { step, arms } => {
            let conditions = conditions(definition.steps.get(*step)?.text, arms.len());
            let arm = |(condition, arm): (Option<String>, &&[definition::Block])| Arm {
                condition,
                body: blocks(definition, arm),
            };
            Block::If(conditions.into_iter().zip(*arms).map(arm).collect())
        }
        definition::Block::For { step, body, limit } => {
            let step = definition.steps.get(*step)?;
            let item = item(step.name);
            let items = step.text.strip_prefix(item).and_then(|text| text.strip_prefix(" in "));
            Block::For {
                item: item.into(),
                items: items.unwrap_or(step.text).into(),
                limit: *limit,
                body: blocks(definition, body),
            }
        }
    })
}

/// The conditions of `count` arms, the last of which is that of `else`. The text of an `if` that goes on with
/// `else if` holds them all: `a else if b`.
fn conditions(text: &str, count: usize) -> Vec<Option<String>> {
    let written = text.strip_prefix("if ").unwrap_or(text);
    let parts: Vec<&str> = written.split("else if").map(|part| part.trim_matches([' ', '…'])).collect();
    let condition = |arm: usize| match parts.get(arm) {
        Some(part) if parts.len() == count - 1 => (*part).to_owned(),
        // It is shortened, or there is another `else if` in a condition.
        _ => format!("{written}: {}", arm + 1),
    };
    (0..count).map(|arm| (arm + 1 < count).then(|| condition(arm))).collect()
}

/// The item of the step `for line` or, where there are several, `for line 2`.
fn item(name: &str) -> &str {
    let name = name.strip_prefix("for ").unwrap_or(name);
    name.split(' ').next().unwrap_or(name)
}

fn step(step: &StepDefinition) -> Option<Step> {
    let events = step.events.map(|events| Events {
        done: events.done.into(),
        refused: events.refused.into(),
        compensated: events.compensated.into(),
    });
    Some(Step {
        name: step.name.into(),
        output: step.output.into(),
        kind: match step.kind {
            StepKind::Call => Kind::Call,
            StepKind::Read => Kind::Read,
            StepKind::Local => Kind::Local,
            StepKind::Saga => Kind::Saga,
            StepKind::Receive => Kind::Receive,
            StepKind::Sleep => Kind::Sleep,
            StepKind::Lock => Kind::Lock,
            // They are blocks.
            StepKind::If | StepKind::For => return None,
        },
        zone: match step.zone {
            definition::Zone::Compensatable => Zone::Compensatable,
            definition::Zone::Pivot => Zone::Pivot,
            definition::Zone::Retriable => Zone::Retriable,
        },
        undo: match step.compensation {
            Compensation::None => Undo::None,
            Compensation::Nothing => Undo::Nothing,
            Compensation::ByKey => Undo::ByKey,
            Compensation::ByOutput => Undo::ByOutput,
        },
        keyed: step.keyed,
        probe: step.probe,
        otherwise: step.otherwise,
        events,
        text: step.text.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Block as B, Zone as Z};

    const fn step(name: &'static str, kind: StepKind, text: &'static str) -> StepDefinition {
        StepDefinition {
            name,
            output: "T",
            kind,
            zone: Z::Compensatable,
            compensation: Compensation::ByKey,
            keyed: false,
            probe: true,
            otherwise: false,
            events: None,
            text,
        }
    }

    const DEFINITION: Definition = Definition {
        name: "Trip",
        version: 1,
        parameters: &[],
        inputs: &[definition::Field { name: "trip", ty: "Trip" }],
        output: "()",
        participants: &[],
        steps: &[
            step("flight", StepKind::Call, ""),
            step("if car", StepKind::If, "trip.wants_car"),
            step("car", StepKind::Call, ""),
            step("for line 2", StepKind::For, "trip.lines"),
            step("line", StepKind::Call, ""),
        ],
        body: &[
            B::Step(0),
            B::If { step: 1, arms: &[&[B::Step(2)], &[]] },
            B::For { step: 3, body: &[B::Step(4)], limit: 3 },
            B::Step(5),
        ],
    };

    #[test]
    fn a_definition_is_drawn_as_it_is_nested() {
        let Saga { name, inputs, body, .. } = Saga::from(&DEFINITION);
        assert_eq!((name.as_str(), inputs[0].ty.as_str(), body.len()), ("Trip", "Trip", 3));
        let Block::Step(flight) = &body[0] else { panic!("{body:?}") };
        assert_eq!((flight.name.as_str(), flight.undo, flight.probe), ("flight", Undo::ByKey, true));
        let Block::If(arms) = &body[1] else { panic!("{body:?}") };
        assert_eq!(arms[0].condition.as_deref(), Some("trip.wants_car"));
        assert_eq!((arms[0].body.len(), arms[1].condition.as_deref(), arms[1].body.len()), (1, None, 0));
        let Block::For { item, items, limit, body } = &body[2] else { panic!("{body:?}") };
        assert_eq!((item.as_str(), items.as_str(), *limit, body.len()), ("line", "trip.lines", 3, 1));
    }

    #[test]
    fn every_arm_has_its_condition() {
        let of = |text, count| -> Vec<String> {
            let condition = |condition: Option<String>| condition.unwrap_or_else(|| "else".into());
            conditions(text, count).into_iter().map(condition).collect()
        };
        assert_eq!(of("let Some(c) = car", 2), ["let Some(c) = car", "else"]);
        assert_eq!(of("a else if b", 3), ["a", "b", "else"]);
        assert_eq!(of("a", 3), ["a: 1", "a: 2", "else"]);
        assert_eq!(of("a", 0), [""; 0]);
    }

    #[cfg(feature = "coordinator")]
    #[test]
    fn a_recorded_run_is_drawn() {
        let records = [crate::log::Record { at_ms: 7, step: None, event: "begun".into(), data: None }];
        let chart = crate::graph::sequence(&DEFINITION, &records);
        assert!(chart.ends_with("Note over c: begun\n"), "{chart}");
    }
}
