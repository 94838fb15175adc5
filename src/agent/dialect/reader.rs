//! Bytes in any cut, made into lines of bounded length and heard in one dialect.

use super::{Account, Dialect, Listener, Opening, Step};

/// Longest line, in bytes; what is longer is cut, and counted.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// Room that is kept between two lines, in bytes.
const ROOM_BYTES_MAX: usize = 256 << 10;

/// Hears one stream.
#[derive(Debug)]
pub struct Reader {
    listener: Box<dyn Listener>,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    /// Whether more of that line came than is kept.
    is_cut: bool,
    heard: Heard,
}

/// How much was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    pub lines: u64,
    /// Longer than [`LINE_BYTES_MAX`].
    pub cut: u64,
    /// Of no meaning in the dialect, or of no shape.
    pub skipped: u64,
}

impl Reader {
    pub fn new(dialect: Dialect, opening: Opening) -> Self {
        let listener = dialect.listener(opening);
        Self { listener, rest: Vec::new(), is_cut: false, heard: Heard::default() }
    }

    /// What is to be written before anything is heard.
    pub fn open(&mut self) -> Vec<Step> {
        self.listener.open()
    }

    /// What is to be written so that the program ends by itself; nothing in most dialects.
    pub fn cancel(&mut self) -> Vec<Step> {
        self.listener.cancel()
    }

    /// Hears `bytes`, wherever they begin and end.
    pub fn feed(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            if self.rest.is_empty() && !self.is_cut && line.len() <= LINE_BYTES_MAX {
                self.line(line, steps);
            } else {
                self.keep(line);
                self.flush(steps);
            }
        }
        self.keep(last);
    }

    /// The stream is over; what stands behind the last line end is heard as a line.
    pub fn end(mut self, steps: &mut Vec<Step>) -> (Account, Heard) {
        if !self.rest.is_empty() {
            self.flush(steps);
        }
        (self.listener.end(), self.heard)
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LINE_BYTES_MAX.saturating_sub(self.rest.len());
        self.is_cut |= part.len() > room;
        self.rest.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn flush(&mut self, steps: &mut Vec<Step>) {
        let line = std::mem::take(&mut self.rest);
        self.heard.cut += u64::from(std::mem::take(&mut self.is_cut));
        self.line(&line, steps);
        // Room for usual lines is kept, the content is not.
        self.rest = line;
        self.rest.clear();
        self.rest.shrink_to(ROOM_BYTES_MAX);
    }

    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return;
        }
        self.heard.lines += 1;
        let heard = self.listener.line(line, steps);
        self.heard.skipped += u64::from(!heard);
    }
}
