//! What a spike is about: where, and of what.

use serde::{Deserialize, Serialize};

use super::minute::{Group, Leaf};

/// Where something is more frequent than it normally is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// Everywhere.
    All,
    /// On a channel.
    Channel(Box<str>),
    /// An event on a channel.
    Event(Box<str>, Box<str>),
    /// Where a property that the user chose has this value.
    Property(Box<str>, Box<str>),
    /// Among customers of a band.
    Band(Box<str>),
}

impl Key {
    /// Returns the keys that a leaf is part of.
    pub(super) fn of_leaf(leaf: &Leaf) -> [Self; 3] {
        let Leaf { channel, event, .. } = leaf;
        [Self::All, Self::Channel(channel.clone()), Self::Event(channel.clone(), event.clone())]
    }

    pub(super) fn of_group(group: &Group) -> Self {
        match group {
            Group::Property(name, value) => Self::Property(name.clone(), value.clone()),
            Group::Band(band) => Self::Band(band.as_ref().into()),
        }
    }

    /// Returns whether a leaf's touchpoints are this key's. A group's are nobody's own.
    pub(super) fn covers(&self, leaf: &Leaf) -> bool {
        match self {
            Self::All => true,
            Self::Channel(channel) => *channel == leaf.channel,
            Self::Event(channel, event) => *channel == leaf.channel && *event == leaf.event,
            Self::Property(..) | Self::Band(_) => false,
        }
    }

    /// Returns how closely it says where: of two that say the same, the closer one is meant.
    pub(super) const fn closeness(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Band(_) => 1,
            Self::Channel(_) => 2,
            Self::Property(..) => 3,
            Self::Event(..) => 4,
        }
    }

    /// Returns what kind of key it is: a metric label.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Channel(_) => "channel",
            Self::Event(..) => "event",
            Self::Property(..) => "property",
            Self::Band(_) => "band",
        }
    }

    /// Returns names and values, as they are published.
    pub fn labels(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::All => Vec::new(),
            Self::Channel(channel) => vec![("channel", channel)],
            Self::Event(channel, event) => vec![("channel", channel), ("event", event)],
            Self::Property(name, value) => vec![("property", name), ("value", value)],
            Self::Band(band) => vec![("band", band)],
        }
    }

    /// Returns it in a few words, for people.
    pub fn text(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Channel(channel) => channel.to_string(),
            Self::Event(channel, event) => format!("{channel}/{event}"),
            Self::Property(name, value) => format!("{name}={value}"),
            Self::Band(band) => format!("band={band}"),
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Numerator {
    /// Pains, against what could have hurt.
    Pain,
    /// Touchpoints with the intent of ideas, know or go, against the hour's usual number: a trend.
    Interest,
    /// Touchpoints that stay away, against the hour's usual number.
    Silence,
}

impl Numerator {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::Pain, Self::Interest, Self::Silence];

    /// The name used in settings, records and metric labels alike.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pain => "pain",
            Self::Interest => "interest",
            Self::Silence => "silence",
        }
    }

    /// Returns the rate ratio that is looked for.
    pub(super) const fn ratio(self) -> f64 {
        match self {
            Self::Pain | Self::Interest => 3.0,
            Self::Silence => 1.0 / 3.0,
        }
    }
}
