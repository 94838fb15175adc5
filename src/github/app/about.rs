//! What GitHub says about our App itself: for making it and for `doctor`, not for runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keys::Question;
use super::shape::{Account, required};
use super::wire::Request;
use super::{App, Config, pace, plain, wire};
use crate::github::Error;
use crate::model::{InstallationId, Millis, Secret};

/// Installations looked at; an App for one's own organisation has a few.
pub(super) const INSTALLATIONS_MAX: usize = 50;

/// What the answer to a request without credentials tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// GitHub's clock, to the second.
    pub at: Option<Millis>,
    /// Version of an Enterprise Server.
    pub enterprise: Option<String>,
}

/// The App as it is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    pub id: u64,
    pub slug: String,
    pub owner: String,
    /// The owner is an organisation, whose Apps have their settings elsewhere.
    pub by_organization: bool,
    /// The App's public page.
    pub html_url: String,
    /// Names and levels: `read`, `write` or `admin`.
    pub permissions: BTreeMap<String, String>,
    pub events: BTreeSet<String>,
}

/// One installation of the App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub id: InstallationId,
    /// The person or organisation it belongs to.
    pub account: String,
    /// Where its owner changes it.
    pub html_url: String,
    pub suspended: bool,
    /// What its owner has granted.
    pub permissions: BTreeMap<String, String>,
}

/// Where and how GitHub delivers the App's webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hook {
    pub url: Option<String>,
    pub content_type: Option<String>,
    /// Whether deliveries are signed.
    pub has_secret: bool,
    /// Whether certificates go unchecked.
    pub insecure: bool,
}

/// One entry of GitHub's delivery log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Such as `issues.opened`.
    pub what: String,
    pub at: Option<Millis>,
    /// The receiver's answer; 0 when there was none.
    pub status_code: u16,
    /// GitHub's words for it.
    pub status: String,
}

impl Delivered {
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AboutAnswer {
    id: Option<u64>,
    slug: Option<String>,
    owner: Option<Account>,
    html_url: Option<String>,
    permissions: BTreeMap<String, String>,
    events: BTreeSet<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InstalledAnswer {
    id: Option<u64>,
    account: Option<Account>,
    html_url: Option<String>,
    suspended_at: Option<String>,
    permissions: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HookAnswer {
    url: Option<String>,
    content_type: Option<String>,
    secret: Option<Secret>,
    /// A text or a number, `"1"` when certificates go unchecked.
    insecure_ssl: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DeliveredAnswer {
    event: Option<String>,
    action: Option<String>,
    delivered_at: Option<String>,
    status_code: Option<u16>,
    status: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counted {
    total_count: Option<u64>,
}

/// Asks GitHub for nothing but a sign of life; needs no key.
///
/// # Errors
/// When nobody answers there.
pub async fn greet(config: &Config) -> Result<Greeting, Error> {
    let answer = plain::send(config, axum::http::Method::GET, "/meta").await?;
    let at = answer.header("date").and_then(wire::moment);
    let enterprise = answer.header("x-github-enterprise-version").map(str::to_owned);
    Ok(Greeting { at, enterprise })
}

impl App {
    /// `GET /app`: what the App may do and hears.
    pub async fn about(&self) -> Result<About, Error> {
        let answer: AboutAnswer = self.told(Question::App).await?;
        let owner = answer.owner.unwrap_or_default();
        Ok(About {
            id: required(answer.id, "number of the App")?,
            slug: required(answer.slug, "name of the App")?,
            by_organization: owner.kind.as_deref() == Some("Organization"),
            owner: owner.login.unwrap_or_default(),
            html_url: answer.html_url.unwrap_or_default(),
            permissions: answer.permissions,
            events: answer.events,
        })
    }

    /// Where the App is installed; the first [`INSTALLATIONS_MAX`].
    pub async fn installations(&self) -> Result<Vec<Installed>, Error> {
        let first = Question::Installations { page: 1 };
        let found: Vec<InstalledAnswer> = self.told(first).await?;
        let installed = |answer: InstalledAnswer| {
            Ok(Installed {
                id: InstallationId(required(answer.id, "installation id")?),
                account: answer.account.and_then(|one| one.login).unwrap_or_default(),
                html_url: answer.html_url.unwrap_or_default(),
                suspended: answer.suspended_at.is_some(),
                permissions: answer.permissions,
            })
        };
        found.into_iter().take(INSTALLATIONS_MAX).map(installed).collect()
    }

    /// How many repositories an installation reaches; `None` when it gives no token.
    pub async fn repositories_of(&self, id: InstallationId) -> Result<Option<u64>, Error> {
        let Some(secret) = self.listing_token(id).await? else { return Ok(None) };
        let path = "/installation/repositories?per_page=1".to_owned();
        let request = Request::get("repositories", path);
        let answer = self.deliver(pace::Account::Installation(id), &secret, &request).await?;
        if !answer.is_success() {
            return Err(answer.refusal().error(self.clock.now()));
        }
        Ok(answer.json::<Counted>()?.total_count)
    }

    /// The App's webhook; `None` when it has none.
    pub async fn hook(&self) -> Result<Option<Hook>, Error> {
        let answer = self.told::<HookAnswer>(Question::Hook).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Error::Gone(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        Ok(Some(Hook {
            url: answer.url.filter(|url| !url.is_empty()),
            content_type: answer.content_type,
            has_secret: answer.secret.is_some_and(|secret| !secret.is_empty()),
            insecure: matches!(answer.insecure_ssl.to_string().as_str(), "\"1\"" | "1"),
        }))
    }

    /// The newest entries of the delivery log, one page of them, newest first.
    pub async fn lately_delivered(&self) -> Result<Vec<Delivered>, Error> {
        let newest = Question::Deliveries { failed: false, cursor: None };
        let found = match self.told::<Vec<DeliveredAnswer>>(newest).await {
            Ok(found) => found,
            Err(Error::Gone(_)) => return Ok(Vec::new()),
            Err(other) => return Err(other),
        };
        Ok(found.into_iter().map(delivered).collect())
    }

    async fn told<T: DeserializeOwned>(&self, question: Question) -> Result<T, Error> {
        self.keys.ask(&question).await?.json()
    }
}

fn delivered(answer: DeliveredAnswer) -> Delivered {
    let event = answer.event.unwrap_or_default();
    Delivered {
        what: answer.action.map_or_else(|| event.clone(), |action| format!("{event}.{action}")),
        at: answer.delivered_at.as_deref().and_then(Millis::from_rfc3339),
        status_code: answer.status_code.unwrap_or(0),
        status: answer.status.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Grant;
    use super::*;

    #[test]
    fn the_manifest_asks_for_what_tokens_are_minted_with_and_nothing_else() {
        let manifest: Value =
            serde_json::from_str(include_str!("../../../app-manifest/manifest.json")).unwrap();
        let asked: BTreeMap<String, String> =
            serde_json::from_value(manifest["default_permissions"].clone()).unwrap();
        let mut used: BTreeMap<String, String> = BTreeMap::new();
        for grant in Grant::ALL {
            for (name, level) in grant.permissions() {
                // `read` sorts before `write`.
                let held = used.entry((*name).to_owned()).or_default();
                *held = level.word().to_owned().max(held.clone());
            }
        }
        // Not of any token: without it GitHub refuses the event `merge_group`.
        used.insert("merge_queues".to_owned(), "read".to_owned());
        assert_eq!(asked, used);
        for never in ["workflows", "administration", "secrets", "members"] {
            assert!(!asked.contains_key(never), "{never}");
        }
    }

    #[test]
    fn a_log_entry_is_read_however_little_it_says() {
        let empty = delivered(DeliveredAnswer::default());
        assert!(!empty.succeeded() && empty.at.is_none());
        let text = r#"{"event":"issues","action":"opened","status_code":202,"status":"OK",
            "delivered_at":"2026-11-21T05:00:00Z"}"#;
        let whole = delivered(serde_json::from_str(text).unwrap());
        assert!(whole.succeeded() && whole.what == "issues.opened" && whole.at.is_some());
    }
}
