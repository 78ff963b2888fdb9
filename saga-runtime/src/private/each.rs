//! The positions of a `for`: one sub-state per item.

use std::fmt;
use std::marker::PhantomData;

use super::{Share, Shared};
use crate::machine::{Applied, Backward, Call, Cause, Event, Ledger, Region, Rejected};

/// The positions of what is done for one item, on the way forward.
pub trait Body: Region + Clone + fmt::Debug + Send + Sync + 'static {
    /// The positions on the way back.
    type Backward: Backward<Event = Self::Event>;

    /// Whether this is the end.
    fn is_done(&self) -> bool;

    /// Where compensation begins from here.
    fn turn(self) -> Self::Backward;
}

/// The items of a `for` on its way forward. They are begun in their order, as many at once as its limit allows.
pub struct Each<I, F> {
    items: Vec<Item<I, F>>,
    /// Numbers of the items that are begun and not done, in their order.
    open: Vec<u32>,
    /// Number of the first item that is not begun.
    next: u32,
    limit: u32,
}

enum Item<I, F> {
    Waiting(Shared<I>),
    /// `None` only while it is being moved.
    Begun(Option<F>),
}

/// The items of a `for` on its way back: those with anything to compensate. The item that was begun last comes first,
/// as many at once as the limit allows.
#[derive(Debug, Clone)]
pub struct EachBackward<B> {
    /// By number, in the order in which they were begun.
    items: Vec<(u32, B)>,
    limit: u32,
}

impl<I, F: Clone> Clone for Each<I, F> {
    fn clone(&self) -> Self {
        let Self { items, open, next, limit } = self;
        Self { items: items.clone(), open: open.clone(), next: *next, limit: *limit }
    }
}

/// Its items need not be `Clone`: they are shared.
impl<I, F: Clone> Clone for Item<I, F> {
    fn clone(&self) -> Self {
        match self {
            Self::Waiting(value) => Self::Waiting(value.share()),
            Self::Begun(at) => Self::Begun(at.clone()),
        }
    }
}

impl<I, F: fmt::Debug> fmt::Debug for Each<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { items, open, next, limit } = self;
        let mut shown = f.debug_struct("Each");
        shown.field("items", items).field("open", open).field("next", next).field("limit", limit).finish()
    }
}

/// Nor `Debug`: they are not shown.
impl<I, F: fmt::Debug> fmt::Debug for Item<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(value) => f.debug_tuple("Waiting").field(value).finish(),
            Self::Begun(at) => f.debug_tuple("Begun").field(at).finish(),
        }
    }
}

impl<I, F> Default for Each<I, F> {
    fn default() -> Self {
        Self { items: Vec::new(), open: Vec::new(), next: 0, limit: 1 }
    }
}

impl<I, F: Body> Each<I, F> {
    /// Begins with the first of these items.
    pub fn new(items: Vec<I>, limit: u32, begin: impl Fn(Shared<I>) -> F) -> Self {
        let items = items.into_iter().map(|item| Item::Waiting(Shared::new(item))).collect();
        let mut each = Self { items, open: Vec::new(), next: 0, limit };
        each.begin_more(begin);
        each
    }

    /// Applies an event of one item. `depth`: how many other `for`s there are around this one.
    pub fn apply(
        mut self,
        event: F::Event,
        depth: usize,
        turn: &mut Option<Cause>,
        begin: impl Fn(Shared<I>) -> F,
    ) -> Applied<Self> {
        let number = event.items().at(depth).filter(|number| self.open.contains(number));
        let Some((number, at)) = number.and_then(|number| Some((number, self.slot(number)?.take()?))) else {
            return Err(Rejected(self));
        };
        let (at, is_legal) = match at.apply(event, turn) {
            Ok(at) => (at, true),
            Err(Rejected(at)) => (at, false),
        };
        let is_done = at.is_done();
        if let Some(slot) = self.slot(number) {
            *slot = Some(at);
        }
        if !is_legal {
            return Err(Rejected(self));
        }
        if is_done {
            self.open.retain(|open| *open != number);
            if turn.is_none() {
                self.begin_more(begin);
            }
        }
        Ok(self)
    }

    /// Adds the calls of the items.
    pub fn calls(&self, calls: &mut Vec<Call>) {
        for number in &self.open {
            if let Some(at) = self.item(*number) {
                calls_of_item(*number, calls, |calls| at.calls(calls));
            }
        }
    }

    /// The item with this number, once it is begun.
    pub fn item(&self, number: u32) -> Option<&F> {
        match self.items.get(usize::try_from(number).ok()?)? {
            Item::Begun(at) => at.as_ref(),
            Item::Waiting(_) => None,
        }
    }

    /// Where compensation begins from here.
    pub fn turn(self) -> EachBackward<F::Backward> {
        let limit = self.limit;
        let begun = self.items.into_iter().map(|item| match item {
            Item::Begun(at) => at,
            Item::Waiting(_) => None,
        });
        EachBackward::new(begun.map(|at| at.map(Body::turn)), limit)
    }

    /// The ends of all items, in their order; the items given back where one of them is not done.
    pub fn join(self) -> Result<Vec<F>, Rejected<Self>> {
        if !self.open.is_empty() || usize::try_from(self.next).is_ok_and(|next| next < self.items.len()) {
            return Err(Rejected(self));
        }
        let ends = self.items.into_iter().filter_map(|item| match item {
            Item::Begun(at) => at,
            Item::Waiting(_) => None,
        });
        Ok(ends.collect())
    }

    fn slot(&mut self, number: u32) -> Option<&mut Option<F>> {
        match self.items.get_mut(usize::try_from(number).ok()?)? {
            Item::Begun(at) => Some(at),
            Item::Waiting(_) => None,
        }
    }

    fn begin_more(&mut self, begin: impl Fn(Shared<I>) -> F) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        while self.open.len() < limit {
            let item = usize::try_from(self.next).ok().and_then(|next| self.items.get_mut(next));
            let Some(item) = item else { break };
            if let Item::Waiting(value) = item {
                let at = begin(value.share());
                *item = Item::Begun(Some(at));
                self.open.push(self.next);
            }
            self.next += 1;
        }
    }
}

impl<B: Backward> EachBackward<B> {
    /// The items that there may be something to compensate of, in their order.
    pub fn new(items: impl IntoIterator<Item = Option<B>>, limit: u32) -> Self {
        let numbered = (0..).zip(items).filter_map(|(number, at)| Some((number, at?)));
        Self { items: numbered.filter(|(_, at)| !at.is_undone()).collect(), limit }
    }

    /// Applies an event of one item.
    pub fn apply(mut self, event: B::Event, depth: usize) -> Applied<Self> {
        let number = event.items().at(depth);
        let place = self.active().position(|(active, _)| Some(*active) == number);
        let Some(place) = place.map(|place| self.items.len() - 1 - place) else {
            return Err(Rejected(self));
        };
        let (number, at) = self.items.remove(place);
        match at.apply(event) {
            Ok(at) if at.is_undone() => Ok(self),
            Ok(at) => {
                self.items.insert(place, (number, at));
                Ok(self)
            }
            Err(Rejected(at)) => {
                self.items.insert(place, (number, at));
                Err(Rejected(self))
            }
        }
    }

    /// Adds the calls of the items that are compensated now.
    pub fn calls(&self, calls: &mut Vec<Call>) {
        for (number, at) in self.active() {
            calls_of_item(*number, calls, |calls| at.calls(calls));
        }
    }

    /// The item with this number, as long as there is something to compensate of it.
    pub fn item(&self, number: u32) -> Option<&B> {
        self.active().find(|(active, _)| *active == number).map(|(_, at)| at)
    }

    /// Whether nothing is left to compensate.
    pub fn is_undone(&self) -> bool {
        self.items.is_empty()
    }

    /// The items that are compensated now, latest first.
    fn active(&self) -> impl Iterator<Item = &(u32, B)> {
        self.items.iter().rev().take(usize::try_from(self.limit).unwrap_or(usize::MAX))
    }
}

/// Adds what `add` adds, as calls of this item.
fn calls_of_item(number: u32, calls: &mut Vec<Call>, add: impl FnOnce(&mut Vec<Call>)) {
    let first = calls.len();
    add(calls);
    for call in &mut calls[first..] {
        let place = std::mem::replace(&mut call.place, 0.into());
        call.place = place.of_item(number);
    }
}

/// The way back of a `for` in whose body nothing is ever undone.
pub struct NothingToUndo<E>(PhantomData<fn() -> E>);

impl<E> Clone for NothingToUndo<E> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<E> fmt::Debug for NothingToUndo<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NothingToUndo")
    }
}

impl<E> NothingToUndo<E> {
    /// Nothing.
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Event + 'static> Backward for NothingToUndo<E> {
    type Event = E;

    fn ledger(&mut self) -> Option<&mut Ledger> {
        None
    }

    fn calls(&self, _: &mut Vec<Call>) {}

    fn before(self) -> Self {
        self
    }

    fn advance(self, _: E) -> Applied<Self> {
        Err(Rejected(self))
    }

    fn is_undone(&self) -> bool {
        true
    }
}
