//! Who does which stage: agents by the repository's policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::wish;

/// Longest name of a label, in characters; GitHub's own bound.
const LABEL_CHARS_MAX: usize = 50;

/// Agents of single stages, each written as `codex` or `codex:gpt-5.5`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Agents {
    /// Writes the plan.
    pub plan: Option<String>,
    /// Makes the change.
    pub build: Option<String>,
    /// Repairs what verification, CI or a reviewer found.
    pub fix: Option<String>,
    /// Resolves conflicts with the base branch.
    pub resolve: Option<String>,
    /// Reviews what was made.
    pub critique: Option<String>,
}

/// Why `given` under the key `name` names no agent, if it does not.
pub(super) fn unfit(name: &str, given: &str) -> Option<String> {
    (!wish::fits(given)).then(|| format!("`{name}` must be {}", wish::FORM))
}

/// Why the labels under the key `name` cannot choose, if they cannot.
pub(super) fn unfit_labels(
    name: &str,
    given: &BTreeMap<String, String>,
    entries_max: usize,
) -> Option<String> {
    if given.len() > entries_max {
        return Some(format!("`{name}` must have at most {entries_max} entries"));
    }
    let label = |label: &str| {
        let plain = !label.contains(char::is_control) && label.trim() == label;
        (1..=LABEL_CHARS_MAX).contains(&label.chars().count()) && plain
    };
    let all = given.iter().all(|(key, agent)| label(key) && wish::fits(agent));
    (!all).then(|| {
        format!(
            "`{name}` must give for each label, of at most {LABEL_CHARS_MAX} characters, {}",
            wish::FORM
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;
    use crate::policy::wrapped::wrapped;

    fn refusal(text: &str) -> String {
        wrapped(&Policy::parse(text).unwrap_err().to_string(), 36)
    }

    #[test]
    fn agents_are_named_for_everything_for_a_stage_and_by_labels() {
        let policy = Policy::parse(
            "agent: codex:gpt-5.5\nagents:\n  plan: claude\n  resolve: codex:gpt-5.5-mini\n\
             agent_labels:\n  'agent:claude': claude:opus\n",
        )
        .unwrap();
        assert_eq!(policy.agent.as_deref(), Some("codex:gpt-5.5"));
        assert_eq!(policy.agents.plan.as_deref(), Some("claude"));
        assert_eq!(policy.agents.resolve.as_deref(), Some("codex:gpt-5.5-mini"));
        assert_eq!((&policy.agents.build, &policy.agents.fix), (&None, &None));
        assert_eq!(policy.agent_labels["agent:claude"], "claude:opus");
        let many: Vec<_> = (0..51).map(|n| format!("  l{n}: codex\n")).collect();
        let many = many.concat();
        let many = Policy::parse(&format!("agent_labels:\n{many}")).unwrap_err();
        assert!(many.why.contains("at most 50 entries"), "{many}");
        let long = format!("agent_labels:\n  {}: codex\n", "l".repeat(51));
        assert!(Policy::parse(&long).is_err());
    }

    #[test]
    fn what_names_no_agent_is_refused_with_its_place() {
        insta::assert_snapshot!(refusal("agent: '@all'\n"), @"
        .github/slipway.yml, line 1, column
        1: `agent` must be a name of
        letters, digits, `-`, `_` and `.`,
        alone as in `codex` or with its
        model as in `codex:gpt-5.5`
        ");
        insta::assert_snapshot!(refusal("agents:\n  fix: a b\n"), @"
        .github/slipway.yml, line 2, column
        3: `agents.fix` must be a name of
        letters, digits, `-`, `_` and `.`,
        alone as in `codex` or with its
        model as in `codex:gpt-5.5`
        ");
        insta::assert_snapshot!(refusal("agent_labels: {' x': codex}\n"), @"
        .github/slipway.yml, line 1, column
        1: `agent_labels` must give for each
        label, of at most 50 characters, a
        name of letters, digits, `-`, `_`
        and `.`, alone as in `codex` or with
        its model as in `codex:gpt-5.5`
        ");
    }
}
