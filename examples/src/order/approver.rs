//! Plays the human who approves orders, or not: reads the inbox, and answers what the orders file says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use saga_runtime::SagaId;
use tokio::time::{MissedTickBehavior, interval};

use super::addresses::Addresses;
use super::fulfilment::Approval;
use super::orders::{Order, Verdict};
use super::wire::{INBOX, Question};
use crate::desk::{ClientError, client};

/// How often the human looks into the inbox.
const LOOK: Duration = Duration::from_millis(50);

/// Who decides.
const NAME: &str = "Rosa from the office";

/// A human with an inbox.
#[derive(Debug)]
pub struct Approver {
    http: reqwest::Client,
    inbox: String,
    verdicts: BTreeMap<String, Verdict>,
    answered: BTreeSet<String>,
}

impl Approver {
    /// One who will say of these orders what their lines say.
    pub fn new(addresses: &Addresses, orders: &[Order]) -> Result<Self, ClientError> {
        let verdicts = orders.iter().filter_map(|order| Some((order.id.clone(), order.approval?)));
        Ok(Self {
            http: client()?,
            inbox: format!("{}{INBOX}", addresses.notice),
            verdicts: verdicts.collect(),
            answered: BTreeSet::new(),
        })
    }

    /// Answers questions as they come, for ever: `answer` brings an answer to the saga that asks.
    pub async fn work<F>(mut self, answer: impl Fn(SagaId, Approval) -> F)
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // A service that is away for the moment is looked at again.
            let questions = self.look().await.unwrap_or_default();
            for question in questions {
                let Some(approval) = self.decide(&question) else {
                    continue;
                };
                let Ok(saga) = SagaId::new(&question.saga) else {
                    continue;
                };
                match answer(saga, approval).await {
                    Ok(()) => drop(self.answered.insert(question.request)),
                    // It is asked again at the next look.
                    Err(error) => tracing::warn!(order = question.saga, %error, "the answer was not taken"),
                }
            }
        }
    }

    /// All questions in the inbox.
    pub async fn look(&self) -> Result<Vec<Question>, reqwest::Error> {
        self.http.get(&self.inbox).send().await?.error_for_status()?.json().await
    }

    /// What to say, if anything and not yet said.
    fn decide(&self, question: &Question) -> Option<Approval> {
        let granted = match self.verdicts.get(&question.saga)? {
            Verdict::Approve => true,
            Verdict::Refuse => false,
            Verdict::Never => return None,
        };
        let is_new = !self.answered.contains(&question.request);
        is_new.then(|| Approval { by: NAME.to_owned(), granted })
    }
}
