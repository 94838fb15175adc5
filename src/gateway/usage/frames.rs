//! Cuts an answer into what is read at once: events, lines, or the whole.

/// The longest event, line or document that is read, in bytes; what is longer says nothing, and
/// the call counts as not accounted for.
pub const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How an answer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Server-sent events.
    Events,
    /// One JSON document a line.
    Lines,
    /// One JSON document.
    Whole,
}

impl Shape {
    /// By the type an answer says it has.
    pub fn of(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("text/event-stream") {
            Self::Events
        } else if essence.eq_ignore_ascii_case("application/x-ndjson") {
            Self::Lines
        } else {
            Self::Whole
        }
    }
}

/// What was not read yet.
#[derive(Debug)]
pub(super) struct Frames {
    shape: Shape,
    /// The unfinished line, or the document.
    line: Vec<u8>,
    /// The data of the unfinished event.
    data: Vec<u8>,
    /// The line or the event is too long.
    spoilt: bool,
    /// The last byte was a carriage return, so that a line feed belongs to it.
    returned: bool,
}

impl Frames {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, line: Vec::new(), data: Vec::new(), spoilt: false, returned: false }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], tell: &mut dyn FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.returned) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let shape = self.shape;
            let ends = |byte: &u8| match shape {
                Shape::Events => matches!(byte, b'\n' | b'\r'),
                Shape::Lines => *byte == b'\n',
                Shape::Whole => false,
            };
            let Some(end) = rest.iter().position(ends) else {
                self.keep(rest);
                return;
            };
            self.keep(rest.get(..end).unwrap_or_default());
            self.returned = rest.get(end) == Some(&b'\r');
            rest = rest.get(end + 1..).unwrap_or_default();
            self.line_ended(tell);
        }
    }

    pub(super) fn end(&mut self, tell: &mut dyn FnMut(&[u8])) {
        self.line_ended(tell);
        // An event without its empty line is told too: if it is not whole, it is no JSON.
        self.event_ended(tell);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + self.data.len() + bytes.len() > FRAME_BYTES_MAX {
            self.spoilt = true;
        }
        if self.spoilt {
            // An empty line ends an event; this one is not empty, and says nothing.
            let begun = !self.line.is_empty() || !bytes.is_empty();
            self.line = if begun { vec![b':'] } else { Vec::new() };
            self.data = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn line_ended(&mut self, tell: &mut dyn FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        if self.shape != Shape::Events {
            if !std::mem::take(&mut self.spoilt) && !line.is_empty() {
                tell(&line);
            }
            return;
        }
        if line.is_empty() {
            self.event_ended(tell);
        } else if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
    }

    fn event_ended(&mut self, tell: &mut dyn FnMut(&[u8])) {
        let data = std::mem::take(&mut self.data);
        if !std::mem::take(&mut self.spoilt) && !data.is_empty() {
            tell(&data);
        }
    }
}
