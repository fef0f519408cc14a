//! Packs on trial: the tests that stand beside the rules are run, and what differs is said.
//!
//! One runner for everybody: `rega test`, the shipped packs' own tests, the examples of the rule
//! reference. It knows no file and no terminal; it is given what was loaded and says what it saw.

mod expect;
mod hunt;
mod journey;
mod mutants;

use std::{collections::BTreeSet, sync::Arc};

pub use self::hunt::{Hunt, Survivor, hunt};
use self::{expect::differences, journey::play};
use crate::{
    config::{LoadedPack, PackTest},
    engine::{
        Engine, Settings,
        decode::Dialect,
        rules::{RuleSet, spec::At},
    },
};

/// An expectation that was not met, or a test that could not be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `file:line`.
    pub place: String,
    /// The test's name.
    pub test: String,
    /// What differs, in lines.
    pub text: String,
}

/// What running the tests of a pack showed.
#[derive(Clone, Debug, Default)]
pub struct PackOutcome {
    /// What was not as expected.
    pub failures: Vec<Failure>,
    /// Rules that no test hits: where they stand, and their names.
    pub idle_rules: Vec<(String, String)>,
    /// How many tests ran.
    pub test_count: usize,
    /// How many rules they are about.
    pub rule_count: usize,
}

/// Runs the tests of a pack. Where it stands on a shipped one, it is judged by its own tests alone:
/// those of the shipped pack are about the pack as it is shipped.
pub fn run(pack: &LoadedPack, settings: &Settings) -> PackOutcome {
    let own = own_tests(pack);
    let bench = Bench::new(&pack.spec, settings);
    let mut outcome = PackOutcome { test_count: own.len(), ..PackOutcome::default() };
    let Ok(mut bench) = bench else {
        // What was loaded compiles, or it would not have been loaded.
        return outcome;
    };
    let mut hit = BTreeSet::new();
    for test in own {
        let trial = bench.run(test);
        hit.extend(trial.hit);
        outcome.failures.extend(trial.differences.into_iter().map(|(at, text)| Failure {
            place: pack.sources.line(at),
            test: test.name.value.clone(),
            text,
        }));
    }
    let own_rules = pack.spec.rules.iter().enumerate();
    let own_rules = own_rules.filter(|(_, rule)| is_own(pack, rule.at));
    outcome.rule_count = own_rules.clone().count();
    outcome.idle_rules = own_rules
        .filter(|(index, _)| !hit.contains(index))
        .map(|(_, rule)| (pack.sources.line(rule.at), rule.name.value.clone()))
        .collect();
    outcome
}

/// Returns the tests that a pack is judged by.
fn own_tests(pack: &LoadedPack) -> Vec<&PackTest> {
    pack.tests.iter().filter(|test| is_own(pack, test.name.at)).collect()
}

/// Something is the pack's own unless it came with a pack that it stands on.
fn is_own(pack: &LoadedPack, at: At) -> bool {
    if pack.lineage.inherited.contains(&at) {
        return false;
    }
    let shipped = |at| pack.sources.is_shipped(at);
    let only_shipped = || pack.spec.rules.iter().all(|rule| shipped(rule.at));
    !shipped(at) || only_shipped()
}

/// What one test showed.
struct Trial {
    differences: Vec<(At, String)>,
    /// The rules that matched, by position.
    hit: BTreeSet<usize>,
}

/// Rules with which tests are run. Tests that set their own clock or zone have an engine of their
/// own.
struct Bench {
    rules: Arc<RuleSet>,
    settings: Settings,
}

impl Bench {
    fn new(
        spec: &crate::engine::rules::spec::PackSpec,
        settings: &Settings,
    ) -> Result<Self, Vec<crate::engine::rules::spec::Problem>> {
        let rules = Arc::new(RuleSet::compile(spec.clone())?);
        Ok(Self { rules, settings: settings.clone() })
    }

    fn run(&mut self, test: &PackTest) -> Trial {
        let mut settings = self.settings.clone();
        // A test says in full what time it is; what is old pages nobody here.
        (settings.expects_keys, settings.backfill_after) = (false, None);
        settings.deadlines_per_commit = usize::MAX;
        settings.history_since = test.history_complete.then(|| test.start.minus(journey::LONG));
        if let Some(zone) = &test.zone {
            settings.timezone = zone.clone();
        }
        let engine = Engine::new(Arc::clone(&self.rules), settings, Dialect::Native);
        let played = play(&engine, test);
        Trial { differences: differences(test, &played), hit: played.hit }
    }
}
