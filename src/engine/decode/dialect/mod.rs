//! Dialects: the forms in which other tools send touchpoints, read without a mapping.
//!
//! What a dialect's fields are called and what its specification demands is code, one file each;
//! what its events and channels are called here is data ([`DialectSpec`], from `config/dialects`).
//! Names of events are translated twice: a dialect's own into Rega's, then by the packs, so that a
//! rule knows one name for one thing.

mod channel;
mod cloud_events;
mod columns;
mod detect;
mod encoded;
mod ga4;
mod gather;
mod parts;
mod posthog;
mod run;
mod segment;
mod snowplow;

use std::{borrow::Cow, collections::BTreeMap, fmt};

pub(super) use self::run::Dialects;
use self::{
    channel::ChannelHints,
    parts::{Layout, Parts},
};
use super::{
    field::{Envelope, Field},
    names::EventNames,
    reader::{Kind, Reader},
    reject::{Refusal, Reject},
    scan::Scan,
    time::Times,
    without_mark,
};
use crate::engine::Record;

/// A form that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Calls of Segment's specification, as Segment, `RudderStack` and their likes send them.
    Segment,
    /// `CloudEvents` 1.0.
    CloudEvents,
    /// Enriched events of Snowplow, as TSV or as JSON.
    Snowplow,
    /// Captured events of `PostHog`.
    PostHog,
    /// Google Analytics 4: Measurement Protocol, or rows of its `BigQuery` export.
    Ga4,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 5] =
        [Self::Segment, Self::CloudEvents, Self::Snowplow, Self::PostHog, Self::Ga4];

    /// Returns the name in settings, options and reasons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::CloudEvents => "cloudevents",
            Self::Snowplow => "snowplow",
            Self::PostHog => "posthog",
            Self::Ga4 => "ga4",
        }
    }

    /// Returns the form of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == name)
    }

    /// Returns the code of a reject for what its specification does not allow.
    pub(super) const fn invalid(self) -> &'static str {
        match self {
            Self::Segment => "invalid_segment",
            Self::CloudEvents => "invalid_cloudevents",
            Self::Snowplow => "invalid_snowplow",
            Self::PostHog => "invalid_posthog",
            Self::Ga4 => "invalid_ga4",
        }
    }

    /// Returns the part that is the array of a batch, where an object holds one.
    const fn batch(self) -> Option<usize> {
        match self {
            Self::Segment | Self::PostHog | Self::Ga4 => Some(0),
            Self::CloudEvents | Self::Snowplow => None,
        }
    }

    /// Returns what could have said who it was.
    const fn somebody(self) -> &'static str {
        match self {
            Self::Segment => "a userId nor an anonymousId",
            Self::CloudEvents => "a subject nor a mapping that says where its customer stands",
            Self::Snowplow => "a user_id nor a domain_userid or network_userid",
            Self::PostHog => "a distinct_id nor one in its properties",
            Self::Ga4 => "a user_id nor a client_id, app_instance_id or user_pseudo_id",
        }
    }

    /// Returns the reject of a field that its specification does not allow.
    fn refuse(self, field: &str, at: Option<usize>, problem: Refusal) -> Reject {
        let field = field.chars().take(Reject::KEY_MAX).collect();
        Reject::Invalid { form: self, field, at, problem }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Returns the dialect that a record speaks, as [`super::Dialect::Auto`] finds it: of a batch, that
/// of its first item. `None`: none that is known.
pub fn dialect_of(record: &Record<'_>) -> Option<&'static str> {
    if cloud_events::is_binary(record.headers) {
        return Some(Form::CloudEvents.as_str());
    }
    let text = str::from_utf8(record.value?).ok()?;
    if snowplow::is_tsv(text) {
        let is_row = snowplow::column_count(text) == snowplow::COLUMN_COUNT;
        return is_row.then_some(Form::Snowplow.as_str());
    }
    let mut reader = Reader::starting_at(text, text.len() - without_mark(text).len());
    let mut kin = None;
    if reader.kind().ok()? == Kind::Array {
        // Only the first element is looked at.
        drop(reader.array(|reader| {
            kin = detect::kin_of(reader.clone())?;
            Err(Reject::Empty)
        }));
    } else {
        kin = detect::kin_of(reader).ok()?;
    }
    match kin? {
        detect::Kin::Native => Some("native"),
        detect::Kin::Of(form) => Some(form.as_str()),
    }
}

/// Returns the columns of Snowplow's TSV, in order.
pub fn tsv_columns() -> impl Iterator<Item = &'static str> {
    columns::COLUMNS.iter().map(|column| column.name)
}

/// What is data about a dialect.
#[derive(Clone, Debug)]
pub struct DialectSpec {
    /// Which one.
    pub form: Form,
    /// Its names of events → Rega's.
    pub events: BTreeMap<String, String>,
    /// First words of event names → the channel that they tell.
    pub words: BTreeMap<String, String>,
    /// What it says of device, library and the like → the channel that it tells.
    pub hints: BTreeMap<String, String>,
    /// What is taken off the front of an event name, such as `com.example.`; the longest wins.
    pub prefixes: Vec<String>,
    /// Paths below the properties → the property that they stand for, where it is absent.
    pub properties: BTreeMap<String, String>,
}

/// A dialect, ready to run.
#[derive(Debug)]
struct BuiltIn {
    form: Form,
    layout: Layout,
    events: EventNames,
    hints: ChannelHints,
    prefixes: Vec<Box<str>>,
    times: Times,
}

impl BuiltIn {
    fn new(spec: DialectSpec) -> Self {
        let DialectSpec { form, events, words, hints, mut prefixes, properties: _ } = spec;
        // Longest first, so that the first that fits is the longest.
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        let (layout, times) = match form {
            Form::Segment => (Layout::new(segment::PARTS), Times::default()),
            Form::CloudEvents => (Layout::new(cloud_events::PARTS), Times::default()),
            Form::Snowplow => (Layout::new(snowplow::PARTS), Times::in_utc()),
            Form::PostHog => (Layout::new(posthog::PARTS), Times::in_utc()),
            Form::Ga4 => (Layout::new(ga4::PARTS), Times::in_millis()),
        };
        Self {
            form,
            layout,
            events: EventNames::new(&events),
            hints: ChannelHints::new(words, hints),
            prefixes: prefixes.into_iter().map(Into::into).collect(),
            times,
        }
    }

    /// Reads one item; `outer` is the object of the batch that it stands in.
    fn read<'a>(
        &'a self,
        parts: &Parts<'a>,
        outer: Option<&Parts<'a>>,
        scan: &mut Scan<'_, '_, 'a>,
    ) -> Result<Envelope<'a>, Reject> {
        match self.form {
            Form::Segment => segment::read(self, parts, outer, scan),
            Form::CloudEvents => cloud_events::read(self, parts, scan),
            Form::Snowplow => snowplow::read(self, parts, scan),
            Form::PostHog => posthog::read(self, parts, outer, scan),
            Form::Ga4 => ga4::read(self, parts, outer, scan),
        }
    }

    /// Returns Rega's name of an event.
    fn event<'a>(&'a self, name: Cow<'a, str>) -> Cow<'a, str> {
        if let Some(known) = self.events.get(&name) {
            return Cow::Borrowed(known);
        }
        self.events.canonical(match name {
            Cow::Borrowed(name) => Cow::Borrowed(self.bare(name)),
            Cow::Owned(name) => Cow::Owned(self.bare(&name).to_owned()),
        })
    }

    /// Returns what a name says, without whose it is.
    fn bare<'n>(&self, name: &'n str) -> &'n str {
        let rest = self.prefixes.iter().find_map(|prefix| name.strip_prefix(&**prefix));
        let rest = rest.filter(|rest| !rest.is_empty()).unwrap_or(name);
        if self.form == Form::CloudEvents { cloud_events::what(rest) } else { rest }
    }

    /// Tells a reject in the dialect's own words.
    fn tell(&self, mut reject: Reject, parts: &Parts<'_>, outer: Option<&Parts<'_>>) -> Reject {
        if let Reject::NoCustomer { fields, .. } = &mut reject {
            *fields = self.form.somebody();
        }
        if let Reject::BadField { named, at: Some(at), .. } = &mut reject {
            let name = |parts: &Parts<'_>| parts.name_at(*at);
            *named = name(parts).or_else(|| outer.and_then(name));
        }
        reject
    }
}

/// Makes sure that a part is an object where it is there at all.
fn only_object(form: Form, parts: &Parts<'_>, part: usize) -> Result<(), Reject> {
    match parts.kind(part) {
        None | Some(Kind::Object) => Ok(()),
        Some(found) => {
            let problem = Refusal::WrongKind { expected: "an object", found };
            Err(form.refuse(parts.name(part), parts.at(part), problem))
        }
    }
}

/// What a sender may say outright among the properties: no guess is better.
const CHANNEL: &str = "rega_channel";
const ACTOR: &str = "rega_actor";

/// Fills channel and actor where they are said outright.
fn outright<'a>(
    envelope: &mut Envelope<'a>,
    parts: &Parts<'a>,
    (channel, actor): (usize, usize),
) -> Result<(), Reject> {
    envelope.fill(Field::Channel, parts.given(channel)?);
    envelope.fill(Field::Actor, parts.given(actor)?);
    Ok(())
}

/// Fills a field with the first of some parts that is there.
fn first<'a>(
    envelope: &mut Envelope<'a>,
    field: Field,
    parts: &Parts<'a>,
    among: &[usize],
) -> Result<(), Reject> {
    for &part in among {
        if !envelope.has(field) {
            envelope.fill(field, parts.given(part)?);
        }
    }
    Ok(())
}
