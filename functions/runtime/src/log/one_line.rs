//! Keeps an entry of the log on a line of its own.

use std::io::{self, Write};

use domain::text::flat;
use tracing_subscriber::fmt::MakeWriter;

/// How much of an entry is written: CloudWatch takes 256 KB.
const LONGEST: usize = 200_000;

/// Writes entries that are plain text.
///
/// What AWS and others say stands in them as it is, and could break the line
/// and go on with something that looks like an entry of ours. JSON needs none
/// of this: it escapes.
pub(super) struct OneLine<W>(pub(super) W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for OneLine<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLine(self.0.make_writer())
    }
}

impl<W: Write> Write for OneLine<W> {
    /// Takes a whole entry, which is how tracing writes it.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let line = flat(&String::from_utf8_lossy(entry), LONGEST);
        writeln!(self.0, "{line}")?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
