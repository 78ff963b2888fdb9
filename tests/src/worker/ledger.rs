//! The participants: an HTTP server that is the ledger of what is in effect. It writes down before it answers.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::Duration;

use serde_json::json;

use super::http::{Request, answer};
use super::life::Life;
use super::plan::{Direction, Fault, Plan, Step};

/// The participants.
#[derive(Debug)]
pub struct Ledger {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    life: Arc<Life>,
    book: Mutex<Book>,
    ended: AtomicBool,
}

/// What is written down.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Every call, in the order in which they came.
    pub calls: Vec<Received>,
    /// What became of each action, by its key.
    pub actions: BTreeMap<String, Action>,
    /// How often the worker was killed at an effect: after it, before its answer.
    pub kills_at_effects: u32,
    /// How often it was killed before one.
    pub kills_before_effects: u32,
    /// How often a do was refused because its undo had been faster.
    pub superseded: u32,
    /// What must never be.
    pub violations: Vec<String>,
    /// How many calls may still take effect.
    pub under_way: u32,
}

/// A call as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The saga.
    pub saga: String,
    /// The step.
    pub step: Step,
    /// The direction.
    pub direction: Direction,
    /// Its idempotency key.
    pub key: String,
    /// The key of its action.
    pub action_key: String,
    /// The number of its attempt.
    pub attempt: u32,
    /// The epoch of the worker's log.
    pub fence: u64,
    /// The worker.
    pub worker: String,
    /// What it asks for.
    pub body: String,
    /// What went wrong with it, as planned.
    pub fault: Option<Fault>,
    /// What it is answered; empty as long as it is not.
    pub answered: String,
}

/// What became of an action.
#[derive(Debug, Clone)]
pub struct Action {
    /// The saga.
    pub saga: String,
    /// The step.
    pub step: Step,
    /// How often it took effect.
    pub effects: u32,
    /// How many of its effects hold.
    pub held: u32,
    /// How often something was undone.
    pub undone: u32,
    /// Whether its undo was answered, so that it is refused from then on.
    pub is_barred: bool,
    /// What a keyed participant has answered it.
    answer: Option<(u16, String)>,
}

impl Ledger {
    /// Participants that follow `plan`, of a worker that lives `life`.
    pub fn start(plan: &Plan, life: &Arc<Life>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (plan, life) = (plan.clone(), Arc::clone(life));
        let shared = Arc::new(Shared { plan, life, book: Mutex::default(), ended: AtomicBool::new(false) });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.ended.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // An error says that the worker is gone: so is what it wanted to hear.
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self { address, shared }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is written down now.
    pub fn book(&self) -> Book {
        self.shared.book().clone()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Wakes the listener. Fails only if it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers call after call on one connection, until it breaks.
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = Request::read(&mut reader)? {
            let Some((number, fault)) = self.receive(&request) else { return Ok(()) };
            match fault {
                None | Some(Fault::Refuse | Fault::Unavailable) => {
                    let (status, body) = self.decide(number, fault);
                    answer(&mut stream, status, &body)?;
                }
                Some(fault) => self.misbehave(number, fault, &mut stream)?,
            }
        }
        Ok(())
    }

    /// Writes the call down, and says what goes wrong with it.
    fn receive(&self, request: &Request) -> Option<(usize, Option<Fault>)> {
        let mut parts = request.path.split('/').skip(1);
        let step = parts.next().and_then(|name| Step::ALL.into_iter().find(|step| step.name() == name));
        let direction = match parts.next() {
            Some("do") => Some(Direction::Do),
            Some("undo") => Some(Direction::Undo),
            _ => None,
        };
        let (Some(step), Some(direction), None) = (step, direction, parts.next()) else {
            self.book().violations.push(format!("a call of {}", request.path));
            return None;
        };
        let header = |name| request.header(name).to_owned();
        let saga = header("saga-id");
        let mut book = self.book();
        let like_it = |call: &&Received| (&call.saga, call.step, call.direction) == (&saga, step, direction);
        let before = book.calls.iter().filter(like_it).count();
        let plan = self.plan.sagas.iter().find(|plan| plan.id == saga);
        let place = (step, direction, u32::try_from(before + 1).unwrap());
        let fault = plan.and_then(|plan| plan.faults.get(&place).copied());
        let received = Received {
            step,
            direction,
            key: header("idempotency-key"),
            action_key: header("action-key"),
            attempt: request.header("attempt").parse().unwrap_or(0),
            fence: request.header("fence").parse().unwrap_or(0),
            worker: header("worker"),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            fault,
            answered: String::new(),
            saga,
        };
        book.check_order(&received);
        book.calls.push(received);
        Some((book.calls.len() - 1, fault))
    }

    /// Does what the call asks for, unless it is refused, and says what it is answered.
    fn decide(&self, number: usize, fault: Option<Fault>) -> (u16, String) {
        let mut book = self.book();
        let book = &mut *book;
        let call = &mut book.calls[number];
        let new = Action {
            saga: call.saga.clone(),
            step: call.step,
            effects: 0,
            held: 0,
            undone: 0,
            is_barred: false,
            answer: None,
        };
        let action = book.actions.entry(call.action_key.clone()).or_insert(new);
        let stored = action.answer.clone().filter(|_| self.plan.keyed);
        let refused = json!({ "reason": "as planned" }).to_string();
        let answered = match (call.direction, fault, stored) {
            (_, Some(Fault::Unavailable), _) => (503, refused),
            (Direction::Undo, Some(Fault::Refuse), _) => (422, refused),
            (Direction::Undo, _, _) => {
                if action.held > 0 {
                    action.undone += 1;
                }
                action.held = 0;
                action.is_barred = true;
                (200, String::new())
            }
            (Direction::Do, _, _) if action.is_barred => {
                book.superseded += 1;
                (409, json!({ "reason": "its undo was answered before" }).to_string())
            }
            (Direction::Do, _, Some(stored)) => stored,
            (Direction::Do, Some(Fault::Refuse), None) => {
                action.answer = Some((422, refused.clone()));
                (422, refused)
            }
            (Direction::Do, _, None) => {
                action.effects += 1;
                action.held += 1;
                let done = (200, json!({ "step": call.step.name(), "for": call.saga }).to_string());
                action.answer = Some(done.clone());
                done
            }
        };
        call.answered = answered.0.to_string();
        answered
    }

    fn misbehave(&self, number: usize, fault: Fault, stream: &mut TcpStream) -> io::Result<()> {
        match fault {
            Fault::Drop => stream.shutdown(Shutdown::Both),
            Fault::Hang => until_given_up(stream),
            Fault::Late => {
                self.book().under_way += 1;
                sleep(self.plan.call_timeout * 2);
                let _ = self.decide_unheard(number, "late");
                self.book().under_way -= 1;
                stream.shutdown(Shutdown::Both)
            }
            Fault::KillBefore => {
                let is_killed = self.life.kill();
                self.book().kills_before_effects += u32::from(is_killed);
                stream.shutdown(Shutdown::Both)
            }
            Fault::KillAt => {
                let is_effect = self.decide_unheard(number, "killed");
                let is_killed = self.life.kill();
                self.book().kills_at_effects += u32::from(is_killed && is_effect);
                stream.shutdown(Shutdown::Both)
            }
            Fault::LoseReply => {
                self.decide_unheard(number, "lost");
                stream.shutdown(Shutdown::Both)
            }
            Fault::HangAfter => {
                self.decide_unheard(number, "hangs");
                until_given_up(stream)
            }
            Fault::Garble => {
                self.decide_unheard(number, "garbled");
                answer(stream, 200, "{\"step\":")
            }
            Fault::Status(status) => {
                self.decide_unheard(number, "another status");
                answer(stream, status, "{}")
            }
            Fault::Slow(milliseconds) => {
                let (status, body) = self.decide(number, None);
                sleep(Duration::from_millis(milliseconds));
                answer(stream, status, &body)
            }
            Fault::StopAt => {
                let (status, body) = self.decide(number, None);
                self.life.stop_for(self.plan.call_timeout * 3 / 2);
                answer(stream, status, &body)
            }
            Fault::Refuse | Fault::Unavailable => unreachable!("it is decided like a call that goes well"),
        }
    }

    /// The same as [`decide`](Self::decide), and the worker does not hear of it. Whether there was an effect.
    fn decide_unheard(&self, number: usize, why: &str) -> bool {
        let (status, _) = self.decide(number, None);
        let mut book = self.book();
        book.calls[number].answered = format!("{status}, {why}");
        status == 200
    }
}

impl Book {
    /// A step begins when the one before is done, and is undone when all behind it are.
    fn check_order(&mut self, call: &Received) {
        match call.direction {
            Direction::Do => {
                let before = Step::ALL.into_iter().filter(|&step| step < call.step);
                for step in before {
                    let was_done = |known: &&Received| {
                        (&known.saga, known.step, known.direction) == (&call.saga, step, Direction::Do)
                            && known.answered == "200"
                    };
                    if self.calls.iter().find(was_done).is_none() {
                        self.violations
                            .push(format!("{} of {} began before {step} was done", call.step, call.saga));
                    }
                }
            }
            Direction::Undo => {
                let behind = self.actions.values().filter(|action| action.saga == call.saga);
                for action in behind.filter(|action| action.step > call.step && action.held > 0) {
                    let (step, saga, other) = (call.step, &call.saga, action.step);
                    self.violations.push(format!("{step} of {saga} was to be undone before {other} was"));
                }
            }
        }
    }
}

/// Waits until the other side closes the connection.
fn until_given_up(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.read(&mut [0; 64]).map(drop)
}
