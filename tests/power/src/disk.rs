//! A disk that promises what POSIX promises, and nothing else: content that was synced, names in a folder that was synced.

use std::collections::BTreeMap;
use std::mem;

use crate::trace::Op;

/// What a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// The files of a folder by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A folder: what of it is on the disk for sure, and what may be.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    contents: Vec<Content>,
    /// Where the names lead, as the system shows it.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// What a name has led to since the folder was synced, oldest first.
    name_changes: Vec<(String, Option<usize>)>,
    /// Whether the last operation was a deletion.
    has_just_deleted: bool,
}

#[derive(Debug, Clone, Default)]
struct Content {
    synced: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate { size: usize },
}

/// What a disk has kept of all that was not synced when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// All names, and no content.
    Names,
    /// All content, and no names.
    Contents,
    /// Of each name and each sector whatever chance has it, this many of a hundred.
    Torn {
        /// The seed of chance.
        seed: u64,
        /// How many of a hundred.
        percent: u8,
    },
}

/// Which of the syncs a disk obeys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Obeys {
    /// All of them.
    #[default]
    All,
    /// None of them: it reports what it has not done.
    Nothing,
    /// None of a folder.
    NoFolder,
    /// Of a folder those that follow on the deletion of a file, which is what `synchronous=EXTRA` adds; a new file's name
    /// is synced with the file.
    Deletions,
}

impl Disk {
    /// A disk that holds these files for sure.
    pub fn holding(files: &Files) -> Self {
        let names: BTreeMap<String, usize> = files.keys().cloned().zip(0..).collect();
        let contents = files.values().map(|synced| Content { synced: synced.clone(), changes: Vec::new() });
        Self { contents: contents.collect(), synced_names: names.clone(), names, ..Self::default() }
    }

    /// Does what was done. Marks are no operations.
    pub fn perform(&mut self, op: &Op, obeys: Obeys) {
        let had_just_deleted = mem::replace(&mut self.has_just_deleted, matches!(op, Op::Delete(_)));
        match op {
            Op::Create(file) => {
                self.contents.push(Content::default());
                self.name(file, Some(self.contents.len() - 1));
            }
            Op::Delete(file) => self.name(file, None),
            Op::Write { file, offset, data } => {
                self.change(file, Change::Write { offset: *offset, data: data.clone() });
            }
            Op::Truncate { file, size } => self.change(file, Change::Truncate { size: *size }),
            Op::Sync(_) | Op::SyncFolder if obeys == Obeys::Nothing => {}
            Op::Sync(file) => {
                if let Some(content) = self.content(file) {
                    content.synced = content.with(|_| true);
                    content.changes.clear();
                }
                if obeys == Obeys::Deletions
                    && let Some(content) = self.names.get(file)
                {
                    self.synced_names.insert(file.clone(), *content);
                    self.name_changes.retain(|(name, _)| name != file);
                }
            }
            Op::SyncFolder => {
                if obeys == Obeys::All || (obeys == Obeys::Deletions && had_just_deleted) {
                    self.synced_names.clone_from(&self.names);
                    self.name_changes.clear();
                }
            }
            Op::Mark(_) => {}
        }
    }

    /// What is found when the power is back.
    pub fn after_loss(&self, kept: Kept) -> Files {
        let mut chance = fastrand::Rng::with_seed(match kept {
            Kept::Torn { seed, .. } => seed,
            _ => 0,
        });
        let mut keeps = |all: bool| match kept {
            Kept::Torn { percent, .. } => chance.u8(..100) < percent,
            _ => all,
        };
        let all_names = matches!(kept, Kept::Everything | Kept::Names);
        let all_content = matches!(kept, Kept::Everything | Kept::Contents);
        let mut names = self.synced_names.clone();
        for (name, content) in &self.name_changes {
            if keeps(all_names) {
                match content {
                    Some(content) => names.insert(name.clone(), *content),
                    None => names.remove(name),
                };
            }
        }
        let content =
            |index: usize| self.contents.get(index).map(|content| content.with(|_| keeps(all_content)));
        let files: Vec<_> = names.values().copied().map(content).map(Option::unwrap_or_default).collect();
        names.into_keys().zip(files).collect()
    }

    fn name(&mut self, file: &str, content: Option<usize>) {
        match content {
            Some(content) => self.names.insert(file.to_owned(), content),
            None => self.names.remove(file),
        };
        self.name_changes.push((file.to_owned(), content));
    }

    fn content(&mut self, file: &str) -> Option<&mut Content> {
        self.names.get(file).and_then(|content| self.contents.get_mut(*content))
    }

    fn change(&mut self, file: &str, change: Change) {
        if let Some(content) = self.content(file) {
            content.changes.push(change);
        }
    }
}

impl Content {
    /// What was synced, with those changes that are kept: each sector of a write by itself.
    fn with(&self, mut keeps: impl FnMut(&Change) -> bool) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.changes {
            match change {
                Change::Truncate { size } if keeps(change) => bytes.resize(*size, 0),
                Change::Truncate { .. } => {}
                Change::Write { offset, data } => {
                    let mut from = *offset;
                    while from < offset + data.len() {
                        let to =
                            (from / SECTOR_BYTES + 1).saturating_mul(SECTOR_BYTES).min(offset + data.len());
                        if keeps(change) {
                            if bytes.len() < to {
                                bytes.resize(to, 0);
                            }
                            bytes[from..to].copy_from_slice(&data[from - offset..to - offset]);
                        }
                        from = to;
                    }
                }
            }
        }
        bytes
    }
}
