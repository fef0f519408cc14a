//! Short words for writing rules in tests.

use crate::{
    engine::rules::spec::{
        At, CloseSpec, Condition, CustomerTest, DueSpec, EpisodeSpec, HalfLifeSpec, LabelSpec,
        Located, OncePer, OpenSpec, PackSpec, PointsSpec, RuleSpec, Scalar, ScaleEnd, ScaleKind,
        SeenSpec, Test, TrackSpec, ValenceSpec,
    },
    model::{MicroMoment, MomentOfTruth, Severity, Span, Stage, Track, Valence},
};

pub(super) const SECOND: Span = 1000;
pub(super) const MINUTE: Span = 60 * SECOND;
pub(super) const HOUR: Span = 60 * MINUTE;
pub(super) const DAY: Span = 24 * HOUR;

pub(super) fn located<T>(value: T) -> Located<T> {
    Located { value, at: At::default() }
}

pub(super) fn text(value: &str) -> Located<String> {
    located(value.to_owned())
}

pub(super) fn event(name: &str) -> Condition {
    Condition::Event(name.split(' ').map(text).collect())
}

pub(super) fn derived_from(kind: &str) -> Condition {
    Condition::Episode(vec![text(kind)])
}

pub(super) fn all(parts: impl IntoIterator<Item = Condition>) -> Condition {
    Condition::All(parts.into_iter().collect())
}

pub(super) fn customer(test: CustomerTest) -> Condition {
    Condition::Customer(test)
}

pub(super) fn property(path: &str, equal: &str) -> Condition {
    let test = Test::In(vec![Scalar::Text(equal.to_owned())]);
    Condition::Property { path: text(path), test }
}

/// `events` seen so often within that time; `by` is `same`, `distinct` or nothing, with a path.
pub(super) fn seen(events: &str, at_least: u8, within: Span, by: &str) -> Condition {
    let path = |word: &str| by.strip_prefix(word).map(|path| text(path.trim()));
    customer(CustomerTest::Seen(SeenSpec {
        at: At::default(),
        events: events.split(' ').map(text).collect(),
        within,
        at_least,
        same: path("same "),
        distinct: path("distinct "),
    }))
}

/// A rule that does nothing yet.
pub(super) fn rule(name: &str, when: Condition) -> RuleSpec {
    RuleSpec {
        at: At::default(),
        name: text(name),
        was: Vec::new(),
        when,
        label: LabelSpec::default(),
        points: Vec::new(),
        opens: None,
        closes: None,
        reversible: None,
        reverses: None,
        recover_within: None,
        acquires: None,
        ignore: false,
        alert: false,
    }
}

/// Adds to a rule, a word at a time.
pub(super) trait Rule: Sized {
    fn labels(self, intent: MicroMoment, truth: MomentOfTruth, stage: Stage) -> Self;
    fn stage(self, stage: Stage) -> Self;
    fn valence(self, valence: Valence) -> Self;
    fn pain(self, reason: &str, severity: Severity) -> Self;
    fn scale(self, kind: ScaleKind, path: &str, worst: f64, best: f64) -> Self;
    fn gives(self, track: Track, add: f64, cap: f64, once_per: OncePer) -> Self;
    fn half_life(self, half_life: HalfLifeSpec) -> Self;
    fn opens(self, kind: &str, key: &str, due: Option<DueSpec>) -> Self;
    fn closes(self, kind: &str, key: &str) -> Self;
    fn reversible(self, path: &str) -> Self;
    fn reverses(self, path: &str) -> Self;
    fn within(self, span: Span) -> Self;
    fn acquires(self, path: &str) -> Self;
    fn ignored(self) -> Self;
}

fn path(path: &str) -> Option<Located<String>> {
    (!path.is_empty()).then(|| text(path))
}

impl Rule for RuleSpec {
    fn labels(mut self, intent: MicroMoment, truth: MomentOfTruth, stage: Stage) -> Self {
        self.label.micro_moment = Some(intent);
        self.label.moment_of_truth = Some(truth);
        self.stage(stage)
    }

    fn stage(mut self, stage: Stage) -> Self {
        self.label.stage = Some(stage);
        self
    }

    fn valence(mut self, valence: Valence) -> Self {
        self.label.valence = Some(ValenceSpec::Is(valence));
        self
    }

    fn pain(mut self, reason: &str, severity: Severity) -> Self {
        self.label.reason = Some(text(reason));
        self.label.severity = Some(severity);
        self.valence(Valence::Pain)
    }

    fn scale(mut self, kind: ScaleKind, path: &str, worst: f64, best: f64) -> Self {
        let property = text(path);
        let (worst, best) = (ScaleEnd::Is(worst), ScaleEnd::Is(best));
        self.label.valence = Some(ValenceSpec::Scale { property, kind, worst, best });
        self
    }

    fn gives(mut self, track: Track, add: f64, cap: f64, once_per: OncePer) -> Self {
        let at = At::default();
        let cap = Some(cap);
        self.points.push(PointsSpec { at, track, add, cap, once_per, half_life: None });
        self
    }

    fn half_life(mut self, half_life: HalfLifeSpec) -> Self {
        self.points.last_mut().unwrap().half_life = Some(half_life);
        self
    }

    fn opens(mut self, kind: &str, key: &str, due: Option<DueSpec>) -> Self {
        self.opens = Some(OpenSpec { at: At::default(), episode: text(kind), key: path(key), due });
        self
    }

    fn closes(mut self, kind: &str, key: &str) -> Self {
        let (at, reasons) = (At::default(), Vec::new());
        self.closes = Some(CloseSpec { at, episode: text(kind), key: path(key), reasons });
        self
    }

    fn reversible(mut self, by: &str) -> Self {
        self.reversible = path(by);
        self
    }

    fn reverses(mut self, by: &str) -> Self {
        self.reverses = path(by);
        self
    }

    fn within(mut self, span: Span) -> Self {
        self.recover_within = Some(span);
        self
    }

    fn acquires(mut self, by: &str) -> Self {
        self.acquires = path(by);
        self
    }

    fn ignored(mut self) -> Self {
        self.ignore = true;
        self
    }
}

/// The promise in that property; a bare date means its end.
pub(super) fn promised(path: &str) -> Option<DueSpec> {
    Some(DueSpec::Field { field: text(path), bare_date_ends: true })
}

/// A pack of these rules, with a few tracks and kinds of episode.
pub(super) fn pack(rules: Vec<RuleSpec>) -> PackSpec {
    let tracks = [
        (Track::Access, 0.3, Some(45 * DAY)),
        (Track::Engage, 0.4, Some(20 * DAY)),
        (Track::Customize, 0.2, None),
        (Track::Collaborate, 0.1, Some(60 * DAY)),
    ];
    let kinds = [
        ("delivery", None),
        ("support", Some(72 * HOUR)),
        ("answer", Some(4 * HOUR)),
        ("trial", None),
    ];
    PackSpec {
        name: "test".to_owned(),
        tracks: tracks
            .map(|(track, weight, half_life)| (track, TrackSpec { weight, half_life }))
            .into(),
        absence: Some(60 * DAY),
        episodes: kinds
            .map(|(name, due)| (name.to_owned(), EpisodeSpec { due, channel: None }))
            .into(),
        rules,
        ..PackSpec::default()
    }
}
