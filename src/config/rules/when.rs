//! When a rule matches: a mapping whose keys must all hold.

use super::{checked_path, property, rule::scale};
use crate::{
    config::{
        fields::{entries, found, read_fields},
        problem::Problems,
        values::{
            Vocabulary, any_scalar, flag, list, located, number, one_or_more, span, text, whole,
            word,
        },
        yaml::{Node, Value},
    },
    engine::rules::spec::{Comparison, Condition, CustomerTest, Located, SeenSpec, Test},
};

/// How many matches a `seen` may ask for: a state row keeps so many at most.
const SEEN_MAX: u64 = 64;

impl Vocabulary for Comparison {
    const WHAT: &'static str = "a comparison";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        (">=", Self::AtLeast),
    ];
}

/// Reads a `when`, or a part of one below `all`, `any` and `not`.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Condition> {
    read_fields(node, "\"when\"", problems, |fields| {
        let mut all = Vec::new();
        all.extend(fields.get("event", names(located, Condition::Event, Condition::EventLike)));
        let channels = names(located, Condition::Channel, Condition::ChannelLike);
        all.extend(fields.get("channel", channels));
        all.extend(fields.get("actor", names(word, Condition::Actor, Condition::ActorLike)));
        all.extend(fields.get("episode", one_or_more(located)).map(Condition::Episode));
        all.extend(fields.get("properties", properties).unwrap_or_default());
        all.extend(fields.get("text", test).map(Condition::Text));
        all.extend(fields.get("compare", compare));
        all.extend(fields.get("rated", rated));
        all.extend(fields.get("customer", customer).unwrap_or_default());
        all.extend(fields.get("all", list(read)).map(Condition::All));
        all.extend(fields.get("any", list(read)).map(Condition::Any));
        all.extend(fields.get("not", read).map(|not| Condition::Not(Box::new(not))));
        Some(one_or_all(all))
    })
}

/// Reads names, or a mapping with a pattern for them.
fn names<T>(
    read: fn(&Node, &mut Problems) -> Option<T>,
    exact: fn(Vec<T>) -> Condition,
    like: fn(Located<String>) -> Condition,
) -> impl Fn(&Node, &mut Problems) -> Option<Condition> {
    move |node, problems| match &node.value {
        Value::Mapping(_) => pattern(node, problems).map(like),
        Value::Nothing | Value::Scalar(_) | Value::Sequence(_) => {
            one_or_more(read)(node, problems).map(exact)
        }
    }
}

/// Reads `{ matches: … }`.
fn pattern(node: &Node, problems: &mut Problems) -> Option<Located<String>> {
    read_fields(node, "the test of a name", problems, |fields| fields.need("matches", located))
}

fn one_or_all(mut conditions: Vec<Condition>) -> Condition {
    match (conditions.pop(), conditions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            conditions.extend(last);
            Condition::All(conditions)
        }
    }
}

fn properties(node: &Node, problems: &mut Problems) -> Option<Vec<Condition>> {
    let entries = entries(node, "properties", problems)?.iter();
    let conditions: Vec<_> = entries
        .map(|entry| {
            let sound = checked_path(&entry.key.value, entry.key.at, problems);
            let test = test(&entry.value, problems)?;
            sound.then(|| Condition::Property { path: entry.key.clone(), test })
        })
        .collect();
    conditions.into_iter().collect()
}

/// Reads a test: a scalar, a list of them, or a mapping with one kind of test.
fn test(node: &Node, problems: &mut Problems) -> Option<Test> {
    match &node.value {
        Value::Scalar(_) | Value::Sequence(_) => {
            one_or_more(any_scalar)(node, problems).map(Test::In)
        }
        Value::Mapping(_) => test_mapping(node, problems),
        Value::Nothing => {
            problems.add_with_help(
                node.at,
                "expected a test, found nothing",
                "to ask whether a property is absent, write { exists: false }",
            );
            None
        }
    }
}

fn test_mapping(node: &Node, problems: &mut Problems) -> Option<Test> {
    let before = problems.len();
    let mut tests = read_fields(node, "the test", problems, |fields| {
        let mut tests = Vec::new();
        tests.extend(fields.get("exists", flag).map(Test::Exists));
        let (min, above) = (fields.get("min", number), fields.get("above", number));
        let (max, below) = (fields.get("max", number), fields.get("below", number));
        if min.or(above).or(max).or(below).is_some() {
            tests.push(Test::Range { min, above, max, below });
        }
        tests.extend(fields.get("contains", one_or_more(text)).map(Test::Contains));
        tests.extend(fields.get("matches", located).map(Test::Matches));
        tests.extend(fields.get("in", one_or_more(any_scalar)).map(Test::In));
        let about = fields.get("about", one_or_more(located)).unwrap_or_default();
        let feels = fields.get("feels", one_or_more(word));
        if feels.is_none() && fields.has("about") {
            let at = fields.at();
            let help = "write { feels: pain, about: late_delivery }";
            fields.problems().add_with_help(at, "\"about\" stands beside \"feels\"", help);
        }
        tests.extend(feels.map(|valences| Test::Feels { valences, about }));
        tests.extend(fields.get("seeks", one_or_more(word)).map(Test::Seeks));
        tests.extend(fields.get("not", test).map(|test| Test::Not(Box::new(test))));
        Some(tests)
    })?;
    match (tests.pop(), tests.is_empty()) {
        (Some(test), true) => return Some(test),
        (Some(_), false) => problems.add_with_help(
            node.at,
            "several kinds of test at once",
            "write one here, and the others as items of \"all\"",
        ),
        (None, _) if problems.len() == before => problems.add_with_help(
            node.at,
            "an empty test",
            "to ask whether a property is there, write { exists: true }",
        ),
        (None, _) => {}
    }
    None
}

fn compare(node: &Node, problems: &mut Problems) -> Option<Condition> {
    read_fields(node, "\"compare\"", problems, |fields| {
        let left = fields.need("field", property);
        let is = fields.need("is", word);
        let right = fields.need("than", property);
        Some(Condition::Compare { left: left?, is: is?, right: right? })
    })
}

fn rated(node: &Node, problems: &mut Problems) -> Option<Condition> {
    read_fields(node, "\"rated\"", problems, |fields| {
        let valences = fields.need("is", one_or_more(word));
        let (property, kind, worst, best) = scale(fields)?;
        Some(Condition::Rated { property, kind, worst, best, valences: valences? })
    })
}

fn customer(node: &Node, problems: &mut Problems) -> Option<Vec<Condition>> {
    read_fields(node, "\"customer\"", problems, |fields| {
        let mut tests = Vec::new();
        tests.extend(fields.get("stage", one_or_more(word)).map(CustomerTest::Stage));
        tests.extend(fields.get("first_visit", flag).map(CustomerTest::FirstVisit));
        tests.extend(fields.get("band", one_or_more(word)).map(CustomerTest::Band));
        tests.extend(fields.get("score", score));
        tests.extend(fields.get("episode", episode));
        tests.extend(fields.get("owns", property).map(CustomerTest::Owns));
        tests.extend(fields.get("seen", one_or_more(seen)).unwrap_or_default());
        Some(tests.into_iter().map(Condition::Customer).collect())
    })
}

fn score(node: &Node, problems: &mut Problems) -> Option<CustomerTest> {
    read_fields(node, "\"score\"", problems, |fields| {
        let track = fields.get("track", word);
        let (min, max) = (fields.get("at_least", number), fields.get("at_most", number));
        if !fields.has("at_least") && !fields.has("at_most") {
            let at = fields.at();
            fields.problems().add(at, "\"score\" has neither \"at_least\" nor \"at_most\"");
        }
        Some(CustomerTest::Score { track, min, max })
    })
}

fn episode(node: &Node, problems: &mut Problems) -> Option<CustomerTest> {
    read_fields(node, "\"episode\"", problems, |fields| {
        let kind = fields.need("open", located);
        let key = fields.get("key", property);
        let overdue = fields.get("overdue", flag);
        let fixed = fields.get("fixed", flag).unwrap_or(false);
        Some(CustomerTest::Episode { kind: kind?, key, overdue, fixed })
    })
}

fn seen(node: &Node, problems: &mut Problems) -> Option<CustomerTest> {
    if let Value::Scalar(_) = &node.value {
        let help = "write { event: x, within: 24h }";
        problems.add_with_help(node.at, format!("expected a mapping, found {}", found(node)), help);
        return None;
    }
    read_fields(node, "\"seen\"", problems, |fields| {
        let at = fields.at();
        let events = fields.need("event", one_or_more(located));
        let within = fields.need("within", span);
        let at_least = fields.get("at_least", whole(1..=SEEN_MAX)).unwrap_or(1);
        let same = fields.get("same", property);
        let distinct = fields.get("distinct", property);
        let at_least = u8::try_from(at_least).ok();
        let (events, within, at_least) = (events?, within?, at_least?);
        Some(CustomerTest::Seen(SeenSpec { at, events, within, at_least, same, distinct }))
    })
}
