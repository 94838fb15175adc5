//! What a dry run shows beside its plan: how an agent would be asked for the change, and started.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::model::text::cut;

/// Longest text of one part, in characters.
const PART_CHARS_MAX: usize = 250_000;
/// Most entries of one list.
const ENTRIES_MAX: usize = 200;
/// What stands for a value that is made for every run.
pub const TOKEN: &str = "‹token of this run›";
/// What stands for a value that is looked for and never shown.
pub const HIDDEN: &str = "‹not shown›";

/// One start of an agent that was prepared and not made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preview {
    /// Such as `codex:gpt-5.5`.
    pub agent: String,
    /// Who would do it when that one cannot, in this order.
    pub fallbacks: Vec<String>,
    /// Why nothing could be prepared; then the rest is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Beside what the sandbox sets.
    pub env: Vec<(String, String)>,
    pub directory: String,
    /// Files of its home, by path.
    pub files: Vec<(String, String)>,
    /// What is covered in the checkout.
    pub masks: Vec<String>,
    /// What it may reach.
    pub hosts: Vec<String>,
    /// Ways out that are lent to it, as ports of its own loopback interface.
    pub doors: Vec<String>,
    pub limits: Vec<String>,
    /// What it is told, on standard input or by its protocol.
    pub prompt: String,
}

impl Preview {
    /// One in which nothing could be prepared.
    pub fn refused(agent: String, why: String) -> Self {
        Self { agent, refused: Some(why), ..Self::default() }
    }

    /// The same with every text as `kept` keeps it, and within bounds.
    #[must_use]
    pub fn kept(self, kept: &dyn Fn(&str) -> String) -> Self {
        let one = |text: String| cut(&kept(&text), PART_CHARS_MAX);
        let list = |texts: Vec<String>| texts.into_iter().take(ENTRIES_MAX).map(one).collect();
        let pairs = |pairs: Vec<(String, String)>| {
            let pairs = pairs.into_iter().take(ENTRIES_MAX);
            pairs.map(|(name, value)| (one(name), one(value))).collect()
        };
        Self {
            agent: one(self.agent),
            fallbacks: list(self.fallbacks),
            refused: self.refused.map(one),
            argv: list(self.argv),
            env: pairs(self.env),
            directory: one(self.directory),
            files: pairs(self.files),
            masks: list(self.masks),
            hosts: list(self.hosts),
            doors: list(self.doors),
            limits: list(self.limits),
            prompt: one(self.prompt),
        }
    }

    /// How it would be started, for people: one thing a line, and what has lines of its own
    /// further in.
    pub fn start(&self) -> String {
        let mut out = format!("agent: {}\n", self.agent);
        if let Some(why) = &self.refused {
            _ = writeln!(out, "it would not be started: {why}");
            return out;
        }
        list(&mut out, "when it cannot, in this order", &self.fallbacks);
        list(&mut out, "program and arguments", &self.argv);
        let env: Vec<String> =
            self.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        list(&mut out, "environment, beside what the sandbox sets", &env);
        _ = writeln!(out, "working directory: {}", self.directory);
        let files: Vec<String> =
            self.files.iter().map(|(path, text)| format!("{path}:\n{text}")).collect();
        list(&mut out, "files of its home", &files);
        list(&mut out, "covered in the checkout", &self.masks);
        list(&mut out, "hosts it may reach", &self.hosts);
        list(&mut out, "ways out, on its own loopback interface", &self.doors);
        list(&mut out, "limits", &self.limits);
        out
    }
}

fn list(out: &mut String, title: &str, entries: &[String]) {
    if entries.is_empty() {
        return;
    }
    _ = writeln!(out, "{title}:");
    for entry in entries {
        _ = writeln!(out, "  {}", entry.trim_end().replace('\n', "\n    "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_shown_one_thing_a_line() {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let preview = Preview {
            agent: "codex:gpt-5.5".to_owned(),
            fallbacks: owned(&["claude"]),
            argv: owned(&["codex", "exec", "two\nlines"]),
            env: pair("LLM_KEY", TOKEN),
            directory: "/workspace".to_owned(),
            files: pair(".slipway/prompt.md", "Role: builder\nRound: 1\n"),
            masks: owned(&[".codex/"]),
            doors: owned(&["8787: the gateway"]),
            ..Preview::default()
        };
        insta::assert_snapshot!(preview.start(), @"
        agent: codex:gpt-5.5
        when it cannot, in this order:
          claude
        program and arguments:
          codex
          exec
          two
            lines
        environment, beside what the sandbox sets:
          LLM_KEY=‹token of this run›
        working directory: /workspace
        files of its home:
          .slipway/prompt.md:
            Role: builder
            Round: 1
        covered in the checkout:
          .codex/
        ways out, on its own loopback interface:
          8787: the gateway
        ");
        let refused = Preview::refused("codex".to_owned(), "it has no key".to_owned());
        assert_eq!(refused.start(), "agent: codex\nit would not be started: it has no key\n");
    }

    #[test]
    fn what_is_kept_is_bounded_and_without_secrets() {
        let huge = "x".repeat(2 * PART_CHARS_MAX);
        let preview = Preview {
            argv: vec![huge.clone(); ENTRIES_MAX + 1],
            prompt: format!("s3cret {huge}"),
            ..Preview::default()
        };
        let short = Preview { prompt: "s3cret".to_owned(), ..Preview::default() };
        let kept = |text: &str| text.replace("s3cret", "***");
        assert_eq!(short.kept(&kept).prompt, "***");
        let bounded = preview.kept(&|text: &str| cut(text, 3));
        assert_eq!((bounded.argv.len(), &*bounded.prompt), (ENTRIES_MAX, "s3…"));
        let whole = Preview { prompt: huge, ..Preview::default() }.kept(&str::to_owned);
        assert_eq!(whole.prompt.chars().count(), PART_CHARS_MAX);
    }
}
