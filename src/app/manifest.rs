//! The App as we ask GitHub for it: one manifest, and the reason for everything in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

/// The manifest as it is kept; `render` puts names and addresses in.
const SOURCE: &str = include_str!("../../app-manifest/manifest.json");
/// Longest name GitHub takes for an App, in characters.
pub(super) const NAME_CHARS_MAX: usize = 34;
/// GitHub wants an address for webhooks even when there are to be none.
pub(super) const NO_HOOK_URL: &str = "https://example.com/slipway/webhook";

/// Why each permission is asked for.
const PERMISSIONS: &[(&str, &str)] = &[
    ("actions", "logs of failed jobs, and running one of them once more"),
    ("checks", "the check run `slipway` with its buttons; other checks and their results"),
    ("contents", "reading the repository; branches and commits of its own; the merge"),
    ("issues", "comments, reactions, sub-issues, closing the issue"),
    ("merge_queues", "hearing of merge queues; GitHub ties that event to this permission"),
    ("metadata", "repositories, who may do what, the rules of branches"),
    ("pull_requests", "opening, updating and merging pull requests; reading reviews"),
    ("statuses", "commit statuses count as checks"),
];

/// What each event tells.
const EVENTS: &[(&str, &str)] = &[
    ("check_run", "a check ended; a button of our check run was pressed"),
    ("check_suite", "checks began, ended, or are wanted once more"),
    ("issue_comment", "slash commands"),
    ("issues", "the label `go`; an issue was closed or opened again"),
    ("merge_group", "a merge queue tests commits of ours"),
    ("pull_request", "a head moved; a pull request was closed or merged"),
    ("pull_request_review", "somebody reviewed"),
    ("push", "a base moved"),
    ("status", "an older kind of check changed"),
    ("workflow_job", "a job of GitHub Actions ended"),
    ("workflow_run", "a workflow of GitHub Actions ended"),
];

#[derive(Debug, Deserialize)]
struct Written {
    default_permissions: BTreeMap<String, String>,
    default_events: BTreeSet<String>,
}

/// What the App needs, by GitHub's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    /// With their levels, `read` or `write`.
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) events: BTreeSet<String>,
}

/// What an operator decides about the App.
#[derive(Debug, Clone)]
pub(super) struct Wish<'a> {
    pub(super) name: &'a str,
    /// Where this Slipway can be reached from GitHub; without it there are no webhooks.
    pub(super) public_url: Option<&'a str>,
    /// What the App's page calls its home without it: GitHub itself.
    pub(super) web: &'a str,
    /// Where GitHub sends the browser back to.
    pub(super) redirect_url: &'a str,
}

/// What the manifest asks for.
pub(super) fn needs() -> Needs {
    let written: Result<Written, _> = serde_json::from_str(SOURCE);
    let (permissions, events) = written
        .map(|written| (written.default_permissions, written.default_events))
        .unwrap_or_default();
    Needs { permissions, events }
}

/// The manifest with `wish` in its places.
pub(super) fn render(wish: &Wish<'_>) -> String {
    let mut manifest: Value = serde_json::from_str(SOURCE).unwrap_or_default();
    let hook = match wish.public_url {
        Some(url) => json!({"url": webhook_url(url), "active": true}),
        None => json!({"url": NO_HOOK_URL, "active": false}),
    };
    if let Some(fields) = manifest.as_object_mut() {
        fields.insert("name".to_owned(), wish.name.into());
        fields.insert("url".to_owned(), wish.public_url.unwrap_or(wish.web).into());
        fields.insert("hook_attributes".to_owned(), hook);
        fields.insert("redirect_url".to_owned(), wish.redirect_url.into());
    }
    manifest.to_string()
}

/// Where GitHub sends deliveries to, when Slipway is reached at `public_url`.
pub(super) fn webhook_url(public_url: &str) -> String {
    format!("{}/webhook", public_url.trim_end_matches('/'))
}

/// Why a permission is asked for.
pub(super) fn permission_reason(name: &str) -> &'static str {
    reason(PERMISSIONS, name)
}

/// What an event tells.
pub(super) fn event_reason(name: &str) -> &'static str {
    reason(EVENTS, name)
}

fn reason(table: &[(&str, &'static str)], name: &str) -> &'static str {
    table.iter().find(|(one, _)| *one == name).map_or("", |(_, why)| why)
}

/// Whether having `held` does for needing `wanted`.
pub(super) fn suffices(held: Option<&String>, wanted: &str) -> bool {
    let rank = |level: &str| match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _unknown => 0,
    };
    held.is_some_and(|held| rank(held) >= rank(wanted))
}

/// Permissions of `wanted` that `held` lacks, as `name: level`.
pub(super) fn lacking(
    held: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Vec<String> {
    let lacks = wanted.iter().filter(|(name, level)| !suffices(held.get(*name), level));
    lacks.map(|(name, level)| format!("{name}: {level}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_asked_for_has_its_reason_and_nothing_else_has() {
        let needs = needs();
        let names = |table: &[(&str, &str)]| -> BTreeSet<String> {
            table.iter().map(|(name, _)| (*name).to_owned()).collect()
        };
        assert_eq!(names(PERMISSIONS), needs.permissions.keys().cloned().collect());
        assert_eq!(names(EVENTS), needs.events);
        let readme = include_str!("../../app-manifest/README.md");
        for (name, why) in PERMISSIONS.iter().chain(EVENTS) {
            assert!(why.len() > 10 && readme.contains(name), "{name}");
        }
    }

    #[test]
    fn the_manifest_takes_the_operators_names_and_addresses() {
        let wish = |public_url| Wish {
            name: "Slip \"way\"",
            public_url,
            web: "https://ghe.example.com",
            redirect_url: "http://127.0.0.1:9/back",
        };
        let parsed = |wish: &Wish<'_>| -> Value { serde_json::from_str(&render(wish)).unwrap() };
        let open = parsed(&wish(Some("https://s.example.com/")));
        assert_eq!(open["name"], "Slip \"way\"");
        assert_eq!(open["hook_attributes"]["url"], "https://s.example.com/webhook");
        assert_eq!(open["hook_attributes"]["active"], true);
        assert_eq!(open["redirect_url"], "http://127.0.0.1:9/back");
        assert_eq!(open["public"], false);
        let closed = parsed(&wish(None));
        assert_eq!(closed["hook_attributes"], json!({"url": NO_HOOK_URL, "active": false}));
        assert_eq!(closed["default_events"], open["default_events"]);
    }

    #[test]
    fn a_higher_level_does_for_a_lower_one() {
        let held = |level: &str| Some(level.to_owned());
        assert!(suffices(held("write").as_ref(), "read"));
        assert!(suffices(held("admin").as_ref(), "write"));
        assert!(!suffices(held("read").as_ref(), "write"));
        assert!(!suffices(held("none").as_ref(), "read"));
        assert!(!suffices(None, "read"));
    }
}
