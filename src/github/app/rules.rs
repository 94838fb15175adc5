//! The rules of a branch as GitHub tells them, layered: the most demanding wins.

use super::pulls::method_word;
use super::shape::{RuleAnswer, RuleParameters};
use crate::gate::seen::Rules;
use crate::model::text;
use crate::policy::MergeMethod;

/// Most demands named; more would not change what a person does.
const DEMANDS_MAX: usize = 20;

/// Adds one rule to what is demanded.
pub(super) fn add(rules: &mut Rules, rule: RuleAnswer) {
    let parameters = rule.parameters.unwrap_or_default();
    match rule.kind.as_deref() {
        Some("required_status_checks") => checks(rules, parameters),
        Some("pull_request") => {
            let demanded = parameters.required_approving_review_count.unwrap_or(0);
            rules.approvals = rules.approvals.max(demanded);
            reviews(rules, &parameters);
        }
        Some("merge_queue") => {
            rules.queue = true;
            let named = parameters.merge_method.unwrap_or_default().to_lowercase();
            let all = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase];
            rules.queue_method = all.into_iter().find(|method| method_word(*method) == named);
            rules.queue_minutes = parameters.check_response_timeout_minutes.unwrap_or(0);
        }
        // About who may push, create or delete; a merge of ours does neither.
        Some("creation" | "update" | "deletion" | "non_fast_forward") | None => {}
        Some("required_deployments") => {
            let to = parameters.required_deployment_environments.unwrap_or_default().join(", ");
            demand(rules, &format!("a deployment to {to}"));
        }
        Some("required_linear_history") => demand(rules, "a linear history"),
        Some("required_signatures") => demand(rules, "signed commits"),
        Some("workflows") => demand(rules, "workflows of the organisation"),
        Some("code_scanning") => demand(rules, "code scanning results"),
        Some("code_quality") => demand(rules, "code quality results"),
        Some(other) => demand(rules, &format!("the rule {other}")),
    }
}

fn checks(rules: &mut Rules, parameters: RuleParameters) {
    for check in parameters.required_status_checks.into_iter().flatten() {
        let Some(name) = check.context else { continue };
        // GitHub writes no App, or a number that is none, for "any".
        if let Some(app) = check.integration_id.filter(|app| *app > 0) {
            rules.by_app.insert(name.clone(), app);
        }
        rules.required.insert(name);
    }
    rules.strict |= parameters.strict_required_status_checks_policy.unwrap_or(false);
}

fn reviews(rules: &mut Rules, parameters: &RuleParameters) {
    if parameters.require_code_owner_review == Some(true) {
        demand(rules, "a review by code owners");
    }
    if parameters.require_last_push_approval == Some(true) {
        demand(rules, "an approval by somebody else than the last pusher");
    }
    if parameters.required_review_thread_resolution == Some(true) {
        demand(rules, "resolved conversations");
    }
}

/// What only GitHub's own answer to a merge can tell us is met.
fn demand(rules: &mut Rules, what: &str) {
    if rules.demands.len() < DEMANDS_MAX {
        rules.demands.insert(text::cut(what, 100));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

    use super::*;

    fn found(answer: serde_json::Value) -> Rules {
        let mut found = Rules::default();
        for rule in serde_json::from_value::<Vec<RuleAnswer>>(answer).unwrap() {
            add(&mut found, rule);
        }
        found
    }

    #[test]
    fn the_most_demanding_rule_wins() {
        let found = found(json!([
            {"type": "required_status_checks", "parameters": {
                "strict_required_status_checks_policy": true,
                "required_status_checks": [{"context": "test", "integration_id": 1}, {}]}},
            {"type": "required_status_checks", "parameters": {
                "strict_required_status_checks_policy": false,
                "required_status_checks": [{"context": "lint"}]}},
            {"type": "pull_request", "parameters": {"required_approving_review_count": 2}},
            {"type": "pull_request", "parameters": {"required_approving_review_count": 1}},
            {"type": "deletion"}, {},
        ]));
        let required = BTreeSet::from(["lint".to_owned(), "test".to_owned()]);
        let by_app = BTreeMap::from([("test".to_owned(), 1)]);
        assert_eq!(
            found,
            Rules { required, by_app, strict: true, approvals: 2, ..Rules::default() }
        );
    }

    #[test]
    fn a_queue_tells_how_it_merges_and_how_long_it_waits() {
        let found = found(json!([{"type": "merge_queue", "parameters": {
            "merge_method": "REBASE", "check_response_timeout_minutes": 45}}]));
        assert!(found.queue);
        assert_eq!((found.queue_method, found.queue_minutes), (Some(MergeMethod::Rebase), 45));
    }

    #[test]
    fn what_only_github_can_judge_is_named() {
        let found = found(json!([
            {"type": "required_signatures"}, {"type": "required_linear_history"},
            {"type": "required_deployments", "parameters": {
                "required_deployment_environments": ["stage", "live"]}},
            {"type": "pull_request", "parameters": {"require_code_owner_review": true,
                "require_last_push_approval": true, "required_review_thread_resolution": true}},
            {"type": "workflows"}, {"type": "a_rule_of_tomorrow", "parameters": {}},
        ]));
        let all: Vec<&str> = found.demands.iter().map(String::as_str).collect();
        assert_eq!(
            all,
            [
                "a deployment to stage, live",
                "a linear history",
                "a review by code owners",
                "an approval by somebody else than the last pusher",
                "resolved conversations",
                "signed commits",
                "the rule a_rule_of_tomorrow",
                "workflows of the organisation",
            ]
        );
    }
}
