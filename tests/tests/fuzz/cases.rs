//! Cases from seeds, and what must hold of each: no panic anywhere on the way.

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

thread_local! {
    /// How many panics this thread has seen, those that somebody caught included.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Draws so many cases, and checks each.
pub(crate) fn check_all<S: Strategy<Value: Debug>>(
    cases: u64,
    strategy: &S,
    check: impl Fn(&S::Value) -> Result<(), String>,
) {
    count_panics();
    let number = |name: &str, otherwise| match std::env::var(name) {
        Ok(text) => text.parse::<u64>().unwrap(),
        Err(_) => otherwise,
    };
    let (cases, first) = (number("SAGA_FUZZ_CASES", cases), number("SAGA_FUZZ_SEED", 0));
    for seed in first..first + cases {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config =
            Config { cases: 1, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        match runner.run(strategy, |case| checked(&case, &check)) {
            Ok(()) => {}
            Err(TestError::Fail(wrong, case)) => panic!("{wrong}\nSAGA_FUZZ_SEED={seed}: {case:#?}"),
            Err(error) => panic!("SAGA_FUZZ_SEED={seed}: {error}"),
        }
    }
}

fn checked<T>(case: &T, check: impl Fn(&T) -> Result<(), String>) -> Result<(), TestCaseError> {
    let before = PANICS.get();
    let result = catch_unwind(AssertUnwindSafe(|| check(case)));
    if PANICS.get() > before {
        return Err(TestCaseError::fail("it panics"));
    }
    match result {
        Ok(result) => result.map_err(TestCaseError::fail),
        Err(_) => Err(TestCaseError::fail("it ends badly")),
    }
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
}
