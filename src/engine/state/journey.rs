//! Where a customer stands in a funnel that is not linear, and how they came there.

use std::collections::VecDeque;

use crate::{
    engine::in_place::clone_in_place,
    model::{EventTime, MicroMoment, Stage, TransitionKind},
};

/// A step in the funnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) at: EventTime,
    pub(crate) from: Stage,
    pub(crate) to: Stage,
    pub(crate) kind: TransitionKind,
}

/// How often, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StageRecord {
    pub(crate) count: u32,
    pub(crate) last: Option<EventTime>,
}

impl StageRecord {
    fn note(&mut self, at: EventTime) {
        self.count = self.count.saturating_add(1);
        self.last = self.last.max(Some(at));
    }
}

/// A customer's journey.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Journey {
    /// The stage of the latest customer touchpoint that has one; `None` outside the funnel.
    pub(crate) stage: Option<Stage>,
    /// When that touchpoint was.
    pub(crate) stage_ts: Option<EventTime>,
    /// Since when the stage has been the same.
    pub(crate) since: Option<EventTime>,
    pub(crate) deepest: Option<Stage>,
    pub(crate) lapsed: bool,
    /// By [`Stage::index`].
    pub(crate) stages: [StageRecord; 6],
    /// By [`MicroMoment::index`].
    pub(crate) micro_moments: [StageRecord; 8],
    /// The newest last.
    pub(crate) transitions: VecDeque<Transition>,
}

clone_in_place!(Journey {
    stage,
    stage_ts,
    since,
    deepest,
    lapsed,
    stages,
    micro_moments,
    transitions,
});

impl Journey {
    /// How many transitions are remembered; the oldest goes.
    pub(crate) const MAX_TRANSITIONS: usize = 8;

    /// Takes note of a customer's touchpoint, and returns the step that it was.
    pub(crate) fn advance(
        &mut self,
        at: EventTime,
        stage: Stage,
        micro_moment: MicroMoment,
    ) -> Option<Transition> {
        if micro_moment != MicroMoment::None
            && let Some(record) = self.micro_moments.get_mut(micro_moment.index())
        {
            record.note(at);
        }
        if stage == Stage::None {
            return None;
        }
        if let Some(record) = self.stages.get_mut(stage.index()) {
            record.note(at);
        }
        if self.stage_ts.is_some_and(|newest| at < newest) {
            // A straggler: it is counted, but the customer has moved on since.
            return None;
        }
        self.stage_ts = Some(at);
        let from = self.stage;
        if from == Some(stage) {
            return None;
        }
        let kind = match from {
            _ if self.lapsed => TransitionKind::ReEnter,
            None => TransitionKind::Enter,
            Some(from) if stage < from => TransitionKind::Regress,
            Some(from) if stage.index() == from.index() + 1 => TransitionKind::Advance,
            Some(_) => TransitionKind::Skip,
        };
        self.lapsed = false;
        self.stage = Some(stage);
        self.since = Some(at);
        self.deepest = self.deepest.max(Some(stage));
        Some(self.remember(Transition { at, from: from.unwrap_or(Stage::None), to: stage, kind }))
    }

    /// The customer has been absent for too long.
    pub(crate) fn lapse(&mut self, at: EventTime) -> Option<Transition> {
        let from = self.stage.take()?;
        self.lapsed = true;
        self.since = Some(at);
        let kind = TransitionKind::Lapse;
        Some(self.remember(Transition { at, from, to: Stage::None, kind }))
    }

    /// The customer was not absent after all: takes the lapse back.
    pub(crate) fn unlapse(&mut self, at: EventTime) {
        let Some(lapse) = self.transitions.back().copied() else { return };
        if lapse.kind == TransitionKind::Lapse && lapse.at == at {
            self.transitions.pop_back();
            self.lapsed = false;
            self.stage = Some(lapse.from);
            self.since = self.transitions.back().map(|step| step.at).or(self.stage_ts);
        }
    }

    fn remember(&mut self, transition: Transition) -> Transition {
        if Self::MAX_TRANSITIONS <= self.transitions.len() {
            self.transitions.pop_front();
        }
        self.transitions.push_back(transition);
        transition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stages: &[Stage], expected: &[TransitionKind]) {
        let mut journey = Journey::default();
        let kinds: Vec<TransitionKind> = stages
            .iter()
            .zip(0..)
            .filter_map(|(&stage, minute)| {
                let at = EventTime::from_millis(minute * 60_000).unwrap();
                if stage == Stage::None {
                    journey.lapse(at)
                } else {
                    journey.advance(at, stage, MicroMoment::None)
                }
            })
            .map(|transition| transition.kind)
            .collect();
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_step_to_any_stage_from_any_stage_is_legal() {
        use TransitionKind::{Advance, Enter, Regress, Skip};
        check(
            &[Stage::Awareness, Stage::Consideration, Stage::Loyalty, Stage::Awareness],
            &[Enter, Advance, Skip, Regress],
        );
        check(&[Stage::Loyalty, Stage::Loyalty], &[Enter]);
    }

    #[test]
    fn who_lapsed_re_enters() {
        use TransitionKind::{Enter, Lapse, ReEnter};
        check(&[Stage::Purchase, Stage::None, Stage::Awareness], &[Enter, Lapse, ReEnter]);
    }
}
