//! From rules as written to rules that run, with every problem reported at once.

mod cycles;
mod dispatch;
mod says;
mod when;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hashbrown::HashMap;

use self::{cycles::cycles, dispatch::dispatch};
use super::{
    Kind, KindIx, PathIx, Rule, RuleIx, RuleSet, SeenMemories, TrackWeight,
    guess::Guesses,
    kind,
    spec::{At, HalfLifeSpec, Located, PackSpec, Problem, RuleSpec},
};
use crate::{
    engine::{decode::normal_event, text::Lexicon},
    model::{Span, StableHash, Track, Valence, stable_hash},
};

/// Reasons that every pack has (DOMAIN.md, The labels of a touchpoint).
const REASONS: [&str; 17] = [
    "late_delivery",
    "not_as_described",
    "rude_agent",
    "ignored",
    "long_wait",
    "unanswered",
    "no_show",
    "repeat_contact",
    "repeat_visit",
    "payment_failed",
    "out_of_stock",
    "app_crash",
    "overcharged",
    "lost",
    "damaged",
    "cancelled_by_brand",
    "unrecovered_pain",
];

/// A rule that asks history may have so many tests of the touchpoint itself: each is one bit of a
/// digest.
const MAX_LEAVES: u8 = 64;

/// Most rules in one set: positions are 16 bits, and metrics have a label per rule.
const MAX_RULES: usize = 10_000;

const DAY: Span = 86_400_000;

/// The half-life of a track that no pack mentions (DOMAIN.md, The score).
const fn default_half_life(track: Track) -> Span {
    match track {
        Track::Access | Track::Engage => 45 * DAY,
        Track::Customize | Track::Collaborate => 60 * DAY,
        Track::Connect => 30 * DAY,
    }
}

pub(super) fn compile(pack: PackSpec) -> Result<RuleSet, Vec<Problem>> {
    let version_hash = content_hash(&pack);
    let mut compiler = Compiler::new(&pack);
    let rules: Vec<Rule> = pack.rules.iter().map(|rule| compiler.rule(rule)).collect();
    let by_hash = compiler.index_names(&pack.rules);
    let cycles = cycles(&pack.rules, &compiler.kinds);
    compiler.problems.extend(cycles);
    if MAX_RULES < rules.len() {
        compiler.problem(At::default(), format!("more than {MAX_RULES} rules"), None);
    }
    compiler.check_words();
    let referral_paths = ["referral_code", "referred_by"].map(|path| compiler.path(path));
    if !compiler.problems.is_empty() {
        return Err(compiler.problems);
    }
    let (by_event, any_event) = dispatch(&rules, &compiler.kinds);
    let path_hashes: Box<[StableHash]> =
        compiler.paths.iter().map(|path| stable_hash(path.as_bytes())).collect();
    let mut kept: BTreeSet<PathIx> = compiler.kept;
    kept.extend(referral_paths);
    Ok(RuleSet {
        version: format!("{version_hash:016x}").into(),
        version_hash,
        rules: rules.into(),
        by_event,
        any_event,
        by_hash,
        kinds: compiler.kinds.into(),
        paths: compiler.paths.into_iter().map(String::into_boxed_str).collect(),
        path_by_hash: path_hashes.iter().copied().zip(0..).collect(),
        path_hashes,
        kept_paths: kept.into_iter().collect(),
        referral_paths,
        event_synonyms: synonyms(&pack.events, |name| normal_event(name.into()).into_owned()),
        property_synonyms: synonyms(&pack.properties, str::to_owned),
        event_actors: pack.event_actors.iter().map(|(k, v)| (Box::from(&**k), *v)).collect(),
        channel_actors: pack.channel_actors.iter().map(|(k, v)| (Box::from(&**k), *v)).collect(),
        seen: compiler.seen,
        tracks: compiler.tracks,
        absence: pack.absence,
        guesses: Guesses::new(pack.guesses),
        lexicon: compiler.lexicon,
    })
}

/// Returns a hash of what the rules mean: positions in the files do not count.
fn content_hash(pack: &PackSpec) -> StableHash {
    let written = format!("{pack:?}");
    let mut meaning = String::with_capacity(written.len());
    let mut rest = written.as_str();
    while let Some((before, after)) = rest.split_once("At(") {
        meaning.push_str(before);
        rest = after.split_once(')').map_or("", |(_, tail)| tail);
    }
    meaning.push_str(rest);
    stable_hash(meaning.as_bytes())
}

/// Pairs every other name, as `read` would see it, with its canonical one.
fn synonyms(
    names: &BTreeMap<String, Vec<Located<String>>>,
    read: impl Fn(&str) -> String,
) -> Vec<(Box<str>, Box<str>)> {
    names
        .iter()
        .flat_map(|(canonical, others)| {
            others.iter().map(|other| (read(&other.value).into(), Box::from(&**canonical)))
        })
        .collect()
}

/// Returns how fast points on a track fade where their rule does not say.
pub(super) fn half_life_of(pack: &PackSpec, track: Track) -> HalfLifeSpec {
    let track = tracks(pack).get(track.index()).map(|track| track.half_life);
    track.unwrap_or(HalfLifeSpec::Never)
}

fn tracks(pack: &PackSpec) -> [TrackWeight; 5] {
    std::array::from_fn(|index| {
        let track = Track::from_index(index).unwrap_or(Track::Access);
        pack.tracks.get(&track).map_or(
            TrackWeight {
                weight: if pack.tracks.is_empty() { 0.2 } else { 0.0 },
                half_life: HalfLifeSpec::After(default_half_life(track)),
            },
            |spec| TrackWeight {
                weight: spec.weight,
                half_life: spec.half_life.map_or(HalfLifeSpec::Never, HalfLifeSpec::After),
            },
        )
    })
}

/// Returns the name of what a kind's deadline emits (DOMAIN.md, Episodes).
fn derived_event(kind: &str) -> &'static str {
    match kind {
        "pain" => "unrecovered_pain",
        "answer" => "missed_moment",
        "absence" => "lapsed",
        "band" => "band_changed",
        _ => "episode_overdue",
    }
}

struct Compiler {
    problems: Vec<Problem>,
    kinds: Vec<Kind>,
    paths: Vec<String>,
    kept: BTreeSet<PathIx>,
    reasons: BTreeSet<String>,
    seen: SeenMemories,
    tracks: [TrackWeight; 5],
    lexicon: Arc<Lexicon>,
}

impl Compiler {
    fn new(pack: &PackSpec) -> Self {
        let built_in = kind::BUILT_IN.map(|name| (name.to_owned(), None, None));
        let declared = pack
            .episodes
            .iter()
            .filter(|(name, _)| !kind::BUILT_IN.contains(&name.as_str()))
            .map(|(name, spec)| (name.clone(), spec.due, spec.channel.clone()));
        let kinds = built_in
            .into_iter()
            .chain(declared)
            .map(|(name, due, channel)| Kind {
                hash: stable_hash(name.as_bytes()),
                derived: derived_event(&name),
                name: name.into(),
                due,
                channel: channel.map(String::into_boxed_str),
            })
            .collect();
        let reasons = REASONS
            .iter()
            .map(|reason| (*reason).to_owned())
            .chain(pack.reasons.iter().map(|reason| reason.value.clone()))
            .collect();
        Self {
            problems: Vec::new(),
            kinds,
            paths: Vec::new(),
            kept: BTreeSet::new(),
            reasons,
            seen: SeenMemories::default(),
            tracks: tracks(pack),
            lexicon: pack.lexicon.clone().unwrap_or_default(),
        }
    }

    fn problem(&mut self, at: At, message: String, help: Option<String>) {
        self.problems.push(Problem { at, message, help });
    }

    /// Returns the position of a path, adding it where it is new.
    fn path(&mut self, path: &str) -> PathIx {
        let position = self.paths.iter().position(|one| one == path).unwrap_or_else(|| {
            self.paths.push(path.to_owned());
            self.paths.len() - 1
        });
        PathIx::try_from(position).unwrap_or(PathIx::MAX)
    }

    /// As [`Self::path`], for a value that a re-evaluation needs.
    fn kept_path(&mut self, path: &Located<String>) -> PathIx {
        let position = self.path(&path.value);
        self.kept.insert(position);
        position
    }

    fn kept_option(&mut self, path: Option<&Located<String>>) -> Option<PathIx> {
        path.map(|path| self.kept_path(path))
    }

    fn kind(&mut self, name: &Located<String>) -> KindIx {
        let position = self.kinds.iter().position(|kind| *kind.name == *name.value);
        if position.is_none() {
            let known: Vec<&str> = self.kinds.iter().map(|kind| &*kind.name).collect();
            let help =
                format!("declare it under \"episodes\", or use one of: {}", known.join(", "));
            self.problem(
                name.at,
                format!("no kind of episode is called \"{}\"", name.value),
                Some(help),
            );
        }
        position.and_then(|position| KindIx::try_from(position).ok()).unwrap_or(kind::PAIN)
    }

    fn rule(&mut self, spec: &RuleSpec) -> Rule {
        let mut leaves = 0;
        let when = self.condition(&spec.when, &mut leaves);
        let mut asks_history = false;
        when.each_history(&mut |_| asks_history = true);
        if asks_history && MAX_LEAVES < leaves {
            let message = format!("a rule that asks history may have {MAX_LEAVES} other tests");
            self.problem(spec.at, message, Some("split the rule".to_owned()));
        }
        let label = self.label(&spec.label);
        let hurts =
            label.valence == Some(Valence::Pain) || label.scale.is_some() || label.from_text;
        let (opens, pain_key, pain_due) = self.opens(spec, hurts);
        Rule {
            name: spec.name.value.as_str().into(),
            hash: stable_hash(spec.name.value.as_bytes()),
            when,
            asks_history,
            label,
            points: self.points(&spec.points),
            opens,
            closes: spec.closes.as_ref().map(|closes| self.closes(closes)),
            pain_key,
            recover_within: spec.recover_within.or(pain_due),
            reversible: self.kept_option(spec.reversible.as_ref()),
            reverses: self.kept_option(spec.reverses.as_ref()),
            acquires: self.kept_option(spec.acquires.as_ref()),
            ignore: spec.ignore,
            alert: spec.alert,
        }
    }

    /// Words may give no reason that the rules do not have.
    fn check_words(&mut self) {
        let lexicon = Arc::clone(&self.lexicon);
        for reason in lexicon.reasons() {
            self.known_reason(reason);
        }
    }

    /// Maps the hash of every name, present and former, to its rule.
    fn index_names(
        &mut self,
        rules: &[RuleSpec],
    ) -> HashMap<StableHash, RuleIx, foldhash::fast::FixedState> {
        let mut taken: BTreeMap<StableHash, &str> = BTreeMap::new();
        let mut index = HashMap::default();
        let present = rules.iter().map(|rule| (rule, std::slice::from_ref(&rule.name)));
        let former = rules.iter().map(|rule| (rule, rule.was.as_slice()));
        for (rule, names) in present.chain(former) {
            for name in names {
                let hash = stable_hash(name.value.as_bytes());
                if let Some(other) = taken.insert(hash, &name.value) {
                    let message = if other == name.value {
                        format!("two rules are (or were) called \"{other}\"")
                    } else {
                        format!("the names \"{other}\" and \"{}\" have the same hash", name.value)
                    };
                    let help = "rename one: the ledger is keyed by the name".to_owned();
                    self.problem(name.at, message, Some(help));
                }
                let position = rules.iter().position(|one| std::ptr::eq(one, rule));
                if let Some(position) = position.and_then(|one| RuleIx::try_from(one).ok()) {
                    index.insert(hash, position);
                }
            }
        }
        index
    }
}

fn boxed(names: &[Located<String>]) -> Box<[Box<str>]> {
    names.iter().map(|name| name.value.as_str().into()).collect()
}
