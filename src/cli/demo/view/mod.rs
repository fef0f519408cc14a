//! The demo's picture: a [`Snapshot`] becomes text, for a terminal or for a log.
//!
//! Pure, so that it can be tested, and drawn from made-up numbers. Who draws it how often is
//! `screen`'s.

mod canvas;
mod lines;
mod sections;
mod words;

use self::canvas::Line;
pub(super) use self::{
    canvas::{Ink, Paint, grouped},
    lines::{notable_line, status_line, summary},
};
use super::snapshot::Snapshot;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Narrower, and the columns would stand in each other's way; wider, and the eye gets lost.
const COLUMNS: std::ops::RangeInclusive<usize> = 60..=120;

/// From here on two columns stand side by side.
const WIDE: usize = 96;

/// Returns the picture: at most `room.rows` lines of at most `room.columns` cells, without a line
/// break at the end.
pub(super) fn picture(snapshot: &Snapshot, room: Room, paint: Paint) -> String {
    let frame = Frame::of(room);
    let mut lines = Vec::new();
    lines.extend(sections::heading(snapshot, &frame));
    lines.extend(sections::funnel(snapshot, &frame));
    if frame.shows_kinds {
        lines.extend(sections::kinds(snapshot, &frame));
    }
    lines.extend(sections::pains(snapshot, &frame));
    lines.extend(sections::recoveries(snapshot, &frame));
    lines.extend(sections::engaged(snapshot, &frame));
    lines.extend(sections::look_next(snapshot, &frame));
    let rendered: Vec<String> = lines
        .into_iter()
        .take(room.rows)
        .map(|line: Line| line.cut(room.columns).render(paint))
        .collect();
    rendered.join("\n")
}

/// What fits.
#[derive(Clone, Copy, Debug)]
struct Frame {
    width: usize,
    /// Two columns.
    wide: bool,
    /// The bars of micro-moments and moments of truth.
    shows_kinds: bool,
    /// Lines of each list.
    list_length: usize,
    /// Empty lines between sections.
    airy: bool,
}

impl Frame {
    fn of(room: Room) -> Self {
        let width = room.columns.clamp(*COLUMNS.start(), *COLUMNS.end());
        let wide = WIDE <= width;
        let (shows_kinds, list_length, airy) = match room.rows {
            0..26 => (false, 2, false),
            26..34 => (wide, 2, false),
            34..42 => (wide, 4, false),
            42..48 => (wide, 4, true),
            _ => (true, 6, true),
        };
        Self { width, wide, shows_kinds, list_length, airy }
    }

    /// Where the second column begins.
    fn middle(&self) -> usize {
        self.width / 2 + 2
    }
}
