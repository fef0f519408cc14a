//! Rules as they were written: plain data with the place of every part, for good error messages.
//!
//! `config` reads these from YAML and reports what a file may not say; [`super::RuleSet::compile`]
//! reports what the rules may not mean.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    engine::text::{Lexicon, spec::WordListSpec},
    model::{
        Actor, Band, Evidence, MicroMoment, MomentOfTruth, Severity, Span, Stage, Track, Valence,
    },
};

/// Where something stands in the files that were read: an index into the reader's table of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub u32);

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: At,
}

/// What is wrong with a rule set, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: At,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// What is allowed, or what to write instead.
    pub help: Option<String>,
}

/// One or more rule files, merged in the order given.
#[derive(Clone, Debug, Default)]
pub struct PackSpec {
    /// The name of the (last) pack.
    pub name: String,
    /// Weight and half-life of each track.
    pub tracks: BTreeMap<Track, TrackSpec>,
    /// Reasons besides DOMAIN.md's.
    pub reasons: Vec<Located<String>>,
    /// Canonical event name → other names for it, as normalised names.
    pub events: BTreeMap<String, Vec<Located<String>>>,
    /// Canonical property name → other names for it (top level of `properties` only).
    pub properties: BTreeMap<String, Vec<Located<String>>>,
    /// Who acts in an event, where the touchpoint does not say so.
    pub event_actors: BTreeMap<String, Actor>,
    /// Who acts on a channel, where neither touchpoint nor event says so.
    pub channel_actors: BTreeMap<String, Actor>,
    /// Without a customer's touchpoint for so long, `lapsed` fires; `None` never.
    pub absence: Option<Span>,
    /// Kinds of episode: `delivery`, `support`, … and the user's own.
    pub episodes: BTreeMap<String, EpisodeSpec>,
    /// What an unknown event's words suggest, in order.
    pub guesses: Vec<GuessSpec>,
    /// The rules, in order.
    pub rules: Vec<RuleSpec>,
    /// The user's own words, which add to those that come with Rega.
    pub word_lists: Vec<WordListSpec>,
    /// All words, compiled: what rules read texts with.
    pub lexicon: Option<Arc<Lexicon>>,
}

/// A track's part in the overall score, and how fast it fades.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackSpec {
    /// From 0 to 1. Weights need not sum to 1: the mean is weighted.
    pub weight: f64,
    /// `None` never fades.
    pub half_life: Option<Span>,
}

/// A kind of episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpisodeSpec {
    /// The deadline after opening where neither rule nor event gives one; `None`: no deadline.
    pub due: Option<Span>,
    /// The channel of its derived touchpoints; `None`: that of the touchpoint that opened it.
    pub channel: Option<String>,
}

/// Words that suggest labels for events that no rule knows.
#[derive(Clone, Debug, PartialEq)]
pub struct GuessSpec {
    /// Where.
    pub at: At,
    /// Any of these, as whole words of the normalised event name (`product_viewed` has two), or as
    /// several words of it in a row (`email_sent`).
    pub words: Vec<String>,
    /// Only on one of these channels; empty means any.
    pub channels: Vec<String>,
    /// Suggested actor.
    pub actor: Option<Actor>,
    /// Suggested intent.
    pub micro_moment: Option<MicroMoment>,
    /// Suggested promise.
    pub moment_of_truth: Option<MomentOfTruth>,
    /// Suggested stage.
    pub stage: Option<Stage>,
}

/// One rule as written.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// Where the rule stands.
    pub at: At,
    /// Unique in the rule set: the ledger is keyed by its hash.
    pub name: Located<String>,
    /// Earlier names, whose ledger lines this rule inherits.
    pub was: Vec<Located<String>>,
    /// When it matches.
    pub when: Condition,
    /// What it says of a touchpoint.
    pub label: LabelSpec,
    /// What it gives.
    pub points: Vec<PointsSpec>,
    /// Opens an episode.
    pub opens: Option<OpenSpec>,
    /// Closes an episode.
    pub closes: Option<CloseSpec>,
    /// The property whose value keys the points given, so that they can be taken back.
    pub reversible: Option<Located<String>>,
    /// The property whose value names the points to take back.
    pub reverses: Option<Located<String>>,
    /// How long a pain labelled by this rule may wait for recovery (default 72 h).
    pub recover_within: Option<Span>,
    /// The touchpoint marks the property's value as owned (`customer: { owns: … }` asks for it).
    pub acquires: Option<Located<String>>,
    /// Bots, staff, tests: counted, unscored, unpublished.
    pub ignore: bool,
    /// Somebody should be told of this customer.
    pub alert: bool,
}

/// What a rule says of a touchpoint. The first matching rule wins each label separately.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelSpec {
    /// The intent.
    pub micro_moment: Option<MicroMoment>,
    /// The promise tested.
    pub moment_of_truth: Option<MomentOfTruth>,
    /// The stage.
    pub stage: Option<Stage>,
    /// How it was.
    pub valence: Option<ValenceSpec>,
    /// Why.
    pub reason: Option<Located<String>>,
    /// Why, where the customer's words say so; before `reason`.
    pub reason_from_text: bool,
    /// How bad a pain is; default 2 where the rule says pain.
    pub severity: Option<Severity>,
    /// What the valence rests on; default `operational` for brand and system, else `behaviour`.
    pub evidence: Option<Evidence>,
}

/// How a rule decides the valence.
#[derive(Clone, Debug, PartialEq)]
pub enum ValenceSpec {
    /// A fixed one.
    Is(Valence),
    /// Read from the customer's words.
    FromText,
    /// Read from a scale.
    Scale {
        /// The property that holds the rating.
        property: Located<String>,
        /// Which scale.
        kind: ScaleKind,
        /// The worst value (not for NPS and thumbs).
        worst: ScaleEnd,
        /// The best value.
        best: ScaleEnd,
    },
}

/// Where a scale ends. A best value below the worst one turns it round.
#[derive(Clone, Debug, PartialEq)]
pub enum ScaleEnd {
    /// That value.
    Is(f64),
    /// Where the event says so.
    Field {
        /// The property.
        field: Located<String>,
        /// The value where the event says nothing; `None`: then the rating is unknown.
        otherwise: Option<f64>,
    },
}

/// The scales of DOMAIN.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleKind {
    /// 0–6 pain, 7–8 neutral, 9–10 glory.
    Nps,
    /// Stars and customer satisfaction: ≤ .40 pain, ≥ .85 glory.
    Stars,
    /// Customer effort: ≤ .40 pain, else neutral.
    Effort,
    /// Down pain, up glory: `true`/`false`, `up`/`down`, 1/0 (or -1).
    Thumbs,
}

/// Points for one track.
#[derive(Clone, Debug, PartialEq)]
pub struct PointsSpec {
    /// Where.
    pub at: At,
    /// The track.
    pub track: Track,
    /// Points, may be negative.
    pub add: f64,
    /// The most that this rule's line counts for, in absolute value.
    pub cap: Option<f64>,
    /// How often it may count; default day for a positive rule.
    pub once_per: OncePer,
    /// The line's half-life; `None`: the track's.
    pub half_life: Option<HalfLifeSpec>,
}

/// How fast a rule's own line fades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HalfLifeSpec {
    /// It halves in this span.
    After(Span),
    /// It never fades.
    Never,
}

/// How often a rule's points may count, in the configured time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OncePer {
    /// Every time.
    Touchpoint,
    /// Once an hour.
    Hour,
    /// Once a calendar day.
    Day,
    /// Once a week, beginning on Monday.
    Week,
    /// Once a calendar month.
    Month,
}

/// Opens an episode. Of kind `pain`, it only keys (and times) the pain that the same rule labels.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSpec {
    /// Where.
    pub at: At,
    /// The kind.
    pub episode: Located<String>,
    /// The property that keys it; `None`: one at a time per customer and kind.
    pub key: Option<Located<String>>,
    /// Its deadline; `None`: the kind's.
    pub due: Option<DueSpec>,
}

/// When an episode is overdue.
#[derive(Clone, Debug, PartialEq)]
pub enum DueSpec {
    /// So long after opening.
    After(Span),
    /// A promise in the event: RFC 3339, epoch seconds or milliseconds, or a bare date.
    Field {
        /// The property.
        field: Located<String>,
        /// A bare date means its end in the configured zone (otherwise its start).
        bare_date_ends: bool,
    },
}

/// Closes an episode.
#[derive(Clone, Debug, PartialEq)]
pub struct CloseSpec {
    /// Where.
    pub at: At,
    /// The kind.
    pub episode: Located<String>,
    /// The property that keys it; `None`, or absent in the event: the oldest open one.
    pub key: Option<Located<String>>,
    /// Of pains, only those with one of these reasons; empty means any.
    pub reasons: Vec<Located<String>>,
}

/// When a rule matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Every one of them (empty: always).
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not that.
    Not(Box<Condition>),
    /// The canonical event name is one of these.
    Event(Vec<Located<String>>),
    /// A regular expression finds something in the canonical event name.
    EventLike(Located<String>),
    /// The channel is one of these (`other`: none that config knows).
    Channel(Vec<Located<String>>),
    /// A regular expression finds something in the channel's name, known or not.
    ChannelLike(Located<String>),
    /// The actor is one of these.
    Actor(Vec<Actor>),
    /// A regular expression finds something in the actor's name.
    ActorLike(Located<String>),
    /// A derived touchpoint of that kind of episode.
    Episode(Vec<Located<String>>),
    /// A property passes a test. A path may go through arrays: `products[].product_id`; then one
    /// element that passes is enough.
    Property {
        /// The path below `properties`.
        path: Located<String>,
        /// The test.
        test: Test,
    },
    /// The customer's words pass a test.
    Text(Test),
    /// Two properties compare so; false unless both are there and comparable.
    Compare {
        /// Left-hand path.
        left: Located<String>,
        /// The comparison.
        is: Comparison,
        /// Right-hand path.
        right: Located<String>,
    },
    /// A rating, read on its scale, is one of these.
    Rated {
        /// The property that holds the rating.
        property: Located<String>,
        /// Which scale.
        kind: ScaleKind,
        /// The worst value (not for NPS and thumbs).
        worst: ScaleEnd,
        /// The best value.
        best: ScaleEnd,
        /// Any of these.
        valences: Vec<Valence>,
    },
    /// The customer's history passes a test.
    Customer(CustomerTest),
}

/// A test of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to one of these (text compares without case; a number also to numeric text).
    In(Vec<Scalar>),
    /// A number (or numeric text) in this range.
    Range {
        /// At least.
        min: Option<f64>,
        /// More than.
        above: Option<f64>,
        /// At most.
        max: Option<f64>,
        /// Less than.
        below: Option<f64>,
    },
    /// It is there (and not null), or it is not.
    Exists(bool),
    /// The text contains one of these, without case.
    Contains(Vec<String>),
    /// The text matches a regular expression.
    Matches(Located<String>),
    /// The words say that it was so, and (if any are named) complain of one of these.
    Feels {
        /// Any of these.
        valences: Vec<Valence>,
        /// Reasons, one of which must be found; empty: whatever it is about.
        about: Vec<Located<String>>,
    },
    /// The words of a search seek one of these.
    Seeks(Vec<MicroMoment>),
    /// Not that.
    Not(Box<Test>),
}

/// A scalar in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// How two properties compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`: numbers, or times
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// A test of the customer's history, as of the touchpoint's `ts`.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomerTest {
    /// The current stage (before this touchpoint) is one of these.
    Stage(Vec<Stage>),
    /// In the first visit ever (a visit ends with `visit.gap` of silence).
    FirstVisit(bool),
    /// A track, or overall (`None`), is in this range.
    Score {
        /// The track; `None`: overall.
        track: Option<Track>,
        /// At least.
        min: Option<f64>,
        /// At most.
        max: Option<f64>,
    },
    /// The band is one of these.
    Band(Vec<Band>),
    /// An episode is open.
    Episode {
        /// Of that kind.
        kind: Located<String>,
        /// With that property's value as its key; `None`: any.
        key: Option<Located<String>>,
        /// Only if its deadline has (or has not) passed.
        overdue: Option<bool>,
        /// Also a pain that a plain fix has ended and that may still be made good.
        fixed: bool,
    },
    /// The property's value has been acquired (see [`RuleSpec::acquires`]).
    Owns(Located<String>),
    /// Enough of some events lie behind.
    Seen(SeenSpec),
}

/// "So many of these events within that time." The touchpoint itself counts where it matches.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenSpec {
    /// Where.
    pub at: At,
    /// Any of these events.
    pub events: Vec<Located<String>>,
    /// So far back from the touchpoint's `ts`.
    pub within: Span,
    /// 1 to 64.
    pub at_least: u8,
    /// Only those with the same value of this property as the touchpoint's.
    pub same: Option<Located<String>>,
    /// Count different values of this property rather than touchpoints.
    pub distinct: Option<Located<String>>,
}
