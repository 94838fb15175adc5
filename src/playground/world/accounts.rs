//! Who there is: people, Apps, installations, tokens, and what each may do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::auth::AppKey;

/// Identity of an account; `bot` accounts belong to Apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: u64,
    pub login: String,
    pub bot: bool,
}

/// What a person may do in a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    #[default]
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

impl Role {
    /// The real role's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// The coarse permission of the collaborators call.
    pub fn permission(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read | Self::Triage => "read",
            Self::Write | Self::Maintain => "write",
            Self::Admin => "admin",
        }
    }
}

/// Level of one App permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Read,
    Write,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "write" | "admin" => Some(Self::Write),
            _ => None,
        }
    }
}

pub type Permissions = BTreeMap<String, Level>;

/// A registered GitHub App; its key pair is made when it is first asked for.
#[derive(Clone, Debug)]
pub struct App {
    pub id: u64,
    pub slug: String,
    pub name: String,
    pub client_id: String,
    pub owner: User,
    pub user: User,
    pub webhook_secret: String,
    pub webhook_url: Option<String>,
    pub permissions: Permissions,
    pub events: BTreeSet<String>,
    pub(crate) key: Arc<OnceLock<Option<AppKey>>>,
}

#[derive(Clone, Debug)]
pub struct Installation {
    pub id: u64,
    pub app: u64,
    pub account: User,
    pub repositories: BTreeSet<u64>,
    pub permissions: Permissions,
    pub created_ms: i64,
    pub suspended: bool,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub app: u64,
    pub installation: u64,
    pub permissions: Permissions,
    /// All repositories of the installation when `None`.
    pub repositories: Option<BTreeSet<u64>>,
    pub expires_ms: i64,
}
