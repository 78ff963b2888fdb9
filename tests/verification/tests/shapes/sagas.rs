//! Written by the test: a saga of every shape.

use saga_runtime::log::MemoryLog;
use saga_runtime::verify::{Summary, explore as explore_one};
use saga_runtime::{RunsOn, Saga, saga};
use saga_verification::sagas::{Careless, Prudent};

fn add<S: Saga<Input = ()> + RunsOn<MemoryLog>>(
    all: &mut Summary,
    faults: usize,
    participants: fn() -> S::Participants,
) {
    let exploration = explore_one::<S>(|| (), participants).faults(faults).crashes(0).log_faults(0).commands(0);
    let summary = exploration.run().unwrap_or_else(|violation| panic!("{violation}"));
    all.scenarios += summary.scenarios;
    all.states += summary.states;
    all.completed += summary.completed;
    all.compensated += summary.compensated;
    all.parked += summary.parked;
    all.joined += summary.joined;
}

saga! {
    /// See the name.
    pub(crate) saga Shape1Number0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);

        return s0;
    }

    /// See the name.
    pub(crate) saga Shape1Number0Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);

        return s0;
    }

    /// See the name.
    pub(crate) saga Shape2Number0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);

        return s0 + s1;
    }

    /// See the name.
    pub(crate) saga Shape2Number0Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        step s1: u32 = sure.reserve(cx);

        return s0 + s1;
    }

    /// See the name.
    pub(crate) saga Shape2Number0Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        pivot s1: u32 = sure.reserve(cx);

        return s0 + s1;
    }

    /// See the name.
    pub(crate) saga Shape2Number1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }

        return s0 + s1;
    }

    /// See the name.
    pub(crate) saga Shape3Number0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number0Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        step s1: u32 = sure.reserve(cx);
        step s2: u32 = careless.reserve(cx) probe careless.find(cx);

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number0Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        pivot s1: u32 = sure.reserve(cx);
        step s2: u32 = careless.reserve(cx) probe careless.find(cx);

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number0Pivot2() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        pivot s2: u32 = sure.reserve(cx);

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        parallel {
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        }

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number1Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        parallel {
            step s1: u32 = sure.reserve(cx);
            step s2: u32 = careless.reserve(cx) probe careless.find(cx);
        }

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number2() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }
        step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number2Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }
        pivot s2: u32 = sure.reserve(cx);

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number3() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        }

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape3Number4() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            {
                step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            }
        }

        return s0 + s1 + s2;
    }

    /// See the name.
    pub(crate) saga Shape4Number0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number0Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        step s1: u32 = sure.reserve(cx);
        step s2: u32 = careless.reserve(cx) probe careless.find(cx);
        step s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number0Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        pivot s1: u32 = sure.reserve(cx);
        step s2: u32 = careless.reserve(cx) probe careless.find(cx);
        step s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number0Pivot2() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        pivot s2: u32 = sure.reserve(cx);
        step s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number0Pivot3() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        pivot s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        parallel {
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number1Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        step s1: u32 = sure.reserve(cx);
        parallel {
            step s2: u32 = careless.reserve(cx) probe careless.find(cx);
            step s3: u32 = sure.reserve(cx);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number1Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        pivot s1: u32 = sure.reserve(cx);
        parallel {
            step s2: u32 = careless.reserve(cx) probe careless.find(cx);
            step s3: u32 = sure.reserve(cx);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number2() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        parallel {
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        }
        step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number2Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        parallel {
            step s1: u32 = sure.reserve(cx);
            step s2: u32 = careless.reserve(cx) probe careless.find(cx);
        }
        step s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number2Pivot2() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        parallel {
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        }
        pivot s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number3() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        parallel {
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number3Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        parallel {
            step s1: u32 = sure.reserve(cx);
            step s2: u32 = careless.reserve(cx) probe careless.find(cx);
            step s3: u32 = sure.reserve(cx);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number4() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
        parallel {
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            {
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
            }
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number4Pivot0() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        pivot s0: u32 = sure.reserve(cx);
        parallel {
            step s1: u32 = sure.reserve(cx);
            {
                step s2: u32 = careless.reserve(cx) probe careless.find(cx);
                step s3: u32 = sure.reserve(cx);
            }
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number5() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }
        step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number5Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }
        pivot s2: u32 = sure.reserve(cx);
        step s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number5Pivot2() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }
        step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        pivot s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number6() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
        }
        parallel {
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number7() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        }
        step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number7Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
        }
        pivot s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number8() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            {
                step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            }
        }
        step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number8Pivot1() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            {
                step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            }
        }
        pivot s3: u32 = sure.reserve(cx);

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number9() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
            step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number10() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            {
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
            }
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number11() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            {
                step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
                step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
            }
            {
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
            }
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number12() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            {
                step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
                step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
            }
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number13() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            {
                step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
                parallel {
                    step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                    step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
                }
            }
        }

        return s0 + s1 + s2 + s3;
    }

    /// See the name.
    pub(crate) saga Shape4Number14() -> u32 {
        with sure: Prudent, careless: Careless;
        retry 1 times every 100ms..200ms;

        parallel {
            step s0: u32 = sure.reserve(cx) compensate sure.cancel(cx, s0);
            {
                parallel {
                    step s1: u32 = careless.reserve(cx) probe careless.find(cx) compensate careless.cancel(cx, s1);
                    step s2: u32 = careless.reserve(cx) compensate careless.cancel_by_key(cx);
                }
                step s3: u32 = sure.reserve(cx) compensate sure.cancel(cx, s3);
            }
        }

        return s0 + s1 + s2 + s3;
    }

}

/// Explores all of them.
pub(crate) fn explore(faults: usize) -> Summary {
    let mut all = Summary::default();
    add::<Shape1Number0>(&mut all, faults, || Shape1Number0Participants { sure: Prudent, careless: Careless });
    add::<Shape1Number0Pivot0>(&mut all, faults, || Shape1Number0Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape2Number0>(&mut all, faults, || Shape2Number0Participants { sure: Prudent, careless: Careless });
    add::<Shape2Number0Pivot0>(&mut all, faults, || Shape2Number0Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape2Number0Pivot1>(&mut all, faults, || Shape2Number0Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape2Number1>(&mut all, faults, || Shape2Number1Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number0>(&mut all, faults, || Shape3Number0Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number0Pivot0>(&mut all, faults, || Shape3Number0Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number0Pivot1>(&mut all, faults, || Shape3Number0Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number0Pivot2>(&mut all, faults, || Shape3Number0Pivot2Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number1>(&mut all, faults, || Shape3Number1Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number1Pivot0>(&mut all, faults, || Shape3Number1Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number2>(&mut all, faults, || Shape3Number2Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number2Pivot1>(&mut all, faults, || Shape3Number2Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number3>(&mut all, faults, || Shape3Number3Participants { sure: Prudent, careless: Careless });
    add::<Shape3Number4>(&mut all, faults, || Shape3Number4Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number0>(&mut all, faults, || Shape4Number0Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number0Pivot0>(&mut all, faults, || Shape4Number0Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number0Pivot1>(&mut all, faults, || Shape4Number0Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number0Pivot2>(&mut all, faults, || Shape4Number0Pivot2Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number0Pivot3>(&mut all, faults, || Shape4Number0Pivot3Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number1>(&mut all, faults, || Shape4Number1Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number1Pivot0>(&mut all, faults, || Shape4Number1Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number1Pivot1>(&mut all, faults, || Shape4Number1Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number2>(&mut all, faults, || Shape4Number2Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number2Pivot0>(&mut all, faults, || Shape4Number2Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number2Pivot2>(&mut all, faults, || Shape4Number2Pivot2Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number3>(&mut all, faults, || Shape4Number3Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number3Pivot0>(&mut all, faults, || Shape4Number3Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number4>(&mut all, faults, || Shape4Number4Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number4Pivot0>(&mut all, faults, || Shape4Number4Pivot0Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number5>(&mut all, faults, || Shape4Number5Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number5Pivot1>(&mut all, faults, || Shape4Number5Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number5Pivot2>(&mut all, faults, || Shape4Number5Pivot2Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number6>(&mut all, faults, || Shape4Number6Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number7>(&mut all, faults, || Shape4Number7Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number7Pivot1>(&mut all, faults, || Shape4Number7Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number8>(&mut all, faults, || Shape4Number8Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number8Pivot1>(&mut all, faults, || Shape4Number8Pivot1Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number9>(&mut all, faults, || Shape4Number9Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number10>(&mut all, faults, || Shape4Number10Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number11>(&mut all, faults, || Shape4Number11Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number12>(&mut all, faults, || Shape4Number12Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number13>(&mut all, faults, || Shape4Number13Participants { sure: Prudent, careless: Careless });
    add::<Shape4Number14>(&mut all, faults, || Shape4Number14Participants { sure: Prudent, careless: Careless });
    all
}
