//! The one place that writes to the terminal.
//!
//! A reader that has gone away (`rega check | head`) is no failure: there is nobody left to tell.
//! Anything else that keeps text from standard output, a full disk above all, makes the command fail
//! at its end, or a script would take half a schema for a whole one.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    sync::OnceLock,
};

use crate::config::{Colour, Environment};

/// The first thing that standard output had against what was printed. As global as standard output
/// itself: every command prints, and only the end of the program is told.
static UNSAID: OnceLock<String> = OnceLock::new();

/// Writes to standard output. What goes wrong is told at the end: [`unsaid`].
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(problem) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        && problem.kind() != ErrorKind::BrokenPipe
    {
        drop(UNSAID.set(problem.to_string()));
    }
}

/// Returns why something that was printed did not get out, if so.
pub(super) fn unsaid() -> Option<&'static str> {
    UNSAID.get().map(String::as_str)
}

/// Standard output for much: buffered, and the writer hears of a reader that has gone away.
pub(super) type Output = io::BufWriter<io::StdoutLock<'static>>;

/// Returns standard output for much. Flush it at the end.
pub(super) fn buffered() -> Output {
    // 64 KiB is what a pipe holds.
    io::BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Writes to standard error.
pub fn error(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Returns whether colours can be seen there, and are wanted (<https://no-color.org>).
pub fn colour_of(stream: &impl IsTerminal) -> Colour {
    if stream.is_terminal() && !Environment::refuses_colour() {
        Colour::Always
    } else {
        Colour::Never
    }
}
