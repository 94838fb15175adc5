//! The event stream format (`text/event-stream`), read piece by piece; pure.

/// What a stream says is more than is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {bytes_max} bytes")]
pub(super) struct TooLarge {
    pub(super) bytes_max: usize,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// `message` when the stream does not name it.
    pub(super) kind: String,
    pub(super) data: Vec<u8>,
}

/// Takes bytes in as they come, gives events out.
#[derive(Debug)]
pub(super) struct Parser {
    bytes_max: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    kind: String,
    /// The last byte was a carriage return, whose line feed may follow.
    after_return: bool,
    began: bool,
    /// How long to wait before connecting again, when the stream says so.
    pub(super) retry_ms: Option<u64>,
    /// What to name when connecting again.
    pub(super) last_id: Option<String>,
}

/// Longest name of an event and longest id kept, in bytes.
const WORD_BYTES_MAX: usize = 200;
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Parser {
    /// Holds at most `bytes_max` bytes of an event, and as many of a line.
    pub(super) fn new(bytes_max: usize, last_id: Option<String>) -> Self {
        Self {
            bytes_max,
            line: Vec::new(),
            data: Vec::new(),
            kind: String::new(),
            after_return: false,
            began: false,
            retry_ms: None,
            last_id,
        }
    }

    /// The events that end in `chunk`.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        for &byte in chunk {
            let ends = match byte {
                b'\n' => !std::mem::take(&mut self.after_return),
                b'\r' => {
                    self.after_return = true;
                    true
                }
                other => {
                    self.after_return = false;
                    self.line.push(other);
                    false
                }
            };
            if self.line.len() > self.bytes_max {
                return Err(TooLarge { bytes_max: self.bytes_max });
            }
            if ends {
                events.extend(self.end_of_line()?);
            }
        }
        Ok(events)
    }

    fn end_of_line(&mut self) -> Result<Option<Event>, TooLarge> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if !std::mem::replace(&mut self.began, true) {
            line = line.strip_prefix(MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return Ok(self.event());
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let (name, value) = line.split_at(colon);
                let value = value.strip_prefix(b":").unwrap_or(value);
                (name, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        self.field(name, value)?;
        Ok(None)
    }

    fn event(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        // The last of the line feeds that end the lines of the data is not part of it.
        data.pop()?;
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        Some(Event { kind, data })
    }

    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), TooLarge> {
        let word = || std::str::from_utf8(value).ok().filter(|word| word.len() <= WORD_BYTES_MAX);
        match name {
            b"data" => {
                if self.data.len() + value.len() >= self.bytes_max {
                    return Err(TooLarge { bytes_max: self.bytes_max });
                }
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => word().unwrap_or_default().clone_into(&mut self.kind),
            b"id" => {
                let good = |id: &&str| id.bytes().all(|byte| byte.is_ascii_graphic());
                if let Some(id) = word().filter(good) {
                    self.last_id = Some(id.to_owned()).filter(|id| !id.is_empty());
                }
            }
            b"retry" => self.retry_ms = word().and_then(|ms| ms.parse().ok()).or(self.retry_ms),
            // A comment, or a word of tomorrow.
            _unknown => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Vec<(String, String)> {
        let events = Parser::new(1_000, None).feed(text).unwrap();
        let text = |event: Event| (event.kind, String::from_utf8(event.data).unwrap());
        events.into_iter().map(text).collect()
    }

    fn message(data: &str) -> (String, String) {
        ("message".to_owned(), data.to_owned())
    }

    #[test]
    fn events_end_at_empty_lines_and_have_lines_of_data() {
        let ready = ("ready".to_owned(), "{}".to_owned());
        assert_eq!(read(b"event: ready\ndata: {}\n\ndata:1\n\n"), [ready, message("1")]);
        assert_eq!(read(b"data: a\ndata:  b\ndata\n\n"), [message("a\n b\n")]);
        assert_eq!(read(b": a comment\n\nevent: x\n\ndata\n\n"), [message("")]);
        assert_eq!(read(b"data: never ended\n"), []);
        assert_eq!(read(b"\xef\xbb\xbfdata: marked\n\n"), [message("marked")]);
        assert_eq!(read(b"tomorrow: x\ndata: 1\n\n"), [message("1")]);
    }

    #[test]
    fn all_three_ends_of_lines_are_understood() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("data: a{end}data: b{end}{end}data: c{end}{end}");
            assert_eq!(read(text.as_bytes()), [message("a\nb"), message("c")], "{end:?}");
        }
    }

    #[test]
    fn the_stream_may_say_when_and_from_where_to_go_on() {
        let mut parser = Parser::new(100, Some("0".to_owned()));
        parser.feed(b"id: 7\nretry: 250\nretry: soon\nid: a\x00b\n\n").unwrap();
        assert_eq!((parser.last_id.as_deref(), parser.retry_ms), (Some("7"), Some(250)));
        parser.feed(b"id\n\n").unwrap();
        assert_eq!(parser.last_id, None);
    }

    #[test]
    fn what_is_too_large_is_an_error_and_never_held() {
        let mut parser = Parser::new(10, None);
        assert!(parser.feed(&[b'x'; 10]).unwrap().is_empty());
        assert_eq!(parser.feed(b"x"), Err(TooLarge { bytes_max: 10 }));
        let mut parser = Parser::new(10, None);
        assert!(parser.feed(b"data:12345\n").unwrap().is_empty());
        assert!(parser.feed(b"data:12345\n").is_err(), "two lines are one event");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_does_not_matter_where_a_stream_is_cut(
            text in proptest::collection::vec(
                prop_oneof![
                    Just(b"data".to_vec()), Just(b"event".to_vec()), Just(b": ".to_vec()),
                    Just(b"\n".to_vec()), Just(b"\r".to_vec()), Just(b"\r\n\r\n".to_vec()),
                    proptest::collection::vec(any::<u8>(), 0..6),
                ],
                0..40,
            ),
            cut in 1_usize..9,
        ) {
            let text = text.concat();
            let whole = Parser::new(10_000, None).feed(&text).unwrap();
            let mut parser = Parser::new(10_000, None);
            let mut pieces = Vec::new();
            for piece in text.chunks(cut) {
                pieces.extend(parser.feed(piece).unwrap());
            }
            prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn any_data_comes_out_as_it_went_in(
            lines in proptest::collection::vec("[^\r\n]{0,20}", 1..5),
        ) {
            let text = lines.iter().fold(String::new(), |text, line| text + "data: " + line + "\n");
            let events = Parser::new(10_000, None).feed(format!("{text}\n").as_bytes()).unwrap();
            prop_assert_eq!(events.len(), 1);
            let whole = lines.join("\n");
            prop_assert_eq!(&events[0].data, whole.as_bytes());
        }
    }
}
