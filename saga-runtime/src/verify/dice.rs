//! Chance: what goes wrong in a run that nobody has planned.

use fastrand::Rng;

use super::explorer::Budget;
use super::scenario::Decision;

/// Decides by chance what goes wrong.
pub(super) struct Dice {
    rng: Rng,
    budget: Budget,
    /// Something goes wrong at one in so many places.
    one_in: u32,
}

impl Dice {
    pub(super) fn new(seed: u64, budget: Budget) -> Self {
        let mut rng = Rng::with_seed(seed);
        // Some runs have little that goes wrong, and some a lot.
        let one_in = [2, 5, 12, 30][rng.usize(..4)];
        Self { rng, budget, one_in }
    }

    /// What happens at a place, if anything is to; `alternatives` says what can, with what is left to go wrong.
    pub(super) fn throw(
        &mut self,
        alternatives: impl FnOnce(Budget) -> Vec<(Vec<Decision>, Budget)>,
    ) -> Vec<Decision> {
        if self.rng.u32(..self.one_in) > 0 {
            return Vec::new();
        }
        let mut alternatives = alternatives(self.budget);
        if alternatives.is_empty() {
            return Vec::new();
        }
        let (decisions, budget) = alternatives.swap_remove(self.rng.usize(..alternatives.len()));
        self.budget = budget;
        decisions
    }
}
