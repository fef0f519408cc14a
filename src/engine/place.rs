//! Putting a touchpoint, or the passing of time, into its place on a customer's time line.
//!
//! # Invariants
//!
//! - The head is a function of the settled engagement, the tail and the watermark. Whether a
//!   touchpoint came in order, or the customer was just read from a row, leaves no trace in it.
//! - Other rules change what is said from then on, never what was given before.
//! - Everything before `settled_before` is settled; the tail holds nothing earlier.

use super::{
    effects::{Bounded, Fact, Facts},
    evaluate::Outcome,
    state::{Customer, Digest},
    timeline::{Context, Fired, Until, evaluate_late, fire, stand_anew, step},
};
use crate::model::EventTime;

/// What was said by an evaluation, in order of event time.
#[derive(Debug)]
pub(crate) enum Said {
    /// Of the touchpoint at that position of the tail.
    InTail(usize, Outcome),
    /// Of a touchpoint too old for the tail.
    Beyond(Box<Digest>, Outcome),
    /// By a deadline.
    Derived(Box<Fired>),
}

/// What an evaluation said, and whether it covered everything after the settled engagement: then
/// claims that it did not repeat are wrong.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) said: Vec<Said>,
    pub(crate) whole: bool,
    pub(crate) facts: Facts,
}

/// Places a touchpoint. Deadlines up to the context's watermark must have fired.
pub(crate) fn place(customer: &mut Customer, mut digest: Digest, context: Context<'_>) -> Story {
    let mut story = Story::default();
    let latest = customer.latest().max(Some(digest.ts)).unwrap_or(digest.ts);
    settle(customer, latest.minus(context.settings.order_window), context);
    let mut fired = Vec::new();
    if let Some(before) = customer.settled_before.filter(|before| digest.ts < *before) {
        story.facts.push(Fact::BeyondOrderWindow);
        let settled = &mut customer.settled;
        let outcome = evaluate_late(settled, &mut digest, before, context, &mut fired);
        for mut one in fired {
            one.settled = true;
            story.said.push(Said::Derived(Box::new(one)));
        }
        story.said.push(Said::Beyond(Box::new(digest), outcome));
        tell_again(customer, context, &mut story);
        customer.fired_through = Some(context.watermark);
        return story;
    }
    let position = customer.tail.partition_point(|one| one.order() < digest.order());
    let in_order = position == customer.tail.len()
        && customer.head_fired_at.is_none_or(|fired| fired < digest.ts);
    if in_order {
        let outcome = step(&mut customer.head, &mut digest, context, &mut fired);
        note(customer, &mut fired, &mut story);
        // Most often it is all that is said, and what is said is large.
        story.said.reserve_exact(1);
        story.said.push(Said::InTail(position, outcome));
        make_room(customer);
        customer.tail.push_back(digest);
        // What it opened may be due already, where it came late on the partition's clock.
        fire(&mut customer.head, Until::Watermark, context, &mut fired);
        note(customer, &mut fired, &mut story);
    } else {
        make_room(customer);
        customer.tail.insert(position, digest);
        tell_again(customer, context, &mut story);
    }
    customer.fired_through = Some(context.watermark);
    story
}

/// Most tails hold one touchpoint: room for four, as a list takes it at first, would be a good part
/// of what a customer takes in memory.
fn make_room(customer: &mut Customer) {
    if customer.tail.len() == customer.tail.capacity() && customer.tail.len() < 4 {
        customer.tail.reserve_exact(1);
    }
}

/// Lets time pass: fires the deadlines up to the context's watermark.
pub(crate) fn pass_time(customer: &mut Customer, context: Context<'_>) -> Story {
    let mut story = Story::default();
    let last = customer.tail.back().map(|digest| digest.ts);
    let earliest = customer.earliest_deadline();
    if earliest.is_some_and(|at| last.is_none_or(|last| last <= at)) {
        let mut fired = Vec::new();
        fire(&mut customer.head, Until::Watermark, context, &mut fired);
        note(customer, &mut fired, &mut story);
    } else {
        tell_again(customer, context, &mut story);
    }
    customer.fired_through = Some(context.watermark);
    story
}

/// Bounds the tail; call it after what was said has been published.
pub(crate) fn trim(customer: &mut Customer, context: Context<'_>, facts: &mut Facts) {
    while Customer::MAX_TAIL < customer.tail.len() {
        let Some(mut digest) = customer.tail.pop_front() else { return };
        let mut fired = Vec::new();
        step(&mut customer.settled, &mut digest, context, &mut fired);
        settle_claims(customer, &fired);
        customer.settled_before = customer.settled_before.max(Some(digest.ts));
        facts.push(Fact::Evicted(Bounded::Tail));
    }
}

/// Brings a customer who was read from a row under the rules in force.
pub(crate) fn revive(customer: &mut Customer, context: Context<'_>) {
    if customer.rules_version == context.rules.version_hash() {
        return;
    }
    // The rules that examined the tail are gone, and with them the means to evaluate it in another
    // order. What they decided stands: their head is where the new ones go on from.
    stand_anew(&mut customer.head, context);
    customer.settled.clone_from(&customer.head);
    let through = customer.latest().map(|latest| latest.plus(1));
    customer.settled_before = customer.settled_before.max(through);
    customer.rules_since = customer.head.as_of;
    customer.tail.clear();
    customer.head_fired_at = None;
    for claim in &mut customer.claims {
        claim.settled = true;
    }
    customer.rules_version = context.rules.version_hash();
}

/// Evaluates the tail over the settled engagement, from the beginning.
fn tell_again(customer: &mut Customer, context: Context<'_>, story: &mut Story) {
    customer.head.clone_from(&customer.settled);
    customer.head_fired_at = None;
    story.whole = true;
    let mut fired = Vec::new();
    for position in 0..customer.tail.len() {
        let Some(digest) = customer.tail.get_mut(position) else { break };
        let outcome = step(&mut customer.head, digest, context, &mut fired);
        note(customer, &mut fired, story);
        story.said.push(Said::InTail(position, outcome));
    }
    fire(&mut customer.head, Until::Watermark, context, &mut fired);
    note(customer, &mut fired, story);
}

/// Takes note of deadlines that fired in the head.
fn note(customer: &mut Customer, fired: &mut Vec<Fired>, story: &mut Story) {
    let newest = fired.iter().map(|one| one.at).max();
    customer.head_fired_at = customer.head_fired_at.max(newest);
    story.said.extend(fired.drain(..).map(|one| Said::Derived(Box::new(one))));
}

/// Settles everything before `before`.
fn settle(customer: &mut Customer, before: EventTime, context: Context<'_>) {
    if customer.settled_before.is_some_and(|settled| before <= settled) {
        return;
    }
    customer.settled_before = Some(before);
    let all_older = customer.tail.back().is_none_or(|digest| digest.ts < before)
        && customer.head_fired_at.is_none_or(|fired| fired < before);
    if all_older {
        // The head is what settling one by one would give, and it is at hand.
        forget_unseen(customer, context);
        customer.settled.clone_from(&customer.head);
        customer.tail.clear();
        customer.head_fired_at = None;
        for claim in &mut customer.claims {
            claim.settled = true;
        }
    } else {
        while customer.tail.front().is_some_and(|digest| digest.ts < before) {
            let Some(mut digest) = customer.tail.pop_front() else { break };
            let mut fired = Vec::new();
            step(&mut customer.settled, &mut digest, context, &mut fired);
            settle_claims(customer, &fired);
        }
        let mut fired = Vec::new();
        fire(&mut customer.settled, Until::Settled(before), context, &mut fired);
        settle_claims(customer, &fired);
    }
    customer.prune_claims(context.rules);
}

fn settle_claims(customer: &mut Customer, fired: &[Fired]) {
    for claim in &mut customer.claims {
        claim.settled |= fired.iter().any(|one| one.digest.event_id == claim.event_id);
    }
}

/// Drops what `seen` predicates can no longer ask for. Only the head, and only when it becomes the
/// settled engagement, so that both forget alike.
fn forget_unseen(customer: &mut Customer, context: Context<'_>) {
    let Some(as_of) = customer.head.as_of else { return };
    if customer.head.seen.0.is_empty() {
        return;
    }
    customer.head.seen.retain(|memory| {
        let within = context.rules.seen_within(memory)?;
        Some(as_of.minus(within).minus(context.settings.order_window))
    });
}
