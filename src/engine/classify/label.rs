//! What the matching rules say: the first one wins each label separately.

use crate::{
    engine::{
        rules::{Label, RuleSet},
        state::{Candidate, Digest},
    },
    model::{
        Actor, Evidence, LabelledBy, Labels, MicroMoment, MomentOfTruth, Severity, Stage, Valence,
    },
};

/// Returns labels that say nothing.
const fn unlabelled() -> Labels {
    Labels {
        micro_moment: MicroMoment::None,
        moment_of_truth: MomentOfTruth::None,
        stage: Stage::None,
        valence: Valence::Neutral,
        reason: None,
        severity: None,
        evidence: None,
        labelled_by: LabelledBy::None,
        words: Vec::new(),
    }
}

/// Returns the labels of a touchpoint that these candidates match. Where nothing hurt, nothing is
/// made good (`recovers` is false): a rule that says `recovered` then says nothing of the valence.
pub(crate) fn label<'d>(
    rules: &RuleSet,
    digest: &'d Digest,
    matched: &(impl Iterator<Item = &'d Candidate> + Clone),
    recovers: bool,
) -> Labels {
    let says = |candidate: &Candidate| rules.rule(candidate.rule).map(|rule| &rule.label);
    let mut labels = unlabelled();
    if matched.clone().next().is_none() {
        // A rule that was sure to match may be gone since.
        let guess = digest.guess.or_else(|| {
            let by_words = || rules.guess(&digest.event, &digest.channel_name);
            if digest.is_derived() { None } else { by_words() }
        });
        if let Some((micro_moment, moment_of_truth, stage)) = guess {
            labels.micro_moment = micro_moment;
            labels.moment_of_truth = moment_of_truth;
            labels.stage = stage;
            labels.labelled_by = LabelledBy::Guess;
            labels.evidence = Some(Evidence::Guess);
        }
        return labels;
    }
    labels.labelled_by = LabelledBy::Rule;
    let spoken = matched.clone().filter_map(says);
    labels.micro_moment =
        spoken.clone().find_map(|label| label.micro_moment).unwrap_or(MicroMoment::None);
    labels.moment_of_truth =
        spoken.clone().find_map(|label| label.moment_of_truth).unwrap_or(MomentOfTruth::None);
    labels.stage = spoken.clone().find_map(|label| label.stage).unwrap_or(Stage::None);
    let decided = matched.clone().find_map(|candidate| {
        let label = says(candidate)?;
        let valence = candidate.scale.or(label.valence)?;
        if valence == Valence::Recovered && !recovers {
            return None;
        }
        let by_text = label.from_text && candidate.scale.is_some();
        let evidence = candidate.scale.map(|_| Evidence::Expressed);
        Some((valence, label, evidence.map(|read| if by_text { Evidence::Text } else { read })))
    });
    let Some((valence, by, read)) = decided else { return labels };
    labels.valence = valence;
    let said = by.evidence.or(read);
    let said = said.or_else(|| spoken.clone().find_map(|label| label.evidence));
    labels.evidence = Some(said.unwrap_or(match digest.actor {
        Actor::Customer => Evidence::Behaviour,
        Actor::Brand | Actor::System => Evidence::Operational,
    }));
    let mut by_words = labels.evidence == Some(Evidence::Text);
    // Why it hurt. What is made good gets the reason of its pain.
    if valence == Valence::Pain {
        let told = digest.heard.as_ref().and_then(|heard| heard.reason.clone());
        let told =
            told.filter(|_| spoken.clone().any(|label| label.from_text || label.reason_from_text));
        by_words |= told.is_some();
        labels.reason = told.or_else(|| reason(by, spoken.clone()));
    }
    if let Some(heard) = digest.heard.as_ref().filter(|_| by_words) {
        labels.words.clone_from(&heard.words);
    }
    if valence == Valence::Pain {
        let severity = by.severity.or_else(|| spoken.clone().find_map(|label| label.severity));
        labels.severity = Some(severity.unwrap_or(Severity::Failure));
    }
    labels
}

/// The reason comes from the rule that decided the valence; another rule's only where it has none.
fn reason<'r>(by: &'r Label, mut spoken: impl Iterator<Item = &'r Label>) -> Option<Box<str>> {
    by.reason.clone().or_else(|| spoken.find_map(|label| label.reason.clone()))
}
