//! Tracks, overall score and band at an instant.

use super::Line;
use crate::{
    engine::{
        episode::Episode,
        rules::{PointsRule, RuleSet, kind},
        state::Engagement,
    },
    model::{Band, EventTime, Track},
};

/// Scores at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    /// In [`Track::ALL`] order, each 0 to 100.
    pub(crate) tracks: [f64; 5],
    /// 0 to 100.
    pub(crate) overall: f64,
}

impl Standing {
    /// Returns one track's score.
    pub(crate) fn track(&self, track: Track) -> f64 {
        self.tracks.get(track.index()).copied().unwrap_or(0.0)
    }

    /// Returns the track with the highest score; `None` when all are 0.
    pub(crate) fn dominant(&self) -> Option<Track> {
        Track::ALL.iter().copied().filter(|&track| 0.0 < self.track(track)).max_by(
            |&left, &right| self.track(left).total_cmp(&self.track(right)).then(right.cmp(&left)),
        )
    }
}

/// Where each band begins (DOMAIN.md, The score).
pub(super) const THRESHOLDS: [(f64, Band); 3] =
    [(65.0, Band::Champion), (35.0, Band::Active), (10.0, Band::Casual)];

/// Returns the scores at `at`.
pub(crate) fn standing_at(engagement: &Engagement, rules: &RuleSet, at: EventTime) -> Standing {
    standing_of(engagement.ledger.counting(rules), rules, |_| at)
}

/// Returns the scores that lines add up to, each faded to its own instant.
pub(super) fn standing_of<'a>(
    lines: impl Iterator<Item = (&'a Line, &'a PointsRule)>,
    rules: &RuleSet,
    moment: impl Fn(&Line) -> EventTime,
) -> Standing {
    let mut tracks = [0.0; 5];
    for (line, points) in lines {
        if let Some(sum) = tracks.get_mut(line.track.index()) {
            *sum += points.counted(line.worth(points, moment(line)));
        }
    }
    let (mut overall, mut weights) = (0.0, 0.0);
    for (sum, track) in tracks.iter_mut().zip(&rules.tracks) {
        *sum = sum.clamp(0.0, 100.0);
        overall += *sum * track.weight;
        weights += track.weight;
    }
    Standing { tracks, overall: if 0.0 < weights { overall / weights } else { 0.0 } }
}

/// Returns the band of a score; a champion in pain is at risk.
pub(crate) fn band_at(engagement: &Engagement, overall: f64) -> Band {
    let band = THRESHOLDS
        .iter()
        .find(|(threshold, _)| *threshold <= overall)
        .map_or(Band::Dormant, |(_, band)| *band);
    let in_pain = || {
        engagement.episodes.iter().any(|one| one.kind == kind::PAIN && Episode::hurts(one))
            || engagement.balance.value().is_some_and(|balance| balance < 0.0)
    };
    if band == Band::Champion && in_pain() { Band::AtRisk } else { band }
}
