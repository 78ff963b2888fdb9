//! The program as a process: its errors, its services.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use saga_examples::order::addresses::Addresses;
use saga_examples::service::addresses::AddressBook;

fn program(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-fulfilment"));
    command.args(arguments).arg("--data").arg(data).env_remove("RUST_LOG");
    command
}

fn errors(arguments: &[&str], data: &Path) -> String {
    let output = program(arguments, data).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !text.contains("panicked"), "{text}");
    text
}

#[test]
fn bad_input_is_an_error_that_names_file_line_field_and_mend() {
    let data = tempfile::tempdir().unwrap();
    let orders = data.path().join("orders.jsonl");
    fs::write(&orders, "{\"id\":\"a\",\"customer\":7}\n\nhello\n").unwrap();
    let orders = orders.to_str().unwrap();
    let text = errors(&["--orders", orders], data.path());
    assert!(
        text.starts_with("error: 2 lines are no order that can be fulfilled; nothing was begun:\n"),
        "{text}"
    );
    let expected = "1:22: field `customer` is 7: write who orders, such as \"Ada Keller\"";
    assert!(text.contains(&format!("{orders}:{expected}")), "{text}");
    assert!(text.contains(&format!("{orders}:3:1: this is no JSON object")), "{text}");
    let text = errors(&["--orders", "/no/such/file"], data.path());
    assert!(text.contains("cannot read the orders file /no/such/file"), "{text}");
    assert!(errors(&["--orders", "/dev/null"], data.path()).contains("holds no order"));
    let text = errors(&["--fault", "notice:capture:drop"], data.path());
    assert!(text.contains("the notice service has no operation `capture`: it has ask, notify"), "{text}");
    let text = errors(&["--fault", "shipping"], data.path());
    assert!(text.contains("such as `inventory:reserve:lose-reply:3`"), "{text}");
}

#[test]
fn the_services_say_where_they_are_and_end_with_their_input() {
    let data = tempfile::tempdir().unwrap();
    let mut child =
        program(&["services"], data.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let addresses: Addresses = serde_json::from_str(&line).unwrap();
    let file = data.path().join("addresses.json");
    assert_eq!(Addresses::read(file.to_str().unwrap()).unwrap(), addresses);
    TcpStream::connect(addresses.notice.trim_start_matches("http://")).unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(addresses.payment.trim_start_matches("http://")).is_err());
}
