//! A profile as it is written down, and what is wrong with it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Pattern, Piece, Profile, Prompt, Refused, Slot, Template, Wire};
use crate::agent::dialect::Dialect;
use crate::agent::probe::Range;
use crate::agent::wanted::Wanted;
use crate::egress::Rule;
use crate::model::Trouble;
use crate::sandbox::Signal;

/// Pieces of one command line.
const PIECES_MAX: usize = 128;
/// Longest file of a profile, in bytes.
const FILE_BYTES_MAX: usize = 65_536;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    dialect: Dialect,
    #[serde(default)]
    probe: Vec<String>,
    tested: Option<Range>,
    argv: Vec<String>,
    #[serde(default)]
    mode: Modes,
    #[serde(default)]
    review_only: bool,
    prompt: Prompt,
    #[serde(default)]
    system_prompt: Vec<String>,
    #[serde(default)]
    schema: Vec<String>,
    wire: Option<Wire>,
    #[serde(default)]
    hosts: Vec<Rule>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    mask: Vec<String>,
    #[serde(default = "int")]
    cancel: Signal,
    #[serde(default)]
    finish: Vec<String>,
    #[serde(default)]
    exits: BTreeMap<String, Trouble>,
    #[serde(default)]
    error: Vec<Pattern>,
    #[serde(default)]
    flat_rate: bool,
    command: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Modes {
    edit: Vec<String>,
    review: Option<Vec<String>>,
    edit_env: BTreeMap<String, String>,
    review_env: BTreeMap<String, String>,
}

fn int() -> Signal {
    Signal::Int
}

impl Written {
    /// Checks everything that can be checked before there is a task.
    pub(super) fn check(self, name: &str) -> Result<Profile, Refused> {
        let refuse = |key: &str, why: String| {
            Err(Refused { agent: name.to_owned(), key: key.to_owned(), why })
        };
        if let Err(why) = Wanted::new(name, None) {
            return refuse("its name", why);
        }
        if self.argv.first().is_none_or(String::is_empty) || self.argv.len() > PIECES_MAX {
            return refuse("argv", format!("write the program and at most {PIECES_MAX} pieces"));
        }
        for path in self.files.keys().chain(&self.mask) {
            if !is_below(path) {
                return refuse("files, mask", format!("{path:?} is no path; write one like a/b"));
            }
        }
        if let Some((path, _)) = self.files.iter().find(|(_, text)| text.len() > FILE_BYTES_MAX) {
            return refuse("files", format!("{path:?} is longer than {FILE_BYTES_MAX} bytes"));
        }
        if self.wire.is_none() && self.env.values().any(|value| value.contains("{gateway}")) {
            return refuse("wire", "name the protocol the gateway is to speak".to_owned());
        }
        let read = Reading { name };
        let profile = Profile {
            name: name.to_owned(),
            dialect: self.dialect,
            probe: self.probe,
            tested: self.tested,
            argv: read.argv(&self.argv)?,
            edit: read.list("mode.edit", &self.mode.edit)?,
            review: match &self.mode.review {
                Some(review) => Some(read.list("mode.review", review)?),
                None => None,
            },
            review_only: self.review_only,
            prompt: self.prompt,
            system: read.list("system_prompt", &self.system_prompt)?,
            schema: read.list("schema", &self.schema)?,
            wire: self.wire,
            hosts: self.hosts,
            env: read.map("env", &self.env, Template::parse)?,
            edit_env: read.map("mode.edit_env", &self.mode.edit_env, Template::parse)?,
            review_env: read.map("mode.review_env", &self.mode.review_env, Template::parse)?,
            files: read.map("files", &self.files, Template::parse_file)?,
            masks: super::MASKS.iter().map(|mask| (*mask).to_owned()).chain(self.mask).collect(),
            cancel: self.cancel,
            finish: self.finish,
            exits: read.exits(&self.exits)?,
            errors: self.error,
            flat_rate: self.flat_rate,
            command: self.command,
        };
        coherent(&profile)?;
        Ok(profile)
    }
}

/// Whether everything that is written is also used.
fn coherent(profile: &Profile) -> Result<(), Refused> {
    let refuse = |key: &str, why: &str| {
        Err(Refused { agent: profile.name.clone(), key: key.to_owned(), why: why.to_owned() })
    };
    let placed = |piece: &Piece| profile.argv.contains(piece);
    let modes = !profile.edit.is_empty() || profile.review.as_ref().is_some_and(|r| !r.is_empty());
    if modes && !placed(&Piece::Mode) {
        return refuse("argv", "there is a mode but no \"{mode}\"; write it where the mode goes");
    }
    if !profile.system.is_empty() && !placed(&Piece::System) {
        return refuse("argv", "there is a system_prompt but no \"{system}\"; write it there");
    }
    if !profile.schema.is_empty() && !placed(&Piece::Schema) {
        return refuse("argv", "there is a schema but no \"{schema}\"; write it there");
    }
    let named = |slot: Slot| {
        profile.argv.iter().any(|piece| match piece {
            Piece::One(template) => template.names(slot),
            Piece::Mode | Piece::System | Piece::Schema => false,
        })
    };
    match profile.prompt {
        Prompt::Arg if !named(Slot::Prompt) => {
            refuse("prompt", "it comes as an argument, but argv has no \"{prompt}\"")
        }
        Prompt::File if !named(Slot::PromptFile) => {
            refuse("prompt", "it comes in a file, but argv has no \"{prompt_file}\"")
        }
        Prompt::Arg | Prompt::File | Prompt::Stdin | Prompt::None => Ok(()),
    }
}

/// A relative path that leads nowhere else.
fn is_below(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.contains('\0')
}

/// Reads templates, and says where one is wrong.
struct Reading<'a> {
    name: &'a str,
}

impl Reading<'_> {
    fn refused(&self, key: &str, why: String) -> Refused {
        Refused { agent: self.name.to_owned(), key: key.to_owned(), why }
    }

    fn list(&self, key: &str, texts: &[String]) -> Result<Vec<Template>, Refused> {
        let parsed = texts.iter().map(|text| Template::parse(text));
        parsed.collect::<Result<_, _>>().map_err(|why| self.refused(key, why))
    }

    fn argv(&self, texts: &[String]) -> Result<Vec<Piece>, Refused> {
        let piece = |text: &String| match text.as_str() {
            "{mode}" => Ok(Piece::Mode),
            "{system}" => Ok(Piece::System),
            "{schema}" => Ok(Piece::Schema),
            text => Template::parse(text).map(Piece::One),
        };
        let parsed = texts.iter().map(piece);
        parsed.collect::<Result<_, _>>().map_err(|why| self.refused("argv", why))
    }

    fn map(
        &self,
        key: &str,
        texts: &BTreeMap<String, String>,
        parse: fn(&str) -> Result<Template, String>,
    ) -> Result<BTreeMap<String, Template>, Refused> {
        let parsed = texts.iter().map(|(name, text)| match parse(text) {
            Ok(template) => Ok((name.clone(), template)),
            Err(why) => Err(self.refused(&format!("{key}.{name}"), why)),
        });
        parsed.collect()
    }

    fn exits(&self, exits: &BTreeMap<String, Trouble>) -> Result<BTreeMap<i32, Trouble>, Refused> {
        let parsed = exits.iter().map(|(code, class)| {
            let known = code.parse().ok().filter(|code| (1..=255).contains(code));
            let why = || format!("{code:?} is no exit code of a failure; write 1 to 255");
            known.map(|code| (code, *class)).ok_or_else(|| self.refused("exits", why()))
        });
        parsed.collect()
    }
}
