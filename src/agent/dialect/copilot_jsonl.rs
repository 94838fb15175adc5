//! `copilot --output-format json`: many events of the session, and a result with an exit code,
//! which is 0 even when it was ended in the middle.

use super::call::{Call, digest};
use super::lenient::{Fault, Flag, Number, Word};
use super::{Account, Listener, Notes, Said, Step, ended, words};
use crate::agent::event::{Event, Summary, Tool, Words, brief};
use crate::model::Trouble;

object!(Line {
    kind "type": Word<'a>,
    data "data": Data<'a>,
    session "sessionId": Word<'a>,
    exit "exitCode": Number,
});

object!(Data {
    model "model": Word<'a>,
    content "content": Word<'a>,
    tool "toolName": Word<'a>,
    arguments "arguments": Call<'a>,
    success "success": Flag,
    shell "shellExecution": Shell<'a>,
    error "error": Fault<'a>,
    message "message": Word<'a>,
    kind "errorType": Word<'a>,
    status "statusCode": Number,
    reason "reason": Word<'a>,
});

object!(Shell { exit "exitCode": Number });

#[derive(Debug, Default)]
pub(super) struct Copilot {
    notes: Notes,
    said: Option<Said>,
    failure: Option<Said>,
    /// The status of the last answer of the model that was none.
    refused: Option<Trouble>,
    turns: u64,
}

impl Listener for Copilot {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        let data = &line.data;
        match line.kind.text() {
            "session.tools_updated" => self.notes.start("", data.model.some(), steps),
            "assistant.turn_start" => self.turns = self.turns.saturating_add(1),
            "assistant.message" if !data.content.text().is_empty() => {
                self.notes.say(data.content.text(), steps);
            }
            "tool.execution_start" => start(data, steps),
            "tool.execution_complete" => complete(data, steps),
            "model.call_failure" => {
                self.refused = data.status.small().map(|status| Trouble::of_status(status, ""));
            }
            "assistant.turn_retry" => {
                let (trouble, attempt) = (self.refused.take(), self.notes.retry());
                steps.push(Step::Event(Event::Retry { trouble, attempt }));
            }
            "session.error" => self.failure = Some(fault(data)),
            "abort" => {
                let words = Words::from(data.reason.text());
                self.failure = Some(Said::Failed { trouble: Some(Trouble::Killed), words });
            }
            "result" => self.result(&line, steps),
            other => return is_known(other),
        }
        true
    }

    fn end(self: Box<Self>) -> Account {
        let said = self.said.or(self.failure);
        Account { turns: Some(self.turns), ..self.notes.account(said, None) }
    }
}

impl Copilot {
    fn result(&mut self, line: &Line<'_>, steps: &mut Vec<Step>) {
        self.notes.session = crate::agent::event::Session::parse(line.session.text());
        let how = match self.failure.take() {
            Some(failure) => failure,
            None if line.exit.whole == Some(0) => Said::Done,
            None => Said::Failed { trouble: None, words: Words::default() },
        };
        ended(&mut self.said, how, steps);
    }
}

/// What it tells beside the work.
fn is_known(kind: &str) -> bool {
    let begins = ["session.", "assistant.", "model.", "tool.", "user.", "agent."];
    begins.iter().any(|begin| kind.starts_with(begin))
}

fn start(data: &Data<'_>, steps: &mut Vec<Step>) {
    let (name, input) = (data.tool.text(), &data.arguments);
    let about = Some(input.about()).filter(|about| !about.is_empty());
    let call = input.digest.map(|input| digest(b'p', format!("{name} {input}").as_bytes()));
    let (tool, summary) = (Tool::of(name), brief(about.unwrap_or(name)));
    steps.push(Step::Event(Event::ToolStart { tool, summary, call }));
}

fn complete(data: &Data<'_>, steps: &mut Vec<Step>) {
    let exit: Option<i32> = data.shell.exit.small();
    let ok = data.success.0 == Some(true) && exit.is_none_or(|exit| exit == 0);
    let said = if ok { Summary::default() } else { brief(data.error.message.text()) };
    steps.push(Step::Event(Event::ToolEnd { ok, exit, said }));
}

fn fault(data: &Data<'_>) -> Said {
    let words = data.message.text();
    let known = words::trouble(words);
    let status: Option<u16> = data.status.small();
    let by_status = status.map(|status| Trouble::of_status(status, words));
    let trouble = match data.kind.text() {
        _ if known == Some(Trouble::Budget) => known,
        "authentication" => Some(Trouble::Auth),
        _ => by_status.or(known),
    };
    Said::Failed { trouble, words: Words::from(words) }
}
