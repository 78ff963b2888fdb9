//! Small values that are right by construction: an article, a country, a mail address.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An article by its stock keeping unit, such as `desk-lamp`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(String);

/// A country by its ISO code of two letters, such as `CH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(String);

/// A mail address, such as `ada@example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mail(String);

/// A text that is no [`Sku`], [`Country`] or [`Mail`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}")]
pub struct InvalidValue {
    /// The text.
    pub text: String,
    /// What it should have been.
    pub kind: &'static str,
}

impl Mail {
    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

fn is_sku(text: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_right) && !text.starts_with('-')
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_mail(text: &str) -> bool {
    let is_plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    text.split_once('@').is_some_and(|(name, domain)| {
        is_plain(name) && is_plain(domain) && domain.split('.').count() > 1 && domain.split('.').all(is_plain)
    })
}

/// Reads, shows and serializes a value as its text.
macro_rules! text_value {
    ($($value:ident: $kind:literal if $is_right:ident;)*) => {$(
        impl FromStr for $value {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $value {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                if $is_right(&text) { Ok(Self(text)) } else { Err(InvalidValue { text, kind: $kind }) }
            }
        }

        impl From<$value> for String {
            fn from(value: $value) -> Self {
                value.0
            }
        }

        impl fmt::Display for $value {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

text_value! {
    Sku: "stock keeping unit" if is_sku;
    Country: "country" if is_country;
    Mail: "mail address" if is_mail;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_right_texts_are_values() {
        assert!(["a", "desk-lamp", "27-inch"].iter().all(|text| text.parse::<Sku>().is_ok()));
        assert!(
            ["", "-a", "Lamp", "desk lamp", &"a".repeat(33)].iter().all(|text| text.parse::<Sku>().is_err())
        );
        assert!("CH".parse::<Country>().is_ok());
        assert!(["", "C", "ch", "CHE", "Ü"].iter().all(|text| text.parse::<Country>().is_err()));
        assert_eq!("ada@mail.example.com".parse::<Mail>().unwrap().domain(), "mail.example.com");
        for wrong in
            ["", "ada", "@example.com", "ada@", "ada@example", "a@b@c.d", "ada@.com", "a da@example.com"]
        {
            assert!(wrong.parse::<Mail>().is_err(), "{wrong}");
        }
    }
}
