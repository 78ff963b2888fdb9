//! The subcommands `serve` and `services`.

use std::process::ExitCode;

use super::arguments::{Command, ServeOptions, ServicesOptions};
use super::{say, told_to_end};
use crate::service::addresses::AddressBook;
use crate::service::kind::ServiceKind;
use crate::service::supervise::{Announcement, SuperviseOptions, Supervisor, this_program};
use crate::service::{Death, Service, ServiceOptions};

/// Does what the subcommand says.
pub async fn run<K: ServiceKind>(command: Command<K>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(options) => serve(options).await?,
        Command::Services(options) => services(options).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one service, and says on standard output where it is.
async fn serve<K: ServiceKind>(options: ServeOptions<K>) -> anyhow::Result<()> {
    let ServeOptions { service: kind, db: database, port } = options;
    let options = ServiceOptions { service: kind, database, port, stock: K::shipped_stock()? };
    let service = Service::bind(&options).await?;
    announce(&Announcement { service: kind.to_string(), address: service.address()? })?;
    tokio::select! {
        served = service.run(Death::AbortProcess) => Ok(served?),
        told = told_to_end(true) => told,
    }
}

/// Runs all services, and writes to a file where they are.
async fn services<K: ServiceKind>(options: ServicesOptions<K>) -> anyhow::Result<()> {
    let ServicesOptions { data: directory, addresses, first_port, .. } = options;
    let file = addresses.unwrap_or_else(|| directory.join("addresses.json"));
    let supervisor =
        Supervisor::<K>::start(&SuperviseOptions { program: this_program()?, directory, first_port }).await?;
    let told = match supervisor.addresses().write(&file) {
        Ok(()) => {
            announce(supervisor.addresses())?;
            told_to_end(true).await
        }
        Err(error) => Err(error.into()),
    };
    supervisor.stop().await;
    told
}

/// Prints one line of JSON for whoever started this process.
fn announce(what: &impl serde::Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string(what)?)
}
