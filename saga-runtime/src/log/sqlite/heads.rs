//! What the writer remembers of running sagas, so that an append needs no look at the file.

use std::collections::HashMap;

use super::load::Head;
use crate::id::SagaId;

/// How many heads one generation holds; there are two.
const GENERATION: usize = 65_536;

/// The heads of sagas that were appended to or loaded lately, and of no ended one.
///
/// It is bounded: when the young generation is full it becomes the old one, and what nobody asked for since is
/// forgotten. A saga that is forgotten is read from the file again.
#[derive(Debug, Default)]
pub(super) struct Heads {
    young: HashMap<SagaId, Head>,
    old: HashMap<SagaId, Head>,
}

impl Heads {
    pub(super) fn get(&self, id: &SagaId) -> Option<Head> {
        self.young.get(id).or_else(|| self.old.get(id)).copied()
    }

    pub(super) fn insert(&mut self, id: &SagaId, head: Head) {
        if let Some(known) = self.young.get_mut(id) {
            *known = head;
            return;
        }
        self.old.remove(id);
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id.clone(), head);
    }

    pub(super) fn remove(&mut self, id: &SagaId) {
        self.young.remove(id);
        self.old.remove(id);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
