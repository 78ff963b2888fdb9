//! The kit of which each example's services are made: HTTP in front of one SQLite file, answers kept by idempotency
//! key, tombstones, faults to order, processes that are supervised.
//!
//! An example says what its services are with one type, a [`ServiceKind`].
//!
//! | module | holds |
//! | --- | --- |
//! | [`kind`] | what an example says of its services |
//! | [`wire`], [`addresses`], [`stock`] | what services speak, where they are, what they have |
//! | [`answer`], `keyed`, [`store`] | what a service answers; once per key, by the barrier of the participants' kit; its database |
//! | [`fault`], [`faults`] | how services can be made to fail |
//! | [`threads`], [`supervise`] | all services in this process; all as processes of their own |

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Notify;

pub use self::kind::ServiceKind;
use self::link::{BreakableListener, Link};
use self::store::{Store, StoreError};

pub mod addresses;
pub mod answer;
pub mod fault;
pub mod faults;
mod http;
mod keyed;
pub mod kind;
mod link;
pub mod stock;
pub mod store;
pub mod supervise;
pub mod threads;
pub mod wire;

/// Which service, on which database, at which port.
#[derive(Debug, Clone)]
pub struct ServiceOptions<K: ServiceKind> {
    /// Which one.
    pub service: K,
    /// Its database. Made and stocked if it does not exist.
    pub database: PathBuf,
    /// The port on 127.0.0.1, or 0 for any that is free.
    pub port: u16,
    /// What a new database is stocked with.
    pub stock: K::Stock,
}

/// A service that has its port.
#[derive(Debug)]
pub struct Service<K> {
    kind: K,
    listener: TcpListener,
    store: Arc<Store<K>>,
}

/// What the faults `die-before` and `die-after` do.
#[derive(Debug, Clone)]
pub enum Death {
    /// The process aborts.
    AbortProcess,
    /// This is notified, and the call that died never answers: for a service that lives in a bigger process.
    Notify(Arc<Notify>),
}

/// Why a service cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port cannot be had.
    #[error(
        "the {service} service cannot listen on {address}: {cause}; end what listens there, or give another --port (0 takes any that is free)"
    )]
    Bind {
        /// The service.
        service: &'static str,
        /// The address that was asked for.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Its database cannot be used.
    #[error("the {service} service cannot use its database {}: {cause}", database.display())]
    Store {
        /// The service.
        service: &'static str,
        /// The database.
        database: PathBuf,
        /// Why.
        #[source]
        cause: StoreError,
    },
    /// Serving broke off.
    #[error("the {service} service cannot go on serving: {cause}")]
    Serve {
        /// The service.
        service: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl<K: ServiceKind> Service<K> {
    /// Opens the database and takes the port.
    pub async fn bind(options: &ServiceOptions<K>) -> Result<Self, ServeError> {
        let kind = options.service;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await.map_err(|cause| ServeError::Bind {
            service: kind.name(),
            address,
            cause,
        })?;
        let store = Store::open(kind, &options.database, &options.stock).map_err(|cause| {
            ServeError::Store { service: kind.name(), database: options.database.clone(), cause }
        })?;
        Ok(Self { kind, listener, store: Arc::new(store) })
    }

    /// Where it can be called.
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        self.listener.local_addr().map_err(|cause| ServeError::Serve { service: self.kind.name(), cause })
    }

    /// Serves until the future is dropped.
    pub async fn run(self, death: Death) -> Result<(), ServeError> {
        let router = http::router(self.kind, self.store, death);
        let listener = BreakableListener::new(self.listener);
        axum::serve(listener, router.into_make_service_with_connect_info::<Link>())
            .await
            .map_err(|cause| ServeError::Serve { service: self.kind.name(), cause })
    }
}

/// Where the database of `service` is within `directory`.
pub fn database<K: ServiceKind>(directory: &Path, service: K) -> PathBuf {
    directory.join(format!("{service}.db"))
}
