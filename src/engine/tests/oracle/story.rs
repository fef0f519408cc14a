//! Living through a touchpoint, or through time.

use serde_json::{Value, json};

use super::{Derived, Gift, Item, Lived, Oracle, labels::Said};
use crate::{
    engine::{
        episode::derived_id,
        rules::spec::{OncePer, RuleSpec},
        tests::journey::Touch,
    },
    model::{Actor, EventTime, MicroMoment, Severity, Stage, Track, Valence},
};

/// What came of an item, besides its labels.
#[derive(Default)]
pub(super) struct Consequences {
    pub(super) points: [f64; 5],
    pub(super) episode: Option<(String, Option<String>)>,
    pub(super) same_pain_as: Option<String>,
    /// By which a pain of this item can be named.
    pub(super) pain_key: Option<String>,
    pub(super) transition: Option<(Stage, Stage, &'static str)>,
    pub(super) referral: Option<String>,
    /// Episodes that were over, late, before they were opened.
    pub(super) late_at_once: Vec<super::Open>,
}

impl Oracle<'_> {
    pub(super) fn live_through(&mut self, touch: &Touch) {
        self.customer.clone_from(&touch.customer);
        let said_by = self.pack.event_actors.get(&touch.event);
        let actor = said_by.or_else(|| self.pack.channel_actors.get(&touch.channel));
        let since = self.settings.history_since.unwrap();
        let item = Item {
            ts: touch.ts,
            event_id: touch.event_id.clone(),
            event: touch.event.clone(),
            channel: touch.channel.clone(),
            actor: actor.copied().unwrap_or(Actor::Customer),
            properties: Value::Object(touch.properties.clone()),
            derived: None,
            history_complete: self.settings.history_complete_after <= touch.ts.since(since),
        };
        let plainly_ignored = self.pack.rules.iter().any(|rule| {
            let asks_history = format!("{:?}", rule.when).contains("Customer(");
            rule.ignore && !asks_history && self.holds(&rule.when, &item) == Some(true)
        });
        if plainly_ignored {
            // It never happened. (One that only history shows to be ignored is still `seen`.)
            return;
        }
        self.let_time_pass(Some(&item));
        self.forget_old_pains(item.ts);
        self.notice_late_closes(&item);
        self.evaluate(item);
    }

    /// Evaluates an item; returns its reason and severity if it is a pain, and whose pain it is.
    pub(super) fn evaluate(
        &mut self,
        item: Item,
    ) -> (Option<(Option<String>, Severity)>, Option<String>) {
        assert!(self.lived.len() < 5_000, "deadlines without end: {item:?}");
        let rules = &self.pack.rules;
        let matched: Vec<usize> = (0..rules.len())
            .filter(|&rule| self.holds(&rules[rule].when, &item) == Some(true))
            .collect();
        let ignored = matched.iter().any(|&rule| rules[rule].ignore);
        let mut said = self.labels(&item, &matched, true);
        let mut came = Consequences::default();
        if ignored {
            self.remember(&item, &said, true);
            self.what_no_rule_ignores(&item, &mut came);
            return (None, None);
        }
        self.run_episodes(&item, &matched, &mut said, &mut came);
        self.feel(&item, &matched, &mut said, &mut came);
        self.give_points(&item, &matched, &mut came);
        self.travel(&item, &said, &mut came);
        self.remember(&item, &said, false);
        self.what_no_rule_ignores(&item, &mut came);
        self.say(&item, &matched, &said, &came);
        for open in std::mem::take(&mut came.late_at_once) {
            self.close_late_at_once(open);
        }
        let severity = said.severity.filter(|_| said.valence == Valence::Pain);
        (severity.map(|severity| (said.reason, severity)), came.same_pain_as)
    }

    /// Who stayed away lapses and falls, whatever rules say of it.
    fn what_no_rule_ignores(&mut self, item: &Item, came: &mut Consequences) {
        let kind = item.derived.as_ref().map(|derived| derived.kind.as_str());
        if matches!(kind, Some("absence" | "band")) {
            self.as_of = self.as_of.max(Some(item.ts));
        }
        if kind == Some("absence") {
            self.lapse(item.ts, came);
        }
    }

    fn remember(&mut self, item: &Item, said: &Said, ignored: bool) {
        let Said { stage, micro_moment, .. } = *said;
        self.lived.push(Lived { item: item.clone(), stage, micro_moment, ignored });
    }

    fn give_points(&mut self, item: &Item, matched: &[usize], came: &mut Consequences) {
        for &number in matched {
            let rule = &self.pack.rules[number];
            for points in &rule.points {
                if 0.0 < points.add && item.actor != Actor::Customer {
                    continue;
                }
                let key = rule.reversible.as_ref().and_then(|path| self.key(item, &path.value));
                if !self.counts(number, points.track, points.once_per, item.ts)
                    || key.as_ref().is_some_and(|key| self.refunds.contains(key))
                {
                    continue;
                }
                let (track, ts) = (points.track, item.ts);
                let points = points.add;
                self.gifts.push(Gift { rule: number, track, points, ts, key, refunded: false });
                came.points[track.index()] += points;
            }
            self.refund_and_acquire(item, rule);
        }
    }

    /// The first of its period?
    fn counts(&mut self, rule: usize, track: Track, once_per: OncePer, ts: EventTime) -> bool {
        let Some(period) = self.period(ts, once_per) else { return true };
        let period = (rule, track, period);
        let first = !self.periods.contains(&period);
        self.periods.push(period);
        first
    }

    fn refund_and_acquire(&mut self, item: &Item, rule: &RuleSpec) {
        if let Some(key) = rule.reverses.as_ref().and_then(|path| self.key(item, &path.value)) {
            for gift in self.gifts.iter_mut().filter(|gift| gift.key.as_ref() == Some(&key)) {
                gift.refunded = true;
            }
            self.refunds.push(key);
        }
        if let Some(path) = &rule.acquires {
            let acquired = self.keys(item, &path.value);
            self.owned.extend(acquired);
        }
    }

    fn travel(&mut self, item: &Item, said: &Said, came: &mut Consequences) {
        self.as_of = self.as_of.max(Some(item.ts));
        if item.derived.is_some() || item.actor != Actor::Customer {
            return;
        }
        let not_the_first = self.own().next().is_some();
        if let Some(absence) = self.pack.absence.filter(|_| not_the_first) {
            self.absence_at = Some(item.ts.plus(absence));
        }
        let (from, to) = (self.stage, said.stage);
        if to == Stage::None || from == to {
            return;
        }
        let kind = match () {
            () if self.lapsed => "re_enter",
            () if from == Stage::None => "enter",
            () if to < from => "regress",
            () if to.index() == from.index() + 1 => "advance",
            () => "skip",
        };
        came.transition = Some((from, to, kind));
        came.referral = (from == Stage::None).then(|| self.key(item, "referral_code")).flatten();
        self.lapsed = false;
        self.stage = to;
        self.stage_since = Some(item.ts);
        self.deepest = self.deepest.max(to);
    }

    fn lapse(&mut self, at: EventTime, came: &mut Consequences) {
        if self.stage == Stage::None {
            return;
        }
        came.transition = Some((self.stage, Stage::None, "lapse"));
        self.stage = Stage::None;
        self.stage_since = Some(at);
        self.lapsed = true;
    }

    /// Fires the deadlines before an item (or all that have passed), earliest first.
    pub(super) fn let_time_pass(&mut self, until: Option<&Item>) {
        loop {
            let before = |at: &EventTime| until.is_none_or(|item| *at < item.ts);
            let passed = |at: &EventTime| before(at) && *at <= self.watermark;
            let own = until.is_some_and(|item| item.actor == Actor::Customer);
            let horizon = until.map_or(self.watermark, |item| item.ts.minus(1));
            let episode = (0..self.open.len())
                .filter_map(|place| Some((self.open[place].fires_at.filter(passed)?, place)))
                .min();
            let absence = self.absence_at.filter(|at| passed(at) || own && before(at));
            let fall = self.next_fall(horizon);
            let first = [episode.map(|(at, _)| at), absence, fall].into_iter().flatten().min();
            let Some(first) = first else { return };
            if let Some((at, place)) = episode.filter(|(at, _)| *at == first) {
                debug_assert!(at <= self.watermark, "a deadline waits for the watermark");
                self.fire_episode(place);
            } else if absence == Some(first) {
                self.absence_at = None;
                self.fire_lapse(first);
            } else {
                self.fire_fall(first);
            }
        }
    }

    fn fire_lapse(&mut self, at: EventTime) {
        let event_id = derived_id(&self.customer, "absence", None, "", at).into();
        let derived = Derived { kind: "absence".to_owned(), key: None, same_pain_as: None };
        self.evaluate(self.derive("lapsed", event_id, "other", at, derived));
    }

    fn fire_fall(&mut self, at: EventTime) {
        let was = self.band_of(self.standing(self.as_of.unwrap()).overall);
        let was = was.as_str().to_owned();
        let event_id = derived_id(&self.customer, "band", Some(&was), "", at).into();
        let derived = Derived { kind: "band".to_owned(), key: Some(was), same_pain_as: None };
        self.evaluate(self.derive("band_changed", event_id, "other", at, derived));
    }

    pub(super) fn derive(
        &self,
        event: &str,
        event_id: String,
        channel: &str,
        ts: EventTime,
        derived: Derived,
    ) -> Item {
        Item {
            ts,
            event_id,
            event: event.to_owned(),
            channel: channel.to_owned(),
            actor: Actor::System,
            properties: json!({}),
            derived: Some(derived),
            history_complete: self
                .counted()
                .next_back()
                .is_some_and(|one| one.item.history_complete),
        }
    }

    /// How often each stage and micro-moment was the customer's own.
    pub(super) fn counts_of_stages(&self) -> (Vec<usize>, Vec<usize>) {
        let stages = Stage::ALL
            .iter()
            .map(|stage| self.own().filter(|lived| lived.stage == *stage).count())
            .collect();
        let intents = MicroMoment::ALL
            .iter()
            .map(|intent| self.own().filter(|lived| lived.micro_moment == *intent).count())
            .collect();
        (stages, intents)
    }
}
