//! The lines of several files in the order given, unpacked on the way, with a progress bar.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;

/// What a gzip stream begins with (RFC 1952), and a Zstandard frame (RFC 8878). No JSON does.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The longer one's length.
const MAGIC_BYTES_MAX: u64 = 4;

/// One line.
#[derive(Debug)]
pub(in crate::cli) struct Line<'l> {
    /// Without its end.
    pub(in crate::cli) bytes: &'l [u8],
    /// As it was given on the command line.
    pub(in crate::cli) file: &'l str,
    /// From 1.
    pub(in crate::cli) number: i64,
}

/// Reads files one after the other. Holds one line at a time; a line of more than
/// [`Self::LINE_BYTES_MAX`] ends the replay, because a file without line ends would fill memory.
pub(in crate::cli) struct Lines {
    waiting: VecDeque<PathBuf>,
    current: Option<(String, Box<dyn BufRead>)>,
    number: i64,
    buffer: Vec<u8>,
    progress: ProgressBar,
}

impl Lines {
    const LINE_BYTES_MAX: u64 = 64 << 20;

    /// Opens the first file; all must exist, so that a typo is told before hours of work.
    pub(in crate::cli) fn open(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut bytes = 0;
        for file in files.iter().filter(|file| *file != Path::new("-")) {
            let found = std::fs::metadata(file).map_err(|problem| unreadable(file, &problem))?;
            bytes += found.len();
        }
        let progress = ProgressBar::new(bytes);
        let visible = io::stderr().is_terminal();
        progress.set_draw_target(if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {percent}% {binary_bytes_per_sec} {eta}")
        {
            progress.set_style(style);
        }
        Ok(Self {
            waiting: files.to_vec().into(),
            current: None,
            number: 0,
            buffer: Vec::new(),
            progress,
        })
    }

    /// Returns the next line.
    pub(in crate::cli) fn next(&mut self) -> Result<Option<Line<'_>>, Failure> {
        loop {
            if self.current.is_none() {
                let Some(file) = self.waiting.pop_front() else { return Ok(None) };
                let reader = self.reader(&file)?;
                self.current = Some((file.display().to_string(), reader));
                self.number = 0;
            }
            let Some((file, reader)) = &mut self.current else { return Ok(None) };
            self.buffer.clear();
            let read = reader.take(Self::LINE_BYTES_MAX).read_until(b'\n', &mut self.buffer);
            let count = read.map_err(|problem| unreadable(Path::new(file), &problem))?;
            if count == 0 {
                self.current = None;
                continue;
            }
            if u64::try_from(count).is_ok_and(|count| count == Self::LINE_BYTES_MAX) {
                let message = format!("\"{file}\" has a line of more than 64 MiB: is it NDJSON?");
                return Err(Failure::Fatal(message));
            }
            break;
        }
        self.number += 1;
        let bytes = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let file = self.current.as_ref().map_or("", |(file, _)| file);
        Ok(Some(Line { bytes, file, number: self.number }))
    }

    fn reader(&self, file: &Path) -> Result<Box<dyn BufRead>, Failure> {
        let mut bytes: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let opened = File::open(file).map_err(|problem| unreadable(file, &problem))?;
            Box::new(self.progress.wrap_read(opened))
        };
        let mut head = Vec::new();
        let read = bytes.by_ref().take(MAGIC_BYTES_MAX).read_to_end(&mut head);
        read.map_err(|problem| unreadable(file, &problem))?;
        // A name is a promise, and says what is wrong with a broken file; the bytes are the truth.
        let named = |what: &str| file.extension().is_some_and(|found| found == what);
        let (gzip, zstd) = (head.starts_with(&GZIP_MAGIC), head.starts_with(&ZSTD_MAGIC));
        let whole = io::Cursor::new(head).chain(bytes);
        if gzip || (named("gz") && !zstd) {
            return Ok(Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(whole))));
        }
        if zstd || named("zst") {
            let decoder = zstd::Decoder::new(whole);
            let decoder = decoder.map_err(|problem| unreadable(file, &problem))?;
            return Ok(Box::new(BufReader::new(decoder)));
        }
        Ok(Box::new(BufReader::new(whole)))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

fn unreadable(file: &Path, problem: &io::Error) -> Failure {
    Failure::Fatal(format!("cannot read \"{}\": {problem}", file.display()))
}
