//! The services of an example as a type: what they are called, what they can be asked to do, what they hold.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use rusqlite::Transaction;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::addresses::AddressBook;
use super::answer::{Answer, Call};
use super::stock::{StockError, StockItem};
use super::wire::What;

/// One of the services of an example. Everything that the examples share is written over this trait.
pub trait ServiceKind: Word + Ord {
    /// What a service can be asked to do.
    type Operation: Word;
    /// Where the services are.
    type Addresses: AddressBook<Kind = Self>;
    /// What all of them have when they are new.
    type Stock: Debug + Clone + Send + Sync + 'static;

    /// All of them.
    const SERVICES: &'static [Self];
    /// What a saga is about, in a word, such as `trip`.
    const SUBJECT: &'static str;
    /// Where the program keeps its data, if nothing is said.
    const DATA: &'static str;
    /// Tables that a service of this kind needs besides those that all have.
    const SCHEMA: &'static str = "";

    /// Its name in addresses, files and faults.
    fn name(self) -> &'static str;

    /// What it can be asked to do.
    fn operations(self) -> &'static [Self::Operation];

    /// Where an operation is asked for.
    fn path(self, operation: Self::Operation) -> &'static str;

    /// What it can hold.
    fn things(self) -> &'static [What];

    /// What its stock is counted in, in the plural, such as `seats`.
    fn unit(self) -> &'static str;

    /// Whether its stock is counted in cents.
    fn counts_money(self) -> bool {
        false
    }

    /// What can be looked at without any effect, besides what all services show.
    fn views(self) -> &'static [View] {
        &[]
    }

    /// The stock that ships with the example.
    fn shipped_stock() -> Result<Self::Stock, StockError>;

    /// What this service has of a stock.
    fn items(self, stock: &Self::Stock) -> Vec<StockItem>;

    /// Does what it is asked, in one transaction, and commits it.
    fn perform(self, tx: Transaction<'_>, call: &Call<Self>) -> rusqlite::Result<Answer>;
}

/// Something that can be looked at with a GET.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Where.
    pub path: &'static str,
    /// Reads it.
    pub read: fn(&Transaction<'_>) -> rusqlite::Result<Answer>,
}

/// A value with a name, in faults and on the wire.
pub trait Word:
    Debug
    + Display
    + FromStr<Err = UnknownWord>
    + Copy
    + Eq
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<T> Word for T where
    T: Debug
        + Display
        + FromStr<Err = UnknownWord>
        + Copy
        + Eq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Reads and shows the values of a type that has `ALL` of them by their `name`: that makes it a [`Word`].
macro_rules! words {
    ($($word:ident: $kind:literal;)*) => {$(
        impl ::std::str::FromStr for $word {
            type Err = $crate::service::kind::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                $crate::service::kind::choose(word, $kind, &Self::ALL)
            }
        }

        impl ::std::fmt::Display for $word {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.name())
            }
        }
    )*};
}
pub(crate) use words;

/// A word that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {kind}: write one of {choices}")]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// What it should have been.
    pub kind: &'static str,
    /// What can be written.
    pub choices: String,
}

/// The one of `choices` that has this name.
pub fn choose<T: Copy + Display>(word: &str, kind: &'static str, choices: &[T]) -> Result<T, UnknownWord> {
    let named = choices.iter().copied().find(|choice| choice.to_string() == word);
    named.ok_or_else(|| UnknownWord { word: word.to_owned(), kind, choices: list(choices) })
}

/// Their names in a row.
pub fn list<T: Display>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
