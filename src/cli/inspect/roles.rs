//! What each field probably is: by its name, and by what its values are like.

use std::collections::BTreeMap;

use super::fields::{FieldFacts, Fields};

/// Which field is which part of a touchpoint.
#[derive(Debug, Default)]
pub(super) struct Roles {
    pub(super) event_id: Option<String>,
    pub(super) customer_id: Option<String>,
    /// Other fields that may name a customer.
    pub(super) customer_candidates: Vec<String>,
    pub(super) ts: Option<(String, &'static str)>,
    pub(super) event: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) text: Option<String>,
    /// Name of a property → its path.
    pub(super) properties: BTreeMap<String, String>,
}

/// Words of field names that tell what a field is; the first are the surest.
const CUSTOMER: [&str; 12] = [
    "customer_id",
    "user_id",
    "client_id",
    "member_id",
    "uid",
    "customer",
    "user",
    "subscriber_id",
    "visitor_id",
    "person_id",
    "account_id",
    "email",
];
const EVENT_ID: [&str; 7] =
    ["event_id", "message_id", "uuid", "guid", "event_uuid", "id", "transaction_id"];
const TIME: [&str; 12] = [
    "ts",
    "timestamp",
    "event_time",
    "time",
    "occurred_at",
    "happened_at",
    "created_at",
    "at",
    "date",
    "datetime",
    "when",
    "event_timestamp",
];
const EVENT: [&str; 10] = [
    "event",
    "event_name",
    "event_type",
    "action",
    "activity",
    "name",
    "type",
    "kind",
    "what",
    "verb",
];
const CHANNEL: [&str; 8] =
    ["channel", "platform", "source", "medium", "origin", "touchpoint", "where", "device"];
const TEXT: [&str; 6] = ["text", "comment", "message", "feedback", "review", "body"];

/// Longer values are no names of events.
const NAME_MAX: usize = 64;
/// More names of events than any product has; beyond it a field is something else.
const NAMES_MAX: usize = 90;

impl Roles {
    pub(super) fn among(fields: &Fields) -> Self {
        let all = fields.objects;
        let mut roles = Self::default();
        let single = |path: &str| !path.contains("[]");
        let best = |words: &[&str], fits: &dyn Fn(&FieldFacts) -> bool| {
            let named = fields.by_path.iter().filter(|(path, facts)| single(path) && fits(facts));
            let ranked = named.filter_map(|(path, facts)| Some((rank(path, words)?, path, facts)));
            let mut ranked: Vec<_> = ranked.collect();
            ranked.sort_by_key(|(rank, path, facts)| {
                (*rank, std::cmp::Reverse(facts.count), path.matches('.').count(), *path)
            });
            ranked.into_iter().map(|(_, path, _)| path.clone()).collect::<Vec<_>>()
        };
        let customers = best(&CUSTOMER, &|facts| is_id(facts) && repeats(facts));
        let mut customers = customers.into_iter().chain(best(&CUSTOMER, &is_id));
        roles.customer_id = customers.next();
        roles.customer_candidates =
            customers.filter(|one| Some(one) != roles.customer_id.as_ref()).collect();
        roles.customer_candidates.dedup();
        roles.event_id =
            best(&EVENT_ID, &|facts| is_id(facts) && facts.distinct() == Some(facts.count))
                .into_iter()
                .find(|path| Some(path) != roles.customer_id.as_ref());
        roles.ts = best(&TIME, &|facts| time_of(facts).is_some())
            .into_iter()
            .next()
            .or_else(|| any_time(fields))
            .and_then(|path| Some((path.clone(), time_of(fields.by_path.get(&path)?)?)));
        roles.event = best(&EVENT, &|facts| is_name(facts, all)).into_iter().next();
        roles.channel = best(&CHANNEL, &|facts| is_name(facts, all))
            .into_iter()
            .find(|path| Some(path) != roles.event.as_ref());
        roles.text = best(&TEXT, &|facts| facts.kinds.contains_key("text"))
            .into_iter()
            .find(|path| Some(path) != roles.event.as_ref());
        roles.properties = roles.rest(fields);
        roles
    }

    /// Returns every field that has no role, under its last name.
    fn rest(&self, fields: &Fields) -> BTreeMap<String, String> {
        let ts = self.ts.as_ref().map(|(path, _)| path);
        let taken: Vec<&String> = [&self.event_id, &self.customer_id, &self.event, &self.channel]
            .into_iter()
            .flatten()
            .chain(ts)
            .collect();
        let mut rest: BTreeMap<String, String> = BTreeMap::new();
        for path in fields.by_path.keys().filter(|path| !taken.contains(path)) {
            // A list is one property, whatever is in it.
            let end = path.find("[]").map_or(path.len(), |at| at + "[]".len());
            let path = path.get(..end).unwrap_or(path);
            if rest.values().any(|known| known == path) {
                continue;
            }
            let keys: Vec<&str> = path.split('.').map(|key| key.trim_end_matches("[]")).collect();
            let last = keys.last().copied().unwrap_or_default().replace(['\\', '[', ']'], "");
            let all = keys.join("_").replace(['\\', '[', ']'], "");
            let name = if rest.contains_key(&last) { all } else { last };
            if !name.trim().is_empty() {
                rest.entry(name).or_insert_with(|| path.to_owned());
            }
        }
        rest
    }
}

/// Returns how surely a field's name is one of some words: 0 is surest.
fn rank(path: &str, words: &[&str]) -> Option<usize> {
    let mut keys = path.rsplit('.').map(normal);
    let last = keys.next()?;
    let parent = keys.next().map(|parent| format!("{parent}_{last}"));
    let is = |word: &&str| last == **word || parent.as_deref() == Some(*word);
    let ends = |word: &&str| last.len() > word.len() && last.ends_with(&format!("_{word}"));
    let by_name = words.iter().position(is);
    by_name.or_else(|| Some(words.len() + words.iter().position(ends)?))
}

fn normal(key: &str) -> String {
    crate::engine::decode::normal_event(key.into()).into_owned()
}

fn is_id(facts: &FieldFacts) -> bool {
    let flags = facts.kinds.contains_key("flag");
    let fraction = facts.values.keys().any(|value| value.contains(char::is_whitespace));
    !flags && !fraction && time_of(facts).is_none()
}

/// Customers come back: an id that is never seen twice is something else.
fn repeats(facts: &FieldFacts) -> bool {
    facts.distinct().is_some_and(|distinct| 1 < distinct && distinct < facts.count)
}

/// Returns how a field's values are written if nearly all of them are times.
fn time_of(facts: &FieldFacts) -> Option<&'static str> {
    let (format, count) = facts.times.iter().max_by_key(|(_, count)| **count)?;
    (facts.count * 9 <= *count * 10).then_some(*format)
}

fn any_time(fields: &Fields) -> Option<String> {
    let times = fields.by_path.iter().filter(|(path, facts)| {
        !path.contains("[]") && time_of(facts).is_some() && fields.objects <= facts.count * 2
    });
    times.map(|(path, _)| path.clone()).next()
}

/// Returns whether values are few and short, as names of events and channels are.
fn is_name(facts: &FieldFacts, objects: usize) -> bool {
    let text = facts.kinds.len() == 1 && facts.kinds.contains_key("text");
    let short = facts.values.keys().all(|value| value.chars().count() <= NAME_MAX);
    let few = facts.distinct().is_some_and(|distinct| distinct <= NAMES_MAX);
    text && short && few && time_of(facts).is_none() && objects <= facts.count * 2
}
