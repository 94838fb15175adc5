//! The program that a shell command starts, found without running it.

/// Which program `command` starts when `sh -c` runs it; `None` when only a shell can tell.
pub(super) fn program(command: &str) -> Option<String> {
    let mut rest = command.trim_start();
    loop {
        let (word, after) = word(rest)?;
        rest = after.trim_start();
        if !is_assignment(&word) && word != "exec" {
            return (!word.is_empty()).then_some(word);
        }
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The first word with its quotes taken off, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next()?.1 {
                    '\'' => break,
                    inner => word.push(inner),
                }
            },
            '"' => loop {
                match chars.next()?.1 {
                    '"' => break,
                    '$' | '`' => return None,
                    '\\' => word.push(chars.next()?.1),
                    inner => word.push(inner),
                }
            },
            '\\' => word.push(chars.next()?.1),
            c if c.is_whitespace() => return Some((word, text.get(at..).unwrap_or_default())),
            c if "$`;|&(){}<>*?[]~#!".contains(c) => return None,
            c => word.push(c),
        }
    }
    Some((word, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_command_is_found() {
        for (command, found) in [
            ("claude -p --fast", Some("claude")),
            ("  /opt/agents/run", Some("/opt/agents/run")),
            ("A=1 B='two words' exec \"/my place/agent\" -x", Some("/my place/agent")),
            ("KEY=\"a\\\"b\" my\\ agent", Some("my agent")),
            ("KEY=\"$(cat key)\" agent", None),
            ("cd x && agent", Some("cd")),
            ("(agent)", None),
            ("~/agent", None),
            ("'open", None),
            ("A=1", None),
            ("", None),
        ] {
            assert_eq!(program(command).as_deref(), found, "{command}");
        }
    }
}
