//! Why: which rule gave a touchpoint each of its labels, which nearly did and what was missing.
//!
//! Nothing here decides anything: a touchpoint is watched while it is evaluated as always. So an
//! explanation cannot disagree with what it explains.

mod touchpoint;
mod watch;
mod words;

pub use self::touchpoint::{LabelGiven, RuleSeen, TouchpointExplained};
pub(crate) use self::{watch::Watch, words::span_in_words};
