//! Calls inside an installation: token, limits, pages.

use axum::http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keys::Question;
use super::pace::Account;
use super::wire::{Answer, Request};
use super::{App, Grant};
use crate::github::{At, Error, PAGES_MAX};

/// Entries asked for on one page; GitHub gives no more.
const PAGE_ENTRIES: usize = 100;

/// A list, and whether it is whole.
#[derive(Debug)]
pub(super) struct Pages<T> {
    pub(super) entries: Vec<T>,
    pub(super) whole: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Identity {
    slug: Option<String>,
}

impl App {
    /// Sends a request for an installation and gives whatever is answered. Lost reads are
    /// repeated as [`App::deliver`] says; a refused token is replaced once.
    pub(super) async fn call(
        &self,
        at: &At,
        grant: Grant,
        request: &Request,
    ) -> Result<Answer, Error> {
        let account = Account::Installation(at.installation);
        self.sender.pace.not_held(account)?;
        let mut secret = self.token(at, grant).await?;
        let mut answer = self.deliver(account, &secret, request).await;
        // Refused credentials prove that nothing was done: even a write may go once more.
        if matches!(&answer, Ok(answer) if answer.status == 401) {
            secret = self.token_but(at, grant, Some(&secret)).await?;
            answer = self.deliver(account, &secret, request).await;
        }
        let answer = answer?;
        if !answer.is_success()
            && let Some(after) = answer.refusal().limit(self.clock.now())
        {
            self.sender.pace.not_held(account)?;
            return Err(Error::Limited { after });
        }
        Ok(answer)
    }

    /// Sends and expects success.
    pub(super) async fn ask(
        &self,
        at: &At,
        grant: Grant,
        request: &Request,
    ) -> Result<Answer, Error> {
        let answer = self.call(at, grant, request).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        Err(answer.refusal().error(self.clock.now()))
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        at: &At,
        kind: &'static str,
        path: String,
    ) -> Result<T, Error> {
        self.ask(at, Grant::Read, &Request::get(kind, path)).await?.json()
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        at: &At,
        grant: Grant,
        (kind, path): (&'static str, String),
        body: Value,
    ) -> Result<T, Error> {
        let request = Request::write(Method::POST, kind, path, body);
        self.ask(at, grant, &request).await?.json()
    }

    /// Reads a list to its end or to [`PAGES_MAX`]. The list is the answer itself or, where
    /// GitHub counts it, the field `list`. Addresses of further pages are never followed:
    /// they may name another host.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        at: &At,
        (kind, path): (&'static str, &str),
        list: Option<&str>,
    ) -> Result<Pages<T>, Error> {
        let mut entries = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        for page in 1..=PAGES_MAX {
            let path = format!("{path}{joint}per_page={PAGE_ENTRIES}&page={page}");
            let answer = self.ask(at, Grant::Read, &Request::get(kind, path)).await?;
            let mut found: Value = answer.json()?;
            if let Some(list) = list {
                found = found.get_mut(list).map(Value::take).unwrap_or_default();
            }
            let found: Vec<T> = serde_json::from_value(found)
                .map_err(|error| Error::Unexpected(format!("{kind}: {error}")))?;
            let full = found.len() >= PAGE_ENTRIES;
            entries.extend(found);
            if !answer.has_next().unwrap_or(full) {
                return Ok(Pages { entries, whole: true });
            }
        }
        Ok(Pages { entries, whole: false })
    }

    /// The name of our App, asked once.
    pub(super) async fn own_login(&self) -> Result<String, Error> {
        let slug = self.slug.get_or_try_init(|| async {
            let answer = self.keys.ask(&Question::App).await?;
            let identity: Identity = answer.json()?;
            identity.slug.ok_or_else(|| Error::Unexpected("the app has no name".to_owned()))
        });
        Ok(format!("{}[bot]", slug.await?))
    }
}
