//! What the matching rules say.

use super::{Item, Oracle, questions::values};
use crate::{
    engine::rules::spec::{LabelSpec, ScaleEnd, ScaleKind, ValenceSpec},
    model::{Actor, Evidence, MicroMoment, MomentOfTruth, Severity, Stage, Valence},
};

pub(super) struct Said {
    pub(super) micro_moment: MicroMoment,
    pub(super) moment_of_truth: MomentOfTruth,
    pub(super) stage: Stage,
    pub(super) valence: Valence,
    pub(super) reason: Option<String>,
    pub(super) severity: Option<Severity>,
    pub(super) evidence: Option<Evidence>,
    pub(super) labelled_by: &'static str,
}

impl Oracle<'_> {
    /// `recovers`: something can be made good.
    pub(super) fn labels(&self, item: &Item, matched: &[usize], recovers: bool) -> Said {
        let labels: Vec<&LabelSpec> =
            matched.iter().map(|&rule| &self.pack.rules[rule].label).collect();
        let mut deciding = labels
            .iter()
            .filter_map(|label| Some((*label, valence(label.valence.as_ref()?, item))));
        let deciding = deciding.find(|(_, valence)| recovers || *valence != Valence::Recovered);
        let mut said = Said {
            micro_moment: labels
                .iter()
                .find_map(|label| label.micro_moment)
                .unwrap_or(MicroMoment::None),
            moment_of_truth: labels
                .iter()
                .find_map(|label| label.moment_of_truth)
                .unwrap_or(MomentOfTruth::None),
            stage: labels.iter().find_map(|label| label.stage).unwrap_or(Stage::None),
            valence: Valence::Neutral,
            reason: None,
            severity: None,
            evidence: None,
            labelled_by: if matched.is_empty() { "none" } else { "rule" },
        };
        let Some((by, valence)) = deciding else { return said };
        said.valence = valence;
        let scaled = matches!(by.valence, Some(ValenceSpec::Scale { .. }));
        let evidence = by.evidence.or_else(|| labels.iter().find_map(|label| label.evidence));
        said.evidence = evidence.or(Some(match item.actor {
            _ if scaled => Evidence::Expressed,
            Actor::Customer => Evidence::Behaviour,
            Actor::Brand | Actor::System => Evidence::Operational,
        }));
        if valence == Valence::Pain {
            let reasons = [by].into_iter().chain(labels.iter().copied());
            said.reason = reasons
                .filter_map(|label| label.reason.as_ref())
                .next()
                .map(|one| one.value.clone());
        }
        if valence == Valence::Pain {
            let severities = [by].into_iter().chain(labels.iter().copied());
            said.severity =
                severities.filter_map(|label| label.severity).next().or(Some(Severity::Failure));
        }
        said
    }
}

fn end_of(end: &ScaleEnd, item: &Item) -> Option<f64> {
    match end {
        ScaleEnd::Is(at) => Some(*at),
        ScaleEnd::Field { field, otherwise } => {
            let found = values(&item.properties, &field.value);
            found.first().and_then(|value| value.as_f64()).or(*otherwise)
        }
    }
}

pub(super) fn valence(spec: &ValenceSpec, item: &Item) -> Valence {
    let (property, kind, worst, best) = match spec {
        ValenceSpec::Is(valence) => return *valence,
        ValenceSpec::FromText => panic!("the oracle reads no words"),
        ValenceSpec::Scale { property, kind, worst, best } => (property, *kind, worst, best),
    };
    let found = values(&item.properties, &property.value);
    let Some(value) = found.first() else { return Valence::Unknown };
    if kind == ScaleKind::Thumbs {
        return match value.as_bool() {
            Some(true) => Valence::Glory,
            Some(false) => Valence::Pain,
            None => panic!("journeys have thumbs as flags"),
        };
    }
    let Some(rating) = value.as_f64() else { return Valence::Unknown };
    if kind == ScaleKind::Nps {
        return match rating {
            _ if !(0.0..=10.0).contains(&rating) => Valence::Unknown,
            _ if rating < 7.0 => Valence::Pain,
            _ if rating < 9.0 => Valence::Neutral,
            _ => Valence::Glory,
        };
    }
    let (Some(worst), Some(best)) = (end_of(worst, item), end_of(best, item)) else {
        return Valence::Unknown;
    };
    let share = (rating - worst) / (best - worst);
    match share {
        _ if !(0.0..=1.0).contains(&share) => Valence::Unknown,
        _ if share <= 0.40 => Valence::Pain,
        _ if share < 0.85 || kind == ScaleKind::Effort => Valence::Neutral,
        _ => Valence::Glory,
    }
}
