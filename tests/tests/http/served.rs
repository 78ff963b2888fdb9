//! The kit's client and the kit's service, and what anybody else sees of the service.

use std::time::Duration;

use saga_runtime::http::{Client, HttpError, reqwest};
use saga_runtime::{Context, FailureKind, SagaId, StepError};
use serde::Deserialize;
use tempfile::TempDir;

use super::service::{Reservation, Reserve, Service, SoldOut, open};

fn cx(saga: &str, attempt: u32) -> Context {
    Context::action("Trip", SagaId::new(saga).unwrap(), "flight", attempt)
}

fn undo(saga: &str) -> Context {
    Context::compensation("Trip", SagaId::new(saga).unwrap(), "flight", 1)
}

async fn served(seats: i64) -> (TempDir, Service, Client) {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(&directory.path().join("flights.db"), seats).await;
    let builder = reqwest::Client::builder().no_proxy();
    let client = Client::from_builder(builder, &service.base()).unwrap();
    (directory, service, client)
}

async fn reserve(client: &Client, cx: &Context, seats: i64) -> Result<Reservation, HttpError<SoldOut>> {
    client.post(cx, "/seats").json(&Reserve { seats }).send().await
}

#[tokio::test]
async fn every_call_has_one_effect_and_one_answer() {
    let (_directory, service, client) = served(3).await;
    assert_eq!(reserve(&client, &cx("t-1", 1), 2).await, Ok(Reservation { number: 1 }));
    assert_eq!(reserve(&client, &cx("t-1", 2), 2).await, Ok(Reservation { number: 1 }));
    let refused = Err(HttpError::Refused(SoldOut { left: 1 }));
    assert_eq!(reserve(&client, &cx("t-2", 1), 2).await, refused);
    assert_eq!(service.audit(), (vec![("t-1".to_owned(), 2)], 1));
    // What it has undone, typed, and the same again; and nothing, for what it has never done.
    for (saga, undone) in [("t-1", Some(2)), ("t-1", Some(2)), ("t-2", None), ("t-3", None)] {
        let answer: Result<Option<i64>, HttpError> = client.post(&undo(saga), "/seats/cancel").send().await;
        assert_eq!(answer, Ok(undone), "{saga}");
        let confirmed: Result<(), HttpError> = client.post(&undo(saga), "/seats/cancel").confirm().await;
        assert_eq!(confirmed, Ok(()));
    }
    // The refusal was answered; what was overtaken by its compensation is superseded.
    assert_eq!(reserve(&client, &cx("t-2", 2), 2).await, refused);
    for saga in ["t-1", "t-3"] {
        let answer = reserve(&client, &cx(saga, 9), 2).await;
        assert!(matches!(answer, Err(HttpError::Superseded(_))), "{answer:?}");
        assert_eq!(answer.unwrap_err().kind(), FailureKind::Refused);
    }
    assert_eq!(service.audit(), (vec![], 3));
}

#[tokio::test]
async fn a_probe_bars_the_attempts_before_it() {
    let (_directory, service, client) = served(3).await;
    let find = async |attempt| {
        let found: Result<Option<Reservation>, HttpError> =
            client.post(&cx("t-1", attempt), "/seats/find").send().await;
        found
    };
    assert_eq!(find(2).await, Ok(None));
    let late = reserve(&client, &cx("t-1", 1), 1).await;
    assert!(matches!(late, Err(HttpError::Superseded(_))), "{late:?}");
    assert_eq!(reserve(&client, &cx("t-1", 3), 1).await, Ok(Reservation { number: 1 }));
    assert_eq!(find(4).await, Ok(Some(Reservation { number: 1 })));
    assert_eq!(service.audit().1, 2);
}

#[tokio::test]
async fn a_key_that_comes_with_another_request_is_a_fault_and_no_refusal() {
    let (_directory, service, client) = served(3).await;
    reserve(&client, &cx("t-1", 1), 2).await.unwrap();
    let other = reserve(&client, &cx("t-1", 2), 1).await.unwrap_err();
    let HttpError::Fault(words) = &other else { panic!("{other:?}") };
    assert!(words.to_string().contains("422 Unprocessable Entity"), "{words}");
    assert!(words.to_string().ends_with("give each request a key of its own"), "{words}");
    assert_eq!(other.kind(), FailureKind::Unknown, "it is done all the same");
    assert_eq!(service.audit().1, 1);
}

#[tokio::test]
async fn a_busy_database_has_done_nothing_and_says_when_to_come_again() {
    let (_directory, service, client) = served(3).await;
    let blocker = open(&service.file, Duration::ZERO).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = reserve(&client, &cx("t-1", 1), 2).await.unwrap_err();
    assert!(matches!(busy, HttpError::Transient { .. }), "{busy:?}");
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(1)));
    assert!(!busy.to_string().contains("locked"), "{busy}: its own words are its own");
    blocker.execute_batch("COMMIT").unwrap();
    assert_eq!(reserve(&client, &cx("t-1", 2), 2).await, Ok(Reservation { number: 1 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_calls_with_one_key_at_the_same_time_one_does_the_work() {
    let (_directory, service, client) = served(100).await;
    let calls = (1..=24).map(|attempt| {
        let client = client.clone();
        tokio::spawn(async move {
            // One that has waited too long for the others is told to come again.
            loop {
                match reserve(&client, &cx("t-1", attempt), 2).await {
                    Err(HttpError::Transient { .. }) => {}
                    answer => return answer,
                }
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(Reservation { number: 1 }));
    }
    assert_eq!(service.audit(), (vec![("t-1".to_owned(), 2)], 98));
}

/// What anybody is answered: the status, the kit's word, and the words for people.
async fn post(service: &Service, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.post(format!("{}{path}", service.base())).body(body.to_owned());
    request = request.header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let header = |name| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, outcome, media_type) =
        (answer.status().as_u16(), header("saga-outcome"), header("content-type"));
    let body = answer.bytes().await.unwrap();
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    assert_eq!(problem.is_some(), media_type == "application/problem+json");
    (status, outcome, problem.map_or_else(String::new, |problem| problem.detail))
}

#[tokio::test]
async fn a_caller_is_told_which_header_is_missing_or_malformed_and_how_to_mend_it() {
    let (_directory, service, _) = served(3).await;
    let key = ("Idempotency-Key", "\"k-1\"");
    let cases: [(&[(&str, &str)], &str); 12] = [
        (&[], "the header `Idempotency-Key` is missing: send a key"),
        (&[("Idempotency-Key", "")], "it is empty"),
        (&[("Idempotency-Key", "\"\"")], "it is empty"),
        (
            &[("Idempotency-Key", "\"open")],
            "`Idempotency-Key` is malformed: its closing quotation mark is missing",
        ),
        (&[("Idempotency-Key", "\"a\", \"b\"")], "there is something behind its closing quotation mark"),
        (&[("Idempotency-Key", "a b")], "' ' at byte 1 is not a visible ASCII character"),
        (&[key, ("Idempotency-Key", "k-2")], "`Idempotency-Key` is malformed: it is there more than once"),
        (&[key, ("Attempt", "first")], "`Attempt` is malformed: it is no number"),
        (&[key, ("Attempt", "+1")], "`Attempt` is malformed: it is no number"),
        (&[key, ("Fence", "-1")], "`Fence` is malformed: it is no number"),
        (&[key, ("Saga-Id", "a b")], "cannot be the id of a saga"),
        (&[key, ("Saga-Action-Key", "k-0")], "`Saga-Action-Key` says that this is a compensation"),
    ];
    for (headers, words) in cases {
        let (status, outcome, detail) = post(&service, "/seats", headers, "{\"seats\":1}").await;
        assert_eq!((status, &*outcome), (400, "fault"), "{headers:?}: {detail}");
        assert!(detail.contains(words), "{headers:?}: {detail}");
    }
    let cancels: [(&[(&str, &str)], &str); 2] = [
        (&[key], "send its key in the header `Saga-Action-Key`"),
        (&[("Idempotency-Key", "a.compensate"), ("Saga-Action-Key", "b")], "of another action"),
    ];
    for (headers, words) in cancels {
        let (status, _, detail) = post(&service, "/seats/cancel", headers, "").await;
        assert_eq!(status, 400);
        assert!(detail.contains(words), "{detail}");
    }
    assert_eq!(service.audit().1, 3);
}

#[tokio::test]
async fn a_caller_who_knows_no_more_than_the_ietfs_draft_is_served_quoted_or_bare() {
    let (_directory, service, _) = served(3).await;
    for key in ["\"k-1\"", "k-1", "\"k-1\";a=1"] {
        let (status, outcome, _) =
            post(&service, "/seats", &[("Idempotency-Key", key)], "{\"seats\":1}").await;
        assert_eq!((status, &*outcome), (200, "done"), "{key}");
    }
    assert_eq!(service.audit().1, 2, "it is one key");
    for cancel in [[("Idempotency-Key", "c-1"), ("Saga-Action-Key", "k-1")]] {
        let (status, ..) = post(&service, "/seats/cancel", &cancel, "").await;
        assert_eq!(status, 200);
    }
    assert_eq!(service.audit().1, 3);
    // What axum answers by itself says nothing of an effect.
    let (status, outcome, _) = post(&service, "/seats", &[("Idempotency-Key", "k-2")], "no JSON").await;
    assert_eq!((status, &*outcome), (400, ""));
}
