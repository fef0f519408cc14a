//! What was read, and where each part of it stands: the table that every problem points into.
//!
//! A problem carries one small number ([`At`]); only when somebody reads it does the number become
//! a file, a line and a caret. So plain data can carry its place through merging and compiling at
//! no cost, and the engine needs to know nothing of files.

use std::path::Path;

use crate::engine::rules::spec::At;

/// A file (or an environment variable) among the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId(usize);

/// One stretch of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it was read from.
    pub source: SourceId,
    /// Line, from 1; 0 means the source as a whole.
    pub line: usize,
    /// Column in characters, from 0.
    pub column: usize,
    /// Length in characters, on this line.
    pub width: usize,
}

/// What kind of thing a text was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file: places are shown as line and column.
    File,
    /// An environment variable: its name says where, its value is not shown again.
    Variable,
}

/// One text that was read.
#[derive(Clone)]
pub struct Source {
    /// The path as it was given, or the name of the variable.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// What it was read from.
    pub kind: SourceKind,
}

/// What the names of files inside the binary begin with.
pub(super) const SHIPPED: &str = "<shipped>/";

/// Every text that was read, and every place that was noted in them.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    sources: Vec<Source>,
    places: Vec<Place>,
}

impl Sources {
    /// Adds a text, and returns its id.
    pub fn add(&mut self, source: Source) -> SourceId {
        self.sources.push(source);
        SourceId(self.sources.len() - 1)
    }

    /// Notes a place. `At(0)` stays free: it is the place of what was never in a file.
    pub fn note(&mut self, place: Place) -> At {
        self.places.push(place);
        At(u32::try_from(self.places.len()).unwrap_or(0))
    }

    /// Notes a source as a whole.
    pub fn note_whole(&mut self, source: SourceId) -> At {
        self.note(Place { source, line: 0, column: 0, width: 0 })
    }

    /// Returns the place that was noted as `at`; `None` for what was never in a file.
    pub fn place(&self, at: At) -> Option<Place> {
        let index = usize::try_from(at.0).ok()?.checked_sub(1)?;
        self.places.get(index).copied()
    }

    /// Returns a source.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0)
    }

    /// Writes where something stands as `file:line`.
    pub fn line(&self, at: At) -> String {
        let place = self.place(at);
        let file = place.and_then(|place| self.source(place.source));
        let line = place.map_or(0, |place| place.line);
        format!("{}:{line}", file.map_or("?", |file| &*file.name))
    }

    /// Returns the folder of the file that something stands in.
    pub(super) fn folder(&self, at: At) -> Option<&Path> {
        let source = self.place(at).and_then(|place| self.source(place.source));
        source.and_then(|source| Path::new(&source.name).parent())
    }

    /// Returns whether that stands in a pack that comes with Rega.
    pub fn is_shipped(&self, at: At) -> bool {
        let source = self.place(at).and_then(|place| self.source(place.source));
        source.is_some_and(|source| source.name.starts_with(SHIPPED))
    }

    /// Returns how many files were read.
    pub fn file_count(&self) -> usize {
        self.sources.iter().filter(|source| source.kind == SourceKind::File).count()
    }

    /// Returns a sort key, so that problems are told in the order in which a file is read.
    pub(super) fn order(&self, at: At) -> (usize, usize, usize) {
        self.place(at).map_or((0, 0, 0), |place| (place.source.0, place.line, place.column))
    }
}

impl std::fmt::Debug for Source {
    /// Leaves the text out: it may hold a password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_place_is_nowhere() {
        let mut sources = Sources::default();
        let (name, text) = ("a.yaml".to_owned(), "password: hunter2".to_owned());
        let id = sources.add(Source { name, text, kind: SourceKind::File });
        let at = sources.note_whole(id);
        assert_eq!(sources.place(At::default()), None);
        assert_eq!(sources.place(at).map(|place| place.line), Some(0));
        assert!(!format!("{sources:?}").contains("hunter2"));
    }
}
