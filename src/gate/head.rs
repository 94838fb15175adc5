//! The head gate: GitHub's interface, git and the run mean the same commit.

use super::seen::PullState;
use super::{Facts, Verdict};

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    let seen = facts.seen;
    match &seen.pull_state {
        PullState::Open => {}
        PullState::Closed => return Verdict::Fail("the pull request is closed".to_owned()),
        PullState::Merged { .. } => return Verdict::Fail("it is merged already".to_owned()),
    }
    let Some(git) = &seen.git_head else {
        return Verdict::Fail("the branch is gone".to_owned());
    };
    if git != facts.head {
        return Verdict::Fail(format!("the branch is at {}, not at our commit", git.short()));
    }
    if &seen.api_head != facts.head {
        return Verdict::Pending(format!(
            "GitHub still shows {}, git already has {}",
            seen.api_head.short(),
            git.short()
        ));
    }
    Verdict::Pass("GitHub and git agree".to_owned())
}
