//! The verification gate: the repository's own commands passed on exactly this head.

use super::{Facts, Verdict};

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    if !facts.policy.stages.verify {
        return Verdict::Pass("left out by the policy".to_owned());
    }
    if facts.policy.verify.is_empty() {
        return Verdict::Pass("no command is configured".to_owned());
    }
    if facts.verified == Some(facts.head) {
        Verdict::Pass("the repository's commands passed".to_owned())
    } else {
        Verdict::Pending("the repository's commands have not run on this commit".to_owned())
    }
}
