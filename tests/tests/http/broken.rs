//! What a client makes of whatever may come, or not come, from a service.

use std::time::Duration;

use saga_runtime::http::{Client, Contract, HttpError, reqwest};
use saga_runtime::{Context, FailureKind, SagaId, StepError};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::raw::{Conduct, Ends, Raw};

/// What is answered, if it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reservation {
    number: i64,
}

/// The reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("only {left} are left")]
struct SoldOut {
    left: i64,
}

type Answer = Result<Reservation, HttpError<SoldOut>>;

fn cx() -> Context {
    Context::action("Trip", SagaId::new("t-1").unwrap(), "flight", 1)
}

fn client(base: &str) -> Client {
    // The system's proxy has no business here.
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(300));
    Client::from_builder(builder, base).unwrap()
}

async fn ask(client: &Client) -> Answer {
    client.post(&cx(), "/seats").json(&Reservation { number: 2 }).send().await
}

/// What becomes of a call to a server of this conduct, and whether it has read anything.
async fn meet(conduct: Conduct) -> (Answer, bool) {
    let server = Raw::start(conduct).await;
    let answer = ask(&client(&format!("http://{}", server.address))).await;
    (answer, server.has_read())
}

fn all(answers: impl Into<Vec<u8>>) -> Conduct {
    Conduct { reads: usize::MAX, answers: answers.into(), ends: Ends::Close }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

fn kind(answer: &Answer) -> Option<FailureKind> {
    answer.as_ref().err().map(StepError::kind)
}

/// The oracle: who may have received a request may have done it, unless an answer proves otherwise.
fn must_not_be_denied(answer: &Answer, has_read: bool, is_proven: bool, what: &dyn std::fmt::Debug) {
    let denied = matches!(kind(answer), Some(FailureKind::Refused | FailureKind::Transient));
    assert!(!denied || !has_read || is_proven, "{what:?}: {answer:?}");
}

const DONE: &str = r#"{"number":7}"#;
const REFUSED: &str = r#"{"left":1}"#;

#[tokio::test]
async fn what_was_never_connected_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let nowhere = [format!("http://{closed}"), "http://no-such-host.invalid".to_owned()];
    for base in nowhere {
        let answer = ask(&client(&base)).await;
        assert!(matches!(answer, Err(HttpError::NotSent(_))), "{base}: {answer:?}");
        assert_eq!(kind(&answer), Some(FailureKind::Transient));
    }
    let http = client("http://127.0.0.1:1");
    let no_json = std::collections::HashMap::from([((1, 2), 3)]);
    let answer: Answer = http.post(&cx(), "/seats").json(&no_json).send().await;
    assert!(matches!(answer, Err(HttpError::NotSent(_))), "{answer:?}");
}

#[tokio::test]
async fn an_answer_is_sorted_by_what_it_proves() {
    use FailureKind::{Refused, Transient, Unknown};
    let marked =
        |status: &str, word: &str, body: &str| answer(status, &format!("Saga-Outcome: {word}\r\n"), body);
    let plain = |status: &str, body: &str| answer(status, "", body);
    // What comes, what it is, and whether it proves that there was no effect.
    let table = [
        (plain("200 OK", DONE), None, false),
        (plain("201 Created", DONE), None, false),
        (marked("200 OK", "done", DONE), None, false),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"number\":7}\r\n0\r\n\r\n".into(),
            None,
            false,
        ),
        // It says not where it ends, and yet it is whole.
        (format!("HTTP/1.1 200 OK\r\n\r\n{DONE}"), None, false),
        // Accepted, and not done.
        (plain("202 Accepted", DONE), Some(Unknown), false),
        // Done, and nobody knows what.
        (plain("200 OK", ""), Some(Unknown), false),
        (plain("204 No Content", ""), Some(Unknown), false),
        (plain("200 OK", "{\"number\":"), Some(Unknown), false),
        (plain("200 OK", "<html>"), Some(Unknown), false),
        (plain("200 OK", REFUSED), Some(Unknown), false),
        // Whoever says so.
        (plain("400 Bad Request", REFUSED), Some(Unknown), false),
        (plain("404 Not Found", REFUSED), Some(Unknown), false),
        (plain("409 Conflict", REFUSED), Some(Unknown), false),
        (plain("422 Unprocessable Entity", REFUSED), Some(Unknown), false),
        (plain("429 Too Many Requests", ""), Some(Unknown), false),
        (plain("500 Internal Server Error", ""), Some(Unknown), false),
        (plain("502 Bad Gateway", ""), Some(Unknown), false),
        (plain("503 Service Unavailable", ""), Some(Unknown), false),
        (plain("504 Gateway Timeout", ""), Some(Unknown), false),
        (answer("302 Found", "Location: http://127.0.0.1:1/\r\n", ""), Some(Unknown), false),
        (answer("307 Temporary Redirect", "Location: http://127.0.0.1:1/\r\n", ""), Some(Unknown), false),
        // The service itself.
        (marked("422 Unprocessable Entity", "refused", REFUSED), Some(Refused), true),
        (marked("422 Unprocessable Entity", "refused", "no"), Some(Refused), true),
        (marked("409 Conflict", "superseded", ""), Some(Refused), true),
        (marked("503 Service Unavailable", "transient", ""), Some(Transient), true),
        (marked("500 Internal Server Error", "unknown", ""), Some(Unknown), false),
        (marked("422 Unprocessable Entity", "fault", ""), Some(Unknown), false),
        (marked("200 OK", "unknown", DONE), Some(Unknown), false),
        // What contradicts itself proves nothing.
        (marked("200 OK", "refused", REFUSED), Some(Unknown), false),
        (marked("200 OK", "transient", REFUSED), Some(Unknown), false),
        (marked("500 Internal Server Error", "done", DONE), Some(Unknown), false),
        (marked("503 Service Unavailable", "later", ""), Some(Unknown), false),
        (marked("503 Service Unavailable", "refused\r\nSaga-Outcome: transient", ""), Some(Unknown), false),
        // What is no HTTP.
        ("no HTTP at all\r\n\r\n".into(), Some(Unknown), false),
        ("HTTP/1.1 two hundred\r\n\r\n".into(), Some(Unknown), false),
        ("HTTP/9.9 200 OK\r\n\r\n".into(), Some(Unknown), false),
        ("\u{0}\u{1}\u{2}".into(), Some(Unknown), false),
        (String::new(), Some(Unknown), false),
        // A wrong length.
        (format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{DONE}"), Some(Unknown), false),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{DONE}"), Some(Unknown), false),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{DONE}"), Some(Unknown), false),
        (
            format!("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Length: 5\r\n\r\n{DONE}"),
            Some(Unknown),
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\"number\":7}".into(),
            Some(Unknown),
            false,
        ),
    ];
    for (bytes, expected, is_proven) in table {
        let (answer, has_read) = meet(all(bytes.clone())).await;
        assert!(has_read, "{bytes}");
        assert_eq!(kind(&answer), expected, "{bytes}: {answer:?}");
        must_not_be_denied(&answer, has_read, is_proven, &bytes);
    }
}

#[tokio::test]
async fn a_refusal_is_typed_if_it_can_be_read() {
    let refused = |body| answer("422 Unprocessable Entity", "Saga-Outcome: refused\r\n", body);
    let (answer, _) = meet(all(refused(REFUSED))).await;
    assert_eq!(answer, Err(HttpError::Refused(SoldOut { left: 1 })));
    let (answer, _) = meet(all(refused(r#"{"detail":"closed on Sundays"}"#))).await;
    let server = Raw::start(all(refused(""))).await;
    let client = client(&format!("http://{}", server.address));
    let silent: Result<(), HttpError> = client.post(&cx(), "/seats").confirm().await;
    assert!(matches!(silent, Err(HttpError::RefusedOtherwise(_))), "{silent:?}");
    let Err(HttpError::RefusedOtherwise(words)) = answer else { panic!("{answer:?}") };
    assert!(
        words.to_string().ends_with("/seats: refused (422 Unprocessable Entity): closed on Sundays"),
        "{words}"
    );
}

#[tokio::test]
async fn a_contract_says_what_a_status_proves_that_does_not_say_it_itself() {
    use FailureKind::{Refused, Transient, Unknown};
    let contract = Contract::new().refused([402]).superseded([410]).transient([429]).done([202]);
    let table = [
        ("402 Payment Required", "", Some(Refused)),
        ("410 Gone", "", Some(Refused)),
        ("429 Too Many Requests", "", Some(Transient)),
        ("202 Accepted", "", None),
        ("503 Service Unavailable", "", Some(Unknown)),
        // The answer knows better.
        ("429 Too Many Requests", "Saga-Outcome: unknown\r\n", Some(Unknown)),
        ("402 Payment Required", "Saga-Outcome: transient\r\n", Some(Transient)),
    ];
    for (status, headers, expected) in table {
        let server = Raw::start(all(answer(status, headers, DONE))).await;
        let client = client(&format!("http://{}", server.address)).contract(contract.clone());
        assert_eq!(kind(&ask(&client).await), expected, "{status} {headers}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_anywhere_proves_no_more_than_what_has_come() {
    let done = answer("200 OK", "Saga-Outcome: done\r\n", DONE);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"number\":7}\r\n0\r\n\r\n";
    let refused = answer("422 Unprocessable Entity", "Saga-Outcome: refused\r\n", REFUSED);
    let transient =
        answer("503 Service Unavailable", "Saga-Outcome: transient\r\nRetry-After: 7\r\n", "later");
    for whole in [done, chunked.to_owned(), refused, transient] {
        let head = whole.find("\r\n\r\n").unwrap() + 4;
        for ends in [Ends::Close, Ends::Reset] {
            for cut in 0..whole.len() {
                let conduct = Conduct { ends, ..all(&whole.as_bytes()[..cut]) };
                let (answer, has_read) = meet(conduct).await;
                assert!(answer.is_err(), "{cut} of {whole}: {answer:?}");
                must_not_be_denied(&answer, has_read, cut >= head, &(ends, cut, &whole));
                if ends == Ends::Close && cut < head {
                    assert_eq!(kind(&answer), Some(FailureKind::Unknown), "{cut} of {whole}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_is_cut_off_anywhere_is_in_doubt() {
    for ends in [Ends::Close, Ends::Reset] {
        for reads in 0..400 {
            let (answer, _) = meet(Conduct { reads, answers: Vec::new(), ends }).await;
            // Also where nothing was read: the client has sent it, and cannot know.
            assert_eq!(kind(&answer), Some(FailureKind::Unknown), "{ends:?} after {reads}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn who_is_never_accepted_or_never_answered_is_in_doubt() {
    // The system accepts connections that the service never sees.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let closes = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(listener);
    });
    let answer = ask(&client(&format!("http://{address}"))).await;
    assert_eq!(kind(&answer), Some(FailureKind::Unknown), "{answer:?}");
    closes.await.unwrap();

    let done = answer_bytes();
    for slow in [0, 1, 20, done.len() - 1] {
        let conduct = Conduct { ends: Ends::Hang, ..all(&done[..slow]) };
        let (answer, has_read) = meet(conduct).await;
        assert!(has_read);
        assert_eq!(kind(&answer), Some(FailureKind::Unknown), "{slow}: {answer:?}");
    }
}

fn answer_bytes() -> Vec<u8> {
    answer("200 OK", "", DONE).into_bytes()
}

#[tokio::test]
async fn a_number_that_may_be_cut_off_is_no_answer() {
    let number = async |head: &str| {
        let server = Raw::start(all(format!("HTTP/1.1 200 OK\r\n{head}\r\n12"))).await;
        let client = client(&format!("http://{}", server.address));
        let number: Result<u64, HttpError> = client.post(&cx(), "/seats").send().await;
        number
    };
    assert_eq!(number("Content-Length: 2\r\n").await.unwrap(), 12);
    assert_eq!(number("").await.unwrap_err().kind(), FailureKind::Unknown);
    // And nothing at all is no `None`.
    let server = Raw::start(all("HTTP/1.1 200 OK\r\n\r\n")).await;
    let client = client(&format!("http://{}", server.address));
    let probed: Result<Option<u64>, HttpError> = client.post(&cx(), "/find").send().await;
    assert_eq!(probed.unwrap_err().kind(), FailureKind::Unknown);
    let confirmed: Result<(), HttpError> = client.post(&cx(), "/cancel").confirm().await;
    confirmed.unwrap();
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(17 << 20));
    let server = Raw::start(all(endless)).await;
    let builder = reqwest::Client::builder().no_proxy();
    let client = Client::from_builder(builder, &format!("http://{}", server.address)).unwrap();
    let answer = ask(&client).await;
    assert_eq!(kind(&answer), Some(FailureKind::Unknown));
    assert!(answer.unwrap_err().to_string().contains("longer than"));
}

#[tokio::test]
async fn a_service_says_when_it_wants_to_be_asked_again() {
    let when = async |headers: &str| {
        let (answer, _) = meet(all(answer("503 Service Unavailable", headers, ""))).await;
        answer.unwrap_err().retry_after()
    };
    assert_eq!(when("Retry-After: 7\r\n").await, Some(Duration::from_secs(7)));
    assert_eq!(when("Saga-Outcome: transient\r\nRetry-After: 7\r\n").await, Some(Duration::from_secs(7)));
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
    assert_eq!(when(date).await, Some(Duration::from_mins(1)));
    assert_eq!(when("").await, None);
}

#[tokio::test]
async fn what_an_error_says_holds_no_secret_of_the_address() {
    let http = client("http://user:password@127.0.0.1:1");
    let answer: Answer = http.post(&cx(), "/seats?token=secret").send().await;
    let words = answer.unwrap_err().to_string();
    assert!(words.starts_with("POST http://127.0.0.1:1/seats: no connection could be made: "), "{words}");
}
