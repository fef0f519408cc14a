//! What a rule says, gives, opens and closes, compiled.

use super::{Compiler, boxed};
use crate::{
    engine::rules::{
        Closes, Due, End, Label, Opens, PathIx, PointsRule, Scale, kind,
        spec::{
            CloseSpec, DueSpec, HalfLifeSpec, LabelSpec, Located, PointsSpec, RuleSpec, ScaleEnd,
            ScaleKind, ValenceSpec,
        },
    },
    model::{Span, Track},
};

impl Compiler {
    pub(super) fn closes(&mut self, spec: &CloseSpec) -> Closes {
        let kind = self.kind(&spec.episode);
        if let (Some(reason), false) = (spec.reasons.first(), kind == kind::PAIN) {
            let message = "only a pain has a reason".to_owned();
            self.problem(reason.at, message, Some("write \"episode: pain\"".to_owned()));
        }
        for reason in &spec.reasons {
            self.known_reason(reason);
        }
        Closes { kind, key: self.kept_option(spec.key.as_ref()), reasons: boxed(&spec.reasons) }
    }

    pub(super) fn known_reason(&mut self, reason: &Located<String>) {
        if !self.reasons.contains(&reason.value) {
            let known: Vec<&str> = self.reasons.iter().map(String::as_str).collect();
            let help = format!("add it under \"reasons\", or use one of: {}", known.join(", "));
            self.problem(reason.at, format!("\"{}\" is not a reason", reason.value), Some(help));
        }
    }

    pub(super) fn opens(
        &mut self,
        spec: &RuleSpec,
        hurts: bool,
    ) -> (Option<Opens>, Option<PathIx>, Option<Span>) {
        let Some(opens) = &spec.opens else { return (None, None, None) };
        let before = self.problems.len();
        let position = self.kind(&opens.episode);
        if before < self.problems.len() {
            return (None, None, None);
        }
        let key = self.kept_option(opens.key.as_ref());
        if position == kind::PAIN {
            if !hurts {
                let message = "only a rule that labels pain can key one".to_owned();
                self.problem(
                    opens.at,
                    message,
                    Some("write \"label: { valence: pain }\"".to_owned()),
                );
            }
            let due = match opens.due {
                Some(DueSpec::After(span)) => Some(span),
                Some(DueSpec::Field { .. }) | None => None,
            };
            return (None, key, due);
        }
        if position == kind::ABSENCE || position == kind::BAND {
            let message = format!("\"{}\" opens by itself", opens.episode.value);
            self.problem(opens.at, message, None);
        }
        let fallback = self.kinds.get(usize::from(position)).and_then(|kind| kind.due);
        let due = match &opens.due {
            Some(DueSpec::After(span)) => Due::After(*span),
            Some(DueSpec::Field { field, bare_date_ends }) => {
                Due::Field { path: self.path(&field.value), bare_date_ends: *bare_date_ends }
            }
            None => fallback.map_or(Due::Never, Due::After),
        };
        (Some(Opens { kind: position, key, due }), None, None)
    }

    pub(super) fn label(&mut self, spec: &LabelSpec) -> Label {
        if let Some(reason) = &spec.reason {
            self.known_reason(reason);
        }
        let (valence, scale) = match &spec.valence {
            Some(ValenceSpec::Is(valence)) => (Some(*valence), None),
            Some(ValenceSpec::Scale { property, kind, worst, best }) => {
                (None, Some(self.scale(property, *kind, (worst, best))))
            }
            Some(ValenceSpec::FromText) | None => (None, None),
        };
        Label {
            micro_moment: spec.micro_moment,
            moment_of_truth: spec.moment_of_truth,
            stage: spec.stage,
            valence,
            scale,
            from_text: spec.valence == Some(ValenceSpec::FromText),
            reason_from_text: spec.reason_from_text,
            reason: spec.reason.as_ref().map(|reason| reason.value.as_str().into()),
            severity: spec.severity,
            evidence: spec.evidence,
        }
    }

    pub(super) fn scale(
        &mut self,
        property: &Located<String>,
        kind: ScaleKind,
        (worst, best): (&ScaleEnd, &ScaleEnd),
    ) -> Scale {
        let fixed = match (worst, best) {
            (ScaleEnd::Is(worst), ScaleEnd::Is(best)) => Some(best - worst),
            (ScaleEnd::Is(_) | ScaleEnd::Field { .. }, _) => None,
        };
        if matches!(kind, ScaleKind::Stars | ScaleKind::Effort)
            && fixed.is_some_and(|length| length.abs() < f64::EPSILON)
        {
            let message = "worst and best of a scale must differ".to_owned();
            self.problem(property.at, message, None);
        }
        let property = self.path(&property.value);
        let (worst, best) = (self.scale_end(worst), self.scale_end(best));
        Scale { property, kind, worst, best }
    }

    fn scale_end(&mut self, end: &ScaleEnd) -> End {
        match end {
            ScaleEnd::Is(at) => End::At(*at),
            ScaleEnd::Field { field, otherwise } => End::Field(self.path(&field.value), *otherwise),
        }
    }

    pub(super) fn points(&mut self, specs: &[PointsSpec]) -> Box<[PointsRule]> {
        let mut compiled = Vec::with_capacity(specs.len());
        for spec in specs {
            if !spec.add.is_finite() || spec.add == 0.0 || 100.0 < spec.add.abs() {
                let message = format!("{} are no points", spec.add);
                self.problem(spec.at, message, Some("from -100 to 100, not 0".to_owned()));
            }
            let cap = spec.cap.unwrap_or(100.0);
            if !(0.0..=100.0).contains(&cap) || cap < spec.add.abs() {
                let message = format!("a cap of {cap} never lets {} points count", spec.add);
                self.problem(spec.at, message, Some("from the points to 100".to_owned()));
            }
            compiled.push(PointsRule {
                track: spec.track,
                add: spec.add,
                cap,
                once_per: spec.once_per,
                half_life: spec.half_life.unwrap_or(self.half_life_of(spec.track)),
            });
        }
        compiled.into()
    }

    /// Returns a track's own half-life.
    fn half_life_of(&self, track: Track) -> HalfLifeSpec {
        let own = self.tracks.get(track.index()).map(|track| track.half_life);
        own.unwrap_or(HalfLifeSpec::Never)
    }
}
