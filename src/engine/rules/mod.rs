//! Rules: written ([`spec`]), checked and compiled ([`RuleSet`]), run in `classify`.
//!
//! Compiling happens once per load; running shares the result between all partitions. Rules are
//! numbered by position while loaded and known by the stable hash of their name in state rows, so
//! that reordering a file moves nobody's points.

mod compile;
mod expression;
mod guess;
mod hidden;
mod rating;
pub mod spec;
mod warn;

use std::sync::Arc;

use hashbrown::HashMap;

pub(crate) use self::expression::{
    Alone, Expression, HistoryTest, Leaves, Seen, Truth, ValueTest, feels, number_of,
};
pub use self::hidden::Hidden;
use self::{
    guess::Guesses,
    spec::{At, HalfLifeSpec, OncePer, PackSpec, Problem, ScaleKind},
};
use crate::{
    engine::text::Lexicon,
    model::{
        Actor, Channels, Evidence, MicroMoment, MomentOfTruth, Severity, Span, StableHash, Stage,
        Track, Valence,
    },
};

/// Position of a property path that some rule asks for.
pub(crate) type PathIx = u16;
/// Position of a kind of episode.
pub(crate) type KindIx = u8;
/// Position of a rule.
pub(crate) type RuleIx = u16;

/// A runnable set of rules: immutable, shared by every partition.
#[derive(Debug)]
pub struct RuleSet {
    version: Box<str>,
    version_hash: StableHash,
    pub(crate) rules: Box<[Rule]>,
    by_event: HashMap<Box<str>, Box<[RuleIx]>, foldhash::fast::FixedState>,
    any_event: Box<[RuleIx]>,
    by_hash: HashMap<StableHash, RuleIx, foldhash::fast::FixedState>,
    pub(crate) kinds: Box<[Kind]>,
    paths: Box<[Box<str>]>,
    /// What state rows store for each path, and back.
    path_hashes: Box<[StableHash]>,
    path_by_hash: HashMap<StableHash, PathIx, foldhash::fast::FixedState>,
    /// Paths whose values a re-evaluation needs: keys, `same`, `distinct`, `owns`.
    pub(crate) kept_paths: Box<[PathIx]>,
    /// Where a referral code may stand (DOMAIN.md, Journey).
    pub(crate) referral_paths: [PathIx; 2],
    event_synonyms: Vec<(Box<str>, Box<str>)>,
    property_synonyms: Vec<(Box<str>, Box<str>)>,
    event_actors: HashMap<Box<str>, Actor, foldhash::fast::FixedState>,
    channel_actors: HashMap<Box<str>, Actor, foldhash::fast::FixedState>,
    pub(crate) seen: SeenMemories,
    pub(crate) tracks: [TrackWeight; 5],
    pub(crate) absence: Option<Span>,
    guesses: Guesses,
    /// What texts are read with.
    pub(crate) lexicon: Arc<Lexicon>,
}

/// What `seen` predicates remember, by event.
pub(crate) type SeenMemories = HashMap<Box<str>, Vec<SeenMemory>, foldhash::fast::FixedState>;

/// One thing to remember when an event comes by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenMemory {
    pub(crate) memory: StableHash,
    pub(crate) same: Option<PathIx>,
    pub(crate) distinct: Option<PathIx>,
    pub(crate) at_least: u8,
    pub(crate) within: Span,
}

/// A track's part in the overall score.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrackWeight {
    pub(crate) weight: f64,
    pub(crate) half_life: HalfLifeSpec,
}

/// A kind of episode.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: Box<str>,
    /// What state rows store.
    pub(crate) hash: StableHash,
    pub(crate) due: Option<Span>,
    pub(crate) channel: Option<Box<str>>,
    /// The name of its derived touchpoint.
    pub(crate) derived: &'static str,
}

/// The kinds that the engine itself opens; they come first in every rule set, in this order.
pub(crate) mod kind {
    use super::KindIx;

    /// An open pain of severity 2 or more.
    pub(crate) const PAIN: KindIx = 0;
    /// A customer's silence.
    pub(crate) const ABSENCE: KindIx = 1;
    /// The time until a score falls into a lower band.
    pub(crate) const BAND: KindIx = 2;
    /// Their names.
    pub(crate) const BUILT_IN: [&str; 3] = ["pain", "absence", "band"];
}

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: Box<str>,
    pub(crate) hash: StableHash,
    pub(crate) when: Expression,
    /// Some leaf asks the history.
    pub(crate) asks_history: bool,
    pub(crate) label: Label,
    pub(crate) points: Box<[PointsRule]>,
    pub(crate) opens: Option<Opens>,
    pub(crate) closes: Option<Closes>,
    /// The key of a pain that this rule labels.
    pub(crate) pain_key: Option<PathIx>,
    pub(crate) recover_within: Option<Span>,
    pub(crate) reversible: Option<PathIx>,
    pub(crate) reverses: Option<PathIx>,
    pub(crate) acquires: Option<PathIx>,
    pub(crate) ignore: bool,
    pub(crate) alert: bool,
}

/// Compiled labels.
#[derive(Debug, Default)]
pub(crate) struct Label {
    pub(crate) micro_moment: Option<MicroMoment>,
    pub(crate) moment_of_truth: Option<MomentOfTruth>,
    pub(crate) stage: Option<Stage>,
    pub(crate) valence: Option<Valence>,
    pub(crate) scale: Option<Scale>,
    /// The valence is read from the customer's words.
    pub(crate) from_text: bool,
    /// The reason is, where they give one.
    pub(crate) reason_from_text: bool,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) severity: Option<Severity>,
    pub(crate) evidence: Option<Evidence>,
}

/// A rating to read a valence from.
#[derive(Debug)]
pub(crate) struct Scale {
    pub(crate) property: PathIx,
    pub(crate) kind: ScaleKind,
    pub(crate) worst: End,
    pub(crate) best: End,
}

/// Where a scale ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    At(f64),
    /// As the event says, or that.
    Field(PathIx, Option<f64>),
}

/// Compiled points for one track.
#[derive(Debug)]
pub(crate) struct PointsRule {
    pub(crate) track: Track,
    pub(crate) add: f64,
    pub(crate) cap: f64,
    pub(crate) once_per: OncePer,
    pub(crate) half_life: HalfLifeSpec,
}

/// Opens an episode.
#[derive(Debug)]
pub(crate) struct Opens {
    pub(crate) kind: KindIx,
    pub(crate) key: Option<PathIx>,
    pub(crate) due: Due,
}

/// Where a deadline comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// There is none.
    Never,
    /// So long after opening.
    After(Span),
    /// A promise in the event.
    Field { path: PathIx, bare_date_ends: bool },
}

/// Closes an episode.
#[derive(Debug)]
pub(crate) struct Closes {
    pub(crate) kind: KindIx,
    pub(crate) key: Option<PathIx>,
    /// Of pains, only those with one of these reasons; empty means any.
    pub(crate) reasons: Box<[Box<str>]>,
}

impl Closes {
    /// Returns whether a pain with that reason is meant.
    pub(crate) fn means(&self, reason: Option<&str>) -> bool {
        self.reasons.is_empty() || self.reasons.iter().any(|one| Some(&**one) == reason)
    }
}

impl RuleSet {
    /// Checks and compiles rule files.
    ///
    /// # Errors
    ///
    /// Returns every problem rather than the first, because a rule file is fixed in an editor and
    /// not by retrying.
    pub fn compile(pack: PackSpec) -> Result<Self, Vec<Problem>> {
        compile::compile(pack)
    }

    /// Returns what is allowed, but should be looked at.
    pub fn warnings(pack: &PackSpec) -> Vec<Problem> {
        warn::warnings(pack)
    }

    /// Returns the rules that never have an effect, since those before them hold wherever they do
    /// and leave them nothing to say. `beside` says of the places of two rules whether one may be
    /// told to hide the other.
    pub fn hidden(pack: &PackSpec, beside: impl Fn(At, At) -> bool) -> Vec<Hidden<'_>> {
        hidden::hidden(pack, beside)
    }

    /// Returns the content hash of the rules, 16 hexadecimal digits: `rules_version` in records.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) const fn version_hash(&self) -> StableHash {
        self.version_hash
    }

    /// Returns every rule's name, by index (`Fact::RuleHit`).
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.name)
    }

    /// Returns every episode kind's name, by index (`Fact::EpisodeOpened` and others).
    pub fn kind_names(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|kind| &*kind.name)
    }

    /// Returns how far back the predicate with that memory looks; `None` if it is gone.
    pub(crate) fn seen_within(&self, memory: StableHash) -> Option<Span> {
        self.seen.values().flatten().find(|one| one.memory == memory).map(|one| one.within)
    }

    /// Returns the events that the predicate with that memory counts, sorted.
    pub(crate) fn seen_events(&self, memory: StableHash) -> Vec<&str> {
        let counted =
            self.seen.iter().filter(|(_, all)| all.iter().any(|one| one.memory == memory));
        let mut events: Vec<&str> = counted.map(|(event, _)| &**event).collect();
        events.sort_unstable();
        events
    }

    /// Returns the path whose values the predicate with that memory tells apart.
    pub(crate) fn seen_distinct(&self, memory: StableHash) -> Option<PathIx> {
        self.seen.values().flatten().find(|one| one.memory == memory)?.distinct
    }

    /// Returns a path as it is written in rules.
    pub(crate) fn path_name(&self, path: PathIx) -> &str {
        self.paths.get(usize::from(path)).map_or("?", |path| path)
    }

    /// Returns what a state row stores for a path.
    pub(crate) fn path_hash(&self, path: PathIx) -> StableHash {
        self.path_hashes.get(usize::from(path)).copied().unwrap_or(0)
    }

    /// Returns the path that a state row stored.
    pub(crate) fn path_by_hash(&self, hash: StableHash) -> Option<PathIx> {
        self.path_by_hash.get(&hash).copied()
    }

    /// Returns the property paths that rules ask for; decode captures their values.
    pub fn property_paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|path| &**path)
    }

    /// Returns (other name, canonical name) of every event synonym.
    pub fn event_synonyms(&self) -> impl Iterator<Item = (&str, &str)> {
        self.event_synonyms.iter().map(|(other, canonical)| (&**other, &**canonical))
    }

    /// Returns (other name, canonical name) of every property synonym.
    pub fn property_synonyms(&self) -> impl Iterator<Item = (&str, &str)> {
        self.property_synonyms.iter().map(|(other, canonical)| (&**other, &**canonical))
    }

    /// Returns who acts, where the touchpoint does not say so. The words of a name are asked only where
    /// no rule knows it: whoever named an event in a rule also says who acts, or means the customer.
    pub(crate) fn actor(&self, event: &str, channel: &str) -> Actor {
        let said = self.event_actors.get(event).or_else(|| self.channel_actors.get(channel));
        let guessed = || {
            let unknown = !self.by_event.contains_key(event);
            unknown.then(|| self.guesses.actor(event, channel)).flatten()
        };
        said.copied().or_else(guessed).unwrap_or(Actor::Customer)
    }

    /// Returns the rules that may match an event of that name, in order.
    pub(crate) fn candidates(&self, event: &str) -> &[RuleIx] {
        self.by_event.get(event).unwrap_or(&self.any_event)
    }

    /// Returns whether one of these rules wants somebody to be told.
    pub(crate) fn alerts(&self, rules: &[RuleIx]) -> bool {
        rules.iter().any(|&index| self.rule(index).is_some_and(|rule| rule.alert))
    }

    /// Returns whether any rule does.
    pub(crate) fn alerts_at_all(&self) -> bool {
        self.rules.iter().any(|rule| rule.alert)
    }

    /// Returns the rule with that position.
    pub(crate) fn rule(&self, index: RuleIx) -> Option<&Rule> {
        self.rules.get(usize::from(index))
    }

    /// Returns the rule whose name (or former name) has that hash.
    pub(crate) fn rule_by_hash(&self, hash: StableHash) -> Option<(RuleIx, &Rule)> {
        let index = *self.by_hash.get(&hash)?;
        Some((index, self.rule(index)?))
    }

    /// Returns the kind with that position.
    pub(crate) fn kind(&self, index: KindIx) -> Option<&Kind> {
        self.kinds.get(usize::from(index))
    }

    /// Returns the kind that a state row stored.
    pub(crate) fn kind_by_hash(&self, hash: StableHash) -> Option<KindIx> {
        let position = self.kinds.iter().position(|kind| kind.hash == hash)?;
        KindIx::try_from(position).ok()
    }

    /// Returns what the words of an event's name suggest, wherever it happened.
    pub fn suggested(&self, event: &str) -> Option<(MicroMoment, MomentOfTruth, Stage)> {
        self.guess(event, Channels::OTHER)
    }

    /// Returns what channel and name words suggest for an event that no rule knows.
    pub(crate) fn guess(
        &self,
        event: &str,
        channel: &str,
    ) -> Option<(MicroMoment, MomentOfTruth, Stage)> {
        self.guesses.guess(event, channel)
    }
}

impl Rule {
    /// Returns the points rule of a track.
    pub(crate) fn points_on(&self, track: Track) -> Option<&PointsRule> {
        self.points.iter().find(|points| points.track == track)
    }
}

impl PointsRule {
    /// Returns as much of a line's worth as the cap lets count.
    pub(crate) fn counted(&self, worth: f64) -> f64 {
        worth.clamp(-self.cap, self.cap)
    }
}

impl Scale {
    /// Reads a rating (DOMAIN.md, Scales), given what the touchpoint has under a path. A value
    /// outside its scale is unknown, and so is one whose scale is not known.
    pub(crate) fn read<'v>(
        &self,
        value: impl Fn(PathIx) -> Option<&'v crate::model::Property<'v>>,
    ) -> Valence {
        let Some(rated) = value(self.property) else { return Valence::Unknown };
        if self.kind == ScaleKind::Thumbs {
            return read_thumb(rated);
        }
        let end = |end: End| match end {
            End::At(at) => Some(at),
            End::Field(path, otherwise) => value(path).and_then(number_of).or(otherwise),
        };
        let ends = match self.kind {
            ScaleKind::Nps => Some((0.0, 10.0)),
            ScaleKind::Stars | ScaleKind::Effort | ScaleKind::Thumbs => {
                end(self.worst).zip(end(self.best))
            }
        };
        let Some(((rating, told), (worst, best))) = rating::rating_of(rated).zip(ends) else {
            return Valence::Unknown;
        };
        let best = told.filter(|_| worst < best).unwrap_or(best);
        // Ends that are the same make a share of infinity or none: outside, like any other.
        let share = (rating - worst) / (best - worst);
        if !(0.0..=1.0).contains(&share) {
            return Valence::Unknown;
        }
        match self.kind {
            ScaleKind::Nps if rating < 7.0 => Valence::Pain,
            ScaleKind::Nps if rating < 9.0 => Valence::Neutral,
            ScaleKind::Stars | ScaleKind::Effort if share <= 0.40 => Valence::Pain,
            ScaleKind::Stars if share < 0.85 => Valence::Neutral,
            ScaleKind::Effort => Valence::Neutral,
            ScaleKind::Nps | ScaleKind::Stars | ScaleKind::Thumbs => Valence::Glory,
        }
    }
}

const fn thumb(up: bool) -> Valence {
    if up { Valence::Glory } else { Valence::Pain }
}

fn read_thumb(value: &crate::model::Property<'_>) -> Valence {
    use crate::model::Property;
    match value {
        Property::Flag(up) => thumb(*up),
        Property::Number(number) => thumb(0.0 < *number),
        Property::Text(text) => match text.to_ascii_lowercase().as_str() {
            "up" | "yes" | "positive" | "helpful" | "like" | "good" | "1" | "true" => {
                Valence::Glory
            }
            "down" | "no" | "negative" | "not_helpful" | "dislike" | "bad" | "0" | "-1"
            | "false" => Valence::Pain,
            _ => Valence::Unknown,
        },
    }
}
