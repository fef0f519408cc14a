//! Episodes and pains.

use super::{Derived, Item, Open, Oracle, labels::Said, questions::values, story::Consequences};
use crate::{
    engine::{
        episode::derived_id,
        rules::spec::{DueSpec, Located, OpenSpec, ValenceSpec},
    },
    model::{EventTime, Severity, Span, Valence},
};

const HOUR: Span = 3_600_000;

fn means(reasons: &[Located<String>], open: &Open) -> bool {
    let of_pain = open.pain.as_ref().and_then(|(reason, _)| reason.as_deref());
    reasons.is_empty() || reasons.iter().any(|reason| Some(&*reason.value) == of_pain)
}

impl Oracle<'_> {
    fn find(&self, kind: &str, key: Option<&str>) -> Option<usize> {
        let first = |mine: &dyn Fn(&Open) -> bool| {
            let places = (0..self.open.len()).filter(|&place| mine(&self.open[place]));
            let age =
                |&place: &usize| (self.open[place].opened_at, self.open[place].opened_by.clone());
            places.min_by_key(age)
        };
        let exactly = first(&|open| open.kind == kind && open.key.as_deref() == key);
        exactly.or_else(|| key.is_none().then(|| first(&|open| open.kind == kind)).flatten())
    }

    pub(super) fn forget_old_pains(&mut self, now: EventTime) {
        self.open.retain(|open| {
            open.pain.is_none()
                || if open.resolved {
                    open.deadline.is_some_and(|deadline| now <= deadline)
                } else {
                    now.since(open.opened_at) <= 90 * 24 * HOUR
                }
        });
    }

    /// A close after the deadline: the deadline speaks first.
    pub(super) fn notice_late_closes(&mut self, item: &Item) {
        let mut ends_pain = false;
        for rule in &self.pack.rules {
            if self.holds(&rule.when, item) != Some(true) {
                continue;
            }
            let recovers = Some(ValenceSpec::Is(Valence::Recovered));
            ends_pain |= rule.label.valence == recovers;
            let Some(closes) = &rule.closes else { continue };
            if closes.episode.value == "pain" {
                ends_pain = true;
                continue;
            }
            let key = closes.key.as_ref().and_then(|path| self.key(item, &path.value));
            let Some(place) = self.find(&closes.episode.value, key.as_deref()) else { continue };
            let open = &self.open[place];
            if open.fires_at.is_some() && open.deadline.is_some_and(|deadline| deadline < item.ts) {
                self.fire_episode(place);
            }
            let kind = &closes.episode.value;
            ends_pain |= self.open.iter().any(|one| one.kind == *kind && one.overdue.is_some());
        }
        if !ends_pain {
            return;
        }
        loop {
            let overdue = |open: &&Open| {
                open.pain.is_some() && open.fires_at.is_some_and(|fires_at| fires_at < item.ts)
            };
            let first = self.open.iter().filter(overdue).map(|open| open.fires_at).min();
            let Some(first) = first else { return };
            let place =
                self.open.iter().position(|open| open.pain.is_some() && open.fires_at == first);
            self.fire_episode(place.unwrap());
        }
    }

    pub(super) fn fire_episode(&mut self, place: usize) {
        let open = self.open[place].clone();
        let (deadline, key) = (open.deadline.unwrap(), open.key.clone());
        self.open[place].fires_at = None;
        let id = derived_id(&self.customer, &open.kind, key.as_deref(), &open.opened_by, deadline);
        let event = match open.kind.as_str() {
            "pain" => "unrecovered_pain",
            "answer" => "missed_moment",
            _ => "episode_overdue",
        };
        let same_pain_as = open.pain.is_some().then(|| open.opened_by.clone());
        let derived = Derived { kind: open.kind.clone(), key, same_pain_as };
        let item = self.derive(event, id.to_string(), &open.channel, deadline, derived);
        let (pain, same_pain_as) = self.evaluate(item);
        let shown_by = same_pain_as.unwrap_or_else(|| id.to_string());
        let same = |one: &&mut Open| one.kind == open.kind && one.opened_by == open.opened_by;
        if let Some(open) = self.open.iter_mut().find(same) {
            open.overdue = Some((id.to_string(), pain, shown_by));
        }
    }

    pub(super) fn run_episodes(
        &mut self,
        item: &Item,
        matched: &[usize],
        said: &mut Said,
        came: &mut Consequences,
    ) {
        if let Some(derived) = &item.derived {
            came.episode = Some((derived.kind.clone(), derived.key.clone()));
            came.same_pain_as.clone_from(&derived.same_pain_as);
            came.pain_key.clone_from(&derived.key);
        }
        for &number in matched {
            let rule = &self.pack.rules[number];
            if let Some(closes) = &rule.closes {
                let path = closes.key.as_ref();
                let key = path.and_then(|path| self.key(item, &path.value));
                if closes.episode.value == "pain" {
                    if said.valence != Valence::Recovered && (path.is_none() || key.is_some()) {
                        let reasons = &closes.reasons;
                        self.fix(item.ts, |open| {
                            (key.is_none() || open.key == key) && means(reasons, open)
                        });
                    }
                } else {
                    self.close(item, &closes.episode.value, key, (said, came));
                }
            }
            let Some(opens) = &rule.opens else { continue };
            if opens.episode.value == "pain" {
                // It only names the pain that this rule labels.
                let named = opens.key.as_ref().and_then(|path| self.key(item, &path.value));
                came.pain_key = came.pain_key.take().or(named);
            } else {
                self.open(item, opens, came);
            }
        }
    }

    /// A plain fix ends pains; until their deadline they can still be made good.
    fn fix(&mut self, now: EventTime, meant: impl Fn(&Open) -> bool) {
        self.open.retain_mut(|open| {
            if open.pain.is_none() || open.resolved || !meant(open) {
                return true;
            }
            open.resolved = true;
            open.fires_at = None;
            open.deadline.is_some_and(|deadline| now <= deadline)
        });
    }

    fn close(
        &mut self,
        item: &Item,
        kind: &str,
        key: Option<String>,
        (said, came): (&mut Said, &mut Consequences),
    ) {
        let Some(place) = self.find(kind, key.as_deref()) else {
            // Told again is not early.
            if let Some(key) = key.filter(|key| !self.ended.contains(&(kind.into(), key.clone()))) {
                self.early.push((kind.to_owned(), key, item.ts));
            }
            return;
        };
        let open = self.open.remove(place);
        self.ended.extend(open.key.clone().map(|key| (kind.to_owned(), key)));
        came.episode = Some((open.kind.clone(), open.key.clone()));
        came.pain_key = came.pain_key.take().or(open.key.clone());
        let late = open.deadline.is_some_and(|deadline| deadline < item.ts);
        let Some((_, Some((reason, severity)), shown_by)) = open.overdue.filter(|_| late) else {
            return;
        };
        said.valence = Valence::Pain;
        said.reason = reason;
        said.severity = Some(severity);
        said.evidence = Some(crate::model::Evidence::Operational);
        self.fix(item.ts, |pain| pain.opened_by == shown_by);
        came.same_pain_as = Some(shown_by);
    }

    fn open(&mut self, item: &Item, opens: &OpenSpec, came: &mut Consequences) {
        let kind = &opens.episode.value;
        let key = opens.key.as_ref().and_then(|path| self.key(item, &path.value));
        if opens.key.is_some() && key.is_none() {
            return;
        }
        came.episode = Some((kind.clone(), key.clone()));
        let deadline = match &opens.due {
            None => self.pack.episodes[kind].due.map(|span| item.ts.plus(span)),
            Some(DueSpec::After(span)) => Some(item.ts.plus(*span)),
            Some(DueSpec::Field { field, bare_date_ends }) => {
                values(&item.properties, &field.value)
                    .first()
                    .and_then(|promise| self.read_promise(promise, *bare_date_ends))
            }
        };
        let fires_at = deadline.map(|deadline| {
            // Already past: it waits one tolerance.
            if deadline < item.ts { item.ts.plus(self.settings.tolerance) } else { deadline }
        });
        if let Some(known) = self.open.iter_mut().find(|one| one.kind == *kind && one.key == key) {
            // A promise renewed.
            if known.overdue.is_none() && deadline.is_some() {
                (known.deadline, known.fires_at) = (deadline, fires_at);
            }
            return;
        }
        let open = Open {
            kind: kind.clone(),
            key: key.clone(),
            opened_at: item.ts,
            opened_by: item.event_id.clone(),
            channel: item.channel.clone(),
            deadline,
            fires_at,
            overdue: None,
            pain: None,
            resolved: false,
        };
        let earliest =
            self.early.iter().filter(|(of, one, _)| of == kind && Some(one) == key.as_ref());
        let Some(closed_at) = earliest.map(|(_, _, at)| *at).min() else {
            self.open.push(open);
            return;
        };
        self.early.retain(|(of, one, _)| !(of == kind && Some(one) == key.as_ref()));
        self.ended.extend(key.map(|key| (kind.clone(), key)));
        if deadline.is_some_and(|deadline| deadline < closed_at) {
            came.late_at_once.push(open);
        }
    }

    /// It was closed before it was opened, but after its deadline: overdue, and over.
    pub(super) fn close_late_at_once(&mut self, open: Open) {
        let (kind, key, now) = (open.kind.clone(), open.key.clone(), open.opened_at);
        self.open.push(open);
        self.fire_episode(self.open.len() - 1);
        let place = self.find(&kind, key.as_deref()).unwrap();
        let overdue = self.open.remove(place).overdue;
        self.fix(now, |pain| overdue.as_ref().is_some_and(|(_, _, by)| pain.opened_by == *by));
    }

    fn read_promise(&self, promise: &serde_json::Value, ends: bool) -> Option<EventTime> {
        if let Some(millis) = promise.as_i64() {
            return EventTime::from_millis(millis);
        }
        let text = promise.as_str()?;
        let millis = if let Ok(date) =
            text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10).ok_or(())
        {
            let date = if ends { date.tomorrow().ok()? } else { date };
            date.to_zoned(self.settings.timezone.clone()).ok()?.timestamp().as_millisecond()
        } else {
            text.parse::<jiff::Timestamp>().ok()?.as_millisecond()
        };
        EventTime::from_millis(millis)
    }

    pub(super) fn feel(
        &mut self,
        item: &Item,
        matched: &[usize],
        said: &mut Said,
        came: &mut Consequences,
    ) {
        match said.valence {
            Valence::Neutral | Valence::Unknown => {}
            Valence::Glory => {
                self.glories += 1;
                self.felt.push((item.ts, 2.0));
            }
            Valence::Recovered => self.recover(item, matched, said, came),
            Valence::Pain if came.same_pain_as.is_some() => {}
            Valence::Pain => self.hurt(item, matched, said, came),
        }
    }

    fn hurt(&mut self, item: &Item, matched: &[usize], said: &Said, came: &mut Consequences) {
        let severity = said.severity.unwrap_or(Severity::Failure);
        let same = self.open.iter().filter(|open| !open.resolved).find(|open| {
            let (reason, key) = (&said.reason, &came.pain_key);
            key.is_some()
                && open.key == *key
                && reason.is_some()
                && open.pain.as_ref().is_some_and(|(known, _)| known == reason)
        });
        if let Some(same) = same {
            came.same_pain_as = Some(same.opened_by.clone());
            return;
        }
        self.pains += 1;
        self.felt.push((item.ts, -f64::from(severity.weight())));
        if severity == Severity::Friction {
            return;
        }
        let mut rules = matched.iter().map(|&rule| &self.pack.rules[rule]);
        let span = rules.find_map(|rule| {
            let key_due = rule.opens.as_ref().filter(|one| one.episode.value == "pain");
            rule.recover_within.or(key_due.and_then(|opens| match opens.due {
                Some(DueSpec::After(span)) => Some(span),
                Some(DueSpec::Field { .. }) | None => None,
            }))
        });
        let deadline = Some(item.ts.plus(span.unwrap_or(72 * HOUR)));
        self.open.push(Open {
            kind: "pain".to_owned(),
            key: came.pain_key.clone(),
            opened_at: item.ts,
            opened_by: item.event_id.clone(),
            channel: item.channel.clone(),
            deadline,
            fires_at: deadline,
            overdue: None,
            pain: Some((said.reason.clone(), severity)),
            resolved: false,
        });
    }

    fn recover(
        &mut self,
        item: &Item,
        matched: &[usize],
        said: &mut Said,
        came: &mut Consequences,
    ) {
        let closing = matched.iter().filter_map(|&rule| self.pack.rules[rule].closes.as_ref());
        let closing: Vec<_> = closing.filter(|closes| closes.episode.value == "pain").collect();
        let keyed = closing.iter().find(|closes| {
            closes.key.as_ref().is_some_and(|path| self.key(item, &path.value).is_some())
        });
        let reasons = keyed.or(closing.first()).map(|closes| closes.reasons.clone());
        let key = matched.iter().find_map(|&rule| {
            let closes = self.pack.rules[rule].closes.as_ref()?;
            let path = closes.key.as_ref().filter(|_| closes.episode.value == "pain")?;
            self.key(item, &path.value)
        });
        let may = |open: &Open| {
            open.pain.is_some()
                && reasons.as_ref().is_none_or(|reasons| means(reasons, open))
                && (!open.resolved || open.deadline.is_some_and(|deadline| item.ts <= deadline))
        };
        let mut pains: Vec<usize> =
            (0..self.open.len()).filter(|&place| may(&self.open[place])).collect();
        pains
            .sort_by_key(|&place| (self.open[place].opened_at, self.open[place].opened_by.clone()));
        let named = pains.iter().rev().find(|&&place| key.is_some() && self.open[place].key == key);
        let Some(place) = named.or(pains.last()).copied() else {
            *said = self.labels(item, matched, false);
            self.feel(item, matched, said, came);
            return;
        };
        let (reason, severity) = self.open.remove(place).pain.unwrap();
        self.recovered += 1;
        let recently = |(one, at): &(Option<String>, EventTime)| {
            *one == reason && item.ts.since(*at) < 90 * 24 * HOUR
        };
        if !self.made_good.iter().any(recently) {
            self.made_good.push((reason.clone(), item.ts));
            self.felt.push((item.ts, f64::from(severity.weight())));
        }
        said.reason = reason;
    }
}
