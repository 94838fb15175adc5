//! Webhooks: every change becomes a signed delivery for each App that listens.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::accounts::{App, Level, User};
use super::{Actor, ApiError, ApiResult, State};
use crate::playground::mailbox::{Delivery, Logged};
use crate::playground::render;

/// How long GitHub remembers a delivery, in milliseconds.
const LOG_MS_MAX: i64 = 3 * 24 * 3_600_000;

/// One happening in a repository.
#[derive(Debug)]
pub(crate) struct News<'a> {
    pub(crate) event: &'static str,
    pub(crate) action: Option<&'static str>,
    pub(crate) sender: &'a User,
    /// Only this App is told.
    pub(crate) only_app: Option<u64>,
    /// The part of the payload that the event itself adds.
    pub(crate) payload: Value,
}

impl<'a> News<'a> {
    pub(crate) fn new(
        event: &'static str,
        action: Option<&'static str>,
        sender: &'a User,
        payload: Value,
    ) -> Self {
        Self { event, action, sender, only_app: None, payload }
    }
}

/// The value of `X-Hub-Signature-256` for a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn listens(app: &App, event: &str) -> bool {
    let checks = event.starts_with("check_")
        && app.permissions.get("checks").is_some_and(|level| *level >= Level::Write);
    app.events.contains(event) || (checks && !app.events.is_empty())
}

impl State {
    /// Whether any App would be told: what nobody hears need not be rendered.
    pub(crate) fn is_heard(&self, repo: u64, event: &str, only_app: Option<u64>) -> bool {
        self.installations
            .values()
            .filter(|one| one.repositories.contains(&repo) && !one.suspended)
            .filter(|one| only_app.is_none_or(|app| app == one.app))
            .any(|one| self.apps.get(&one.app).is_some_and(|app| listens(app, event)))
    }

    pub(crate) fn emit(&mut self, repo: u64, news: News<'_>) {
        let Some(repository) = self.repos.get(&repo).map(|one| render::repo(self, one)) else {
            return;
        };
        let targets: Vec<(u64, u64)> = self
            .installations
            .values()
            .filter(|one| one.repositories.contains(&repo) && !one.suspended)
            .filter(|one| news.only_app.is_none_or(|app| app == one.app))
            .filter(|one| self.apps.get(&one.app).is_some_and(|app| listens(app, news.event)))
            .map(|one| (one.app, one.id))
            .collect();
        let mut payload = news.payload;
        let Some(fields) = payload.as_object_mut() else {
            return;
        };
        if let Some(action) = news.action {
            fields.insert("action".into(), action.into());
        }
        fields.insert("repository".into(), repository);
        fields.insert("sender".into(), render::user(self, news.sender));
        for (app, installation) in targets {
            if let Some(fields) = payload.as_object_mut() {
                let node = format!("MDIzOkluc3RhbGxhdGlvbiN{installation}");
                fields.insert("installation".into(), json!({"id": installation, "node_id": node}));
            }
            let about = (app, Some(installation), Some(repo));
            self.post(about, news.event, news.action, &payload);
        }
    }

    pub(crate) fn post(
        &mut self,
        about: (u64, Option<u64>, Option<u64>),
        event: &str,
        action: Option<&str>,
        payload: &Value,
    ) {
        let (app, installation, repository) = about;
        let Some(secret) = self.apps.get(&app).map(|app| app.webhook_secret.clone()) else {
            return;
        };
        let body: Arc<[u8]> = payload.to_string().into_bytes().into();
        let guid = self.fresh_guid();
        let id = self.fresh_id();
        let delivery = Delivery {
            id,
            guid,
            event: event.to_owned(),
            action: action.map(str::to_owned),
            signature_sha256: sign(&secret, &body),
            body,
            app,
            installation,
            repository,
        };
        self.mailbox.post(delivery, self.now_ms);
    }

    fn fresh_guid(&mut self) -> String {
        let digits = self.fresh_secret();
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
        let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
        parts.join("-")
    }

    /// Sends `ping` to an App, as GitHub does when a webhook is set up.
    pub fn ping(&mut self, app: u64) {
        let Some(found) = self.apps.get(&app) else {
            return;
        };
        let at = render::time(self.now_ms);
        let config = json!({"content_type": "json", "insecure_ssl": "0",
            "url": found.webhook_url.as_ref().unwrap_or(&self.base_url), "secret": "********"});
        let hook = json!({"type": "App", "id": app, "app_id": app, "name": "web", "active": true,
            "events": found.events, "config": config, "created_at": at, "updated_at": at});
        let payload = json!({"zen": "Keep it logically awesome.", "hook_id": app, "hook": hook});
        self.post((app, None, None), "ping", None, &payload);
    }

    /// Tells an App that one of its installations came, went, slept or woke.
    pub(crate) fn emit_installation(&mut self, id: u64, action: &'static str, sender: &User) {
        let Some(found) = self.installations.get(&id).cloned() else {
            return;
        };
        let repositories: Vec<Value> = found
            .repositories
            .iter()
            .filter_map(|id| self.repos.get(id))
            .map(|repo| {
                json!({"id": repo.id, "node_id": format!("R_{}", repo.id),
                    "name": repo.name, "full_name": repo.full_name(),
                    "private": repo.settings.private})
            })
            .collect();
        let payload = json!({"action": action, "repositories": repositories,
            "installation": render::installation(self, &found),
            "sender": render::user(self, sender)});
        self.post((found.app, Some(id), None), "installation", Some(action), &payload);
    }

    /// `GET /app/hook/deliveries`: the App's own log of the last three days, newest first.
    pub fn deliveries(&self, actor: &Actor) -> ApiResult<Vec<Logged>> {
        let app = Self::app_of(actor)?;
        let oldest_ms = self.now_ms - LOG_MS_MAX;
        let kept = |one: &&Logged| one.delivery.app == app && one.emitted_ms >= oldest_ms;
        Ok(self.mailbox.log().filter(kept).cloned().collect())
    }

    /// `POST /app/hook/deliveries/{id}/attempts`.
    pub fn redeliver(&mut self, actor: &Actor, id: u64) -> ApiResult<()> {
        let app = Self::app_of(actor)?;
        let oldest_ms = self.now_ms - LOG_MS_MAX;
        let own = self
            .mailbox
            .logged(id)
            .is_some_and(|one| one.delivery.app == app && one.emitted_ms >= oldest_ms);
        let new_id = self.fresh_id();
        if own && self.mailbox.redeliver(id, new_id, self.now_ms) {
            return Ok(());
        }
        Err(ApiError::not_found())
    }
}
