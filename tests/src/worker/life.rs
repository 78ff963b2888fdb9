//! The worker's process: the life that it has now.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "in a test a panic is the report")]

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::Process;

/// The worker's process, for those who start it and for those who kill it.
#[derive(Debug, Default)]
pub struct Life(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    /// Whether the last one was told to end.
    is_told: bool,
    /// Whether it was killed.
    is_killed: bool,
    lives: u32,
    kills: u32,
}

impl Life {
    /// A new process; answers what it says first, empty if it ends before.
    pub fn start(&self, command: &mut Command) -> String {
        let mut process = Process::start(command);
        let output = process.output();
        {
            let mut state = self.lock();
            state.process = Some(process);
            (state.is_told, state.is_killed) = (false, false);
            state.lives += 1;
        }
        // Outside of the lock: it may be killed before it says anything.
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Its number, as long as it lives.
    pub fn id(&self) -> Option<u32> {
        self.lock().living().map(|process| process.id())
    }

    /// Kills it with SIGKILL; whether there was one to be killed.
    pub fn kill(&self) -> bool {
        let mut state = self.lock();
        let Some(process) = state.living() else { return false };
        process.kill();
        (state.is_told, state.is_killed) = (true, true);
        state.kills += 1;
        true
    }

    /// Stops it with SIGSTOP, and lets it go on after `time`.
    pub fn stop_for(&self, time: Duration) {
        let mut state = self.lock();
        // As long as it is locked nobody collects the process, and its number is its own.
        let Some(process) = state.living() else { return };
        signal(process.id(), "STOP");
        sleep(time);
        signal(process.id(), "CONT");
    }

    /// Tells it to end by SIGTERM.
    pub fn terminate(&self) {
        let mut state = self.lock();
        state.is_told = true;
        let Some(process) = state.living() else { return };
        signal(process.id(), "TERM");
    }

    /// Whether it succeeded, once it has ended; `None` as long as it lives.
    pub fn ended(&self) -> Option<bool> {
        let mut state = self.lock();
        state.process.as_mut()?.wait_until(Instant::now())
    }

    /// Whether it was told to end, or killed.
    pub fn is_told(&self) -> bool {
        self.lock().is_told
    }

    /// Whether the last one was killed.
    pub fn is_killed(&self) -> bool {
        self.lock().is_killed
    }

    /// How many processes there were.
    pub fn lives(&self) -> u32 {
        self.lock().lives
    }

    /// How many of them were killed.
    pub fn kills(&self) -> u32 {
        self.lock().kills
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn living(&mut self) -> Option<&mut Process> {
        let process = self.process.as_mut()?;
        process.wait_until(Instant::now()).is_none().then_some(process)
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    // Fails only if it has ended.
    let _ = sent;
}
