//! A mapping as it was written: where the parts of a touchpoint stand in somebody's own JSON.
//!
//! Plain data, read from YAML by `config` and run by the decoder. A mapping is data and no code, so
//! that whoever knows the payload can write one.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::super::{Form, Path, TimeFormat};

/// How to read one kind of payload.
#[derive(Clone, Debug, Default)]
pub struct MappingSpec {
    /// Its name, for messages.
    pub name: String,
    /// The dialect that it stands on: what is not mapped here is read as that says.
    pub base: Option<Form>,
    /// Where the array of touchpoints is. `None`: the record is one touchpoint or an array of them.
    /// The other paths are relative to one touchpoint.
    pub items: Option<Path>,
    /// Unique per customer.
    pub event_id: Option<FieldSpec>,
    /// The customer.
    pub customer_id: Option<FieldSpec>,
    /// Whoever is not known by name.
    pub anonymous_id: Option<FieldSpec>,
    /// The company that the customer belongs to.
    pub account_id: Option<FieldSpec>,
    /// When it happened.
    pub ts: Option<TimeFieldSpec>,
    /// When it was sent, by the sender's clock.
    pub sent_at: Option<TimeFieldSpec>,
    /// When it was received, by the receiver's clock.
    pub received_at: Option<TimeFieldSpec>,
    /// The channel.
    pub channel: Option<FieldSpec>,
    /// What happened.
    pub event: Option<FieldSpec>,
    /// Who acted.
    pub actor: Option<FieldSpec>,
    /// What the customer wrote.
    pub text: Option<FieldSpec>,
    /// Everything else. `None`: no properties.
    pub properties: Option<PropertiesSpec>,
}

/// Where a text field comes from, and what its values mean.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    /// Where from.
    pub source: Source,
    /// Value in the payload → what it reads as. Other values stay as they are.
    pub names: BTreeMap<String, String>,
}

/// Where a text field comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A place in the payload.
    Path(Path),
    /// The same for every touchpoint.
    Constant(String),
}

/// Where a time comes from, and how it is written.
#[derive(Clone, Debug)]
pub struct TimeFieldSpec {
    /// The place in the payload.
    pub path: Path,
    /// How it is written.
    pub format: TimeFormat,
    /// The zone of times that name none. `None`: such a time is a reject.
    pub zone: Option<TimeZone>,
}

/// Where the properties come from.
#[derive(Clone, Debug)]
pub enum PropertiesSpec {
    /// One object, taken as it is.
    Object(Path),
    /// Property name → its place in the payload. A path with `[]` gives an array.
    Fields(BTreeMap<String, Path>),
}
