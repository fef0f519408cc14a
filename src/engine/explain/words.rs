//! Tests of rules in words, each with what was found.

use crate::{
    engine::{
        classify::{History, Subject, Values, group_of},
        rules::{Alone, HistoryTest, PathIx, RuleSet, Seen, Truth, ValueTest, spec::Comparison},
        score::{band_at, standing_at},
    },
    model::{Actor, Property, Span, Stage, Valence},
};

/// A value is shown so far; what customers write can be long.
const SHOWN_MAX: usize = 60;

/// Returns whether a test of the touchpoint alone holds, and says what was asked and found.
pub(super) fn alone_in_words<V: Values>(
    rules: &RuleSet,
    subject: &Subject<'_, V>,
    test: &Alone,
) -> (bool, String) {
    let path = |path: PathIx| rules.path_name(path);
    let found = |path: PathIx| values_in_words(subject.values.values(path));
    let words = match test {
        Alone::Event(names) => {
            format!("the event is {}, found {}", or(names.iter().map(|one| &**one)), subject.event)
        }
        Alone::EventLike(pattern) => {
            format!("the event matches {}, found {}", pattern.as_str(), subject.event)
        }
        Alone::Channel(..) => "another channel".to_owned(),
        Alone::ChannelLike(pattern) => {
            format!("the channel matches {}, found {}", pattern.as_str(), subject.channel_name)
        }
        Alone::Actor(actors) => {
            let wanted = or(actors.iter().map(|one| Actor::as_str(*one)));
            format!("{wanted} acts, found {}", subject.actor.as_str())
        }
        Alone::Episode(kinds) => {
            let kinds = kinds.iter().filter_map(|kind| rules.kind(*kind)).map(|kind| &*kind.name);
            format!("from a deadline of {}", or(kinds))
        }
        Alone::Property(property, test) => {
            format!("{} {}, found {}", path(*property), test_in_words(test), found(*property))
        }
        Alone::Text(test) => {
            let written = subject.words.text().map_or_else(|| "nothing".to_owned(), quoted);
            format!("the text {}, found {written}", test_in_words(test))
        }
        Alone::Compare(left, is, right) => format!(
            "{} {} {}, found {} and {}",
            path(*left),
            comparison(*is),
            path(*right),
            found(*left),
            found(*right)
        ),
        Alone::Rated(scale, valences) => {
            let wanted = or(valences.iter().map(|one| Valence::as_str(*one)));
            let felt = scale.read(|path| subject.values.values(path).first());
            let rated = path(scale.property);
            format!(
                "{rated} is {wanted} on its scale, found {} ({})",
                found(scale.property),
                felt.as_str()
            )
        }
    };
    (subject.holds(test), words)
}

/// Returns whether a test of the customer's history holds, and says what was asked and found.
pub(super) fn history_in_words(history: &History<'_>, test: &HistoryTest) -> (Truth, String) {
    let History { engagement, digest, rules, .. } = history;
    let words = match test {
        HistoryTest::Stage(stages) => {
            let wanted = or(stages.iter().map(|one| Stage::as_str(*one)));
            let stage = engagement.journey.stage.unwrap_or(Stage::None);
            format!("the customer's stage is {wanted}, found {}", stage.as_str())
        }
        HistoryTest::FirstVisit(wanted) => {
            let first = if *wanted { "the first visit" } else { "not the first visit" };
            let known =
                if digest.history_complete { "" } else { " (the stream is not known long)" };
            format!("{first}, found {} before{known}", engagement.visits)
        }
        HistoryTest::Score { track, min, max } => {
            let standing = standing_at(engagement, rules, digest.ts);
            let name = track.map_or("overall", crate::model::Track::as_str);
            let score = track.map_or(standing.overall, |track| standing.track(track));
            let bounds = [("at least", *min), ("at most", *max)];
            let bounds = bounds.iter().filter(|(_, bound)| bound.is_finite());
            let wanted: Vec<String> =
                bounds.map(|(word, bound)| format!("{word} {bound}")).collect();
            format!("the score of {name} is {}, found {score:.2}", wanted.join(" and "))
        }
        HistoryTest::Band(bands) => {
            let wanted = or(bands.iter().map(|one| crate::model::Band::as_str(*one)));
            let overall = standing_at(engagement, rules, digest.ts).overall;
            format!("the band is {wanted}, found {}", band_at(engagement, overall).as_str())
        }
        HistoryTest::Episode { kind, key, overdue, fixed } => {
            let name = rules.kind(*kind).map_or("?", |kind| &*kind.name);
            let late = match overdue {
                Some(true) => ", overdue",
                Some(false) => ", not overdue",
                None => "",
            };
            let of = key.map(|path| {
                let key = digest.value(path).map_or_else(|| "nothing".to_owned(), quoted);
                format!(" for {} {key}", rules.path_name(path))
            });
            let open = engagement.episodes.iter().filter(|one| one.kind == *kind).count();
            let found = if open == 0 { "none".to_owned() } else { format!("{open} of that kind") };
            let open = if *fixed { "an open or fixed" } else { "an open" };
            format!("{open} {name}{}{late}, found {found}", of.unwrap_or_default())
        }
        HistoryTest::Owns(path) => {
            let values: Vec<String> = digest.values_of(*path).map(quoted).collect();
            let found = if values.is_empty() { "nothing".to_owned() } else { values.join(", ") };
            let count = engagement.owned.len();
            format!("owns {} ({found}), found {count} other things owned", rules.path_name(*path))
        }
        HistoryTest::Seen(seen) => seen_in_words(history, seen),
    };
    (history.holds(test), words)
}

fn seen_in_words(history: &History<'_>, seen: &Seen) -> String {
    let History { engagement, digest, rules, .. } = history;
    let events = rules.seen_events(seen.memory);
    let found = match group_of(digest, seen.same) {
        Some(group) => {
            engagement.seen.count((seen.memory, group), digest.ts, seen.within).to_string()
        }
        None => "no value".to_owned(),
    };
    let by = |word: &str, path: Option<PathIx>| {
        path.map(|path| format!(" {word} {}", rules.path_name(path))).unwrap_or_default()
    };
    format!(
        "{} seen {} times within {}{}{}, found {found}",
        or(events.iter().copied()),
        seen.at_least,
        span_in_words(seen.within),
        by("of the same", seen.same),
        by("of different", rules.seen_distinct(seen.memory)),
    )
}

fn test_in_words(test: &ValueTest) -> String {
    match test {
        ValueTest::In { texts, numbers, flags } => {
            let texts = texts.iter().map(|one| quoted(one));
            let numbers = numbers.iter().map(f64::to_string);
            let flags = flags.iter().map(bool::to_string);
            let all: Vec<String> = texts.chain(numbers).chain(flags).collect();
            format!("is {}", or(all.iter().map(String::as_str)))
        }
        ValueTest::Range { min, above, max, below } => {
            let bounds = [("at least", min), ("above", above), ("at most", max), ("below", below)];
            let bounds = bounds.iter().filter(|(_, bound)| bound.is_finite());
            let bounds: Vec<String> =
                bounds.map(|(word, bound)| format!("{word} {bound}")).collect();
            format!("is {}", bounds.join(" and "))
        }
        ValueTest::Exists(true) => "is there".to_owned(),
        ValueTest::Exists(false) => "is absent".to_owned(),
        ValueTest::Contains(words) => {
            let words: Vec<String> = words.iter().map(|one| quoted(one)).collect();
            format!("contains {}", or(words.iter().map(String::as_str)))
        }
        ValueTest::Matches(regex) => format!("matches {}", quoted(regex.as_str())),
        ValueTest::Feels(_, valences, about) => {
            let about = or(about.iter().map(|reason| &**reason));
            let about = if about.is_empty() { about } else { format!(" about {about}") };
            format!("feels {}{about}", or(valences.iter().map(|one| one.as_str())))
        }
        ValueTest::Seeks(_, intents) => {
            format!("seeks {}", or(intents.iter().map(|one| one.as_str())))
        }
        ValueTest::Not(test) => format!("is otherwise than: {}", test_in_words(test)),
    }
}

fn comparison(is: Comparison) -> &'static str {
    match is {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}

fn values_in_words(values: &[Property<'_>]) -> String {
    let each = values.iter().map(|value| match value {
        Property::Text(text) => quoted(text),
        Property::Number(number) => number.to_string(),
        Property::Flag(flag) => flag.to_string(),
    });
    let all: Vec<String> = each.collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

fn or<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" or ")
}

/// Writes a span in the largest unit that measures it whole.
pub(crate) fn span_in_words(span: Span) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let whole = units.iter().find(|(_, size)| size <= &span && span % size == 0);
    whole.map_or_else(|| format!("{span}ms"), |(unit, size)| format!("{}{unit}", span / size))
}
