//! Packs that stand on others, and packs that are read one after the other.
//!
//! A pack that `extends` another is asked first and has the last word: its settings hold where both
//! say something, a rule of the same name takes the other's place, a rule that it drops is gone.

use std::collections::BTreeSet;

use super::PackTest;
use crate::{
    config::{near::nearest, problem::Problems},
    engine::rules::spec::{At, Located, PackSpec, RuleSpec},
};

/// One or more packs, merged.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// What the files say of labels, points and episodes.
    pub spec: PackSpec,
    /// The tests that stand beside the rules; those of packs that it extends are not its own.
    pub tests: Vec<PackTest>,
    /// Which rules come from where.
    pub lineage: Lineage,
    /// It says what an absence is (or that there is none).
    pub(super) says_absence: bool,
    /// What could not be read as it was meant.
    pub(in crate::config) flaws: Flaws,
}

/// What of a pack could not be read as it was meant: whatever rests on it has problems that nobody
/// made, and is not to be told.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Flaws {
    /// Places of the rules of which something is missing.
    pub(super) rules: BTreeSet<At>,
    /// A part that declares names is missing: nobody knows which there are.
    pub(super) names: bool,
}

impl Flaws {
    fn append(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.names |= other.names;
    }
}

impl Pack {
    /// Leaves out the rules of which something is missing; `None` where too little is left to say
    /// anything of the others.
    pub(in crate::config) fn without_flaws(&self) -> Option<PackSpec> {
        if self.flaws.names {
            return None;
        }
        let mut spec = self.spec.clone();
        spec.rules.retain(|rule| !self.flaws.rules.contains(&rule.at));
        Some(spec)
    }
}

/// Where rules come from, in a pack that extends others.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// Places of rules that come from a pack that was extended.
    pub inherited: BTreeSet<At>,
    /// Place of a rule, and the place of the one that it replaces.
    pub replaced: Vec<(At, At)>,
    /// Rules that were dropped: their place, and where that is said.
    pub dropped: Vec<(Located<String>, At)>,
}

impl Lineage {
    fn append(&mut self, other: Self) {
        self.inherited.extend(other.inherited);
        self.replaced.extend(other.replaced);
        self.dropped.extend(other.dropped);
    }
}

impl Pack {
    /// Reads another pack after this one: its rules are asked later, its settings hold.
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        let Self { spec, tests, lineage, says_absence, flaws } = other;
        if !spec.name.is_empty() {
            self.spec.name.clone_from(&spec.name);
        }
        let rules = std::mem::take(&mut self.spec.rules);
        let guesses = std::mem::take(&mut self.spec.guesses);
        let absence = if says_absence { spec.absence } else { self.spec.absence };
        self.spec = settings_over(self.spec, spec);
        self.spec.absence = absence;
        self.spec.rules.splice(0..0, rules);
        self.spec.guesses.splice(0..0, guesses);
        self.tests.extend(tests);
        self.lineage.append(lineage);
        self.flaws.append(flaws);
        self.says_absence |= says_absence;
        self
    }

    /// Lets this pack stand on another.
    pub(super) fn over(
        self,
        base: Self,
        drops: &[Located<String>],
        problems: &mut Problems,
    ) -> Self {
        let Self { mut spec, tests, mut lineage, says_absence, mut flaws } = self;
        let name = spec.name.clone();
        let own = std::mem::take(&mut spec.rules);
        let own_guesses = std::mem::take(&mut spec.guesses);
        let absence = if says_absence { spec.absence } else { base.spec.absence };
        let says_absence = says_absence || base.says_absence;
        lineage.append(base.lineage);
        flaws.append(base.flaws);
        lineage.inherited.extend(base.spec.rules.iter().map(|rule| rule.at));
        let mut spec = settings_over(base.spec, spec);
        (spec.name, spec.absence) = (name, absence);
        drop_rules(&mut spec.rules, drops, &mut lineage, problems);
        let mut first = Vec::new();
        for rule in own {
            let named = |other: &&mut RuleSpec| other.name.value == rule.name.value;
            if let Some(slot) = spec.rules.iter_mut().find(named) {
                lineage.replaced.push((rule.at, slot.at));
                *slot = rule;
            } else {
                first.push(rule);
            }
        }
        spec.rules.splice(0..0, first);
        spec.guesses.splice(0..0, own_guesses);
        Self { spec, tests, lineage, says_absence, flaws }
    }
}

fn drop_rules(
    rules: &mut Vec<RuleSpec>,
    drops: &[Located<String>],
    lineage: &mut Lineage,
    problems: &mut Problems,
) {
    for dropped in drops {
        let Some(position) = rules.iter().position(|rule| rule.name.value == dropped.value) else {
            let names = rules.iter().map(|rule| rule.name.value.as_str());
            let help = match nearest(&dropped.value, names) {
                Some(name) => format!("did you mean \"{name}\"?"),
                None => "\"rega check --rules\" lists them".to_owned(),
            };
            let message = format!("no rule of the extended pack is called \"{}\"", dropped.value);
            problems.add_with_help(dropped.at, message, help);
            continue;
        };
        let rule = rules.remove(position);
        lineage.dropped.push((Located { value: rule.name.value, at: rule.at }, dropped.at));
    }
}

/// Merges all but names, rules, guesses' order and absence: where both say something, `over` holds.
fn settings_over(mut base: PackSpec, over: PackSpec) -> PackSpec {
    // Taken apart whole, so that a new part of a pack is not forgotten here.
    let PackSpec {
        name: _,
        tracks,
        reasons,
        events,
        properties,
        event_actors,
        channel_actors,
        absence: _,
        episodes,
        guesses,
        rules,
        word_lists,
        // Compiled when the pack is whole.
        lexicon: _,
    } = over;
    base.tracks.extend(tracks);
    base.reasons.extend(reasons);
    base.word_lists.extend(word_lists);
    for (name, others) in events {
        base.events.entry(name).or_default().extend(others);
    }
    for (name, others) in properties {
        base.properties.entry(name).or_default().extend(others);
    }
    base.event_actors.extend(event_actors);
    base.channel_actors.extend(channel_actors);
    base.episodes.extend(episodes);
    base.guesses.extend(guesses);
    base.rules.extend(rules);
    base
}
