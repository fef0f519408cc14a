//! The one place that writes to the terminal.
//!
//! A reader that has gone away (`rega check | head`) is no failure, so errors in writing are let
//! go: there is nobody left to tell.

use std::io::{self, IsTerminal, Write};

use crate::config::{Colour, Environment};

/// Writes to standard output.
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
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
