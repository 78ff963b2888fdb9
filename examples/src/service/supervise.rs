//! All services of an example as processes of their own, restarted when they die.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::addresses::AddressBook;
use super::database;
use super::kind::ServiceKind;

/// How long a service may take until it says where it is.
const START_TIME_MAX: Duration = Duration::from_secs(20);

/// How long a service may take to end by itself when its standard input ends.
const STOP_TIME_MAX: Duration = Duration::from_secs(3);

/// The pause before a service that died is started again: doubled while it does not come up.
const RESTART_PAUSE: Duration = Duration::from_millis(50);

/// The longest such pause.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(2);

/// The line that a service prints on its standard output once it can be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Which service.
    pub service: String,
    /// Where it can be called.
    pub address: SocketAddr,
}

/// Where and how services are started.
#[derive(Debug, Clone)]
pub struct SuperviseOptions {
    /// The program that has the subcommand `serve`: usually this one.
    pub program: PathBuf,
    /// The directory of the databases.
    pub directory: PathBuf,
    /// The port of the first service; the others follow. 0: any that are free.
    pub first_port: u16,
}

/// The processes of all services. They end when this process ends, however it ends: each reads from a pipe of which only
/// this process holds the other end.
#[derive(Debug)]
pub struct Supervisor<K: ServiceKind> {
    addresses: K::Addresses,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// The directory for the databases cannot be made.
    #[error("cannot make the directory {} for the services' databases: {cause}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The program cannot be started.
    #[error("cannot start the {service} service as {}: {cause}", program.display())]
    Spawn {
        /// The service.
        service: &'static str,
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It ended before it said where it is.
    #[error("the {service} service did not start ({status}): its own message stands above")]
    Ended {
        /// The service.
        service: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    /// It said nothing, or something else.
    #[error("the {service} service did not say where it is: {cause}")]
    Silent {
        /// The service.
        service: &'static str,
        /// What happened.
        cause: String,
    },
    /// The ports end before the services do.
    #[error("there are not {services} ports from {first} on: give a lower --first-port")]
    Ports {
        /// The first port.
        first: u16,
        /// How many there should be.
        services: usize,
    },
}

impl<K: ServiceKind> Supervisor<K> {
    /// Starts all of them. If one does not start, those that did are stopped.
    pub async fn start(options: &SuperviseOptions) -> Result<Self, SuperviseError> {
        std::fs::create_dir_all(&options.directory)
            .map_err(|cause| SuperviseError::Directory { directory: options.directory.clone(), cause })?;
        let (stop, _) = watch::channel(false);
        let mut running = Vec::new();
        for (index, &service) in (0..).zip(K::SERVICES) {
            let port = match options.first_port {
                0 => 0,
                first => (first.checked_add(index))
                    .ok_or(SuperviseError::Ports { first, services: K::SERVICES.len() })?,
            };
            let launch = Launch {
                service,
                program: options.program.clone(),
                database: database(&options.directory, service),
                port,
            };
            running.push(launch.start().await?);
        }
        let addresses = K::Addresses::gather(|service| {
            let found = running.iter().find(|running| running.launch.service == service);
            found.map(|running| format!("http://127.0.0.1:{}", running.launch.port)).ok_or_else(|| {
                SuperviseError::Silent { service: service.name(), cause: "it was not started".to_owned() }
            })
        })?;
        let tasks =
            running.into_iter().map(|running| tokio::spawn(running.keep_up(stop.subscribe()))).collect();
        Ok(Self { addresses, stop, tasks })
    }

    /// Where they are: the same for all their lives.
    pub fn addresses(&self) -> &K::Addresses {
        &self.addresses
    }

    /// Ends all of them.
    pub async fn stop(self) {
        // Nobody listens if all of them have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            // A task that panicked has dropped its child, which kills it.
            let _ = task.await;
        }
    }
}

/// How one service is started.
struct Launch<K> {
    service: K,
    program: PathBuf,
    database: PathBuf,
    port: u16,
}

/// A service that can be called.
struct Running<K> {
    launch: Launch<K>,
    process: Process,
}

/// A service's process. Waiting for a child would end its input, so that is kept apart from it.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
}

impl<K: ServiceKind> Launch<K> {
    async fn start(mut self) -> Result<Running<K>, SuperviseError> {
        let (process, port) = self.spawn().await?;
        self.port = port;
        Ok(Running { launch: self, process })
    }

    /// Starts the process and waits until it has said where it is.
    async fn spawn(&self) -> Result<(Process, u16), SuperviseError> {
        let service = self.service.name();
        let mut command = Command::new(&self.program);
        command
            .args(["serve", service, "--port", &self.port.to_string(), "--db"])
            .arg(&self.database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own: ctrl-c in the terminal is for the program, which then ends the services in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|cause| SuperviseError::Spawn {
            service,
            program: self.program.clone(),
            cause,
        })?;
        let input = child.stdin.take();
        let announcement = match timeout(START_TIME_MAX, read_line(&mut child)).await {
            Err(_) => {
                let cause = format!("it said nothing within {} s", START_TIME_MAX.as_secs());
                return Err(SuperviseError::Silent { service, cause });
            }
            Ok(Err(cause)) => return Err(SuperviseError::Silent { service, cause: cause.to_string() }),
            Ok(Ok(line)) if line.is_empty() => {
                let silent = |cause: io::Error| SuperviseError::Silent { service, cause: cause.to_string() };
                let status = child.wait().await.map_err(silent)?;
                return Err(SuperviseError::Ended { service, status });
            }
            Ok(Ok(line)) => line,
        };
        match serde_json::from_str::<Announcement>(&announcement) {
            Ok(said) if said.service == service => Ok((Process { child, input }, said.address.port())),
            _ => Err(SuperviseError::Silent { service, cause: format!("it said {announcement:?}") }),
        }
    }
}

impl<K: ServiceKind> Running<K> {
    /// Starts the service again whenever it dies, at the same port, until it is told to stop.
    async fn keep_up(mut self, mut stop: watch::Receiver<bool>) {
        let service = self.launch.service;
        loop {
            tokio::select! {
                () = told(&mut stop) => return self.process.end().await,
                status = self.process.child.wait() => match status {
                    Ok(status) => tracing::warn!(%service, %status, "the service died and is started again"),
                    Err(error) => tracing::warn!(%service, %error, "the service is lost and is started again"),
                },
            }
            let mut pause = RESTART_PAUSE;
            self.process = loop {
                tokio::select! {
                    () = told(&mut stop) => return,
                    () = sleep(pause) => {}
                }
                match self.launch.spawn().await {
                    Ok((process, _)) => break process,
                    Err(error) => tracing::error!(%service, %error, "the service does not come up yet"),
                }
                pause = (pause * 2).min(RESTART_PAUSE_MAX);
            };
        }
    }
}

impl Process {
    /// Ends it by ending its standard input, and by force if that does not help.
    async fn end(mut self) {
        drop(self.input.take());
        if timeout(STOP_TIME_MAX, self.child.wait()).await.is_err() {
            // Fails only if it has ended meanwhile.
            let _ = self.child.kill().await;
        }
    }
}

/// Comes back when the supervisor says stop, or is gone.
async fn told(stop: &mut watch::Receiver<bool>) {
    // An error says that it is gone.
    let _ = stop.wait_for(|&stop| stop).await;
}

/// The first line of the child's standard output, without its end; empty if there is none.
async fn read_line(child: &mut Child) -> io::Result<String> {
    let stdout = child.stdout.as_mut().ok_or_else(|| io::Error::other("it has no standard output"))?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await?;
    line.truncate(line.trim_end().len());
    Ok(line)
}

/// The program that runs now.
pub fn this_program() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // After a rebuild under the running program Linux says `… (deleted)`; the new one is as good.
    let name = program.to_string_lossy();
    Ok(name.strip_suffix(" (deleted)").map_or_else(|| program.clone(), |name| Path::new(name).to_owned()))
}
