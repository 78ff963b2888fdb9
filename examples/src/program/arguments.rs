//! The arguments that the programs have in common.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use saga_runtime::definition::{Compensation, Definition, StepKind};

use crate::desk::CrashPoint;
use crate::service::addresses::form;
use crate::service::fault::{FaultOrder, example};
use crate::service::kind::{ServiceKind, list};

/// What the program can do besides its main job.
#[derive(Debug, Subcommand)]
pub enum Command<K: ServiceKind> {
    /// Runs one service until standard input ends, ctrl-c or SIGTERM.
    #[command(hide = true)]
    Serve(ServeOptions<K>),
    /// Runs all services until standard input ends, ctrl-c or SIGTERM.
    Services(ServicesOptions<K>),
}

/// How the main job is done.
#[derive(Debug, Args)]
pub struct JobOptions<K: ServiceKind> {
    /// Where the saga log and the services' databases are kept.
    #[arg(long, value_name = "DIR", default_value = K::DATA)]
    pub data: PathBuf,
    #[arg(
        long,
        value_name = "N",
        default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        help = format!("How many {}s are under way at once", K::SUBJECT)
    )]
    /// How many sagas are under way at once.
    pub concurrency: u32,
    /// Faults to order.
    #[arg(
        long = "fault",
        value_name = "SERVICE:OPERATION:KIND[:TIMES][@SAGA]",
        help = format!("Let a service misbehave, such as `{}`. Kinds: slow(MS), refuse, unavailable, lose-reply, drop, \
            hang, die-before, die-after. `@` and the id of a saga: only its calls. Repeatable", example::<K>())
    )]
    pub faults: Vec<FaultOrder<K>>,
    /// Where services run already.
    #[arg(
        long,
        value_name = "FILE|URLS",
        help = format!("Use services that run already: the file that `services --addresses` wrote, or {}", form::<K>())
    )]
    pub services: Option<String>,
}

/// How one service is run.
#[derive(Debug, Args)]
pub struct ServeOptions<K: ServiceKind> {
    /// Which service.
    #[arg(help = format!("Which of {}", list(K::SERVICES)))]
    pub service: K,
    /// Its database.
    #[arg(long, value_name = "FILE")]
    pub db: PathBuf,
    /// Its port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
}

/// How all services are run.
#[derive(Debug, Args)]
pub struct ServicesOptions<K: ServiceKind> {
    /// Where the services' databases are kept.
    #[arg(long, value_name = "DIR", default_value = K::DATA)]
    pub data: PathBuf,
    /// The file that gets their addresses [default: addresses.json in the data directory]
    #[arg(long, value_name = "FILE")]
    pub addresses: Option<PathBuf>,
    /// The port of the first service; the others take the next ones. 0 takes any that are free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub first_port: u16,
    #[arg(skip)]
    of: std::marker::PhantomData<K>,
}

/// The place with this name where the process can be crashed: after an action or a compensation of a saga.
pub fn parse_crash_point(text: &str, definitions: &[&Definition]) -> Result<CrashPoint, String> {
    let points: Vec<String> = definitions.iter().flat_map(|definition| crash_points(definition)).collect();
    if points.iter().any(|point| point == text) {
        return Ok(CrashPoint::after(text));
    }
    Err(format!("write one of {}", points.join(", ")))
}

/// The places where the process can be crashed: in a call of a service.
pub fn crash_points(definition: &Definition) -> Vec<String> {
    let steps = definition.steps.iter().filter(|step| step.kind == StepKind::Call);
    let compensated = steps
        .clone()
        .filter(|step| matches!(step.compensation, Compensation::ByKey | Compensation::ByOutput));
    let actions = steps.map(|step| step.name.to_owned());
    actions.chain(compensated.map(|step| format!("{}.compensate", step.name))).collect()
}
