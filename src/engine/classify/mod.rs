//! Naming the moment: which rules match a touchpoint, and what they say of it.
//!
//! In two halves. [`examine()`] asks what the touchpoint shows by itself, once, while its record is
//! at hand. [`matching()`] asks the customer's history, every time the touchpoint is (re-)evaluated.

mod examine;
mod label;
mod matching;

pub(crate) use self::{
    examine::{Subject, Values, Words, examine},
    label::label,
    matching::{History, RuleIxs, group_of, matching},
};
