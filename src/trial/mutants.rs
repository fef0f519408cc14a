//! Small wrongs, one at a time: another label, another threshold, other points.
//!
//! A test that nobody would miss guards nothing. So each rule is changed as somebody might change it
//! by mistake, and the tests are run again: what none of them notices, nobody would.

use crate::{
    engine::rules::spec::{
        Condition, CustomerTest, DueSpec, Located, RuleSpec, ScaleEnd, Test, ValenceSpec,
    },
    model::{MicroMoment, MomentOfTruth, Severity, Stage, Valence},
};

/// A rule with one small wrong in it.
pub(super) struct Mutant {
    pub(super) rule: RuleSpec,
    /// What was changed: `stage loyalty → advocacy`.
    pub(super) change: String,
    /// It may match what the rule did not: then a test may notice that the rule never hit.
    pub(super) widens: bool,
}

/// Returns every mutant of a rule.
pub(super) fn mutants(rule: &RuleSpec) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    let mut add = |change: Option<String>, mutate: &dyn Fn(&mut RuleSpec)| {
        let Some(change) = change else { return };
        let mut mutant = rule.clone();
        mutate(&mut mutant);
        mutants.push(Mutant { rule: mutant, change, widens: false });
    };
    labels(rule, &mut add);
    points(rule, &mut add);
    spans(rule, &mut add);
    let mut count = 0;
    thresholds(&mut rule.when.clone(), None, &mut count);
    for number in 0..count {
        let mut when = rule.when.clone();
        let change = thresholds(&mut when, Some(number), &mut 0);
        add(change, &|mutant| mutant.when = when.clone());
    }
    // Bounds are moved inwards, which widens what denies them.
    let widens = denies(&rule.when);
    for mutant in &mut mutants {
        mutant.widens = widens && mutant.rule.when != rule.when;
    }
    mutants
}

/// Returns whether some part of a condition is denied.
fn denies(when: &Condition) -> bool {
    match when {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(denies),
        Condition::Not(_) => true,
        Condition::Property { test, .. } | Condition::Text(test) => matches!(test, Test::Not(_)),
        Condition::Event(_)
        | Condition::EventLike(_)
        | Condition::Channel(_)
        | Condition::ChannelLike(_)
        | Condition::Actor(_)
        | Condition::ActorLike(_)
        | Condition::Episode(_)
        | Condition::Compare { .. }
        | Condition::Rated { .. }
        | Condition::Customer(_) => false,
    }
}

type Add<'a> = dyn FnMut(Option<String>, &dyn Fn(&mut RuleSpec)) + 'a;

/// Returns the value after this one, in the order of its vocabulary.
fn next<T: Copy + PartialEq>(all: &[T], value: T) -> T {
    let position = all.iter().position(|one| *one == value).unwrap_or(0);
    all.iter().cycle().nth(position + 1).copied().unwrap_or(value)
}

fn labels(rule: &RuleSpec, add: &mut Add<'_>) {
    let label = &rule.label;
    if let Some(was) = label.micro_moment {
        let is = next(MicroMoment::ALL, was);
        let change = format!("micro_moment {} → {}", was.as_str(), is.as_str());
        add(Some(change), &|rule| rule.label.micro_moment = Some(is));
    }
    if let Some(was) = label.moment_of_truth {
        let is = next(MomentOfTruth::ALL, was);
        let change = format!("moment_of_truth {} → {}", was.as_str(), is.as_str());
        add(Some(change), &|rule| rule.label.moment_of_truth = Some(is));
    }
    if let Some(was) = label.stage {
        let is = next(Stage::ALL, was);
        let change = format!("stage {} → {}", was.as_str(), is.as_str());
        add(Some(change), &|rule| rule.label.stage = Some(is));
    }
    match &label.valence {
        Some(ValenceSpec::Is(was)) => {
            let is = match was {
                Valence::Neutral | Valence::Unknown => Valence::Pain,
                Valence::Pain | Valence::Glory | Valence::Recovered => Valence::Neutral,
            };
            let change = format!("valence {} → {}", was.as_str(), is.as_str());
            add(Some(change), &|rule| rule.label.valence = Some(ValenceSpec::Is(is)));
        }
        Some(ValenceSpec::Scale { .. }) => add(Some("the scale turned round".to_owned()), &turn),
        Some(ValenceSpec::FromText) => {
            add(Some("the words are not read".to_owned()), &|rule| rule.label.valence = None);
        }
        None => {}
    }
    if let Some(reason) = &label.reason {
        let is = if reason.value == "lost" { "damaged" } else { "lost" };
        let change = format!("reason {} → {is}", reason.value);
        let is = Located { value: is.to_owned(), at: reason.at };
        add(Some(change), &|rule| rule.label.reason = Some(is.clone()));
    }
    if label.reason_from_text {
        let change = "the words give no reason".to_owned();
        add(Some(change), &|rule| rule.label.reason_from_text = false);
    }
    if let Some(was) = label.severity {
        let is = next(Severity::ALL, was);
        let change = format!("severity {} → {}", was.weight(), is.weight());
        add(Some(change), &|rule| rule.label.severity = Some(is));
    }
}

/// Turns a scale round; one whose ends are fixed by its kind becomes another.
fn turn(rule: &mut RuleSpec) {
    if let Some(ValenceSpec::Scale { kind, worst, best, .. }) = &mut rule.label.valence {
        use crate::engine::rules::spec::ScaleKind;
        if matches!(kind, ScaleKind::Nps | ScaleKind::Thumbs) {
            *kind = ScaleKind::Stars;
            (*worst, *best) = (ScaleEnd::Is(10.0), ScaleEnd::Is(0.0));
        } else {
            std::mem::swap(worst, best);
        }
    }
}

fn points(rule: &RuleSpec, add: &mut Add<'_>) {
    for (position, points) in rule.points.iter().enumerate() {
        let was = points.add;
        // A cap is moved along: a rule whose points never fit under it would not load.
        let is = if was < 0.0 { (was - 1.0).max(-100.0) } else { (was + 1.0).min(100.0) };
        let is = if (was - is).abs() < f64::EPSILON { was / 2.0 } else { is };
        let change = format!("points of {} {was} → {is}", points.track.as_str());
        add(Some(change), &|rule| {
            if let Some(points) = rule.points.get_mut(position) {
                points.add = is;
                points.cap = points.cap.map(|cap| cap.max(is.abs()));
            }
        });
    }
}

fn spans(rule: &RuleSpec, add: &mut Add<'_>) {
    let halved = |what: &str, span: i64| {
        let show = crate::config::display_span;
        format!("{what} {} → {}", show(span), show(span / 2))
    };
    if let Some(within) = rule.recover_within {
        let change = halved("recover_within", within);
        add(Some(change), &|rule| rule.recover_within = Some(within / 2));
    }
    let due = rule.opens.as_ref().and_then(|opens| opens.due.as_ref());
    // Half of no time is no change: nothing could notice it.
    if let Some(DueSpec::After(span)) = due.filter(|due| **due != DueSpec::After(0)) {
        let change = halved("due", *span);
        add(Some(change), &|rule| {
            if let Some(opens) = &mut rule.opens {
                opens.due = Some(DueSpec::After(span / 2));
            }
        });
    }
}

/// Counts the thresholds of a condition, and moves the one with that number. Returns what was
/// changed.
fn thresholds(when: &mut Condition, wanted: Option<usize>, count: &mut usize) -> Option<String> {
    match when {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter_mut().filter_map(|part| thresholds(part, wanted, count)).last()
        }
        Condition::Not(part) => thresholds(part, wanted, count),
        Condition::Property { path, test } => {
            range(test, wanted, count).map(|change| format!("{}: {change}", path.value))
        }
        Condition::Text(test) => range(test, wanted, count),
        Condition::Customer(test) => of_history(test, wanted, count),
        Condition::Event(_)
        | Condition::EventLike(_)
        | Condition::Channel(_)
        | Condition::ChannelLike(_)
        | Condition::Actor(_)
        | Condition::ActorLike(_)
        | Condition::Episode(_)
        | Condition::Compare { .. }
        | Condition::Rated { .. } => None,
    }
}

/// Returns whether it is this threshold's turn.
fn is_turn(wanted: Option<usize>, count: &mut usize) -> bool {
    *count += 1;
    wanted == Some(*count - 1)
}

/// A bound is moved inwards, by one or by as much as it is worth.
fn range(test: &mut Test, wanted: Option<usize>, count: &mut usize) -> Option<String> {
    match test {
        Test::Range { min, above, max, below } => {
            let mut change = None;
            for (name, bound, inwards) in [
                ("min", min, 1.0),
                ("above", above, 1.0),
                ("max", max, -1.0),
                ("below", below, -1.0),
            ] {
                let Some(was) = *bound else { continue };
                if is_turn(wanted, count) {
                    let is = was + inwards * (was.abs() / 2.0).max(1.0);
                    *bound = Some(is);
                    change = Some(format!("{name} {was} → {is}"));
                }
            }
            change
        }
        Test::Not(test) => range(test, wanted, count),
        Test::In(_)
        | Test::Exists(_)
        | Test::Contains(_)
        | Test::Matches(_)
        | Test::Feels { .. }
        | Test::Seeks(_) => None,
    }
}

fn of_history(test: &mut CustomerTest, wanted: Option<usize>, count: &mut usize) -> Option<String> {
    match test {
        CustomerTest::Score { min, max, .. } => {
            let mut change = None;
            for (name, bound, inwards) in [("at_least", min, 5.0), ("at_most", max, -5.0)] {
                let Some(was) = *bound else { continue };
                if is_turn(wanted, count) {
                    *bound = Some(was + inwards);
                    change = Some(format!("score {name} {was} → {}", was + inwards));
                }
            }
            change
        }
        CustomerTest::Seen(seen) => {
            let mut change = None;
            if is_turn(wanted, count) {
                let was = seen.at_least;
                seen.at_least = if was < 64 { was + 1 } else { was - 1 };
                change = Some(format!("seen at_least {was} → {}", seen.at_least));
            }
            // Half of a moment is a moment.
            if 1 < seen.within && is_turn(wanted, count) {
                let was = seen.within;
                seen.within = (was / 2).max(1);
                let show = crate::config::display_span;
                change = Some(format!("seen within {} → {}", show(was), show(seen.within)));
            }
            change
        }
        CustomerTest::Stage(_)
        | CustomerTest::FirstVisit(_)
        | CustomerTest::Band(_)
        | CustomerTest::Episode { .. }
        | CustomerTest::Owns(_) => None,
    }
}
