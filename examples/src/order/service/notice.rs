//! The notice service: messages to customers, and questions to humans.

use rusqlite::{Transaction, params};

use crate::money::Cents;
use crate::order::fulfilment::{ApprovalRequest, Notice};
use crate::order::kind::ServiceKind;
use crate::order::wire::{AskForApproval, NOTICE, Notify, Question};
use crate::service::answer::{Answer, Caller};
use crate::service::store::{self, Taken};

/// Puts a question into the humans' inbox.
pub(super) fn ask(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &AskForApproval,
) -> rusqlite::Result<Answer> {
    let AskForApproval { customer, total } = request;
    tx.prepare_cached("INSERT INTO questions (saga, customer, total) VALUES (?1, ?2, ?3)")?
        .execute(params![caller.saga, customer, total.0])?;
    Ok(Answer::done(ApprovalRequest { request: question_id(tx.last_insert_rowid()) }))
}

/// The humans' inbox, oldest question first.
pub(in crate::order) fn questions(tx: &Transaction<'_>) -> rusqlite::Result<Answer> {
    let questions = tx
        .prepare_cached("SELECT number, saga, customer, total FROM questions ORDER BY number")?
        .query_map([], |row| {
            Ok(Question {
                request: question_id(row.get(0)?),
                saga: row.get(1)?,
                customer: row.get(2)?,
                total: Cents(row.get(3)?),
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Answer::done(questions))
}

/// Writes to a customer.
pub(super) fn notify(tx: &Transaction<'_>, caller: &Caller, request: &Notify) -> rusqlite::Result<Answer> {
    let mail = &request.mail;
    let gateway = match store::take(tx, mail.domain(), 1)? {
        Taken::Item { item, .. } => item,
        Taken::Short { item, .. } => {
            return Ok(Answer::refused(format!("the gateway of {item} is down: it takes no messages")));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("{mail} cannot be reached: no such domain"))),
    };
    let notice = store::hold(tx, ServiceKind::Notice, caller, (&NOTICE, &gateway, 1, Cents(0)))?;
    Ok(Answer::done(Notice { notice, mail: mail.clone() }))
}

fn question_id(number: i64) -> String {
    format!("question-{number}")
}
