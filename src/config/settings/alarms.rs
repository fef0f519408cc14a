//! What is watched for spikes, and who is told.

use super::{
    names,
    read::{optional, setting},
    together::Marks,
};
use crate::{
    config::{
        fields::Fields,
        problem::Problems,
        values::{Vocabulary, names as list_of_names, number, span_within, text, whole, word_of},
        yaml::Node,
    },
    engine::spike::Numerator,
    model::Span,
};

/// `spikes`.
#[derive(Clone, Debug)]
pub struct Spikes {
    /// `spikes.properties`: properties whose values are watched each by itself, such as `store`.
    /// At most 8: each multiplies what is counted.
    pub properties: Vec<String>,
    /// `spikes.watch`: what is counted. Default pain and interest: silence needs an input that is
    /// never still for other reasons.
    pub watch: Vec<Numerator>,
    /// `spikes.false_alarms_per_week`: the budget, all keys together. Default 1: nobody trusts an
    /// alarm that is wrong more often.
    pub false_alarms_per_week: f64,
}

/// `notify`.
#[derive(Clone, Debug)]
pub struct Notify {
    /// `notify.max_age`: what is older is published as `backfill` and pages nobody. Default 1h:
    /// nobody can act on older news.
    pub max_age: Span,
    /// `notify.alertmanager.url`: its address, such as `http://alertmanager:9093`.
    pub alertmanager: Option<String>,
    /// `notify.webhook.url`: where each record of a spike is posted.
    pub webhook: Option<String>,
    /// `notify.customers_per_hour`: of so many customers by themselves the webhook is told in an hour,
    /// as rules with `alert` ask. Default 20: a team cannot call more back, and more at once is a
    /// spike.
    pub customers_per_hour: u32,
    /// `notify.webhook.token`: sent as a bearer token. From the environment, as a secret should be.
    pub token: Option<Secret>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// More than that is no list that anybody calls back.
const PER_HOUR_MAX: u64 = 1000;

/// Each property multiplies what is counted in a minute.
const PROPERTIES_MAX: usize = 8;

impl Vocabulary for Numerator {
    const WHAT: &'static str = "something to watch";
    const WORDS: &'static [(&'static str, Self)] =
        &[("pain", Self::Pain), ("interest", Self::Interest), ("silence", Self::Silence)];
}

pub(super) fn spikes(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Spikes {
    let usual = vec![Numerator::Pain, Numerator::Interest];
    Spikes {
        properties: setting(fields, marks, "properties", properties, Vec::new()),
        watch: setting(fields, marks, "watch", watch, usual),
        false_alarms_per_week: setting(fields, marks, "false_alarms_per_week", budget, 1.0),
    }
}

pub(super) fn notify(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Notify {
    const HOUR: Span = 3_600_000;
    let age = span_within(1000, 36_500 * 24 * HOUR);
    let secret = |node: &Node, problems: &mut Problems| text(node, problems).map(Secret);
    let max_age = setting(fields, marks, "max_age", age, HOUR);
    let alertmanager =
        fields.section("alertmanager", |fields| optional(fields, marks, "url", names::receiver));
    let (webhook, token) = fields.section("webhook", |fields| {
        let url = optional(fields, marks, "url", names::receiver);
        (url, optional(fields, marks, "token", secret))
    });
    let customers_per_hour = setting(fields, marks, "customers_per_hour", per_hour, 20);
    Notify { max_age, alertmanager, webhook, customers_per_hour, token }
}

fn properties(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    let names = list_of_names(node, problems)?;
    if PROPERTIES_MAX < names.len() {
        let message =
            format!("{} properties, and at most {PROPERTIES_MAX} are watched", names.len());
        problems.add(node.at, message);
        return None;
    }
    Some(names.into_iter().map(|name| name.value).collect())
}

fn watch(node: &Node, problems: &mut Problems) -> Option<Vec<Numerator>> {
    let names = list_of_names(node, problems)?;
    let count = names.len();
    let known: Vec<Numerator> =
        names.iter().filter_map(|name| word_of(&name.value, name.at, problems)).collect();
    (known.len() == count).then_some(known)
}

fn budget(node: &Node, problems: &mut Problems) -> Option<f64> {
    within(node, problems, 0.001, 1000.0)
}

fn per_hour(node: &Node, problems: &mut Problems) -> Option<u32> {
    u32::try_from(whole(0..=PER_HOUR_MAX)(node, problems)?).ok()
}

fn within(node: &Node, problems: &mut Problems, least: f64, most: f64) -> Option<f64> {
    let written = number(node, problems)?;
    if (least..=most).contains(&written) {
        return Some(written);
    }
    problems.add(node.at, format!("expected {least} to {most}, found {written}"));
    None
}
