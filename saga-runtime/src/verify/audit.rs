//! What must hold at the end of a scenario, judged by what the participants hold and were asked.

use std::collections::{BTreeMap, BTreeSet};

use super::network::ID;
use super::run::{End, names};
use super::scenario::{Decision, Fault, Kind, Scenario};
use super::world::{Made, World, held, keys};
use crate::coordinator::fold_prefixes;
use crate::definition::{Block, Definition};
use crate::log::History;
use crate::saga::Saga;

/// At the end of a scenario.
pub(super) fn audit<S: Saga>(
    scenario: &Scenario,
    end: &End,
    world: &World,
    history: &History,
) -> Result<(), String> {
    on_the_way(S::DEFINITION, world)?;
    all_or_nothing(end, world, history)?;
    if scenario.decisions.is_empty() {
        each_call_once(&world.made())?;
    }
    let is_no = |decision: &Decision| matches!(decision, Decision::Call(_, Fault::Refused));
    if matches!(end, End::Parked(_)) && !scenario.decisions.iter().any(is_no) {
        return Err("it needs an operator, and nobody has refused anything".to_owned());
    }
    fold_prefixes::<S>(history)
}

/// At any time.
pub(super) fn on_the_way(definition: &Definition, world: &World) -> Result<(), String> {
    if let Some(wrong) = world.wrong().first() {
        return Err(wrong.clone());
    }
    let made = world.made();
    one_effect_per_key(world)?;
    one_key_per_effect(&made)?;
    in_reverse(definition, &made)
}

/// What is held is what the end says, to the unit.
fn all_or_nothing(end: &End, world: &World, history: &History) -> Result<(), String> {
    let held = held(world);
    let right = match end {
        End::Compensated => held.is_empty(),
        End::Completed => {
            let own = held.iter().filter(|step| !step.contains('/')).cloned().collect::<Vec<_>>();
            own == done(world, history)
        }
        End::Parked(residue) | End::Closed(residue) => held.iter().all(|step| names(residue, step)),
    };
    if right {
        return Ok(());
    }
    let says = if *end == End::Completed {
        format!(", and its log says that these were done: {:?}", done(world, history))
    } else {
        String::new()
    };
    Err(format!("it ended {end:?}{says}; in effect are {held:?}"))
}

/// The steps with an effect that the log says is done.
fn done(world: &World, history: &History) -> Vec<String> {
    let accounts = world.accounts();
    let counts = |step: &String| accounts.iter().any(|account| account.counts && account.step == *step);
    let mut done = BTreeSet::new();
    for record in &history.records {
        let Some(step) = &record.step else { continue };
        match record.event.as_str() {
            "done" => done.insert(step.clone()),
            "compensated" => done.remove(step),
            _ => false,
        };
    }
    done.into_iter().filter(counts).collect()
}

fn one_effect_per_key(world: &World) -> Result<(), String> {
    let keyed = world.made().into_iter().filter(|made| made.keyed).map(|made| made.call.step);
    let keyed = keyed.collect::<BTreeSet<_>>();
    let doubled =
        world.accounts().into_iter().find(|account| account.effects > 1 && keyed.contains(&account.step));
    match doubled {
        Some(account) => Err(format!("`{}` took effect {} times", account.step, account.effects)),
        None => Ok(()),
    }
}

/// The key of a step and direction is the same each time, and nobody else's.
fn one_key_per_effect(made: &[Made]) -> Result<(), String> {
    let mut owners = BTreeMap::new();
    for ((step, is_compensation), keys) in keys(made) {
        if keys.len() > 1 {
            return Err(format!("`{step}` was called with several keys: {keys:?}"));
        }
        for key in keys {
            if let Some(other) = owners.insert(key.clone(), (step.clone(), is_compensation)) {
                return Err(format!("`{step}` and `{}` were called with the same key `{key}`", other.0));
            }
        }
    }
    Ok(())
}

/// Of two steps that follow each other, the later one is compensated first.
fn in_reverse(definition: &Definition, made: &[Made]) -> Result<(), String> {
    let compensated = made.iter().filter(|made| made.call.kind == Kind::Compensation && made.saga == ID);
    let compensated = compensated.collect::<Vec<_>>();
    for (i, first) in compensated.iter().enumerate() {
        for later in compensated.iter().skip(i + 1) {
            let is_new = !compensated.iter().take(i).any(|made| made.place == later.place);
            let in_items = first.place.items.depth() + later.place.items.depth() > 0;
            if is_new
                && !in_items
                && precede(definition.body, first.place.step, later.place.step) == Some(true)
            {
                let (first, later) = (&first.call.step, &later.call.step);
                return Err(format!("`{first}` was compensated before `{later}`, which came after it"));
            }
        }
    }
    Ok(())
}

/// Whether one step comes before the other whenever both are done; `None` if they are in different branches.
fn precede(blocks: &[Block], one: usize, other: usize) -> Option<bool> {
    let place = |step| blocks.iter().position(|block| holds(block, step));
    let (at, of_other) = (place(one)?, place(other)?);
    if at != of_other {
        return Some(at < of_other);
    }
    match &blocks[at] {
        Block::Step(_) | Block::For { .. } => None,
        Block::Parallel(branches) | Block::If { arms: branches, .. } => {
            branches.iter().find_map(|branch| precede(branch, one, other))
        }
    }
}

fn holds(block: &Block, step: usize) -> bool {
    let all = |blocks: &[Block]| blocks.iter().any(|block| holds(block, step));
    match block {
        Block::Step(own) => *own == step,
        Block::Parallel(branches) => branches.iter().any(|branch| all(branch)),
        Block::If { step: own, arms } => *own == step || arms.iter().any(|arm| all(arm)),
        Block::For { step: own, body, .. } => *own == step || all(body),
    }
}

/// Where nothing goes wrong, nobody is asked twice.
fn each_call_once(made: &[Made]) -> Result<(), String> {
    match made.iter().find(|made| made.call.nth > 1) {
        Some(made) => Err(format!("nothing went wrong, and `{}` was called again", made.call.step)),
        None => Ok(()),
    }
}
