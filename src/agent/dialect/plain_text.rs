//! Programs that write for people: aider, and any command. Nothing they say is an outcome; a
//! line they always end with may be a condition of one.

use super::{Account, Listener, Notes, Said, Step, ended};
use crate::agent::event::{Event, Usage, Words, dollars};
use crate::model::{Tokens, text};

/// Bytes of the last words that are kept to look at.
const NOISE_BYTES_MAX: usize = 16_384;
/// Lines of the last words that are kept to show.
const TEXT_LINES_MAX: usize = 20;

#[derive(Debug)]
pub(super) struct Plain {
    notes: Notes,
    finish: Vec<String>,
    said: Option<Said>,
    noise: String,
    usage: Option<Usage>,
}

impl Plain {
    pub(super) fn new(finish: Vec<String>) -> Self {
        let notes = Notes::default();
        Self { notes, finish, said: None, noise: String::new(), usage: None }
    }
}

impl Listener for Plain {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let line = String::from_utf8_lossy(line);
        self.noise.push_str(&line);
        self.noise.push('\n');
        if self.noise.len() > 2 * NOISE_BYTES_MAX {
            self.noise = text::tail(&self.noise, NOISE_BYTES_MAX).to_owned();
        }
        if line.starts_with("Retrying in ") {
            let attempt = self.notes.retry();
            steps.push(Step::Event(Event::Retry { trouble: None, attempt }));
        } else {
            steps.push(Step::Event(Event::Text(Words::from(line.as_ref()))));
        }
        if let Some(usage) = usage(&line) {
            self.usage = Some(usage);
            steps.push(Step::Event(Event::Usage(usage)));
        }
        if self.finish.iter().any(|finish| line.starts_with(finish.as_str())) {
            ended(&mut self.said, Said::Done, steps);
        }
        true
    }

    /// Without a line to wait for, the exit code has to do.
    fn end(self: Box<Self>) -> Account {
        let quiet = self.finish.is_empty().then_some(Said::Quiet);
        let mut account = self.notes.account(self.said.or(quiet), self.usage);
        let lines: Vec<&str> = self.noise.lines().collect();
        let from = lines.len().saturating_sub(TEXT_LINES_MAX);
        let last = lines.get(from..).unwrap_or_default().join("\n");
        last.trim().clone_into(&mut account.text);
        account.noise = self.noise;
        account
    }
}

/// `Tokens: 1.2k sent, 40 received. Cost: $0.0042 message, $0.0042 session.`, rounded as it is.
fn usage(line: &str) -> Option<Usage> {
    let rest = line.strip_prefix("Tokens: ")?;
    let before = |what: &str| rest.split_once(what)?.0.rsplit([' ', ',']).find(|w| !w.is_empty());
    let tokens = Tokens {
        input: amount(before(" sent")?)?,
        output: amount(before(" received")?)?,
        ..Tokens::default()
    };
    let cost =
        rest.split_once("Cost: $").and_then(|(_, cost)| cost.split(' ').next()?.parse().ok());
    Some(Usage { tokens, cost: dollars(cost), is_cumulative: false })
}

/// `40`, `1.2k`, `3M`.
fn amount(text: &str) -> Option<u64> {
    let (digits, zeros) = match text.strip_suffix('k') {
        Some(digits) => (digits, 3),
        None => text.strip_suffix('M').map_or((text, 0), |digits| (digits, 6)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    format!("{whole}{part:0<zeros$}").parse().ok().filter(|_| part.len() <= zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cost;

    #[test]
    fn rounded_tokens_are_read_as_they_are_written() {
        let used = usage("Tokens: 1.2k sent, 40 received. Cost: $0.0042 message, $1 session.");
        let used = used.unwrap();
        assert_eq!((used.tokens.input, used.tokens.output), (1_200, 40));
        assert_eq!(used.cost, Cost::Micros(4_200));
        let cached = usage("Tokens: 3M sent, 1.5k cache hit, 2k received.").unwrap();
        assert_eq!((cached.tokens.input, cached.tokens.output), (3_000_000, 2_000));
        assert_eq!(cached.cost, Cost::Unknown);
        for odd in ["Tokens: many", "Tokens: sent, received.", "Tokens: 1.2345k sent, 1 received."]
        {
            assert_eq!(usage(odd), None, "{odd}");
        }
    }
}
