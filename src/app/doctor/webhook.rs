//! Check: GitHub delivers to where we listen, signed and as JSON.

use super::Case;
use super::report::Line;
use crate::app::manifest::{NO_HOOK_URL, webhook_url};
use crate::config::Webhooks;
use crate::github::app::Hook;

const NAME: &str = "webhook";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(seen) = &case.seen else { return Vec::new() };
    match &case.settings.webhooks {
        Webhooks::Listen => {}
        Webhooks::Poll => {
            return vec![Line::ok(NAME, "none is needed: Slipway asks GitHub for its deliveries")];
        }
        Webhooks::Relay(_) => {
            return vec![Line::ok(NAME, "deliveries come through the relay, and are looked up")];
        }
    }
    let hook = match &seen.hook {
        Ok(hook) => hook.clone().unwrap_or_default(),
        Err(error) => {
            let finding = format!("GitHub does not tell about it: {error}");
            return vec![Line::fail(NAME, finding, "try again in a minute")];
        }
    };
    let page = case.app_settings("");
    let Some(url) = hook.url.as_deref().filter(|url| *url != NO_HOOK_URL) else {
        let next =
            format!("give it one at {page}, or let Slipway ask GitHub (webhooks = \"poll\")");
        return vec![Line::warn(NAME, "the App has no address to deliver to", next)];
    };
    let mut lines = faults(&hook, url, &page);
    if let Some(public) = case.settings.public_url.as_deref().map(webhook_url)
        && public != url
    {
        let finding = format!("GitHub delivers to {url}, and public_url would have it at {public}");
        lines.push(Line::warn(NAME, finding, format!("make them agree, here or at {page}")));
    }
    if lines.is_empty() {
        lines.push(Line::ok(NAME, format!("GitHub delivers to {url}, signed")));
    }
    lines
}

fn faults(hook: &Hook, url: &str, page: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut fail = |finding: String, next: String| lines.push(Line::fail(NAME, finding, next));
    if !url.trim_end_matches('/').ends_with("/webhook") {
        let next = format!("let it end in /webhook at {page}");
        fail(format!("GitHub delivers to {url}, where we do not listen"), next);
    }
    if !hook.has_secret {
        let next = format!("put webhook_secret into the field \"Secret\" at {page}");
        fail("deliveries are not signed, and are refused".to_owned(), next);
    }
    if hook.content_type.as_deref().is_some_and(|kind| kind != "json") {
        let next = format!("choose application/json at {page}");
        fail("deliveries come as forms, and are refused".to_owned(), next);
    }
    if hook.insecure {
        let next = format!("switch the verification of certificates on at {page}");
        lines.push(Line::warn(NAME, "GitHub does not check our certificate", next));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_webhook_is_told() {
        let good = Hook {
            url: None,
            content_type: Some("json".to_owned()),
            has_secret: true,
            insecure: false,
        };
        let url = "https://s.example.com/webhook";
        assert!(faults(&good, url, "PAGE").is_empty());
        assert!(faults(&good, "https://s.example.com/webhook/", "PAGE").is_empty());
        assert_eq!(faults(&good, "https://s.example.com/", "PAGE").len(), 1);
        let bad = Hook {
            content_type: Some("form".to_owned()),
            has_secret: false,
            insecure: true,
            ..good
        };
        assert_eq!(faults(&bad, url, "PAGE").len(), 3);
    }
}
