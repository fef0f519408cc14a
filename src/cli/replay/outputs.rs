//! Where a replay writes: NDJSON files, or standard output.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde_json::json;

use super::{Failure, lines::Line};
use crate::engine::{Effects, RejectedItem};

/// The files that were asked for.
#[derive(Default)]
pub(super) struct Outputs {
    moments: Option<Box<dyn Write>>,
    engagement: Option<Box<dyn Write>>,
    rejects: Option<Box<dyn Write>>,
    spikes: Option<Box<dyn Write>>,
}

impl Outputs {
    pub(super) fn open(
        moments: Option<&Path>,
        engagement: Option<&Path>,
        rejects: Option<&Path>,
    ) -> Result<Self, Failure> {
        let (moments, engagement, rejects) = (open(moments)?, open(engagement)?, open(rejects)?);
        Ok(Self { moments, engagement, rejects, spikes: None })
    }

    /// Writes spikes there as well.
    pub(super) fn and_spikes(mut self, spikes: Option<&Path>) -> Result<Self, Failure> {
        self.spikes = open(spikes)?;
        Ok(self)
    }

    pub(super) fn spike(&mut self, record: &[u8]) -> io::Result<()> {
        write_line(self.spikes.as_mut(), record)
    }

    pub(super) fn wants_engagement(&self) -> bool {
        self.engagement.is_some()
    }

    pub(super) fn moment(&mut self, record: &[u8]) -> io::Result<()> {
        write_line(self.moments.as_mut(), record)
    }

    pub(super) fn engagement(&mut self, record: &[u8]) -> io::Result<()> {
        write_line(self.engagement.as_mut(), record)
    }

    pub(super) fn reject(
        &mut self,
        rejected: &RejectedItem,
        effects: &Effects,
        line: &Line<'_>,
    ) -> io::Result<()> {
        if self.rejects.is_none() {
            return Ok(());
        }
        // What is not text is written with replacement characters: NDJSON has no bytes.
        let item = rejected.item.map(|item| String::from_utf8_lossy(effects.bytes(item)));
        let written = json!({
            "reason": rejected.reason,
            "detail": effects.text(rejected.detail),
            "file": line.file,
            "line": line.number,
            "index": rejected.index,
            "item": item,
        });
        write_line(self.rejects.as_mut(), written.to_string().as_bytes())
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        let all = [&mut self.moments, &mut self.engagement, &mut self.rejects, &mut self.spikes];
        all.into_iter().flatten().try_for_each(Write::flush)
    }
}

fn open(path: Option<&Path>) -> Result<Option<Box<dyn Write>>, Failure> {
    let Some(path) = path else { return Ok(None) };
    if path == Path::new("-") {
        return Ok(Some(Box::new(BufWriter::new(io::stdout()))));
    }
    let file = File::create(path).map_err(|problem| {
        Failure::Fatal(format!("cannot write \"{}\": {problem}", path.display()))
    })?;
    Ok(Some(Box::new(BufWriter::new(file))))
}

fn write_line(output: Option<&mut Box<dyn Write>>, record: &[u8]) -> io::Result<()> {
    let Some(output) = output else { return Ok(()) };
    // At once: a buffer that were full between the two would let another output of the same
    // terminal into the line.
    output.write_all(&[record, b"\n"].concat())
}
