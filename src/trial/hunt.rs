//! Hunting mutants: every small wrong is tried against the tests; who survives is told.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bench, is_own, mutants::mutants, own_tests};
use crate::{
    config::{LoadedPack, PackTest},
    engine::{Settings, rules::spec::PackSpec},
};

/// A change that no test notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// `file:line` of the rule.
    pub place: String,
    /// The rule's name.
    pub rule: String,
    /// What was changed: `stage loyalty → advocacy`.
    pub change: String,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Hunt {
    /// How many changes were tried.
    pub tried: usize,
    /// Those that nobody would notice.
    pub survivors: Vec<Survivor>,
}

impl Hunt {
    /// Returns how many of a hundred changes the tests notice; 100 where there is nothing to change.
    pub fn noticed_percent(&self) -> f64 {
        let number = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
        if self.tried == 0 {
            return 100.0;
        }
        100.0 * (1.0 - number(self.survivors.len()) / number(self.tried))
    }
}

/// Tries every mutant of every rule of the pack's own against its tests. `told` hears of each rule
/// before its turn, as (how many are done, how many there are).
pub fn hunt(pack: &LoadedPack, settings: &Settings, told: &mut dyn FnMut(usize, usize)) -> Hunt {
    let tests = own_tests(pack);
    let Some(touching) = tests_by_rule(pack, settings, &tests) else { return Hunt::default() };
    let own: Vec<usize> = (0..pack.spec.rules.len())
        .filter(|&index| pack.spec.rules.get(index).is_some_and(|rule| is_own(pack, rule.at)))
        .collect();
    let mut hunt = Hunt::default();
    let mut spec = pack.spec.clone();
    for (done, &index) in own.iter().enumerate() {
        told(done, own.len());
        let Some(rule) = pack.spec.rules.get(index) else { continue };
        let hit = touching.get(&index);
        let matters_to = |test: &usize| hit.is_some_and(|set| set.contains(test));
        // What a rule says matters to those alone that it hits. Where it may come to match more, they
        // have the first word: most mutants end there.
        let (first, rest): (Vec<usize>, Vec<usize>) = (0..tests.len()).partition(matters_to);
        for mutant in mutants(rule) {
            hunt.tried += 1;
            if let Some(slot) = spec.rules.get_mut(index) {
                *slot = mutant.rule;
            }
            let others = rest.iter().filter(|_| mutant.widens);
            let order = first.iter().chain(others).filter_map(|&test| tests.get(test).copied());
            if !is_noticed(&spec, settings, order) {
                hunt.survivors.push(Survivor {
                    place: pack.sources.line(rule.at),
                    rule: rule.name.value.clone(),
                    change: mutant.change,
                });
            }
        }
        if let Some(slot) = spec.rules.get_mut(index) {
            slot.clone_from(rule);
        }
    }
    hunt
}

/// Returns which tests hit each rule.
fn tests_by_rule(
    pack: &LoadedPack,
    settings: &Settings,
    tests: &[&PackTest],
) -> Option<BTreeMap<usize, BTreeSet<usize>>> {
    let mut bench = Bench::new(&pack.spec, settings).ok()?;
    let mut touching: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (number, test) in tests.iter().enumerate() {
        for rule in bench.run(test).hit {
            touching.entry(rule).or_default().insert(number);
        }
    }
    Some(touching)
}

/// A mutant that does not even load is noticed.
fn is_noticed<'t>(
    spec: &PackSpec,
    settings: &Settings,
    mut tests: impl Iterator<Item = &'t PackTest>,
) -> bool {
    let Ok(mut bench) = Bench::new(spec, settings) else { return true };
    tests.any(|test| !bench.run(test).differences.is_empty())
}
