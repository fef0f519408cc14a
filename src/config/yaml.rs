//! YAML as text becomes a tree that knows where each key and each value stands.
//!
//! Only what a configuration needs is taken: one document of mappings, sequences and scalars.
//! Anchors, aliases and tags are refused, since with them a value no longer stands where it is
//! read, and no caret could point at it.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{
    problem::Problems,
    source::{Place, SourceId, Sources},
};
use crate::engine::rules::spec::{At, Located};

/// How deep a tree may be. The deepest rule has about 12 levels; a bound keeps a hostile file from
/// exhausting the stack.
const DEPTH_MAX: usize = 64;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where: for a mapping in block style, its first key.
    pub at: At,
    /// What.
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing was written, or `null`.
    Nothing,
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in the order written, without repeated keys.
    Mapping(Vec<Entry>),
}

/// A scalar as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text, without quotes.
    pub text: String,
    /// It stood without quotes, so that it may mean a number, a flag or a span.
    pub plain: bool,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Located<String>,
    /// The value.
    pub value: Node,
}

/// Reads the text of a source. `None` when the tree could not be built at all; an empty file is an
/// empty mapping.
pub fn read(source: SourceId, sources: &mut Sources, problems: &mut Problems) -> Option<Node> {
    let text = sources.source(source)?.text.clone();
    let mut tree = Tree {
        source,
        sources,
        problems,
        open: Vec::new(),
        root: None,
        documents: 0,
        incomplete: false,
    };
    for event in Parser::<StrInput<'_>>::new_from_str(&text) {
        match event {
            Ok((event, span)) => tree.take(event, span)?,
            Err(error) => {
                tree.syntax_error(&error);
                return None;
            }
        }
    }
    let at = tree.sources.note_whole(source);
    if tree.incomplete {
        return None;
    }
    let root = tree.root.filter(|root| root.value != Value::Nothing);
    Some(root.unwrap_or(Node { at, value: Value::Mapping(Vec::new()) }))
}

/// A tree while it is being built.
struct Tree<'a> {
    source: SourceId,
    sources: &'a mut Sources,
    problems: &'a mut Problems,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    /// A value stands somewhere else: what is read of the tree would only repeat that.
    incomplete: bool,
}

/// A sequence or a mapping whose end has not come yet.
enum Open {
    Sequence { at: At, items: Vec<Node> },
    Mapping { at: At, entries: Vec<Entry>, key: Option<Key> },
}

/// A key that waits for its value; without a name where the key was not a scalar.
struct Key {
    name: Option<Located<String>>,
}

impl Tree<'_> {
    /// Takes the next event. `None` ends the reading: what follows would only repeat the problem.
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                self.documents += 1;
                if 1 < self.documents {
                    let at = self.note(span);
                    self.problems.add_with_help(
                        at,
                        "a second document begins here",
                        "one file holds one document: put the rest into a file of its own",
                    );
                    return None;
                }
            }
            Event::Alias(_) => {
                let at = self.note(span);
                self.problems.add_with_help(
                    at,
                    "aliases (*name) are not supported",
                    "write the value out",
                );
                self.incomplete = true;
                self.put(Node { at, value: Value::Nothing });
            }
            Event::Scalar(text, style, anchor, tag) => {
                let at = self.note(span);
                self.refuse_decoration(at, anchor, tag.is_some());
                let plain = style == ScalarStyle::Plain;
                let nothing = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let scalar = Scalar { text: text.into_owned(), plain };
                let value = if nothing { Value::Nothing } else { Value::Scalar(scalar) };
                self.put(Node { at, value });
            }
            Event::SequenceStart(anchor, tag) => {
                let at = self.note(span);
                self.refuse_decoration(at, anchor, tag.is_some());
                self.open(Open::Sequence { at, items: Vec::new() })?;
            }
            Event::MappingStart(anchor, tag) => {
                let at = self.note(span);
                self.refuse_decoration(at, anchor, tag.is_some());
                self.open(Open::Mapping { at, entries: Vec::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
        Some(())
    }

    fn note(&mut self, span: Span) -> At {
        let (start, end) = (span.start, span.end);
        let width = if end.line() == start.line() {
            end.col().saturating_sub(start.col())
        } else {
            // The renderer ends a caret with its line.
            usize::MAX
        };
        let (line, column) = (start.line(), start.col());
        self.sources.note(Place { source: self.source, line, column, width: width.max(1) })
    }

    fn refuse_decoration(&mut self, at: At, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.problems.add_with_help(
                at,
                "anchors (&name) are not supported",
                "write the value out where it is needed",
            );
        }
        if tagged {
            self.problems.add_with_help(
                at,
                "tags (!name) are not supported",
                "put a value that should be text into quotes",
            );
        }
    }

    fn open(&mut self, open: Open) -> Option<()> {
        if self.open.len() == DEPTH_MAX {
            let (Open::Sequence { at, .. } | Open::Mapping { at, .. }) = open;
            self.problems.add(at, format!("nested deeper than {DEPTH_MAX} levels"));
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn close(&mut self) {
        let node = match self.open.pop() {
            Some(Open::Sequence { at, items }) => Node { at, value: Value::Sequence(items) },
            Some(Open::Mapping { at, entries, key: _ }) => {
                // A block mapping has no sign of its own to point at.
                let at = entries.first().map_or(at, |first| first.key.at);
                Node { at, value: Value::Mapping(entries) }
            }
            None => return,
        };
        self.put(node);
    }

    /// Puts a finished node where it belongs: into what is open, or at the root.
    fn put(&mut self, node: Node) {
        let (entries, key) = match self.open.last_mut() {
            None => {
                self.root = Some(node);
                return;
            }
            Some(Open::Sequence { items, .. }) => {
                items.push(node);
                return;
            }
            Some(Open::Mapping { entries, key, .. }) => (entries, key),
        };
        match key.take() {
            None => *key = Some(Key { name: name_of(&node, self.problems) }),
            Some(Key { name: None }) => {}
            Some(Key { name: Some(name) }) => {
                match entries.iter().find(|entry| entry.key.value == name.value) {
                    None => entries.push(Entry { key: name, value: node }),
                    Some(first) => {
                        let line = self.sources.place(first.key.at).map_or(0, |place| place.line);
                        self.problems.add_with_help(
                            name.at,
                            format!("\"{}\" is written twice", name.value),
                            format!("it stands on line {line} already: keep one of them"),
                        );
                    }
                }
            }
        }
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let marker = error.marker();
        let (line, column) = (marker.line().max(1), marker.col());
        let at = self.sources.note(Place { source: self.source, line, column, width: 1 });
        let help = match error.info() {
            info if info.contains("tab") || info.contains("cannot start any token") => {
                "indent with spaces (no tabs), and put a value that begins with one of \
                 @ ` % & * ! | > into quotes"
            }
            info if info.contains("mapping values are not allowed") => {
                "put a value with a colon into quotes, and look at the indentation of this line"
            }
            _ => "look at indentation, quotes and brackets here and on the line above",
        };
        self.problems.add_with_help(at, format!("not valid YAML: {}", error.info()), help);
    }
}

/// Returns the name that a key gives.
fn name_of(node: &Node, problems: &mut Problems) -> Option<Located<String>> {
    match &node.value {
        Value::Scalar(scalar) => Some(Located { value: scalar.text.clone(), at: node.at }),
        Value::Nothing => {
            problems.add_with_help(node.at, "a key is missing", "write \"name: value\"");
            None
        }
        Value::Sequence(_) | Value::Mapping(_) => {
            problems.add_with_help(node.at, "a key must be a name", "write \"name: value\"");
            None
        }
    }
}
