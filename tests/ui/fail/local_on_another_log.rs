//! A saga with a `local` step runs only on a log with such transactions.

use std::convert::Infallible;

use saga_runtime::Coordinator;
use saga_runtime::log::MemoryLog;
use saga_runtime::log::sqlite::rusqlite::Connection;

fn note(_: &Connection) -> Result<(), Infallible> {
    Ok(())
}

saga_runtime::saga! {
    saga Note(days: u32) {
        local note: () = note(tx);
    }
}

fn main() {
    let _ = Coordinator::builder(MemoryLog::new()).register::<Note>(NoteParticipants {});
}
