//! A service's database: its stock, what it holds, and the faults that it was told.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use self::held::what_named;
pub use self::held::{
    Found, Taken, find, held_by_key, hold, is_spent, release, reservation_id, reservation_number, spend, take,
};
use super::answer::{Answer, Call};
use super::fault::{Fault, FaultKind};
use super::keyed::BARRIER;
use super::kind::ServiceKind;
use super::wire::{Held, Holdings, StockLevel};
use crate::money::Cents;

mod held;

/// The version of the schema that this program writes and reads.
const SCHEMA_VERSION: i64 = 2;

const SCHEMA: &str = "
    CREATE TABLE service (name TEXT NOT NULL) STRICT;
    -- What is for sale. `offer` is what a call asks for, `item` what it gets.
    CREATE TABLE stock (
        item      TEXT PRIMARY KEY,
        offer     TEXT NOT NULL,
        initial   INTEGER NOT NULL CHECK (initial >= 0),
        remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND initial),
        price     INTEGER NOT NULL CHECK (price >= 0)
    ) STRICT;
    -- What is, or was, held for somebody.
    CREATE TABLE held (
        number    INTEGER PRIMARY KEY,
        what      TEXT NOT NULL,
        key       TEXT NOT NULL,
        saga      TEXT NOT NULL,
        item      TEXT NOT NULL,
        quantity  INTEGER NOT NULL CHECK (quantity > 0),
        amount    INTEGER NOT NULL CHECK (amount >= 0),
        cancelled INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX held_by_key ON held (key);
    CREATE TABLE faults (number INTEGER PRIMARY KEY, fault TEXT NOT NULL) STRICT;
";

/// One service's database.
#[derive(Debug)]
pub(super) struct Store<K> {
    service: K,
    connection: Mutex<Connection>,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is something else.
    #[error("this file is no database: move it away, and the service makes a new one")]
    NoDatabase,
    /// Written by a newer program.
    #[error(
        "its schema has version {found}, and this program knows up to {SCHEMA_VERSION}: use the newer program"
    )]
    Newer {
        /// The version of the file.
        found: i64,
    },
    /// Written by an older program, which remembered its answers in another way.
    #[error(
        "its schema has version {found}, and this program has {SCHEMA_VERSION}: move it away, and the service makes a new one"
    )]
    Older {
        /// The version of the file.
        found: i64,
    },
    /// The barrier's table cannot be made.
    #[error(transparent)]
    Barrier(#[from] saga_participant::Error),
    /// Another service's, or another program's.
    #[error("it belongs to {0}: give each service a file of its own")]
    Foreign(String),
    /// What SQLite says.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl<K: ServiceKind> Store<K> {
    /// Opens the database at `path`, or makes and stocks it.
    pub(super) fn open(service: K, path: &Path, stock: &K::Stock) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match transaction.pragma_query_value(None, "user_version", |row| row.get(0))? {
            0 => create(&transaction, service, stock)?,
            SCHEMA_VERSION => check_owner(&transaction, service)?,
            found if found < SCHEMA_VERSION => return Err(StoreError::Older { found }),
            found => return Err(StoreError::Newer { found }),
        }
        transaction.commit()?;
        Ok(Self { service, connection: Mutex::new(connection) })
    }

    /// Whose database it is.
    pub(super) fn service(&self) -> K {
        self.service
    }

    /// Runs `work` in one transaction, which is on stable storage when this returns.
    pub(super) fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Does what a call asks for, in one transaction, which is on stable storage when this returns.
    pub(super) fn perform(&self, call: &Call<K>) -> rusqlite::Result<Answer> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.service.perform(transaction, call)
    }

    /// Everything held and left, as of one moment.
    pub(super) fn holdings(&self) -> rusqlite::Result<Holdings<K>> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let held = transaction
            .prepare_cached("SELECT number, what, key, saga, item, quantity, amount FROM held WHERE NOT cancelled ORDER BY number")?
            .query_map([], |row| {
                Ok(Held {
                    id: reservation_id(self.service, row.get(0)?),
                    what: what_named(self.service, &row.get::<_, String>(1)?)?,
                    key: row.get(2)?,
                    saga: row.get(3)?,
                    item: row.get(4)?,
                    quantity: row.get(5)?,
                    amount: Cents(row.get(6)?),
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let stock = transaction
            .prepare_cached("SELECT item, initial, remaining FROM stock ORDER BY item")?
            .query_map([], |row| {
                Ok(StockLevel { item: row.get(0)?, initial: row.get(1)?, remaining: row.get(2)? })
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Holdings { service: self.service, held, stock })
    }

    /// Adds a fault behind those that there are.
    pub(super) fn add_fault(&self, fault: &Fault<K>) -> rusqlite::Result<()> {
        self.transact(|tx| {
            tx.execute("INSERT INTO faults (fault) VALUES (?1)", [fault_json(fault)?]).map(drop)
        })
    }

    /// The faults that are still to come, in order.
    pub(super) fn faults(&self) -> rusqlite::Result<Vec<Fault<K>>> {
        let connection = self.lock();
        Ok(read_faults::<K>(&connection)?.into_iter().map(|(_, fault)| fault).collect())
    }

    /// Forgets all faults.
    pub(super) fn clear_faults(&self) -> rusqlite::Result<()> {
        self.transact(|tx| tx.execute("DELETE FROM faults", []).map(drop))
    }

    /// The fault of this call, if it has one. It is counted on stable storage before the call feels it, so that a
    /// service which dies of it does not die of the same one for ever.
    pub(super) fn take_fault(
        &self,
        operation: K::Operation,
        saga: &str,
    ) -> rusqlite::Result<Option<FaultKind>> {
        let is_meant = |fault: &Fault<K>| {
            fault.operation == operation && fault.saga.as_deref().is_none_or(|only| only == saga)
        };
        if !read_faults(&self.lock())?.iter().any(|(_, fault)| is_meant(fault)) {
            return Ok(None);
        }
        self.transact(|tx| {
            let Some((number, mut fault)) = read_faults(tx)?.into_iter().find(|(_, fault)| is_meant(fault))
            else {
                return Ok(None);
            };
            match fault.times {
                None => {}
                Some(0 | 1) => drop(tx.execute("DELETE FROM faults WHERE number = ?1", [number])?),
                Some(times) => {
                    fault.times = Some(times - 1);
                    let json = fault_json(&fault)?;
                    tx.execute("UPDATE faults SET fault = ?2 WHERE number = ?1", params![number, json])?;
                }
            }
            Ok(Some(fault.kind))
        })
    }

    /// A panic in an earlier call rolled its transaction back, so the connection is in order also after one.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NoDatabase,
            _ => Self::Sqlite(error),
        }
    }
}

fn create<K: ServiceKind>(tx: &Transaction<'_>, service: K, stock: &K::Stock) -> Result<(), StoreError> {
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        return Err(StoreError::Foreign("another program".to_owned()));
    }
    tx.execute_batch(SCHEMA)?;
    tx.execute_batch(K::SCHEMA)?;
    BARRIER.create(tx)?;
    tx.execute("INSERT INTO service (name) VALUES (?1)", [service.name()])?;
    for of in service.items(stock) {
        tx.execute(
            "INSERT INTO stock (item, offer, initial, remaining, price) VALUES (?1, ?2, ?3, ?3, ?4)",
            params![of.item, of.offer, of.quantity, of.price.0],
        )?;
    }
    tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(())
}

fn check_owner(tx: &Transaction<'_>, service: impl ServiceKind) -> Result<(), StoreError> {
    let owner: String = tx
        .query_row("SELECT name FROM service", [], |row| row.get(0))
        .map_err(|_| StoreError::Foreign("another program".to_owned()))?;
    if owner == service.name() { Ok(()) } else { Err(StoreError::Foreign(format!("the {owner} service"))) }
}

fn read_faults<K: ServiceKind>(connection: &Connection) -> rusqlite::Result<Vec<(i64, Fault<K>)>> {
    connection
        .prepare_cached("SELECT number, fault FROM faults ORDER BY number")?
        .query_map([], |row| {
            let json: String = row.get(1)?;
            let fault = serde_json::from_str(&json).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
            })?;
            Ok((row.get(0)?, fault))
        })?
        .collect()
}

fn fault_json(fault: &Fault<impl ServiceKind>) -> rusqlite::Result<String> {
    serde_json::to_string(fault).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
