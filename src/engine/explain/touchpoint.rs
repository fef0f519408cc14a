//! Which rule gave each label, and which nearly did.

use crate::{
    engine::{
        evaluate::Outcome,
        rules::Rule,
        state::{Digest, Origin},
        timeline::Context,
    },
    model::{
        Actor, EventTime, Evidence, LabelledBy, MicroMoment, MomentOfTruth, Severity, Stage, Track,
        Valence,
    },
};

/// A touchpoint and why it is what it is said to be.
#[derive(Clone, Debug)]
pub struct TouchpointExplained {
    /// Its customer.
    pub customer_id: String,
    /// Its id.
    pub event_id: String,
    /// When it was.
    pub ts: EventTime,
    /// What it was, by the name that rules use.
    pub event: String,
    /// Where it was.
    pub channel: String,
    /// Who acted.
    pub actor: Actor,
    /// A deadline emitted it.
    pub derived: bool,
    /// A rule said to ignore it.
    pub ignored: bool,
    /// Every label and who gave it, in the order of a record of `moments`.
    pub labels: Vec<LabelGiven>,
    /// Points by rule and track, in order.
    pub points: Vec<(String, Track, f64)>,
    /// Every rule that such an event could have matched, in the order of the files.
    pub rules: Vec<RuleSeen>,
}

/// One label.
#[derive(Clone, Debug)]
pub struct LabelGiven {
    /// `stage`.
    pub label: &'static str,
    /// `loyalty`.
    pub value: String,
    /// The rule that gave it; `None`: nobody said anything else.
    pub rule: Option<String>,
    /// What else there is to say of it.
    pub note: Option<String>,
    /// Rules that matched and would have given it too, but stand later.
    pub later: Vec<String>,
}

/// One rule, as this touchpoint met it.
#[derive(Clone, Debug)]
pub struct RuleSeen {
    /// Its name.
    pub name: String,
    /// All of it held.
    pub matched: bool,
    /// Whether it holds cannot be known yet: the stream is not known for long enough.
    pub unknown: bool,
    /// How many tests it makes of the touchpoint alone.
    pub tests: usize,
    /// What was missing, in words; empty where it matched.
    pub missing: Vec<String>,
}

pub(super) fn explained(
    rules: Vec<RuleSeen>,
    (digest, outcome): (&Digest, &Outcome),
    context: Context<'_>,
) -> TouchpointExplained {
    let matched: Vec<&Rule> =
        outcome.rules.iter().filter_map(|&index| context.rules.rule(index)).collect();
    let given = outcome.given.iter().filter_map(|(hash, track, points)| {
        let (_, rule) = context.rules.rule_by_hash(*hash)?;
        Some((rule.name.to_string(), *track, *points))
    });
    TouchpointExplained {
        customer_id: context.customer_id.to_owned(),
        event_id: digest.event_id.to_string(),
        ts: digest.ts,
        event: digest.event.to_string(),
        channel: digest.channel_name.to_string(),
        actor: digest.actor,
        derived: digest.origin != Origin::Record,
        ignored: outcome.ignored,
        labels: labels(&matched, outcome),
        points: given.collect(),
        rules,
    }
}

/// Returns who gave a label, and who would have: the rules of which `says` is true.
fn by(matched: &[&Rule], says: impl Fn(&Rule) -> bool) -> (Option<String>, Vec<String>) {
    let mut names = matched.iter().filter(|rule| says(rule)).map(|rule| rule.name.to_string());
    (names.next(), names.collect())
}

fn labels(matched: &[&Rule], outcome: &Outcome) -> Vec<LabelGiven> {
    let labels = &outcome.labels;
    let plain = |label, value: &str, (rule, later): (Option<String>, Vec<String>)| {
        let guessed = labels.labelled_by == LabelledBy::Guess;
        let note = guessed.then(|| "guessed from the words of its name".to_owned());
        LabelGiven { label, value: value.to_owned(), rule, note, later }
    };
    let mut given = vec![
        plain(
            "micro_moment",
            MicroMoment::as_str(labels.micro_moment),
            by(matched, |rule| rule.label.micro_moment.is_some()),
        ),
        plain(
            "moment_of_truth",
            MomentOfTruth::as_str(labels.moment_of_truth),
            by(matched, |rule| rule.label.moment_of_truth.is_some()),
        ),
        plain("stage", Stage::as_str(labels.stage), by(matched, |rule| rule.label.stage.is_some())),
        valence(matched, outcome),
    ];
    if let Some(reason) = &labels.reason {
        let says = |rule: &Rule| rule.label.reason.as_ref() == Some(reason);
        given.push(plain("reason", reason, by(matched, says)));
    }
    if let Some(severity) = labels.severity {
        let says = |rule: &Rule| rule.label.severity == Some(severity);
        let mut label = plain("severity", &severity.weight().to_string(), by(matched, says));
        if label.rule.is_none() && severity == Severity::Failure {
            label.note = Some("what a pain has if no rule says otherwise".to_owned());
        }
        given.push(label);
    }
    if let Some(evidence) = labels.evidence {
        let says = |rule: &Rule| rule.label.evidence == Some(evidence);
        given.push(plain("evidence", Evidence::as_str(evidence), by(matched, says)));
    }
    given
}

/// The valence may come from a scale, and from what the touchpoint ended or showed again.
fn valence(matched: &[&Rule], outcome: &Outcome) -> LabelGiven {
    let valence = outcome.labels.valence;
    let says = |rule: &Rule| rule.label.scale.is_some() || rule.label.valence == Some(valence);
    let (rule, later) = by(matched, says);
    let same_pain = outcome
        .same_pain_as
        .as_ref()
        .map(|first| format!("the pain that {first} showed first: not counted again"));
    let recovered = || {
        let asked = matched.iter().any(|rule| rule.label.valence == Some(Valence::Recovered));
        (asked && valence != Valence::Recovered)
            .then(|| "there was nothing to be made good".to_owned())
    };
    LabelGiven {
        label: "valence",
        value: valence.as_str().to_owned(),
        rule,
        note: same_pain.or_else(recovered),
        later,
    }
}
