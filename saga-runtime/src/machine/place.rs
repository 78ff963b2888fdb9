//! Where in a saga something happens: a step and, inside `for`, the item.

use std::fmt;

/// A step of a saga and, where it stands in a `for`, the items that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index of the step in the definition.
    pub step: usize,
    /// The items, by their number from 0.
    pub items: Items,
}

/// The items of the `for`s around a step, outermost first, by their numbers from 0. Empty outside of a `for`.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Items(Vec<u32>);

impl Place {
    /// The same place, seen from outside of a `for` that works on its item number `item`.
    #[must_use]
    pub fn of_item(self, item: u32) -> Self {
        let mut items = Vec::with_capacity(self.items.0.len() + 1);
        items.push(item);
        items.extend(self.items.0);
        Self { step: self.step, items: Items(items) }
    }
}

/// A step outside of any `for`.
impl From<usize> for Place {
    fn from(step: usize) -> Self {
        Self { step, items: Items::NONE }
    }
}

impl Items {
    /// Outside of any `for`.
    pub const NONE: Self = Self(Vec::new());

    /// [`NONE`](Self::NONE), to be borrowed.
    pub fn none() -> &'static Self {
        static NONE: Items = Items::NONE;
        &NONE
    }

    /// How many `for`s there are around the step.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// The item of the `for` with `depth` others around it.
    pub fn at(&self, depth: usize) -> Option<u32> {
        self.0.get(depth).copied()
    }

    /// The numbers, outermost first.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// Splits what [`Display`](fmt::Display) appends to a name off it: `pick[2][0]` is `pick`, and `[2][0]`.
    pub fn split_off(name: &str) -> Option<(&str, Self)> {
        let Some((start, _)) = name.char_indices().find(|(_, c)| *c == '[') else {
            return Some((name, Self::NONE));
        };
        let (name, mut rest) = name.split_at(start);
        let mut items = Vec::new();
        while !rest.is_empty() {
            let (number, after) = rest.strip_prefix('[')?.split_once(']')?;
            let item = number.parse::<u32>().ok().filter(|item| item.to_string() == number)?;
            items.push(item);
            rest = after;
        }
        Some((name, Self(items)))
    }
}

impl From<Vec<u32>> for Items {
    fn from(numbers: Vec<u32>) -> Self {
        Self(numbers)
    }
}

/// `[2][0]`; nothing outside of a `for`.
impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|item| write!(f, "[{item}]"))
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_back_from_behind_a_name() {
        for items in [vec![], vec![0], vec![2, 0], vec![u32::MAX]] {
            let items = Items::from(items);
            assert_eq!(Items::split_off(&format!("pick{items}")), Some(("pick", items)));
        }
    }

    #[test]
    fn what_is_no_number_in_brackets_is_none() {
        for name in ["pick[", "pick[]", "pick[a]", "pick[01]", "pick[-1]", "pick[1]2", "pick[4294967296]"] {
            assert_eq!(Items::split_off(name), None, "{name}");
        }
    }

    #[test]
    fn an_outer_item_comes_first() {
        assert_eq!(Place::from(3).of_item(1).of_item(2).items.to_string(), "[2][1]");
    }
}
