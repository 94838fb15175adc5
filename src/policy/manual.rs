//! Every key of the policy with its meaning and bounds: `docs/POLICY.md` and the checks of
//! values both follow from this list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Limits, POLICY_BYTES_MAX, POLICY_PATH, Policy};
use crate::model::{Dollars, wish};

/// One key.
pub(super) struct Key {
    /// With the keys above it, joined by dots.
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) bound: Bound,
}

/// What a value may be, beyond its type.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Free,
    Number {
        of: fn(&Limits) -> u32,
        min: u32,
        max: u32,
    },
    Money {
        of: fn(&Policy) -> Option<Dollars>,
        min: Dollars,
        max: Dollars,
    },
    Name {
        of: fn(&Policy) -> Option<&str>,
        bytes_max: usize,
    },
    /// An agent, alone or with its model.
    Agent {
        of: fn(&Policy) -> Option<&str>,
    },
    /// An agent for each label.
    Labels {
        of: fn(&Policy) -> &BTreeMap<String, String>,
        entries_max: usize,
    },
    List {
        of: fn(&Policy) -> &[String],
        entries_max: usize,
    },
    /// Patterns for paths, from the root of the repository.
    Paths {
        of: fn(&Policy) -> &[String],
        entries_max: usize,
    },
}

const fn money(of: fn(&Policy) -> Option<Dollars>) -> Bound {
    Bound::Money { of, min: Dollars(10_000), max: Dollars(10_000_000_000) }
}

const fn free(name: &'static str, meaning: &'static str) -> Key {
    Key { name, meaning, bound: Bound::Free }
}

macro_rules! limit {
    ($field:ident, $min:literal ..= $max:literal, $meaning:literal) => {
        Key {
            name: concat!("limits.", stringify!($field)),
            meaning: $meaning,
            bound: Bound::Number { of: |limits| limits.$field, min: $min, max: $max },
        }
    };
}

pub(super) const KEYS: &[Key] = &[
    free("stages.plan", "Let an agent write a plan before the change."),
    free("stages.verify", "Run the commands of `verify` on exactly the head before it is pushed."),
    free(
        "stages.critique",
        "Have another agent review the change before it is pushed, and what it finds repaired. Its \
         yes grants nothing: it is no approval, and no gate looks at it.",
    ),
    free("stages.review", "Wait for the people `merge` and GitHub's rules ask for."),
    free(
        "merge",
        "Who decides that a verified, green head is merged: `auto` nobody further (but a person \
         where the run is tainted, nothing protects the branch, or the App may bypass what does), \
         `on-approval` a person's approval of exactly this head, `on-command` a `/merge`, `never` \
         leaves the pull request to people.",
    ),
    free(
        "merge_with",
        "`api`: the merge call, at the moment every gate passes. `auto-merge`: GitHub merges by \
         itself as soon as rules that only it can judge are met. That is a weaker promise: GitHub \
         makes the last comparison, and a push in that moment races with our taking it back; \
         what landed is compared all the same, and a difference closes the branch with an alarm. \
         A branch with a merge queue is merged through it, whatever stands here.",
    ),
    free(
        "method",
        "`merge`, `squash` or `rebase`; if the repository does not allow it, one that it allows.",
    ),
    free(
        "freshness",
        "`strict`: the head contains the tip of the base, so that the tree that lands is the tree \
         CI tested. `loose`: merging must be clean.",
    ),
    free(
        "draft",
        "`until-green`: a pull request is opened as a draft and made ready once everything is \
         green, where the repository has drafts. `never`: it is opened ready.",
    ),
    free(
        "commits",
        "`pushed`: commits are made here and pushed, unsigned. `signed-by-github`: GitHub makes \
         them with the same tree and signs them, which a rule may ask for; the tree is compared \
         before anything else happens. A merge, a file that is executable or no plain file, or \
         a change of more than 500 files or 5 MiB cannot be made that way; it is pushed, and the \
         report says so.",
    ),
    free(
        "update_with",
        "`slipway`: a base that moved is merged into the branch here and pushed. `github`: GitHub \
         is asked to, which signs the merge; its commit counts as ours only if git finds that it \
         is exactly that merge. After five minutes without it, it is merged here.",
    ),
    Key {
        name: "verify",
        meaning: "Commands run in the sandbox on exactly the head, each by `sh -c`.",
        bound: Bound::List { of: |policy| &policy.verify, entries_max: 20 },
    },
    free("allow_no_checks", "Accept a head that no check speaks for, instead of asking a person."),
    Key {
        name: "label",
        meaning: "The label that starts a run; taking it away stops the run.",
        bound: Bound::Name { of: |policy| Some(&policy.label), bytes_max: 50 },
    },
    Key {
        name: "agent",
        meaning: "The agent, from the operator's list, alone or with its model: `codex:gpt-5.5`. \
                  Without it, the operator's choice.",
        bound: Bound::Agent { of: |policy| policy.agent.as_deref() },
    },
    Key {
        name: "agents.plan",
        meaning: "Another agent for the plan. A `/go --agent` or a label goes before it.",
        bound: Bound::Agent { of: |policy| policy.agents.plan.as_deref() },
    },
    Key {
        name: "agents.build",
        meaning: "Another agent for the change.",
        bound: Bound::Agent { of: |policy| policy.agents.build.as_deref() },
    },
    Key {
        name: "agents.fix",
        meaning: "Another agent for repairs.",
        bound: Bound::Agent { of: |policy| policy.agents.fix.as_deref() },
    },
    Key {
        name: "agents.resolve",
        meaning: "Another agent for conflicts.",
        bound: Bound::Agent { of: |policy| policy.agents.resolve.as_deref() },
    },
    Key {
        name: "agent_labels",
        meaning: "Labels that choose the agent of everything, where the issue carries one as its \
                  run begins: `agent:claude: claude`. Two that disagree are refused.",
        bound: Bound::Labels { of: |policy| &policy.agent_labels, entries_max: 50 },
    },
    Key {
        name: "agents.plan",
        meaning: "Another agent for the plan.",
        bound: Bound::Name { of: |policy| policy.agents.plan.as_deref(), bytes_max: 193 },
    },
    Key {
        name: "agents.build",
        meaning: "Another agent for the change.",
        bound: Bound::Name { of: |policy| policy.agents.build.as_deref(), bytes_max: 193 },
    },
    Key {
        name: "agents.fix",
        meaning: "Another agent for repairs.",
        bound: Bound::Name { of: |policy| policy.agents.fix.as_deref(), bytes_max: 193 },
    },
    Key {
        name: "agents.resolve",
        meaning: "Another agent for conflicts.",
        bound: Bound::Name { of: |policy| policy.agents.resolve.as_deref(), bytes_max: 193 },
    },
    Key {
        name: "agents.critique",
        meaning: "Another agent for the review of the change, whatever agent the command names.",
        bound: Bound::Name { of: |policy| policy.agents.critique.as_deref(), bytes_max: 193 },
    },
    Key {
        name: "protected",
        meaning: "Paths nobody but people change, beside the built-in ones. `dir/` means all \
                  below, `*` any part of a name, `**` any number of directories.",
        bound: Bound::Paths { of: |policy| &policy.protected, entries_max: 200 },
    },
    Key {
        name: "review_paths",
        meaning: "Paths that need one more approving person when they change, beside the \
                  built-in ones: manifests and lock files, build scripts, licences, dot files. \
                  Written like `protected`.",
        bound: Bound::Paths { of: |policy| &policy.review_paths, entries_max: 200 },
    },
    Key {
        name: "allow_binary",
        meaning: "Images that may be added or changed, at most 512 KiB each; every other binary \
                  file is refused. Written like `protected`.",
        bound: Bound::Paths { of: |policy| &policy.allow_binary, entries_max: 200 },
    },
    free(
        "push",
        "`direct`: a verified change is pushed at once. `hold`: it is shown and waits for a \
         `/push` of exactly it. `hold-when-tainted`: the same where words of people who may not \
         write were read. Without it: `hold-when-tainted` in a public repository, `direct` in a \
         private one.",
    ),
    free(
        "outsiders",
        "Comments of people who may not write: `quote` gives them to the agent as data and \
         taints the run, `leave-out` does not. Without it: `leave-out` in a public repository, \
         `quote` in a private one.",
    ),
    free(
        "requester_may_approve",
        "Whether an approval, `/approve` or `/merge` counts when whoever asked for the run gives \
         it. Without it: only while nobody else may write.",
    ),
    free(
        "critique.severity",
        "Findings of the critic of this weight or more are given to the agent for repair: \
         `critical`, `major`, `minor` or `trivial`. Lighter ones are shown.",
    ),
    free(
        "critique.then",
        "What follows when findings of that weight are left after all rounds, or come back \
         unchanged: `ask` a person, or `go-on` and show them. A critic that cannot be understood \
         always asks.",
    ),
    limit!(fix_rounds_max, 0..=10, "Times a failure is given to the agent for repair."),
    limit!(resolve_rounds_max, 0..=10, "Times a conflict is given to the agent."),
    limit!(review_rounds_max, 0..=10, "Times a reviewer's request is given to the agent."),
    limit!(critique_rounds_max, 0..=10, "Times what the critic found is given to the agent."),
    limit!(update_rounds_max, 0..=50, "Times the base is merged into the head."),
    limit!(agent_minutes_max, 1..=480, "Minutes one agent call may last."),
    limit!(verify_minutes_max, 1..=480, "Minutes the verification commands may last together."),
    limit!(ci_start_minutes_max, 1..=1440, "Minutes until CI that never started is reported."),
    limit!(ci_minutes_max, 1..=1440, "Minutes CI may run on one head."),
    limit!(
        ci_quiet_seconds,
        0..=3600,
        "Seconds without a new check before an unknown set of checks counts as complete."
    ),
    limit!(files_max, 1..=3000, "Files one change may touch."),
    limit!(lines_max, 1..=100_000, "Lines one change may add and remove."),
    limit!(file_bytes_max, 1..=8_388_608, "Bytes one file of a change may have."),
    limit!(patch_bytes_max, 1..=16_777_216, "Bytes the patch of one change may have."),
    limit!(questions_max, 0..=10, "Questions that agents may ask people in one run."),
    limit!(stories_at_once_max, 1..=10, "Sub-issues of one issue that are worked on at once."),
    limit!(hold_hours_max, 1..=720, "Hours a held change waits before a person is asked."),
    Key {
        name: "budget.run",
        meaning: "Dollars one run may spend on models, if that is less than the operator allows. \
                  The last tenth is kept for a wrap-up.",
        bound: money(|policy| policy.budget.run),
    },
    Key {
        name: "budget.issue",
        meaning: "Dollars all runs of one issue may spend, if that is less than the operator \
                  allows.",
        bound: money(|policy| policy.budget.issue),
    },
];

/// The whole of `docs/POLICY.md`.
pub fn manual() -> String {
    let mut out = format!(
        "# Policy\n\n<!-- Written by `policy::manual`; `SLIPWAY_UPDATE=1 cargo test \
         policy_document` brings it up to date. -->\n\n\
         A repository's rules stand in `{POLICY_PATH}` on its default branch, at most {} KiB. \
         Every key may be left out. A key that is not in this table, or a value outside its \
         bounds, is refused with line and column, and the run does not start on a guess.\n\n\
         | Key | Default | Bounds | Meaning |\n|---|---|---|---|\n",
        POLICY_BYTES_MAX / 1024
    );
    let defaults = serde_json::to_value(Policy::default()).unwrap_or_default();
    for key in KEYS {
        let default = defaults.pointer(&format!("/{}", key.name.replace('.', "/"))).map_or_else(
            String::new,
            |value| match value {
                serde_json::Value::Null => "none".to_owned(),
                serde_json::Value::String(text) => format!("`{text}`"),
                serde_json::Value::Bool(_)
                | serde_json::Value::Number(_)
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_) => format!("`{value}`"),
            },
        );
        let bounds = bounds(key.bound);
        _ = writeln!(out, "| `{}` | {default} | {bounds} | {} |", key.name, key.meaning);
    }
    out.push_str(&example());
    out
}

fn bounds(bound: Bound) -> String {
    match bound {
        Bound::Free => String::new(),
        Bound::Number { min, max, .. } => format!("{min} to {max}"),
        Bound::Money { min, max, .. } => format!("{} to {}", min.plain(), max.plain()),
        Bound::Name { bytes_max, .. } => format!("1 to {bytes_max} bytes"),
        Bound::Agent { .. } => format!("at most {} characters", wish::WISH_CHARS_MAX),
        Bound::List { entries_max, .. }
        | Bound::Labels { entries_max, .. }
        | Bound::Paths { entries_max, .. } => {
            format!("at most {entries_max} entries")
        }
    }
}

fn example() -> String {
    format!("\nFor example:\n\n```yaml\n{EXAMPLE}```\n")
}

const EXAMPLE: &str = "merge: on-approval
agents:
  plan: claude
  build: codex:gpt-5.5
verify:
  - cargo fmt --check
  - cargo test --locked
protected:
  - deploy/
limits:
  fix_rounds_max: 2
budget:
  run: 2.50
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_policy_document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/POLICY.md");
        let fresh = manual();
        if std::env::var_os("SLIPWAY_UPDATE").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(kept, fresh, "docs/POLICY.md is stale; run again with SLIPWAY_UPDATE=1");
    }

    #[test]
    fn the_document_names_every_key_and_no_other() {
        let mut real = BTreeSet::new();
        let defaults = serde_json::to_value(Policy::default()).unwrap();
        for (name, value) in defaults.as_object().unwrap() {
            match value.as_object().filter(|inner| !inner.is_empty()) {
                Some(inner) => real.extend(inner.keys().map(|key| format!("{name}.{key}"))),
                None => _ = real.insert(name.clone()),
            }
        }
        let named: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(named, real);
    }

    #[test]
    fn every_default_is_within_its_bounds_and_the_example_is_accepted() {
        let limits = Limits::default();
        for key in KEYS {
            if let Bound::Number { of, min, max } = key.bound {
                assert!((min..=max).contains(&of(&limits)), "{}", key.name);
            }
        }
        assert_eq!(Policy::parse(EXAMPLE).unwrap().limits.fix_rounds_max, 2);
    }
}
