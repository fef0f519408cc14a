//! Lines of coloured text, cut to the terminal's width.
//!
//! A cell is a character: everything the demo prints is one column wide per character, customer
//! ids included, because the simulation makes them.

use crate::config::Colour;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// As it is.
    Plain,
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
    /// Pain.
    Red,
    /// Recovery, and glory.
    Green,
    /// Going back.
    Yellow,
    /// Names and bars.
    Cyan,
    /// Where to look.
    Blue,
}

impl Ink {
    /// Returns the parameter of the ANSI escape sequence (ECMA-48, SGR).
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::Blue => "34;4",
        }
    }
}

/// One line under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pieces: Vec<(Ink, String)>,
    width: usize,
}

impl Line {
    /// Returns an empty line.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Returns a line of one piece.
    pub(super) fn of(ink: Ink, text: impl Into<String>) -> Self {
        Self::new().add(ink, text)
    }

    /// Returns the line with `text` at its end.
    pub(super) fn add(mut self, ink: Ink, text: impl Into<String>) -> Self {
        let text = text.into();
        self.width += text.chars().count();
        self.pieces.push((ink, text));
        self
    }

    /// Returns the line filled up with spaces, so that the next piece begins at `column`; at least
    /// one space.
    pub(super) fn to(self, column: usize) -> Self {
        let spaces = column.saturating_sub(self.width).max(1);
        self.add(Ink::Plain, " ".repeat(spaces))
    }

    /// Returns the line with `other` beginning at `column`; what stands there already is cut.
    pub(super) fn beside(self, column: usize, other: Self) -> Self {
        let mut joined = self.cut(column.saturating_sub(2)).to(column);
        joined.width += other.width;
        joined.pieces.extend(other.pieces);
        joined
    }

    /// Returns the line with `other` ending at `width`, where there is room.
    pub(super) fn flush_right(self, width: usize, other: Self) -> Self {
        let column = width.saturating_sub(other.width);
        if column <= self.width { self } else { self.beside_exactly(column, other) }
    }

    fn beside_exactly(self, column: usize, other: Self) -> Self {
        let mut joined = self.to(column);
        joined.width += other.width;
        joined.pieces.extend(other.pieces);
        joined
    }

    /// Returns the line without what stands beyond `width`; a cut shows as `…`.
    pub(super) fn cut(self, width: usize) -> Self {
        if self.width <= width {
            return self;
        }
        let mut kept = Self::new();
        for (ink, text) in self.pieces {
            let room = width.saturating_sub(kept.width);
            if text.chars().count() < room {
                kept = kept.add(ink, text);
            } else {
                let mut shorter: String = text.chars().take(room.saturating_sub(1)).collect();
                shorter.push('…');
                return kept.add(ink, shorter);
            }
        }
        kept
    }

    /// Returns the line as text.
    pub(super) fn render(&self, colour: Colour) -> String {
        let mut text = String::with_capacity(2 * self.width);
        for (ink, piece) in &self.pieces {
            match (colour, ink) {
                (Colour::Never, _) | (Colour::Always, Ink::Plain) => text.push_str(piece),
                (Colour::Always, _) => {
                    for part in ["\x1b[", ink.code(), "m", piece, "\x1b[0m"] {
                        text.push_str(part);
                    }
                }
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Returns a bar of that part of `width`, in steps of an eighth of a cell.
pub(super) fn bar(part: u64, whole: u64, width: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = part.saturating_mul(8 * width).checked_div(whole).unwrap_or(0).min(8 * width);
    let full = usize::try_from(eighths / 8).unwrap_or(0);
    let rest = usize::try_from(eighths % 8).unwrap_or(0);
    let rest = match (full, rest) {
        // Something is more than nothing, however small.
        (0, 0) if 0 < part => "▏",
        _ => EIGHTHS.get(rest).copied().unwrap_or(""),
    };
    format!("{}{rest}", "█".repeat(full))
}

/// Returns the course of some numbers as one character each.
pub(super) fn sparkline(numbers: &[f64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = numbers.iter().copied().fold(1.0, f64::max);
    let level = |number: f64| {
        // The first level that the number does not exceed.
        let share = 8.0 * number / highest;
        let mut bounds = (1_u32..=8).map(f64::from);
        let index = bounds.position(|bound| share <= bound).unwrap_or(7);
        LEVELS.get(index).copied().unwrap_or('█')
    };
    numbers.iter().map(|number| level(*number)).collect()
}

/// Returns a count with thousands set apart: `104,233`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_part() {
        assert_eq!(bar(1, 2, 4), "██");
        assert_eq!(bar(3, 16, 2), "▍");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(0, 0, 4), "");
        assert_eq!(bar(9, 3, 2), "██");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_where_one_can_see_it() {
        let line = Line::of(Ink::Red, "pain").add(Ink::Plain, " and glory");
        assert_eq!(line.clone().cut(14).render(Colour::Never), "pain and glory");
        assert_eq!(line.clone().cut(9).render(Colour::Never), "pain and…");
        assert_eq!(line.clone().cut(4).render(Colour::Always), "\x1b[31mpai…\x1b[0m");
        assert_eq!(
            line.beside(12, Line::of(Ink::Plain, "x")).render(Colour::Never),
            "pain and …  x"
        );
    }

    #[test]
    fn a_sparkline_shows_the_course() {
        assert_eq!(sparkline(&[0.0, 50.0, 100.0]), "▁▄█");
        assert_eq!(sparkline(&[0.0]), "▁");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_104_233), "1,104,233");
    }
}
