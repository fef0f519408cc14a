//! One spelling for event and channel names, whoever sent them.
//!
//! `Order Completed`, `orderCompleted` and `order-completed` are one event. Most senders write the
//! normal form already, so that is recognised first and costs no allocation.

use std::{borrow::Cow, collections::BTreeMap};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// Other names of events → canonical ones.
#[derive(Debug)]
pub(super) struct EventNames(HashMap<Box<str>, Box<str>, FixedState>);

impl EventNames {
    /// Takes other → canonical. The other names are normalised, the canonical ones as they are.
    pub(super) fn new(synonyms: &BTreeMap<String, String>) -> Self {
        let pairs = synonyms.iter().map(|(other, canonical)| {
            (normal_event(Cow::Borrowed(other)).into(), canonical.as_str().into())
        });
        Self(pairs.collect())
    }

    /// Returns the canonical name of an event that has one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&*normal_event(Cow::Borrowed(name))).map(|canonical| &**canonical)
    }

    /// Returns the canonical name of an event; empty if the name has nothing but separators.
    pub(super) fn canonical<'a>(&'a self, name: Cow<'a, str>) -> Cow<'a, str> {
        let normal = normal_event(name);
        match self.0.get(&*normal) {
            Some(canonical) => Cow::Borrowed(canonical),
            None => normal,
        }
    }
}

/// Returns an event name in the normal form: lower case, words joined by one `_` each.
///
/// A word ends at a space, dash, dot, slash or underscore, where lower case or a digit meets upper
/// case (`orderPlaced`), and before the last of several capitals (`HTTPError` is `http_error`).
pub fn normal_event(name: Cow<'_, str>) -> Cow<'_, str> {
    if is_normal_event(&name) {
        return name;
    }
    let mut normal = String::with_capacity(name.len() + 4);
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let ends_word = is_separator(character) || begins_word(before, character, rest.peek());
        if ends_word && !normal.is_empty() && !normal.ends_with('_') {
            normal.push('_');
        }
        if !is_separator(character) {
            normal.extend(character.to_lowercase());
        }
        before = Some(character);
    }
    if normal.ends_with('_') {
        normal.pop();
    }
    Cow::Owned(normal)
}

/// Returns a channel name in the normal form: trimmed, lower case, `_` for spaces and dashes.
pub fn normal_channel(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        return name;
    }
    let lower = name.trim().to_lowercase();
    Cow::Owned(lower.replace(|character: char| character.is_whitespace() || character == '-', "_"))
}

fn is_normal_event(name: &str) -> bool {
    let mut after_break = true;
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => after_break = false,
            b'_' if !after_break => after_break = true,
            _ => return false,
        }
    }
    !after_break
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '.' | '/' | '_')
}

fn begins_word(before: Option<char>, character: char, after: Option<&char>) -> bool {
    let Some(before) = before else { return false };
    is_capital(character)
        && (before.is_lowercase()
            || before.is_numeric()
            || (is_capital(before) && after.is_some_and(|after| after.is_lowercase())))
}

/// Some letters look like capitals and have no lower case (`𝕆`): they begin no word, or a name
/// would change every time it is normalised.
fn is_capital(character: char) -> bool {
    character.to_lowercase().next() != Some(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(normal_event(Cow::Borrowed(name)), expected);
    }

    #[test]
    fn every_spelling_of_an_event_is_one() {
        for name in [
            "order_completed",
            "Order Completed",
            "orderCompleted",
            "OrderCompleted",
            "order-completed",
            "order.completed",
            "Order/Completed",
            "ORDER_COMPLETED",
            "  order   completed ",
            "_order__completed_",
        ] {
            check(name, "order_completed");
        }
        check("HTTPError", "http_error");
        check("userID", "user_id");
        check("step2Done", "step2_done");
        check("Página Vista", "página_vista");
        check("הזמנה נשלחה", "הזמנה_נשלחה");
        check(" - ./", "");
    }

    #[test]
    fn a_normal_name_is_not_copied() {
        assert!(matches!(normal_event(Cow::Borrowed("order_placed")), Cow::Borrowed(_)));
        assert!(matches!(normal_channel(Cow::Borrowed("call_center")), Cow::Borrowed(_)));
    }

    #[test]
    fn a_synonym_reads_as_the_canonical_name() {
        let synonyms = BTreeMap::from([("Order Completed".to_owned(), "order_placed".to_owned())]);
        let names = EventNames::new(&synonyms);
        assert_eq!(names.canonical("order_completed".into()), "order_placed");
        assert_eq!(names.canonical("orderCompleted".into()), "order_placed");
        assert_eq!(names.canonical("order_placed".into()), "order_placed");
        assert_eq!(names.canonical("Mail Opened".into()), "mail_opened");
    }

    #[test]
    fn a_channel_is_trimmed_and_in_lower_case() {
        assert_eq!(normal_channel(" Call-Center ".into()), "call_center");
        assert_eq!(normal_channel("Field Service".into()), "field_service");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(name in "\\PC{0,24}|[A-Za-z0-9_ ./-]{0,24}") {
            let once = normal_event(Cow::Owned(name)).into_owned();
            prop_assert_eq!(&normal_event(Cow::Borrowed(&once)), &once);
            let once = normal_channel(Cow::Owned(once)).into_owned();
            prop_assert_eq!(&normal_channel(Cow::Borrowed(&once)), &once);
        }
    }
}
