//! Segment's calls: `track`, `page`, `screen`, `identify`, `group`, `alias`, alone or as a batch.
//!
//! `timestamp` is, by Segment's specification, what Segment has corrected already from
//! `originalTimestamp`, `sentAt` and `receivedAt`. So the correction is ours only where
//! `originalTimestamp` is there: correcting `timestamp` again would add the error of the sender's
//! clock instead of taking it out.
//!
//! `identify`, `group` and `alias` say who somebody is. They are touchpoints like any other (nothing
//! that was sent is dropped), named `profile_told`; what they are worth is the packs' to say.

use super::{
    super::{
        field::{Envelope, Field, Given, Value},
        native::{only_object as only_object_properties, read_properties},
        reader::Kind,
        reject::{Refusal, Reject},
        scan::Scan,
    },
    BuiltIn, Form, first,
    gather::Gathered,
    only_object, outright,
    parts::Parts,
};

const TYPE: usize = 1;
const ACTION: usize = 2;
const EVENT: usize = 3;
const NAME: usize = 4;
const CATEGORY: usize = 5;
const USER: [usize; 2] = [6, 7];
const ANONYMOUS: [usize; 2] = [8, 9];
const GROUP_ID: usize = 10;
const GROUP: [usize; 2] = [GROUP_ID, 11];
const PREVIOUS: usize = 12;
const MESSAGE: [usize; 2] = [13, 14];
const ORIGINAL_TIMESTAMP: usize = 15;
const TIMESTAMP: usize = 16;
const SENT_AT: [usize; 2] = [17, 18];
const RECEIVED_AT: [usize; 2] = [19, 20];
const PROPERTIES: usize = 21;
const TRAITS: usize = 22;
const CONTEXT: usize = 23;
const CONTEXT_GROUP: usize = 24;
const OWN_NAME: usize = 25;
const OWN_CATEGORY: usize = 26;
/// What tells the channel, the surest first.
const HINTS: [usize; 6] = [27, 28, DEVICE, 30, LIBRARY, 32];
const DEVICE: usize = 29;
const LIBRARY: usize = 31;
const CONTEXT_PAGE: usize = 33;
const CONTEXT_APP: usize = 34;
const OUTRIGHT: (usize, usize) = (35, 36);

pub(super) const PARTS: &[&str] = &[
    "batch",
    "type",
    "action",
    "event",
    "name",
    "category",
    "userId",
    "user_id",
    "anonymousId",
    "anonymous_id",
    "groupId",
    "context.groupId",
    "previousId",
    "messageId",
    "message_id",
    "originalTimestamp",
    "timestamp",
    "sentAt",
    "sent_at",
    "receivedAt",
    "received_at",
    "properties",
    "traits",
    "context",
    "context.traits.groupId",
    "properties.name",
    "properties.category",
    "context.channel",
    "channel",
    "context.device.type",
    "context.os.name",
    "context.library.name",
    "context.campaign.medium",
    "context.page",
    "context.app",
    "properties.rega_channel",
    "properties.rega_actor",
];

/// A call of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Track,
    Page,
    Screen,
    Identify,
    Group,
    Alias,
}

impl Call {
    const EXPECTED: Refusal =
        Refusal::Expected("`track`, `page`, `screen`, `identify`, `group` or `alias`");

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "track" => Self::Track,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "identify" => Self::Identify,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Identify => "identify",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}

/// Returns whether that is the name of a call.
pub(super) fn is_call(name: &str) -> bool {
    Call::parse(name).is_some()
}

/// Reads one call.
pub(super) fn read<'a>(
    of: &'a BuiltIn,
    parts: &Parts<'a>,
    outer: Option<&Parts<'a>>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<Envelope<'a>, Reject> {
    let call = call(parts)?;
    let mut envelope = Envelope::default();
    only_object(Form::Segment, parts, CONTEXT)?;
    for from in [Some(parts), outer].into_iter().flatten() {
        who(&mut envelope, from)?;
    }
    when(&mut envelope, parts, outer)?;
    check(call, parts)?;
    let event = match call {
        Call::Track => parts.word(EVENT)?.unwrap_or_default(),
        Call::Page | Call::Screen | Call::Identify | Call::Group | Call::Alias => {
            call.as_str().into()
        }
    };
    let event = of.event(event);
    outright(&mut envelope, parts, OUTRIGHT)?;
    for from in [Some(parts), outer].into_iter().flatten() {
        if let Some(channel) = channel(of, call, &event, from)? {
            let value = Value::Text(channel.into());
            envelope.fill(Field::Channel, Given { value, at: Some(parts.start()) });
        }
    }
    envelope.set(Field::Event, Given { value: Value::Text(event), at: parts.at(EVENT) });
    properties(call, &mut envelope, parts, scan)?;
    Ok(envelope)
}

fn call(parts: &Parts<'_>) -> Result<Call, Reject> {
    // Older examples of the specification have `action` in place of `type`.
    let part = if parts.has(TYPE) { TYPE } else { ACTION };
    let refuse = |problem| Form::Segment.refuse(parts.name(TYPE), parts.at(part), problem);
    let Some(kind) = parts.kind(part) else { return Err(refuse(Refusal::Missing)) };
    if kind != Kind::Text {
        return Err(refuse(Refusal::WrongKind { expected: "text", found: kind }));
    }
    let name = parts.word(part)?.unwrap_or_default();
    let call = Call::parse(&name).or_else(|| Call::parse(&name.to_ascii_lowercase()));
    call.ok_or_else(|| refuse(Call::EXPECTED))
}

fn who<'a>(envelope: &mut Envelope<'a>, parts: &Parts<'a>) -> Result<(), Reject> {
    first(envelope, Field::EventId, parts, &MESSAGE)?;
    first(envelope, Field::CustomerId, parts, &USER)?;
    first(envelope, Field::AnonymousId, parts, &ANONYMOUS)?;
    first(envelope, Field::AccountId, parts, &GROUP)?;
    first(envelope, Field::AccountId, parts, &[CONTEXT_GROUP])
}

fn when<'a>(
    envelope: &mut Envelope<'a>,
    parts: &Parts<'a>,
    outer: Option<&Parts<'a>>,
) -> Result<(), Reject> {
    first(envelope, Field::Ts, parts, &[ORIGINAL_TIMESTAMP, TIMESTAMP])?;
    envelope.corrected = !parts.has(ORIGINAL_TIMESTAMP) && parts.has(TIMESTAMP);
    for from in [Some(parts), outer].into_iter().flatten() {
        first(envelope, Field::SentAt, from, &SENT_AT)?;
        first(envelope, Field::ReceivedAt, from, &RECEIVED_AT)?;
    }
    Ok(())
}

/// Makes sure that the call has what its specification demands. Who it is for comes later.
fn check(call: Call, parts: &Parts<'_>) -> Result<(), Reject> {
    let needed: &[usize] = match call {
        Call::Track => &[EVENT],
        Call::Group => &[GROUP_ID],
        Call::Alias => &[PREVIOUS],
        Call::Page | Call::Screen | Call::Identify => &[],
    };
    for &part in needed {
        let refuse = |problem| Form::Segment.refuse(parts.name(part), parts.at(part), problem);
        match parts.kind(part) {
            None => return Err(refuse(Refusal::Missing)),
            Some(Kind::Text) if parts.word(part)?.is_none() => return Err(refuse(Refusal::Blank)),
            Some(Kind::Text) => {}
            Some(Kind::Number) if part != EVENT => {}
            Some(found) => {
                return Err(refuse(Refusal::WrongKind { expected: "text", found }));
            }
        }
    }
    let user = USER.into_iter().any(|part| parts.has(part));
    if call == Call::Alias && !user {
        return Err(Form::Segment.refuse("userId", None, Refusal::Missing));
    }
    Ok(())
}

fn channel<'a>(
    of: &'a BuiltIn,
    call: Call,
    event: &str,
    parts: &Parts<'a>,
) -> Result<Option<&'a str>, Reject> {
    if let Some(channel) = of.hints.of_event(event) {
        return Ok(Some(channel));
    }
    for part in HINTS {
        if let Some(channel) = parts.word(part)?.and_then(|hint| of.hints.of_hint(&hint)) {
            return Ok(Some(channel));
        }
        // A device says more than a page, a page more than an operating system.
        let also = match part {
            DEVICE if parts.has(CONTEXT_PAGE) => of.hints.of_hint(parts.name(CONTEXT_PAGE)),
            DEVICE => of.hints.of_hint(call.as_str()),
            LIBRARY if parts.has(CONTEXT_APP) => of.hints.of_hint(parts.name(CONTEXT_APP)),
            _ => None,
        };
        if also.is_some() {
            return Ok(also);
        }
    }
    Ok(None)
}

fn properties<'a>(
    call: Call,
    envelope: &mut Envelope<'a>,
    parts: &Parts<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<(), Reject> {
    let part = match call {
        Call::Track | Call::Page | Call::Screen => PROPERTIES,
        Call::Identify | Call::Group | Call::Alias => TRAITS,
    };
    let named = |part, own| Some(part).filter(|&part| parts.has(part) && !parts.has(own));
    let (name, category) = match call {
        Call::Page | Call::Screen => (named(NAME, OWN_NAME), named(CATEGORY, OWN_CATEGORY)),
        Call::Track | Call::Identify | Call::Group | Call::Alias => (None, None),
    };
    let Some(mut reader) = parts.reader(part) else {
        return gather(&[name, category], None, envelope, parts, scan);
    };
    if reader.kind()? != Kind::Object {
        envelope.set(Field::Properties, parts.given(part)?);
        return only_object_properties(envelope);
    }
    if name.is_none() && category.is_none() {
        return read_properties(envelope, &mut reader, scan);
    }
    gather(&[name, category], Some(part), envelope, parts, scan)
}

/// Puts the name of a page beside its properties, where Segment's own libraries copy it to.
fn gather<'a>(
    beside: &[Option<usize>],
    object: Option<usize>,
    envelope: &mut Envelope<'a>,
    parts: &Parts<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<(), Reject> {
    let mut gathered = Gathered::default();
    for &part in beside.iter().flatten() {
        gathered.add(parts.name(part), parts.raw(part).unwrap_or_default());
    }
    if let Some(mut reader) = object.and_then(|part| parts.reader(part)) {
        gathered.add_members(&mut reader)?;
    }
    gathered.into_properties(envelope, scan)
}
