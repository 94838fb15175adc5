//! The Agent Client Protocol, as the side that asks: JSON-RPC, one message a line, both ways.
//!
//! Whoever speaks it can be driven, and not all can be judged: some answer a refused call of
//! their model with the end of a turn like any other. So its best end is only
//! [`Said::Quiet`].

use serde_json::{Value, json};

use super::call::{Call, digest, is_done};
use super::lenient::{Fault, List, Number, Word};
use super::{Account, Listener, Notes, Opening, Said, Step, TEXT_CHARS_MAX, ended, failed, words};
use crate::agent::event::{Event, Summary, Tool, Usage, Words, brief, dollars};
use crate::model::{Cost, Tokens, Trouble, text};

/// The version of the protocol that is spoken.
const VERSION: u32 = 1;
/// JSON-RPC: there is no such method.
const NO_METHOD: i32 = -32_601;
/// The protocol's own: log in first.
const LOGGED_OUT: f64 = -32_000.0;

object!(Line {
    id "id": Option<Value>,
    method "method": Word<'a>,
    params "params": Params<'a>,
    result "result": Answer<'a>,
    error "error": Oops<'a>,
});

object!(Params { update "update": Update<'a>, options "options": List<Choice<'a>> });
object!(Choice { id "optionId": Word<'a>, kind "kind": Word<'a> });

object!(Update {
    kind "sessionUpdate": Word<'a>,
    content "content": Content<'a>,
    title "title": Word<'a>,
    tool "kind": Word<'a>,
    status "status": Word<'a>,
    input "rawInput": Call<'a>,
    cost "cost": Price<'a>,
    entries "entries": List<Planned<'a>>,
});

object!(Content { text "text": Word<'a> });
object!(Planned { status "status": Word<'a> });
object!(Price { amount "amount": Number, currency "currency": Word<'a> });

object!(Answer {
    session "sessionId": Word<'a>,
    stop "stopReason": Word<'a>,
    usage "usage": Used<'a>,
});

object!(Used {
    input "inputTokens": Number,
    output "outputTokens": Number,
    thought "thoughtTokens": Number,
    read "cachedReadTokens": Number,
    written "cachedWriteTokens": Number,
});

object!(Oops { code "code": Number, fault "message": Fault<'a>, data "data": Data<'a> });
object!(Data { kind "errorKind": Word<'a>, message "message": Word<'a> });

/// What is waited for; the number is that of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Greeting(u64),
    Session(u64),
    Turn(u64),
    Over,
}

#[derive(Debug)]
pub(super) struct Acp {
    opening: Opening,
    phase: Phase,
    asked: u64,
    notes: Notes,
    said: Option<Said>,
    tokens: Option<Tokens>,
    cost: Cost,
    pieces: String,
}

impl Acp {
    pub(super) fn new(opening: Opening) -> Self {
        Self {
            opening,
            phase: Phase::Over,
            asked: 0,
            notes: Notes::default(),
            said: None,
            tokens: None,
            cost: Cost::Unknown,
            pieces: String::new(),
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> (u64, Step) {
        self.asked = self.asked.saturating_add(1);
        let ask = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        (self.asked, Step::Reply(ask.to_string()))
    }

    fn answered(&mut self, line: &Line<'_>, steps: &mut Vec<Step>) {
        let id = line.id.as_ref().and_then(Value::as_u64);
        let failed = line.error.code.any.is_some();
        match self.phase {
            Phase::Greeting(asked) | Phase::Session(asked) | Phase::Turn(asked)
                if id == Some(asked) && failed =>
            {
                self.over(fault(&line.error), steps);
            }
            Phase::Greeting(asked) if id == Some(asked) => self.greeted(steps),
            Phase::Session(asked) if id == Some(asked) => self.seated(&line.result, steps),
            Phase::Turn(asked) if id == Some(asked) => self.turned(&line.result, steps),
            // An answer to nothing.
            Phase::Greeting(_) | Phase::Session(_) | Phase::Turn(_) | Phase::Over => {}
        }
    }

    fn greeted(&mut self, steps: &mut Vec<Step>) {
        let directory = self.opening.directory.to_string_lossy().into_owned();
        let (asked, step) = match self.opening.resume.clone() {
            None => self.ask("session/new", &json!({"cwd": directory, "mcpServers": []})),
            Some(session) => {
                let params =
                    json!({"sessionId": session.as_str(), "cwd": directory, "mcpServers": []});
                self.notes.session = Some(session);
                self.ask("session/load", &params)
            }
        };
        self.phase = Phase::Session(asked);
        steps.push(step);
    }

    fn seated(&mut self, answer: &Answer<'_>, steps: &mut Vec<Step>) {
        self.notes.start(answer.session.text(), None, steps);
        let Some(session) = self.notes.session.clone() else {
            return self.over(failed("it opened a session without a name"), steps);
        };
        // A loaded session has told its old words again.
        self.pieces.clear();
        let prompt = json!([{"type": "text", "text": self.opening.prompt}]);
        let params = json!({"sessionId": session.as_str(), "prompt": prompt});
        let (asked, step) = self.ask("session/prompt", &params);
        self.phase = Phase::Turn(asked);
        steps.push(step);
    }

    fn turned(&mut self, answer: &Answer<'_>, steps: &mut Vec<Step>) {
        if answer.usage.input.whole.is_some() {
            self.tokens = Some(used(&answer.usage));
        }
        if let Some(usage) = self.usage() {
            steps.push(Step::Event(Event::Usage(usage)));
        }
        let how = match answer.stop.text() {
            "end_turn" => Said::Quiet,
            stop => {
                let trouble = match stop {
                    "cancelled" => Some(Trouble::Killed),
                    "max_tokens" => Some(Trouble::Truncated),
                    "max_turn_requests" => Some(Trouble::Limit),
                    _ => None,
                };
                Said::Failed { trouble, words: Words::from(stop) }
            }
        };
        self.over(how, steps);
    }

    fn over(&mut self, how: Said, steps: &mut Vec<Step>) {
        self.phase = Phase::Over;
        ended(&mut self.said, how, steps);
        steps.push(Step::Close);
    }

    /// It asks us: for a permission, or for something that was never offered.
    fn asked(&self, id: &Value, line: &Line<'_>, steps: &mut Vec<Step>) {
        let answer = if line.method.text() == "session/request_permission" {
            let wanted = if self.opening.may_edit { "allow_once" } else { "reject_once" };
            let choice = line.params.options.0.iter().find(|choice| choice.kind.text() == wanted);
            let outcome = match choice {
                Some(choice) => json!({"outcome": "selected", "optionId": choice.id.text()}),
                None => json!({"outcome": "cancelled"}),
            };
            json!({"jsonrpc": "2.0", "id": id, "result": {"outcome": outcome}})
        } else {
            let error = json!({"code": NO_METHOD, "message": "this client does not offer that"});
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        };
        steps.push(Step::Reply(answer.to_string()));
    }

    fn update(&mut self, update: &Update<'_>, steps: &mut Vec<Step>) {
        match update.kind.text() {
            "agent_message_chunk" => {
                let piece = update.content.text.text();
                self.pieces.push_str(piece);
                if self.pieces.len() > TEXT_CHARS_MAX {
                    self.pieces = text::cut(&self.pieces, TEXT_CHARS_MAX);
                }
                steps.push(Step::Event(Event::Text(Words::from(piece))));
            }
            "tool_call" => {
                self.pieces.clear();
                let (title, input) = (update.title.text(), update.input.digest);
                let call = input.map(|input| digest(b'a', format!("{title} {input}").as_bytes()));
                let (tool, summary) = (Tool::of(update.tool.text()), brief(title));
                steps.push(Step::Event(Event::ToolStart { tool, summary, call }));
                tool_ended(update, steps);
            }
            "tool_call_update" => tool_ended(update, steps),
            "plan" => {
                let all = u32::try_from(update.entries.0.len()).unwrap_or(u32::MAX);
                let done = update.entries.0.iter().filter(|one| is_done(one.status.text())).count();
                let done = u32::try_from(done).unwrap_or(all);
                steps.push(Step::Event(Event::Steps { done, all }));
            }
            "usage_update" => {
                if update.cost.currency.text() == "USD" {
                    self.cost = dollars(update.cost.amount.any);
                }
            }
            _ => steps.push(Step::Event(Event::Beat)),
        }
    }

    fn usage(&self) -> Option<Usage> {
        let tokens = self.tokens?;
        Some(Usage { tokens, cost: self.cost, is_cumulative: true })
    }
}

impl Listener for Acp {
    fn open(&mut self) -> Vec<Step> {
        let info = json!({"name": "slipway", "version": env!("CARGO_PKG_VERSION")});
        let files = json!({"readTextFile": false, "writeTextFile": false});
        let params = json!({
            "protocolVersion": VERSION,
            "clientCapabilities": {"fs": files, "terminal": false},
            "clientInfo": info,
        });
        let (asked, step) = self.ask("initialize", &params);
        self.phase = Phase::Greeting(asked);
        vec![step]
    }

    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        match (&line.id, line.method.some()) {
            (Some(id), Some(_)) => self.asked(id, &line, steps),
            (Some(_), None) => self.answered(&line, steps),
            (None, Some("session/update")) => self.update(&line.params.update, steps),
            (None, Some(_) | None) => return false,
        }
        true
    }

    fn cancel(&mut self) -> Vec<Step> {
        let Some(session) = &self.notes.session else { return vec![Step::Close] };
        let params = json!({"sessionId": session.as_str()});
        let note = json!({"jsonrpc": "2.0", "method": "session/cancel", "params": params});
        vec![Step::Reply(note.to_string())]
    }

    fn end(mut self: Box<Self>) -> Account {
        self.notes.text = std::mem::take(&mut self.pieces);
        let usage = self.usage();
        let noise = self.notes.text.clone();
        Account { noise, ..self.notes.account(self.said, usage) }
    }
}

fn tool_ended(update: &Update<'_>, steps: &mut Vec<Step>) {
    let ok = match update.status.text() {
        "completed" => true,
        "failed" => false,
        _ => return steps.push(Step::Event(Event::Beat)),
    };
    let said = if ok { Summary::default() } else { brief(update.title.text()) };
    steps.push(Step::Event(Event::ToolEnd { ok, exit: None, said }));
}

fn used(used: &Used<'_>) -> Tokens {
    let (cache_read, cache_write) = (used.read.count(), used.written.count());
    let (output, reasoning) = (used.output.count(), used.thought.count());
    Tokens { input: used.input.count(), cache_read, cache_write, output, reasoning }
}

/// Why a question was refused: by its kind, its number and its words.
fn fault(error: &Oops<'_>) -> Said {
    let words = error.fault.message.some().unwrap_or_else(|| error.data.message.text());
    let by_kind = match error.data.kind.text() {
        "rate_limit" => Some(Trouble::RateLimit),
        "server_error" => Some(Trouble::Server),
        "overloaded" => Some(Trouble::Overloaded),
        "authentication" | "authentication_failed" => Some(Trouble::Auth),
        _ => None,
    };
    let code = error.code;
    let by_code = (code.any == Some(LOGGED_OUT)).then_some(Trouble::Auth);
    let status: Option<u16> = code.small().filter(|status| (400..600).contains(status));
    let known = words::trouble(words);
    let own = known.filter(|trouble| *trouble == Trouble::Budget);
    let by_status = status.map(|status| Trouble::of_status(status, words));
    let trouble = own.or(by_kind).or(by_code).or(by_status).or(known);
    Said::Failed { trouble, words: Words::from(words) }
}

#[cfg(test)]
mod tests;
