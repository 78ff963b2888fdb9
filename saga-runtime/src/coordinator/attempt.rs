//! One attempt of a call, with everything that can end it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;

use crate::__private::CallFuture;
use crate::error::Failure;
use crate::machine::{Call, Settled};

/// How an attempt ended.
pub(crate) enum Ended<E> {
    /// It was made.
    Settled(Settled<E>),
    /// The coordinator is shutting down, and it was never sent.
    NotSent,
    /// Nobody can go on from here.
    Fault(String),
}

/// Makes the attempt when one of `calls_at_once` is free. Nobody drops it before its end.
pub(crate) async fn attempt<E>(
    call: Call,
    future: CallFuture<E>,
    timeout: Duration,
    calls_at_once: Arc<Semaphore>,
) -> (Call, Ended<E>) {
    let Ok(_permit) = calls_at_once.acquire().await else {
        return (call, Ended::NotSent);
    };
    tracing::debug!("sent");
    // The call is dropped within: one that panics then is in doubt as well.
    let attempt = async move { tokio::time::timeout(timeout, future).await };
    let settled = match AssertUnwindSafe(attempt).catch_unwind().await {
        Ok(Ok(settled)) => settled,
        Ok(Err(_)) => Settled::Failed(Failure::unknown(format!("no answer within {timeout:?}"))),
        Err(panic) => Settled::Panicked(panic_message(&*panic)),
    };
    (call, Ended::Settled(settled))
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
