//! What an agent does now, folded from what is heard of it: the live view of one start.
//!
//! Everything in it is a stranger's text: it is made visible, one line, free of secrets and cut
//! before it is kept.

use std::collections::BTreeSet;

use super::dialect::Dialect;
use super::event::{Event, SUMMARY_CHARS_MAX, Said, Tool};
use crate::model::character::{visible, without_ansi};
use crate::model::sanitized::Sanitizer;
use crate::model::text::{cut, first_line};
use crate::model::{Cost, Millis};
use crate::pipeline::Role;
use crate::pipeline::live::{
    Doing, LINE_CHARS_MAX, Live, NAMED_MAX, NEWS_MAX, News, Steps, Worked,
};

/// Different files that are told apart; beyond them, none is counted.
pub const FILES_MAX: usize = 1_000;
/// Longest text put together from pieces, in bytes; only its beginning is shown.
const PIECES_BYTES_MAX: usize = 4_096;

/// Who is followed.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// Its name, with its model where that is known.
    pub agent: &'a str,
    pub role: Role,
    pub round: u32,
    /// Without one, its words mean nothing and are only counted.
    pub dialect: Option<Dialect>,
    /// Its working directory as it sees it: names below it are shown without it.
    pub directory: &'a str,
}

/// What its model was asked and answered, by the gateway's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub requests: u64,
    pub turns: u64,
    pub retries: u64,
    pub tokens: u64,
    pub cost: Cost,
}

/// Follows one agent.
#[derive(Debug)]
pub struct Follow {
    live: Live,
    sanitizer: Sanitizer,
    directory: String,
    speech: Speech,
    /// Words whose end has not come.
    said: String,
    files: BTreeSet<String>,
    /// Calls of tools that have not ended.
    open: u32,
    retries: u32,
    asked: Option<Asked>,
}

/// What one of its texts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// All of what it says at once.
    Whole,
    /// A piece, which may end in the middle of a word.
    Pieces,
    /// A line of something longer, of which nobody knows what it is: not shown.
    Lines,
}

impl Speech {
    fn of(dialect: Option<Dialect>) -> Self {
        match dialect {
            Some(Dialect::GeminiStream | Dialect::Acp) => Self::Pieces,
            Some(
                Dialect::CodexExec
                | Dialect::ClaudeStream
                | Dialect::QwenStream
                | Dialect::OpencodeRun
                | Dialect::CopilotJsonl
                | Dialect::Coderabbit,
            ) => Self::Whole,
            Some(Dialect::PlainText) | None => Self::Lines,
        }
    }
}

impl Follow {
    pub fn new(who: Who<'_>, sanitizer: Sanitizer, now: Millis) -> Self {
        let live = Live {
            agent: cut(who.agent, LINE_CHARS_MAX),
            role: who.role,
            round: who.round,
            since: now,
            heard: now,
            lines: 0,
            bytes: 0,
            tool: None,
            calls: 0,
            failed: 0,
            files: 0,
            named: Vec::new(),
            steps: None,
            retries: 0,
            tokens: 0,
            cost: Cost::NONE,
            news: Vec::new(),
        };
        Self {
            live,
            sanitizer,
            directory: format!("{}/", who.directory.trim_end_matches('/')),
            speech: Speech::of(who.dialect),
            said: String::new(),
            files: BTreeSet::new(),
            open: 0,
            retries: 0,
            asked: None,
        }
    }

    pub fn live(&self) -> &Live {
        &self.live
    }

    /// It said something, whatever it means.
    pub fn bytes(&mut self, bytes: &[u8], now: Millis) {
        let lines = bytes.split(|byte| *byte == b'\n').count().saturating_sub(1);
        self.live.lines = self.live.lines.saturating_add(lines as u64);
        self.live.bytes = self.live.bytes.saturating_add(bytes.len() as u64);
        self.live.heard = now;
    }

    /// What that was.
    pub fn event(&mut self, event: &Event, now: Millis) {
        if !matches!(event, Event::Text(_) | Event::Beat) {
            self.flush(now);
        }
        match event {
            Event::Started { model, .. } => {
                let model = model.as_ref().map(|model| self.shown(model.as_str()));
                let model = model.map(|model| format!(", its model is {model}"));
                self.news(&format!("started{}", model.unwrap_or_default()), now);
            }
            Event::Text(words) => self.text(words.as_str(), now),
            Event::ToolStart { tool, summary, .. } => self.started(*tool, summary.as_str(), now),
            Event::ToolEnd { ok, exit, said } => self.ended((*ok, *exit), said.as_str(), now),
            Event::Retry { trouble, .. } => {
                self.retries = self.retries.saturating_add(1);
                let why = trouble.map(|trouble| format!(": {}", trouble.words()));
                self.news(&format!("asks its model again{}", why.unwrap_or_default()), now);
                self.figures();
            }
            Event::Usage(usage) => {
                if self.asked.is_none() {
                    self.live.tokens = usage.tokens.total();
                    self.live.cost = usage.cost;
                }
            }
            Event::Steps { done, all } => {
                self.live.steps = Some(Steps { done: *done, all: *all });
            }
            Event::Beat => {}
            Event::Ended(how) => {
                let how = match how {
                    Said::Done => "says that it is done",
                    Said::Failed { .. } => "says that it failed",
                    Said::Quiet | Said::Nothing => "ended its turn",
                };
                self.news(how, now);
            }
        }
    }

    /// What the gateway knows of it goes before what it says itself.
    pub fn asked(&mut self, asked: Asked) {
        if asked.requests > 0 {
            self.asked = Some(asked);
            self.figures();
        }
    }

    /// What it did, if it is over now.
    pub fn worked(&self, now: Millis) -> Worked {
        let live = &self.live;
        Worked {
            agent: live.agent.clone(),
            seconds: u64::try_from(now.since(live.since) / 1_000).unwrap_or_default(),
            calls: live.calls,
            files: live.files,
            turns: self.asked.map(|asked| asked.turns).unwrap_or_default(),
            tokens: live.tokens,
            cost: live.cost,
        }
    }

    fn figures(&mut self) {
        if let Some(asked) = self.asked {
            self.live.tokens = asked.tokens;
            self.live.cost = asked.cost;
            let retries = u32::try_from(asked.retries).unwrap_or(u32::MAX);
            self.live.retries = self.retries.max(retries);
        } else {
            self.live.retries = self.retries;
        }
    }

    fn text(&mut self, words: &str, now: Millis) {
        match self.speech {
            Speech::Whole => self.says(words, now),
            Speech::Pieces => {
                let room = PIECES_BYTES_MAX.saturating_sub(self.said.len()).min(words.len());
                let room = words.floor_char_boundary(room);
                self.said.push_str(words.get(..room).unwrap_or_default());
            }
            Speech::Lines => {}
        }
    }

    /// Pieces are shown when something else comes: a secret may lie across two of them.
    fn flush(&mut self, now: Millis) {
        let said = std::mem::take(&mut self.said);
        self.says(&said, now);
    }

    fn says(&mut self, words: &str, now: Millis) {
        let line = self.shown(first_line(words.trim_start()));
        if !line.is_empty() {
            self.news(&format!("says: {line}"), now);
        }
    }

    fn started(&mut self, tool: Tool, summary: &str, now: Millis) {
        self.open = self.open.saturating_add(1);
        self.live.calls = self.live.calls.saturating_add(1);
        let about = self.shown(summary);
        if tool == Tool::Edit {
            self.wrote(summary);
        }
        self.news(&format!("{} {about}", tool.word()), now);
        self.live.tool = Some(Doing { kind: tool.word().to_owned(), about, since: now });
    }

    fn ended(&mut self, (ok, exit): (bool, Option<i32>), said: &str, now: Millis) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.live.tool = None;
        }
        if ok {
            return;
        }
        self.live.failed = self.live.failed.saturating_add(1);
        let code = exit.map(|exit| format!(" with exit code {exit}")).unwrap_or_default();
        let said = self.shown(said);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        self.news(&format!("that failed{code}{said}"), now);
    }

    /// Remembers the files a call that writes is about, where it names any.
    fn wrote(&mut self, summary: &str) {
        for name in whole_words(summary).split(", ") {
            let name = self.shown(name);
            if name.is_empty() || Tool::of(&name) == Tool::Edit {
                continue;
            }
            self.live.named.retain(|known| *known != name);
            self.live.named.push(name.clone());
            let over = self.live.named.len().saturating_sub(NAMED_MAX);
            self.live.named.drain(..over);
            if self.files.len() < FILES_MAX {
                self.files.insert(name);
            }
        }
        self.live.files = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
    }

    fn news(&mut self, text: &str, now: Millis) {
        self.live.news.push(News { at: now, text: cut(text.trim_end(), LINE_CHARS_MAX) });
        let over = self.live.news.len().saturating_sub(NEWS_MAX);
        self.live.news.drain(..over);
    }

    /// Its words as they may be kept. What was cut before may end inside of a secret, which
    /// nobody knows any more then: the word that was cut is left out.
    fn shown(&self, text: &str) -> String {
        let text = self.sanitizer.kept(whole_words(text));
        let text = visible(&without_ansi(&text));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Once more, for what came together only now.
        let text = self.sanitizer.kept(&text).replace(&self.directory, "");
        cut(&text, LINE_CHARS_MAX)
    }
}

/// `summary` without the word that was cut in two.
fn whole_words(summary: &str) -> &str {
    let was_cut = summary.ends_with('…') && summary.chars().count() >= SUMMARY_CHARS_MAX;
    if !was_cut {
        return summary;
    }
    let end = summary.rfind(char::is_whitespace).unwrap_or_default();
    summary.get(..end).unwrap_or_default().trim_end_matches(',')
}

#[cfg(test)]
mod tests;
