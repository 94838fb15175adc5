//! `[prompts]`: a directory with the operator's own words for what agents are asked.

use std::path::Path;

use super::ConfigError;
use super::layer::Said;
use super::read::text_of;
use crate::agent::prompt::{Piece, TEMPLATE_BYTES_MAX, Template, Templates, task};

/// Most files looked at in the directory.
const FILES_MAX: usize = 100;

pub(super) fn parse(said: Option<Said<String>>) -> Result<Templates, ConfigError> {
    let Some(Said { value: directory, place }) = said else { return Ok(Templates::default()) };
    read(Path::new(&directory), &place)
}

/// Reads the templates of a directory that was named at `place`, and renders each once.
pub fn read(directory: &Path, place: &str) -> Result<Templates, ConfigError> {
    let refuse = |why: String, next: &str| Err(ConfigError::new(place, why, next));
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            let why = format!("{} cannot be read: {error}", directory.display());
            return refuse(why, "name a directory that this user may read");
        }
    };
    let mut templates = Templates::default();
    for entry in entries.take(FILES_MAX).filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_none_or(|end| end != "md") {
            continue;
        }
        let Some(piece) = Piece::ALL.into_iter().find(|piece| piece.file() == name) else {
            let known = Piece::ALL.map(Piece::file).join(", ");
            return refuse(
                format!("{name} is the name of no prompt template"),
                &format!("call it one of {known}, or take it away"),
            );
        };
        let path = entry.path();
        let text = text_of(&path, &path.display().to_string(), TEMPLATE_BYTES_MAX as u64)?;
        let source = Template { place: path.display().to_string(), text: text.reveal().to_owned() };
        templates.set(piece, source);
    }
    match templates.check(task) {
        Ok(()) => Ok(templates),
        Err(broken) => {
            let line =
                if broken.line == 0 { String::new() } else { format!(", line {}", broken.line) };
            Err(ConfigError::new(
                format!("{}{line}", broken.place),
                broken.why,
                "correct it or take it away (docs/PROMPTS.md)",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    #[test]
    fn a_directory_of_templates_is_read_and_each_is_tried() {
        let files = [("builder.md", "{{ default }} Carefully."), ("README", "about these")];
        let good = directory(&files);
        assert!(!read(good.path(), "prompts").unwrap().is_empty());
        assert!(parse(None).unwrap().is_empty());
        let none = Said::at("slipway.toml, key prompts", "/nowhere/at/all".to_owned());
        let refused = parse(Some(none)).unwrap_err().to_string();
        assert!(refused.contains("key prompts: /nowhere/at/all cannot be read"), "{refused}");
    }

    #[test]
    fn what_no_run_could_use_is_refused_with_file_and_line() {
        let refused = |name: &str, text: &str| {
            let directory = directory(&[(name, text)]);
            let refused = read(directory.path(), "prompts").unwrap_err().to_string();
            refused.replace(&directory.path().display().to_string(), "DIR")
        };
        insta::assert_snapshot!(refused("fixer.md", "a\n{{ titel }}"),
            @"DIR/fixer.md, line 2: it uses a name that is none; known are repo, issue, run, role, round, base, branch, agent, model, verify, protected, default, persona; correct it or take it away (docs/PROMPTS.md)");
        insta::assert_snapshot!(refused("fixxer.md", "a"),
            @"prompts: fixxer.md is the name of no prompt template; call it one of persona.md, planner.md, builder.md, fixer.md, resolver.md, critic.md, or take it away");
        let long = refused("persona.md", &"x".repeat(TEMPLATE_BYTES_MAX + 1));
        assert!(long.contains("larger than"), "{long}");
    }
}
