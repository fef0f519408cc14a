//! From a decoded touchpoint to its digest: everything that will ever be asked of its record.

use super::{
    classify::{Subject, Values, Words, examine},
    decode::{Decoded, Properties, parse_due},
    explain::Watch,
    partition::Engine,
    rules::{Due, PathIx, RuleIx},
    spike::{Group, property},
    state::{Digest, Origin},
};
use crate::model::{Channel, Channels, EventTime, Property};

/// A key or remembered value may be so long; a longer one is cut. Order ids and the like are far
/// below it.
const MAX_VALUE: usize = 128;

/// Values kept per path that goes through an array.
const MAX_VALUES: usize = 16;

/// The captured properties, by the rule set's own path positions.
struct Captured<'c, 'a> {
    engine: &'c Engine,
    properties: &'c Properties<'a>,
}

impl Values for Captured<'_, '_> {
    fn values(&self, path: PathIx) -> &[Property<'_>] {
        let id = self.engine.path_ids.get(usize::from(path)).copied().flatten();
        id.map_or(&[], |id| self.properties.get(id))
    }

    fn promise(&self, path: PathIx, bare_date_ends: bool) -> Option<EventTime> {
        parse_due(self.values(path).first()?, &self.engine.settings.timezone, bare_date_ends)
    }
}

/// Returns the digest of a touchpoint, or the rule that says to ignore it.
pub(crate) fn digest_of(
    engine: &Engine,
    decoded: &Decoded<'_, '_>,
    history_complete: bool,
    watch: Option<&Watch>,
) -> Result<Digest, RuleIx> {
    let rules = &*engine.rules;
    let touchpoint = &decoded.touchpoint;
    let values = Captured { engine, properties: decoded.properties };
    let known = engine.settings.channels.get(&touchpoint.channel);
    let channel = known.unwrap_or_else(|| Channel::named(Channels::OTHER));
    let actor =
        touchpoint.actor.unwrap_or_else(|| rules.actor(&touchpoint.event, &touchpoint.channel));
    let words = Words::new(touchpoint.text.as_deref(), &rules.lexicon);
    let subject = Subject {
        event: &touchpoint.event,
        channel,
        channel_name: &touchpoint.channel,
        channel_known: known.is_some(),
        actor,
        episode: None,
        words: &words,
        values: &values,
    };
    if let Some(watch) = watch {
        watch.examine(&touchpoint.event_id, &subject, rules);
    }
    let mut candidates = Vec::new();
    examine(rules, &subject, &mut candidates);
    let ignoring = candidates.iter().map(|candidate| candidate.rule).find(|&index| {
        // With no history to ask, being a candidate is matching.
        rules.rule(index).is_some_and(|rule| rule.ignore && !rule.asks_history)
    });
    if let Some(rule) = ignoring {
        return Err(rule);
    }
    let mut kept = Vec::new();
    for &path in &rules.kept_paths {
        for value in values.values(path).iter().take(MAX_VALUES) {
            kept.push((path, key_text(value)));
        }
    }
    // Words are asked only where no rule is sure to speak; `label` asks them if none does after all.
    let certain = candidates
        .iter()
        .any(|candidate| rules.rule(candidate.rule).is_some_and(|rule| !rule.asks_history));
    let guess = if certain { None } else { rules.guess(&touchpoint.event, &touchpoint.channel) };
    Ok(Digest {
        ts: touchpoint.ts,
        event_id: touchpoint.event_id.as_ref().into(),
        event: touchpoint.event.as_ref().into(),
        channel_name: touchpoint.channel.as_ref().into(),
        channel,
        actor,
        origin: Origin::Record,
        history_complete,
        guess,
        candidates,
        values: kept,
        heard: words.heard(),
        groups: groups_of(engine, decoded.properties),
        published: None,
    })
}

/// Returns whether a rule asks for a promise that is there and cannot be read. Blank text promises
/// nothing.
pub(crate) fn promise_is_unreadable(
    engine: &Engine,
    decoded: &Decoded<'_, '_>,
    digest: &Digest,
) -> bool {
    let values = Captured { engine, properties: decoded.properties };
    let unread = digest.candidates.iter().filter(|candidate| candidate.due.is_none());
    let mut opens = unread.filter_map(|one| engine.rules.rule(one.rule)?.opens.as_ref());
    opens.any(|opens| match opens.due {
        Due::Field { path, .. } => {
            values.values(path).first().is_some_and(|promise| match promise {
                Property::Text(text) => !text.trim().is_empty(),
                Property::Number(_) | Property::Flag(_) => true,
            })
        }
        Due::Never | Due::After(_) => false,
    })
}

/// Returns the slices that are watched for spikes and that a touchpoint belongs to: the first value
/// of each property that was chosen.
fn groups_of(engine: &Engine, properties: &Properties<'_>) -> Vec<Group> {
    let chosen = engine.spike_properties.iter();
    chosen
        .filter_map(|(name, id)| Some(property(name, &key_text(properties.get(*id).first()?))))
        .collect()
}

/// Returns a value as keys are written: order 17 is order "17".
fn key_text(value: &Property<'_>) -> Box<str> {
    match value {
        Property::Text(text) => match text.char_indices().nth(MAX_VALUE) {
            Some((end, _)) => text.get(..end).unwrap_or_default().into(),
            None => text.as_ref().into(),
        },
        Property::Number(number) => number.to_string().into(),
        Property::Flag(flag) => flag.to_string().into(),
    }
}
