//! What rules ask of a touchpoint and of the customer's history.

use serde_json::Value;

use super::{Item, Oracle, labels::valence, score};
use crate::{
    engine::rules::spec::{
        Comparison, Condition, CustomerTest, Scalar, SeenSpec, Test, ValenceSpec,
    },
    model::{Actor, Channels, EventTime},
};

/// Returns every value under a path such as `a.b` or `products[].product_id`.
pub(super) fn values<'v>(properties: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![properties];
    for part in path.split('.') {
        let (name, through) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        found = found
            .into_iter()
            .filter_map(|value| value.get(name))
            .flat_map(|value| match value {
                Value::Array(elements) if through => elements.iter().collect(),
                Value::Array(_) => Vec::new(),
                other => vec![other],
            })
            .collect();
    }
    found.retain(|value| !value.is_null() && !value.is_object());
    found
}

pub(super) fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Oracle<'_> {
    /// The values that keys and history predicates use. A derived touchpoint has its episode's key
    /// under every path that keys an episode of that kind.
    pub(super) fn keys(&self, item: &Item, path: &str) -> Vec<String> {
        let Some(derived) = &item.derived else {
            return values(&item.properties, path).into_iter().map(written).collect();
        };
        let keys_this_kind = self.pack.rules.iter().any(|rule| {
            rule.opens.as_ref().is_some_and(|opens| {
                derived.kind != "pain"
                    && opens.episode.value == derived.kind
                    && opens.key.as_ref().is_some_and(|key| key.value == path)
            })
        });
        derived.key.clone().filter(|_| keys_this_kind).into_iter().collect()
    }

    pub(super) fn key(&self, item: &Item, path: &str) -> Option<String> {
        self.keys(item, path).into_iter().next()
    }

    /// `None`: it cannot be known yet.
    pub(super) fn holds(&self, when: &Condition, item: &Item) -> Option<bool> {
        Some(match when {
            Condition::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.holds(part, item)).collect();
                if parts.contains(&Some(false)) {
                    false
                } else if parts.contains(&None) {
                    return None;
                } else {
                    true
                }
            }
            Condition::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.holds(part, item)).collect();
                if parts.contains(&Some(true)) {
                    true
                } else if parts.contains(&None) {
                    return None;
                } else {
                    false
                }
            }
            Condition::Not(part) => !self.holds(part, item)?,
            Condition::Event(names) => names.iter().any(|name| name.value == item.event),
            Condition::EventLike(like) => finds(&like.value, &item.event),
            Condition::ChannelLike(like) => finds(&like.value, &item.channel),
            Condition::ActorLike(like) => finds(&like.value, item.actor.as_str()),
            Condition::Channel(names) => names.iter().any(|name| {
                name.value == item.channel
                    || (name.value == Channels::OTHER
                        && self.settings.channels.get(&item.channel).is_none())
            }),
            Condition::Actor(actors) => actors.contains(&item.actor),
            Condition::Episode(kinds) => item
                .derived
                .as_ref()
                .is_some_and(|derived| kinds.iter().any(|kind| kind.value == derived.kind)),
            Condition::Property { path, test } => {
                passes(test, &values(&item.properties, &path.value))
            }
            Condition::Text(test) => {
                let said = ["text", "comment", "review_body", "message", "feedback"]
                    .iter()
                    .find_map(|name| item.properties.get(name).filter(|text| text.is_string()));
                passes(test, &said.into_iter().collect::<Vec<_>>())
            }
            Condition::Compare { left, is, right } => {
                let number = |path: &str| {
                    values(&item.properties, path).first().and_then(|value| number_of(value))
                };
                match (number(&left.value), number(&right.value)) {
                    (Some(left), Some(right)) => compares(left, *is, right),
                    _ => false,
                }
            }
            Condition::Rated { property, kind, worst, best, valences } => {
                let (property, kind) = (property.clone(), *kind);
                let (worst, best) = (worst.clone(), best.clone());
                valences
                    .contains(&valence(&ValenceSpec::Scale { property, kind, worst, best }, item))
            }
            Condition::Customer(test) => return self.history(test, item),
        })
    }

    fn history(&self, test: &CustomerTest, item: &Item) -> Option<bool> {
        Some(match test {
            CustomerTest::Stage(stages) => stages.contains(&self.stage),
            CustomerTest::FirstVisit(wanted) => {
                if self.looks_like_first_visit(item) {
                    if !item.history_complete {
                        return None;
                    }
                    *wanted
                } else {
                    !*wanted
                }
            }
            CustomerTest::Score { track, min, max } => {
                let standing = self.standing(item.ts);
                let score = track.map_or(standing.overall, |track| standing.tracks[track.index()]);
                min.is_none_or(|min| min <= score) && max.is_none_or(|max| score <= max)
            }
            CustomerTest::Band(bands) => {
                bands.contains(&self.band_of(self.standing(item.ts).overall))
            }
            CustomerTest::Episode { kind, key, overdue, fixed } => {
                let wanted = key.as_ref().map(|path| self.key(item, &path.value));
                self.open.iter().any(|open| {
                    let late = open.deadline.is_some_and(|deadline| deadline < item.ts);
                    open.kind == kind.value
                        && (!open.resolved || (*fixed && !late && open.opened_at <= item.ts))
                        && wanted.as_ref().is_none_or(|key| key.is_some() && *key == open.key)
                        && overdue.is_none_or(|overdue| overdue == late)
                })
            }
            CustomerTest::Owns(path) => {
                self.keys(item, &path.value).iter().any(|value| self.owned.contains(value))
            }
            CustomerTest::Seen(seen) => self.seen(seen, item),
        })
    }

    /// Only one visit so far, and this is within it, or begins it.
    fn looks_like_first_visit(&self, item: &Item) -> bool {
        let gap = self.settings.visit_gap;
        let times: Vec<EventTime> = self.own().map(|lived| lived.item.ts).collect();
        let broken = times.windows(2).any(|pair| gap <= pair[1].since(pair[0]));
        match times.last() {
            None => item.actor == Actor::Customer,
            Some(last) => !broken && item.ts.since(*last) < gap,
        }
    }

    fn seen(&self, seen: &SeenSpec, item: &Item) -> bool {
        let same = seen.same.as_ref().map(|path| path.value.as_str());
        let group = same.map(|path| self.key(item, path));
        if group == Some(None) {
            return false;
        }
        let after = item.ts.minus(seen.within);
        let behind = self.lived.iter().map(|lived| &lived.item).chain([item]);
        let matching = behind.filter(|one| {
            seen.events.iter().any(|event| event.value == one.event)
                && after < one.ts
                && one.ts <= item.ts
                && same.is_none_or(|path| Some(self.key(one, path)) == group)
        });
        let count = match &seen.distinct {
            None => matching.count(),
            Some(path) => {
                let mut values: Vec<String> =
                    matching.flat_map(|one| self.keys(one, &path.value)).collect();
                values.sort();
                values.dedup();
                values.len()
            }
        };
        usize::from(seen.at_least) <= count
    }

    /// The periods of `once_per`, spelled out in the configured zone.
    pub(super) fn period(
        &self,
        ts: EventTime,
        once_per: crate::engine::rules::spec::OncePer,
    ) -> Option<String> {
        score::period(ts, once_per, &self.settings.timezone)
    }
}

fn number_of(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn compares(left: f64, is: Comparison, right: f64) -> bool {
    let order = left.partial_cmp(&right).unwrap();
    match is {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
    }
}

/// One value that passes is enough.
fn passes(test: &Test, values: &[&Value]) -> bool {
    match test {
        Test::Exists(wanted) => *wanted != values.is_empty(),
        Test::Not(test) => !passes(test, values),
        Test::In(scalars) => values.iter().any(|value| {
            scalars.iter().any(|scalar| match scalar {
                Scalar::Text(word) => {
                    value.as_str().is_some_and(|one| one.to_lowercase() == word.to_lowercase())
                }
                Scalar::Number(number) => {
                    number_of(value).is_some_and(|one| one.total_cmp(number).is_eq())
                }
                Scalar::Flag(flag) => value.as_bool() == Some(*flag),
            })
        }),
        Test::Range { min, above, max, below } => values.iter().any(|value| {
            number_of(value).is_some_and(|one| {
                min.is_none_or(|min| min <= one)
                    && above.is_none_or(|above| above < one)
                    && max.is_none_or(|max| one <= max)
                    && below.is_none_or(|below| one < below)
            })
        }),
        Test::Contains(words) => values.iter().filter_map(|value| value.as_str()).any(|text| {
            words.iter().any(|word| text.to_lowercase().contains(&word.to_lowercase()))
        }),
        Test::Feels { .. } | Test::Seeks(_) => panic!("the oracle reads no words"),
        Test::Matches(pattern) => {
            let pattern = regex::Regex::new(&pattern.value).unwrap();
            values.iter().filter_map(|value| value.as_str()).any(|text| pattern.is_match(text))
        }
    }
}

/// Patterns here are whole names between anchors.
fn finds(pattern: &str, name: &str) -> bool {
    pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')) == Some(name)
}
