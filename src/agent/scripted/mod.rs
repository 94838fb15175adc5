//! The agent of the demo and the tests: plays a script of edits instead of thinking.
//!
//! It is a real process like every other agent: our own binary with a hidden subcommand, the
//! prompt on standard input, the script in the environment. The same turns can be played on
//! files in memory, where no process may start.

mod files;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::files::Disk;
pub use self::files::Files;
pub use self::script::{Edit, Resolution, Script};
use super::command::summary;
use super::{Place, Reading, failure};
use crate::pipeline::stage::Role;
use crate::sandbox::{End, Home, Invocation, Purpose, Signal, Transcript};

/// The hidden subcommand of our binary that calls [`play`].
pub const SUBCOMMAND: &str = "scripted-agent";
/// The variable that holds the script, as JSON.
pub const SCRIPT_VARIABLE: &str = "SLIPWAY_SCRIPT";

/// Our own binary, and what it is to play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    pub program: PathBuf,
    #[serde(default)]
    pub script: Script,
}

/// How a scripted agent fails: what it says and the code it exits with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: u8,
    pub why: String,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Played {
    Finished(String),
    Failed(Failure),
    Hangs,
    Crashes,
}

impl Scripted {
    pub fn invocation(&self, prompt: String, place: Place) -> Invocation {
        // Scripts hold strings and numbers only, which always have a JSON form.
        let script = serde_json::to_string(&self.script).unwrap_or_default();
        Invocation {
            purpose: Purpose::Agent,
            program: self.program.to_string_lossy().into_owned(),
            args: vec![SUBCOMMAND.to_owned()],
            env: vec![(SCRIPT_VARIABLE.to_owned(), script)],
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

    pub fn read(&self, transcript: &Transcript) -> Reading {
        match failure(transcript) {
            Some(why) => Reading::Failed { why, cost_micros: 0 },
            None => Reading::Finished { summary: summary(&transcript.stdout), cost_micros: 0 },
        }
    }
}

/// The subcommand: plays the turn the prompt asks for in `directory`. The answer goes to
/// standard output; a failure to standard error, with its code. A script may also make it
/// hang or crash, and then it does not return.
pub fn play(prompt: &str, script: &str, directory: &Path) -> Result<String, Failure> {
    let script = serde_json::from_str(script)
        .map_err(|error| Failure { code: 64, why: format!("the script is not valid: {error}") })?;
    match turn(prompt, &script, &mut Disk::new(directory)) {
        Played::Finished(said) => Ok(said),
        Played::Failed(failure) => Err(failure),
        Played::Crashes => std::process::abort(),
        Played::Hangs => hang(),
    }
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

/// What a sandbox would have said of `invocation`, played on files in memory; `None` when the
/// invocation is not a scripted agent.
pub fn play_in_memory(
    invocation: &Invocation,
    files: &mut BTreeMap<String, String>,
) -> Option<Transcript> {
    let (_, script) = invocation.env.iter().find(|(name, _)| name == SCRIPT_VARIABLE)?;
    let script = serde_json::from_str(script).ok()?;
    let said = |end, stdout: String, stderr: String| Transcript { end, stdout, stderr };
    let nothing = String::new;
    Some(match turn(&invocation.stdin, &script, files) {
        Played::Finished(stdout) => said(End::Exited(0), stdout, nothing()),
        Played::Failed(f) => said(End::Exited(f.code.into()), nothing(), f.why),
        Played::Hangs => said(End::TimedOut, nothing(), nothing()),
        Played::Crashes => said(End::Signalled(6), nothing(), nothing()),
    })
}

fn turn(prompt: &str, script: &Script, files: &mut dyn Files) -> Played {
    let Some((role, round)) = asked(prompt) else {
        let why = "the prompt does not begin with a role and a round".to_owned();
        return Played::Failed(Failure { code: 65, why });
    };
    let (mut said, mut answered) = (Vec::new(), answered(prompt));
    for edit in script.edits(role, round) {
        match edit {
            Edit::Say(text) => said.push(text.clone()),
            Edit::Quote(path) => match files.read(path) {
                Ok(text) => said.push(text),
                Err(why) => return Played::Failed(Failure { code: 66, why }),
            },
            Edit::Ask(_) if answered > 0 => answered -= 1,
            Edit::Ask(_) => {
                return match edit.apply(files) {
                    Ok(()) => Played::Finished(said.join("\n")),
                    Err(why) => Played::Failed(Failure { code: 66, why }),
                };
            }
            Edit::Fail(code) => {
                return Played::Failed(Failure { code: *code, why: said.join("\n") });
            }
            Edit::Hang => return Played::Hangs,
            Edit::Crash => return Played::Crashes,
            Edit::Write { .. }
            | Edit::Delete { .. }
            | Edit::Copy { .. }
            | Edit::Replace { .. }
            | Edit::Resolve { .. } => {
                if let Err(why) = edit.apply(files) {
                    return Played::Failed(Failure { code: 66, why });
                }
            }
        }
    }
    if said.is_empty() {
        said.push("Nothing to say.".to_owned());
    }
    Played::Finished(said.join("\n"))
}

/// The role and round in the first lines of a prompt.
fn asked(prompt: &str) -> Option<(Role, u32)> {
    let mut lines = prompt.lines();
    let role = lines.next()?.strip_prefix("Role: ")?;
    let round = lines.next()?.strip_prefix("Round: ")?.parse().ok()?;
    let role = Role::ALL.into_iter().find(|known| known.word() == role)?;
    Some((role, round))
}

/// How many questions the prompt says were answered.
fn answered(prompt: &str) -> u32 {
    let line = prompt.lines().nth(2).and_then(|line| line.strip_prefix("Answered: "));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(json: &str) -> Script {
        serde_json::from_str(json).unwrap()
    }

    fn in_memory(
        script: &Script,
        prompt: &str,
        files: &mut BTreeMap<String, String>,
    ) -> Transcript {
        let agent = Scripted { program: "/slipway".into(), script: script.clone() };
        let place = Place {
            directory: "/nowhere".into(),
            workspace: "w".to_owned(),
            doors: Vec::new(),
            read_only: Vec::new(),
            masks: Vec::new(),
            limits: crate::sandbox::Limits::default(),
        };
        play_in_memory(&agent.invocation(prompt.to_owned(), place), files).unwrap()
    }

    const STORY: &str = r#"{
        "builder": [[{"write": {"path": "src/a.txt", "text": "one\ntwo\n"}}, {"say": "Built."}]],
        "fixer": [
            [{"replace": {"path": "src/a.txt", "from": "two", "to": "2"}}],
            [{"delete": {"path": "src/a.txt"}}, {"say": "Gone."}]
        ],
        "resolver": [
            [{"resolve": {"path": "c.txt", "by": "union"}}],
            ["crash"], ["hang"], [{"fail": 9}]
        ],
        "planner": [
            [{"copy": {"from": "src/a.txt", "to": "b.txt"}}, {"quote": "b.txt"}],
            [{"quote": "nowhere"}]
        ]
    }"#;

    #[test]
    fn each_role_has_its_rounds_and_the_last_one_repeats() {
        let (script, mut files) = (script(STORY), BTreeMap::new());
        let done = in_memory(&script, "Role: builder\nRound: 1\n", &mut files);
        assert_eq!((done.end, done.stdout.as_str()), (End::Exited(0), "Built."));
        assert!(in_memory(&script, "Role: fixer\nRound: 1\nx", &mut files).succeeded());
        assert_eq!(files["src/a.txt"], "one\n2\n");
        assert_eq!(in_memory(&script, "Role: fixer\nRound: 7\n", &mut files).stdout, "Gone.");
        assert!(files.is_empty());
        let nothing = in_memory(&Script::default(), "Role: planner\nRound: 1\n", &mut files);
        assert_eq!((nothing.succeeded(), files.len()), (true, 0));
        files.insert("src/a.txt".to_owned(), "told".to_owned());
        let quoted = in_memory(&script, "Role: planner\nRound: 1\n", &mut files);
        assert_eq!((quoted.stdout.as_str(), files["b.txt"].as_str()), ("told", "told"));
    }

    #[test]
    fn it_can_go_wrong_in_every_way() {
        let (script, mut files) = (script(STORY), BTreeMap::new());
        let mut end = |prompt: &str| in_memory(&script, prompt, &mut files).end;
        assert_eq!(end("Role: resolver\nRound: 2\n"), End::Signalled(6));
        assert_eq!(end("Role: resolver\nRound: 3\n"), End::TimedOut);
        assert_eq!(end("Role: resolver\nRound: 4\n"), End::Exited(9));
        assert_eq!(end("Role: fixer\nRound: 1\n"), End::Exited(66), "nothing to replace in");
        assert_eq!(end("Role: planner\nRound: 2\n"), End::Exited(66), "nothing to quote");
        assert_eq!(end("Round: 1\nRole: fixer\n"), End::Exited(65));
        assert_eq!(end("Role: boss\nRound: 1\n"), End::Exited(65));
    }

    #[test]
    fn memory_and_disk_end_alike() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = BTreeMap::new();
        let prompt = "Role: builder\nRound: 1\n";
        let said = play(prompt, STORY, directory.path()).unwrap();
        assert_eq!(said, in_memory(&script(STORY), prompt, &mut files).stdout);
        let written = std::fs::read_to_string(directory.path().join("src/a.txt")).unwrap();
        assert_eq!(written, files["src/a.txt"]);
        assert_eq!(play(prompt, "{\"x\": 1}", directory.path()).unwrap_err().code, 64);
    }
}
