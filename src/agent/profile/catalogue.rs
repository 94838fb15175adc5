//! All profiles: the shipped ones, and what an operator changed about them.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::written::Written;
use super::{Profile, Refused};

/// Longest text of an operator's profiles, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 262_144;
/// Profiles that may extend each other in a row.
const EXTENDS_MAX: usize = 8;

/// The shipped profiles, each a file of its own.
const SHIPPED: [(&str, &str); 14] = [
    ("aider", include_str!("../profiles/aider.toml")),
    ("claude", include_str!("../profiles/claude.toml")),
    ("coderabbit", include_str!("../profiles/coderabbit.toml")),
    ("codex", include_str!("../profiles/codex.toml")),
    ("codex-local", include_str!("../profiles/codex-local.toml")),
    ("command", include_str!("../profiles/command.toml")),
    ("copilot", include_str!("../profiles/copilot.toml")),
    ("cursor", include_str!("../profiles/cursor.toml")),
    ("gemini", include_str!("../profiles/gemini.toml")),
    ("goose", include_str!("../profiles/goose.toml")),
    ("kimi", include_str!("../profiles/kimi.toml")),
    ("local", include_str!("../profiles/local.toml")),
    ("opencode", include_str!("../profiles/opencode.toml")),
    ("qwen", include_str!("../profiles/qwen.toml")),
];

/// Every profile by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue(BTreeMap<String, Profile>);

impl Catalogue {
    /// What Slipway brings along.
    pub fn shipped() -> Result<Self, Refused> {
        Self::of(&shipped()?)
    }

    /// The shipped profiles, changed by the tables `[agent.NAME]` of `text`. A table of a
    /// shipped name changes that one key by key; a new name stands alone, or begins as the one
    /// that it `extends`. Lists are replaced, not added to.
    pub fn with(text: &str) -> Result<Self, Refused> {
        let refuse = |key: &str, why: String| {
            Err(Refused { agent: "profiles".to_owned(), key: key.to_owned(), why })
        };
        if text.len() > TEXT_BYTES_MAX {
            return refuse("the text", format!("it is longer than {TEXT_BYTES_MAX} bytes"));
        }
        let mut table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return refuse("the text", error.to_string().trim().to_owned()),
        };
        let agents = match table.remove("agent") {
            Some(Value::Table(agents)) => agents,
            None => Table::new(),
            Some(_other) => return refuse("agent", "write tables [agent.NAME]".to_owned()),
        };
        if let Some(other) = table.keys().next() {
            return refuse(other, "only tables [agent.NAME] stand here".to_owned());
        }
        let mut all = shipped()?;
        for (name, entry) in agents {
            let Value::Table(entry) = entry else {
                return refuse(&name, format!("write a table [agent.{name}]"));
            };
            let merged = match all.remove(&name) {
                Some(known) => merge(known, entry),
                None => entry,
            };
            all.insert(name, merged);
        }
        Self::of(&all)
    }

    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }

    fn of(all: &BTreeMap<String, Table>) -> Result<Self, Refused> {
        let read = |name: &String| {
            let table = extended(all, name)?;
            let written: Written = table.try_into().map_err(|error: toml::de::Error| Refused {
                agent: name.clone(),
                key: "its profile".to_owned(),
                why: error.to_string().trim().to_owned(),
            })?;
            Ok((name.clone(), written.check(name)?))
        };
        all.keys().map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn shipped() -> Result<BTreeMap<String, Table>, Refused> {
    let read = |(name, text): (&str, &str)| match text.parse::<Table>() {
        Ok(table) => Ok((name.to_owned(), table)),
        Err(error) => Err(Refused {
            agent: name.to_owned(),
            key: "its file".to_owned(),
            why: error.to_string(),
        }),
    };
    SHIPPED.into_iter().map(read).collect()
}

/// The table of `name` upon those it extends.
fn extended(all: &BTreeMap<String, Table>, name: &str) -> Result<Table, Refused> {
    let refuse =
        |why: String| Err(Refused { agent: name.to_owned(), key: "extends".to_owned(), why });
    let (mut chain, mut next) = (Vec::new(), Some(name.to_owned()));
    while let Some(name) = next {
        if chain.len() >= EXTENDS_MAX {
            return refuse(format!("at most {EXTENDS_MAX} in a row, and never in a circle"));
        }
        let Some(table) = all.get(&name) else {
            let known: Vec<&str> = all.keys().map(String::as_str).collect();
            return refuse(format!("there is no profile {name:?}; known are {}", known.join(", ")));
        };
        let mut table = table.clone();
        next = match table.remove("extends") {
            None => None,
            Some(Value::String(parent)) => Some(parent),
            Some(_other) => return refuse("write the name of a profile".to_owned()),
        };
        chain.push(table);
    }
    Ok(chain.into_iter().rev().reduce(merge).unwrap_or_default())
}

/// `below` with every key of `above`; tables in them are merged likewise.
fn merge(mut below: Table, above: Table) -> Table {
    for (key, value) in above {
        let merged = match (below.remove(&key), value) {
            (Some(Value::Table(one)), Value::Table(other)) => Value::Table(merge(one, other)),
            (_, value) => value,
        };
        below.insert(key, merged);
    }
    below
}
