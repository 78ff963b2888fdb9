//! What can happen to rows, as SQL.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::scene::{DONE, NAP, OTHER, ROUND, Row, Scene};

/// What is done to a file, and which sagas are damaged by it.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    pub(crate) sql: String,
    pub(crate) victims: Vec<&'static str>,
}

/// SQLite then takes any value in any column.
const LAX: &str = "PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ') STRICT', ')'),
        'INTEGER NOT NULL', 'INTEGER'), 'TEXT    NOT NULL', 'TEXT');
    PRAGMA writable_schema = RESET;";

/// Does it by a plain connection.
pub(crate) fn execute(path: &Path, sql: &str) {
    let plain = Connection::open(path).unwrap();
    plain.execute_batch("PRAGMA synchronous = OFF").unwrap();
    plain.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

impl Row {
    fn set(&self, column: &str, value: &str) -> Mutation {
        let Self { saga, table, key: (name, place), .. } = self;
        let sql = format!("UPDATE {table} SET {column} = {value} WHERE {name} = {place}");
        Mutation { sql, victims: vec![saga] }
    }

    fn set_lax(&self, column: &str, value: &str) -> Mutation {
        let Mutation { sql, victims } = self.set(column, value);
        Mutation { sql: format!("{LAX} {sql}"), victims }
    }

    /// Its cells; where a row lies in its table decides nothing.
    fn deciding(&self) -> impl Iterator<Item = (&str, &Value)> {
        let cells = self.cells.iter().map(|(name, value)| (name.as_str(), value));
        cells.filter(|(name, _)| *name != "position")
    }
}

/// A bit of each byte of each text, and another one of some; less, more, other letters.
pub(crate) fn of_texts(row: &Row) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for (column, value) in row.deciding() {
        let Value::Text(text) = value else { continue };
        let bytes = text.as_bytes();
        let flip = |index: usize, bit: u8| {
            let mut flipped = bytes.to_vec();
            flipped[index] ^= bit;
            flipped
        };
        // No text any more with the highest bit; which byte has it makes little difference.
        let flipped = (0..bytes.len()).map(|index| flip(index, 1));
        let flipped = flipped.chain((0..bytes.len()).step_by(5).map(|index| flip(index, 0x80)));
        let lengths = [0, bytes.len() / 2, bytes.len().saturating_sub(1)];
        let cut = lengths.into_iter().filter(|_| !bytes.is_empty()).map(|length| bytes[..length].to_vec());
        let longer = [[bytes, b" "].concat(), [bytes, b"\0"].concat(), bytes.to_ascii_uppercase()];
        let longer = longer.into_iter().filter(|longer| longer != bytes);
        for bytes in flipped.chain(cut).chain(longer) {
            let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            mutations.push(row.set(column, &format!("CAST(x'{hex}' AS TEXT)")));
        }
    }
    mutations
}

/// Other numbers: near ones, each bit of some, the ends of the range.
pub(crate) fn of_integers(row: &Row) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for (column, value) in row.deciding() {
        let Value::Integer(number) = *value else { continue };
        let flipped = [0, 8, 31, 62].map(|bit| number ^ (1_i64 << bit));
        for other in flipped.into_iter().chain([0, -1, i64::MIN, i64::MAX]) {
            // There must be no such row yet, where there can be only one.
            let is_taken = match (row.table, column) {
                ("saga", "number") | ("journal", "saga") => (1..=4).contains(&other),
                ("journal", "seq") => (0..20).contains(&other),
                _ => false,
            };
            if other != number && !is_taken {
                mutations.push(row.set(column, &other.to_string()));
            }
        }
    }
    mutations
}

/// Nothing, and what is of another type.
pub(crate) fn of_types(row: &Row) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for (column, value) in row.deciding() {
        // A number that is a key is always one.
        if (row.table, column) == ("saga", "number") {
            continue;
        }
        let others: &[&str] = match value {
            Value::Null => &["'x'", "''", "x'00'"],
            // A column of integers makes one of a text that reads like one.
            Value::Integer(_) => &["NULL", "'x'", "x'00'", "1.5"],
            _ => &["NULL", "x'00'", &format!("CAST({column} AS BLOB)")],
        };
        for other in others {
            // Text columns of a lax table make texts of numbers, which are damage then, too.
            mutations.push(row.set_lax(column, other));
        }
    }
    mutations
}

/// Rows that are missing, doubled, in another order, or of another saga; a status that is another one.
pub(crate) fn of_rows(scene: &Scene, saga: &'static str) -> Vec<Mutation> {
    let rows = scene.rows(saga);
    let (number, count) = (rows[0].number, rows.len() - 1);
    let mut mutations = Vec::new();
    let mut add = |sql: String, victims: &[&'static str]| {
        mutations.push(Mutation { sql, victims: victims.to_vec() });
    };
    let of = |seq: usize| format!("saga = {number} AND seq = {seq}");
    let exchange = |left: &str, right: &str, column: &str, of_left: &str, of_right: &str| {
        format!(
            "UPDATE journal SET {column} = -7 WHERE {left}; UPDATE journal SET {column} = {of_left} WHERE {right};
             UPDATE journal SET {column} = {of_right} WHERE {column} = -7"
        )
    };
    for seq in 0..count {
        add(format!("DELETE FROM journal WHERE {}", of(seq)), &[saga]);
        // The count mended, as far as one can without the checksum.
        add(
            format!(
                "DELETE FROM journal WHERE {}; UPDATE journal SET seq = seq - 1 WHERE saga = {number} AND seq > {seq};
                 UPDATE saga SET records = records - 1 WHERE number = {number}",
                of(seq)
            ),
            &[saga],
        );
        add(format!("DELETE FROM journal WHERE saga = {number} AND seq >= {seq}"), &[saga]);
        add(
            format!(
                "DELETE FROM journal WHERE saga = {number} AND seq >= {seq};
                 UPDATE saga SET records = {seq} WHERE number = {number}"
            ),
            &[saga],
        );
        let double = format!(
            "INSERT INTO journal (saga, seq, at_ms, step, event, data, checksum)
             SELECT saga, {count}, at_ms, step, event, data, checksum FROM journal WHERE {}",
            of(seq)
        );
        let counted = format!("{double}; UPDATE saga SET records = records + 1 WHERE number = {number}");
        add(double, &[saga]);
        add(counted, &[saga]);
        for other in seq + 1..count.min(seq + 3) {
            add(exchange(&of(seq), &of(other), "seq", &seq.to_string(), &other.to_string()), &[saga]);
        }
    }
    add(format!("DELETE FROM saga WHERE number = {number}"), &[saga]);
    for status in ["running", "completed", "compensated", "closed"] {
        if !rows[0].cells.contains(&("status".to_owned(), Value::Text(status.to_owned()))) {
            add(format!("UPDATE saga SET status = '{status}' WHERE number = {number}"), &[saga]);
        }
    }
    for other in [ROUND, OTHER, DONE, NAP].into_iter().filter(|other| *other != saga) {
        let theirs = scene.rows(other)[0].number;
        for seq in 0..2 {
            let (mine, their) = (of(seq), format!("saga = {theirs} AND seq = {seq}"));
            add(exchange(&mine, &their, "saga", &number.to_string(), &theirs.to_string()), &[saga, other]);
        }
        let (mine, their) = (format!("saga = {number}"), format!("saga = {theirs}"));
        add(exchange(&mine, &their, "saga", &number.to_string(), &theirs.to_string()), &[saga, other]);
        for columns in ["id", "definition, fingerprint", "records, checksum", "status, wake_at_ms, checksum"]
        {
            if saga > other || columns.starts_with("definition") && ![saga, other].contains(&NAP) {
                continue;
            }
            add(exchanged_columns(columns, number, theirs), &[saga, other]);
        }
    }
    mutations
}

/// The rows of two sagas with each other's `columns`.
fn exchanged_columns(columns: &str, number: i64, theirs: i64) -> String {
    let set = |from: i64, to: i64| {
        let sets = columns
            .split(", ")
            .map(|column| format!("{column} = (SELECT {column} FROM before WHERE before.number = {from})"));
        format!("UPDATE saga SET {} WHERE number = {to};", sets.collect::<Vec<_>>().join(", "))
    };
    // The id is unique: it is somebody else's for a moment.
    let aside = if columns == "id" {
        format!("UPDATE saga SET id = 'aside' WHERE number = {number};")
    } else {
        String::new()
    };
    format!(
        "CREATE TEMP TABLE before AS SELECT * FROM saga; {aside} {} {}",
        set(number, theirs),
        set(theirs, number)
    )
}
