//! The name that the user gives to one saga.

use std::fmt;
use std::sync::Arc;

/// The id of one saga, unique within its log: chosen by the user, so that beginning it twice is beginning it once.
///
/// 1 to 200 visible ASCII characters: it is part of every idempotency key, and so of HTTP headers.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SagaId(Arc<str>);

impl SagaId {
    /// The longest id, in bytes.
    pub const MAX_LENGTH: usize = 200;

    /// Checks `id`.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidSagaId> {
        let id = id.as_ref();
        let cause = if id.is_empty() {
            "it is empty".to_owned()
        } else if id.len() > Self::MAX_LENGTH {
            format!("it has {} bytes, and {} is the most", id.len(), Self::MAX_LENGTH)
        } else if let Some((place, found)) = id.char_indices().find(|(_, c)| !c.is_ascii_graphic()) {
            format!("{found:?} at byte {place} is not a visible ASCII character")
        } else {
            return Ok(Self(id.into()));
        };
        Err(InvalidSagaId { id: id.chars().take(80).collect(), cause })
    }

    /// Refuses an id from which ids are made that may have so many bytes, and so be too long.
    #[cfg(feature = "coordinator")]
    pub(crate) fn must_leave_room(&self, longest: usize) -> Result<(), InvalidSagaId> {
        if longest <= Self::MAX_LENGTH {
            return Ok(());
        }
        let cause = format!(
            "its child sagas are named after it, and could have {longest} bytes, where {} is the most",
            Self::MAX_LENGTH
        );
        Err(InvalidSagaId { id: self.0.chars().take(80).collect(), cause })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be a [`SagaId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id:?} cannot be the id of a saga: {cause}")]
pub struct InvalidSagaId {
    /// The text, shortened.
    pub id: String,
    /// What is wrong with it.
    pub cause: String,
}

impl fmt::Display for SagaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SagaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
