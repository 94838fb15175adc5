//! The honest fake of a holder of the key: knows who is installed where, and makes up tokens.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use super::super::wire::Answer;
use super::{Keys, Question, Token, Wanted};
use crate::github::Error;
use crate::model::{InstallationId, Repo, Secret};

/// Where the App is installed.
#[derive(Debug, Clone)]
pub(super) struct Fake {
    pub(super) installed: BTreeSet<(InstallationId, Repo)>,
}

#[async_trait]
impl Keys for Fake {
    async fn mint(&self, wanted: &Wanted) -> Result<Token, Error> {
        if !wanted.is_scoped() {
            return Err(Error::Unexpected("a token is for one repository".to_owned()));
        }
        let of = |(id, _): &&(InstallationId, Repo)| *id == wanted.installation;
        let mut there = self.installed.iter().filter(of).peekable();
        if there.peek().is_none() {
            return Err(Error::Gone("no such installation".to_owned()));
        }
        if wanted.repo.as_ref().is_some_and(|repo| there.all(|(_, one)| one != repo)) {
            return Err(Error::Forbidden("the installation does not grant it".to_owned()));
        }
        let secret = Secret::new(format!("ghs_{:032x}", fastrand::u128(..)));
        Ok(Token { secret, left_ms: 3_600_000 })
    }

    async fn ask(&self, question: &Question) -> Result<Answer, Error> {
        let value = match question {
            Question::App => json!({"id": 1, "slug": "slipway"}),
            Question::Installations { .. } => {
                let ids: BTreeSet<_> = self.installed.iter().map(|(id, _)| *id).collect();
                json!(ids.into_iter().map(|id| json!({"id": id})).collect::<Vec<_>>())
            }
            Question::Deliveries { .. } => json!([]),
            Question::Hook => json!({}),
            Question::Delivery { .. } | Question::Redeliver { .. } => {
                return Err(Error::Gone("no such delivery".to_owned()));
            }
        };
        Ok(Answer::told(None, value.to_string().into_bytes()))
    }
}
