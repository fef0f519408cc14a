//! The sections of a pack: one or more files, merged in the order read.

use std::collections::BTreeMap;

use super::{Pack, journey, rule};
use crate::{
    config::{
        fields::{Fields, entries, read_fields},
        problem::Problems,
        values::{Length, list, located, number, one_or_more, span_or_off, text, word, word_of},
        words,
        yaml::Node,
    },
    engine::rules::spec::{At, EpisodeSpec, GuessSpec, Located, RuleSpec, TrackSpec},
    model::Track,
};

/// Merges packs, file by file, in the order given.
#[derive(Debug, Default)]
pub(in crate::config) struct PackReader {
    /// The packs that were read before.
    before: Pack,
    /// The one begun last.
    pack: Pack,
    named: bool,
    extends: Vec<Located<String>>,
    drops: Vec<Located<String>>,
}

impl PackReader {
    /// Begins the next pack, whose files follow.
    pub(in crate::config) fn begin(&mut self) {
        self.named = false;
        self.extends.clear();
        self.drops.clear();
    }

    /// Returns the packs that the one begun last extends.
    pub(in crate::config) fn extends(&self) -> Vec<Located<String>> {
        self.extends.clone()
    }

    /// Lets the pack begun last stand on what it extends.
    pub(in crate::config) fn stand_on(&mut self, base: Pack, problems: &mut Problems) {
        let own = std::mem::take(&mut self.pack);
        self.pack = own.over(base, &self.drops, problems);
    }

    /// Ends the pack begun last; `at` is the place of its first file.
    pub(in crate::config) fn end(&mut self, at: At, problems: &mut Problems) {
        if !self.named {
            let help = "write \"pack: a_name\" in one of its files";
            problems.add_with_help(at, "the pack has no name", help);
        }
        if let (Some(dropped), true) = (self.drops.first(), self.extends.is_empty()) {
            let help = "write \"extends: commerce\", or leave the rule out";
            problems.add_with_help(dropped.at, "a pack drops rules of one that it extends", help);
        }
        let pack = std::mem::take(&mut self.pack);
        self.before = std::mem::take(&mut self.before).followed_by(pack);
    }

    /// Returns everything that was read.
    pub(in crate::config) fn finish(self) -> Pack {
        self.before
    }

    /// Adds a file of the pack begun last.
    pub(in crate::config) fn file(&mut self, root: &Node, problems: &mut Problems) {
        // Problems are collected; a file that has some adds what could be read, for the sake of
        // those problems alone that come later.
        let (before, mut told) = (problems.len(), 0);
        let _nothing = read_fields(root, "the pack", problems, |fields| {
            let start = fields.problems().len();
            if let Some(name) = fields.get("pack", text) {
                self.named = true;
                self.pack.spec.name = name;
            }
            let packs = one_or_more(located);
            let extends = fields.get("extends", &packs);
            self.pack.flaws.names |= extends.is_none() && fields.has("extends");
            self.extends.extend(extends.unwrap_or_default());
            self.drops.extend(fields.get("drop", &packs).unwrap_or_default());
            self.scoring(fields);
            self.names(fields);
            self.episodes(fields);
            let spec = &mut self.pack.spec;
            spec.guesses.extend(fields.get("guesses", list(guess)).unwrap_or_default());
            for (rule, sound) in fields.get("rules", list(flawed_rule)).unwrap_or_default() {
                let flawed = rule.as_ref().filter(|_| !sound).map(|rule| rule.at);
                self.pack.flaws.rules.extend(flawed);
                spec.rules.extend(rule);
            }
            let words = fields.get("words", words::read_section).unwrap_or_default();
            spec.word_lists.extend(words);
            let tests = fields.get("tests", list(journey::read)).unwrap_or_default();
            self.pack.tests.extend(tests);
            told = fields.problems().len() - start;
            Some(())
        });
        // A section of an unknown name may have been meant to declare something.
        self.pack.flaws.names |= before + told < problems.len();
    }

    /// Notes that a file or pack could not be read at all.
    pub(in crate::config) fn miss(&mut self) {
        self.pack.flaws.names = true;
    }

    fn scoring(&mut self, fields: &mut Fields<'_, '_>) {
        let tracks = fields.get("tracks", |node, problems| {
            let entries = entries(node, "tracks", problems)?;
            let tracks = entries.iter().filter_map(|entry| {
                let track = word_of::<Track>(&entry.key.value, entry.key.at, problems);
                let spec = track_spec(&entry.value, problems);
                track.zip(spec)
            });
            Some(tracks.collect::<Vec<_>>())
        });
        self.pack.spec.tracks.extend(tracks.unwrap_or_default());
        let reasons = fields.get("reasons", list(reason));
        self.pack.flaws.names |= reasons.is_none() && fields.has("reasons");
        self.pack.spec.reasons.extend(reasons.unwrap_or_default());
    }

    fn names(&mut self, fields: &mut Fields<'_, '_>) {
        let spec = &mut self.pack.spec;
        for (section, names) in [("events", &mut spec.events), ("properties", &mut spec.properties)]
        {
            for (name, others) in fields.get(section, synonyms).unwrap_or_default() {
                names.entry(name).or_default().extend(others);
            }
        }
        let _nothing = fields.get("actors", |node, problems| {
            read_fields(node, "actors", problems, |fields| {
                spec.event_actors.extend(fields.get("events", words_by_name).unwrap_or_default());
                let channels = fields.get("channels", words_by_name);
                spec.channel_actors.extend(channels.unwrap_or_default());
                Some(())
            })
        });
    }

    fn episodes(&mut self, fields: &mut Fields<'_, '_>) {
        if let Some(absence) = fields.get("absence", span_or_off) {
            self.pack.spec.absence = absence.span();
            self.pack.says_absence = true;
        }
        let kinds = fields.get("episodes", |node, problems| {
            let kinds = entries(node, "episodes", problems)?.iter().map(|entry| {
                let spec = read_fields(&entry.value, "the episode", problems, |fields| {
                    let due = fields.get("due", span_or_off).and_then(Length::span);
                    Some(EpisodeSpec { due, channel: fields.get("channel", text) })
                });
                // Its name is known, whatever is wrong with the rest.
                let spec = spec.unwrap_or_default();
                (entry.key.value.clone(), spec)
            });
            Some(kinds.collect::<Vec<_>>())
        });
        self.pack.flaws.names |= kinds.is_none() && fields.has("episodes");
        self.pack.spec.episodes.extend(kinds.unwrap_or_default());
    }
}

/// Reads a rule, and whether all of it could be read.
#[expect(clippy::unnecessary_wraps, reason = "a reader: one bad rule must not hide the others")]
fn flawed_rule(node: &Node, problems: &mut Problems) -> Option<(Option<RuleSpec>, bool)> {
    let before = problems.len();
    let rule = rule::read(node, problems);
    Some((rule, before == problems.len()))
}

/// Reads the name of a reason: a label of metrics and a word in queries, so it has no spaces.
fn reason(node: &Node, problems: &mut Problems) -> Option<Located<String>> {
    let reason = located(node, problems)?;
    let fits = |letter: char| letter == '_' || letter.is_alphanumeric() && !letter.is_uppercase();
    if !reason.value.chars().all(fits) {
        let meant = reason.value.split(|one: char| !one.is_alphanumeric());
        let meant = meant.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
        let help = match meant.to_lowercase() {
            meant if meant.is_empty() => "write a word, such as too_heavy".to_owned(),
            meant => format!("write \"{meant}\""),
        };
        let message = format!("\"{}\" is not the name of a reason", reason.value);
        problems.add_with_help(reason.at, message, help);
    }
    Some(reason)
}

/// Reads a half-life: longer than nothing, or `off`.
pub(super) fn half_life(node: &Node, problems: &mut Problems) -> Option<Length> {
    let half_life = span_or_off(node, problems)?;
    if half_life.span() == Some(0) {
        let help = "write a length such as 45d, or off where points do not fade";
        problems.add_with_help(node.at, "with a half-life of 0 no points would be left", help);
        return None;
    }
    Some(half_life)
}

fn track_spec(node: &Node, problems: &mut Problems) -> Option<TrackSpec> {
    read_fields(node, "the track", problems, |fields| {
        let weight = fields.need("weight", |node, problems| {
            let weight = number(node, problems)?;
            if !(0.0..=1.0).contains(&weight) {
                problems.add(node.at, format!("expected a weight from 0 to 1, found {weight}"));
                return None;
            }
            Some(weight)
        });
        let half_life = fields.need("half_life", half_life);
        Some(TrackSpec { weight: weight?, half_life: half_life?.span() })
    })
}

/// Reads `canonical: [other names]`.
fn synonyms(
    node: &Node,
    problems: &mut Problems,
) -> Option<BTreeMap<String, Vec<Located<String>>>> {
    let entries = entries(node, "names", problems)?.iter();
    let names = entries.filter_map(|entry| {
        let others = list(located)(&entry.value, problems)?;
        Some((entry.key.value.clone(), others))
    });
    Some(names.collect())
}

/// Reads `name: actor`.
fn words_by_name<V: crate::config::values::Vocabulary>(
    node: &Node,
    problems: &mut Problems,
) -> Option<BTreeMap<String, V>> {
    let entries = entries(node, "names", problems)?.iter();
    let words =
        entries.filter_map(|entry| Some((entry.key.value.clone(), word(&entry.value, problems)?)));
    Some(words.collect())
}

fn guess(node: &Node, problems: &mut Problems) -> Option<GuessSpec> {
    read_fields(node, "the guess", problems, |fields| {
        let at = fields.at();
        let words = fields.need("words", one_or_more(text));
        let channels = fields.get("channels", one_or_more(text)).unwrap_or_default();
        let actor = fields.get("actor", word);
        let label = |node: &Node, problems: &mut Problems| {
            // Only what a guess may say: never a valence, which would need evidence.
            read_fields(node, "a guess's label", problems, |fields| {
                let micro_moment = fields.get("micro_moment", word);
                let moment_of_truth = fields.get("moment_of_truth", word);
                Some((micro_moment, moment_of_truth, fields.get("stage", word)))
            })
        };
        let label = match actor {
            Some(_) => fields.get("label", label).unwrap_or_default(),
            None => fields.need("label", label)?,
        };
        let (micro_moment, moment_of_truth, stage) = label;
        Some(GuessSpec { at, words: words?, channels, actor, micro_moment, moment_of_truth, stage })
    })
}
