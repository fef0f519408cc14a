//! Arbitrary rules over the shop's events: a small grammar of everything a rule can say.

use proptest::{prelude::*, sample::select};

use super::pack::{
    DAY, HOUR, MINUTE, Rule, all, customer, derived_from, event, pack, promised, property, rule,
    seen, text,
};
use crate::{
    engine::rules::spec::{
        Comparison, Condition, CustomerTest, DueSpec, HalfLifeSpec, OncePer, PackSpec, RuleSpec,
        ScaleEnd, ScaleKind, Test, ValenceSpec,
    },
    model::{Actor, Band, MicroMoment, MomentOfTruth, Severity, Span, Stage, Track, Valence},
};

const EVENTS: [&str; 12] = [
    "product_viewed",
    "search",
    "order_placed",
    "order_delivered",
    "payment_failed",
    "refund",
    "ticket_opened",
    "ticket_resolved",
    "coupon_issued",
    "review",
    "feature_used",
    "episode_overdue",
];

/// Kinds and the property that keys each.
const KINDS: [(&str, &str); 5] = [
    ("delivery", "order_id"),
    ("support", "ticket_id"),
    ("answer", ""),
    ("trial", ""),
    ("pain", "order_id"),
];

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![Just(MINUTE), Just(20 * MINUTE), Just(5 * HOUR), Just(3 * DAY), Just(30 * DAY)]
}

fn leaf() -> impl Strategy<Value = Condition> {
    let channels = || select(vec!["web", "app", "email", "other"]);
    prop_oneof![
        7 => select(EVENTS.to_vec()).prop_map(event),
        1 => select(EVENTS.to_vec()).prop_map(|name| Condition::EventLike(text(&format!("^{name}$")))),
        1 => channels().prop_map(|name| Condition::ChannelLike(text(&format!("^{name}$")))),
        2 => select(vec!["delivery", "support", "pain", "absence", "band", "answer"])
            .prop_map(derived_from),
        1 => channels().prop_map(|name| Condition::Channel(vec![text(name)])),
        1 => select(Actor::ALL.to_vec()).prop_map(|actor| Condition::Actor(vec![actor])),
        1 => (0_u8..4).prop_map(|number| property("product_id", &format!("p{number}"))),
        1 => any::<bool>().prop_map(|there| Condition::Property {
            path: text("order_id"),
            test: Test::Exists(there),
        }),
        1 => (0_u8..6).prop_map(|stars| Condition::Property {
            path: text("stars"),
            test: Test::Range { min: Some(stars.into()), above: None, max: None, below: Some(5.0) },
        }),
        1 => Just(Condition::Compare {
            left: text("stars"),
            is: Comparison::AtMost,
            right: text("stars"),
        }),
        1 => select(vec![Valence::Pain, Valence::Glory, Valence::Unknown]).prop_map(|valence| {
            Condition::Rated {
                property: text("stars"),
                kind: ScaleKind::Stars,
                worst: ScaleEnd::Is(1.0),
                best: ScaleEnd::Field { field: text("best"), otherwise: Some(5.0) },
                valences: vec![valence],
            }
        }),
        8 => history().prop_map(customer),
        3 => seen_before(),
    ]
}

fn seen_before() -> impl Strategy<Value = Condition> {
    let by = select(vec!["", "same product_id", "distinct product_id", "same order_id"]);
    (select(EVENTS.to_vec()), 1_u8..4, span(), by)
        .prop_map(|(events, at_least, within, by)| seen(events, at_least, within, by))
}

fn history() -> impl Strategy<Value = CustomerTest> {
    let track = prop::option::of(select(vec![Track::Access, Track::Engage, Track::Customize]));
    prop_oneof![
        select(Stage::ALL.to_vec()).prop_map(|stage| CustomerTest::Stage(vec![stage])),
        any::<bool>().prop_map(CustomerTest::FirstVisit),
        (track, 0_u8..60).prop_map(|(track, min)| CustomerTest::Score {
            track,
            // No sum of points is exactly that.
            min: Some(f64::from(min) + 0.003_7),
            max: None,
        }),
        select(Band::ALL.to_vec()).prop_map(|band| CustomerTest::Band(vec![band])),
        (select(KINDS.to_vec()), any::<bool>(), any::<Option<bool>>(), any::<bool>()).prop_map(
            |((kind, key), keyed, overdue, fixed)| CustomerTest::Episode {
                kind: text(kind),
                key: (keyed && !key.is_empty()).then(|| text(key)),
                overdue,
                fixed: fixed && kind == "pain",
            }
        ),
        Just(CustomerTest::Owns(text("product_id"))),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let two = || (leaf(), leaf());
    prop_oneof![
        3 => leaf(),
        6 => (select(EVENTS.to_vec()), leaf()).prop_map(|(name, leaf)| all([event(name), leaf])),
        1 => two().prop_map(|(one, other)| Condition::Any(vec![one, other])),
        2 => two().prop_map(|(one, other)| all([one, Condition::Not(Box::new(other))])),
    ]
}

/// Something more that a rule says, opens, closes or gives.
#[derive(Clone, Debug)]
enum Clause {
    Labels(MicroMoment, MomentOfTruth, Stage),
    Valence(Valence),
    Pain(&'static str, Severity),
    /// With ends that are fixed, or the event's.
    Stars(bool),
    Gives(Track, f64, OncePer, Option<HalfLifeSpec>),
    Opens((&'static str, &'static str), Option<DueSpec>),
    Closes((&'static str, &'static str), bool, Option<&'static str>),
    Reversible,
    Reverses,
    Within(Span),
    Acquires,
    Ignored,
}

fn points() -> impl Strategy<Value = Clause> {
    let track = select(vec![Track::Access, Track::Engage, Track::Customize, Track::Collaborate]);
    let once_per = select(vec![
        OncePer::Touchpoint,
        OncePer::Hour,
        OncePer::Day,
        OncePer::Week,
        OncePer::Month,
    ]);
    let half_life = prop_oneof![
        2 => Just(None),
        1 => Just(Some(HalfLifeSpec::Never)),
        2 => (1_i64..90).prop_map(|days| Some(HalfLifeSpec::After(days * DAY))),
    ];
    let add = prop_oneof![3 => 1_i32..60, 1 => -30_i32..-1];
    (track, add, once_per, half_life).prop_map(|(track, add, once_per, half_life)| {
        // Odd hundredths, so that no sum is exactly at the edge of a band.
        Clause::Gives(track, f64::from(add) + 0.371, once_per, half_life)
    })
}

fn clause() -> impl Strategy<Value = Clause> {
    let due = prop_oneof![
        2 => Just(None),
        2 => span().prop_map(|span| Some(DueSpec::After(span))),
        3 => Just(promised("estimated_delivery")),
    ];
    let kind = || select(KINDS.to_vec());
    let reasons = || select(vec!["late_delivery", "unanswered", "payment_failed"]);
    prop_oneof![
        3 => (
            select(MicroMoment::ALL.to_vec()),
            select(MomentOfTruth::ALL.to_vec()),
            select(Stage::ALL.to_vec()),
        )
            .prop_map(|(intent, truth, stage)| Clause::Labels(intent, truth, stage)),
        2 => select(Valence::ALL.to_vec()).prop_map(Clause::Valence),
        3 => (reasons(), select(Severity::ALL.to_vec()))
            .prop_map(|(reason, severity)| Clause::Pain(reason, severity)),
        1 => any::<bool>().prop_map(Clause::Stars),
        5 => points(),
        4 => (kind(), due).prop_map(|(kind, due)| Clause::Opens(kind, due)),
        3 => (kind(), any::<bool>(), prop::option::of(reasons()))
            .prop_map(|(kind, keyed, reason)| Clause::Closes(kind, keyed, reason)),
        1 => Just(Clause::Reversible),
        1 => Just(Clause::Reverses),
        1 => span().prop_map(Clause::Within),
        1 => Just(Clause::Acquires),
        1 => prop::bool::weighted(0.2)
            .prop_map(|ignored| if ignored { Clause::Ignored } else { Clause::Acquires }),
    ]
}

fn with(rule: RuleSpec, clause: Clause) -> RuleSpec {
    match clause {
        Clause::Labels(intent, truth, stage) => rule.labels(intent, truth, stage),
        Clause::Valence(valence) => rule.valence(valence),
        Clause::Pain(reason, severity) => rule.pain(reason, severity),
        Clause::Stars(fixed) => {
            let mut rule = rule.scale(ScaleKind::Stars, "stars", 1.0, 5.0);
            if let (false, Some(ValenceSpec::Scale { best, .. })) = (fixed, &mut rule.label.valence)
            {
                *best = ScaleEnd::Field { field: text("best"), otherwise: None };
            }
            rule
        }
        Clause::Gives(track, ..) if rule.points.iter().any(|points| points.track == track) => rule,
        Clause::Gives(track, add, once_per, half_life) => {
            let mut rule = rule.gives(track, add, (add.abs() * 1.7).min(99.7), once_per);
            rule.points.last_mut().unwrap().half_life = half_life;
            rule
        }
        Clause::Opens((kind, key), due) => rule.opens(kind, key, due),
        Clause::Closes((kind, key), keyed, reason) => {
            let mut rule = rule.closes(kind, if keyed { key } else { "" });
            if let ("pain", Some(reason), Some(closes)) = (kind, reason, &mut rule.closes) {
                closes.reasons = vec![text(reason)];
            }
            rule
        }
        Clause::Reversible => rule.reversible("order_id"),
        Clause::Reverses => rule.reverses("order_id"),
        Clause::Within(span) => rule.within(span),
        Clause::Acquires => rule.acquires("product_id"),
        Clause::Ignored => rule.ignored(),
    }
}

/// Up to a dozen rules that compile.
pub(super) fn packs() -> impl Strategy<Value = PackSpec> {
    let one = (condition(), prop::collection::vec(clause(), 1..4));
    prop::collection::vec(one, 1..12).prop_map(|rules| {
        let rules = rules.into_iter().enumerate().map(|(number, (when, clauses))| {
            clauses.into_iter().fold(rule(&format!("rule {number}"), when), with)
        });
        let mut pack = pack(rules.collect());
        pack.event_actors.insert("coupon_issued".to_owned(), Actor::Brand);
        pack.channel_actors.insert("delivery".to_owned(), Actor::System);
        // What does not compile (a key for what is no pain, a circle) is left out.
        while let Err(problems) = crate::engine::rules::RuleSet::compile(pack.clone()) {
            assert!(!pack.rules.is_empty(), "{problems:?}");
            let bad = pack.rules.iter().position(|one| alone_is_wrong(&pack, one));
            pack.rules.remove(bad.unwrap_or(0));
        }
        pack
    })
}

fn alone_is_wrong(pack: &PackSpec, rule: &RuleSpec) -> bool {
    let mut alone = pack.clone();
    alone.rules = vec![rule.clone()];
    crate::engine::rules::RuleSet::compile(alone).is_err()
}
