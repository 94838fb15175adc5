//! Apps made from manifests: what GitHub accepts, the codes it gives out, and the App in the end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::accounts::{App, Level, Permissions};
use super::setup::NewApp;
use super::{ApiError, ApiResult, State, World};

/// A code is good for an hour, in milliseconds.
const CODE_LIFE_MS: i64 = 3_600_000;
/// Codes that wait to be exchanged.
const CODES_MAX: usize = 100;
/// Longest name of an App, in characters.
pub const NAME_CHARS_MAX: usize = 34;
/// The manifest that ships with Slipway: the sample's bot is the App that people make of it.
const SLIPWAYS: &str = include_str!("../../../app-manifest/manifest.json");

/// Events an App may ask for, each with the permissions of which it needs one.
const EVENTS: &[(&str, &[&str])] = &[
    ("check_run", &["checks"]),
    ("check_suite", &["checks"]),
    ("issue_comment", &["issues", "pull_requests"]),
    ("issues", &["issues"]),
    ("merge_group", &["merge_queues"]),
    ("pull_request", &["pull_requests"]),
    ("pull_request_review", &["pull_requests"]),
    ("pull_request_review_comment", &["pull_requests"]),
    ("pull_request_review_thread", &["pull_requests"]),
    ("push", &["contents"]),
    ("repository", &["metadata"]),
    ("status", &["statuses"]),
    ("workflow_job", &["actions"]),
    ("workflow_run", &["actions"]),
];

/// What a browser brings along.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    pub name: String,
    pub url: String,
    pub description: String,
    pub redirect_url: String,
    pub hook_attributes: Option<HookAttributes>,
    default_permissions: BTreeMap<String, String>,
    pub default_events: BTreeSet<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct HookAttributes {
    #[serde(default)]
    pub url: String,
    #[serde(default = "yes")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

/// A code and the App it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    app: u64,
    expires_ms: i64,
}

impl Manifest {
    /// Reads a manifest and refuses what GitHub refuses.
    pub fn parse(text: &str) -> ApiResult<Self> {
        let parsed: Result<Self, _> = serde_json::from_str(text);
        let manifest = parsed.ok().ok_or_else(|| invalid("manifest", "is not valid JSON"))?;
        let web = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        if !web(&manifest.url) {
            return Err(invalid("url", "is missing"));
        }
        if !web(&manifest.redirect_url) {
            return Err(invalid("redirect_url", "is missing"));
        }
        if manifest.hook_attributes.as_ref().is_some_and(|hook| !web(&hook.url)) {
            return Err(invalid("hook_attributes.url", "is missing"));
        }
        let permissions = manifest.permissions()?;
        let supported = |event: &String| {
            let known = EVENTS.iter().find(|(name, _)| name == event);
            known.is_some_and(|(_, needs)| needs.iter().any(|one| permissions.contains_key(*one)))
        };
        if let Some(event) = manifest.default_events.iter().find(|event| !supported(event)) {
            let what = format!("unsupported: {event}");
            return Err(invalid("default_events", &what));
        }
        Ok(manifest)
    }

    /// What the App may do.
    pub fn permissions(&self) -> ApiResult<Permissions> {
        let level = |(name, level): (&String, &String)| {
            let read = Level::parse(level);
            let read = read.ok_or_else(|| invalid("default_permissions", "has unknown levels"));
            read.map(|level| (name.clone(), level))
        };
        self.default_permissions.iter().map(level).collect()
    }
}

fn invalid(field: &str, what: &str) -> ApiError {
    ApiError::invalid("Integration", field, what)
}

impl NewApp {
    /// The App that Slipway's own manifest asks for.
    pub fn bot(slug: &str, owner: u64) -> Self {
        let asked: Manifest = serde_json::from_str(SLIPWAYS).unwrap_or_default();
        Self {
            slug: slug.to_owned(),
            owner,
            permissions: asked.permissions().unwrap_or_default(),
            events: asked.default_events,
            webhook_url: None,
        }
    }
}

impl World {
    /// Registers the App of a manifest under `name` for `owner`, and gives the code for it.
    pub fn register_app(&self, manifest: &Manifest, name: &str, owner: u64) -> ApiResult<String> {
        let slug = slug(name);
        if slug.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(invalid("name", "is missing or too long (maximum is 34 characters)"));
        }
        if self.with(|state| state.apps.values().any(|app| app.slug == slug)) {
            return Err(invalid("name", "is already taken"));
        }
        let hook = manifest.hook_attributes.as_ref().filter(|hook| hook.active);
        let webhook_url = hook.map(|hook| hook.url.clone());
        let permissions = manifest.permissions()?;
        let events = manifest.default_events.clone();
        let app = self.add_app(&NewApp { slug, owner, permissions, events, webhook_url })?;
        self.with(|state| {
            if let Some(made) = state.apps.get_mut(&app.id) {
                name.clone_into(&mut made.name);
            }
            let (code, now_ms) = (state.fresh_secret(), state.now_ms);
            state.codes.retain(|_, code| code.expires_ms > now_ms);
            while state.codes.len() >= CODES_MAX {
                state.codes.pop_first();
            }
            let expires_ms = now_ms.saturating_add(CODE_LIFE_MS);
            state.codes.insert(code.clone(), Code { app: app.id, expires_ms });
            Ok(code)
        })
    }
}

impl State {
    /// `POST /app-manifests/{code}/conversions`: works once.
    pub fn take_code(&mut self, code: &str) -> ApiResult<App> {
        let now_ms = self.now_ms;
        let taken = self.codes.remove(code).filter(|code| code.expires_ms > now_ms);
        let app = taken.and_then(|code| self.apps.get(&code.app));
        app.cloned().ok_or_else(ApiError::not_found)
    }
}

/// The name as it appears in addresses.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(plain).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn world() -> (World, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(1_700_000_000_000));
        let clock = Arc::clone(&now);
        (World::new(Arc::new(move || clock.load(Ordering::SeqCst)), 7), now)
    }

    #[test]
    fn our_own_manifest_is_accepted_and_the_bot_is_what_it_asks_for() {
        let manifest = Manifest::parse(SLIPWAYS).unwrap();
        let bot = NewApp::bot("slipway", 1);
        assert_eq!(bot.permissions, manifest.permissions().unwrap());
        assert!(bot.events.len() > 5 && bot.events == manifest.default_events);
    }

    #[test]
    fn a_manifest_is_refused_as_github_refuses_it() {
        for (from, to, field) in [
            ("\"merge_queues\": \"read\",", "", "default_events unsupported: merge_group"),
            ("\"check_run\",", "\"check_walk\",", "default_events unsupported: check_walk"),
            ("\"metadata\": \"read\"", "\"metadata\": \"much\"", "default_permissions"),
            ("https://slipway.example.com/webhook", "", "hook_attributes.url is missing"),
            ("https://slipway.example.com/\"", "\"", "redirect_url is missing"),
            ("{", "[", "manifest is not valid JSON"),
        ] {
            let refused = Manifest::parse(&SLIPWAYS.replacen(from, to, 1)).unwrap_err();
            let error = refused.body.unwrap()["errors"][0].clone();
            let (on, why) = (error["field"].as_str().unwrap(), error["message"].as_str().unwrap());
            assert!(format!("{on} {why}").starts_with(field), "{on} {why}");
        }
    }

    #[test]
    fn a_code_works_once_and_for_an_hour_and_a_name_is_had_by_one() {
        let (world, now) = world();
        let owner = world.add_user("mara").id;
        let manifest = Manifest::parse(SLIPWAYS).unwrap();
        let code = world.register_app(&manifest, "My  Slipway!", owner).unwrap();
        let app = world.with(|state| state.take_code(&code)).unwrap();
        assert_eq!((app.slug.as_str(), app.name.as_str()), ("my-slipway", "My  Slipway!"));
        assert!(world.with(|state| state.take_code(&code)).is_err(), "used");
        assert!(world.register_app(&manifest, "My Slipway", owner).is_err(), "taken");
        assert!(world.register_app(&manifest, "!", owner).is_err(), "no name");
        assert!(world.register_app(&manifest, &"x".repeat(35), owner).is_err(), "too long");
        let late = world.register_app(&manifest, "late", owner).unwrap();
        now.fetch_add(CODE_LIFE_MS, Ordering::SeqCst);
        assert!(world.with(|state| state.take_code(&late)).is_err(), "too old");
    }
}
