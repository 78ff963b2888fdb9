//! Where the four services are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::wire::ServiceKind;

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

/// Why addresses cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressesError {
    /// The file cannot be read or written.
    #[error("cannot use the addresses file {}: {cause}; `travel_booking services --addresses FILE` writes one", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is not the right JSON.
    #[error("{}:{}:{}: {cause}", file.display(), cause.line(), cause.column())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// Not all four, or something else.
    #[error(
        "`{text}` does not say where the {service} service is: write flight=URL,hotel=URL,car=URL,card=URL"
    )]
    Missing {
        /// What was given.
        text: String,
        /// Whose address is missing.
        service: ServiceKind,
    },
    /// No URL that can be called.
    #[error("`{url}` is no address of the {service} service: write one such as `http://127.0.0.1:4101`")]
    Url {
        /// What was given.
        url: String,
        /// Whose.
        service: ServiceKind,
    },
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

    /// Of one service.
    pub fn of(&self, service: ServiceKind) -> &str {
        match service {
            ServiceKind::Flight => &self.flight,
            ServiceKind::Hotel => &self.hotel,
            ServiceKind::Car => &self.car,
            ServiceKind::Card => &self.card,
        }
    }

    /// Reads `flight=URL,hotel=URL,car=URL,card=URL`, or the file of this name.
    pub fn read(text: &str) -> Result<Self, AddressesError> {
        let addresses = if text.contains('=') { parse(text)? } else { read_file(Path::new(text))? };
        for service in ServiceKind::ALL {
            let url = addresses.of(service);
            if reqwest::Url::parse(url).map_or(true, |url| url.scheme() != "http" || url.host().is_none()) {
                return Err(AddressesError::Url { url: url.to_owned(), service });
            }
        }
        Ok(addresses)
    }

    /// Writes them to `file`, whole or not at all: who waits for the file never sees half of it.
    pub fn write(&self, file: &Path) -> Result<(), AddressesError> {
        let error = |cause| AddressesError::File { file: file.to_owned(), cause };
        let json = serde_json::to_string_pretty(self).map_err(|cause| error(cause.into()))?;
        let mut unfinished = file.as_os_str().to_owned();
        unfinished.push(".unfinished");
        fs::write(&unfinished, json + "\n").and_then(|()| fs::rename(&unfinished, file)).map_err(error)
    }
}

fn parse(text: &str) -> Result<Addresses, AddressesError> {
    Addresses::try_from_fn(|service| {
        let url = text.split(',').find_map(|part| {
            let (name, url) = part.split_once('=')?;
            (name.trim() == service.name()).then(|| url.trim().trim_end_matches('/').to_owned())
        });
        url.ok_or_else(|| AddressesError::Missing { text: text.to_owned(), service })
    })
}

fn read_file(file: &Path) -> Result<Addresses, AddressesError> {
    let json =
        fs::read_to_string(file).map_err(|cause| AddressesError::File { file: file.to_owned(), cause })?;
    serde_json::from_str(&json).map_err(|cause| AddressesError::Malformed { file: file.to_owned(), cause })
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
        let error =
            Addresses::read("flight=http://127.0.0.1:1,hotel=2,car=3,card=4").unwrap_err().to_string();
        assert!(error.contains("`2` is no address of the hotel service"), "{error}");
        let error = Addresses::read("/nowhere/at/all").unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all"), "{error}");
    }
}
