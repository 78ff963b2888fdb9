//! Sagas that do what their input says: a program of stages, so that there are as many shapes as there are inputs.

use std::time::Duration;

use fastrand::Rng;
use saga_runtime::saga;
use saga_runtime::verify::{Exploration, explore};
use serde::{Deserialize, Serialize};

use crate::sagas::{Careless, House, HouseParticipants, Prudent, Room, RoomParticipants};

/// What is done: stage by stage, then perhaps past the point of no return.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// One after another.
    pub stages: Vec<Stage>,
    /// What follows the pivot of a [`Paid`] program.
    pub after: Vec<Stage>,
}

/// What is done at one place.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Stage {
    /// A step whose participant answers by key.
    Keyed,
    /// A step that is probed.
    Probed,
    /// A step that is compensated by key.
    ByKey,
    /// A step that needs no compensation.
    Harmless,
    /// A read.
    Read,
    /// Two branches; whether the second one has two steps.
    Parallel(bool),
    /// So many items, one after another.
    Each(u8),
    /// So many items, at most two at once.
    Many(u8),
    /// Nothing for so many seconds.
    Sleep(u16),
    /// A child saga.
    Child,
}

saga! {
    /// Can turn at any time.
    pub saga Plain(program: Program) -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        for stage: Stage in program.stages.clone() {
            if let Stage::Keyed = stage {
                step keyed: u32 = sure.reserve(cx) compensate sure.cancel(cx, keyed);
            } else if let Stage::Probed = stage {
                step probed: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, probed);
            } else if let Stage::ByKey = stage {
                step by_key: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            } else if let Stage::Harmless = stage {
                step harmless: u32 = sure.reserve(cx) compensate nothing;
            } else if let Stage::Read = stage {
                read seen: u32 = careless.reserve(cx);
            } else if let Stage::Parallel(long) = stage {
                parallel {
                    step left: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                    {
                        step right: u32 = sure.reserve(cx) compensate sure.cancel(cx, right);
                        if *long {
                            step further: u32 = careless.reserve(cx)
                                probe careless.find(cx)
                                compensate careless.cancel(cx, further);
                        }
                    }
                }
            } else if let Stage::Each(count) = stage {
                for item: u8 in 0..*count {
                    step one: u32 = sure.reserve(cx) compensate sure.cancel(cx, one);
                }
            } else if let Stage::Many(count) = stage {
                parallel for item: u8 in 0..*count limit 2 {
                    step some: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                    step more: u32 = sure.reserve(cx) compensate sure.cancel(cx, more);
                }
            } else if let Stage::Sleep(seconds) = stage {
                sleep (Duration::from_secs(u64::from(*seconds)));
            } else {
                saga room: u32 = Room();
            }
        }

        return 1;
    }

    /// Has a pivot, and goes on after it.
    pub saga Paid(program: Program) -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;
        deadline 24h;

        for stage: Stage in program.stages.clone() {
            if let Stage::Keyed = stage {
                step keyed: u32 = sure.reserve(cx) compensate sure.cancel(cx, keyed);
            } else if let Stage::Parallel(_) = stage {
                parallel {
                    step left: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                    step right: u32 = sure.reserve(cx) compensate sure.cancel(cx, right);
                }
            } else {
                step probed: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, probed);
            }
        }
        pivot paid: u32 = sure.reserve(cx);
        for stage: Stage in program.after.clone() {
            if let Stage::Probed = stage {
                step asked: u32 = careless.reserve(cx) probe careless.find(cx);
            } else if let Stage::Harmless = stage {
                step tried: u32 = sure.reserve(cx) else 0;
            } else if let Stage::Many(count) = stage {
                parallel for item: u8 in 0..*count limit 2 {
                    step sent: u32 = sure.reserve(cx);
                }
            } else if let Stage::Child = stage {
                saga house: u32 = House();
            } else {
                step told: u32 = sure.reserve(cx);
            }
        }

        return paid;
    }
}

impl Program {
    /// One of up to this many stages.
    pub fn random(rng: &mut Rng, stages: usize) -> Self {
        let some = |rng: &mut Rng| (0..rng.usize(..=stages)).map(|_| Stage::random(rng)).collect();
        Self { stages: some(rng), after: some(rng) }
    }
}

impl Stage {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..14) {
            0..3 => Self::Keyed,
            3 | 4 => Self::Probed,
            5 | 6 => Self::ByKey,
            7 => Self::Harmless,
            8 => Self::Read,
            9 => Self::Parallel(rng.bool()),
            10 => Self::Each(rng.u8(..4)),
            11 => Self::Many(rng.u8(..4)),
            12 => Self::Sleep(rng.u16(..10_000)),
            _ => Self::Child,
        }
    }
}

/// Explores a program that can turn at any time.
pub fn plain(program: Program) -> Exploration<Plain> {
    let plain = explore(move || program.clone(), || PlainParticipants { sure: Prudent, careless: Careless });
    plain.child::<Room>(|| RoomParticipants { desk: Prudent })
}

/// Explores a program with a pivot.
pub fn paid(program: Program) -> Exploration<Paid> {
    let paid = explore(move || program.clone(), || PaidParticipants { sure: Prudent, careless: Careless });
    let paid = paid.child::<Room>(|| RoomParticipants { desk: Prudent });
    paid.child::<House>(|| HouseParticipants { desk: Prudent })
}
