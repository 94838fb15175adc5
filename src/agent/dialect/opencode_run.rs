//! `opencode run --format json`: steps that start and finish. It has no last event, so all is
//! well only when the last step finished because the model had nothing more to do.

use super::call::{Call, digest};
use super::lenient::{Number, Word};
use super::{Account, Listener, Notes, Said, Step, ended, listed, words};
use crate::agent::event::{Event, Summary, Tool, Usage, Words, brief, dollars};
use crate::model::{Cost, Tokens, Trouble};

object!(Line {
    kind "type": Word<'a>,
    session "sessionID": Word<'a>,
    part "part": Part<'a>,
    error "error": Oops<'a>,
});

object!(Part {
    text "text": Word<'a>,
    reason "reason": Word<'a>,
    tool "tool": Word<'a>,
    state "state": State<'a>,
    tokens "tokens": Used<'a>,
    cost "cost": Number,
});

object!(State {
    status "status": Word<'a>,
    input "input": Call<'a>,
    metadata "metadata": Metadata<'a>,
    error "error": Word<'a>,
});

object!(Metadata { exit "exit": Number });
object!(Used {
    input "input": Number,
    output "output": Number,
    reasoning "reasoning": Number,
    cache "cache": Cache<'a>,
});
object!(Cache { read "read": Number, write "write": Number });
object!(Oops { name "name": Word<'a>, data "data": Data<'a> });
object!(Data {
    message "message": Word<'a>,
    status "statusCode": Number,
    body "responseBody": Word<'a>,
});

#[derive(Debug, Default)]
pub(super) struct Opencode {
    notes: Notes,
    /// How the last step ended, if it did.
    last: Option<Said>,
    failure: Option<Said>,
    usage: Option<Usage>,
    turns: u64,
}

impl Listener for Opencode {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        self.notes.start(line.session.text(), None, steps);
        match line.kind.text() {
            "step_start" => self.last = None,
            "text" => self.notes.say(line.part.text.text(), steps),
            "tool_use" => tool(&line.part, steps),
            "step_finish" => self.finish(&line.part, steps),
            "error" => {
                let how = fault(&line.error);
                ended(&mut self.failure, how, steps);
            }
            "reasoning" => {}
            _ => return false,
        }
        true
    }

    fn end(self: Box<Self>) -> Account {
        let account = self.notes.account(self.failure.or(self.last), self.usage);
        Account { turns: Some(self.turns), ..account }
    }
}

impl Opencode {
    fn finish(&mut self, part: &Part<'_>, steps: &mut Vec<Step>) {
        self.turns = self.turns.saturating_add(1);
        let used = &part.tokens;
        let tokens = Tokens {
            input: used.input.count(),
            cache_read: used.cache.read.count(),
            cache_write: used.cache.write.count(),
            // What was thought stands beside what was said.
            output: used.output.count().saturating_add(used.reasoning.count()),
            reasoning: used.reasoning.count(),
        };
        let cost = dollars(part.cost.any);
        let before = self.usage.map(|before| (before.tokens, before.cost));
        let before = before.unwrap_or_else(|| (Tokens::default(), Cost::NONE));
        let (tokens, cost) = (before.0.plus(tokens), before.1.plus(cost));
        let usage = Usage { tokens, cost, is_cumulative: false };
        self.usage = Some(usage);
        steps.push(Step::Event(Event::Usage(usage)));
        let last = match part.reason.text() {
            "stop" => Some(Said::Done),
            "length" => Some(Said::Failed {
                trouble: Some(Trouble::Truncated),
                words: Words::from("the last answer was cut at its length"),
            }),
            _ => None,
        };
        if let Some(last) = last {
            ended(&mut self.last, last, steps);
        }
    }
}

/// A tool is told of when it is done.
fn tool(part: &Part<'_>, steps: &mut Vec<Step>) {
    let (name, input) = (part.tool.text(), &part.state.input);
    let about = Some(input.about()).filter(|about| !about.is_empty()).unwrap_or(name);
    let call = input.digest.map(|input| digest(b'o', format!("{name} {input}").as_bytes()));
    let summary = brief(about);
    steps.push(Step::Event(Event::ToolStart { tool: Tool::of(name), summary, call }));
    listed(input.steps, steps);
    let exit: Option<i32> = part.state.metadata.exit.small();
    let ok = part.state.status.text() == "completed" && exit.is_none_or(|exit| exit == 0);
    let said = if ok { Summary::default() } else { brief(part.state.error.text()) };
    steps.push(Step::Event(Event::ToolEnd { ok, exit, said }));
}

fn fault(error: &Oops<'_>) -> Said {
    let (message, body) = (error.data.message.text(), error.data.body.text());
    let status: Option<u16> = error.data.status.small();
    let known = words::trouble(message);
    let trouble = match error.name.text() {
        "ContextOverflowError" => Some(Trouble::ContextOverflow),
        "MessageAbortedError" => Some(Trouble::Killed),
        "ProviderAuthError" => Some(Trouble::Auth),
        _ if known == Some(Trouble::Budget) => known,
        _ => status.map(|status| Trouble::of_status(status, body)).or(known),
    };
    Said::Failed { trouble, words: Words::from(message) }
}
