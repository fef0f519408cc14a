//! The labels of one touchpoint, and the points it gives.

use super::{Evidence, LabelledBy, MicroMoment, MomentOfTruth, Severity, Stage, Track, Valence};

/// The labels of one touchpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The intent of this instant.
    pub micro_moment: MicroMoment,
    /// Which promise it tested.
    pub moment_of_truth: MomentOfTruth,
    /// Where in the funnel it stands.
    pub stage: Stage,
    /// How it was for the customer.
    pub valence: Valence,
    /// Why it hurt, or what was made good: a name of the rule set's closed list, the built-in ones and
    /// the packs'.
    pub reason: Option<Box<str>>,
    /// How bad a pain is; `None` unless the valence is pain.
    pub severity: Option<Severity>,
    /// What the valence rests on.
    pub evidence: Option<Evidence>,
    /// The customer's words that decided, where they did.
    pub words: Vec<Box<str>>,
    /// What gave these labels.
    pub labelled_by: LabelledBy,
}

/// Points per track, in [`Track::ALL`] order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Points([f64; 5]);

impl Points {
    /// Returns the points of one track.
    pub fn get(&self, track: Track) -> f64 {
        self.0.get(track.index()).copied().unwrap_or(0.0)
    }

    /// Adds to one track.
    pub fn add(&mut self, track: Track, points: f64) {
        if let Some(sum) = self.0.get_mut(track.index()) {
            *sum += points;
        }
    }

    /// Returns every track with points, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Track, f64)> {
        Track::ALL
            .iter()
            .map(|&track| (track, self.get(track)))
            .filter(|&(_, points)| points != 0.0)
    }
}
