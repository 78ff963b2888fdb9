//! Where the four services are.

use serde::{Deserialize, Serialize};

use super::kind::ServiceKind;
use crate::service::addresses::AddressBook;

/// Where the four services are: a URL each, such as `http://127.0.0.1:4101`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Of the payment service.
    pub payment: String,
    /// Of the inventory service.
    pub inventory: String,
    /// Of the shipping service.
    pub shipping: String,
    /// Of the notice service.
    pub notice: String,
}

impl AddressBook for Addresses {
    type Kind = ServiceKind;

    fn gather<E>(mut address: impl FnMut(ServiceKind) -> Result<String, E>) -> Result<Self, E> {
        Ok(Self {
            payment: address(ServiceKind::Payment)?,
            inventory: address(ServiceKind::Inventory)?,
            shipping: address(ServiceKind::Shipping)?,
            notice: address(ServiceKind::Notice)?,
        })
    }

    fn of(&self, service: ServiceKind) -> &str {
        match service {
            ServiceKind::Payment => &self.payment,
            ServiceKind::Inventory => &self.inventory,
            ServiceKind::Shipping => &self.shipping,
            ServiceKind::Notice => &self.notice,
        }
    }
}
