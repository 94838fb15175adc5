//! Logs: one line an event on standard error, readable or as JSON, with secrets taken out.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::Redactor;

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
        let to = Redacting { redactor: Arc::new(self.redactor), to: io::stderr };
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
    redactor: Arc<Redactor>,
    to: M,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = RedactingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter { redactor: Arc::clone(&self.redactor), to: self.to.make_writer() }
    }
}

/// The subscriber writes a whole line at once, so a secret is never split between two writes.
struct RedactingWriter<W> {
    redactor: Arc<Redactor>,
    to: W,
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.to.write_all(self.redactor.redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

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
            let to = Redacting { redactor: Arc::new(redactor.clone()), to: move || sink.clone() };
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
    fn a_wrong_filter_is_refused() {
        let logs = Logs {
            format: LogFormat::Human,
            filter: "slipway=loud".to_owned(),
            redactor: Redactor::default(),
        };
        assert!(matches!(logs.install(), Err(LogsError::Filter(_))));
    }
}
