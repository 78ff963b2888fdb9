//! Participants that are called over HTTP: says who calls, and sorts each answer by what it proves of the effect.
//!
//! ```
//! use saga_runtime::http::{Client, ClientError, HttpError};
//! use saga_runtime::{Context, Keyed};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
//! struct Trip { seats: i64 }
//!
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
//! struct Reservation { number: i64 }
//!
//! /// Why the service refuses: the body of its refusals.
//! #[derive(Debug, Clone, Deserialize, thiserror::Error)]
//! #[error("only {left} seats are left")]
//! struct SoldOut { left: i64 }
//!
//! #[derive(Debug, Clone)]
//! struct FlightDesk { service: Client }
//!
//! impl Keyed for FlightDesk {} // it has the participant kit's barrier
//!
//! impl FlightDesk {
//!     fn new(base: &str) -> Result<Self, ClientError> {
//!         Ok(Self { service: Client::new(base)? })
//!     }
//!
//!     async fn reserve(&self, cx: &Context, trip: &Trip) -> Result<Reservation, HttpError<SoldOut>> {
//!         self.service.post(cx, "/seats").json(trip).send().await
//!     }
//!
//!     /// By key: the service knows what it did, or sees to it that it never does.
//!     async fn cancel(&self, cx: &Context) -> Result<(), HttpError> {
//!         self.service.post(cx, "/seats/cancel").confirm().await
//!     }
//!
//!     /// A probe: `null` is `None`.
//!     async fn find(&self, cx: &Context) -> Result<Option<Reservation>, HttpError> {
//!         self.service.post(cx, "/seats/find").send().await
//!     }
//! }
//!
//! # #[cfg(feature = "macros")]
//! saga_runtime::saga! {
//!     /// Holds seats for a trip.
//!     saga BookTrip(trip: Trip) -> Reservation {
//!         with flights: FlightDesk;
//!         step flight: Reservation = flights.reserve(cx, trip) compensate flights.cancel(cx);
//!         # read settled: Option<Reservation> = flights.find(cx);
//!         return flight;
//!     }
//! }
//! # fn main() -> Result<(), ClientError> { FlightDesk::new("http://127.0.0.1:7001").map(drop) }
//! ```
//!
//! The service's side of these three is the page of `saga_participant::axum`, and any other service that reads the headers
//! of [`wire`] will do.
//!
//! # What an answer proves
//!
//! | what comes | it is | for the saga |
//! | --- | --- | --- |
//! | nothing: no connection was made, or no request could be | [`NotSent`](HttpError::NotSent) | transient |
//! | an answer with `Saga-Outcome`, written by the participant kit | what it says | done, refused, transient or unknown |
//! | one without, with a status that the service's [`Contract`] marks | what that says | the same |
//! | one without, with another 2xx than 202 | done | done |
//! | done, with a body that cannot be read as what was asked for | [`Unknown`](HttpError::Unknown) | unknown |
//! | any other answer: 4xx, 5xx, redirects, which are not followed | [`Unknown`](HttpError::Unknown) | unknown |
//! | no whole answer: a broken connection, a time-out, garbage | [`Unknown`](HttpError::Unknown) | unknown |
//! | a mistake of the caller's or the service's, such as a key that comes with another request | [`Fault`](HttpError::Fault) | unknown |
//!
//! So what is in doubt is never taken for refused or worth a careless try: 503 alone proves nothing, as a gateway says so
//! too when the service behind it has not answered in time.
//!
//! `Retry-After`, in seconds or as a date, is [honoured](crate::StepError::retry_after).
//!
//! # TLS, proxies, pools
//!
//! By itself the client speaks plain HTTP/1.1. What else [reqwest](https://docs.rs/reqwest/0.13) can do is chosen as usual:
//! enable its features in your own `Cargo.toml`, and [hand over a builder](Client::from_builder).

mod answer;
mod call;
mod client;
mod contract;
mod error;
mod retry_after;

pub use call::Call;
pub use client::{Client, ClientError};
pub use contract::Contract;
pub use error::{HttpError, Words};
pub use reqwest;
/// The names of the headers, as the services have them.
pub use saga_participant::http as wire;
