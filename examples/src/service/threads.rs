//! All services of an example in this process: for tests, and for those who want no other processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, oneshot};

use super::addresses::AddressBook;
use super::kind::ServiceKind;
use super::{Death, ServeError, Service, ServiceOptions, database};

/// How long a service that died stays away.
const REST_AFTER_DEATH: Duration = Duration::from_millis(50);

/// How often a service that died tries to get its port back, a rest apart.
const RESTARTS_MAX: u32 = 200;

/// All services of an example in this process, each with a thread, a runtime and a database of its own. A fault that lets
/// one die takes its runtime and all its connections down; it comes back at the same port.
#[derive(Debug)]
pub struct Services<K: ServiceKind> {
    addresses: K::Addresses,
    threads: Vec<(Arc<Notify>, Option<JoinHandle<()>>)>,
}

/// Why the services cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory for their databases cannot be made.
    #[error("cannot make the directory {} for the services' databases: {cause}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A thread or its runtime cannot start.
    #[error("the {service} service cannot start a thread: {cause}")]
    Thread {
        /// The service.
        service: &'static str,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A service cannot serve.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A service ended before it served.
    #[error("the {0} service ended before it served")]
    Ended(&'static str),
}

impl<K: ServiceKind> Services<K> {
    /// Starts all of them with their databases in `directory`, at ports that are free. New databases get the stock
    /// that ships with the example.
    pub async fn start(directory: &Path) -> Result<Self, StartError> {
        let stock = K::shipped_stock().map_err(|cause| StartError::Directory {
            directory: directory.to_owned(),
            cause: std::io::Error::other(cause),
        })?;
        Self::start_with(directory, &stock).await
    }

    /// The same with a stock of your own.
    pub async fn start_with(directory: &Path, stock: &K::Stock) -> Result<Self, StartError> {
        std::fs::create_dir_all(directory)
            .map_err(|cause| StartError::Directory { directory: directory.to_owned(), cause })?;
        let mut threads = Vec::new();
        let mut urls = Vec::new();
        for &service in K::SERVICES {
            let database = database(directory, service);
            let (ready, answer) = oneshot::channel();
            let options = ServiceOptions { service, database, port: 0, stock: stock.clone() };
            let stop = Arc::new(Notify::new());
            let stopped = Arc::clone(&stop);
            let thread = thread::Builder::new()
                .name(service.to_string())
                .spawn(move || serve_until(&stopped, options, ready))
                .map_err(|cause| StartError::Thread { service: service.name(), cause })?;
            threads.push((stop, Some(thread)));
            let port = answer.await.map_err(|_| StartError::Ended(service.name()))??;
            urls.push(format!("http://127.0.0.1:{port}"));
        }
        let addresses = K::Addresses::gather(|service| {
            let place = K::SERVICES.iter().position(|&other| other == service);
            place.and_then(|place| urls.get(place).cloned()).ok_or(StartError::Ended(service.name()))
        })?;
        Ok(Self { addresses, threads })
    }

    /// Where they are.
    pub fn addresses(&self) -> &K::Addresses {
        &self.addresses
    }
}

impl<K: ServiceKind> Drop for Services<K> {
    fn drop(&mut self) {
        for (stop, _) in &self.threads {
            stop.notify_one();
        }
        for (_, thread) in &mut self.threads {
            if let Some(thread) = thread.take() {
                // A service that panicked has said so already.
                let _ = thread.join();
            }
        }
    }
}

/// Why a service's runtime came to its end.
enum End {
    Stopped,
    Died { port: u16 },
}

/// Serves until it is stopped: each life of the service is a runtime.
fn serve_until<K: ServiceKind>(
    stop: &Notify,
    mut options: ServiceOptions<K>,
    ready: oneshot::Sender<Result<u16, StartError>>,
) {
    let mut ready = Some(ready);
    let mut restarts = 0;
    loop {
        let service = options.service;
        let end = new_runtime(service).and_then(|runtime| {
            let end = runtime.block_on(live(stop, &options, &mut ready));
            // Tears all connections down; a transaction that runs on a blocking thread comes to its own end.
            runtime.shutdown_background();
            end
        });
        match end {
            Ok(End::Stopped) => return,
            Ok(End::Died { port }) => {
                options.port = port;
                restarts = 0;
            }
            Err(error) => match ready.take() {
                // The answer says why; nobody listens any more if the start was given up.
                Some(ready) => return drop(ready.send(Err(error))),
                None if restarts < RESTARTS_MAX => restarts += 1,
                None => return tracing::error!(%service, %error, "the service stays away"),
            },
        }
        thread::sleep(REST_AFTER_DEATH);
    }
}

fn new_runtime(service: impl ServiceKind) -> Result<Runtime, StartError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| StartError::Thread { service: service.name(), cause })
}

async fn live<K: ServiceKind>(
    stop: &Notify,
    options: &ServiceOptions<K>,
    ready: &mut Option<oneshot::Sender<Result<u16, StartError>>>,
) -> Result<End, StartError> {
    let service = Service::bind(options).await?;
    let port = service.address()?.port();
    if let Some(ready) = ready.take() {
        // Nobody listens any more if the start was given up; then it is stopped as well.
        let _ = ready.send(Ok(port));
    }
    let death = Arc::new(Notify::new());
    tokio::select! {
        served = service.run(Death::Notify(Arc::clone(&death))) => served.map(|()| End::Stopped).map_err(Into::into),
        () = death.notified() => Ok(End::Died { port }),
        () = stop.notified() => Ok(End::Stopped),
    }
}
