//! Any program that edits the working directory: prompt on standard input, success is exit 0.

use serde::{Deserialize, Serialize};

use super::{Place, Reading, failure};
use crate::model::text;
use crate::sandbox::{Home, Invocation, Purpose, Signal, Transcript};

/// Lines of the output taken as the agent's summary.
const SUMMARY_LINES_MAX: usize = 20;
/// Characters of the summary, and of what a failure quotes.
const SUMMARY_CHARS_MAX: usize = 2_000;

/// The operator's command line. It never contains text from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Run by `sh -c`.
    pub command: String,
}

impl Command {
    pub fn invocation(&self, prompt: String, place: Place) -> Invocation {
        Invocation {
            purpose: Purpose::Agent,
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), self.command.clone()],
            env: Vec::new(),
            stdin: prompt,
            directory: place.directory,
            workspace: place.workspace,
            doors: place.doors,
            read_only: place.read_only,
            masks: place.masks,
            home: Home::default(),
            limits: place.limits,
            signal: Signal::Term,
        }
    }

    /// Such a program says nothing about cost, so its cost is 0.
    pub fn read(&self, transcript: &Transcript) -> Reading {
        match failure(transcript) {
            Some(why) => Reading::Failed { why, cost_micros: 0 },
            None => Reading::Finished { summary: summary(&transcript.stdout), cost_micros: 0 },
        }
    }
}

/// The last lines that say something, cut.
pub(super) fn summary(stdout: &str) -> String {
    let lines: Vec<&str> = stdout.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(SUMMARY_LINES_MAX);
    text::cut(lines.get(from..).unwrap_or_default().join("\n").trim(), SUMMARY_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{End, Limit};

    fn read(end: End, stdout: &str, stderr: &str) -> Reading {
        let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
        Command { command: String::new() }.read(&Transcript { end, stdout, stderr })
    }

    fn why(reading: Reading) -> String {
        match reading {
            Reading::Failed { why, .. } => why,
            Reading::Finished { summary, .. } => panic!("finished: {summary}"),
        }
    }

    #[test]
    fn the_summary_is_the_end_of_what_it_said() {
        let finished = Reading::Finished { summary: "b\nc".to_owned(), cost_micros: 0 };
        assert_eq!(read(End::Exited(0), "\n\nb\n\nc\n \n", "noise"), finished);
        let long = format!("first\n{}", "line\n".repeat(SUMMARY_LINES_MAX));
        let Reading::Finished { summary, .. } = read(End::Exited(0), &long, "") else { panic!() };
        assert!(!summary.contains("first"));
    }

    #[test]
    fn every_other_end_is_a_failure_in_words() {
        assert_eq!(
            why(read(End::Exited(2), "", "x\nno model\n")),
            "it ended with exit code 2: x\nno model"
        );
        insta::assert_snapshot!(why(read(End::Exited(1), "only this", "")),
            @"it ended with exit code 1: only this");
        insta::assert_snapshot!(why(read(End::Signalled(9), "", "")), @"signal 9 ended it");
        insta::assert_snapshot!(why(read(End::TimedOut, "", "")),
            @"it was still running at its time limit and was ended");
        insta::assert_snapshot!(why(read(End::Cancelled, "", "")), @"it was stopped");
        insta::assert_snapshot!(why(read(End::Limit(Limit::Memory), "", "")),
            @"it used more memory than allowed and was ended (limit:memory)");
    }
}
