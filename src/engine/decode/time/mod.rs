//! Times as they are written, read into event time.

mod format;

pub use self::format::{BadFormat, TimeFormat};
