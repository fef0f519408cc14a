//! What leaves the engine: `moments` and `engagement` as JSON, state rows as bytes.

mod engagement;
mod explanation;
mod json;
mod moment;
mod row;
mod spike;
mod view;

pub(crate) use self::{
    engagement::write_engagement,
    moment::{Said, write_moment},
    row::{read_row, write_partition_row, write_row},
    spike::{SpikeSaid, write_spike},
};
pub use self::{
    explanation::customer_explanation,
    row::{RestoredRow, RowError, inspect_row, read_partition_row},
    view::{customer_view, engagement_record},
};
