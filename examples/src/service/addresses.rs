//! Where the services of an example are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kind::ServiceKind;

/// Where the services of an example are: a struct with a URL for each, such as `http://127.0.0.1:4101`.
pub trait AddressBook:
    std::fmt::Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Of which services.
    type Kind: ServiceKind<Addresses = Self>;

    /// Gathers them service by service.
    fn gather<E>(address: impl FnMut(Self::Kind) -> Result<String, E>) -> Result<Self, E>;

    /// Of one service.
    fn of(&self, service: Self::Kind) -> &str;

    /// Reads a list such as `flight=URL,hotel=URL`, or the file of this name.
    fn read(text: &str) -> Result<Self, AddressesError> {
        let addresses = if text.contains('=') { parse::<Self>(text)? } else { read_file(Path::new(text))? };
        for &service in Self::Kind::SERVICES {
            let url = addresses.of(service);
            if reqwest::Url::parse(url).map_or(true, |url| url.scheme() != "http" || url.host().is_none()) {
                return Err(AddressesError::Url { url: url.to_owned(), service: service.name() });
            }
        }
        Ok(addresses)
    }

    /// Writes them to `file`, whole or not at all: who waits for the file never sees half of it.
    fn write(&self, file: &Path) -> Result<(), AddressesError> {
        let error = |cause| AddressesError::File { file: file.to_owned(), cause };
        let json = serde_json::to_string_pretty(self).map_err(|cause| error(cause.into()))?;
        let mut unfinished = file.as_os_str().to_owned();
        unfinished.push(".unfinished");
        fs::write(&unfinished, json + "\n").and_then(|()| fs::rename(&unfinished, file)).map_err(error)
    }
}

/// Why addresses cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressesError {
    /// The file cannot be read or written.
    #[error("cannot use the addresses file {}: {cause}; the subcommand `services --addresses FILE` writes one", file.display())]
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
    /// Not all of them, or something else.
    #[error("`{text}` does not say where the {service} service is: write {form}")]
    Missing {
        /// What was given.
        text: String,
        /// Whose address is missing.
        service: &'static str,
        /// How the list is written.
        form: String,
    },
    /// No URL that can be called.
    #[error("`{url}` is no address of the {service} service: write one such as `http://127.0.0.1:4101`")]
    Url {
        /// What was given.
        url: String,
        /// Whose.
        service: &'static str,
    },
}

fn parse<A: AddressBook>(text: &str) -> Result<A, AddressesError> {
    A::gather(|service| {
        let url = text.split(',').find_map(|part| {
            let (name, url) = part.split_once('=')?;
            (name.trim() == service.name()).then(|| url.trim().trim_end_matches('/').to_owned())
        });
        url.ok_or_else(|| {
            let form = form::<A::Kind>();
            AddressesError::Missing { text: text.to_owned(), service: service.name(), form }
        })
    })
}

/// How a list of addresses is written.
pub fn form<K: ServiceKind>() -> String {
    K::SERVICES.iter().map(|service| format!("{service}=URL")).collect::<Vec<_>>().join(",")
}

fn read_file<A: AddressBook>(file: &Path) -> Result<A, AddressesError> {
    let json =
        fs::read_to_string(file).map_err(|cause| AddressesError::File { file: file.to_owned(), cause })?;
    serde_json::from_str(&json).map_err(|cause| AddressesError::Malformed { file: file.to_owned(), cause })
}
