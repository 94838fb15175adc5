//! `claude -p --output-format stream-json`, and those who speak like it: qwen, cursor, amp.
//!
//! `subtype: success` is said after failures too; `is_error` is what counts.

use serde_json::Value;

use super::call::{Call, digest};
use super::lenient::{Fault, Flag, List, Number, Word};
use super::{Account, Listener, Notes, Said, Step, ended, listed, words};
use crate::agent::event::{Event, Summary, Tool, Usage, Words, brief, dollars};
use crate::model::{Cost, Tokens, Trouble};

object!(Line {
    kind "type": Word<'a>,
    subtype "subtype": Word<'a>,
    session "session_id": Word<'a>,
    model "model": Word<'a>,
    message "message": Message<'a>,
    // Of retries.
    attempt "attempt": Number,
    error_status "error_status": Number,
    error "error": Fault<'a>,
    data "data": Retry<'a>,
    // Of the result.
    is_error "is_error": Flag,
    result "result": Word<'a>,
    errors "errors": List<Word<'a>>,
    reason "terminal_reason": Word<'a>,
    status "api_error_status": Number,
    api_error "api_error": Word<'a>,
    turns "num_turns": Number,
    usage "usage": Used<'a>,
    dollars "total_cost_usd": Number,
    lately "model_usage_since_last_result": List<Model<'a>>,
    structured "structured_output": Option<Value>,
    structured_qwen "structured_result": Option<Value>,
    // Of cursor's tools.
    call "tool_call": List<CursorCall<'a>>,
});

object!(Message { content "content": List<Block<'a>> });

object!(Block {
    kind "type": Word<'a>,
    text "text": Word<'a>,
    name "name": Word<'a>,
    input "input": Call<'a>,
    is_error "is_error": Flag,
    content "content": Word<'a>,
});

object!(Retry { attempt "attempt": Number });
object!(CursorCall { arguments "args": Call<'a>, result "result": CursorResult<'a> });
object!(CursorResult { error "error": Fault<'a>, rejected "rejected": Fault<'a> });
object!(Model { dollars "costUSD": Number });

object!(Used {
    input "input_tokens": Number,
    read "cache_read_input_tokens": Number,
    written "cache_creation_input_tokens": Number,
    output "output_tokens": Number,
    details "output_tokens_details": Details<'a>,
});

object!(Details { thinking "thinking_tokens": Number });

#[derive(Debug, Default)]
pub(super) struct Claude {
    notes: Notes,
    said: Option<Said>,
    usage: Option<Usage>,
    structured: Option<Value>,
    turns: Option<u64>,
    /// Whether usage counts the cache as input, and all resumes of the session.
    is_qwen: bool,
}

impl Claude {
    pub(super) fn qwen() -> Self {
        Self { is_qwen: true, ..Self::default() }
    }
}

impl Listener for Claude {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(mut line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        match (line.kind.text(), line.subtype.text()) {
            ("system", "init") => {
                self.notes.start(line.session.text(), line.model.some(), steps);
            }
            ("system", "api_retry") => {
                let words = line.error.message.text();
                let status: Option<u16> = line.error_status.small();
                let trouble =
                    status.map(|s| Trouble::of_status(s, words)).or_else(|| words::trouble(words));
                let attempt = line.attempt.small().unwrap_or_else(|| self.notes.retry());
                steps.push(Step::Event(Event::Retry { trouble, attempt }));
            }
            ("system", "retry") => {
                let attempt = line.data.attempt.small().unwrap_or_else(|| self.notes.retry());
                steps.push(Step::Event(Event::Retry { trouble: None, attempt }));
            }
            ("assistant", _) => self.assistant(&line.message, steps),
            ("user", _) => answers(&line.message, steps),
            ("tool_call", "started") => {
                for call in &line.call.0 {
                    let (summary, call) = (brief(call.arguments.about()), call.arguments.digest);
                    steps.push(Step::Event(Event::ToolStart { tool: Tool::Other, summary, call }));
                }
                line.call.0.iter().for_each(|call| listed(call.arguments.steps, steps));
            }
            ("tool_call", "completed") => {
                for call in &line.call.0 {
                    let fault = call.result.error.message.some();
                    let fault = fault.or_else(|| call.result.rejected.message.some());
                    let said = fault.map(brief).unwrap_or_default();
                    steps.push(Step::Event(Event::ToolEnd {
                        ok: fault.is_none(),
                        exit: None,
                        said,
                    }));
                }
            }
            ("result", _) => self.result(&mut line, steps),
            ("system" | "stream_event" | "rate_limit_event", _) => {}
            _ => return false,
        }
        true
    }

    fn end(self: Box<Self>) -> Account {
        let account = self.notes.account(self.said, self.usage);
        Account { structured: self.structured, turns: self.turns, ..account }
    }
}

impl Claude {
    fn assistant(&mut self, message: &Message<'_>, steps: &mut Vec<Step>) {
        for block in &message.content.0 {
            match block.kind.text() {
                "text" => self.notes.say(block.text.text(), steps),
                "tool_use" => {
                    let name = block.name.text();
                    let about = Some(block.input.about()).filter(|about| !about.is_empty());
                    let call = block
                        .input
                        .digest
                        .map(|input| digest(b'c', format!("{name} {input}").as_bytes()));
                    let (tool, summary) = (Tool::of(name), brief(about.unwrap_or(name)));
                    steps.push(Step::Event(Event::ToolStart { tool, summary, call }));
                    listed(block.input.steps, steps);
                }
                _ => {}
            }
        }
    }

    fn result(&mut self, line: &mut Line<'_>, steps: &mut Vec<Step>) {
        self.notes.start(line.session.text(), line.model.some(), steps);
        if line.usage.input.whole.is_some() {
            let usage = self.used(line);
            self.usage = Some(usage);
            steps.push(Step::Event(Event::Usage(usage)));
        }
        self.turns = line.turns.whole;
        self.structured = line.structured.take().or_else(|| line.structured_qwen.take());
        let is_error = line.is_error.0.unwrap_or_else(|| line.subtype.text() != "success");
        let how = if is_error { fault(line) } else { Said::Done };
        if let (Said::Done, Some(text)) = (&how, line.result.some()) {
            self.notes.text = crate::model::text::cut(text, super::TEXT_CHARS_MAX);
        }
        ended(&mut self.said, how, steps);
    }

    fn used(&self, line: &Line<'_>) -> Usage {
        let used = &line.usage;
        let (cache_read, cache_write) = (used.read.count(), used.written.count());
        let input = used.input.count();
        let input = if self.is_qwen { input.saturating_sub(cache_read) } else { input };
        let (output, reasoning) = (used.output.count(), used.details.thinking.count());
        let tokens = Tokens { input, cache_read, cache_write, output, reasoning };
        if self.is_qwen {
            return Usage { tokens, cost: Cost::Unknown, is_cumulative: true };
        }
        // The total is that of the whole session, unlike the tokens.
        let lately = line.lately.0.iter().map(|model| dollars(model.dollars.any));
        let cost = match lately.reduce(Cost::plus) {
            Some(cost) => cost,
            None if tokens.total() == 0 => Cost::NONE,
            None => Cost::Unknown,
        };
        Usage { tokens, cost, is_cumulative: false }
    }
}

/// Why the result is an error, by its fields before its words.
fn fault(line: &Line<'_>) -> Said {
    let last = line.errors.0.first().map(Word::text).unwrap_or_default();
    let words = line.result.some().or_else(|| line.error.message.some()).unwrap_or(last);
    let typed = match (line.subtype.text(), line.reason.text(), line.api_error.text()) {
        ("error_max_turns", _, _) => Some(Trouble::Limit),
        ("error_max_budget_usd", _, _) => Some(Trouble::Budget),
        (_, "prompt_too_long", _) => Some(Trouble::ContextOverflow),
        (_, reason, _) if reason.starts_with("aborted") => Some(Trouble::Killed),
        (_, _, "max_output_tokens") => Some(Trouble::Truncated),
        (_, _, "connection_failed") => Some(Trouble::Network),
        _ => None,
    };
    let known = || words::trouble(words);
    let by_status = || line.status.small().map(|status| Trouble::of_status(status, words));
    let own = known().filter(|trouble| *trouble == Trouble::Budget);
    let trouble = typed.or(own).or_else(by_status).or_else(known);
    Said::Failed { trouble, words: Words::from(words) }
}

/// What tools answered.
fn answers(message: &Message<'_>, steps: &mut Vec<Step>) {
    for block in message.content.0.iter().filter(|block| block.kind.text() == "tool_result") {
        let ok = block.is_error.0 != Some(true);
        let said = if ok { Summary::default() } else { brief(block.content.text()) };
        let exit = said.as_str().strip_prefix("Exit code ").and_then(|code| code.parse().ok());
        steps.push(Step::Event(Event::ToolEnd { ok, exit, said }));
    }
}
