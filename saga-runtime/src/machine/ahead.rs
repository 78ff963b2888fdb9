//! Whether a step can still be reached.

use crate::definition::{Block, Definition};

/// Whether a saga that goes forward can still arrive at `step`, or is there, when these are the steps that it has calls
/// of now. Inside a `for` that is not finished it can.
pub fn is_ahead(definition: &Definition, step: usize, now: &[usize]) -> bool {
    sequence_is_ahead(definition.body, step, now)
}

fn sequence_is_ahead(sequence: &[Block], step: usize, now: &[usize]) -> bool {
    let Some(place) = sequence.iter().position(|block| holds(block, step)) else { return false };
    let is_now = |block: &Block| now.iter().any(|step| holds(block, *step));
    match sequence.iter().rposition(is_now) {
        Some(current) if current == place => block_is_ahead(&sequence[place], step, now),
        Some(current) => current < place,
        None => false,
    }
}

fn block_is_ahead(block: &Block, step: usize, now: &[usize]) -> bool {
    let in_one_of = |sequences: &[&[Block]]| {
        let sequence = sequences.iter().find(|sequence| sequence.iter().any(|block| holds(block, step)));
        sequence.is_some_and(|sequence| sequence_is_ahead(sequence, step, now))
    };
    match block {
        Block::Step(_) | Block::For { .. } => true,
        Block::Parallel(branches) => in_one_of(branches),
        Block::If { step: decision, arms } => now.contains(decision) || in_one_of(arms),
    }
}

fn holds(block: &Block, step: usize) -> bool {
    let any = |sequence: &[Block]| sequence.iter().any(|block| holds(block, step));
    match block {
        Block::Step(own) => *own == step,
        Block::Parallel(branches) => branches.iter().any(|branch| any(branch)),
        Block::If { step: own, arms } => *own == step || arms.iter().any(|arm| any(arm)),
        Block::For { step: own, body, .. } => *own == step || any(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[Block] = &[
        Block::Step(0),
        Block::Parallel(&[&[Block::Step(1), Block::Step(2)], &[Block::Step(3)]]),
        Block::If { step: 4, arms: &[&[Block::Step(5)], &[Block::Step(6)], &[]] },
        Block::For { step: 7, body: &[Block::Step(8), Block::Step(9)], limit: 1 },
        Block::Step(10),
    ];

    fn ahead(step: usize, now: &[usize]) -> bool {
        sequence_is_ahead(BODY, step, now)
    }

    #[test]
    fn what_comes_later_is_ahead_and_what_came_earlier_is_not() {
        assert!(ahead(10, &[0]) && ahead(5, &[0]) && ahead(2, &[0]) && ahead(0, &[0]));
        assert!(!ahead(0, &[10]) && !ahead(5, &[7]) && !ahead(2, &[4]));
    }

    #[test]
    fn a_branch_that_is_done_is_past_while_its_sibling_goes_on() {
        assert!(ahead(2, &[1, 3]));
        assert!(!ahead(3, &[2]));
    }

    #[test]
    fn an_arm_that_was_not_taken_is_past() {
        assert!(ahead(5, &[4]) && ahead(6, &[4]) && ahead(6, &[6]));
        assert!(!ahead(5, &[6]));
    }

    #[test]
    fn in_a_for_each_step_may_come_again() {
        assert!(ahead(8, &[9]) && ahead(8, &[7]));
        assert!(!ahead(8, &[10]));
    }

    #[test]
    fn nothing_is_ahead_of_a_saga_that_has_no_calls() {
        assert!(!ahead(10, &[]));
    }
}
