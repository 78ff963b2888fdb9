//! What handles ask of a saga that is driven.

use tokio::sync::oneshot;

use super::{Asked, Driver, Stop};
use crate::coordinator::operator::Offer;
use crate::coordinator::status::SagaStatus;
use crate::machine::{Call, Fact, FactKind, Role, State, is_ahead};
use crate::saga::Saga;

/// What a handle asks of its saga.
#[derive(Debug)]
pub(crate) enum Command {
    /// Compensate, if that is still possible.
    Cancel { reason: String, by_parent: bool, answer: oneshot::Sender<CancelAnswer> },
    /// Try what waits at once.
    Retry { answer: oneshot::Sender<()> },
    /// Take this signal.
    Send { signal: Fact, answer: oneshot::Sender<SendAnswer> },
    /// Do what an operator wants.
    Operate(Asked),
    /// Say what operators can do.
    Offers { answer: oneshot::Sender<Vec<Offer>> },
    /// End, which was held until now.
    Release { answer: oneshot::Sender<()> },
    /// Look again: what it waits for may have come.
    Wake,
}

/// What became of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendAnswer {
    /// It is durable: the saga receives it, or has received it already.
    Accepted,
    /// The saga does not receive it any more, for this reason.
    TooLate {
        /// The reason.
        reason: String,
    },
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelAnswer {
    /// The saga compensates, for this reason or for an earlier one.
    Cancelled,
    /// The saga is past its point of no return.
    TooLate,
}

impl<S: Saga> Driver<S> {
    pub(super) async fn command(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Cancel { reason, by_parent, answer } => {
                let state = self.state.as_ref();
                if self.held.is_some() && !by_parent {
                    // Its parent goes on with what it returned.
                    let _ = answer.send(CancelAnswer::TooLate);
                    return Ok(());
                }
                if state.is_some_and(State::can_cancel) {
                    self.cancels.push(answer);
                    if self.held.take().is_some() {
                        self.publish(SagaStatus::Running, None);
                    }
                    return self.record(vec![Fact { place: None, kind: FactKind::Cancelled(reason) }]).await;
                }
                match state {
                    Some(State::Turning(..)) => self.cancels.push(answer),
                    Some(State::Backward(..) | State::Compensated(_)) => {
                        let _ = answer.send(CancelAnswer::Cancelled);
                    }
                    _ => {
                        let _ = answer.send(CancelAnswer::TooLate);
                    }
                }
                Ok(())
            }
            Command::Retry { answer } => {
                let facts = self.retry();
                let _ = answer.send(());
                self.record(facts).await
            }
            Command::Operate(asked) => self.operate(asked).await,
            Command::Offers { answer } => {
                let _ = answer.send(self.offers(&self.calls()));
                Ok(())
            }
            Command::Release { answer } => {
                self.release().await?;
                let _ = answer.send(());
                Ok(())
            }
            Command::Wake => self.record(Vec::new()).await,
            Command::Send { signal, answer } => match self.why_too_late(&signal) {
                Some(reason) => {
                    let _ = answer.send(SendAnswer::TooLate { reason });
                    Ok(())
                }
                None => {
                    self.record(vec![signal]).await?;
                    let _ = answer.send(SendAnswer::Accepted);
                    Ok(())
                }
            },
        }
    }

    /// Why a signal is not received any more, if it is not.
    pub(super) fn why_too_late(&self, signal: &Fact) -> Option<String> {
        let step = signal.place.as_ref()?.step;
        let name = S::DEFINITION.steps.get(step).map_or("", |step| step.name);
        match &self.state {
            Some(State::Forward(_)) => {
                let now = self.calls().iter().map(|call| call.place.step).collect::<Vec<_>>();
                (!is_ahead(S::DEFINITION, step, &now))
                    .then(|| format!("the saga is past `{name}`, or takes another way"))
            }
            Some(State::Turning(_, cause) | State::Backward(_, cause) | State::Compensated(cause)) => {
                Some(format!("the saga compensates ({cause})"))
            }
            _ => Some("the saga has completed".to_owned()),
        }
    }

    /// Answers the wishes to cancel as soon as they are decided.
    pub(super) fn decide_cancels(&mut self, calls: &[Call]) {
        let answer = match &self.state {
            Some(State::Turning(..)) if calls.iter().any(|call| call.role == Role::Pivot) => return,
            Some(State::Turning(..) | State::Backward(..) | State::Compensated(_)) => CancelAnswer::Cancelled,
            _ => CancelAnswer::TooLate,
        };
        for cancel in self.cancels.drain(..) {
            let _ = cancel.send(answer);
        }
    }
}
