//! `coderabbit review --agent`: findings one by one, heartbeats between them, and `complete`.

use serde_json::{Value, json};

use super::lenient::{LIST_ITEMS_MAX, Word};
use super::{Account, Listener, Notes, Said, Step, ended, failed};
use crate::agent::event::{Event, WORDS_CHARS_MAX};
use crate::model::text;

object!(Line {
    kind "type": Word<'a>,
    severity "severity": Word<'a>,
    file "fileName": Word<'a>,
    comment "comment": Word<'a>,
    advice "codegenInstructions": Word<'a>,
    message "message": Word<'a>,
});

#[derive(Debug, Default)]
pub(super) struct Coderabbit {
    notes: Notes,
    said: Option<Said>,
    findings: Vec<Value>,
}

impl Listener for Coderabbit {
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        match line.kind.text() {
            "review_context" => self.notes.start("", None, steps),
            "status" | "heartbeat" => steps.push(Step::Event(Event::Beat)),
            "finding" => self.finding(&line, steps),
            "complete" => ended(&mut self.said, Said::Done, steps),
            "error" => ended(&mut self.said, failed(line.message.text()), steps),
            _ => return false,
        }
        true
    }

    /// A review that found nothing has said something too.
    fn end(self: Box<Self>) -> Account {
        let structured = (self.said == Some(Said::Done)).then_some(Value::Array(self.findings));
        Account { structured, ..self.notes.account(self.said, None) }
    }
}

impl Coderabbit {
    fn finding(&mut self, line: &Line<'_>, steps: &mut Vec<Step>) {
        let comment = line.comment.some().unwrap_or_else(|| line.advice.text());
        self.notes.say(comment, steps);
        if self.findings.len() < LIST_ITEMS_MAX {
            self.findings.push(json!({
                "severity": text::cut(line.severity.text(), WORDS_CHARS_MAX),
                "file": text::cut(line.file.text(), WORDS_CHARS_MAX),
                "comment": text::cut(comment, WORDS_CHARS_MAX),
            }));
        }
    }
}
