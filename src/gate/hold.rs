//! The hold gate: nobody said `/hold`, and the pull request is not a draft.

use super::{Facts, Verdict};

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    if let Some(by) = facts.held_by {
        return Verdict::Pending(format!("{by} said `/hold`"));
    }
    if facts.seen.draft {
        return Verdict::Pending("the pull request is a draft".to_owned());
    }
    if facts.seen.rules.queue {
        return Verdict::Fail("the branch is merged through GitHub's merge queue".to_owned());
    }
    Verdict::Pass("nobody holds it".to_owned())
}
