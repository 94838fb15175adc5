//! `gemini --output-format stream-json`: messages in pieces, tools, and a result with a status.

use super::call::{Call, digest};
use super::lenient::{Fault, Number, Word};
use super::{Account, Listener, Notes, Said, Step, TEXT_CHARS_MAX, ended, failed, listed};
use crate::agent::event::{Event, Summary, Tool, Usage, Words, brief};
use crate::model::{Cost, Tokens, Trouble, text};

object!(Line {
    kind "type": Word<'a>,
    session "session_id": Word<'a>,
    model "model": Word<'a>,
    role "role": Word<'a>,
    content "content": Word<'a>,
    tool "tool_name": Word<'a>,
    parameters "parameters": Call<'a>,
    status "status": Word<'a>,
    output "output": Word<'a>,
    error "error": Fault<'a>,
    message "message": Word<'a>,
    stats "stats": Stats<'a>,
});

object!(Stats {
    total "total_tokens": Number,
    input "input_tokens": Number,
    output "output_tokens": Number,
    cached "cached": Number,
});

#[derive(Debug, Default)]
pub(super) struct Gemini {
    notes: Notes,
    said: Option<Said>,
    usage: Option<Usage>,
    /// The words said since the last tool, in pieces.
    pieces: String,
    /// The last thing that was told as an error, and whether it was about a loop.
    noted: String,
}

impl Listener for Gemini {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        match line.kind.text() {
            "init" => self.notes.start(line.session.text(), line.model.some(), steps),
            "message" if line.role.text() == "assistant" => {
                let piece = line.content.text();
                self.pieces.push_str(piece);
                if self.pieces.len() > TEXT_CHARS_MAX {
                    self.pieces = text::cut(&self.pieces, TEXT_CHARS_MAX);
                }
                steps.push(Step::Event(Event::Text(Words::from(piece))));
            }
            "message" => {}
            "tool_use" => {
                self.pieces.clear();
                let (name, input) = (line.tool.text(), &line.parameters);
                let about = Some(input.about()).filter(|about| !about.is_empty());
                let call =
                    input.digest.map(|input| digest(b'g', format!("{name} {input}").as_bytes()));
                let (tool, summary) = (Tool::of(name), brief(about.unwrap_or(name)));
                steps.push(Step::Event(Event::ToolStart { tool, summary, call }));
                listed(input.steps, steps);
            }
            "tool_result" => {
                let ok = line.status.text() == "success";
                let words = line.error.message.some().unwrap_or_else(|| line.output.text());
                let said = if ok { Summary::default() } else { brief(words) };
                steps.push(Step::Event(Event::ToolEnd { ok, exit: None, said }));
            }
            "error" => line.message.text().clone_into(&mut self.noted),
            "result" => self.result(&line, steps),
            _ => return false,
        }
        true
    }

    fn end(mut self: Box<Self>) -> Account {
        self.notes.text = std::mem::take(&mut self.pieces);
        self.notes.account(self.said, self.usage)
    }
}

impl Gemini {
    fn result(&mut self, line: &Line<'_>, steps: &mut Vec<Step>) {
        if line.stats.input.whole.is_some() {
            let usage = used(&line.stats);
            self.usage = Some(usage);
            steps.push(Step::Event(Event::Usage(usage)));
        }
        let how = match line.status.text() {
            // It stops itself when it goes round in circles, and calls that a success.
            "success" if self.noted.contains("Loop detected") => {
                let words = Words::from(self.noted.as_str());
                Said::Failed { trouble: Some(Trouble::Limit), words }
            }
            "success" => Said::Done,
            _ => self.fault(line),
        };
        ended(&mut self.said, how, steps);
    }

    fn fault(&self, line: &Line<'_>) -> Said {
        let words = line.error.message.some().unwrap_or(&self.noted);
        let typed = match line.error.kind.text() {
            "FatalTurnLimitedError" => Trouble::Limit,
            "FatalAuthenticationError" => Trouble::Auth,
            "FatalCancellationError" => Trouble::Killed,
            _ => return failed(words),
        };
        Said::Failed { trouble: Some(typed), words: Words::from(words) }
    }
}

/// Input counts the cache; what was thought is only seen as what is missing in the total.
fn used(stats: &Stats<'_>) -> Usage {
    let (all, cache_read) = (stats.input.count(), stats.cached.count());
    let said = stats.output.count();
    let reasoning = stats.total.count().saturating_sub(all).saturating_sub(said);
    let tokens = Tokens {
        input: all.saturating_sub(cache_read),
        cache_read,
        cache_write: 0,
        output: said.saturating_add(reasoning),
        reasoning,
    };
    Usage { tokens, cost: Cost::Unknown, is_cumulative: false }
}
