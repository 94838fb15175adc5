//! `/go`: start a run, with options before the words for the agent.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::{Example, Grammar, Opt, Rest, Spec};
use super::{SlashCommand, quoted};
use crate::model::{BranchName, Permission, text, wish};

/// Most characters of words kept for the agent; the rest is cut.
pub const WORDS_CHARS_MAX: usize = 4_000;
/// Characters of a digest that confirms what an agent will read.
pub const DIGEST_CHARS: usize = 8;

const DRY_RUN: &str = "--dry-run";
const BASE: &str = "--base";
const AGENT: &str = "--agent";

pub(super) const SPEC: Spec = Spec {
    word: "go",
    usage: "/go [DIGEST] [--dry-run] [--base BRANCH] [--agent NAME[:MODEL]] [--] [words]",
    summary: "Starts a run for this issue: plan, change, verify, pull request, merge.",
    needs: Permission::Write,
    author: false,
    options: &[
        Opt {
            name: "DIGEST",
            value: None,
            summary: "Confirms the text that Slipway has shown under these eight characters.",
        },
        Opt {
            name: DRY_RUN,
            value: None,
            summary: "Lets the agent plan, shows the plan and how the change would be asked for, \
                      and changes nothing.",
        },
        Opt {
            name: BASE,
            value: Some("BRANCH"),
            summary: "Works on this branch instead of the repository's default branch.",
        },
        Opt {
            name: AGENT,
            value: Some("NAME[:MODEL]"),
            summary: "Lets this agent do all the work, with this model of it; the names are the \
                      operator's.",
        },
        Opt {
            name: "--",
            value: None,
            summary: "Ends the options; what follows is words, whatever it looks like.",
        },
    ],
    examples: &[
        Example { text: "/go", meaning: "Do what the issue says." },
        Example {
            text: "/go --base release-2 only the parser, leave the printer alone",
            meaning: "Work on `release-2`, and tell the agent where to stop.",
        },
        Example {
            text: "/go --dry-run",
            meaning: "Show what would be done, and exactly how an agent would be asked for it.",
        },
        Example {
            text: "/go --agent codex:gpt-5.5",
            meaning: "Choose who does the work, and with which model.",
        },
    ],
    button: None,
    grammar: Grammar::Own(read),
};

/// What `/go` was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Go {
    /// The digest of the text that its author agrees to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    pub dry_run: bool,
    pub base: Option<BranchName>,
    pub agent: Option<String>,
    /// Everything after the options and on the lines below, for the agent: at most
    /// [`WORDS_CHARS_MAX`] characters.
    pub words: String,
}

fn read(rest: Rest<'_>) -> Result<SlashCommand, String> {
    let (first, after) = split(rest.line);
    let digest = is_digest(first).then(|| first.to_owned());
    let line = if digest.is_some() { after } else { rest.line };
    let mut go = Go { digest, ..Go::default() };
    let words = options(&mut go, line)?;
    go.words = tidy(words, rest.below);
    Ok(SlashCommand::Go(go))
}

/// Reads the options at the beginning of `line` into `go`; what remains are words.
fn options<'a>(go: &mut Go, line: &'a str) -> Result<&'a str, String> {
    let mut left = line.trim_start();
    loop {
        let (token, after) = split(left);
        if token == "--" {
            return Ok(after);
        }
        let second = token.chars().nth(1);
        if token.starts_with(['–', '—']) && second.is_some_and(char::is_alphabetic) {
            return Err(format!(
                "{} begins with a dash that is not a hyphen; write options with two hyphens, \
                 such as `{DRY_RUN}`. Nothing was started.",
                quoted(token)
            ));
        }
        if !looks_like_option(token) {
            return late(left).map_or(Ok(left), Err);
        }
        left = option(go, token, after)?;
    }
}

/// Reads one option and returns what follows it.
fn option<'a>(go: &mut Go, token: &'a str, after: &'a str) -> Result<&'a str, String> {
    let (name, attached) = match token.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (token, None),
    };
    match name {
        DRY_RUN => {
            if attached.is_some() {
                return Err(format!("`{DRY_RUN}` takes no value; nothing was started."));
            }
            go.dry_run = true;
            Ok(after)
        }
        BASE => {
            let (value, after) = value(BASE, "a branch", attached, after)?;
            let branch = BranchName::parse(value).map_err(|invalid| {
                format!("{} cannot be the base: {invalid}. Nothing was started.", quoted(value))
            })?;
            once(BASE, go.base.replace(branch).is_some())?;
            Ok(after)
        }
        AGENT => {
            let (value, after) = value(AGENT, "a name", attached, after)?;
            if !wish::fits(value) {
                return Err(format!(
                    "{} is not the name of an agent: write {}. Nothing was started.",
                    quoted(value),
                    wish::FORM
                ));
            }
            once(AGENT, go.agent.replace(value.to_owned()).is_some())?;
            Ok(after)
        }
        unknown => Err(format!(
            "`/go` has no option {}; it has `{DRY_RUN}`, `{BASE} BRANCH` and `{AGENT} NAME`. \
             Words that begin with a hyphen go after `--`. Nothing was started.",
            quoted(unknown)
        )),
    }
}

/// The value of option `name`, and what follows it.
fn value<'a>(
    name: &str,
    what: &str,
    attached: Option<&'a str>,
    after: &'a str,
) -> Result<(&'a str, &'a str), String> {
    let (value, after) = attached.map_or_else(|| split(after), |value| (value, after));
    if value.is_empty() || (attached.is_none() && value.starts_with("--")) {
        return Err(format!("`{name}` needs {what} after it; nothing was started."));
    }
    Ok((value, after))
}

fn once(name: &str, again: bool) -> Result<(), String> {
    if again { Err(format!("`{name}` is given twice; nothing was started.")) } else { Ok(()) }
}

fn is_digest(word: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    word.len() == DIGEST_CHARS && word.bytes().all(hex)
}

fn looks_like_option(token: &str) -> bool {
    token.starts_with("--")
        || (token.starts_with('-') && token.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic()))
}

/// An option among the words would be lost silently, and a dry run would be none.
fn late(words: &str) -> Option<String> {
    let known = |token: &str| {
        let name = token.split('=').next().unwrap_or_default();
        name.len() > 2 && SPEC.options.iter().any(|option| option.name == name)
    };
    let token = words.split_whitespace().find(|token| known(token))?;
    Some(format!(
        "{} stands after the words; options go first: `/go {token} …`. If it belongs to the \
         words, put `--` before them. Nothing was started.",
        quoted(token),
        token = token.split('=').next().unwrap_or_default(),
    ))
}

/// The first word of `line` and what follows it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// The words of the first line and those below as one text, without control characters.
fn tidy(first: &str, below: &str) -> String {
    let visible = |c: char| c == '\n' || c == '\t' || !c.is_control();
    let joined = format!("{first}\n{below}").replace("\r\n", "\n").replace('\r', "\n");
    let clean: String = joined.chars().filter(|&c| visible(c)).collect();
    text::cut(clean.trim(), WORDS_CHARS_MAX)
}

impl fmt::Display for Go {
    /// The command line that parses to this value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/go")?;
        if let Some(digest) = &self.digest {
            write!(f, " {digest}")?;
        }
        if self.dry_run {
            write!(f, " {DRY_RUN}")?;
        }
        if let Some(base) = &self.base {
            write!(f, " {BASE}={base}")?;
        }
        if let Some(agent) = &self.agent {
            write!(f, " {AGENT}={agent}")?;
        }
        if self.words.is_empty() {
            return Ok(());
        }
        let line = self.words.lines().next().unwrap_or_default();
        let guarded = line.starts_with(['-', '–', '—'])
            || late(line).is_some()
            || is_digest(split(line).0);
        write!(f, "{}{}", if guarded { " -- " } else { " " }, self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;
    use crate::policy::wrapped::wrapped;

    fn go(body: &str) -> Go {
        let Parsed::Command(SlashCommand::Go(go)) = parse(body) else { panic!("{body:?}") };
        go
    }

    fn mistake(body: &str) -> String {
        let Parsed::Mistake { text } = parse(body) else { panic!("{body:?}") };
        wrapped(&text, 36)
    }

    #[test]
    fn options_come_first_and_the_rest_is_words() {
        assert_eq!(go("/go"), Go::default());
        assert_eq!(
            go("/go --base=main --agent codex --dry-run say \"hi  there\" to 'x'"),
            Go {
                digest: None,
                dry_run: true,
                base: Some(BranchName::parse("main").unwrap()),
                agent: Some("codex".to_owned()),
                words: "say \"hi  there\" to 'x'".to_owned(),
            }
        );
        assert_eq!(go("/go --agent codex:gpt-5.5 x").agent.as_deref(), Some("codex:gpt-5.5"));
        assert_eq!(go("/go --base feat/x please").words, "please");
        assert_eq!(go("/go -- --base is broken").words, "--base is broken");
        assert_eq!(go("/go - one").words, "- one");
    }

    #[test]
    fn a_digest_stands_first_and_in_lower_case() {
        let confirmed = go("/go 0a1b2c3d --dry-run deadbeef");
        assert_eq!(confirmed.digest.as_deref(), Some("0a1b2c3d"));
        assert_eq!((confirmed.dry_run, confirmed.words.as_str()), (true, "deadbeef"));
        for words in ["0A1B2C3D", "0a1b2c3", "0a1b2c3d4", "-- 0a1b2c3d", "please 0a1b2c3d"] {
            let read = go(&format!("/go {words}"));
            assert_eq!(read.digest, None, "{words}");
            assert_eq!(go(&read.to_string()), read, "{words}");
        }
    }

    #[test]
    fn the_lines_below_are_words_too() {
        assert_eq!(go("/go\r\n\r\nKeep it small.\r\nThanks").words, "Keep it small.\nThanks");
        assert_eq!(go("/go now\n    indented").words, "now\n    indented");
        assert_eq!(go(&format!("/go\n{}", "é".repeat(9_000))).words.chars().count(), 4_000);
    }

    #[test]
    fn an_option_that_cannot_be_honoured_starts_nothing() {
        insta::assert_snapshot!(mistake("/go --fast"), @"
        `/go` has no option `--fast`; it has
        `--dry-run`, `--base BRANCH` and
        `--agent NAME`. Words that begin
        with a hyphen go after `--`. Nothing
        was started.
        ");
        insta::assert_snapshot!(mistake("/go --base"), @"
        `--base` needs a branch after it;
        nothing was started.
        ");
        insta::assert_snapshot!(mistake("/go --base --dry-run"), @"
        `--base` needs a branch after it;
        nothing was started.
        ");
        insta::assert_snapshot!(mistake("/go --base a..b"), @"
        `a..b` cannot be the base: branch
        name is not valid: it contains `..`,
        `//`, `/.` or `@{`. Nothing was
        started.
        ");
        insta::assert_snapshot!(mistake("/go --base a --base b"), @"
        `--base` is given twice; nothing was
        started.
        ");
        insta::assert_snapshot!(mistake("/go --agent ../x"), @"
        `../x` is not the name of an agent:
        write a name of letters, digits,
        `-`, `_` and `.`, alone as in
        `codex` or with its model as in
        `codex:gpt-5.5`. Nothing was
        started.
        ");
        insta::assert_snapshot!(mistake("/go --dry-run=no"), @"
        `--dry-run` takes no value; nothing
        was started.
        ");
        insta::assert_snapshot!(mistake("/go \u{2014}dry-run"), @"
        `—dry-run` begins with a dash that
        is not a hyphen; write options with
        two hyphens, such as `--dry-run`.
        Nothing was started.
        ");
        insta::assert_snapshot!(mistake("/go fix it --dry-run"), @"
        `--dry-run` stands after the words;
        options go first: `/go --dry-run …`.
        If it belongs to the words, put `--`
        before them. Nothing was started.
        ");
    }
}
