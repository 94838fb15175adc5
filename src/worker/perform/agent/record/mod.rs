//! Keeping what an agent says, as it says it: without secrets, compressed, and within bounds.
//!
//! What is too long loses its middle. The beginning is redacted as a stream and compressed at
//! once; of the end, a ring of bytes is held and redacted when it is over.

use std::collections::VecDeque;
use std::io::{self, Write};

use zstd::stream::write::Encoder;

use crate::model::sanitized::Sanitizer;
use crate::model::{Stream, text};
use crate::store::STREAM_BYTES_MAX;

/// Fast; streams of events compress about tenfold even so.
const LEVEL: i32 = 1;
/// As a power of two, how far back it looks, in bytes: it holds as much, and events repeat
/// themselves within less.
const WINDOW_LOG: u32 = 17;
/// What is shorter is held as it is, and compressed when it is over.
const SHORT_BYTES_MAX: usize = 64 * 1024;
/// Bytes kept of the end of what was too long.
const END_BYTES_MAX: usize = 64 * 1024;
/// Bytes held before them, so that no secret begins where nobody looks.
const BEFORE_BYTES: usize = 64 * 1024;
/// Bytes kept of the end of standard error.
const ERRORS_BYTES_MAX: usize = 64 * 1024;
/// Kept free for all that comes after the beginning, and for what the compressor holds: of the
/// frame and of the whole.
const RESERVE_BYTES: usize = 384 * 1024;
/// Stands where the middle is missing.
const MISSING: &str = "\n--- the middle is missing ---\n";
/// Stands before the end of standard error.
const ERRORS: &str = "\n--- the end of standard error ---\n";

/// Records one agent.
#[derive(Debug)]
pub(super) struct Recorder {
    sanitizer: Sanitizer,
    /// Until the beginning is full.
    secrets: Option<Stream>,
    frame: Frame,
    /// Of the frame, and of what is in it.
    frame_bytes_max: usize,
    bytes_max: usize,
    /// Bytes in the frame, before compression.
    bytes: usize,
    /// The newest bytes as they came.
    ring: VecDeque<u8>,
    /// Bytes that came when the beginning was full.
    after: usize,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) frame: Vec<u8>,
    pub(super) bytes: usize,
    pub(super) is_cut: bool,
}

/// A compressor's tables are larger than most streams.
enum Frame {
    Short(Vec<u8>),
    Long(Box<Encoder<'static, Vec<u8>>>),
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({})", self.len())
    }
}

impl Frame {
    fn len(&self) -> usize {
        match self {
            Self::Short(bytes) => bytes.len(),
            Self::Long(encoder) => encoder.get_ref().len(),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Short(short) if short.len() + bytes.len() <= SHORT_BYTES_MAX => {
                short.extend_from_slice(bytes);
                Ok(())
            }
            Self::Short(short) => {
                let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
                encoder.window_log(WINDOW_LOG)?;
                encoder.write_all(short)?;
                encoder.write_all(bytes)?;
                *self = Self::Long(Box::new(encoder));
                Ok(())
            }
            Self::Long(encoder) => encoder.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Short(short) => zstd::bulk::compress(&short, LEVEL),
            Self::Long(encoder) => encoder.finish(),
        }
    }
}

impl Recorder {
    /// Keeps at most `frame_bytes_max` bytes after compression.
    pub(super) fn new(sanitizer: Sanitizer, frame_bytes_max: usize) -> Self {
        let secrets = Some(sanitizer.stream());
        Self {
            sanitizer,
            secrets,
            frame: Frame::Short(Vec::new()),
            frame_bytes_max,
            bytes_max: STREAM_BYTES_MAX,
            bytes: 0,
            ring: VecDeque::new(),
            after: 0,
        }
    }

    /// It says `part`.
    pub(super) fn push(&mut self, part: &[u8]) -> io::Result<()> {
        self.hold(part);
        let Some(secrets) = &mut self.secrets else {
            self.after = self.after.saturating_add(part.len());
            return Ok(());
        };
        let safe = secrets.push(part);
        self.write(&safe)?;
        let is_full = self.bytes.saturating_add(RESERVE_BYTES) > self.bytes_max
            || self.frame.len().saturating_add(RESERVE_BYTES) > self.frame_bytes_max;
        if is_full {
            // What is held back may be the first half of a secret: it is in the ring, too.
            self.secrets = None;
        }
        Ok(())
    }

    /// It is over; `None` when it said nothing at all.
    pub(super) fn finish(mut self, errors: &str) -> io::Result<Option<Recorded>> {
        let is_cut = self.secrets.is_none();
        match self.secrets.take() {
            Some(secrets) => self.write(&secrets.finish())?,
            None => self.write_end()?,
        }
        let errors = self.sanitizer.kept(errors);
        let errors = text::tail(errors.trim_end(), ERRORS_BYTES_MAX);
        if !errors.is_empty() {
            self.write(ERRORS.as_bytes())?;
            self.write(errors.as_bytes())?;
        }
        if self.bytes == 0 {
            return Ok(None);
        }
        let frame = self.frame.finish()?;
        Ok(Some(Recorded { frame, bytes: self.bytes, is_cut }))
    }

    fn write(&mut self, safe: &[u8]) -> io::Result<()> {
        self.bytes = self.bytes.saturating_add(safe.len());
        self.frame.push(safe)
    }

    fn hold(&mut self, part: &[u8]) {
        const RING_BYTES_MAX: usize = END_BYTES_MAX + BEFORE_BYTES;
        let from = part.len().saturating_sub(RING_BYTES_MAX);
        let part = part.get(from..).unwrap_or_default();
        let over = (self.ring.len() + part.len()).saturating_sub(RING_BYTES_MAX);
        self.ring.drain(..over);
        self.ring.extend(part);
    }

    /// The end of what was too long. Redacted with what came before it, so that the second half
    /// of a secret is known for what it is.
    fn write_end(&mut self) -> io::Result<()> {
        let mut secrets = self.sanitizer.stream();
        let mut safe = secrets.push(self.ring.make_contiguous());
        safe.extend(secrets.finish());
        let safe = String::from_utf8_lossy(&safe).into_owned();
        let end = text::tail(&safe, END_BYTES_MAX.min(self.after));
        self.write(MISSING.as_bytes())?;
        self.write(end.as_bytes())
    }
}

#[cfg(test)]
mod tests;
