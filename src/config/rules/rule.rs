//! One rule: when it matches, what it says, what it gives, what it opens and closes.

use super::{pack::half_life, property, when};
use crate::{
    config::{
        fields::{Fields, entries, found, read_fields},
        problem::Problems,
        values::{Length, Vocabulary, flag, located, number, one_or_more, span, word, word_of},
        yaml::{Node, Value},
    },
    engine::rules::spec::{
        CloseSpec, DueSpec, HalfLifeSpec, LabelSpec, Located, OncePer, OpenSpec, PointsSpec,
        RuleSpec, ScaleEnd, ScaleKind, ValenceSpec,
    },
    model::Track,
};

/// In place of a valence or a reason: what the customer's words say.
const FROM_TEXT: &str = "from_text";

impl Vocabulary for OncePer {
    const WHAT: &'static str = "a period";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("touchpoint", Self::Touchpoint),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];
}

impl Vocabulary for ScaleKind {
    const WHAT: &'static str = "a scale";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("stars", Self::Stars),
        ("csat", Self::Stars),
        ("nps", Self::Nps),
        ("ces", Self::Effort),
        ("thumbs", Self::Thumbs),
    ];
}

/// Reads a rule.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<RuleSpec> {
    read_fields(node, "the rule", problems, |fields| {
        let at = fields.at();
        let name = fields.need("name", located);
        let was = fields.get("was", one_or_more(located)).unwrap_or_default();
        let when = fields.need("when", when::read);
        let label = fields.get("label", label).unwrap_or_default();
        let points = fields.get("points", points).unwrap_or_default();
        let opens = fields.get("opens", opens);
        let closes = fields.get("closes", closes);
        let reversible = fields.get("reversible", property);
        let reverses = fields.get("reverses", property);
        let recover_within = fields.get("recover_within", span);
        let acquires = fields.get("acquires", property);
        let ignore = fields.get("ignore", flag).unwrap_or(false);
        let alert = fields.get("alert", flag).unwrap_or(false);
        Some(RuleSpec {
            at,
            name: name?,
            was,
            when: when?,
            label,
            points,
            opens,
            closes,
            reversible,
            reverses,
            recover_within,
            acquires,
            ignore,
            alert,
        })
    })
}

fn label(node: &Node, problems: &mut Problems) -> Option<LabelSpec> {
    read_fields(node, "the label", problems, |fields| {
        let reason = fields.get("reason", located);
        let from_text = reason.as_ref().is_some_and(|reason| reason.value == FROM_TEXT);
        Some(LabelSpec {
            micro_moment: fields.get("micro_moment", word),
            moment_of_truth: fields.get("moment_of_truth", word),
            stage: fields.get("stage", word),
            valence: fields.get("valence", valence),
            reason: reason.filter(|_| !from_text),
            reason_from_text: from_text,
            severity: fields.get("severity", word),
            evidence: fields.get("evidence", word),
        })
    })
}

fn valence(node: &Node, problems: &mut Problems) -> Option<ValenceSpec> {
    if let Value::Scalar(written) = &node.value
        && written.text == FROM_TEXT
    {
        return Some(ValenceSpec::FromText);
    }
    if let Value::Nothing | Value::Scalar(_) | Value::Sequence(_) = node.value {
        return word(node, problems).map(ValenceSpec::Is);
    }
    read_fields(node, "the scale", problems, |fields| {
        let (property, kind, worst, best) = scale(fields)?;
        Some(ValenceSpec::Scale { property, kind, worst, best })
    })
}

/// Reads what a rating is read with.
pub(super) fn scale(
    fields: &mut Fields<'_, '_>,
) -> Option<(Located<String>, ScaleKind, ScaleEnd, ScaleEnd)> {
    let kind = fields.need("scale", word);
    let property = fields.need("from", property);
    let (worst, best) = match kind {
        Some(ScaleKind::Nps) => (Some(ScaleEnd::Is(0.0)), Some(ScaleEnd::Is(10.0))),
        Some(ScaleKind::Thumbs) => (Some(ScaleEnd::Is(0.0)), Some(ScaleEnd::Is(1.0))),
        Some(ScaleKind::Stars | ScaleKind::Effort) => {
            (fields.need("worst", scale_end), fields.need("best", scale_end))
        }
        // Which fields there are is not known: complain of the scale alone.
        None => (fields.get("worst", scale_end), fields.get("best", scale_end)),
    };
    Some((property?, kind?, worst?, best?))
}

/// Reads where a scale ends: a number, or `{ field: best_rating, or: 5 }`.
fn scale_end(node: &Node, problems: &mut Problems) -> Option<ScaleEnd> {
    if let Value::Nothing | Value::Scalar(_) | Value::Sequence(_) = node.value {
        return number(node, problems).map(ScaleEnd::Is);
    }
    read_fields(node, "the end of the scale", problems, |fields| {
        let field = fields.need("field", property);
        let otherwise = fields.get("or", number);
        Some(ScaleEnd::Field { field: field?, otherwise })
    })
}

fn points(node: &Node, problems: &mut Problems) -> Option<Vec<PointsSpec>> {
    let entries = entries(node, "points", problems)?.iter();
    let points: Vec<_> = entries
        .map(|entry| {
            let track = word_of::<Track>(&entry.key.value, entry.key.at, problems);
            points_of(track, &entry.value, problems)
        })
        .collect();
    points.into_iter().collect()
}

fn points_of(track: Option<Track>, node: &Node, problems: &mut Problems) -> Option<PointsSpec> {
    let at = node.at;
    // What gives may be repeated at will, so it counts once a day; what takes away counts always.
    let usual = |add: f64| if 0.0 < add { OncePer::Day } else { OncePer::Touchpoint };
    if let Value::Mapping(_) = node.value {
        return read_fields(node, "\"points\"", problems, |fields| {
            let add = fields.need("add", number);
            let cap = fields.get("cap", number);
            let once_per = fields.get("once_per", word);
            let half_life = fields.get("half_life", half_life).map(|half_life| match half_life {
                Length::Of(span) => HalfLifeSpec::After(span),
                Length::Off => HalfLifeSpec::Never,
            });
            let (track, add) = (track?, add?);
            let once_per = once_per.unwrap_or(usual(add));
            Some(PointsSpec { at, track, add, cap, once_per, half_life })
        });
    }
    let add = number(node, problems)?;
    Some(PointsSpec { at, track: track?, add, cap: None, once_per: usual(add), half_life: None })
}

fn opens(node: &Node, problems: &mut Problems) -> Option<OpenSpec> {
    read_fields(node, "\"opens\"", problems, |fields| {
        let at = fields.at();
        let episode = fields.need("episode", located);
        let key = fields.get("key", property);
        let due = fields.get("due", due);
        Some(OpenSpec { at, episode: episode?, key, due })
    })
}

fn closes(node: &Node, problems: &mut Problems) -> Option<CloseSpec> {
    read_fields(node, "\"closes\"", problems, |fields| {
        let at = fields.at();
        let episode = fields.need("episode", located);
        let key = fields.get("key", property);
        let reasons = fields.get("reason", one_or_more(located)).unwrap_or_default();
        Some(CloseSpec { at, episode: episode?, key, reasons })
    })
}

fn due(node: &Node, problems: &mut Problems) -> Option<DueSpec> {
    if let Value::Nothing | Value::Scalar(_) | Value::Sequence(_) = node.value {
        return span(node, problems).map(DueSpec::After);
    }
    read_fields(node, "\"due\"", problems, |fields| {
        let field = fields.need("field", property);
        let bare_date_ends = fields.get("bare_date", bare_date).unwrap_or(true);
        Some(DueSpec::Field { field: field?, bare_date_ends })
    })
}

/// Reads whether a bare date means its end.
fn bare_date(node: &Node, problems: &mut Problems) -> Option<bool> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "end_of_day" => Some(true),
        Value::Scalar(scalar) if scalar.text == "start_of_day" => Some(false),
        Value::Nothing | Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => {
            let message = format!("expected end_of_day or start_of_day, found {}", found(node));
            problems.add(node.at, message);
            None
        }
    }
}
