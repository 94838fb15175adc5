//! Logs: one line an event on standard error, readable or as JSON, with secrets taken out.

use std::io::{self, IsTerminal, Write};

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::Redactor;
use crate::model::Stream;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// What to log and how.
#[derive(Debug, Clone)]
pub struct Logs {
    pub format: LogFormat,
    /// Directives such as `info,slipway=debug`.
    pub filter: String,
    pub redactor: Redactor,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    #[error("the log filter is not valid; write for example `info` or `info,slipway=debug`")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    #[error("logging was set up before")]
    Twice,
}

impl Logs {
    /// Makes this the log of the process; works once.
    pub fn install(self) -> Result<(), LogsError> {
        let filter = EnvFilter::try_new(&self.filter).map_err(LogsError::Filter)?;
        let to = Redacting { redactor: self.redactor, to: io::stderr };
        let colours = io::stderr().is_terminal();
        let lines =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(to).with_ansi(colours);
        let done = match self.format {
            LogFormat::Human => lines.with_target(false).try_init(),
            LogFormat::Json => lines.json().flatten_event(true).try_init(),
        };
        done.map_err(|_already| LogsError::Twice)
    }
}

/// Opens writers that take secrets out of every line.
struct Redacting<M> {
    redactor: Redactor,
    to: M,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = RedactingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        let stream = Some(self.redactor.stream());
        RedactingWriter { stream, line: Vec::new(), to: self.to.make_writer() }
    }
}

/// One event, in as many parts as it is given: it is written when all of it is there, so that no
/// secret is divided and no line of another thread stands in its middle.
struct RedactingWriter<W: Write> {
    stream: Option<Stream>,
    line: Vec<u8>,
    to: W,
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let sure = self.stream.as_mut().map(|stream| stream.push(part));
        self.line.extend(sure.unwrap_or_default());
        Ok(part.len())
    }

    /// What may be the beginning of a secret waits for the end of the event.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        self.line.extend(self.stream.take().map(Stream::finish).unwrap_or_default());
        // Nobody is left to be told that the log cannot be written.
        _ = self.to.write_all(&self.line).and_then(|()| self.to.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::Secret;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_secret_reaches_the_log_in_either_format() {
        let token = format!("ghs_{:032x}", fastrand::u128(..));
        let known = format!("webhook{:x}", fastrand::u64(..));
        let redactor = Redactor::new([Secret::new(known.clone())]);
        for json in [false, true] {
            let kept = Kept::default();
            let sink = kept.clone();
            let to = Redacting { redactor: redactor.clone(), to: move || sink.clone() };
            let lines = tracing_subscriber::fmt().with_writer(to);
            let event = || tracing::info!(%token, "a \"quoted\" word and {known}");
            if json {
                tracing::subscriber::with_default(lines.json().finish(), event);
            } else {
                tracing::subscriber::with_default(lines.finish(), event);
            }
            let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert!(written.contains("quoted"), "{written}");
            assert!(!written.contains(&token) && !written.contains(&known), "{written}");
        }
    }

    #[test]
    fn attack_55_a_line_in_parts_gives_nothing_away() {
        let token = format!("ghs_{:032x}", fastrand::u128(..));
        let line = format!("before {token} after");
        for at in 0..=line.len() {
            let kept = Kept::default();
            let sink = kept.clone();
            let to = Redacting { redactor: Redactor::default(), to: move || sink.clone() };
            let mut writer = to.make_writer();
            let (first, second) = line.as_bytes().split_at(at);
            writer.write_all(first).unwrap();
            writer.write_all(second).unwrap();
            drop(writer);
            let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert_eq!(written, "before [hidden] after");
        }
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        let logs = Logs {
            format: LogFormat::Human,
            filter: "slipway=loud".to_owned(),
            redactor: Redactor::default(),
        };
        assert!(matches!(logs.install(), Err(LogsError::Filter(_))));
    }
}
