//! A program's own log tells of every saga, step and attempt, and of no payload.

#![allow(clippy::unused_async, reason = "a desk answers as a service does")]

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use saga_runtime::log::MemoryLog;
use saga_runtime::{Context, Coordinator, Keyed, Outcome, StepError, saga};
use tracing_subscriber::fmt::MakeWriter;

const SECRET: &str = "4111-1111";

#[derive(Debug, thiserror::Error, StepError)]
enum DeskError {
    #[error("closed for lunch")]
    #[outcome(transient)]
    Closed,
    #[error("no room")]
    #[outcome(refused)]
    Full,
}

struct Desk;

impl Keyed for Desk {}

impl Desk {
    async fn seat(&self, cx: &Context, card: &str) -> Result<String, DeskError> {
        if cx.attempt() == 1 { Err(DeskError::Closed) } else { Ok(format!("seat paid by {card}")) }
    }

    async fn room(&self, _cx: &Context, _seat: &str) -> Result<String, DeskError> {
        Err(DeskError::Full)
    }

    async fn cancel(&self, _cx: &Context, _seat: &str) -> Result<(), DeskError> {
        Ok(())
    }
}

saga! {
    saga Weekend(card: String) -> String {
        with desk: Desk;
        step seat: String = desk.seat(cx, card) compensate desk.cancel(cx, seat);
        step room: String = desk.room(cx, seat) compensate desk.cancel(cx, room);
        return format!("{seat} {room}");
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn every_saga_step_and_attempt_is_told_without_payloads() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let participants = WeekendParticipants { desk: Desk };
    let builder = Coordinator::builder(MemoryLog::new()).register::<Weekend>(participants);
    let coordinator = builder.start().await.unwrap();
    let begun = coordinator.begin::<Weekend>("weekend-1", SECRET.to_owned()).await.unwrap();
    assert!(matches!(begun.outcome().await, Ok(Outcome::Compensated(_))));
    coordinator.shutdown().await;

    let text = captured.text();
    for expected in [
        "saga{definition=\"Weekend\" id=weekend-1}",
        "attempt{step=\"seat\" kind=Action number=1}",
        "attempt{step=\"seat\" kind=Action number=2}",
        "attempt{step=\"seat\" kind=Compensation number=1}",
        "closed for lunch",
        "compensated cause=`room` was refused: no room",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
    assert!(!text.contains(SECRET), "a payload is told:\n{text}");
}
