//! Our own check where a rule requires it: on the head we merge, and on what a queue tests.

use super::Engine;
use super::failure::Failure;
use crate::gate::seen::{CHECKS_MAX, CheckResult, Group, Line};
use crate::github::{At, Buttons, CheckRun, Conclusion};
use crate::model::sanitized::{Sanitizer, plain};
use crate::model::{BranchName, CommitSha};
use crate::pipeline::State;
use crate::plain;
use crate::policy::MergeMethod;

/// The check run that says yes to a permitted head.
pub(super) fn on_head(state: &State, head: &CommitSha) -> CheckRun {
    CheckRun {
        head: head.clone(),
        external_id: state.request.run.to_string(),
        conclusion: Some(Conclusion::Success),
        title: "Every gate passed; GitHub is asked to merge exactly this commit".into(),
        summary: "Slipway holds the permit for this commit. What landed is compared with it \
                  afterwards."
            .into(),
        buttons: Buttons::default(),
    }
}

/// The check run on what a queue tests; `None` while git has not told what it holds.
pub(super) fn on_group(state: &State) -> Option<CheckRun> {
    let seen = state.seen.as_deref().filter(|seen| seen.rules.ours)?;
    let standing = state.work.standing.as_ref()?;
    let group = seen.line.entry.as_ref()?.group.as_ref()?;
    let head = standing.permit.head().short();
    let head = plain(head);
    let (conclusion, title, summary) = if group.holds? {
        let title = plain!("It adds exactly {} to the base", head);
        let summary = "This commit of the merge queue adds exactly the commit that Slipway holds \
                       the permit for to what comes before it.";
        (Conclusion::Success, title, summary)
    } else {
        let title = plain!("It is not {} on top of the base", head);
        let summary = "This commit of the merge queue holds something else than the commit that \
                       Slipway holds the permit for.";
        (Conclusion::Failure, title, summary)
    };
    Some(CheckRun {
        head: group.head.clone(),
        external_id: state.request.run.to_string(),
        conclusion: Some(conclusion),
        title: Sanitizer::default().text(&title),
        summary: summary.into(),
        buttons: Buttons::default(),
    })
}

/// GitHub's name for the branch on which a queue tests a pull request.
fn group_branch(state: &State, group: &Group) -> Option<BranchName> {
    let permit = &state.work.standing.as_ref()?.permit;
    let name = format!("gh-readonly-queue/{}/pr-{}-{}", permit.base(), permit.pull(), group.base);
    BranchName::parse(&name).ok()
}

impl Engine {
    /// Answers on a queue's commit that no run of ours is in; neutral, which lets it pass.
    pub(super) async fn pass_by(
        &self,
        at: &At,
        base: &BranchName,
        head: &CommitSha,
    ) -> Result<(), Failure> {
        let github = &self.ports.github;
        if !github.rules(at, base).await?.ours || github.check_run_of(at, head).await?.is_some() {
            return Ok(());
        }
        let run = CheckRun {
            head: head.clone(),
            external_id: String::new(),
            conclusion: Some(Conclusion::Neutral),
            title: "No change of Slipway's".into(),
            summary: "This commit of the merge queue is for a pull request that Slipway does not \
                      work on, so it has nothing to say about it."
                .into(),
            buttons: Buttons::default(),
        };
        github.create_check_run(at, &run).await?;
        Ok(())
    }

    /// Completes what the queue says by what only git and the checks can say.
    pub(super) async fn complete(
        &self,
        state: &State,
        at: &At,
        line: &mut Line,
        method: MergeMethod,
    ) -> Result<(), Failure> {
        let Some(standing) = &state.work.standing else { return Ok(()) };
        if let Some(group) = line.entry.as_mut().and_then(|entry| entry.group.as_mut()) {
            let Some(branch) = group_branch(state, group) else { return Ok(()) };
            let tips = self.tips(state, std::slice::from_ref(&branch)).await?;
            if tips.get(&branch) == Some(&group.head) {
                let wanted = (standing.permit.head(), method);
                let expected = self.made_of(&at.repo, &group.head, wanted).await?;
                let tree = self.ports.git.tree_of(&at.repo, &group.head).await?;
                group.holds = Some(expected == Some(tree));
            }
        } else if let (None, Some(group)) = (&line.entry, &standing.group) {
            let checks = self.ports.github.checks(at, group).await?;
            let failed = checks.into_iter().filter(|check| check.result == CheckResult::Failed);
            line.failed = failed.take(CHECKS_MAX).collect();
        }
        Ok(())
    }
}
