//! What a token was asked to be, and whether the one GitHub made is that and no more.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::github::Error;
use crate::model::{Repo, Secret};

/// Longest token taken, in bytes. They are opaque to us, and grow.
const TOKEN_BYTES_MAX: usize = 4 * 1024;

/// How much a permission allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Read,
    Write,
}

impl Level {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A token as it should be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) permissions: &'a [(&'static str, Level)],
    /// The only repository; `None` leaves all of the installation.
    pub(super) repo: Option<&'a Repo>,
}

/// A token as it is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Minted {
    pub(super) token: Option<Secret>,
    pub(super) expires_at: Option<String>,
    permissions: Option<BTreeMap<String, String>>,
    repository_selection: Option<String>,
    repositories: Option<Vec<Named>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    full_name: Option<String>,
}

/// Whether this can be a token at all.
pub(super) fn text(token: &str) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::Unexpected(format!("the token in the answer {why}")));
    if token.is_empty() {
        return refuse("is missing");
    }
    if token.len() > TOKEN_BYTES_MAX {
        return refuse("is longer than 4 KiB");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("holds characters no token has");
    }
    Ok(())
}

impl Asked<'_> {
    /// What is sent to ask for it.
    pub(super) fn body(&self) -> Value {
        let words = self.permissions.iter().map(|(name, level)| (*name, level.word()));
        let permissions: BTreeMap<_, _> = words.collect();
        match self.repo {
            Some(repo) => json!({"repositories": [repo.name()], "permissions": permissions}),
            None => json!({"permissions": permissions}),
        }
    }

    /// Refuses a token that can do more than was asked, which somebody could steal, and one that
    /// can do less, which would fail later.
    pub(super) fn check(&self, minted: &Minted) -> Result<(), Error> {
        let Some(given) = &minted.permissions else {
            return Err(wider("it does not say what it permits"));
        };
        for (name, level) in given {
            let asked = self.permissions.iter().find(|(asked, _)| asked == name);
            let fits = asked.is_some_and(|(_, most)| {
                level == Level::Read.word() || (*most == Level::Write && level == most.word())
            });
            // Every token has it, asked for or not.
            let always = name == "metadata" && level == Level::Read.word();
            if !fits && !always {
                return Err(wider(&format!("it permits {name}: {level}")));
            }
        }
        for (name, level) in self.permissions {
            if given.get(*name).is_none_or(|given| given != level.word()) {
                return Err(Error::Forbidden(format!(
                    "the installation does not grant {name}: {}; somebody who administers it \
                     must accept the App's permissions in its settings",
                    level.word()
                )));
            }
        }
        self.repo.map_or(Ok(()), |repo| only(repo, minted))
    }
}

fn only(repo: &Repo, minted: &Minted) -> Result<(), Error> {
    if minted.repository_selection.as_deref() == Some("all") {
        return Err(wider("it reaches every repository"));
    }
    let Some(reached) = &minted.repositories else { return Ok(()) };
    let own = repo.to_string();
    let is_own =
        |one: &Named| one.full_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&own));
    let others = reached.iter().filter(|one| !is_own(one)).count();
    match (reached.len(), others) {
        (1, 0) => Ok(()),
        (0, _) => Err(Error::Forbidden(format!("the token does not reach {own}"))),
        (_, others) => Err(wider(&format!("it reaches {others} repositories beside {own}"))),
    }
}

fn wider(why: &str) -> Error {
    Error::Unexpected(format!(
        "the token is wider than asked and is not used: {why}; check that `github_url` leads to \
         GitHub itself, and report this"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(repo: Option<&str>, answer: Value) -> Result<(), Error> {
        let repo = repo.map(|name| Repo::parse(name).unwrap());
        let permissions = &[("contents", Level::Write), ("metadata", Level::Read)];
        let asked = Asked { permissions, repo: repo.as_ref() };
        asked.check(&serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn a_token_is_what_was_asked_for_and_no_more() {
        let own = json!([{"full_name": "Mara/greet"}]);
        let good = json!({"contents": "write", "metadata": "read"});
        let with = |permissions: &Value, selection: &str, repositories: &Value| {
            json!({"permissions": permissions, "repository_selection": selection,
                "repositories": repositories})
        };
        let repo = Some("mara/greet");
        assert_eq!(judged(repo, with(&good, "selected", &own)), Ok(()));
        assert_eq!(judged(repo, with(&good, "selected", &Value::Null)), Ok(()));
        assert_eq!(judged(None, with(&good, "all", &Value::Null)), Ok(()));
        for (permissions, selection, repositories) in [
            (json!({"contents": "write", "metadata": "write"}), "selected", &own),
            (json!({"contents": "admin", "metadata": "read"}), "selected", &own),
            (json!({"contents": "write", "metadata": "read", "workflows": "write"}), "", &own),
            (Value::Null, "selected", &own),
            (good.clone(), "all", &own),
            (good.clone(), "selected", &json!([{"full_name": "mara/greet"}, {}])),
            (good.clone(), "selected", &json!([{"full_name": "mara/other"}])),
        ] {
            let refused = judged(repo, with(&permissions, selection, repositories));
            assert!(matches!(refused, Err(Error::Unexpected(_))), "{permissions} {refused:?}");
        }
        for permissions in [json!({"contents": "write"}), json!({"contents": "read"})] {
            let refused = judged(repo, with(&permissions, "selected", &own));
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        }
        let none = judged(repo, with(&good, "selected", &json!([])));
        assert!(matches!(none, Err(Error::Forbidden(_))), "{none:?}");
    }

    #[test]
    fn tokens_are_opaque_but_not_anything() {
        for good in ["x".to_owned(), "x.-_~=/+".to_owned(), "x".repeat(4096)] {
            assert_eq!(text(&good), Ok(()));
        }
        let bad = ["", "a b", "a\nb", "a\u{7f}", "é", &"x".repeat(4097)];
        for bad in bad {
            let error = text(bad).unwrap_err().to_string();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }
}
