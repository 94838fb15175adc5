//! `codex exec --json`: items that start and complete, and a turn that completes or fails.

use super::call::{Call, digest};
use super::lenient::{Fault, Flag, List, Number, Word};
use super::{Account, Listener, Notes, Said, Step, ended, failed, listed, words};
use crate::agent::event::{Event, Summary, Tool, Usage, brief};
use crate::model::{Cost, Tokens};

object!(Line {
    kind "type": Word<'a>,
    thread "thread_id": Word<'a>,
    message "message": Word<'a>,
    error "error": Fault<'a>,
    item "item": Item<'a>,
    usage "usage": Used<'a>,
});

object!(Item {
    kind "type": Word<'a>,
    text "text": Word<'a>,
    command "command": Word<'a>,
    output "aggregated_output": Word<'a>,
    exit "exit_code": Number,
    status "status": Word<'a>,
    changes "changes": List<Change<'a>>,
    server "server": Word<'a>,
    tool "tool": Word<'a>,
    arguments "arguments": Call<'a>,
    error "error": Fault<'a>,
    query "query": Word<'a>,
    list "items": List<Todo<'a>>,
});

object!(Change { path "path": Word<'a> });
object!(Todo { completed "completed": Flag });

object!(Used {
    input "input_tokens": Number,
    cached "cached_input_tokens": Number,
    written "cache_write_input_tokens": Number,
    output "output_tokens": Number,
    reasoning "reasoning_output_tokens": Number,
});

#[derive(Debug, Default)]
pub(super) struct Codex {
    notes: Notes,
    said: Option<Said>,
    usage: Option<Usage>,
}

impl Listener for Codex {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        match line.kind.text() {
            "thread.started" => self.notes.start(line.thread.text(), None, steps),
            "item.started" | "item.updated" | "item.completed"
                if line.item.kind.text() == "todo_list" =>
            {
                listed(list(&line.item), steps);
            }
            "item.started" => start(&line.item, steps),
            "item.completed" => self.completed(&line.item, steps),
            "error" => self.noted(line.message.text(), steps),
            "turn.completed" => {
                let usage = used(&line.usage);
                self.usage = Some(usage);
                steps.push(Step::Event(Event::Usage(usage)));
                ended(&mut self.said, Said::Done, steps);
            }
            "turn.failed" => ended(&mut self.said, failed(line.error.message.text()), steps),
            "turn.started" | "item.updated" => {}
            _ => return false,
        }
        true
    }

    fn end(self: Box<Self>) -> Account {
        self.notes.account(self.said, self.usage)
    }
}

impl Codex {
    fn completed(&mut self, item: &Item<'_>, steps: &mut Vec<Step>) {
        if item.kind.text() == "agent_message" {
            return self.notes.say(item.text.text(), steps);
        }
        if tool(item.kind.text()).is_none() {
            return;
        }
        let exit = item.exit.any.map(|_| item.exit.small().unwrap_or(-1));
        let ok = item.status.text() == "completed" && exit.is_none_or(|exit| exit == 0);
        let said = if ok {
            Summary::default()
        } else {
            brief(item.error.message.some().unwrap_or_else(|| item.output.text()))
        };
        steps.push(Step::Event(Event::ToolEnd { ok, exit, said }));
    }

    /// An `error` is a note about a retry; the turn says itself when it fails.
    fn noted(&mut self, message: &str, steps: &mut Vec<Step>) {
        if message.starts_with("Reconnecting") {
            let (trouble, attempt) = (words::trouble(message), self.notes.retry());
            steps.push(Step::Event(Event::Retry { trouble, attempt }));
        }
    }
}

fn tool(kind: &str) -> Option<Tool> {
    match kind {
        "command_execution" => Some(Tool::Shell),
        "file_change" => Some(Tool::Edit),
        "mcp_tool_call" => Some(Tool::Mcp),
        "web_search" => Some(Tool::Other),
        _ => None,
    }
}

/// Its list of steps: how many are done, of how many.
fn list(item: &Item<'_>) -> Option<(u32, u32)> {
    let all = u32::try_from(item.list.0.len()).ok().filter(|all| *all > 0)?;
    let done = item.list.0.iter().filter(|todo| todo.completed.0 == Some(true)).count();
    Some((u32::try_from(done).unwrap_or(all), all))
}

fn start(item: &Item<'_>, steps: &mut Vec<Step>) {
    let Some(tool) = tool(item.kind.text()) else { return };
    let (summary, call) = match tool {
        Tool::Shell => {
            let command = item.command.text();
            (brief(command), Some(digest(b's', command.as_bytes())))
        }
        Tool::Mcp => {
            let name = format!("{}.{}", item.server.text(), item.tool.text());
            let call = item.arguments.digest.unwrap_or_default();
            let call = digest(b'm', format!("{name} {call}").as_bytes());
            (brief(&name), Some(call))
        }
        // What is written is not told, so nobody knows whether it is the same again.
        Tool::Edit => {
            let paths = item.changes.0.iter().map(|change| change.path.text());
            (brief(&paths.collect::<Vec<_>>().join(", ")), None)
        }
        Tool::Read | Tool::Other => (brief(item.query.text()), None),
    };
    steps.push(Step::Event(Event::ToolStart { tool, summary, call }));
}

/// Cached input is part of its input, and what came before a resume of everything.
fn used(used: &Used<'_>) -> Usage {
    let (cache_read, cache_write) = (used.cached.count(), used.written.count());
    let input = used.input.count().saturating_sub(cache_read).saturating_sub(cache_write);
    let (output, reasoning) = (used.output.count(), used.reasoning.count());
    let tokens = Tokens { input, cache_read, cache_write, output, reasoning };
    Usage { tokens, cost: Cost::Unknown, is_cumulative: true }
}
