//! A service that is called over HTTP.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, Method, Url, redirect, retry};

use super::{Call, Contract};
use crate::context::Context;

/// The longest that a connection may take to be made, if nothing else is said: shorter than a call's time-out, as what
/// comes of that is unknown, and what comes of this is not.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// One service: where it is, and what its answers mean. Cheap to clone, and clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    base: Arc<str>,
    pub(super) contract: Arc<Contract>,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The service's address is none.
    #[error("`{base}` cannot be the address of a service: {cause}")]
    Base {
        /// The address.
        base: String,
        /// What is wrong with it.
        cause: String,
    },
    /// reqwest says no.
    #[error("cannot make an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// The service at this address, such as `http://hotels.internal:8080/v2`.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::from_builder(reqwest::Client::builder().connect_timeout(CONNECT_TIME_MAX), base)
    }

    /// The same, with what `builder` says of TLS, proxies, pools and times. Redirects are not followed, and nothing is
    /// sent again behind the saga's back, whatever it says of these.
    ///
    /// Say a `connect_timeout`: while a connection is being made nothing is sent, and what comes of it is known.
    pub fn from_builder(builder: ClientBuilder, base: &str) -> Result<Self, ClientError> {
        let wrong = |cause: String| ClientError::Base { base: base.to_owned(), cause };
        let url = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it begins neither with `http://` nor with `https://`".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("paths are added to it, so that it ends without `?` and `#`".to_owned()));
        }
        let http = builder.redirect(redirect::Policy::none()).retry(retry::never()).build()?;
        let base = base.trim_end_matches('/').into();
        Ok(Self { http, base, contract: Arc::new(Contract::new()) })
    }

    /// The same, with a service whose answers mean this.
    #[must_use]
    pub fn contract(self, contract: Contract) -> Self {
        Self { contract: Arc::new(contract), ..self }
    }

    /// A GET for the attempt `cx`, of a path such as `/rooms/7`.
    pub fn get<'c>(&'c self, cx: &'c Context, path: &str) -> Call<'c> {
        self.call(cx, Method::GET, path)
    }

    /// A POST for the attempt `cx`.
    pub fn post<'c>(&'c self, cx: &'c Context, path: &str) -> Call<'c> {
        self.call(cx, Method::POST, path)
    }

    /// A PUT for the attempt `cx`.
    pub fn put<'c>(&'c self, cx: &'c Context, path: &str) -> Call<'c> {
        self.call(cx, Method::PUT, path)
    }

    /// A DELETE for the attempt `cx`.
    pub fn delete<'c>(&'c self, cx: &'c Context, path: &str) -> Call<'c> {
        self.call(cx, Method::DELETE, path)
    }

    /// A call for the attempt `cx` with any method.
    pub fn call<'c>(&'c self, cx: &'c Context, method: Method, path: &str) -> Call<'c> {
        let slash = if path.is_empty() || path.starts_with(['/', '?']) { "" } else { "/" };
        Call::new(self, cx, method, format!("{}{slash}{path}", self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        let cause = |base| Client::new(base).unwrap_err().to_string();
        assert!(cause("hotels").contains("relative URL without a base"), "{}", cause("hotels"));
        assert!(cause("ftp://hotels").ends_with("nor with `https://`"));
        assert!(cause("http://hotels/?a=1").ends_with("without `?` and `#`"));
        Client::new("http://hotels:8080/v2/").unwrap();
    }
}
