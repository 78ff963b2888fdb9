//! One service: HTTP in front of one SQLite file.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Notify;

use self::link::{BreakableListener, Link};
use self::store::{Store, StoreError};
use super::stock::Stock;
use super::wire::ServiceKind;

mod answer;
mod hotel;
mod http;
mod keyed;
mod link;
mod store;

/// Which service, on which database, at which port.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// Which of the four.
    pub service: ServiceKind,
    /// Its database. Made and stocked if it does not exist.
    pub database: PathBuf,
    /// The port on 127.0.0.1, or 0 for any that is free.
    pub port: u16,
    /// What a new database is stocked with.
    pub stock: Stock,
}

/// A service that has its port.
#[derive(Debug)]
pub struct Service {
    kind: ServiceKind,
    listener: TcpListener,
    store: Arc<Store>,
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
        service: ServiceKind,
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
        service: ServiceKind,
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
        service: ServiceKind,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Service {
    /// Opens the database and takes the port.
    pub async fn bind(options: &ServiceOptions) -> Result<Self, ServeError> {
        let kind = options.service;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await.map_err(|cause| ServeError::Bind {
            service: kind,
            address,
            cause,
        })?;
        let store = Store::open(kind, &options.database, &options.stock).map_err(|cause| {
            ServeError::Store { service: kind, database: options.database.clone(), cause }
        })?;
        Ok(Self { kind, listener, store: Arc::new(store) })
    }

    /// Where it can be called.
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        self.listener.local_addr().map_err(|cause| ServeError::Serve { service: self.kind, cause })
    }

    /// Serves until the future is dropped.
    pub async fn run(self, death: Death) -> Result<(), ServeError> {
        let router = http::router(self.kind, self.store, death);
        let listener = BreakableListener::new(self.listener);
        axum::serve(listener, router.into_make_service_with_connect_info::<Link>())
            .await
            .map_err(|cause| ServeError::Serve { service: self.kind, cause })
    }
}
