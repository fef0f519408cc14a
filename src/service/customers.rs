//! The answer to "how does this customer stand?", from whichever worker knows.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{
    lookup::{Answer, LookupDesk},
    shared::Ruling,
};
use crate::{
    clock::Clock,
    engine::{Engine, RowError, customer_explanation, customer_view},
    http::{CustomerLookup, LookupError, LookupFuture},
    model::EventTime,
};

/// Answers from the workers of this process.
#[derive(Debug)]
pub(super) struct Customers {
    pub(super) desk: LookupDesk,
    pub(super) ruling: Arc<ArcSwap<Ruling>>,
    pub(super) clock: Clock,
}

impl CustomerLookup for Customers {
    fn look_up<'a>(&'a self, customer_id: &'a str) -> LookupFuture<'a> {
        Box::pin(self.seen(customer_id, customer_view))
    }

    fn explain<'a>(&'a self, customer_id: &'a str) -> LookupFuture<'a> {
        Box::pin(self.seen(customer_id, |engine, id, row, at| {
            customer_explanation(engine, id, row, Some(at))
        }))
    }
}

impl Customers {
    /// Finds the customer's row, and shows it as it is to be seen.
    async fn seen(
        &self,
        customer_id: &str,
        show: impl Fn(&Engine, &str, &[u8], EventTime) -> Result<Vec<u8>, RowError>,
    ) -> Result<Option<Vec<u8>>, LookupError> {
        let answers = self.desk.ask(customer_id).await.map_err(|_busy| LookupError::Busy)?;
        match settle(answers) {
            Ok(Some(row)) => {
                let ruling = self.ruling.load();
                let shown = show(&ruling.engine, customer_id, &row, self.clock.now());
                // A partition with rows that cannot be read was not started: so it is a row of a
                // newer version that has just moved here.
                shown.map(Some).map_err(|_unreadable| LookupError::Elsewhere)
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Makes one answer of all workers'. Which partition a stranger would be in is not known, so "nobody"
/// is only certain where every partition that is here could answer.
fn settle(answers: Vec<Answer>) -> Result<Option<Vec<u8>>, LookupError> {
    let mut asked_count = 0;
    let mut restoring_count = 0;
    for answer in answers {
        match answer {
            Answer::Found { row, .. } => return Ok(Some(row)),
            Answer::Unknown { asked, restoring } => {
                asked_count += asked.len();
                restoring_count += restoring.len();
            }
        }
    }
    match (asked_count, restoring_count) {
        (_, 1..) => Err(LookupError::NotReady),
        (0, 0) => Err(LookupError::Elsewhere),
        (1.., 0) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(asked: &[i32], restoring: &[i32]) -> Answer {
        Answer::Unknown { asked: asked.to_vec(), restoring: restoring.to_vec() }
    }

    #[test]
    fn whoever_knows_the_customer_answers() {
        let found = Answer::Found { partition: 3, row: vec![7] };
        assert_eq!(settle(vec![unknown(&[1], &[2]), found]), Ok(Some(vec![7])));
    }

    #[test]
    fn nobody_is_only_said_when_all_could_answer() {
        assert_eq!(settle(vec![unknown(&[1], &[]), unknown(&[2], &[])]), Ok(None));
        assert_eq!(settle(vec![unknown(&[1], &[2])]), Err(LookupError::NotReady));
        assert_eq!(settle(vec![unknown(&[], &[])]), Err(LookupError::Elsewhere));
    }
}
