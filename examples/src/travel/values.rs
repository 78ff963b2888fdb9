//! Small values that are right by construction: a city, a date; and amounts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use crate::money::Cents;

/// A city by the IATA code of its airports, such as `ZRH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct City(String);

/// A day of the calendar, such as `2026-09-14`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no [`City`] or no [`Date`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Not three capital letters.
    #[error("`{0}` is no city: write the three capital letters of its IATA code, such as `ZRH`")]
    City(String),
    /// Not a day of the calendar.
    #[error("`{0}` is no date: write a day that exists as YYYY-MM-DD, such as `2026-09-14`")]
    Date(String),
}

impl Date {
    /// The day, if the calendar has it.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        ((1..=days).contains(&day) && (1..=9999).contains(&year)).then_some(Self { year, month, day })
    }
}

impl FromStr for City {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::City(text.to_owned()))
        }
    }
}

impl FromStr for Date {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        parse_date(text).ok_or_else(|| InvalidValue::Date(text.to_owned()))
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse::<u16>().ok() } else { None }
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

impl TryFrom<String> for City {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl TryFrom<String> for Date {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<City> for String {
    fn from(city: City) -> Self {
        city.0
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl fmt::Display for City {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        for right in ["2026-09-14", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert_eq!(right.parse::<Date>().unwrap().to_string(), right);
        }
        for wrong in
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-1-01", "2026-01-32", "+026-01-01"]
        {
            assert_eq!(wrong.parse::<Date>(), Err(InvalidValue::Date(wrong.to_owned())));
        }
        assert!("2026-09-14-1".parse::<Date>().is_err() && "".parse::<Date>().is_err());
    }

    #[test]
    fn a_city_is_three_capital_letters() {
        assert!("ZRH".parse::<City>().is_ok());
        for wrong in ["", "zrh", "ZR", "ZRHA", "Zü"] {
            assert!(wrong.parse::<City>().is_err(), "{wrong}");
        }
    }
}
