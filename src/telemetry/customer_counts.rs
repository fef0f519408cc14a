//! How many customers stand at which stage and in which band.

use crate::model::{Band, Stage};

/// Customers by stage and by band; signed, so that it is also the change that a transaction makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerCounts {
    stages: [i64; Stage::ALL.len()],
    bands: [i64; Band::ALL.len()],
}

impl CustomerCounts {
    /// Adds `customers` (fewer when negative) at a stage and in a band.
    pub fn add(&mut self, stage: Stage, band: Band, customers: i64) {
        if let Some(count) = self.stages.get_mut(stage.index()) {
            *count += customers;
        }
        if let Some(count) = self.bands.get_mut(band.index()) {
            *count += customers;
        }
    }

    /// Adds a transaction's change, or another partition's customers.
    pub fn absorb(&mut self, other: &Self) {
        for (count, more) in self.stages.iter_mut().zip(other.stages) {
            *count += more;
        }
        for (count, more) in self.bands.iter_mut().zip(other.bands) {
            *count += more;
        }
    }

    /// Returns the customers at every stage.
    pub fn by_stage(&self) -> impl Iterator<Item = (Stage, i64)> {
        Stage::ALL.iter().copied().zip(self.stages)
    }

    /// Returns the customers in every band.
    pub fn by_band(&self) -> impl Iterator<Item = (Band, i64)> {
        Band::ALL.iter().copied().zip(self.bands)
    }
}
