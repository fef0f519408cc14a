//! Where the customer's words stand among the properties.
//!
//! A `description` is the shop's words on a product page and the customer's on a ticket; a `subject`
//! is the brand's in a newsletter. Such names are read only of what a customer says to the brand, and
//! only as it is said: what comes later of a ticket repeats its first words.

use std::borrow::Cow;

use super::properties::{PathId, Properties, PropertyPaths};
use crate::model::{Actor, Property};

/// The events by which a customer says something to the brand, by their canonical names.
const CONTACTS: [&str; 6] = [
    "ticket_opened",
    "complaint_made",
    "problem_reported",
    "chat_started",
    "chat_message_sent",
    "feedback_submitted",
];

/// Where help desks and chats have what was said.
const BODIES: [&str; 3] = ["message_body", "body", "description"];

/// And what it is about, in a few words.
const SUBJECT: &str = "subject";

/// The properties that are looked at for words, in order.
#[derive(Debug, Default)]
pub(super) struct TextFields {
    /// Of any touchpoint, as they were asked for.
    any: Vec<PathId>,
    /// Of a contact: titles come after what has more to say.
    contact: Vec<PathId>,
}

impl TextFields {
    /// With no names, nothing is looked at.
    pub(super) fn new(names: &[String], properties: &mut PropertyPaths) -> Self {
        if names.is_empty() {
            return Self::default();
        }
        let is_title = |name: &&str| name.ends_with("title");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let any = names.iter().filter_map(|name| properties.add(name)).collect();
        let bodies = names.iter().copied().filter(|name| !is_title(name)).chain(BODIES);
        let titles = names.iter().copied().filter(is_title).chain([SUBJECT]);
        let contact = bodies.chain(titles).filter_map(|name| properties.add(name)).collect();
        Self { any, contact }
    }

    /// Returns the first text there is.
    pub(super) fn find<'a>(
        &self,
        event: &str,
        actor: Option<Actor>,
        properties: &Properties<'a>,
    ) -> Option<Cow<'a, str>> {
        let is_contact =
            actor.is_none_or(|actor| actor == Actor::Customer) && CONTACTS.contains(&event);
        let fields = if is_contact { &self.contact } else { &self.any };
        fields.iter().find_map(|&id| {
            properties.get(id).iter().find_map(|property| match property {
                Property::Text(text) if !text.trim().is_empty() => Some(text.clone()),
                Property::Text(_) | Property::Number(_) | Property::Flag(_) => None,
            })
        })
    }
}
