//! Tells running services to misbehave.

use reqwest::{RequestBuilder, StatusCode};

use super::addresses::AddressBook;
use super::fault::{Fault, FaultOrder};
use super::kind::ServiceKind;
use super::wire::Refusal;
use crate::desk::{ClientError, client, root_cause};

/// Why a service could not be told.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// No client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The service does not take it.
    #[error("the {service} service does not take orders about faults: {cause}")]
    Service {
        /// The service.
        service: &'static str,
        /// Why.
        cause: String,
    },
}

/// Gives one order: it is counted down behind those that were given before.
pub async fn order<A: AddressBook>(addresses: &A, order: &FaultOrder<A::Kind>) -> Result<(), FaultsError> {
    let url = format!("{}/faults", addresses.of(order.service));
    tell(order.service, client()?.post(url).json(&order.fault)).await
}

/// Forgets all orders of all services.
pub async fn clear<A: AddressBook>(addresses: &A) -> Result<(), FaultsError> {
    let http = client()?;
    for &service in A::Kind::SERVICES {
        tell(service, http.delete(format!("{}/faults", addresses.of(service)))).await?;
    }
    Ok(())
}

/// How many orders of all services are still to come, each counted once.
pub async fn left<A: AddressBook>(addresses: &A) -> Result<usize, FaultsError> {
    let http = client()?;
    let mut left = 0;
    for &service in A::Kind::SERVICES {
        let failed = |error: reqwest::Error| FaultsError::Service {
            service: service.name(),
            cause: root_cause(&error),
        };
        let answer = http.get(format!("{}/faults", addresses.of(service))).send().await.map_err(failed)?;
        left += answer.json::<Vec<Fault<A::Kind>>>().await.map_err(failed)?.len();
    }
    Ok(left)
}

async fn tell(service: impl ServiceKind, request: RequestBuilder) -> Result<(), FaultsError> {
    let failed = |cause| FaultsError::Service { service: service.name(), cause };
    let answer = request.send().await.map_err(|error| failed(root_cause(&error)))?;
    let status = answer.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    let reason = answer.json().await.map_or_else(|_| status.to_string(), |Refusal { reason }| reason);
    Err(failed(reason))
}
