//! Records of dialects, taken apart into items.

use std::{borrow::Cow, ops::Range};

use super::{
    super::{
        Decoded, Decoder, Item, Rejected,
        field::Envelope,
        mapping::Mapping,
        memory::Memory,
        properties::Properties,
        reader::{Kind, Reader},
        reject::{Refusal, Reject},
        scan::Scan,
        time::Times,
        touchpoint::Origin,
        without_mark,
    },
    BuiltIn, DialectSpec, Form, cloud_events,
    detect::{Kin, kin_of},
    gather::owned,
    parts::Parts,
    posthog, snowplow,
};
use crate::{
    engine::Record,
    model::{EventTime, Touchpoint},
};

/// The dialects that records are tried for, and what a mapping says otherwise.
#[derive(Debug)]
pub(in super::super) struct Dialects {
    built_in: Vec<BuiltIn>,
    /// Each record says itself which dialect it speaks; the native form is one of them.
    found_per_record: bool,
    over: Option<Mapping>,
}

/// A record while its items are read.
struct Run<'d, 'r, 'a> {
    decoder: &'a Decoder,
    dialects: &'a Dialects,
    record: &'r Record<'a>,
    now: EventTime,
    text: &'a str,
    memory: &'d mut Memory<'a>,
    sink: &'d mut dyn FnMut(Item<'_, 'a>),
    /// The position of the next item; `None`: the record is one item.
    next: Option<u32>,
}

impl Dialects {
    pub(in super::super) fn new(
        specs: Vec<DialectSpec>,
        found_per_record: bool,
        over: Option<(Mapping, Times)>,
    ) -> Self {
        let mut built_in: Vec<BuiltIn> = specs.into_iter().map(BuiltIn::new).collect();
        let over = over.map(|(over, times)| {
            for built_in in &mut built_in {
                over.override_times(&times, &mut built_in.times);
            }
            over
        });
        Self { built_in, found_per_record, over }
    }

    /// Returns whether record headers say something.
    pub(in super::super) fn reads_headers(&self) -> bool {
        self.of(Form::CloudEvents).is_some()
    }

    /// Reads a record.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is read, by whom, and to where; all borrowed apart"
    )]
    pub(in super::super) fn decode<'a>(
        &'a self,
        decoder: &'a Decoder,
        record: &Record<'a>,
        now: EventTime,
        memory: &mut Memory<'a>,
        sink: &mut dyn FnMut(Item<'_, 'a>),
    ) -> Result<(), Reject> {
        let mut run =
            Run { decoder, dialects: self, record, now, text: "", memory, sink, next: None };
        if let Some(of) =
            self.of(Form::CloudEvents).filter(|_| cloud_events::is_binary(record.headers))
        {
            if let Some(value) = record.value {
                decoder.check_size(value)?;
            }
            let event = cloud_events::structured(record.headers, record.value)?;
            return run.apart(of, &event, record.value.unwrap_or_default());
        }
        let bytes = record.value.ok_or(Reject::NullValue)?;
        run.text = decoder.text_of(bytes)?;
        if let Some(of) = self.of(Form::Snowplow).filter(|_| self.is_row(run.text)) {
            let event = snowplow::from_tsv(run.text)?;
            return run.apart(of, &event, bytes);
        }
        run.json(bytes)
    }

    /// Returns whether a record is a row of TSV. Where Snowplow is one of several dialects, it must
    /// have the right number of columns.
    fn is_row(&self, text: &str) -> bool {
        snowplow::is_tsv(text)
            && (!self.found_per_record || snowplow::column_count(text) == snowplow::COLUMN_COUNT)
    }

    fn of(&self, form: Form) -> Option<&BuiltIn> {
        self.built_in.iter().find(|built_in| built_in.form == form)
    }

    /// Returns the dialect of an object; `None`: it is a native touchpoint.
    fn dialect_of(&self, text: &str, at: usize) -> Result<Option<&BuiltIn>, Reject> {
        if !self.found_per_record {
            return Ok(self.built_in.first());
        }
        let found = "no key of any of them at the top of the object";
        match kin_of(Reader::starting_at(text, at))? {
            Some(Kin::Native) => Ok(None),
            Some(Kin::Of(form)) => {
                self.of(form).map(Some).ok_or(Reject::UnknownDialect { at, found })
            }
            None => Err(Reject::UnknownDialect { at, found }),
        }
    }

    /// Reads the fields of one item, and leaves its properties in `memory`.
    fn envelope<'b>(
        &'b self,
        decoder: &'b Decoder,
        of: &'b BuiltIn,
        (parts, outer): (&Parts<'b>, Option<&Parts<'b>>),
        memory: &mut Memory<'b>,
    ) -> Result<Envelope<'b>, Reject> {
        memory.clear();
        let mut scan = Scan { paths: &decoder.properties, memory };
        let mut envelope = of.read(parts, outer, &mut scan)?;
        if let Some(over) = &self.over {
            over.read_over(parts.text(), parts.start(), &mut envelope, &mut scan)?;
        }
        scan.finish();
        Ok(envelope)
    }
}

impl<'a> Run<'_, '_, 'a> {
    /// Reads a record of JSON: one object, or an array of them.
    fn json(&mut self, bytes: &'a [u8]) -> Result<(), Reject> {
        let mut reader =
            Reader::starting_at(self.text, self.text.len() - without_mark(self.text).len());
        if reader.kind()? != Kind::Array {
            let at = reader.at();
            return self.object(at..at, bytes);
        }
        self.memory.list_items(&mut reader)?;
        reader.finish()?;
        self.next = Some(0);
        let items = std::mem::take(&mut self.memory.items);
        for range in &items {
            let item = bytes.get(range.clone()).unwrap_or_default();
            let first = self.next;
            if let Err(reject) = self.object(range.clone(), item) {
                let index = first.unwrap_or_default();
                (self.sink)(Item::Reject(Rejected { reject, item: Some(item), index }));
                // A batch within the batch has counted its own items.
                self.next = self.next.max(first.map(|first| first + 1));
            }
        }
        self.memory.items = items;
        Ok(())
    }

    /// Reads an object: an item, or a batch of them. An empty range: the whole record.
    fn object(&mut self, range: Range<usize>, item: &'a [u8]) -> Result<(), Reject> {
        let at = range.start;
        let mut reader = Reader::starting_at(self.text, at);
        let found = reader.kind()?;
        if found != Kind::Object {
            return Err(Reject::NotAnObject { at, found });
        }
        let Some(of) = self.dialects.dialect_of(self.text, at)? else {
            return self.native(at, item);
        };
        let parts = of.layout.search(self.text, &mut reader, self.memory)?;
        if range.is_empty() {
            reader.finish()?;
        }
        let batch = of.form.batch().filter(|&part| parts.has(part));
        match batch {
            Some(part) => self.batch(of, &parts, part),
            None => self.one(of, &parts, None, item),
        }
    }

    /// Reads the items of an object that holds a batch.
    fn batch(&mut self, of: &'a BuiltIn, outer: &Parts<'a>, part: usize) -> Result<(), Reject> {
        let found = outer.kind(part).unwrap_or(Kind::Null);
        let Some(mut reader) = outer.reader(part).filter(|_| found == Kind::Array) else {
            let problem = Refusal::WrongKind { expected: "an array", found };
            return Err(of.form.refuse(outer.name(part), outer.at(part), problem));
        };
        let before = std::mem::take(&mut self.memory.items);
        let listed = reader.kind().and_then(|_| self.memory.list_items(&mut reader));
        let items = std::mem::replace(&mut self.memory.items, before);
        listed?;
        self.next.get_or_insert(0);
        for range in items {
            let item = self.text.as_bytes().get(range.clone()).unwrap_or_default();
            let index = self.next.unwrap_or_default();
            if let Err(reject) = self.item_of(of, outer, range, item) {
                (self.sink)(Item::Reject(Rejected { reject, item: Some(item), index }));
                self.next = Some(index + 1);
            }
        }
        Ok(())
    }

    fn item_of(
        &mut self,
        of: &'a BuiltIn,
        outer: &Parts<'a>,
        range: Range<usize>,
        item: &'a [u8],
    ) -> Result<(), Reject> {
        let mut reader = Reader::starting_at(self.text, range.start);
        let found = reader.kind()?;
        if found != Kind::Object {
            return Err(Reject::NotAnObject { at: range.start, found });
        }
        let parts = of.layout.search(self.text, &mut reader, self.memory)?;
        self.one(of, &parts, Some(outer), item)
    }

    /// Reads one item.
    fn one(
        &mut self,
        of: &'a BuiltIn,
        parts: &Parts<'a>,
        outer: Option<&Parts<'a>>,
        item: &'a [u8],
    ) -> Result<(), Reject> {
        if of.form == Form::PostHog
            && let Some(unpacked) = posthog::unpacked(parts)?
        {
            return self.apart(of, &unpacked, item);
        }
        let Self { decoder, dialects, record, now, .. } = *self;
        let tell = |reject| of.tell(reject, parts, outer);
        let envelope = dialects.envelope(decoder, of, (parts, outer), self.memory).map_err(tell)?;
        let origin = Origin { record, index: self.next, at: parts.start(), now, times: &of.times };
        let properties = &self.memory.properties;
        let touchpoint = decoder.touchpoint(envelope, properties, origin).map_err(tell)?;
        let index = self.next.unwrap_or_default();
        (self.sink)(Item::Touchpoint(Decoded { touchpoint, properties, item, index }));
        self.count();
        Ok(())
    }

    /// Reads one item that had to be put into another form first, which does not live as long as
    /// the record: what is found is copied.
    fn apart(&mut self, of: &'a BuiltIn, text: &str, item: &'a [u8]) -> Result<(), Reject> {
        let Self { decoder, dialects, record, now, .. } = *self;
        let mut memory = Memory::default();
        let mut reader = Reader::starting_at(text, 0);
        let parts = of.layout.search(text, &mut reader, &mut memory).map_err(elsewhere)?;
        let tell = |reject| elsewhere(of.tell(reject, &parts, None));
        let read = dialects.envelope(decoder, of, (&parts, None), &mut memory);
        let envelope = read.map_err(tell)?;
        let origin = Origin { record, index: self.next, at: 0, now, times: &of.times };
        let read = decoder.touchpoint(envelope, &memory.properties, origin);
        let touchpoint = kept(read.map_err(tell)?);
        let Properties { ids, values } = std::mem::take(&mut memory.properties);
        let properties = Properties { ids, values: values.into_iter().map(owned).collect() };
        let index = self.next.unwrap_or_default();
        let properties = &properties;
        (self.sink)(Item::Touchpoint(Decoded { touchpoint, properties, item, index }));
        self.count();
        Ok(())
    }

    fn native(&mut self, at: usize, item: &'a [u8]) -> Result<(), Reject> {
        let Self { decoder, record, now, .. } = *self;
        let origin = Origin { record, index: self.next, at, now, times: &decoder.times };
        let touchpoint = decoder.item(self.text, origin, self.memory)?;
        let (properties, index) = (&self.memory.properties, self.next.unwrap_or_default());
        (self.sink)(Item::Touchpoint(Decoded { touchpoint, properties, item, index }));
        self.count();
        Ok(())
    }

    fn count(&mut self) {
        self.next = self.next.map(|next| next.saturating_add(1));
    }
}

/// Returns a touchpoint that borrows nothing.
fn kept<'k>(touchpoint: Touchpoint<'_>) -> Touchpoint<'k> {
    fn owned<'k>(text: Cow<'_, str>) -> Cow<'k, str> {
        Cow::Owned(text.into_owned())
    }
    Touchpoint {
        event_id: owned(touchpoint.event_id),
        event_id_assumed: touchpoint.event_id_assumed,
        customer_id: owned(touchpoint.customer_id),
        ts: touchpoint.ts,
        ts_assumed: touchpoint.ts_assumed,
        channel: owned(touchpoint.channel),
        event: owned(touchpoint.event),
        actor: touchpoint.actor,
        account_id: touchpoint.account_id.map(owned),
        text: touchpoint.text.map(owned),
        properties: owned(touchpoint.properties),
        content_hash: touchpoint.content_hash,
    }
}

/// Takes places out of a reject that are none of the record's.
fn elsewhere(mut reject: Reject) -> Reject {
    if let Reject::BadField { at, .. }
    | Reject::Invalid { at, .. }
    | Reject::FromTheFuture { at, .. } = &mut reject
    {
        *at = None;
    }
    reject
}
