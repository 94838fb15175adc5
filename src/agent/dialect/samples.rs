//! Streams of real programs against a model that plays scripts, with what each is known to mean.
//!
//! They were recorded behind no network; sessions, keys and numbers in them are of nobody.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Dialect, Heard, Opening, Reader, Step};
use crate::agent::event::Event;
use crate::agent::outcome::{Evidence, Outcome, Stopped, Upstream, judge};
use crate::agent::profile::{Catalogue, Profile};
use crate::model::Trouble;
use crate::sandbox::End;

/// One recorded run.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) cli: String,
    pub(super) scenario: String,
    pub(super) end: End,
    /// Whoever recorded it ended it.
    pub(super) killed: bool,
    pub(super) changed: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
    pub(super) profile: Profile,
}

/// All of them.
pub(super) fn all() -> Vec<Sample> {
    let catalogue = Catalogue::shipped().unwrap();
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/agent/samples");
    let ends = std::fs::read_to_string(place.join("ends.txt")).unwrap();
    let sample = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (cli, scenario) = words[0].split_once('/').unwrap();
        let code: i32 = words[1].parse().unwrap();
        let end = if code < 0 { End::Signalled(-code) } else { End::Exited(code) };
        let file = |ending: &str| place.join(cli).join(format!("{scenario}.{ending}"));
        Sample {
            cli: cli.to_owned(),
            scenario: scenario.to_owned(),
            end,
            killed: words[2] != "-",
            changed: words[3] == "changed",
            stdout: std::fs::read(file("jsonl")).unwrap(),
            stderr: std::fs::read_to_string(file("stderr.txt")).unwrap_or_default(),
            profile: catalogue.get(cli).unwrap().clone(),
        }
    };
    ends.lines().map(sample).collect()
}

impl Sample {
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.cli, self.scenario)
    }

    /// What the measured tables say of it, without a word of the gateway.
    pub(super) fn class(&self) -> Result<(), Trouble> {
        let known = match (self.cli.as_str(), self.scenario.as_str()) {
            _ if self.killed => Trouble::Killed,
            // The agent says that all is well, and only the gateway knows better.
            ("gemini" | "qwen" | "copilot", "maxtok") => return Ok(()),
            // It stops itself when it goes round in circles.
            ("gemini" | "qwen", "loop") | (_, "maxturns") => Trouble::Limit,
            // A failure in the stream: some tell its words, one tells that it broke off.
            ("gemini", "sseerr") | (_, "close" | "hang") => Trouble::Network,
            (_, "sseerr" | "529") => Trouble::Overloaded,
            (_, "429once" | "edit" | "final" | "trivial" | "resume1" | "resume2" | "schema") => {
                return Ok(());
            }
            (_, "401" | "403") => Trouble::Auth,
            (_, "429") => Trouble::RateLimit,
            (_, "500") => Trouble::Server,
            (_, "quota") => Trouble::Quota,
            (_, "ctx") => Trouble::ContextOverflow,
            (_, "maxtok") => Trouble::Truncated,
            (_, "budget" | "bud-B402") => Trouble::Budget,
            (cli, scenario) => panic!("nobody says what {cli}/{scenario} means"),
        };
        Err(known)
    }

    pub(super) fn heard(&self) -> (Vec<Step>, Reader) {
        let mut reader = self.reader();
        let mut steps = Vec::new();
        reader.feed(&self.stdout, &mut steps);
        (steps, reader)
    }

    pub(super) fn reader(&self) -> Reader {
        let finish = self.profile.finish.clone();
        Reader::new(self.profile.dialect, Opening { finish, ..Opening::default() })
    }

    /// How it is judged by its stream, its end and what is told besides.
    pub(super) fn judged(&self, told: &Told) -> Outcome {
        self.judged_by(&self.stdout, told)
    }

    pub(super) fn judged_by(&self, stdout: &[u8], told: &Told) -> Outcome {
        let mut reader = self.reader();
        reader.feed(stdout, &mut Vec::new());
        let (account, heard) = reader.end(&mut Vec::new());
        judge(Evidence {
            account,
            heard,
            end: told.end.unwrap_or(self.end),
            stopped: told
                .ours
                .then(|| Stopped { trouble: Trouble::Killed, why: "a test ended it".to_owned() }),
            upstream: told.upstream,
            stderr: &self.stderr,
            changed: Some(self.changed),
            exits: &self.profile.exits,
            patterns: &self.profile.errors,
        })
    }
}

/// What is known beside the stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) ours: bool,
    pub(super) end: Option<End>,
    pub(super) upstream: Option<Upstream>,
}

/// A line about what a sample means.
pub(super) fn line(sample: &Sample) -> String {
    let (steps, reader) = sample.heard();
    let (_, heard) = reader.end(&mut Vec::new());
    let outcome = sample.judged(&Told { ours: sample.killed, ..Told::default() });
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    for step in &steps {
        if let Some(kind) = kind(step) {
            *counted.entry(kind).or_default() += 1;
        }
    }
    let of = |kind: &str| counted.get(kind).copied().unwrap_or_default();
    let class = match outcome.class {
        Ok(()) => "success".to_owned(),
        Err(trouble) => serde_json::to_string(&trouble).unwrap().trim_matches('"').to_owned(),
    };
    let used = outcome.usage.map_or_else(
        || "-".to_owned(),
        |usage| {
            let t = usage.tokens;
            let cost =
                usage.cost.micros().map_or_else(|| "?".to_owned(), |micros| micros.to_string());
            let since = if usage.is_cumulative { " in all" } else { "" };
            format!(
                "in {}+{}+{} out {} ({} thought) cost {cost}{since}",
                t.input, t.cache_read, t.cache_write, t.output, t.reasoning
            )
        },
    );
    let Heard { lines, skipped, .. } = heard;
    let text = crate::model::text::cut(crate::model::text::first_line(&outcome.text), 40);
    format!(
        "{:18} {class:16} {used:55} session {} tools {}/{}/{} retries {} turns {} lines \
         {lines}-{skipped} {text:?}",
        sample.name(),
        if outcome.session.is_some() { "yes" } else { "no" },
        of("start"),
        of("good"),
        of("bad"),
        of("retry"),
        outcome.turns.map_or_else(|| "?".to_owned(), |turns| turns.to_string()),
    )
}

fn kind(step: &Step) -> Option<&'static str> {
    let Step::Event(event) = step else { return None };
    match event {
        Event::ToolStart { .. } => Some("start"),
        Event::ToolEnd { ok: true, .. } => Some("good"),
        Event::ToolEnd { ok: false, .. } => Some("bad"),
        Event::Retry { .. } => Some("retry"),
        Event::Started { .. }
        | Event::Text(_)
        | Event::Usage(_)
        | Event::Steps { .. }
        | Event::Beat
        | Event::Ended(_) => None,
    }
}

/// Dialects with JSON lines and an end that can be cut off.
pub(super) fn has_json(dialect: Dialect) -> bool {
    dialect != Dialect::PlainText
}
