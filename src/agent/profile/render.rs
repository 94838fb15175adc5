//! A task and a profile, made into a program to start.

use std::borrow::Cow;
use std::path::Path;

use super::{Piece, Profile, Prompt, Refused, Slot, Template};
use crate::agent::Place;
use crate::agent::dialect::Opening;
use crate::agent::event::Session;
use crate::agent::wanted::Model;
use crate::egress;
use crate::model::Secret;
use crate::sandbox::{Home, HomeFile, Invocation, Purpose};

/// Longest argument of a command line, in bytes: the kernel's own bound.
pub const ARGUMENT_BYTES_MAX: usize = 131_072 - 1;
/// Where the prompt and the schema lie, below the home.
const PROMPT_FILE: &str = ".slipway/prompt.md";
const SCHEMA_FILE: &str = ".slipway/schema.json";

/// What an agent is asked to do.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    pub mode: Mode,
    pub model: Option<&'a Model>,
    pub prompt: &'a str,
    /// Standing instructions, of ours and of the base branch.
    pub system: Option<&'a str>,
    /// The JSON Schema of the answer.
    pub schema: Option<&'a str>,
    pub thread: Thread,
    /// Calls of the model, where the agent can count them.
    pub turns_max: u32,
    /// The way to its model, where it goes through the gateway.
    pub access: Option<Access<'a>>,
    /// A key of its own, where it does not.
    pub key: Option<&'a Secret>,
    /// The commit or branch a review compares with.
    pub base: Option<&'a str>,
    /// The working directory and the home, as the program will see them.
    pub directory: &'a Path,
    pub home: &'a Path,
    pub place: Place,
}

/// May it edit?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Edit,
    Review,
}

/// The conversation it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thread {
    /// Nobody will come back to it.
    Once,
    /// A new one with a name of ours, for agents who let us choose it.
    New(Session),
    Resume(Session),
}

/// The gateway, as the program finds it.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// On its own loopback interface.
    pub port: u16,
    pub token: &'a Secret,
}

/// What to start, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub invocation: Invocation,
    pub opening: Opening,
}

impl Profile {
    /// How to start it. The error says what the task lacks.
    pub fn launch(&self, task: &Task<'_>) -> Result<Launch, Refused> {
        let filling = Filling::new(self, task)?;
        let mut pieces = filling.argv()?.into_iter();
        let program = pieces.next().ok_or_else(|| self.refuse("argv", "it names no program"))?;
        let args: Vec<String> = pieces.collect();
        if args.iter().any(|arg| arg.len() > ARGUMENT_BYTES_MAX) {
            let why = format!("an argument is longer than {ARGUMENT_BYTES_MAX} bytes; shorten it");
            return Err(self.refuse("argv", &why));
        }
        let mut env = Vec::new();
        let own = match task.mode {
            Mode::Edit => &self.edit_env,
            Mode::Review => &self.review_env,
        };
        for (name, template) in self.env.iter().chain(own) {
            if let Some(value) = filling.fill(&format!("env.{name}"), template)? {
                env.push((name.clone(), value));
            }
        }
        let place = task.place.clone();
        if place.doors.iter().any(|door| door.port == egress::PORT) {
            env.extend(egress::variables(egress::PORT));
        }
        let files = filling.files()?;
        let opening = self.opening(task, &filling.prompt);
        let mut masks = place.masks;
        masks.extend(self.masks.iter().cloned());
        let invocation = Invocation {
            purpose: Purpose::Agent,
            program,
            args,
            env,
            stdin: if self.prompt == Prompt::Stdin { filling.prompt } else { String::new() },
            directory: place.directory,
            workspace: place.workspace,
            doors: place.doors,
            read_only: place.read_only,
            masks,
            home: Home { files, kept: None },
            limits: place.limits,
            signal: self.cancel,
        };
        Ok(Launch { invocation, opening })
    }

    fn opening(&self, task: &Task<'_>, prompt: &str) -> Opening {
        let resume = match &task.thread {
            Thread::Resume(session) => Some(session.clone()),
            Thread::Once | Thread::New(_) => None,
        };
        Opening {
            prompt: if self.dialect.answers() { prompt.to_owned() } else { String::new() },
            directory: task.directory.to_owned(),
            resume,
            may_edit: task.mode == Mode::Edit,
            finish: self.finish.clone(),
        }
    }

    fn refuse(&self, key: &str, why: &str) -> Refused {
        Refused { agent: self.name.clone(), key: key.to_owned(), why: why.to_owned() }
    }
}

/// A profile and a task, with the prompt as this agent gets it.
struct Filling<'a> {
    profile: &'a Profile,
    task: &'a Task<'a>,
    prompt: String,
    gateway: Option<String>,
    turns: String,
}

impl<'a> Filling<'a> {
    fn new(profile: &'a Profile, task: &'a Task<'a>) -> Result<Self, Refused> {
        let refuse = |key: &str, why: &str| Err(profile.refuse(key, why));
        match task.mode {
            Mode::Edit if profile.review_only => {
                return refuse("mode", "it only reviews; choose another agent for this stage");
            }
            Mode::Review if profile.review.is_none() => {
                return refuse(
                    "mode.review",
                    "nothing keeps it from editing; choose another agent for this stage",
                );
            }
            Mode::Edit | Mode::Review => {}
        }
        let gateway = task.access.map(|access| format!("http://127.0.0.1:{}", access.port));
        let turns = task.turns_max.to_string();
        Ok(Self { profile, task, prompt: prompt(profile, task), gateway, turns })
    }

    fn argv(&self) -> Result<Vec<String>, Refused> {
        let (profile, task) = (self.profile, self.task);
        let mode = match task.mode {
            Mode::Edit => profile.edit.as_slice(),
            Mode::Review => profile.review.as_deref().unwrap_or_default(),
        };
        let mut pieces = Vec::new();
        for piece in &profile.argv {
            let templates = match piece {
                Piece::One(template) => std::slice::from_ref(template),
                Piece::Mode => mode,
                Piece::System if task.system.is_some() => &profile.system,
                Piece::Schema if task.schema.is_some() => &profile.schema,
                Piece::System | Piece::Schema => &[],
            };
            for template in templates {
                pieces.extend(self.fill("argv", template)?);
            }
        }
        Ok(pieces)
    }

    fn files(&self) -> Result<Vec<HomeFile>, Refused> {
        let mut files = Vec::new();
        for (path, template) in &self.profile.files {
            if let Some(text) = self.fill(&format!("files.{path}"), template)? {
                files.push(HomeFile { path: path.clone(), text });
            }
        }
        if self.profile.prompt == Prompt::File {
            let text = self.prompt.clone();
            files.push(HomeFile { path: PROMPT_FILE.to_owned(), text });
        }
        let in_file = self.profile.schema.iter().any(|piece| piece.names(Slot::SchemaFile));
        if let Some(schema) = self.task.schema.filter(|_| in_file) {
            let text = schema.to_owned();
            files.push(HomeFile { path: SCHEMA_FILE.to_owned(), text });
        }
        Ok(files)
    }

    fn fill(&self, key: &str, template: &Template) -> Result<Option<String>, Refused> {
        template.fill(&|slot| self.value(slot)).map_err(|slot| {
            let next = match slot {
                Slot::Model => "name a model, as in codex:gpt-5.5",
                Slot::Gateway | Slot::Token => "give it a provider, so that the gateway serves it",
                Slot::Key => "give it a key of its own",
                Slot::Command => "set `command` in its profile",
                Slot::Base => "only a review can use it",
                Slot::Directory
                | Slot::Home
                | Slot::Prompt
                | Slot::PromptFile
                | Slot::Session
                | Slot::Resume
                | Slot::TurnsMax
                | Slot::SystemText
                | Slot::SchemaJson
                | Slot::SchemaFile => "write it with ? so that it may be left out",
            };
            self.profile.refuse(key, &format!("{{{}}} has no value; {next}", slot.word()))
        })
    }

    fn value(&self, slot: Slot) -> Option<Cow<'a, str>> {
        let task = self.task;
        let file = |path: &str| Some(Cow::Owned(task.home.join(path).to_string_lossy().into()));
        match slot {
            Slot::Model => task.model.map(|model| Cow::Borrowed(model.as_str())),
            Slot::Gateway => self.gateway.clone().map(Cow::Owned),
            Slot::Token => task.access.map(|access| Cow::Borrowed(access.token.reveal())),
            Slot::Key => task.key.map(|key| Cow::Borrowed(key.reveal())),
            Slot::Directory => Some(task.directory.to_string_lossy()),
            Slot::Home => Some(task.home.to_string_lossy()),
            Slot::Prompt => Some(Cow::Owned(self.prompt.clone())),
            Slot::PromptFile => file(PROMPT_FILE),
            Slot::Session => match &task.thread {
                Thread::New(session) => Some(Cow::Owned(session.as_str().to_owned())),
                Thread::Once | Thread::Resume(_) => None,
            },
            Slot::Resume => match &task.thread {
                Thread::Resume(session) => Some(Cow::Owned(session.as_str().to_owned())),
                Thread::Once | Thread::New(_) => None,
            },
            Slot::TurnsMax => Some(Cow::Owned(self.turns.clone())),
            Slot::SystemText => task.system.map(Cow::Borrowed),
            Slot::SchemaJson => task.schema.map(Cow::Borrowed),
            Slot::SchemaFile => task.schema.and_then(|_| file(SCHEMA_FILE)),
            Slot::Base => task.base.map(Cow::Borrowed),
            Slot::Command => self.profile.command.clone().map(Cow::Owned),
        }
    }
}

/// The prompt, with what the agent has no other place for.
fn prompt(profile: &Profile, task: &Task<'_>) -> String {
    let mut prompt = String::new();
    if let Some(system) = task.system.filter(|_| profile.system.is_empty()) {
        prompt.push_str(system.trim_end());
        prompt.push_str("\n\n");
    }
    prompt.push_str(task.prompt);
    if let Some(schema) = task.schema.filter(|_| profile.schema.is_empty()) {
        prompt.push_str("\n\nAnswer with one JSON object and nothing else. It fits this schema:\n");
        prompt.push_str(schema);
    }
    prompt
}
