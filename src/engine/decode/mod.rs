//! Bytes to touchpoints, or to rejects with a reason.

pub mod mapping;
mod path;
mod time;

pub use self::{
    path::{BadPath, Path},
    time::{BadFormat, TimeFormat},
};
