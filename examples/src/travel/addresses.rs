//! Where the four services are.

use serde::{Deserialize, Serialize};

use super::wire::ServiceKind;
use crate::service::addresses::AddressBook;

/// Where the four services are: a URL each, such as `http://127.0.0.1:4101`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Of the flight service.
    pub flight: String,
    /// Of the hotel service.
    pub hotel: String,
    /// Of the car service.
    pub car: String,
    /// Of the card service.
    pub card: String,
}

impl Addresses {
    /// Gathers them service by service.
    pub fn try_from_fn<E>(mut address: impl FnMut(ServiceKind) -> Result<String, E>) -> Result<Self, E> {
        Ok(Self {
            flight: address(ServiceKind::Flight)?,
            hotel: address(ServiceKind::Hotel)?,
            car: address(ServiceKind::Car)?,
            card: address(ServiceKind::Card)?,
        })
    }
}

impl AddressBook for Addresses {
    type Kind = ServiceKind;

    fn gather<E>(address: impl FnMut(ServiceKind) -> Result<String, E>) -> Result<Self, E> {
        Self::try_from_fn(address)
    }

    fn of(&self, service: ServiceKind) -> &str {
        match service {
            ServiceKind::Flight => &self.flight,
            ServiceKind::Hotel => &self.hotel,
            ServiceKind::Car => &self.car,
            ServiceKind::Card => &self.card,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_a_list_or_a_file() {
        let list = "flight=http://127.0.0.1:1, hotel=http://127.0.0.1:2/,car=http://127.0.0.1:3,card=http://127.0.0.1:4";
        let addresses = Addresses::read(list).unwrap();
        assert_eq!(addresses.hotel, "http://127.0.0.1:2");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("addresses.json");
        addresses.write(&file).unwrap();
        assert_eq!(Addresses::read(file.to_str().unwrap()).unwrap(), addresses);
    }

    #[test]
    fn wrong_addresses_are_named() {
        let error = Addresses::read("flight=http://127.0.0.1:1,car=x,card=y").unwrap_err().to_string();
        assert!(error.contains("does not say where the hotel service is"), "{error}");
        assert!(error.ends_with("write flight=URL,hotel=URL,car=URL,card=URL"), "{error}");
        let error =
            Addresses::read("flight=http://127.0.0.1:1,hotel=2,car=3,card=4").unwrap_err().to_string();
        assert!(error.contains("`2` is no address of the hotel service"), "{error}");
        let error = Addresses::read("/nowhere/at/all").unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all"), "{error}");
    }
}
