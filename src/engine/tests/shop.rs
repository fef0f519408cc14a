//! A pack with every kind of rule: the shop that most generated journeys happen in.

use super::pack::{
    DAY, HOUR, MINUTE, Rule, all, customer, derived_from, event, pack, promised, property, rule,
    seen, text,
};
use crate::{
    engine::rules::spec::{
        Condition, CustomerTest, DueSpec, HalfLifeSpec, OncePer, PackSpec, RuleSpec, ScaleKind,
    },
    model::{
        Actor, Band,
        MicroMoment::{Buy, Compare, Do, Ideas, Know, Plan},
        MomentOfTruth::{Actual, First, Second, Ultimate, Zero},
        Severity::{Breach, Failure, Friction},
        Stage::{Advocacy, Awareness, Consideration, Loyalty, Purchase},
        Track, Valence,
    },
};

/// Returns the shop's rules.
pub(super) fn shop() -> PackSpec {
    let mut rules = browsing();
    rules.extend(buying());
    rules.extend(complaining());
    rules.extend(staying());
    let mut shop = pack(rules);
    for (name, actor) in [
        ("coupon_issued", Actor::Brand),
        ("newsletter_sent", Actor::Brand),
        ("order_cancelled", Actor::Brand),
        ("order_shipped", Actor::System),
    ] {
        shop.event_actors.insert(name.to_owned(), actor);
    }
    shop.channel_actors.insert("delivery".to_owned(), Actor::System);
    shop
}

fn browsing() -> Vec<RuleSpec> {
    let owns = || customer(CustomerTest::Owns(text("product_id")));
    let first_visit = Condition::Customer(CustomerTest::FirstVisit(true));
    let in_pain = customer(CustomerTest::Episode {
        kind: text("pain"),
        key: None,
        overdue: None,
        fixed: false,
    });
    vec![
        rule("bots", property("agent", "bot")).ignored(),
        rule("flood", all([event("feature_used"), seen("feature_used", 4, 5 * MINUTE, "")]))
            .ignored(),
        rule("first visit", all([Condition::Actor(vec![Actor::Customer]), first_visit]))
            .stage(Awareness),
        rule(
            "comparing",
            all([event("product_viewed"), seen("product_viewed", 3, DAY, "distinct product_id")]),
        )
        .labels(Compare, First, Consideration)
        .gives(Track::Engage, 3.1, 15.7, OncePer::Day),
        rule(
            "favourite",
            all([event("product_viewed"), seen("product_viewed", 3, 7 * DAY, "same product_id")]),
        )
        .labels(Plan, First, Consideration)
        .gives(Track::Access, 2.3, 9.9, OncePer::Hour),
        rule("owner's search", all([event("search"), owns()])).labels(Do, Second, Loyalty),
        rule("search in pain", all([event("search"), in_pain])).labels(Do, Actual, Purchase),
        rule("search", event("search")).labels(Know, Zero, Consideration).gives(
            Track::Access,
            1.7,
            12.3,
            OncePer::Touchpoint,
        ),
        rule("viewed", event("product_viewed")).labels(Ideas, First, Consideration).gives(
            Track::Engage,
            1.3,
            40.9,
            OncePer::Hour,
        ),
        rule("question", event("question_asked")).opens("answer", "", None),
        rule("answer", event("answer_given")).closes("answer", ""),
        rule("missed", derived_from("answer")).labels(Know, Zero, Consideration),
    ]
}

fn buying() -> Vec<RuleSpec> {
    vec![
        rule("order", event("order_placed"))
            .labels(Buy, First, Purchase)
            .gives(Track::Engage, 41.7, 90.3, OncePer::Touchpoint)
            .half_life(HalfLifeSpec::After(180 * DAY))
            .gives(Track::Access, 25.3, 80.1, OncePer::Day)
            .opens("delivery", "order_id", promised("estimated_delivery"))
            .reversible("order_id")
            .acquires("product_id"),
        rule("shipped", event("order_shipped")).labels(Plan, Actual, Purchase),
        rule("delivered", event("order_delivered"))
            .labels(Ideas, Actual, Loyalty)
            .closes("delivery", "order_id"),
        rule("cancelled", event("order_cancelled"))
            .pain("cancelled_by_brand", Failure)
            .opens("pain", "order_id", None)
            .closes("delivery", "order_id"),
        rule("parcel overdue", derived_from("delivery"))
            .labels(Ideas, Actual, Purchase)
            .pain("late_delivery", Failure)
            .gives(Track::Engage, -6.1, 30.3, OncePer::Touchpoint),
        rule("payment failed", event("payment_failed"))
            .pain("payment_failed", Failure)
            .opens("pain", "order_id", None)
            .within(DAY),
        rule("payment approved", event("payment_approved")).closes("pain", "order_id"),
        rule("refund", event("refund")).reverses("order_id"),
    ]
}

fn complaining() -> Vec<RuleSpec> {
    let late_order = customer(CustomerTest::Episode {
        kind: text("delivery"),
        key: None,
        overdue: Some(true),
        fixed: false,
    });
    vec![
        rule(
            "repeat contact",
            all([event("ticket_opened"), seen("ticket_opened", 2, 7 * DAY, "")]),
        )
        .pain("repeat_contact", Breach)
        .gives(Track::Access, -3.3, 20.7, OncePer::Touchpoint),
        rule("ticket about a late order", all([event("ticket_opened"), late_order]))
            .pain("long_wait", Friction),
        rule("ticket", event("ticket_opened")).labels(Do, Second, Loyalty).opens(
            "support",
            "ticket_id",
            None,
        ),
        rule("ticket resolved", event("ticket_resolved")).closes("support", "ticket_id"),
        rule("ticket overdue", derived_from("support")).pain("unanswered", Failure),
        rule("unrecovered", derived_from("pain")).pain("unrecovered_pain", Failure),
        rule("apology", event("coupon_issued"))
            .valence(Valence::Recovered)
            .closes("pain", "order_id"),
        rule("fixed", event("all_fixed")).closes("pain", ""),
        rule("crash", event("app_crash")).pain("app_crash", Friction),
    ]
}

fn staying() -> Vec<RuleSpec> {
    let champion = customer(CustomerTest::Band(vec![Band::Champion]));
    let engaged =
        customer(CustomerTest::Score { track: Some(Track::Engage), min: Some(20.05), max: None });
    let loyal = customer(CustomerTest::Stage(vec![Loyalty, Advocacy]));
    let open_order = customer(CustomerTest::Episode {
        kind: text("delivery"),
        key: Some(text("order_id")),
        overdue: None,
        fixed: false,
    });
    vec![
        rule("champion's review", all([event("review"), champion])).stage(Advocacy),
        rule("review", event("review"))
            .labels(Know, Ultimate, Loyalty)
            .scale(ScaleKind::Stars, "stars", 1.0, 5.0)
            .gives(Track::Collaborate, 30.9, 95.7, OncePer::Week),
        rule("recommended", event("recommended")).valence(Valence::Glory).gives(
            Track::Customize,
            33.3,
            99.3,
            OncePer::Month,
        ),
        rule("rising", all([event("feature_used"), engaged])).gives(
            Track::Customize,
            14.9,
            60.7,
            OncePer::Week,
        ),
        rule("used", event("feature_used"))
            .labels(Do, Second, Loyalty)
            .gives(Track::Access, 4.9, 55.1, OncePer::Hour)
            .closes("trial", ""),
        rule("trial", event("trial_started")).opens("trial", "", Some(DueSpec::After(7 * DAY))),
        rule("trial over", all([event("episode_overdue"), derived_from("trial")])),
        rule("loyal search", all([event("search"), loyal])).gives(
            Track::Collaborate,
            5.7,
            23.9,
            OncePer::Day,
        ),
        rule("asks about the order", all([event("question_asked"), open_order]))
            .labels(Do, Actual, Purchase),
        rule("gone", derived_from("absence")).labels(Plan, Zero, Awareness),
        rule("fell", derived_from("band")).labels(Plan, Zero, Awareness),
        rule("sent back", event("sent_back"))
            .gives(Track::Engage, -12.1, 50.9, OncePer::Touchpoint)
            .half_life(HalfLifeSpec::After(HOUR * 200)),
    ]
}
