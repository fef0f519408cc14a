//! Which channel a touchpoint was on, where its dialect has no such field.

use std::{borrow::Cow, collections::BTreeMap};

/// What tells a channel.
#[derive(Debug)]
pub(super) struct ChannelHints {
    /// First word of the event name → channel.
    words: BTreeMap<Box<str>, Box<str>>,
    /// Anything else that was said → channel. In lower case.
    hints: BTreeMap<Box<str>, Box<str>>,
}

impl ChannelHints {
    pub(super) fn new(words: BTreeMap<String, String>, hints: BTreeMap<String, String>) -> Self {
        let boxed = |map: BTreeMap<String, String>| {
            map.into_iter().map(|(hint, channel)| (hint.to_lowercase().into(), channel.into()))
        };
        Self { words: boxed(words).collect(), hints: boxed(hints).collect() }
    }

    /// Returns the channel that the event's name tells: `email_opened` was in the mail, whatever
    /// sent the event.
    pub(super) fn of_event(&self, event: &str) -> Option<&str> {
        let word = event.split('_').next()?;
        self.words.get(word).map(|channel| &**channel)
    }

    /// Returns the channel that a hint tells.
    pub(super) fn of_hint(&self, hint: &str) -> Option<&str> {
        let found = match self.hints.get(hint) {
            Some(channel) => Some(channel),
            None => self.hints.get(&*lower(hint)),
        };
        found.map(|channel| &**channel)
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
