//! Rows that are read back onto an empty disk.
//!
//! They come in the changelog's order, which is none of ids. Put into the tables as they come, most
//! pages would be written over and over, the more often the more customers there are. So they are
//! sorted first ([`Runs`]), and then written from the first id to the last, each page once; and after
//! them their deadlines, from the first to the last.

use std::path::PathBuf;

use super::{
    DiskFailure,
    disk::{Disk, Head, Part, deadline_key},
    runs::Runs,
};
use crate::engine::{RowError, inspect_row};

/// Rows on their way to an empty disk.
#[derive(Debug)]
pub struct Intake {
    rows: Runs,
    deadlines: Runs,
    rows_written: bool,
}

impl Intake {
    pub(super) fn new(folder: PathBuf) -> Self {
        let deadlines = Runs::new(folder.clone());
        Self { rows: Runs::new(folder), deadlines, rows_written: false }
    }

    /// Takes a customer's row that is read back, or (`None`) that it was taken away.
    ///
    /// # Errors
    ///
    /// The row cannot be read, and was not taken.
    pub fn put(&mut self, customer_id: &str, row: Option<&[u8]>) -> Result<(), RowError> {
        row.map(inspect_row).transpose()?;
        self.rows.put(customer_id.as_bytes(), row);
        Ok(())
    }

    /// Returns whether nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn is_run_due(&self, budget: usize) -> bool {
        self.rows.is_run_due(budget)
    }

    pub(super) fn write_run(&mut self) -> Result<(), DiskFailure> {
        Ok(self.rows.write_run()?)
    }

    /// Writes at most `limit` rows or deadlines to the disk, and with the last ones a head as `settle`
    /// says; returns whether these were the last.
    ///
    /// # Errors
    ///
    /// Where the disk refuses, nothing is lost, and it may be tried again.
    pub(super) fn write_some(
        &mut self,
        disk: &mut Disk,
        (limit, budget): (usize, usize),
        settle: impl FnOnce(&mut Head),
    ) -> Result<bool, DiskFailure> {
        if self.rows_written {
            let deadlines = self.deadlines.next(limit, budget)?;
            let last = deadlines.len() < limit;
            disk.append(Part::Deadlines, deadlines, |head| {
                if last {
                    settle(head);
                }
            })?;
            self.deadlines.done();
            return Ok(last);
        }
        if self.deadlines.is_run_due(budget) {
            self.deadlines.write_run()?;
        }
        let rows = self.rows.next(limit, budget)?;
        disk.append(Part::Rows, rows, |_| ())?;
        for (id, row) in rows.iter() {
            if let Some(due) = inspect_row(row).ok().and_then(|facts| facts.due) {
                self.deadlines.put(&deadline_key(due, id), Some(&[]));
            }
        }
        self.rows_written = rows.len() < limit;
        self.rows.done();
        Ok(false)
    }
}
