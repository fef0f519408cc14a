//! What the ids in effects are called: channels, rules and kinds of episode.
//!
//! The engine counts by index; dashboards read names. Rules may be reloaded while other workers
//! still run the old ones, so each tally holds the names that its own counts were made under.

use crate::model::{Channel, Channels};

/// The names behind one rule set's ids.
#[derive(Clone, Debug)]
pub struct Names {
    /// Sorted by channel, for a binary search: 32 at most.
    channels: Vec<(Channel, Box<str>)>,
    other_channel: usize,
    rules: Vec<Box<str>>,
    episodes: Vec<Box<str>>,
}

impl Names {
    /// Returns the names of `channels`, and of rules and kinds of episode in the order of their
    /// indices in the rule set.
    pub fn new<'a>(
        channels: &Channels,
        rules: impl IntoIterator<Item = &'a str>,
        episodes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut channels: Vec<(Channel, Box<str>)> =
            channels.names().map(|name| (Channel::named(name), Box::from(name))).collect();
        channels.sort_unstable();
        let other = Channel::named(Channels::OTHER);
        let other_channel = match channels.binary_search_by_key(&other, |&(channel, _)| channel) {
            Ok(index) => index,
            Err(index) => {
                channels.insert(index, (other, Box::from(Channels::OTHER)));
                index
            }
        };
        Self {
            channels,
            other_channel,
            rules: rules.into_iter().map(Box::from).collect(),
            episodes: episodes.into_iter().map(Box::from).collect(),
        }
    }

    /// Returns where `channel` is counted: its own place, or that of `other`.
    pub(super) fn channel_index(&self, channel: Channel) -> usize {
        self.channels
            .binary_search_by_key(&channel, |&(known, _)| known)
            .unwrap_or(self.other_channel)
    }

    /// Returns the channel counted at `index`.
    pub(super) fn channel_id(&self, index: usize) -> Channel {
        self.channels
            .get(index)
            .map_or_else(|| Channel::named(Channels::OTHER), |&(channel, _)| channel)
    }

    pub(super) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn rule_count(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn episode_count(&self) -> usize {
        self.episodes.len()
    }

    pub(super) fn channel(&self, index: usize) -> &str {
        self.channels.get(index).map_or(Channels::OTHER, |(_, name)| name)
    }

    pub(super) fn rule(&self, index: usize) -> &str {
        name_at(&self.rules, index)
    }

    pub(super) fn episode(&self, index: usize) -> &str {
        name_at(&self.episodes, index)
    }
}

fn name_at(names: &[Box<str>], index: usize) -> &str {
    names.get(index).map_or(super::OTHER, |name| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_found_and_a_stranger_is_other() {
        let channels = Channels::new(["kiosk"]);
        let names = Names::new(&channels, [], []);
        for name in channels.names() {
            assert_eq!(names.channel(names.channel_index(Channel::named(name))), name);
        }
        assert_eq!(names.channel(names.channel_index(Channel::named("pigeon"))), "other");
    }
}
