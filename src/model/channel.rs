//! Where a contact happened: a closed set of names plus what a user adds in config.
//!
//! An unknown channel is counted under `other` and never dropped: the name travels on, the count
//! stays bounded.

use super::{StableHash, stable_hash};

/// A channel as state rows and counters know it: the stable hash of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(StableHash);

impl Channel {
    /// Returns the channel of that name, known or not.
    pub fn named(name: &str) -> Self {
        Self(stable_hash(name.as_bytes()))
    }

    /// Returns the channel that a state row stored.
    pub const fn from_hash(hash: StableHash) -> Self {
        Self(hash)
    }

    /// Returns what a state row stores.
    pub const fn as_hash(self) -> StableHash {
        self.0
    }
}

/// The channels that have a name of their own, in order; every other one reads `other`.
#[derive(Clone, Debug)]
pub struct Channels(Vec<(Channel, Box<str>)>);

impl Channels {
    /// Where unknown channels are counted.
    pub const OTHER: &'static str = "other";

    /// The channels that everybody has (DOMAIN.md, Touchpoint).
    pub const BUILT_IN: [&'static str; 15] = [
        "web",
        "app",
        "email",
        "sms",
        "push",
        "social",
        "search",
        "ads",
        "store",
        "call_center",
        "field_service",
        "delivery",
        "review_site",
        "community",
        "product",
    ];

    /// How many channels there may be: each is a label of several metrics.
    pub const MAX: usize = 32;

    /// Returns the built-in channels and `added`, up to [`Self::MAX`] in all.
    pub fn new<'a>(added: impl IntoIterator<Item = &'a str>) -> Self {
        let names = Self::BUILT_IN.into_iter().chain(["event", Self::OTHER]).chain(added);
        let mut channels = Self(Vec::new());
        for name in names {
            let channel = Channel::named(name);
            if let Err(place) = channels.find(channel)
                && channels.0.len() < Self::MAX
            {
                channels.0.insert(place, (channel, Box::from(name)));
            }
        }
        channels
    }

    fn find(&self, channel: Channel) -> Result<&str, usize> {
        let place = self.0.binary_search_by_key(&channel, |(known, _)| *known)?;
        self.0.get(place).map(|(_, name)| &**name).ok_or(place)
    }

    /// Returns the channel of that name if it is known.
    pub fn get(&self, name: &str) -> Option<Channel> {
        let channel = Channel::named(name);
        self.find(channel).is_ok().then_some(channel)
    }

    /// Returns the name to count `channel` under: its own, or `other`.
    pub fn name(&self, channel: Channel) -> &str {
        self.find(channel).unwrap_or(Self::OTHER)
    }

    /// Returns every known name, `other` included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, name)| &**name)
    }
}

impl Default for Channels {
    fn default() -> Self {
        Self::new([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_channel_is_counted_under_other() {
        let channels = Channels::new(["kiosk"]);
        assert_eq!(channels.name(Channel::named("kiosk")), "kiosk");
        assert_eq!(channels.name(Channel::named("carrier pigeon")), "other");
        assert_eq!(channels.get("carrier pigeon"), None);
    }
}
