//! Between JSON and types.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Fault;

/// What a JSON text is, in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Answer,
    Refusal,
    UndoAnswer,
}

/// A value and its JSON. The value is read back from the JSON, so that the first caller is answered exactly what the
/// next ones will be, and what could not be read then is found before it is committed.
pub(crate) fn write<T: Serialize + DeserializeOwned>(
    key: &str,
    what: What,
    value: &T,
) -> Result<(T, String), Fault> {
    let unwritable = |error: serde_json::Error| Fault::Unwritable {
        key: key.to_owned(),
        what: what.name(),
        ty: type_name::<T>(),
        cause: error.to_string(),
    };
    let json = serde_json::to_string(value).map_err(unwritable)?;
    let value = serde_json::from_str(&json).map_err(unwritable)?;
    Ok((value, json))
}

/// What was stored, as a `T`.
pub(crate) fn read<T: DeserializeOwned>(key: &str, what: What, json: &str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| Fault::Unreadable {
        key: key.to_owned(),
        what: what.name(),
        ty: type_name::<T>(),
        cause: error.to_string(),
    })
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Refusal => "refusal",
            Self::UndoAnswer => "compensation's answer",
        }
    }
}
