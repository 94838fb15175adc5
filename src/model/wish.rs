//! `codex:gpt-5.5`: how somebody names an agent, and perhaps its model.

/// Longest name of an agent, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Longest name of a model, in characters.
pub const MODEL_CHARS_MAX: usize = 128;
/// Longest wish, in characters.
pub const WISH_CHARS_MAX: usize = NAME_CHARS_MAX + 1 + MODEL_CHARS_MAX;

/// What a wish looks like, as the rest of a sentence.
pub const FORM: &str = "a name of letters, digits, `-`, `_` and `.`, alone as in `codex` or with \
                        its model as in `codex:gpt-5.5`";

/// Whether `text` can be the name of an agent.
pub fn names_agent(text: &str) -> bool {
    plain(text, NAME_CHARS_MAX, b"-_.")
}

/// Whether `text` can be the name of a model. It goes into command lines and files.
pub fn names_model(text: &str) -> bool {
    plain(text, MODEL_CHARS_MAX, b"._:/@-")
}

/// Whether `text` names an agent, alone or with its model.
pub fn fits(text: &str) -> bool {
    match text.split_once(':') {
        None => names_agent(text),
        Some((agent, model)) => names_agent(agent) && names_model(model),
    }
}

fn plain(text: &str, chars_max: usize, marks: &[u8]) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.len() <= chars_max
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || marks.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_wished_for_alone_or_with_its_model() {
        for good in ["codex", "codex:gpt-5.5", "local:qwen3-coder:30b", "o:openrouter/z-ai/glm-5"] {
            assert!(fits(good), "{good}");
        }
        for bad in ["", ":", "codex:", "-x", "../x", "a b", "a/b", "codex:-m", "codex:a b", "@all"]
        {
            assert!(!fits(bad), "{bad}");
        }
        let longest = format!("{}:{}", "a".repeat(NAME_CHARS_MAX), "m".repeat(MODEL_CHARS_MAX));
        assert!(fits(&longest) && longest.len() == WISH_CHARS_MAX);
        assert!(!fits(&format!("a{longest}")) && !fits(&format!("{longest}m")));
    }
}
