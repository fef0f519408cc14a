//! Scores as sums over every single point ever given.

use jiff::{Timestamp, tz::TimeZone};

use super::{Gift, Oracle};
use crate::{
    engine::rules::spec::{HalfLifeSpec, OncePer, PointsSpec},
    model::{Band, EventTime, Span, Track, span_as_f64},
};

pub(super) struct Standing {
    pub(super) tracks: [f64; 5],
    pub(super) overall: f64,
}

const HOUR: Span = 3_600_000;

impl Oracle<'_> {
    fn points(&self, rule: usize, track: Track) -> &PointsSpec {
        self.pack.rules[rule].points.iter().find(|points| points.track == track).unwrap()
    }

    fn half_life(&self, rule: usize, track: Track) -> Option<Span> {
        match self.points(rule, track).half_life {
            Some(HalfLifeSpec::Never) => None,
            Some(HalfLifeSpec::After(span)) => Some(span),
            None => self.pack.tracks.get(&track).map_or_else(
                || panic!("journeys give points on the pack's own tracks"),
                |track| track.half_life,
            ),
        }
    }

    /// What is left of a gift.
    fn left(&self, gift: &Gift, at: EventTime) -> f64 {
        let Some(half_life) = self.half_life(gift.rule, gift.track) else { return gift.points };
        gift.points * 0.5_f64.powf(span_as_f64(at.since(gift.ts)) / span_as_f64(half_life))
    }

    pub(super) fn standing(&self, at: EventTime) -> Standing {
        let mut tracks = [0.0; 5];
        for (number, rule) in self.pack.rules.iter().enumerate() {
            for points in &rule.points {
                let gifts = self.gifts.iter().filter(|gift| {
                    gift.rule == number && gift.track == points.track && !gift.refunded
                });
                let line: f64 = gifts.map(|gift| self.left(gift, at)).sum();
                let cap = points.cap.unwrap_or(100.0);
                tracks[points.track.index()] += line.clamp(-cap, cap);
            }
        }
        let (mut overall, mut weights) = (0.0, 0.0);
        for &track in Track::ALL {
            let score = &mut tracks[track.index()];
            *score = score.clamp(0.0, 100.0);
            let weight = self.pack.tracks.get(&track).map_or(0.0, |track| track.weight);
            overall += *score * weight;
            weights += weight;
        }
        Standing { tracks, overall: overall / weights }
    }

    pub(super) fn balance(&self) -> Option<f64> {
        let latest = self.felt.iter().map(|(ts, _)| *ts).max()?;
        let faded = |weight: f64, ts: EventTime| {
            weight * 0.5_f64.powf(span_as_f64(latest.since(ts)) / span_as_f64(60 * 24 * HOUR))
        };
        let sum: f64 = self.felt.iter().map(|(ts, weight)| faded(*weight, *ts)).sum();
        let all: f64 = self.felt.iter().map(|(ts, weight)| faded(weight.abs(), *ts)).sum();
        (2 <= self.felt.len()).then(|| 100.0 * sum / all)
    }

    pub(super) fn band_of(&self, overall: f64) -> Band {
        let hurts = self.open.iter().any(|open| open.pain.is_some() && !open.resolved);
        match overall {
            _ if overall < 10.0 => Band::Dormant,
            _ if overall < 35.0 => Band::Casual,
            _ if overall < 65.0 => Band::Active,
            _ if hurts || self.balance().is_some_and(|balance| balance < 0.0) => Band::AtRisk,
            _ => Band::Champion,
        }
    }

    /// The first instant after the latest change at which the score is below the band it had then.
    /// Looks every six hours until `until`, then halves.
    pub(super) fn next_fall(&self, until: EventTime) -> Option<EventTime> {
        let from = self.as_of?;
        let overall = self.standing(from).overall;
        let threshold = [65.0, 35.0, 10.0].into_iter().find(|threshold| *threshold <= overall)?;
        let fallen = |at: EventTime| self.standing(at).overall < threshold;
        let mut above = from;
        while !fallen(above.plus(6 * HOUR)) {
            above = above.plus(6 * HOUR);
            if until < above {
                return None;
            }
        }
        let mut step = 6 * HOUR;
        while 1 < step {
            step = (step + 1) / 2;
            if !fallen(above.plus(step)) {
                above = above.plus(step);
            }
        }
        while !fallen(above) {
            above = above.plus(1);
        }
        (above <= until).then_some(above)
    }
}

pub(super) fn period(ts: EventTime, once_per: OncePer, zone: &TimeZone) -> Option<String> {
    let timestamp = Timestamp::from_millisecond(ts.as_millis()).unwrap();
    let local = timestamp.to_zoned(zone.clone());
    let pattern = match once_per {
        OncePer::Touchpoint => return None,
        OncePer::Hour => "%F %H",
        OncePer::Day => "%F",
        OncePer::Week => "%G-%V",
        OncePer::Month => "%Y-%m",
    };
    Some(local.strftime(pattern).to_string())
}
