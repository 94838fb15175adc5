//! Templates: what an operator or a repository says in the place of our sentences about a task.
//!
//! A template never sees what strangers wrote, and never replaces a rule. One that does not
//! render is an error with its place; nothing is put in its stead.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};

use crate::model::clean::{LINE_CHARS_MAX, clean};
use crate::pipeline::stage::Role;

/// Largest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 32 << 10;
/// Longest text that comes of one, in characters.
pub const RENDERED_CHARS_MAX: usize = 16_000;
/// What rendering may cost: an instruction is one, and so are 64 bytes that are made, so that it
/// bounds time and memory.
const FUEL_MAX: u64 = 20_000;
/// How deep what is rendered may be nested.
const DEPTH_MAX: usize = 50;

/// The names a template may use, with what they become, for the document.
pub const VARIABLES: [(&str, &str); 13] = [
    ("repo", "`owner/name`"),
    ("issue", "the number of the issue"),
    ("run", "the name of the run"),
    ("role", "`planner`, `builder`, `fixer`, `resolver` or `critic`"),
    ("round", "from 1, how often it is asked"),
    ("base", "the branch that is merged into"),
    ("branch", "the branch that is pushed; empty before there is one"),
    ("agent", "the agent's name"),
    ("model", "its model; empty where none is named"),
    ("verify", "the list of commands that are run afterwards"),
    ("protected", "the list of paths that may not be changed, of the policy"),
    ("default", "our own sentences for this role; empty in `persona.md`"),
    ("persona", "what `persona.md` became; it stands in front in any case"),
];

/// One file of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Who the agent is to be, in every role.
    Persona,
    /// What it is asked to do, in this one.
    Task(Role),
}

impl Piece {
    pub const ALL: [Self; 6] = [
        Self::Persona,
        Self::Task(Role::Planner),
        Self::Task(Role::Builder),
        Self::Task(Role::Fixer),
        Self::Task(Role::Resolver),
        Self::Task(Role::Critic),
    ];

    /// Whose task it is about.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Persona => None,
            Self::Task(role) => Some(role),
        }
    }

    /// The name of its file.
    pub fn file(self) -> String {
        match self {
            Self::Persona => "persona.md".to_owned(),
            Self::Task(role) => format!("{}.md", role.word()),
        }
    }
}

/// A template, and where somebody finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub place: String,
    pub text: String,
}

/// A set of templates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Templates(BTreeMap<Piece, Source>);

/// What a template knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'a> {
    pub repo: String,
    pub issue: u64,
    pub run: &'a str,
    pub round: u32,
    pub base: &'a str,
    pub branch: &'a str,
    pub agent: &'a str,
    pub model: &'a str,
    pub verify: &'a [String],
    pub protected: &'a [String],
}

/// What the templates became, for one role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Voice {
    pub persona: Option<String>,
    /// In the place of our own sentences.
    pub task: Option<String>,
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub place: String,
    /// From 1; 0 where it is about the whole file.
    pub line: usize,
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, line, why } = self;
        let line = if *line == 0 { String::new() } else { format!(", line {line}") };
        write!(
            f,
            "the prompt template {place}{line}: {why}; correct it or take it away \
             (docs/PROMPTS.md)"
        )
    }
}

impl std::error::Error for Broken {}

impl Templates {
    pub fn set(&mut self, piece: Piece, source: Source) {
        self.0.insert(piece, source);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, with `upper` in front of them file by file.
    #[must_use]
    pub fn under(&self, upper: Self) -> Self {
        let mut all = self.0.clone();
        all.extend(upper.0);
        Self(all)
    }

    /// Renders every template once for something made up. An error is one that no run could use.
    pub fn check(&self, own: fn(Role) -> &'static str) -> Result<(), Broken> {
        let list = ["one".to_owned(), "two".to_owned()];
        let known = Known {
            repo: "octo/hello".to_owned(),
            issue: 1,
            run: "r0123456789",
            round: 1,
            base: "main",
            branch: "slipway/1",
            agent: "codex",
            model: "a-model",
            verify: &list,
            protected: &list,
        };
        self.voice(Role::Builder, &known, own).map(drop)
    }

    /// What an agent is told in `role`. Every template of the set has to render, so that one that
    /// is broken is told of before anything was paid for.
    pub fn voice(
        &self,
        role: Role,
        known: &Known<'_>,
        own: fn(Role) -> &'static str,
    ) -> Result<Voice, Broken> {
        let mut voice = Voice::default();
        for piece in Piece::ALL {
            let Some(source) = self.0.get(&piece) else { continue };
            let (as_role, default) = match piece {
                Piece::Persona => (role, ""),
                Piece::Task(own_role) => (own_role, own(own_role)),
            };
            let persona = voice.persona.as_deref().unwrap_or_default();
            let text = render(source, &values(known, as_role, (default, persona)))?;
            match piece {
                Piece::Persona => voice.persona = Some(text),
                Piece::Task(own_role) if own_role == role => voice.task = Some(text),
                Piece::Task(_) => {}
            }
        }
        Ok(voice)
    }
}

fn values(known: &Known<'_>, role: Role, (default, persona): (&str, &str)) -> Value {
    let list = |texts: &[String]| texts.iter().map(String::as_str).collect::<Value>();
    let values: [(&str, Value); VARIABLES.len()] = [
        ("repo", Value::from(known.repo.as_str())),
        ("issue", Value::from(known.issue)),
        ("run", Value::from(known.run)),
        ("role", Value::from(role.word())),
        ("round", Value::from(known.round)),
        ("base", Value::from(known.base)),
        ("branch", Value::from(known.branch)),
        ("agent", Value::from(known.agent)),
        ("model", Value::from(known.model)),
        ("verify", list(known.verify)),
        ("protected", list(known.protected)),
        ("default", Value::from(default)),
        ("persona", Value::from(persona)),
    ];
    Value::from(BTreeMap::from(values))
}

fn render(source: &Source, values: &Value) -> Result<String, Broken> {
    let broken = |line: usize, why: String| Broken { place: source.place.clone(), line, why };
    if source.text.len() > TEMPLATE_BYTES_MAX {
        return Err(broken(0, format!("it is longer than {TEMPLATE_BYTES_MAX} bytes")));
    }
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_fuel(Some(FUEL_MAX));
    engine.set_recursion_limit(DEPTH_MAX);
    engine.add_filter("join", |list: Vec<String>, between: String| list.join(&between));
    let rendered = engine.render_str(&source.text, values);
    let rendered = rendered.map_err(|error| broken(error.line().unwrap_or(0), why(&error)))?;
    // Nobody is told what people do not see.
    let cleaned = clean(&rendered);
    if cleaned.cut {
        return Err(broken(
            0,
            format!("a line of more than {LINE_CHARS_MAX} characters comes of it"),
        ));
    }
    let text = cleaned.text.trim().to_owned();
    if text.is_empty() {
        return Err(broken(0, "nothing comes of it".to_owned()));
    }
    if text.chars().count() > RENDERED_CHARS_MAX {
        let why = format!("more than {RENDERED_CHARS_MAX} characters come of it");
        return Err(broken(0, why));
    }
    Ok(text)
}

fn why(error: &minijinja::Error) -> String {
    if error.kind() == ErrorKind::UndefinedError {
        let known: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        return format!("it uses a name that is none; known are {}", known.join(", "));
    }
    if error.kind() == ErrorKind::OutOfFuel {
        return "it takes too long or makes too much".to_owned();
    }
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFY: [&str; 2] = ["cargo fmt --check", "cargo test"];

    fn own(role: Role) -> &'static str {
        if role == Role::Builder { "Build it." } else { "Do it." }
    }

    fn voice(files: &[(Piece, &str)], role: Role) -> Result<Voice, String> {
        let mut templates = Templates::default();
        for (piece, text) in files {
            let place = format!("prompts/{}", piece.file());
            templates.set(*piece, Source { place, text: (*text).to_owned() });
        }
        let verify = VERIFY.map(str::to_owned);
        let known = Known {
            repo: "octo/hello".to_owned(),
            issue: 7,
            run: "r0123456789",
            round: 1,
            base: "main",
            branch: "",
            agent: "codex",
            model: "gpt-5.5",
            verify: &verify,
            protected: &[],
        };
        templates.voice(role, &known, own).map_err(|broken| broken.to_string())
    }

    const BUILD: Piece = Piece::Task(Role::Builder);

    #[test]
    fn a_template_speaks_for_its_role_and_the_persona_for_all() {
        let files = [
            (Piece::Persona, "You are {{ agent }} for {{ repo }}, {{ role }}."),
            (
                BUILD,
                "{{ default }} Then:\n{% for one in verify %}- {{ one }}\n{% endfor %}\
                 {{ verify | join(' && ') }}",
            ),
        ];
        let builder = voice(&files, Role::Builder).unwrap();
        assert_eq!(builder.persona.as_deref(), Some("You are codex for octo/hello, builder."));
        let expected = "Build it. Then:\n- cargo fmt --check\n- cargo test\n\
                        cargo fmt --check && cargo test";
        assert_eq!(builder.task.as_deref(), Some(expected));
        let fixer = voice(&files, Role::Fixer).unwrap();
        assert_eq!(fixer.persona.as_deref(), Some("You are codex for octo/hello, fixer."));
        assert_eq!(fixer.task, None);
        assert_eq!(voice(&[], Role::Builder), Ok(Voice::default()));
        let all = VARIABLES.map(|(name, _)| format!("[{{{{ {name} }}}}]")).concat();
        assert!(voice(&[(BUILD, &all)], Role::Builder).is_ok(), "every variable is there");
    }

    #[test]
    fn a_template_that_does_not_render_is_told_with_its_place() {
        let broken = |text: &str| voice(&[(BUILD, text)], Role::Planner).unwrap_err();
        insta::assert_snapshot!(broken("fine\n{{ title }}"),
            @"the prompt template prompts/builder.md, line 2: it uses a name that is none; known are repo, issue, run, role, round, base, branch, agent, model, verify, protected, default, persona; correct it or take it away (docs/PROMPTS.md)");
        insta::assert_snapshot!(broken("{% if %}"),
            @"the prompt template prompts/builder.md, line 1: syntax error: unexpected end of block; correct it or take it away (docs/PROMPTS.md)");
        insta::assert_snapshot!(broken("\n\n{% for a in verify %}"),
            @"the prompt template prompts/builder.md, line 3: syntax error: unexpected end of input, expected end of block; correct it or take it away (docs/PROMPTS.md)");
        insta::assert_snapshot!(broken("{{ default | shout }}"),
            @"the prompt template prompts/builder.md, line 1: unknown filter: filter shout is unknown; correct it or take it away (docs/PROMPTS.md)");
        insta::assert_snapshot!(broken("{% include 'persona.md' %}"),
            @"the prompt template prompts/builder.md, line 1: syntax error: unknown statement include; correct it or take it away (docs/PROMPTS.md)");
        insta::assert_snapshot!(broken(" <!-- nothing --> "),
            @"the prompt template prompts/builder.md: nothing comes of it; correct it or take it away (docs/PROMPTS.md)");
    }

    #[test]
    fn a_template_takes_neither_all_time_nor_all_memory() {
        let (long, open) =
            ("x".repeat(TEMPLATE_BYTES_MAX + 1), "{{ ".to_owned() + &"(".repeat(20_000));
        let doubled = format!("{{% set a = 'x' * 1000 %}}{}", "{% set a = a ~ a %}".repeat(40));
        let nested =
            "{% for a in [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] %}".repeat(9) + &"{% endfor %}".repeat(9);
        for hostile in [
            long.as_str(),
            &open,
            &doubled,
            &nested,
            "{{ 'x' * 1000000000 }}",
            "{{ 'y' * 2001 }}",
            &"y\n".repeat(RENDERED_CHARS_MAX / 2 + 1),
        ] {
            let said = voice(&[(BUILD, hostile)], Role::Builder).unwrap_err();
            assert!(said.len() < 1_000, "{said}");
        }
    }

    #[test]
    fn the_upper_set_goes_first_file_by_file() {
        let set = |piece: Piece, text: &str| {
            let mut templates = Templates::default();
            let source = Source { place: text.to_owned(), text: text.to_owned() };
            templates.set(piece, source);
            templates
        };
        let lower = set(Piece::Persona, "lower").under(set(BUILD, "lower"));
        let both = lower.under(set(BUILD, "upper"));
        assert_eq!(both.0[&BUILD].text, "upper");
        assert_eq!(both.0[&Piece::Persona].text, "lower");
        assert!(!both.is_empty() && Templates::default().is_empty());
    }
}
