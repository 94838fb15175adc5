//! `slipway prompts`: what agents are asked, and whether templates of your own can be used.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use super::args::{OfPrompts, Prompts};
use crate::agent::prompt::{Ask, Known, Piece, Templates, Voice, prompt, task};
use crate::config::prompts;
use crate::model::{Repo, RunId};
use crate::pipeline::Role;
use crate::policy::Limits;

/// Checks a directory of templates, or shows a prompt.
pub(super) fn prompts_of(prompts: &Prompts) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match &prompts.of {
        OfPrompts::Check { directory } => {
            let templates = prompts::read(directory, "the directory")?;
            let told = if templates.is_empty() { "it holds no template" } else { "all is well" };
            writeln!(out, "{}: {told}", directory.display())?;
        }
        OfPrompts::Show { role, directory } => {
            let role = role_of(role)?;
            let templates = match directory {
                Some(directory) => prompts::read(directory, "--directory")?,
                None => Templates::default(),
            };
            out.write_all(shown(role, &templates)?.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn role_of(name: &str) -> anyhow::Result<Role> {
    let roles: Vec<Role> = Piece::ALL.into_iter().filter_map(Piece::role).collect();
    let known = || roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(", ");
    let found = roles.iter().copied().find(|role| role.word() == name);
    found.with_context(|| format!("there is no role {name:?}; write one of {}", known()))
}

/// The prompt of an issue that says what such a text would be.
fn shown(role: Role, templates: &Templates) -> anyhow::Result<String> {
    let (repo, run) = (Repo::parse("octo/hello")?, RunId::parse("r0123456789")?);
    let voice = templates.voice(role, &known(&repo, &run), task)?;
    Ok(prompt(&ask((role, voice), &repo, &run)))
}

fn known<'a>(repo: &Repo, run: &'a RunId) -> Known<'a> {
    Known {
        repo: repo.to_string(),
        issue: 1,
        run: run.as_str(),
        round: 1,
        base: "main",
        branch: "",
        agent: "codex",
        model: "",
        verify: &[],
        protected: &[],
    }
}

fn ask<'a>((role, voice): (Role, Voice), repo: &'a Repo, run: &'a RunId) -> Ask<'a> {
    Ask {
        title: "The title of the issue",
        body: "The body of the issue.",
        questions_left: Limits::default().questions_max,
        voice,
        ..Ask::about(role, repo, run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::prompt::Template;

    #[test]
    fn a_role_is_shown_with_and_without_templates() {
        let builder = role_of("builder").unwrap();
        let own = shown(builder, &Templates::default()).unwrap();
        assert!(own.starts_with("Role: builder\nRound: 1\n") && own.contains("make the change"));
        let mut templates = Templates::default();
        let place = "builder.md".to_owned();
        let text = "Work on {{ repo }}#{{ issue }} for {{ base }}.".to_owned();
        templates.set(Piece::Task(builder), Template { place, text });
        let said = shown(builder, &templates).unwrap();
        assert!(said.contains("\n\nWork on octo/hello#1 for main.\n\nRules:\n"), "{said}");
        assert!(!said.contains("make the change"));
        let refused = role_of("boss").unwrap_err().to_string();
        assert!(refused.contains("planner, builder, fixer, resolver"), "{refused}");
    }
}
