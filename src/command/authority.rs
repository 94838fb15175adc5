//! Who may give a command: the proof of permission, and the sentence for those who may not.

use serde::{Deserialize, Serialize};

use super::SlashCommand;
use crate::model::{CommentId, Millis, Permission, User};

/// Where a command was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Comment(CommentId),
    /// A button of our check run.
    Button,
    /// The operator, at the machine (`slipway stop`).
    Operator,
}

/// Proof that the author of a command was found to hold the permission it needs, a moment ago.
/// [`authorize`] is the only way to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorized {
    command: SlashCommand,
    by: User,
    source: Source,
    /// When it was written, in GitHub's whole seconds; `None` for what is not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<Millis>,
}

impl Authorized {
    /// The same, written at this moment.
    #[must_use]
    pub fn written_at(mut self, at: Millis) -> Self {
        self.written = Some(at);
        self
    }

    /// Whether it was written before `moment`, as far as whole seconds can tell.
    pub fn is_older_than(&self, moment: Millis) -> bool {
        self.written.is_some_and(|written| written.plus(1_000) <= moment)
    }

    /// The same word of the same person for another run, which has no comment to answer.
    #[must_use]
    pub fn relayed(&self) -> Self {
        Self { source: Source::Button, ..self.clone() }
    }

    pub fn command(&self) -> &SlashCommand {
        &self.command
    }

    pub fn by(&self) -> &User {
        &self.by
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The comment to answer, when it came from one.
    pub fn comment(&self) -> Option<CommentId> {
        match self.source {
            Source::Comment(id) => Some(id),
            Source::Button | Source::Operator => None,
        }
    }
}

/// Why somebody may not; the text is for that person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub text: String,
}

/// Whether `by`, holding `held` by GitHub's own word a moment ago, may give `command`.
/// Bots never may, whatever they hold.
pub fn authorize(
    command: SlashCommand,
    by: User,
    held: Permission,
    source: Source,
) -> Result<Authorized, Refusal> {
    let spec = command.spec();
    if by.bot {
        let text = format!("`/{}` is for people; bots cannot give it.", spec.word);
        return Err(Refusal { text });
    }
    if held < spec.needs {
        return Err(Refusal { text: refusal(spec.word, spec.needs, held) });
    }
    Ok(Authorized { command, by, source, written: None })
}

/// The same for whoever wrote the issue it is said on: some commands they may give there,
/// whatever they hold.
pub fn authorize_author(
    command: SlashCommand,
    by: User,
    held: Permission,
    source: Source,
) -> Result<Authorized, Refusal> {
    let held = if command.spec().author { held.max(command.spec().needs) } else { held };
    authorize(command, by, held, source)
}

fn refusal(word: &str, needs: Permission, held: Permission) -> String {
    let has = match held {
        Permission::None => "none".to_owned(),
        Permission::Read
        | Permission::Triage
        | Permission::Write
        | Permission::Maintain
        | Permission::Admin => format!("{held} access"),
    };
    format!(
        "`/{word}` needs {needs} access to this repository and you have {has}; please ask \
         somebody with {needs} access to comment `/{word}`."
    )
}

#[cfg(test)]
mod tests {
    use super::super::{ALL, Go, Parsed, Spec, parse};
    use super::*;
    use crate::model::UserId;
    use crate::policy::wrapped::wrapped;

    fn ask(command: SlashCommand, held: Permission, bot: bool) -> Result<Authorized, Refusal> {
        let by = User { id: UserId(7), login: "ann".to_owned(), bot };
        authorize(command, by, held, Source::Comment(CommentId(3)))
    }

    /// The command as its own first example gives it.
    fn example(spec: &Spec) -> SlashCommand {
        let Parsed::Command(command) = parse(spec.examples[0].text) else { panic!("{spec:?}") };
        command
    }

    fn refusal_of(command: SlashCommand, held: Permission, bot: bool) -> String {
        wrapped(&ask(command, held, bot).unwrap_err().text, 36)
    }

    const LEVELS: [Permission; 6] = [
        Permission::None,
        Permission::Read,
        Permission::Triage,
        Permission::Write,
        Permission::Maintain,
        Permission::Admin,
    ];

    #[test]
    fn whoever_may_write_may_command_and_whoever_may_read_may_ask() {
        let mut table = String::new();
        for spec in ALL {
            let command = || example(spec);
            let may: Vec<&str> = LEVELS
                .into_iter()
                .filter(|&held| ask(command(), held, false).is_ok())
                .map(Permission::word)
                .collect();
            table.extend([spec.word, ": ", &may.join(" "), "\n"]);
            assert!(LEVELS.into_iter().all(|held| ask(command(), held, true).is_err()));
        }
        insta::assert_snapshot!(table, @"
        go: write maintain admin
        stop: triage write maintain admin
        retry: write maintain admin
        status: read triage write maintain admin
        push: write maintain admin
        approve: write maintain admin
        merge: write maintain admin
        hold: write maintain admin
        unhold: write maintain admin
        budget: maintain admin
        answer: write maintain admin
        help: read triage write maintain admin
        ");
    }

    #[test]
    fn a_refusal_says_who_may_and_what_to_do() {
        let go = || SlashCommand::Go(Go::default());
        insta::assert_snapshot!(refusal_of(go(), Permission::Read, false), @"
        `/go` needs write access to this
        repository and you have read access;
        please ask somebody with write
        access to comment `/go`.
        ");
        insta::assert_snapshot!(refusal_of(go(), Permission::None, false), @"
        `/go` needs write access to this
        repository and you have none; please
        ask somebody with write access to
        comment `/go`.
        ");
        insta::assert_snapshot!(refusal_of(go(), Permission::Admin, true), @"
        `/go` is for people; bots cannot
        give it.
        ");
    }

    #[test]
    fn whoever_wrote_the_issue_may_stop_there_and_nothing_else() {
        let by = |bot| User { id: UserId(7), login: "ann".to_owned(), bot };
        for spec in ALL {
            for held in LEVELS {
                let given = |author: bool, bot: bool| {
                    let (command, source) = (example(spec), Source::Comment(CommentId(3)));
                    let ask = if author { authorize_author } else { authorize };
                    ask(command, by(bot), held, source).is_ok()
                };
                assert_eq!(given(true, false), given(false, false) || spec.word == "stop");
                assert!(!given(true, true), "never a bot");
            }
        }
    }

    #[test]
    fn the_proof_remembers_whom_to_answer() {
        let proof = ask(SlashCommand::Stop, Permission::Write, false).unwrap();
        assert_eq!(proof.comment(), Some(CommentId(3)));
        assert_eq!(proof.by().login, "ann");
        assert_eq!(proof.command(), &SlashCommand::Stop);
    }
}
