//! The grammar of command lines and files in profiles, small and strict.
//!
//! `{model}` is replaced by the model, and refused when there is none. `{?resume:--resume}`
//! becomes `--resume` when something is resumed; otherwise the whole piece it stands in is left
//! out. `{?resume}` becomes the session itself, or the piece is left out. `{model|json}` is the
//! value as a JSON text with its quotes, `{system_text|toml}` as one of TOML. A brace that is
//! not followed by a small letter or `?` is a brace.

use std::borrow::Cow;

/// What can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The model's name.
    Model,
    /// `http://127.0.0.1:port`, where the gateway listens inside.
    Gateway,
    /// The token of the run, which the gateway takes for a key.
    Token,
    /// A key of the agent's own, for those who talk to their own house.
    Key,
    /// The working directory, as the program sees it.
    Directory,
    /// Its home, which nobody sees afterwards.
    Home,
    /// The prompt, or the file it lies in.
    Prompt,
    PromptFile,
    /// The name of a new session, or of the one that is gone on with.
    Session,
    Resume,
    /// Calls of the model at most.
    TurnsMax,
    SystemText,
    SchemaJson,
    SchemaFile,
    /// The commit or branch a review compares with.
    Base,
    /// The operator's own command line.
    Command,
}

impl Slot {
    pub const ALL: [Self; 16] = [
        Self::Model,
        Self::Gateway,
        Self::Token,
        Self::Key,
        Self::Directory,
        Self::Home,
        Self::Prompt,
        Self::PromptFile,
        Self::Session,
        Self::Resume,
        Self::TurnsMax,
        Self::SystemText,
        Self::SchemaJson,
        Self::SchemaFile,
        Self::Base,
        Self::Command,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Gateway => "gateway",
            Self::Token => "token",
            Self::Key => "key",
            Self::Directory => "directory",
            Self::Home => "home",
            Self::Prompt => "prompt",
            Self::PromptFile => "prompt_file",
            Self::Session => "session",
            Self::Resume => "resume",
            Self::TurnsMax => "turns_max",
            Self::SystemText => "system_text",
            Self::SchemaJson => "schema_json",
            Self::SchemaFile => "schema_file",
            Self::Base => "base",
            Self::Command => "command",
        }
    }

    /// What it becomes, for the document.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Model => "the model's name",
            Self::Gateway => "where the gateway listens inside, such as `http://127.0.0.1:8787`",
            Self::Token => "the token of the run, which the gateway takes for a key",
            Self::Key => "a key of the agent's own, for who talks to its own house",
            Self::Directory => "the working directory",
            Self::Home => "its home, which is new for every start",
            Self::Prompt => "the prompt, where it comes as an argument",
            Self::PromptFile => "the file the prompt lies in",
            Self::Session => "the name of a new session",
            Self::Resume => "the session that is gone on with",
            Self::TurnsMax => "calls of the model at most",
            Self::SystemText => "standing instructions, in `system_prompt`",
            Self::SchemaJson => "the schema of the answer, in `schema`",
            Self::SchemaFile => "the file the schema lies in",
            Self::Base => "the commit or branch a review compares with",
            Self::Command => "the profile's own `command`",
        }
    }

    /// Whether its value is a number or made of letters that mean nothing in JSON and TOML.
    fn is_plain(self) -> bool {
        match self {
            Self::Model | Self::Gateway | Self::Session | Self::Resume | Self::TurnsMax => true,
            Self::Token
            | Self::Key
            | Self::Directory
            | Self::Home
            | Self::Prompt
            | Self::PromptFile
            | Self::SystemText
            | Self::SchemaJson
            | Self::SchemaFile
            | Self::Base
            | Self::Command => false,
        }
    }

    fn parse(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|slot| slot.word() == word).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|slot| slot.word()).collect();
            format!("there is no placeholder {{{word}}}; known are {}", known.join(", "))
        })
    }
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Plain,
    Json,
    Toml,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Value(Slot, Filter),
    /// The text where the slot is filled; the slot itself when there is no text.
    Maybe(Slot, Option<String>),
}

/// A text with placeholders, read and found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template; the error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find('{') {
            let (before, behind) = rest.split_at(at);
            literal.push_str(before);
            let inner = behind.strip_prefix('{').unwrap_or_default();
            if !inner.starts_with(|c: char| c.is_ascii_lowercase() || c == '?') {
                literal.push('{');
                rest = inner;
                continue;
            }
            let (inner, after) = inner.split_once('}').ok_or_else(|| {
                format!("a placeholder is not closed in {text:?}; write }} behind it")
            })?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part(inner)?);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As [`Template::parse`], for a file that a machine reads: nothing is left out of it, and
    /// what could break out of a string is escaped.
    pub fn parse_file(text: &str) -> Result<Self, String> {
        let template = Self::parse(text)?;
        for part in &template.parts {
            match part {
                Part::Maybe(slot, _) => {
                    return Err(format!(
                        "{{?{}}} cannot leave out a part of a file; write it without ?",
                        slot.word()
                    ));
                }
                Part::Value(slot, Filter::Plain) if !slot.is_plain() => {
                    return Err(format!(
                        "{{{0}}} could break out of the file; write {{{0}|json}} or {{{0}|toml}} \
                         without quotes",
                        slot.word()
                    ));
                }
                Part::Value(..) | Part::Literal(_) => {}
            }
        }
        Ok(template)
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `slot` stands in it.
    pub fn names(&self, slot: Slot) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Value(named, _) | Part::Maybe(named, _) => *named == slot,
            Part::Literal(_) => false,
        })
    }

    /// The text; `None` when it is left out. The error is the slot that has no value.
    pub fn fill<'v>(
        &self,
        value: &dyn Fn(Slot) -> Option<Cow<'v, str>>,
    ) -> Result<Option<String>, Slot> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Value(slot, filter) => {
                    filled.push_str(&filter.write(value(*slot).ok_or(*slot)?.as_ref()));
                }
                Part::Maybe(slot, text) => {
                    let Some(value) = value(*slot) else { return Ok(None) };
                    filled.push_str(text.as_deref().unwrap_or_else(|| value.as_ref()));
                }
            }
        }
        Ok(Some(filled))
    }
}

fn part(inner: &str) -> Result<Part, String> {
    if let Some(maybe) = inner.strip_prefix('?') {
        return match maybe.split_once(':') {
            None => Ok(Part::Maybe(Slot::parse(maybe)?, None)),
            Some((slot, text)) => Ok(Part::Maybe(Slot::parse(slot)?, Some(text.to_owned()))),
        };
    }
    let (slot, filter) = match inner.split_once('|') {
        None => (inner, Filter::Plain),
        Some((slot, "json")) => (slot, Filter::Json),
        Some((slot, "toml")) => (slot, Filter::Toml),
        Some((_, other)) => {
            return Err(format!("there is no filter |{other}; write |json or |toml"));
        }
    };
    Ok(Part::Value(Slot::parse(slot)?, filter))
}

impl Filter {
    fn write(self, value: &str) -> String {
        let json = || serde_json::Value::from(value).to_string();
        match self {
            Self::Plain => value.to_owned(),
            Self::Json => json(),
            // The one character that a JSON text may hold as it is and a TOML text may not.
            Self::Toml => json().replace('\u{7f}', "\\u007f"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill(text: &str, session: Option<&str>) -> Result<Option<String>, Slot> {
        let value = |slot: Slot| {
            let model = (slot == Slot::Model).then_some(Cow::Borrowed("m-1"));
            model.or_else(|| session.filter(|_| slot == Slot::Resume).map(Cow::Borrowed))
        };
        Template::parse(text).unwrap().fill(&value)
    }

    #[test]
    fn pieces_are_filled_or_left_out() {
        let said = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(fill("--model={model}", None), said("--model=m-1"));
        assert_eq!(fill("{?resume:--resume}", Some("s")), said("--resume"));
        assert_eq!(fill("--id={?resume}", Some("s")), said("--id=s"));
        assert_eq!(fill("--id={?resume}", None), Ok(None));
        assert_eq!(fill("{ \"a\": {} }", None), said("{ \"a\": {} }"));
        assert_eq!(fill("{key}", None), Err(Slot::Key));
        assert_eq!(fill("", None), said(""));
    }

    #[test]
    fn what_is_no_placeholder_is_refused_with_what_is() {
        let refused = |text: &str| Template::parse(text).unwrap_err();
        insta::assert_snapshot!(refused("{modle}"),
            @"there is no placeholder {modle}; known are model, gateway, token, key, directory, home, prompt, prompt_file, session, resume, turns_max, system_text, schema_json, schema_file, base, command");
        insta::assert_snapshot!(refused("x{model"),
            @r#"a placeholder is not closed in "x{model"; write } behind it"#);
        insta::assert_snapshot!(refused("{model|yaml}"),
            @"there is no filter |yaml; write |json or |toml");
        let refused = |text: &str| Template::parse_file(text).unwrap_err();
        insta::assert_snapshot!(refused("{?resume}"),
            @"{?resume} cannot leave out a part of a file; write it without ?");
        insta::assert_snapshot!(refused("\"{system_text}\""),
            @"{system_text} could break out of the file; write {system_text|json} or {system_text|toml} without quotes");
    }

    proptest! {
        #[test]
        fn no_value_breaks_out_of_a_json_or_toml_text(value in any::<String>()) {
            let hand = |_: Slot| Some(Cow::Borrowed(value.as_str()));
            let json = Template::parse("{ \"a\": {prompt|json} }").unwrap().fill(&hand).unwrap();
            let read: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
            prop_assert_eq!(read.get("a").unwrap().as_str(), Some(value.as_str()));
            let toml = Template::parse("a = {prompt|toml}").unwrap().fill(&hand).unwrap();
            let read: toml::Table = toml.unwrap().parse().unwrap();
            prop_assert_eq!(read.get("a").unwrap().as_str(), Some(value.as_str()));
        }

        #[test]
        fn no_text_makes_the_grammar_panic(text in "[{}?:|a-z\"é ]{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                drop(template.fill(&|_| None));
            }
        }
    }
}
