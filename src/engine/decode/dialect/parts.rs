//! The parts of an item that a dialect looks at, found in one pass.

use std::borrow::Cow;

use super::super::{
    Path,
    field::Given,
    mapping::{Found, Places, Slot},
    memory::Memory,
    reader::{Kind, Reader},
    reject::Reject,
};

/// More than any dialect looks at.
const PARTS_MAX: usize = 48;

/// The parts of a dialect: their paths, and the tree of them.
#[derive(Debug)]
pub(super) struct Layout {
    places: Places,
    names: &'static [&'static str],
}

/// Where the parts of one item stand. Positions fit into 32 bits, as no record has 4 GB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    text: &'a str,
    names: &'static [&'static str],
    /// Start and end; both 0 where a part is absent or null. A value never ends at byte 0.
    at: [(u32, u32); PARTS_MAX],
    start: usize,
}

impl Layout {
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        let mut places = Places::default();
        for (index, name) in names.iter().enumerate() {
            // Our own paths; a test holds that all of them are.
            if let Ok(path) = Path::parse(name) {
                places.add(&path, Slot::Property(index));
            }
        }
        Self { places, names }
    }

    /// Reads an object, and returns where its parts are.
    pub(super) fn search<'a>(
        &self,
        text: &'a str,
        reader: &mut Reader<'a>,
        memory: &mut Memory<'a>,
    ) -> Result<Parts<'a>, Reject> {
        memory.found.clear();
        memory.keys.clear();
        let start = reader.at();
        self.places.search(reader, memory)?;
        let mut parts = Parts { text, names: self.names, at: [(0, 0); PARTS_MAX], start };
        for &Found { slot, start, end } in &memory.found {
            let Slot::Property(index) = slot else { continue };
            if let Some(place) = parts.at.get_mut(index).filter(|place| place.1 == 0) {
                *place = (
                    u32::try_from(start).unwrap_or_default(),
                    u32::try_from(end).unwrap_or_default(),
                );
            }
        }
        Ok(parts)
    }
}

impl<'a> Parts<'a> {
    /// Returns where the item starts.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Returns the record that the item stands in.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Returns what the dialect calls a part.
    pub(super) fn name(&self, part: usize) -> &'static str {
        self.names.get(part).copied().unwrap_or_default()
    }

    /// Returns what the dialect calls the part that starts there.
    pub(super) fn name_at(&self, at: usize) -> Option<&'static str> {
        let starts = |place: &(u32, u32)| place.1 != 0 && usize::try_from(place.0) == Ok(at);
        self.names.get(self.at.iter().position(starts)?).copied()
    }

    /// Returns where a part starts, if it is there.
    pub(super) fn at(&self, part: usize) -> Option<usize> {
        let &(start, end) = self.at.get(part)?;
        if end == 0 { None } else { usize::try_from(start).ok() }
    }

    /// Returns whether a part is there.
    pub(super) fn has(&self, part: usize) -> bool {
        self.at(part).is_some()
    }

    /// Returns a part as it stands.
    pub(super) fn raw(&self, part: usize) -> Option<&'a str> {
        let &(_, end) = self.at.get(part)?;
        self.text.get(self.at(part)?..usize::try_from(end).ok()?)
    }

    /// Returns a cursor before a part.
    pub(super) fn reader(&self, part: usize) -> Option<Reader<'a>> {
        Some(Reader::starting_at(self.text, self.at(part)?))
    }

    /// Returns what a part is, if it is there.
    pub(super) fn kind(&self, part: usize) -> Option<Kind> {
        self.reader(part)?.kind().ok()
    }

    /// Returns a part's value.
    pub(super) fn given(&self, part: usize) -> Result<Given<'a>, Reject> {
        match self.reader(part) {
            Some(mut reader) => reader.given(),
            None => Ok(Given::default()),
        }
    }

    /// Returns a part that is text, trimmed; `None` where it is something else or blank.
    pub(super) fn word(&self, part: usize) -> Result<Option<Cow<'a, str>>, Reject> {
        let Some(mut reader) = self.reader(part) else { return Ok(None) };
        if reader.kind()? != Kind::Text {
            return Ok(None);
        }
        let word = match reader.text()?.decode()? {
            Cow::Borrowed(word) => Cow::Borrowed(word.trim()),
            Cow::Owned(word) => Cow::Owned(word.trim().to_owned()),
        };
        Ok(Some(word).filter(|word| !word.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{cloud_events, ga4, posthog, segment, snowplow},
        *,
    };

    #[test]
    fn every_part_of_every_dialect_is_a_path_and_has_room() {
        for parts in
            [segment::PARTS, cloud_events::PARTS, snowplow::PARTS, posthog::PARTS, ga4::PARTS]
        {
            assert!(parts.len() <= PARTS_MAX);
            for part in parts {
                assert!(Path::parse(part).is_ok(), "{part}");
            }
        }
    }
}
