//! Check runs and commit statuses reduced to what a verdict needs, and our own check run as
//! GitHub takes it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Button, CHECK_NAME, CheckRun, Conclusion, log};
use crate::gate::seen::{CHECKS_MAX, Check, CheckResult};
use crate::gate::signature;
use crate::model::CheckId;

/// What a check run's status and conclusion mean.
pub fn result(status: &str, conclusion: Option<&str>) -> CheckResult {
    match (status, conclusion) {
        ("completed", Some("success" | "neutral")) => CheckResult::Passed,
        ("completed", Some("skipped")) => CheckResult::Skipped,
        ("completed", Some("failure")) => CheckResult::Failed,
        ("completed", Some("cancelled" | "timed_out" | "stale")) => CheckResult::Aborted,
        // An environment or a workflow waits for approval, the workflow file is broken, or it
        // is a word of tomorrow: never green.
        ("waiting", _) | ("completed", Some(_)) => CheckResult::NeedsPerson,
        _unfinished => CheckResult::Pending,
    }
}

/// What a commit status means.
pub fn status_result(state: &str) -> CheckResult {
    match state {
        "success" => CheckResult::Passed,
        "failure" | "error" => CheckResult::Failed,
        "pending" => CheckResult::Pending,
        _unknown => CheckResult::NeedsPerson,
    }
}

/// A check with what orders it among those of the same name and source.
#[derive(Debug, Clone)]
pub struct Dated {
    pub id: u64,
    pub check: Check,
}

/// A check run or commit status as it was reported.
#[derive(Debug, Clone)]
pub struct Reported {
    pub id: u64,
    /// A check run, not a commit status.
    pub is_run: bool,
    pub name: String,
    pub result: CheckResult,
    /// When it completed or was set; empty before.
    pub at: String,
    pub app: Option<u64>,
    pub url: Option<String>,
    /// All it says about itself.
    pub said: String,
}

/// A report as a verdict needs it; only a failure has a signature.
pub fn dated(one: Reported) -> Dated {
    let failed = one.result == CheckResult::Failed;
    let check = Check {
        signature: if failed { signature::of(&one.name, &log::clean(&one.said)) } else { None },
        name: one.name,
        result: one.result,
        stamp: format!("{} {}", one.id, one.at),
        id: one.is_run.then_some(CheckId(one.id)),
        app: one.app,
        url: one.url,
    };
    Dated { id: one.id, check }
}

/// The newest check of each name and App, those that stop a verdict first kept, by name.
pub fn newest(all: Vec<Dated>) -> Vec<Check> {
    let mut latest: BTreeMap<(String, Option<u64>, bool), Dated> = BTreeMap::new();
    for one in all {
        let key = (one.check.name.clone(), one.check.app, one.check.id.is_some());
        if latest.get(&key).is_none_or(|kept| kept.id < one.id) {
            latest.insert(key, one);
        }
    }
    let mut checks: Vec<Check> = latest.into_values().map(|one| one.check).collect();
    if checks.len() > CHECKS_MAX {
        checks.sort_by_key(|check| {
            matches!(check.result, CheckResult::Passed | CheckResult::Skipped)
        });
        checks.truncate(CHECKS_MAX);
        checks.sort_by(|a, b| (&a.name, a.app).cmp(&(&b.name, b.app)));
    }
    checks
}

fn conclusion_word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success => "success",
        Conclusion::Neutral => "neutral",
        Conclusion::Failure => "failure",
        Conclusion::Cancelled => "cancelled",
        Conclusion::ActionRequired => "action_required",
    }
}

/// Our check run as GitHub takes it; its limits are those of the types.
pub fn body(run: &CheckRun) -> Value {
    let action = |button: &Button| {
        json!({
            "label": button.label(),
            "description": button.description(),
            "identifier": button.identifier(),
        })
    };
    let actions: Vec<Value> = run.buttons.as_slice().iter().map(action).collect();
    let mut body = json!({
        "name": CHECK_NAME,
        "external_id": run.external_id,
        "output": {
            "title": run.title.as_str(),
            "summary": run.summary.as_str(),
        },
        "actions": actions,
    });
    if let Some(fields) = body.as_object_mut() {
        let status = if run.conclusion.is_some() { "completed" } else { "in_progress" };
        fields.insert("status".to_owned(), status.into());
        if let Some(conclusion) = run.conclusion {
            fields.insert("conclusion".to_owned(), conclusion_word(conclusion).into());
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommitSha;
    use crate::model::sanitized::{Sanitizer, prose};

    #[test]
    fn results_never_turn_green_by_surprise() {
        use CheckResult::{Aborted, Failed, NeedsPerson, Passed, Pending, Skipped};
        for (status, conclusion, expected) in [
            ("completed", Some("success"), Passed),
            ("completed", Some("neutral"), Passed),
            ("completed", Some("skipped"), Skipped),
            ("completed", Some("failure"), Failed),
            ("completed", Some("cancelled"), Aborted),
            ("completed", Some("timed_out"), Aborted),
            ("completed", Some("stale"), Aborted),
            ("completed", Some("action_required"), NeedsPerson),
            ("completed", Some("startup_failure"), NeedsPerson),
            ("completed", Some("splendid"), NeedsPerson),
            ("completed", None, Pending),
            ("queued", None, Pending),
            ("in_progress", None, Pending),
            ("in_progress", Some("success"), Pending),
            ("requested", None, Pending),
            ("pending", None, Pending),
            ("waiting", None, NeedsPerson),
            ("", None, Pending),
        ] {
            assert_eq!(result(status, conclusion), expected, "{status} {conclusion:?}");
        }
        for (state, expected) in [
            ("success", Passed),
            ("failure", Failed),
            ("error", Failed),
            ("pending", Pending),
            ("fine", NeedsPerson),
        ] {
            assert_eq!(status_result(state), expected, "{state}");
        }
    }

    fn dated(id: u64, name: &str, app: Option<u64>, result: CheckResult) -> Dated {
        let check = Check {
            name: name.to_owned(),
            result,
            stamp: id.to_string(),
            id: app.map(|_| CheckId(id)),
            app,
            url: None,
            signature: None,
        };
        Dated { id, check }
    }

    #[test]
    fn only_the_newest_of_each_source_speaks() {
        use CheckResult::{Failed, Passed};
        let found = newest(vec![
            dated(3, "test", Some(1), Passed),
            dated(2, "test", Some(1), Failed),
            dated(1, "test", Some(2), Failed),
            dated(9, "test", None, Failed),
        ]);
        let found: Vec<_> = found.iter().map(|one| (one.app, one.result)).collect();
        assert_eq!(found, [(None, Failed), (Some(1), Passed), (Some(2), Failed)]);
    }

    #[test]
    fn too_many_checks_lose_the_green_ones_first() {
        let name = |n: u64| format!("{n:05}");
        let mut all: Vec<Dated> = (0..CHECKS_MAX as u64)
            .map(|n| dated(n, &name(n), Some(1), CheckResult::Passed))
            .collect();
        all.push(dated(9_999, "zzz", Some(1), CheckResult::Failed));
        let found = newest(all);
        assert_eq!(found.len(), CHECKS_MAX);
        assert_eq!(found.last().map(|one| one.result), Some(CheckResult::Failed));
    }

    #[test]
    fn our_check_run_keeps_to_the_limits() {
        let button = Button::new("Retry", "Try again", "retry");
        let run = CheckRun {
            head: CommitSha::parse(&"a".repeat(40)).unwrap(),
            external_id: "r0123456789".to_owned(),
            conclusion: None,
            title: Sanitizer::default().text(&prose(&"t".repeat(1_000))),
            summary: Sanitizer::default().text(&prose(&"é".repeat(70_000))),
            buttons: [button; 5].into_iter().collect(),
        };
        let found = body(&run);
        assert_eq!(found["status"], "in_progress");
        assert!(found.get("conclusion").is_none());
        let chars = |value: &Value| value.as_str().unwrap().chars().count();
        assert_eq!(chars(&found["output"]["summary"]), 60_000);
        assert_eq!(found["actions"].as_array().unwrap().len(), 3);
        assert_eq!(chars(&found["output"]["title"]), 255);
        let done = body(&CheckRun { conclusion: Some(Conclusion::ActionRequired), ..run });
        assert_eq!(
            (&done["status"], &done["conclusion"]),
            (&json!("completed"), &json!("action_required"))
        );
    }
}
