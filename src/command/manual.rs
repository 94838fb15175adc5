//! The answer to `/help` and `docs/COMMANDS.md`, both written from the list of commands.

use std::fmt::Write as _;

use super::{ALL, LINE_CHARS_MAX, Spec, WORDS_CHARS_MAX};
use crate::markdown;
use crate::model::sanitized::{Markdown, code, said};

/// The answer to `/help`: one table.
pub fn help() -> Markdown {
    let mut out = Markdown::from("| Command | What it does | Who may |\n|---|---|---|\n");
    for spec in ALL {
        out.push(&row(spec));
    }
    out.push(&"\nA command stands on the first line of a new comment.\n".into());
    out
}

/// The whole of `docs/COMMANDS.md`.
pub fn manual() -> String {
    let mut out = String::from(
        "# Commands\n\n<!-- Written by `command::manual`; \
         `SLIPWAY_UPDATE=1 cargo test commands_document` brings it up to date. -->\n\n",
    );
    rules(&mut out);
    out.push_str("\n| Command | What it does | Who may |\n|---|---|---|\n");
    for spec in ALL {
        out.push_str(row(spec).as_str());
    }
    for spec in ALL {
        section(&mut out, spec);
    }
    buttons(&mut out);
    out
}

fn rules(out: &mut String) {
    out.push_str("A command is a comment on an issue or a pull request.\n\n");
    for rule in [
        "It stands on the first line of the comment, with at most three spaces before it. A \
         line in a code block, a quote or an HTML comment is no command."
            .to_owned(),
        "Only a new comment counts: an edit never starts or changes anything.".to_owned(),
        "The author's permission is asked from GitHub at that moment, again before a push and \
         before a merge, always by id. Bots are not heard unless the operator lists them, and what \
         an App typed in a person's name is nobody's word."
            .to_owned(),
        "The comment is read once more before it is obeyed: edited or deleted meanwhile, it is \
         no command. One that would start something and is heard late is answered with \"say it \
         again\"."
            .to_owned(),
        "Capitals do not matter in the command's word; a near miss is answered with a hint, and \
         anything else after a slash is left alone."
            .to_owned(),
        format!(
            "The first line has at most {LINE_CHARS_MAX} characters; of the words for the agent \
             the first {WORDS_CHARS_MAX} are kept."
        ),
        "Whatever cannot be read as it was meant is answered with one sentence, and nothing is \
         done."
            .to_owned(),
    ] {
        _ = writeln!(out, "- {rule}");
    }
}

fn row(spec: &Spec) -> Markdown {
    let needs = said(&spec.needs.to_string());
    let author = if spec.author { ", or who wrote the issue" } else { "" };
    markdown!("| {} | {} | {} or more{} |\n", code(spec.usage), spec.summary, needs, author)
}

fn section(out: &mut String, spec: &Spec) {
    _ = writeln!(out, "\n## `/{}`\n\n{}\n", spec.word, spec.summary);
    if !spec.options.is_empty() {
        out.push_str("| Option | Meaning |\n|---|---|\n");
        for option in spec.options {
            let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
            _ = writeln!(out, "| `{}{value}` | {} |", option.name, option.summary);
        }
        out.push('\n');
    }
    for example in spec.examples {
        _ = writeln!(out, "- `{}` — {}", example.text, example.meaning);
    }
}

fn buttons(out: &mut String) {
    out.push_str("\n## Buttons\n\nThe check run has them where they make sense:\n\n");
    for spec in ALL {
        if let Some(button) = &spec.button {
            _ = writeln!(
                out,
                "- **{}** does what `/{}` does: {}.",
                button.label(),
                spec.word,
                button.description()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/COMMANDS.md");
        let fresh = manual();
        if std::env::var_os("SLIPWAY_UPDATE").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(kept, fresh, "docs/COMMANDS.md is stale; run again with SLIPWAY_UPDATE=1");
    }

    #[test]
    fn help_names_every_command_and_begins_no_line_with_one() {
        let help = help().to_string();
        assert!(ALL.iter().all(|spec| help.contains(&format!("`{}`", spec.usage))));
        assert!(!help.lines().any(|line| line.starts_with('/')));
    }
}
