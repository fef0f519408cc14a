//! What the customer's history says: which of the candidates match.

use smallvec::SmallVec;

use crate::{
    engine::{
        rules::{Alone, HistoryTest, Leaves, PathIx, Rule, RuleIx, RuleSet, Seen, Truth},
        score::{band_at, standing_at},
        state::{Candidate, Digest, Engagement},
    },
    model::{Actor, EventTime, Span, Stage, stable_hash},
};

/// The history that predicates are asked of: the engagement before the touchpoint (with the
/// touchpoint already among what `seen` remembers).
#[derive(Clone, Copy, Debug)]
pub(crate) struct History<'a> {
    pub(crate) engagement: &'a Engagement,
    pub(crate) digest: &'a Digest,
    pub(crate) rules: &'a RuleSet,
    pub(crate) visit_gap: Span,
}

/// Most often a handful.
pub(crate) type RuleIxs = SmallVec<[RuleIx; 8]>;

/// The rules that match, in order.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub(crate) rules: RuleIxs,
    /// Some "first" could not be known yet.
    pub(crate) history_unknown: bool,
}

/// Returns the candidates that match.
pub(crate) fn matching(history: History<'_>) -> Matched {
    let mut matched = Matched::default();
    for candidate in &history.digest.candidates {
        let Some(rule) = history.rules.rule(candidate.rule) else { continue };
        match history.truth(rule, candidate) {
            Truth::True => matched.rules.push(candidate.rule),
            Truth::Unknown => matched.history_unknown = true,
            Truth::False => {}
        }
    }
    matched
}

struct WithBits<'h, 'a> {
    history: &'h History<'a>,
    leaves: u64,
}

impl Leaves for WithBits<'_, '_> {
    fn alone(&self, bit: u8, _: &Alone) -> Truth {
        (self.leaves.checked_shr(u32::from(bit)).unwrap_or(0) & 1 == 1).into()
    }

    fn history(&self, test: &HistoryTest) -> Truth {
        self.history.holds(test)
    }
}

impl History<'_> {
    fn truth(&self, rule: &Rule, candidate: &Candidate) -> Truth {
        if !rule.asks_history {
            // Examining decided it: only rules that hold are candidates.
            return Truth::True;
        }
        rule.when.truth(&WithBits { history: self, leaves: candidate.leaves })
    }

    pub(crate) fn holds(&self, test: &HistoryTest) -> Truth {
        let engagement = self.engagement;
        let ts = self.digest.ts;
        match test {
            HistoryTest::Stage(stages) => {
                stages.contains(&engagement.journey.stage.unwrap_or(Stage::None)).into()
            }
            HistoryTest::FirstVisit(wanted) => {
                let first = self.first_visit();
                if *wanted { first } else { negated(first) }
            }
            HistoryTest::Score { track, min, max } => {
                let standing = standing_at(engagement, self.rules, ts);
                let score = track.map_or(standing.overall, |track| standing.track(track));
                (*min..=*max).contains(&score).into()
            }
            HistoryTest::Band(bands) => {
                let overall = standing_at(engagement, self.rules, ts).overall;
                bands.contains(&band_at(engagement, overall)).into()
            }
            HistoryTest::Episode { kind, key, overdue, fixed } => {
                let wanted_key = key.map(|path| self.digest.value(path));
                let found = engagement.episodes.iter().any(|episode| {
                    let keyed =
                        wanted_key.is_none_or(|key| key.is_some() && episode.key.as_deref() == key);
                    let late = episode.deadline.is_some_and(|deadline| deadline < ts);
                    // What a recovering act may make good (see `recover`).
                    let may_recover = *fixed && !late && episode.opened_at <= ts;
                    episode.kind == *kind
                        && keyed
                        && (episode.pain.is_none() || episode.hurts() || may_recover)
                        && overdue.is_none_or(|wanted| wanted == late)
                });
                found.into()
            }
            HistoryTest::Owns(path) => {
                let owned = self.digest.values_of(*path).any(|value| {
                    let value = stable_hash(value.as_bytes());
                    engagement.owned.iter().any(|one| one.value == value && one.at <= ts)
                });
                owned.into()
            }
            HistoryTest::Seen(seen) => self.seen(seen).into(),
        }
    }

    fn seen(&self, seen: &Seen) -> bool {
        let Some(group) = group_of(self.digest, seen.same) else { return false };
        let count = self.engagement.seen.count((seen.memory, group), self.digest.ts, seen.within);
        usize::from(seen.at_least) <= count
    }

    /// In the first visit ever? Only `True` with evidence that the stream was known before.
    fn first_visit(&self) -> Truth {
        let engagement = self.engagement;
        let within = |last: EventTime| self.digest.ts.since(last) < self.visit_gap;
        let looks_first = match (engagement.visits, engagement.last_customer_at) {
            (0, _) => self.digest.actor == Actor::Customer,
            (1, Some(last)) => within(last),
            _ => false,
        };
        match (looks_first, self.digest.history_complete) {
            (false, _) => Truth::False,
            (true, true) => Truth::True,
            (true, false) => Truth::Unknown,
        }
    }
}

const fn negated(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

/// Returns the group of a `same` property; `None` where the touchpoint does not have it.
pub(crate) fn group_of(digest: &Digest, same: Option<PathIx>) -> Option<u64> {
    match same {
        None => Some(0),
        Some(path) => digest.value(path).map(|value| stable_hash(value.as_bytes())),
    }
}
