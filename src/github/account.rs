//! An account as GitHub writes it, in its answers and in webhooks alike.

use serde::Deserialize;

use crate::model::{User, UserId};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WithId {
    pub(super) id: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    pub(super) id: Option<u64>,
    pub(super) login: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

impl Account {
    /// Either sign of a bot is enough: bots are not obeyed and their reviews do not count.
    pub(super) fn user(&self) -> Option<User> {
        let login = self.login.clone()?;
        let person = self.kind.as_deref() == Some("User");
        let bot = !person || login.ends_with("[bot]");
        Some(User { id: UserId(self.id?), login, bot })
    }
}
