//! The spike detector: is pain more frequent than this hour normally has, given the exposure?
//!
//! ```text
//! a partition's touchpoints ─► Pulse: minutes, said when the watermark has passed them
//!                                │  (every partition's, through the pulse topic)
//!                                ▼
//! Detector: a minute that all have passed ─► leaves' rates × exposure, summed to keys
//!                                         ─► evidence per key ─► spikes open, go on, close
//! ```
//!
//! Expected pain is computed per leaf (channel × event × actor) and summed, so that a survey wave,
//! which brings many answers of a kind that hurts more often, is no spike.

mod baseline;
mod detector;
mod gather;
mod judge;
mod key;
mod minute;
mod pulse;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod watched;

pub use self::{
    detector::{Detector, DetectorSettings, Found, Patience, PulseRecord, SaidSpike, SpikeState},
    key::{Key, Numerator},
    minute::{Draft, MINUTE, minute_of},
    pulse::is_pulse_key,
    state::{DetectorRowError, Restored},
};
pub(crate) use self::{
    minute::{Group, Named},
    pulse::{Note, Pulse, property},
    watched::{Run, Spike, Watched},
};
