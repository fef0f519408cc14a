//! What comes first.

use std::cmp::Ordering;

use crate::model::EventTime;

/// A touchpoint's place on the time line: `(ts, event_id)`.
///
/// Ids are compared as text, except those that stand for a touchpoint without one: `topic-partition-offset`,
/// or a place in a batch behind it, have the order of the records. As text, 10 would stand before 9, and
/// a purchase before the page views that led to it, where a batch has one time for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order<'a> {
    pub(crate) ts: EventTime,
    pub(crate) event_id: &'a str,
}

impl Ord for Order<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ts.cmp(&other.ts).then_with(|| place_of(self.event_id).cmp(&place_of(other.event_id)))
    }
}

impl PartialOrd for Order<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How many numbers an id of ours ends in, at most.
const NUMBERS_MAX: usize = 3;

/// Takes an id apart: what stands before its last two or three numbers, these, and the whole.
fn place_of(id: &str) -> (&str, [u64; NUMBERS_MAX], &str) {
    let (mut rest, mut numbers, mut count) = (id, [0; NUMBERS_MAX], 0);
    while count < NUMBERS_MAX
        && let Some((before, digits)) = rest.rsplit_once('-')
        && !before.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = digits.parse()
    {
        // The last one found is the first.
        numbers.rotate_right(1);
        if let Some(first) = numbers.first_mut() {
            *first = number;
        }
        (rest, count) = (before, count + 1);
    }
    if count < 2 { (id, [0; NUMBERS_MAX], id) } else { (rest, numbers, id) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(event_id: &str) -> Order<'_> {
        Order { ts: EventTime::default(), event_id }
    }

    #[test]
    fn records_without_ids_keep_their_order() {
        let ids = ["t-0-9", "t-0-10-0", "t-0-10-2", "t-0-10-11", "t-0-11", "t-0-100", "t-1-0"];
        assert!(ids.is_sorted_by_key(|id| order(id)), "{ids:?}");
    }

    #[test]
    fn other_ids_are_text() {
        let ids = ["", "-1-2", "10", "9", "e-10", "e-9", "x"];
        assert!(ids.is_sorted_by_key(|id| order(id)), "{ids:?}");
        assert!(order("t-0-09") < order("t-0-9"), "the same numbers, not the same id");
    }

    proptest! {
        #[test]
        fn it_is_an_order(ids in prop::collection::vec("[ab]?(-?[0-9]{1,2}){0,4}", 3)) {
            let [a, b, c] = [order(&ids[0]), order(&ids[1]), order(&ids[2])];
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
            prop_assert!(!(a <= b && b <= c) || a <= c);
        }
    }
}
