//! Drawing on a terminal without flicker, and leaving it as it was.
//!
//! The picture is drawn on the terminal's second screen, over the one before, line by line with the
//! rest of each line cleared. Clearing everything first would show an empty screen for a moment.

use console::Term;

use super::view::Room;
use crate::cli::print;

/// Second screen on, cursor off (xterm's private modes 1049 and 25).
const OPEN: &str = "\x1b[?1049h\x1b[?25l";

/// Cursor on, first screen back.
const CLOSE: &str = "\x1b[?25h\x1b[?1049l";

/// Between these two, terminals that know them show nothing half-drawn (mode 2026).
const BEGIN: &str = "\x1b[?2026h\x1b[H";
const END: &str = "\x1b[J\x1b[?2026l";

/// The terminal, while the demo has it.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Term,
}

impl Screen {
    /// Takes the terminal. Dropping the value gives it back.
    pub(super) fn open() -> Self {
        print(OPEN);
        Self { terminal: Term::stdout() }
    }

    /// Draws what `picture` makes of the room there is now: people resize windows.
    pub(super) fn draw(&self, picture: impl FnOnce(Room) -> String) {
        let (rows, columns) = self.terminal.size();
        let room = Room { columns: columns.into(), rows: rows.into() };
        print(&frame(&picture(room)));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print(CLOSE);
    }
}

/// Returns what draws a picture over another.
fn frame(picture: &str) -> String {
    // No line break after the last line: in the last row it would scroll.
    let lines: Vec<String> = picture.lines().map(|line| format!("{line}\x1b[K")).collect();
    format!("{BEGIN}{}{END}", lines.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_clears_what_is_left_of_the_one_before_and_does_not_scroll() {
        assert_eq!(frame("one\ntwo"), "\x1b[?2026h\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J\x1b[?2026l");
    }
}
