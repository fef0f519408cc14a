//! Laws are tried over seeds that are the same in every run and named when one fails.

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

/// How many seeds a law is tried with; `REGA_LAW_SEEDS` at build time looks further.
fn seeds() -> u64 {
    option_env!("REGA_LAW_SEEDS").and_then(|seeds| seeds.parse().ok()).unwrap_or(4)
}

/// Tries `law` with what `given` generates; panics with the seed and the smallest counterexample.
#[track_caller]
pub(super) fn holds<S: Strategy>(
    cases: u32,
    given: &S,
    law: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    for seed in 0..seeds() {
        let config = Config {
            cases,
            failure_persistence: None,
            max_shrink_iters: 3_000,
            ..Config::default()
        };
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        match TestRunner::new_with_rng(config, random).run(given, &law) {
            Ok(()) => {}
            Err(TestError::Fail(reason, value)) => panic!("seed {seed}: {reason}\n{value:#?}"),
            Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
        }
    }
}
