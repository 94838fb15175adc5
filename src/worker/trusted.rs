//! Whom the engine hears, and what it asks again before it believes a word.

use super::Engine;
use super::failure::Failure;
use super::inbox::Said;
use crate::command::{self, Authorized, Refusal, SlashCommand, Source};
use crate::github::At;
use crate::model::trust::Rule;
use crate::model::{Millis, Permission, User};
use crate::pipeline::State;

impl Engine {
    pub(super) fn holds(&self, rule: Rule) -> bool {
        self.settings.trust.holds(rule)
    }

    /// Whether a word of `by`, given through the App `via`, is heard at all: of bots only those
    /// the operator lists by id, never ourselves, and no App in a person's name.
    pub(super) fn hears(&self, by: &User, via: Option<u64>) -> bool {
        if via == Some(self.settings.app_id) {
            return false;
        }
        if by.bot {
            return self.settings.bots.contains(&by.id) || !self.holds(Rule::People);
        }
        via.is_none() || !self.holds(Rule::Unaided)
    }

    /// A bot that is heard is asked for its permission as a person is.
    pub(super) fn heard(&self, by: &User) -> User {
        let listed = by.bot && self.hears(by, None);
        User { bot: by.bot && !listed, ..by.clone() }
    }

    /// What `by` may do: GitHub's word of this moment, for this id.
    pub(super) async fn permission(&self, at: &At, by: &User) -> Result<Permission, Failure> {
        if !self.holds(Rule::Permission) {
            return Ok(Permission::Admin);
        }
        Ok(self.ports.github.permission(at, by).await?)
    }

    /// The proof that whoever said it may, or the words that refuse it.
    pub(super) async fn authority(
        &self,
        said: &Said,
        command: SlashCommand,
    ) -> Result<Result<Authorized, Refusal>, Failure> {
        let by = self.heard(&said.by);
        let held = self.permission(&said.at, &said.by).await?;
        let source = || Source::Comment(said.comment);
        let given = command::authorize(command.clone(), by.clone(), held, source());
        if given.is_ok() || !command.spec().author {
            return Ok(given);
        }
        let issue = self.issue_now(&said.at, said.number).await?;
        let author = issue.and_then(|issue| issue.author).map(|author| author.id);
        if author != Some(by.id) {
            return Ok(given);
        }
        Ok(command::authorize_author(command, by, held, source()))
    }

    /// Whether the comment still stands as it was heard: there, by the same person, unedited.
    pub(super) async fn still_stands(&self, said: &Said) -> Result<bool, Failure> {
        if !self.holds(Rule::Refetch) {
            return Ok(true);
        }
        let Some(now) = self.ports.github.comment_now(&said.at, said.comment).await? else {
            return Ok(false);
        };
        let same = now.id == said.comment
            && now.number == said.number
            && now.by.as_ref().map(|by| by.id) == Some(said.by.id)
            && !now.edited
            && now.body == said.body;
        if !same {
            tracing::info!(comment = %said.comment, "a command does not stand as it was heard");
        }
        Ok(same)
    }

    /// Whether something was heard late: longer after it was written than a command may be.
    /// What does not say when it was written is late.
    pub(super) fn is_late(&self, written: Option<Millis>, heard: Millis) -> bool {
        let fresh_ms = self.settings.limits.fresh_ms;
        self.holds(Rule::Fresh) && written.is_none_or(|written| heard.since(written) > fresh_ms)
    }

    /// Those of `people` who may not write any more, asked now.
    pub(super) async fn lost(
        &self,
        state: &State,
        people: Vec<&User>,
    ) -> Result<Vec<User>, Failure> {
        let at = Self::at(state);
        let mut lost: Vec<User> = Vec::new();
        let mut asked = Vec::new();
        for user in people {
            if asked.contains(&user.id) {
                continue;
            }
            asked.push(user.id);
            if self.permission(&at, user).await? < Permission::Write {
                lost.push(user.clone());
            }
        }
        Ok(lost)
    }
}
