//! `codex:gpt-5.5`: which agent somebody wants, and perhaps with which model.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use crate::model::wish::{MODEL_CHARS_MAX, NAME_CHARS_MAX};
use crate::model::wish::{names_agent, names_model};

/// An agent and, where it is named, its model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wanted {
    agent: String,
    model: Option<Model>,
}

/// The name of a model. It goes into command lines and files, so its letters are few.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Model(String);

impl Model {
    /// Reads a name; the error is a sentence about what may be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        if names_model(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "a model's name begins with a letter or digit, has at most {MODEL_CHARS_MAX} \
             characters, and only letters, digits and . _ : / @ -"
        ))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Wanted {
    pub fn new(agent: &str, model: Option<Model>) -> Result<Self, String> {
        if names_agent(agent) {
            return Ok(Self { agent: agent.to_owned(), model });
        }
        Err(format!(
            "an agent's name begins with a letter or digit, has at most {NAME_CHARS_MAX} \
             characters, and only letters, digits, and - _ . in it; write `codex` or \
             `codex:gpt-5.5`"
        ))
    }

    pub fn agent(&self) -> &str {
        &self.agent
    }

    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None => Self::new(text, None),
            Some((agent, model)) => Self::new(agent, Some(Model::parse(model)?)),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.model {
            None => f.write_str(&self.agent),
            Some(model) => write!(f, "{}:{}", self.agent, model.0),
        }
    }
}

impl TryFrom<String> for Wanted {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Wanted> for String {
    fn from(wanted: Wanted) -> Self {
        wanted.to_string()
    }
}

impl TryFrom<String> for Model {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Model> for String {
    fn from(model: Model) -> Self {
        model.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_named_alone_or_with_its_model() {
        for (text, agent, model) in [
            ("codex", "codex", None),
            ("codex:gpt-5.5", "codex", Some("gpt-5.5")),
            ("local:qwen3-coder:30b", "local", Some("qwen3-coder:30b")),
            ("opencode:openrouter/z-ai/glm-5", "opencode", Some("openrouter/z-ai/glm-5")),
        ] {
            let wanted: Wanted = text.parse().unwrap();
            assert_eq!((wanted.agent(), wanted.model().map(Model::as_str)), (agent, model));
            assert_eq!(wanted.to_string(), text);
        }
    }

    #[test]
    fn nothing_that_could_be_an_option_or_markup_is_a_name() {
        let long = format!("codex:{}", "m".repeat(MODEL_CHARS_MAX + 1));
        for bad in
            ["", ":", "codex:", "Co dex", "-x", "codex:-m", "codex:a b", "a\"b", "c:`x`", &long]
        {
            assert!(bad.parse::<Wanted>().is_err(), "{bad:?}");
        }
        assert!(Wanted::new(&"a".repeat(NAME_CHARS_MAX), None).is_ok());
        assert!(Wanted::new(&"a".repeat(NAME_CHARS_MAX + 1), None).is_err());
    }
}
