//! Packs, right and wrong.

use insta::assert_snapshot;

use super::{NOWHERE, read_pack, said_of_pack, said_of_rule};
use crate::{
    config::load_packs,
    engine::rules::{
        RuleSet,
        spec::{
            Comparison, Condition, CustomerTest, DueSpec, HalfLifeSpec, Located, OncePer, Scalar,
            ScaleEnd, ScaleKind, Test, ValenceSpec,
        },
    },
    model::{Stage, Track, Valence},
};

#[test]
fn a_rule_says_what_is_missing_or_unknown() {
    assert_snapshot!(said_of_pack("pack: a\nrules:\n  - label: { stage: loyalty }\n    ponts: {}\n"), @r#"
        pack.yaml:3:5: the rule has no "name"
        3 |   - label: { stage: loyalty }
          |     ^^^^^

        pack.yaml:3:5: the rule has no "when"
        3 |   - label: { stage: loyalty }
          |     ^^^^^

        pack.yaml:4:5: the rule has no field "ponts"
        4 |     ponts: {}
          |     ^^^^^
          = did you mean "points"?
        "#);
    assert_snapshot!(said_of_pack("rules: []\n"), @r#"
        pack.yaml:1:1: the pack has no name
        1 | rules: []
          | ^^^^^
          = write "pack: a_name" in one of its files
        "#);
}

#[test]
fn labels_are_words_of_closed_sets() {
    let rule = "    when: { event: x, actor: robot }
    label: { micro_moment: byu, moment_of_truth: third, stage: buying, valence: bad, severity: 4 }
";
    assert_snapshot!(said_of_rule(rule), @r#"
        pack.yaml:4:30: "robot" is not an actor
        4 |     when: { event: x, actor: robot }
          |                              ^^^^^
          = allowed: customer, brand, system

        pack.yaml:5:28: "byu" is not a micro-moment
        5 |     label: { micro_moment: byu, moment_of_truth: third, stage: buying, valence: bad, sever
          |                            ^^^
          = did you mean "buy"?

        pack.yaml:5:50: "third" is not a moment of truth
        5 | …label: { micro_moment: byu, moment_of_truth: third, stage: buying, valence: bad, severity:
          |                                               ^^^^^
          = allowed: none, stimulus, zero, first, actual, second, ultimate

        pack.yaml:5:64: "buying" is not a stage
        5 | …_moment: byu, moment_of_truth: third, stage: buying, valence: bad, severity: 4 }
          |                                               ^^^^^^
          = allowed: none, awareness, consideration, purchase, loyalty, advocacy

        pack.yaml:5:81: "bad" is not a valence
        5 | …ent_of_truth: third, stage: buying, valence: bad, severity: 4 }
          |                                               ^^^
          = allowed: pain, neutral, glory, recovered, unknown

        pack.yaml:5:96: "4" is not a severity
        5 | …hird, stage: buying, valence: bad, severity: 4 }
          |                                               ^
          = allowed: 1, 2, 3
        "#);
}

#[test]
fn a_scale_needs_its_ends() {
    let rule = "    when: { event: x }\n    label: { valence: { scale: stars, from: rating } }\n";
    assert_snapshot!(said_of_rule(rule), @r#"
        pack.yaml:5:25: the scale has no "worst"
        5 |     label: { valence: { scale: stars, from: rating } }
          |                         ^^^^^

        pack.yaml:5:25: the scale has no "best"
        5 |     label: { valence: { scale: stars, from: rating } }
          |                         ^^^^^
        "#);
    let rule = "    when: {}\n    label: { valence: { scale: nps, from: score, worst: 0 } }\n";
    assert_snapshot!(said_of_rule(rule), @r#"
        pack.yaml:5:50: the scale has no field "worst"
        5 |     label: { valence: { scale: nps, from: score, worst: 0 } }
          |                                                  ^^^^^
          = allowed: scale, from
        "#);
}

#[test]
fn conditions_are_strict() {
    let rule = "    when:
      events: x
      properties: { a: { min: 1, contains: b }, c: {}, d: , e..f: 1 }
      compare: { field: a, is: '=>', than: b }
      customer: { seen: { event: x, within: 1x, at_least: 65 }, score: { track: fun } }
";
    assert_snapshot!(said_of_rule(rule), @r#"
        pack.yaml:5:7: "when" has no field "events"
        5 |       events: x
          |       ^^^^^^
          = did you mean "event"?

        pack.yaml:6:26: several kinds of test at once
        6 |       properties: { a: { min: 1, contains: b }, c: {}, d: , e..f: 1 }
          |                          ^^^
          = write one here, and the others as items of "all"

        pack.yaml:6:52: an empty test
        6 |       properties: { a: { min: 1, contains: b }, c: {}, d: , e..f: 1 }
          |                                                    ^
          = to ask whether a property is there, write { exists: true }

        pack.yaml:6:57: expected a test, found nothing
        6 |       properties: { a: { min: 1, contains: b }, c: {}, d: , e..f: 1 }
          |                                                         ^
          = to ask whether a property is absent, write { exists: false }

        pack.yaml:6:61: not a path: a key is missing before, between or after the dots
        6 |       properties: { a: { min: 1, contains: b }, c: {}, d: , e..f: 1 }
          |                                                             ^^^^
          = write keys with dots between: order_id, address.city, products[].product_id

        pack.yaml:7:32: "=>" is not a comparison
        7 |       compare: { field: a, is: '=>', than: b }
          |                                ^^^^
          = allowed: =, !=, <, <=, >, >=

        pack.yaml:8:45: expected a length of time, found "1x"
        8 |       customer: { seen: { event: x, within: 1x, at_least: 65 }, score: { track: fun } }
          |                                             ^^
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms

        pack.yaml:8:59: expected a whole number from 1 to 64, found "65"
        8 |       customer: { seen: { event: x, within: 1x, at_least: 65 }, score: { track: fun } }
          |                                                           ^^

        pack.yaml:8:74: "score" has neither "at_least" nor "at_most"
        8 |       customer: { seen: { event: x, within: 1x, at_least: 65 }, score: { track: fun } }
          |                                                                          ^^^^^

        pack.yaml:8:81: "fun" is not a track
        8 |       customer: { seen: { event: x, within: 1x, at_least: 65 }, score: { track: fun } }
          |                                                                                 ^^^
          = allowed: access, engage, customize, connect, collaborate
        "#);
}

#[test]
fn points_and_deadlines_are_strict() {
    let rule = "    when: { event: [] }
    points: { engage: { cap: 5, once_per: fortnight }, joy: 3, access: lots }
    opens: { episode: delivery, due: { field: eta, bare_date: noon } }
    recover_within: off
    ignore: maybe
";
    assert_snapshot!(said_of_rule(rule), @r#"
        pack.yaml:4:20: an empty list matches nothing
        4 |     when: { event: [] }
          |                    ^

        pack.yaml:5:25: "points" has no "add"
        5 |     points: { engage: { cap: 5, once_per: fortnight }, joy: 3, access: lots }
          |                         ^^^

        pack.yaml:5:43: "fortnight" is not a period
        5 |     points: { engage: { cap: 5, once_per: fortnight }, joy: 3, access: lots }
          |                                           ^^^^^^^^^
          = allowed: touchpoint, hour, day, week, month

        pack.yaml:5:56: "joy" is not a track
        5 |     points: { engage: { cap: 5, once_per: fortnight }, joy: 3, access: lots }
          |                                                        ^^^
          = allowed: access, engage, customize, connect, collaborate

        pack.yaml:5:72: expected a number, found "lots"
        5 |     points: { engage: { cap: 5, once_per: fortnight }, joy: 3, access: lots }
          |                                                                        ^^^^

        pack.yaml:6:63: expected end_of_day or start_of_day, found "noon"
        6 |     opens: { episode: delivery, due: { field: eta, bare_date: noon } }
          |                                                               ^^^^

        pack.yaml:7:21: expected a length of time, found "off"
        7 |     recover_within: off
          |                     ^^^
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms

        pack.yaml:8:13: expected true or false, found "maybe"
        8 |     ignore: maybe
          |             ^^^^^
        "#);
}

#[test]
fn sections_are_strict() {
    let text = "\
pack: test
tracks: { acces: { weight: 1, half_life: 1d }, engage: { weight: 7 } }
reasons: late
events: { order_placed: purchase }
actors: { events: { x: machine } }
episodes: { delivery: { deadline: 5d } }
guesses: [{ words: [a], label: { valence: pain } }]
";
    assert_snapshot!(said_of_pack(text), @r#"
        pack.yaml:2:11: "acces" is not a track
        2 | tracks: { acces: { weight: 1, half_life: 1d }, engage: { weight: 7 } }
          |           ^^^^^
          = did you mean "access"?

        pack.yaml:2:58: the track has no "half_life"
        2 | tracks: { acces: { weight: 1, half_life: 1d }, engage: { weight: 7 } }
          |                                                          ^^^^^^

        pack.yaml:2:66: expected a weight from 0 to 1, found 7
        2 | tracks: { acces: { weight: 1, half_life: 1d }, engage: { weight: 7 } }
          |                                                                  ^

        pack.yaml:3:10: expected a list, found "late"
        3 | reasons: late
          |          ^^^^
          = write [one, two], or one "- item" a line

        pack.yaml:4:25: expected a list, found "purchase"
        4 | events: { order_placed: purchase }
          |                         ^^^^^^^^
          = write [one, two], or one "- item" a line

        pack.yaml:5:24: "machine" is not an actor
        5 | actors: { events: { x: machine } }
          |                        ^^^^^^^
          = allowed: customer, brand, system

        pack.yaml:6:25: the episode has no field "deadline"
        6 | episodes: { delivery: { deadline: 5d } }
          |                         ^^^^^^^^
          = allowed: due, channel

        pack.yaml:7:34: a guess's label has no field "valence"
        7 | guesses: [{ words: [a], label: { valence: pain } }]
          |                                  ^^^^^^^
          = allowed: micro_moment, moment_of_truth, stage
        "#);
}

#[test]
fn tests_beside_the_rules_are_strict() {
    let text = "\
pack: test
tests:
  - name: one
    journey: [{ at: 1d, evnt: x }, { event: x, at: -1d, properties: [] }]
    expect: [{ event: x, valence: hurt }]
";
    assert_snapshot!(said_of_pack(text), @r#"
        pack.yaml:4:17: the step has no "event"
        4 |     journey: [{ at: 1d, evnt: x }, { event: x, at: -1d, properties: [] }]
          |                 ^^

        pack.yaml:4:25: the step has no field "evnt"
        4 |     journey: [{ at: 1d, evnt: x }, { event: x, at: -1d, properties: [] }]
          |                         ^^^^
          = did you mean "event"?

        pack.yaml:4:52: expected a length of time, found "-1d"
        4 |     journey: [{ at: 1d, evnt: x }, { event: x, at: -1d, properties: [] }]
          |                                                    ^^^
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms

        pack.yaml:4:69: expected properties, found a list
        4 |     journey: [{ at: 1d, evnt: x }, { event: x, at: -1d, properties: [] }]
          |                                                                     ^

        pack.yaml:5:16: the expectation has no "at"
        5 |     expect: [{ event: x, valence: hurt }]
          |                ^^^^^

        pack.yaml:5:35: "hurt" is not a valence
        5 |     expect: [{ event: x, valence: hurt }]
          |                                   ^^^^
          = allowed: pain, neutral, glory, recovered, unknown
        "#);
}

#[test]
fn what_rules_may_not_mean_is_shown_in_the_file_too() {
    let rule = "    when: { properties: { a: { matches: '(' } } }
    label: { valence: pain, reason: bad_mood }
    opens: { episode: deliverance }
";
    assert_snapshot!(said_of_rule(rule), @r#"
        pack.yaml:4:41: not a regular expression: error: unclosed group
        4 |     when: { properties: { a: { matches: '(' } } }
          |                                         ^^^^

        pack.yaml:5:37: "bad_mood" is not a reason
        5 |     label: { valence: pain, reason: bad_mood }
          |                                     ^^^^^^^^
          = add it under "reasons", or use one of: app_crash, cancelled_by_brand, damaged, ignored, late_delivery, long_wait, lost, no_show, not_as_described, out_of_stock, overcharged, payment_failed, repeat_contact, repeat_visit, rude_agent, unanswered, unrecovered_pain

        pack.yaml:6:23: no kind of episode is called "deliverance"
        6 |     opens: { episode: deliverance }
          |                       ^^^^^^^^^^^
          = declare it under "episodes", or use one of: pain, absence, band
        "#);
}

fn here(value: &str) -> Located<String> {
    Located { value: value.to_owned(), at: NOWHERE }
}

#[test]
fn a_rating_and_what_may_be_made_good_are_asked_as_written() {
    let text = "
pack: a
rules:
  - name: rated
    when: { rated: { is: [pain, glory], scale: stars, from: stars, worst: { field: low, or: 1 }, best: 7 } }
  - name: made good
    when: { customer: { episode: { open: pain, fixed: true } } }
";
    let pack = read_pack(text).unwrap();
    let [rated, made_good] = pack.spec.rules.as_slice() else { panic!("two rules") };
    let same = |found: &Condition, expected: &Condition| {
        assert_eq!(without_places(&format!("{found:?}")), without_places(&format!("{expected:?}")));
    };
    let expected = Condition::Rated {
        property: here("stars"),
        kind: ScaleKind::Stars,
        worst: ScaleEnd::Field { field: here("low"), otherwise: Some(1.0) },
        best: ScaleEnd::Is(7.0),
        valences: vec![Valence::Pain, Valence::Glory],
    };
    same(&rated.when, &expected);
    let (key, overdue) = (None, None);
    let pain = CustomerTest::Episode { kind: here("pain"), key, overdue, fixed: true };
    same(&made_good.when, &Condition::Customer(pain));
}

#[test]
fn a_rule_is_read_as_it_is_written() {
    let text = "\
pack: test
episodes: { wait: { due: 3d, channel: delivery } }
absence: off
rules:
  - name: everything
    was: old
    when:
      event: [a, b]
      not: { channel: web }
      any: [{ actor: brand }, { text: { contains: sorry } }]
      properties: { n: { min: 1, below: 2 }, s: ['1', 2, true], gone: { not: { exists: true } } }
      compare: { field: x, is: '!=', than: y }
      customer: { stage: loyalty, owns: product_id, score: { at_least: 5 } }
    label: { valence: { scale: csat, from: rating, worst: 1, best: 5 } }
    points: { engage: 2, access: -1, connect: { add: 3, cap: 9, half_life: off } }
    opens: { episode: wait, key: id, due: { field: eta, bare_date: start_of_day } }
";
    let pack = read_pack(text).unwrap();
    let [rule] = pack.spec.rules.as_slice() else { panic!("one rule") };
    let Condition::All(parts) = &rule.when else { panic!("{:?}", rule.when) };
    let written = format!("{parts:?}");
    let expected = [
        Condition::Event(vec![here("a"), here("b")]),
        property("n", Test::Range { min: Some(1.0), above: None, max: None, below: Some(2.0) }),
        property(
            "s",
            Test::In(vec![Scalar::Text("1".into()), Scalar::Number(2.0), Scalar::Flag(true)]),
        ),
        property("gone", Test::Not(Box::new(Test::Exists(true)))),
        Condition::Compare { left: here("x"), is: Comparison::NotEqual, right: here("y") },
        Condition::Customer(CustomerTest::Stage(vec![Stage::Loyalty])),
        Condition::Customer(CustomerTest::Score { track: None, min: Some(5.0), max: None }),
        Condition::Customer(CustomerTest::Owns(here("product_id"))),
    ];
    let plain = without_places(&written);
    for condition in expected {
        let condition = without_places(&format!("{condition:?}"));
        assert!(plain.contains(&condition), "{condition}\nnot in\n{plain}");
    }
    assert_eq!(parts.len(), 10);
    let Some(ValenceSpec::Scale { kind, worst, best, .. }) = &rule.label.valence else {
        panic!("{:?}", rule.label)
    };
    assert_eq!(*kind, ScaleKind::Stars);
    assert_eq!((worst, best), (&ScaleEnd::Is(1.0), &ScaleEnd::Is(5.0)));
    let points: Vec<_> =
        rule.points.iter().map(|p| (p.track, p.add, p.cap, p.once_per, p.half_life)).collect();
    assert_eq!(
        points,
        [
            (Track::Engage, 2.0, None, OncePer::Day, None),
            (Track::Access, -1.0, None, OncePer::Touchpoint, None),
            (Track::Connect, 3.0, Some(9.0), OncePer::Day, Some(HalfLifeSpec::Never)),
        ]
    );
    let due = rule.opens.as_ref().and_then(|opens| opens.due.clone());
    assert!(matches!(due, Some(DueSpec::Field { bare_date_ends: false, .. })));
    assert_eq!(pack.spec.absence, None);
    let wait = pack.spec.episodes.get("wait").unwrap();
    assert_eq!((wait.due, wait.channel.as_deref()), (Some(3 * 86_400_000), Some("delivery")));
}

fn property(path: &str, test: Test) -> Condition {
    Condition::Property { path: here(path), test }
}

/// Returns debug text without the places.
fn without_places(text: &str) -> String {
    let mut parts = text.split("At(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once(')').map_or("", |(_, rest)| rest))
}

#[test]
fn a_test_is_read_as_it_is_written() {
    let text = "\
pack: test
tests:
  - name: a promise
    journey:
      - { at: 1d, event: x, properties: { eta: +5d, nr: 7, share: 0.5, flags: [true, null], s: '1' } }
    expect:
      - { at: 1d12h, rules: one, points: { engage: 2 }, same_pain: true, transition: re_enter }
";
    let pack = read_pack(text).unwrap();
    let [only] = pack.tests.as_slice() else { panic!("one test") };
    let properties = serde_json::to_string(&only.journey[0].properties).unwrap();
    assert_eq!(
        properties,
        r#"{"eta":"2026-01-10T00:00:00.000Z","flags":[true,null],"nr":7,"s":"1","share":0.5}"#
    );
    assert_eq!((only.journey[0].channel.as_str(), only.expect[0].at), ("web", 129_600_000));
    assert_eq!(only.expect[0].rules[0].value, "one");
}

#[test]
fn later_packs_add_to_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    let rule = "pack: mine\nabsence: off\nrules: [{ name: my own, when: { event: x } }]\n";
    std::fs::write(&path, rule).unwrap();
    let count = |packs: &[&str]| {
        let loaded = load_packs(packs.iter().copied()).unwrap_or_else(|report| panic!("{report}"));
        loaded.rules.rule_names().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut expected = count(&["commerce"]);
    expected.push("my own".to_owned());
    assert_eq!(count(&["commerce", path.to_str().unwrap()]), expected);
}

#[test]
fn shipped_packs_load_alone() {
    for pack in crate::config::shipped::PACKS {
        if let Err(report) = load_packs([pack.name]) {
            panic!("{}\n{report}", pack.name);
        }
    }
}

#[test]
fn a_cap_that_would_hold_longer_than_two_half_lives_is_told() {
    #[track_caller]
    fn check(points: &str, more: &str, expected: &[&str]) {
        let rule =
            format!("{{ name: x, when: {{ event: x }}, points: {{ engage: {points} }}{more} }}");
        let pack = read_pack(&format!("pack: test\nrules: [{rule}]\n")).unwrap();
        let warned = RuleSet::warnings(&pack.spec);
        let messages: Vec<&str> = warned.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, expected, "{rule}");
    }
    // Points of every day add up to 14.94 times the points of one: four times the cap may be.
    check("{ add: 10, cap: 37.5, half_life: 10d }", "", &[]);
    check(
        "{ add: 10, cap: 37, half_life: 10d }",
        "",
        &[
            "a cap of 37 may hold for 2.0 half-lives: who comes as often as counts gathers 149 points",
        ],
    );
    check("{ add: 10, cap: 10, half_life: 10d, once_per: month }", "", &[]);
    check("{ add: 10, half_life: 10d }", "", &[]);
    check(
        "{ add: 1, cap: 50, once_per: touchpoint }",
        "",
        &["a cap of 50 may hold for ever: these points count with every touchpoint"],
    );
    check("{ add: 1, cap: 50, once_per: touchpoint }", ", reversible: order_id", &[]);
    check("{ add: 1, cap: 2, once_per: hour, half_life: off }", "", &[]);
}

#[test]
fn a_pack_overrides_and_drops_rules_of_the_one_it_extends() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let rule =
        |name: &str, event: &str| format!("  - {{ name: {name}, when: {{ event: {event} }} }}\n");
    let base = format!(
        "pack: base\nabsence: 9d\ntracks: {{ engage: {{ weight: 0.5, half_life: 9d }}, access: {{ weight: 0.5, half_life: 9d }} }}\nrules:\n{}{}{}",
        rule("one", "a"),
        rule("two", "b"),
        rule("three", "c")
    );
    write("base.yaml", &base);
    let own = format!(
        "pack: own\nextends: ./base.yaml\ndrop: three\nabsence: off\ntracks: {{ engage: {{ weight: 1, half_life: off }} }}\nrules:\n{}{}",
        rule("two", "x"),
        rule("new", "y")
    );
    let own = write("own.yaml", &own);
    let loaded = load_packs([own.as_str()]).unwrap_or_else(|report| panic!("{report}"));
    let names: Vec<&str> = loaded.rules.rule_names().collect();
    assert_eq!(names, ["new", "one", "two"]);
    assert!(format!("{:?}", loaded.spec.rules[2].when).contains("\"x\""));
    assert_eq!((loaded.spec.name.as_str(), loaded.spec.absence), ("own", None));
    assert_eq!(loaded.spec.tracks.len(), 2);
    assert_eq!(loaded.spec.tracks.get(&Track::Engage).map(|track| track.half_life), Some(None));
    assert_eq!((loaded.lineage.replaced.len(), loaded.lineage.dropped.len()), (1, 1));
    let said = |text: &str| {
        let path = write("wrong.yaml", text);
        load_packs([path.as_str()]).unwrap_err().to_string()
    };
    let unknown = said("pack: x\nextends: ./base.yaml\ndrop: [tow]\n");
    assert!(unknown.contains("no rule of the extended pack is called \"tow\""), "{unknown}");
    assert!(unknown.contains("did you mean \"two\"?"), "{unknown}");
    let alone = said("pack: x\ndrop: two\n");
    assert!(alone.contains("a pack drops rules of one that it extends"), "{alone}");
    let circle = said("pack: x\nextends: ./wrong.yaml\n");
    assert!(circle.contains("in a circle"), "{circle}");
}

#[test]
fn half_lives_and_reasons_are_ones_that_can_work() {
    let text = "\
pack: test
reasons: [Foo Bar, late/lost, too_heavy, کند, '!']
tracks: { engage: { weight: 1, half_life: 0d }, access: { weight: 1, half_life: off } }
rules:
  - { name: x, when: { event: x }, points: { engage: { add: 1, half_life: 0s } } }
";
    assert_snapshot!(said_of_pack(text), @r#"
        pack.yaml:2:11: "Foo Bar" is not the name of a reason
        2 | reasons: [Foo Bar, late/lost, too_heavy, کند, '!']
          |           ^^^^^^^
          = write "foo_bar"

        pack.yaml:2:20: "late/lost" is not the name of a reason
        2 | reasons: [Foo Bar, late/lost, too_heavy, کند, '!']
          |                    ^^^^^^^^^
          = write "late_lost"

        pack.yaml:2:47: "!" is not the name of a reason
        2 | reasons: [Foo Bar, late/lost, too_heavy, کند, '!']
          |                                               ^^^
          = write a word, such as too_heavy

        pack.yaml:3:43: with a half-life of 0 no points would be left
        3 | tracks: { engage: { weight: 1, half_life: 0d }, access: { weight: 1, half_life: off } }
          |                                           ^^
          = write a length such as 45d, or off where points do not fade

        pack.yaml:5:75: with a half-life of 0 no points would be left
        5 |   - { name: x, when: { event: x }, points: { engage: { add: 1, half_life: 0s } } }
          |                                                                           ^^
          = write a length such as 45d, or off where points do not fade
        "#);
}

/// Of a part that cannot be read nothing more is said; of the others, all that would be said without
/// it.
#[test]
fn what_could_be_read_is_checked_although_something_could_not() {
    let text = "\
pack: test
tracks: { engage: { weight: 7, half_life: 1d } }
episodes: { trial: { due: soon } }
rules:
  - name: cannot be read
    when: { event: x, chanel: web }
    opens: { episode: nope }
  - name: can
    when: { event: x }
    label: { reason: nonsense }
    opens: { episode: trial }
    closes: { episode: trail }
";
    assert_snapshot!(said_of_pack(text), @r#"
        pack.yaml:2:29: expected a weight from 0 to 1, found 7
        2 | tracks: { engage: { weight: 7, half_life: 1d } }
          |                             ^

        pack.yaml:3:27: expected a length of time or off, found "soon"
        3 | episodes: { trial: { due: soon } }
          |                           ^^^^
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms

        pack.yaml:6:23: "when" has no field "chanel"
        6 |     when: { event: x, chanel: web }
          |                       ^^^^^^
          = did you mean "channel"?

        pack.yaml:10:22: "nonsense" is not a reason
        10 |     label: { reason: nonsense }
           |                      ^^^^^^^^
           = add it under "reasons", or use one of: app_crash, cancelled_by_brand, damaged, ignored, late_delivery, long_wait, lost, no_show, not_as_described, out_of_stock, overcharged, payment_failed, repeat_contact, repeat_visit, rude_agent, unanswered, unrecovered_pain

        pack.yaml:12:24: no kind of episode is called "trail"
        12 |     closes: { episode: trail }
           |                        ^^^^^
           = declare it under "episodes", or use one of: pain, absence, band, trial
        "#);
    // A section whose name nobody knows may have declared what is missing.
    let text = "\
pack: test
episode: { trial: {} }
rules: [{ name: x, when: { event: x }, opens: { episode: trial } }]
";
    assert_snapshot!(said_of_pack(text), @r#"
        pack.yaml:2:1: the pack has no field "episode"
        2 | episode: { trial: {} }
          | ^^^^^^^
          = did you mean "episodes"?
        "#);
}
