//! The examples' programs as processes.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The examples' programs.
const EXAMPLES: [&str; 3] = ["travel_booking", "order_fulfilment", "travel_worker"];

/// The program of an example, built from the sources as they are now.
pub fn example(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    &PROGRAMS.get_or_init(build)[name]
}

fn build() -> BTreeMap<String, PathBuf> {
    // target/<profile>/deps/<this test>
    let this = std::env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).and_then(Path::file_name).unwrap();
    let profile = if profile == "debug" { "dev".into() } else { profile.to_owned() };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        // All packages, as they are built for the tests: with other features much would be built once more.
        .args(["build", "--locked", "--workspace"])
        .args(EXAMPLES.iter().flat_map(|name| ["--example", name]))
        .args(["--message-format", "json-render-diagnostics", "--profile"])
        .arg(profile)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the programs cannot be built");
    let lines = output.stdout.lines().map(Result::unwrap);
    let built = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let programs = built.filter_map(|message| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, PathBuf::from(message["executable"].as_str()?)))
    });
    programs.filter(|(name, _)| EXAMPLES.contains(&name.as_str())).collect()
}

/// Runs a program with this data directory to its end: whether it succeeded, and what it said.
pub fn run(program: &Path, data: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    (output.status.success(), text)
}

/// A child that does not outlive its test.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// What it says first on its standard output, which must be piped.
    pub fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }

    /// Its standard output, which must be piped.
    pub fn output(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    /// Collects what it says on its standard error, which must be piped.
    pub fn listen(&mut self) -> Arc<Mutex<String>> {
        let said = Arc::new(Mutex::new(String::new()));
        let (stream, heard) = (self.0.stderr.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                heard.lock().unwrap().extend([&line, "\n"]);
            }
        });
        said
    }

    /// Kills it with SIGKILL, if it has not ended.
    pub fn kill(&mut self) {
        // Fails only if it has ended.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }

    /// Whether it succeeded, or `None` if it has not ended before `deadline`.
    pub fn wait_until(&mut self, deadline: Instant) -> Option<bool> {
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status.success());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            sleep(left.min(Duration::from_millis(1)));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
