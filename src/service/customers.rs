//! The answer to "how does this customer stand?", from whichever worker or instance knows.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use super::{
    lookup::{Answer, LookupDesk},
    owners::{Owner, Owners},
    placement::Placement,
    shared::Ruling,
};
use crate::{
    clock::Clock,
    engine::{Engine, RowError, customer_explanation, customer_view},
    http::{CustomerLookup, LookupError, LookupFuture, Reach},
    http_client::{HttpClient, Request, address_of, path_segment},
    model::EventTime,
};

/// How long another instance may take. Half a look-up's own time at most.
const PEER_LIMIT: Duration = Duration::from_secs(2);

/// Answers from the workers of this process, or says which other process has the customer.
#[derive(Debug)]
pub(super) struct Customers {
    pub(super) desk: LookupDesk,
    pub(super) ruling: Arc<ArcSwap<Ruling>>,
    pub(super) clock: Clock,
    pub(super) owners: Arc<Owners>,
    pub(super) placement: Arc<Placement>,
    /// Asks other instances.
    pub(super) client: HttpClient,
    /// What authorises there: all instances are shown the same.
    pub(super) authorization: Option<String>,
}

impl CustomerLookup for Customers {
    fn look_up<'a>(&'a self, customer_id: &'a str, reach: Reach) -> LookupFuture<'a> {
        Box::pin(self.seen(customer_id, reach, customer_view))
    }

    fn explain<'a>(&'a self, customer_id: &'a str, reach: Reach) -> LookupFuture<'a> {
        Box::pin(self.seen(customer_id, reach, |engine, id, row, at| {
            customer_explanation(engine, id, row, Some(at))
        }))
    }
}

impl Customers {
    /// Finds the customer's row, and shows it as it is to be seen, or says who has it.
    async fn seen(
        &self,
        customer_id: &str,
        reach: Reach,
        show: impl Fn(&Engine, &str, &[u8], EventTime) -> Result<Vec<u8>, RowError>,
    ) -> Result<Option<Vec<u8>>, LookupError> {
        let answers = self.desk.ask(customer_id).await.map_err(|_busy| LookupError::Busy)?;
        let Here { found, asked, restoring } = Here::of(answers);
        if let Some(row) = found {
            let ruling = self.ruling.load();
            let shown = show(&ruling.engine, customer_id, &row, self.clock.now());
            // A partition with rows that cannot be read was not started: so it is a row of a
            // newer version that has just moved here.
            return shown.map(Some).map_err(|_unreadable| LookupError::Elsewhere);
        }
        let partition = self.placement.partition_of(customer_id);
        match settle(partition, &asked, &restoring, self.placement.partition_count()) {
            Outcome::Nobody => Ok(None),
            Outcome::NotReady => Err(LookupError::NotReady),
            Outcome::Elsewhere(_) if reach == Reach::Here && !asked.is_empty() => Ok(None),
            Outcome::Elsewhere(_) if reach == Reach::Here => Err(LookupError::Elsewhere),
            Outcome::Elsewhere(Some(partition)) => Err(self.owner_of(partition).await),
            Outcome::Elsewhere(None) => {
                let here = asked.union(&restoring).copied().collect();
                self.ask_others(customer_id, &here).await
            }
        }
    }

    /// Returns where a partition is, once its owner has been seen to answer.
    async fn owner_of(&self, partition: i32) -> LookupError {
        let Some(owner) = self.owners.of(partition) else {
            return LookupError::OwnerUnknown { partition };
        };
        if self.owners.is_own(&owner) {
            // It was ours until a moment ago, or will be in one.
            return LookupError::NotReady;
        }
        let Owner { instance, address: Some(address), .. } = owner else {
            return LookupError::Elsewhere;
        };
        // Behind somebody's proxy for TLS: its certificate is the business of whoever is sent there.
        if address.starts_with("https:") || self.ask(&address, "/healthz", None).await.is_some() {
            LookupError::At(address)
        } else {
            LookupError::OwnerGone { partition, instance, address }
        }
    }

    /// Asks another instance, and returns the status; `None` where there is no answer. The body is not
    /// read: whoever asked us follows the redirect.
    async fn ask(&self, address: &str, path: &str, authorization: Option<&str>) -> Option<u16> {
        let url = address_of(address, path);
        let request = Request { url: &url, authorization, posted: None };
        self.client.status(request, PEER_LIMIT).await.ok()
    }

    /// Asks everybody who has one of the other partitions. For while nobody knows which it is.
    async fn ask_others(
        &self,
        customer_id: &str,
        here: &BTreeSet<i32>,
    ) -> Result<Option<Vec<u8>>, LookupError> {
        let path = format!("/v1/customers/{}?here=1", path_segment(customer_id));
        let mut missing = None;
        let owners = self.owners.but(here);
        if owners.is_empty() {
            return Err(LookupError::Elsewhere);
        }
        for owner in owners {
            let Owner { partition, instance, address: Some(address) } = owner else {
                missing = Some(LookupError::Elsewhere);
                continue;
            };
            match self.ask(&address, &path, self.authorization.as_deref()).await {
                Some(200) => return Err(LookupError::At(address)),
                Some(404) => {}
                Some(_) => missing = Some(LookupError::NotReady),
                None => missing = Some(LookupError::OwnerGone { partition, instance, address }),
            }
        }
        missing.map_or(Ok(None), Err)
    }
}

/// What this process's workers say together.
#[derive(Debug, Default)]
struct Here {
    found: Option<Vec<u8>>,
    /// Partitions that do not know the customer.
    asked: BTreeSet<i32>,
    /// Partitions that cannot answer yet.
    restoring: BTreeSet<i32>,
}

impl Here {
    fn of(answers: Vec<Answer>) -> Self {
        let mut here = Self::default();
        for answer in answers {
            match answer {
                Answer::Found { row, .. } => here.found = Some(row),
                Answer::Unknown { asked, restoring } => {
                    here.asked.extend(asked);
                    here.restoring.extend(restoring);
                }
            }
        }
        here
    }
}

/// What is to be said of a customer whom nobody here knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// There is none.
    Nobody,
    /// Their partition cannot answer yet.
    NotReady,
    /// Another instance knows: who has this partition, or any other.
    Elsewhere(Option<i32>),
}

/// "Nobody" is only certain where the one partition, or every one, could answer.
fn settle(
    partition: Option<i32>,
    asked: &BTreeSet<i32>,
    restoring: &BTreeSet<i32>,
    partition_count: u32,
) -> Outcome {
    match partition {
        Some(partition) if asked.contains(&partition) => Outcome::Nobody,
        Some(partition) if restoring.contains(&partition) => Outcome::NotReady,
        Some(partition) => Outcome::Elsewhere(Some(partition)),
        None if u32::try_from(asked.len()).is_ok_and(|asked| asked == partition_count) => {
            Outcome::Nobody
        }
        None if !restoring.is_empty() => Outcome::NotReady,
        None => Outcome::Elsewhere(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(asked: &[i32], restoring: &[i32]) -> Answer {
        Answer::Unknown { asked: asked.to_vec(), restoring: restoring.to_vec() }
    }

    #[track_caller]
    fn check(partition: Option<i32>, answers: Vec<Answer>, expected: Outcome) {
        let Here { asked, restoring, .. } = Here::of(answers);
        assert_eq!(settle(partition, &asked, &restoring, 3), expected);
    }

    #[test]
    fn whoever_knows_the_customer_answers() {
        let found = Answer::Found { partition: 3, row: vec![7] };
        assert_eq!(Here::of(vec![unknown(&[1], &[2]), found]).found, Some(vec![7]));
    }

    #[test]
    fn nobody_is_only_said_when_all_could_answer() {
        check(None, vec![unknown(&[0], &[]), unknown(&[1, 2], &[])], Outcome::Nobody);
        check(None, vec![unknown(&[0], &[2])], Outcome::NotReady);
        check(None, vec![unknown(&[0], &[])], Outcome::Elsewhere(None));
        check(None, vec![unknown(&[], &[])], Outcome::Elsewhere(None));
    }

    #[test]
    fn where_the_partition_is_known_it_alone_counts() {
        check(Some(0), vec![unknown(&[0], &[2])], Outcome::Nobody);
        check(Some(2), vec![unknown(&[0], &[2])], Outcome::NotReady);
        check(Some(1), vec![unknown(&[0], &[2])], Outcome::Elsewhere(Some(1)));
    }
}
