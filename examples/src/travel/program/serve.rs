//! The subcommands `serve` and `services`.

use super::arguments::{ServeOptions, ServicesOptions};
use super::{say, told_to_end};
use crate::travel::service::{Death, Service, ServiceOptions};
use crate::travel::stock::Stock;
use crate::travel::supervise::{Announcement, SuperviseOptions, Supervisor, this_program};

/// Runs one service, and says on standard output where it is.
pub(super) async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let ServeOptions { service: kind, db: database, port } = options;
    let options = ServiceOptions { service: kind, database, port, stock: Stock::shipped()? };
    let service = Service::bind(&options).await?;
    announce(&Announcement { service: kind, address: service.address()? })?;
    tokio::select! {
        served = service.run(Death::AbortProcess) => Ok(served?),
        told = told_to_end(true) => told,
    }
}

/// Runs all four services, and writes to a file where they are.
pub(super) async fn services(options: ServicesOptions) -> anyhow::Result<()> {
    let ServicesOptions { data: directory, addresses, first_port } = options;
    let file = addresses.unwrap_or_else(|| directory.join("addresses.json"));
    let supervisor =
        Supervisor::start(&SuperviseOptions { program: this_program()?, directory, first_port }).await?;
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
