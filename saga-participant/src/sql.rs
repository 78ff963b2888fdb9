//! The table and the statements, for both databases. In each statement the parameters come in the order of their
//! numbers: SQLite counts them so.

/// Makes the table in SQLite, if it is not there: for a service's own migrations. `Barrier::create` does the same.
pub const SQLITE_SCHEMA: &str = include_str!("sqlite.sql");

/// Makes the table in Postgres, if it is not there: for a service's own migrations.
pub const POSTGRES_SCHEMA: &str = include_str!("postgres.sql");

/// Takes the key, if nobody has it. In Postgres it waits for who is just taking it: until their commit, and then it
/// returns nothing, or until their rollback, and then it takes it.
pub(crate) const INSERT: &str = "\
    INSERT INTO saga_barrier (key, saga, state, request, attempt, undo_request, expires) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING RETURNING 1";

/// Reads the row. SQLite has one writer, and the insert before has made this transaction the one.
#[cfg(any(feature = "rusqlite", feature = "sqlx"))]
pub(crate) const READ_SQLITE: &str =
    "SELECT state, request, answer, attempt, undo_request, undo_answer FROM saga_barrier WHERE key = $1";

/// Reads the row as it is now, and keeps the others from it: of two that compensate only one may undo.
#[cfg(any(feature = "sqlx", feature = "tokio-postgres"))]
pub(crate) const READ_POSTGRES: &str = "SELECT state, request, answer, attempt, undo_request, undo_answer \
    FROM saga_barrier WHERE key = $1 FOR UPDATE";

/// Remembers something else. What was to go after its saga's end is not kept for ever again.
pub(crate) const UPDATE: &str = "\
    UPDATE saga_barrier SET saga = coalesce(saga, $1), state = $2, request = $3, answer = $4, attempt = $5, \
    undo_request = $6, undo_answer = $7, expires = coalesce($8, expires) WHERE key = $9";

/// Lets the rows of a saga go at a time, unless they go earlier.
pub(crate) const FORGET: &str =
    "UPDATE saga_barrier SET expires = $1 WHERE saga = $2 AND (expires IS NULL OR expires > $1)";

/// Lets the rows go whose time has come.
pub(crate) const EXPIRE: &str = "DELETE FROM saga_barrier WHERE expires <= $1";

/// Around the work of an action, which may be refused. The name is nobody else's.
pub(crate) const SAVEPOINT: &str = "SAVEPOINT saga_barrier_work";
pub(crate) const RELEASE: &str = "RELEASE SAVEPOINT saga_barrier_work";
/// Undoes the work, and ends the savepoint: a service that goes on has none that it does not know.
pub(crate) const ROLL_BACK: &str =
    "ROLLBACK TO SAVEPOINT saga_barrier_work; RELEASE SAVEPOINT saga_barrier_work";

/// How often a key is taken or read before it counts as an error of the database. A second time is needed when the row
/// goes between the two, because its time has come.
pub(crate) const ROUNDS_MAX: u32 = 5;

/// Before the schema: two that make one table at the same time get an error from Postgres, `IF NOT EXISTS` or not. The
/// number is `saga_barrier` in ASCII, as much as fits.
#[cfg(any(feature = "sqlx", feature = "tokio-postgres"))]
pub(crate) const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(x'736167615f626172'::bigint)";
