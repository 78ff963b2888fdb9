//! A desk that writes down what it was asked for, of which saga, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saga_runtime::machine::Items;
use saga_runtime::{Context, Keyed, StepError};

/// How the desk takes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It says no.
    Refuses,
    /// It has no time: surely no effect.
    Busy,
    /// It takes this long.
    Slow(Duration),
    /// It does what it is asked for, and nobody hears of it.
    Mute,
}

/// What the desk does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, StepError)]
pub enum DeskSays {
    /// Never.
    #[error("no")]
    #[outcome(refused)]
    No,
    /// For now.
    #[error("later")]
    #[outcome(transient)]
    Later,
    /// Nobody knows what.
    #[error("nothing")]
    #[outcome(unknown)]
    Nothing,
}

#[derive(Default)]
struct Inner {
    /// Everything that was done and undone.
    story: Vec<String>,
    done: BTreeSet<String>,
    moods: BTreeMap<String, Mood>,
}

/// Does each thing once for its key. Clones are the same desk; it survives the coordinator.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Inner>>);

impl Keyed for Desk {}

impl Desk {
    /// A desk that does everything at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it takes what it is asked for under this name in this mood: `s-1/flight`, `s-1/room/bed` of a child,
    /// `s-1/pick[2]` of an item, and with a `-` before it to compensate that.
    pub fn becomes(&self, mood: Mood, name: &str) {
        self.inner().moods.insert(name.to_owned(), mood);
    }

    /// It does everything at once again.
    pub fn calms_down(&self) {
        self.inner().moods.clear();
    }

    /// What was done and undone so far, in its order: `s-1/flight`, `-s-1/flight`.
    pub fn story(&self) -> Vec<String> {
        self.inner().story.clone()
    }

    /// What holds.
    pub fn held(&self) -> Vec<String> {
        self.inner().done.iter().cloned().collect()
    }

    /// Does what the step asks for.
    pub async fn ask(&self, cx: &Context) -> Result<u32, DeskSays> {
        let name = name(cx);
        let mood = self.take(&name).await?;
        let mut inner = self.inner();
        if inner.done.insert(name.clone()) {
            inner.story.push(name);
        }
        heard(mood).map(|()| 1)
    }

    /// Undoes it.
    pub async fn undo(&self, cx: &Context) -> Result<(), DeskSays> {
        let name = name(cx);
        let undone = format!("-{name}");
        let mood = self.take(&undone).await?;
        let mut inner = self.inner();
        if inner.done.remove(&name) {
            inner.story.push(undone);
        }
        heard(mood)
    }

    async fn take(&self, name: &str) -> Result<Option<Mood>, DeskSays> {
        let mood = self.inner().moods.get(name).copied();
        match mood {
            None | Some(Mood::Mute) => Ok(mood),
            Some(Mood::Refuses) => Err(DeskSays::No),
            Some(Mood::Busy) => Err(DeskSays::Later),
            Some(Mood::Slow(time)) => {
                tokio::time::sleep(time).await;
                Ok(mood)
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn heard(mood: Option<Mood>) -> Result<(), DeskSays> {
    if mood == Some(Mood::Mute) { Err(DeskSays::Nothing) } else { Ok(()) }
}

fn name(cx: &Context) -> String {
    let items =
        if cx.items().is_empty() { String::new() } else { Items::from(cx.items().to_vec()).to_string() };
    format!("{}/{}{items}", cx.saga_id(), cx.step())
}
