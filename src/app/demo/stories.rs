//! The stories: who says what, what the scripted agent does, and how each must end.

use crate::agent::scripted::{Edit, Resolution, Script};

use super::super::args::Demo;

/// A story.
#[expect(clippy::struct_excessive_bools, reason = "each is a twist of its own")]
#[derive(Debug, Clone)]
pub(super) struct Story {
    /// Its name in `--json`.
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) body: String,
    /// What the person comments.
    pub(super) says: &'static str,
    /// An outsider says it instead of the maintainer.
    pub(super) outsider: bool,
    /// Another pull request lands before the reviewer looks.
    pub(super) rival: bool,
    /// The maintainer says `/stop` while the agent works.
    pub(super) stops: bool,
    /// The branch is merged through a merge queue.
    pub(super) queue: bool,
    /// The policy wants commits that GitHub makes and signs.
    pub(super) signed: bool,
    /// The agent asks something, and this is the answer.
    pub(super) answer: Option<&'static str>,
    /// The agent is somebody's who took it over.
    pub(super) hostile: bool,
    pub(super) script: Script,
    /// The outcome it must have.
    pub(super) ends: &'static str,
    /// How often the fixer and the resolver must have been asked; `None` with an agent that
    /// is not ours.
    pub(super) rounds: Option<(u32, u32)>,
}

const TITLE: &str = "Let greet shout";
const BODY: &str = "Sometimes a greeting has to be heard.\n\n\
    `sh greet.sh --shout Ada` should print `HELLO, ADA!`. Without the option nothing changes.";

/// The text library as the agent leaves it.
const TEXT: &str = "\
# Functions that make text.

greet() {
    printf 'Hello, %s!\\n' \"$1\"
}

# Makes what it reads loud.
shout() {
    tr '[:lower:]' '[:upper:]'
}
";

/// The program, with the place where the first version goes wrong.
fn greet(name: &str) -> String {
    format!(
        "\
#!/bin/sh
# Greets whoever is named on the command line; --shout is loud.
set -eu
cd \"$(dirname \"$0\")\"
. ./lib/text.sh

if [ \"${{1:-}}\" = --shout ]; then
    shift
    greet \"${{1:-world}}\" | shout
else
    greet {name}
fi
"
    )
}

fn right() -> String {
    greet("\"${1:-world}\"")
}

/// Names of two words fall apart; only CI tests that.
fn wrong() -> String {
    greet("${1:-world}")
}

fn write(path: &str, text: String) -> Edit {
    Edit::Write { path: path.to_owned(), text }
}

fn say(text: &str) -> Edit {
    Edit::Say(text.to_owned())
}

fn script(first: String) -> Script {
    Script {
        critic: Vec::new(),
        planner: vec![vec![say(
            "1. Add `shout` to `lib/text.sh`.\n2. Let `greet.sh` understand `--shout`.\n\
             3. Leave the tests as they are; they cover the plain greeting.",
        )]],
        builder: vec![vec![
            write("lib/text.sh", TEXT.to_owned()),
            write("greet.sh", first),
            say("`greet.sh --shout NAME` now prints the greeting in capitals."),
        ]],
        fixer: vec![vec![
            write("greet.sh", right()),
            say("The name was not quoted, so names of two words fell apart. It is quoted now."),
        ]],
        resolver: vec![vec![
            Edit::Resolve { path: "lib/text.sh".to_owned(), by: Resolution::Union },
            say("Both sides added a function at the end of `lib/text.sh`; both are kept."),
        ]],
        calls: Vec::new(),
    }
}

fn story(name: &'static str, script: Script) -> Story {
    Story {
        name,
        title: TITLE.to_owned(),
        body: BODY.to_owned(),
        says: "/go",
        outsider: false,
        rival: false,
        stops: false,
        queue: false,
        signed: false,
        answer: None,
        hostile: false,
        script,
        ends: "merged",
        rounds: Some((0, 0)),
    }
}

pub(super) fn happy() -> Story {
    story("happy", script(right()))
}

pub(super) fn red_ci() -> Story {
    Story { rounds: Some((1, 0)), ..story("red-ci", script(wrong())) }
}

pub(super) fn conflict() -> Story {
    Story { rival: true, rounds: Some((0, 1)), ..story("conflict", script(right())) }
}

pub(super) fn full() -> Story {
    Story { rival: true, rounds: Some((1, 1)), ..story("full", script(wrong())) }
}

pub(super) fn outsider() -> Story {
    Story { outsider: true, ends: "refused", ..story("outsider", script(right())) }
}

pub(super) fn stop() -> Story {
    let script = Script { builder: vec![vec![Edit::Hang]], ..script(right()) };
    Story { stops: true, ends: "stopped", ..story("stop", script) }
}

pub(super) fn queue() -> Story {
    Story { queue: true, ..story("queue", script(right())) }
}

/// Plain files alone: GitHub can make the commit by itself.
pub(super) fn signed() -> Story {
    let text =
        "# Greetings\n\n`greet` says hello to whoever is named, and to the world otherwise.\n";
    let script = Script {
        planner: vec![vec![say("1. Describe the greeting in `docs/greetings.md`.")]],
        builder: vec![vec![
            write("docs/greetings.md", text.to_owned()),
            say("`docs/greetings.md` says who is greeted."),
        ]],
        ..script(right())
    };
    let mut story = Story { signed: true, ..story("signed", script) };
    story.title = String::from("Say who is greeted");
    story.body = String::from("A page should say whom `greet.sh` greets.");
    story
}

/// The agent stops to ask, and goes on with the answer from what it had made.
pub(super) fn question() -> Story {
    let question = "Should `--shout` make the name loud too, or only the greeting?\n\n\
                    I would make both loud.";
    let mut script = script(right());
    if let Some(round) = script.builder.first_mut() {
        round.insert(1, Edit::Ask(question.to_owned()));
    }
    let answer = Some("/answer both, as the issue's example shows");
    Story { answer, ..story("question", script) }
}

/// The agent was taken over. It ends with an alarm, and nothing of it leaves.
pub(super) fn hostile() -> Story {
    Story { hostile: true, ends: "failed", ..story("hostile", script(right())) }
}

/// Somebody's own repository, or own agent.
pub(super) fn own(demo: &Demo) -> Story {
    let note = write("SLIPWAY.md", "Slipway was here, and this is all it did.\n".to_owned());
    let mut script = script(right());
    if demo.repo.is_some() {
        script.planner = vec![vec![say("1. Add a note in `SLIPWAY.md`.")]];
        script.builder = vec![vec![note, say("Added `SLIPWAY.md`.")]];
    }
    let mut story = story("own", script);
    if demo.repo.is_some() && demo.agent.is_none() {
        story.title = String::from("Leave a note");
        story.body = String::from("Add a file `SLIPWAY.md` that says Slipway was here.");
    }
    story.rounds = None;
    story.answer = Some("/answer do what you think is best");
    story
}

/// What the other pull request does: a function at the same place.
pub(super) mod rival {
    pub(in crate::app::demo) const BRANCH: &str = "farewell";
    pub(in crate::app::demo) const TITLE: &str = "Say goodbye, too";
    pub(in crate::app::demo) const PATH: &str = "lib/text.sh";
    pub(in crate::app::demo) const TEXT: &str = "\
# Functions that make text.

greet() {
    printf 'Hello, %s!\\n' \"$1\"
}

# What is said at the end.
farewell() {
    printf 'Goodbye, %s!\\n' \"$1\"
}
";
}
