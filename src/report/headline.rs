//! What a run is doing, as one plain sentence, and what follows it: since when, until when, what
//! then, and which command changes it. Nothing here is escaped yet.

use super::{Context, base_name};
use crate::gate::people_missing;
use crate::model::Millis;
use crate::pipeline::stage::pipeline;
use crate::pipeline::standing::Way;
use crate::pipeline::state::Complaint;
use crate::pipeline::{Outcome, Phase, Progress, Role, StageKind, State, Task, Wait};
use crate::policy::MergeMode;

/// How a run stands, for colours and conclusions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Working,
    Waiting,
    /// A person is needed.
    Parked,
    Merged,
    /// Ended without a merge, as somebody wanted it.
    Ended,
    Failed,
}

impl Tone {
    pub fn of(state: &State) -> Self {
        match &state.progress {
            Progress::Idle => Self::Waiting,
            Progress::Running { phase, .. } => match phase {
                Phase::Doing(_) => Self::Working,
                Phase::Waiting(_) => Self::Waiting,
                Phase::Parked(_) => Self::Parked,
            },
            Progress::Finished { outcome, .. } => match outcome {
                Outcome::Merged { .. } => Self::Merged,
                Outcome::Stopped { .. } | Outcome::HandedOver { .. } => Self::Ended,
                Outcome::Failed { .. } => Self::Failed,
            },
        }
    }

    /// The class for it on pages and in pictures.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Merged => "merged",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }
}

/// What a run is doing, without a full stop.
pub(super) fn sentence(state: &State) -> String {
    match &state.progress {
        Progress::Idle => "Slipway is about to start".to_owned(),
        Progress::Running { phase, .. } => match phase {
            Phase::Doing(task) => doing(state, task),
            Phase::Waiting(wait) => format!("Slipway is waiting for {}", awaited(wait)),
            Phase::Parked(park) => format!("Slipway needs a person: {}", bare(&park.text)),
        },
        Progress::Finished { outcome, .. } => ended(state, outcome),
    }
}

fn awaited(wait: &Wait) -> &str {
    if wait.what.is_empty() { "its turn" } else { bare(&wait.what) }
}

fn ended(state: &State, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Merged { commit, by, .. } => {
            let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            format!("Merged{by}: `{}` is in `{}`", commit.short(), base_name(state))
        }
        Outcome::Stopped { why } if why.starts_with("Stopped") => bare(why).to_owned(),
        Outcome::Stopped { why } => format!("Stopped: {}", bare(why)),
        Outcome::HandedOver { why } => format!("Handed over: {}", bare(why)),
        Outcome::Failed { why } => format!("Failed: {}", bare(why)),
    }
}

fn doing(state: &State, task: &Task) -> String {
    let base = base_name(state);
    match task {
        Task::Accept { .. } => "Slipway is reading the repository".to_owned(),
        Task::Agent { role, .. } => agent(state, *role),
        Task::Afford => "Slipway is asking whether there is money to go on".to_owned(),
        Task::Verify { head } => {
            format!("Slipway is running the repository's own commands on `{}`", head.short())
        }
        Task::Show { head } => {
            format!("Slipway is reading what `{}` changes, to show it", head.short())
        }
        Task::Publish { head, .. } if state.work.pull.is_some() => {
            format!("Slipway is pushing `{}` to the pull request", head.short())
        }
        Task::Publish { head, .. } => {
            format!("Slipway is pushing `{}` and opening the pull request", head.short())
        }
        Task::Update { .. } => format!("Slipway is merging `{base}` into the branch"),
        Task::AskUpdate { .. } => {
            format!("Slipway is asking GitHub to merge `{base}` into the branch")
        }
        Task::Recognise { found, .. } => {
            format!("Slipway is comparing `{}` with the merge GitHub was asked for", found.short())
        }
        Task::Stories { close: false } => "Slipway is reading how far the stories are".to_owned(),
        Task::Stories { close: true } => "Slipway is closing the issue".to_owned(),
        Task::Undraft { .. } => "Slipway is making the pull request ready for people".to_owned(),
        Task::Rerun { checks } => {
            let many = if checks.len() == 1 { "" } else { "s" };
            format!("Slipway is asking CI to run {} check{many} again", checks.len())
        }
        Task::Ready { .. } => format!("Slipway is taking its turn to merge into `{base}`"),
        Task::Merge(permit) => {
            format!("Slipway is merging `{}` into `{base}`", permit.head().short())
        }
        Task::Settle { .. } => "Slipway is finding out whether the merge took effect".to_owned(),
        Task::Enlist { permit, way: Way::Queue } => {
            format!("Slipway is putting `{}` into GitHub's merge queue", permit.head().short())
        }
        Task::Enlist { permit, way: Way::Auto } => {
            format!("Slipway is asking GitHub to merge `{}` by itself", permit.head().short())
        }
        Task::Leave { way, .. } => {
            format!("Slipway is taking the pull request out of GitHub's {}", way.word())
        }
        Task::Compare { .. } => {
            "Slipway is comparing what GitHub landed with what was verified".to_owned()
        }
        Task::Land { .. } => "Slipway is comparing what landed with what was verified".to_owned(),
        Task::Close { .. } => "Slipway is closing the issue and tidying up".to_owned(),
    }
}

fn agent(state: &State, role: Role) -> String {
    match role {
        Role::Planner => "An agent is planning the change".to_owned(),
        Role::Builder => "An agent is making the change".to_owned(),
        Role::Fixer => format!("An agent is repairing what {}", complaint(state)),
        Role::Resolver => {
            format!("An agent is resolving the conflict with `{}`", base_name(state))
        }
        Role::Critic => "An agent is reviewing the change".to_owned(),
    }
}

/// What the next fix is about, as the rest of "what …".
pub(super) fn complaint(state: &State) -> String {
    match &state.work.complaint {
        Some(Complaint::Verification { .. }) => "the repository's own commands found".to_owned(),
        Some(Complaint::Checks { failed }) => {
            let names: Vec<&str> = failed.iter().take(5).map(|check| check.name.as_str()).collect();
            format!("CI found ({})", names.join(", "))
        }
        Some(Complaint::Review { by, .. }) => format!("{by} asked for"),
        Some(Complaint::Critique { .. }) => "the critic found".to_owned(),
        None => "was found".to_owned(),
    }
}

/// The moment the present state began.
pub(super) fn since(state: &State) -> Millis {
    match &state.progress {
        Progress::Idle => state.request.at,
        Progress::Running { since, .. } => *since,
        Progress::Finished { at, .. } => *at,
    }
}

/// How long it may last, and what happens then; whole sentences.
pub(super) fn ahead(context: &Context<'_>) -> String {
    let Progress::Running { stage, phase, .. } = &context.state.progress else {
        return after_the_end(context.state);
    };
    match phase {
        Phase::Doing(task) => {
            let limit = limit(context, task).map(|limit| format!("{limit} ")).unwrap_or_default();
            format!("{limit}{}", after(context, *stage, task))
        }
        Phase::Waiting(Wait { until: Some(until), .. }) => {
            format!("Until {} at the latest; then {}.", until.at.readable(), bare(&until.then))
        }
        Phase::Waiting(Wait { until: None, .. }) => {
            format!("There is no time limit. {}", next(context, *stage))
        }
        Phase::Parked(_) => super::budget::ahead(context),
    }
}

fn after_the_end(state: &State) -> String {
    let Some(outcome) = state.finished() else { return String::new() };
    match outcome {
        Outcome::Merged { verified: true, .. } => {
            "What landed is exactly the tree that was predicted from the verified commit."
                .to_owned()
        }
        Outcome::Merged { verified: false, .. } => {
            "What landed was not compared with what was verified.".to_owned()
        }
        Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. } => {
            String::new()
        }
    }
}

fn limit(context: &Context<'_>, task: &Task) -> Option<String> {
    let limits = &context.policy.limits;
    let since = since(context.state);
    let end = |minutes: u32| since.plus(i64::from(minutes) * 60_000).readable();
    match task {
        Task::Agent { .. } => Some(format!(
            "A call may last {} minutes from its start, until about {}; then it counts as failed.",
            limits.agent_minutes_max,
            end(limits.agent_minutes_max)
        )),
        Task::Verify { .. } => Some(format!(
            "They may last {} minutes, until about {}; then they count as failed.",
            limits.verify_minutes_max,
            end(limits.verify_minutes_max)
        )),
        Task::Accept { .. }
        | Task::Afford
        | Task::Show { .. }
        | Task::Publish { .. }
        | Task::Update { .. }
        | Task::AskUpdate { .. }
        | Task::Recognise { .. }
        | Task::Rerun { .. }
        | Task::Undraft { .. }
        | Task::Stories { .. }
        | Task::Ready { .. }
        | Task::Merge(_)
        | Task::Settle { .. }
        | Task::Enlist { .. }
        | Task::Leave { .. }
        | Task::Compare { .. }
        | Task::Land { .. }
        | Task::Close { .. } => None,
    }
}

fn after(context: &Context<'_>, stage: StageKind, task: &Task) -> String {
    match task {
        Task::Agent { role: Role::Fixer | Role::Resolver, .. } | Task::Update { .. } => {
            "Then the new commit is verified and pushed.".to_owned()
        }
        Task::Enlist { .. } | Task::AskUpdate { .. } => "Then Slipway waits for GitHub.".to_owned(),
        Task::Recognise { .. } => "Then the new commit is verified.".to_owned(),
        Task::Leave { .. } => "Nothing else happens before that is sure.".to_owned(),
        Task::Rerun { .. } => "Then Slipway waits for their results.".to_owned(),
        Task::Show { .. } => "Then somebody who may write releases it.".to_owned(),
        Task::Undraft { .. } => "Then they are asked.".to_owned(),
        Task::Afford => "Then the agent goes on.".to_owned(),
        Task::Stories { .. } => String::new(),
        Task::Agent { role: Role::Planner | Role::Builder | Role::Critic, .. }
        | Task::Accept { .. }
        | Task::Verify { .. }
        | Task::Publish { .. }
        | Task::Ready { .. }
        | Task::Merge(_)
        | Task::Settle { .. }
        | Task::Compare { .. }
        | Task::Land { .. }
        | Task::Close { .. } => next(context, stage),
    }
}

fn next(context: &Context<'_>, stage: StageKind) -> String {
    if context.state.request.stories {
        return "When all are done, the issue is closed.".to_owned();
    }
    let dry = context.state.request.dry_run;
    if dry && stage >= StageKind::Plan {
        return "Then the plan is shown and the dry run ends.".to_owned();
    }
    match pipeline(context.policy).find(|later| *later > stage) {
        Some(next) => format!("Then Slipway {}.", next.stage().doing()),
        None => "Then the run ends.".to_owned(),
    }
}

/// Which commands change it; whole sentences.
pub(super) fn commands(context: &Context<'_>) -> String {
    let state = context.state;
    match &state.progress {
        Progress::Finished { outcome, .. } => match outcome {
            Outcome::Merged { .. } => String::new(),
            Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. } => {
                "`/go` starts a new run, `/retry` the same one once more.".to_owned()
            }
        },
        Progress::Running { phase: Phase::Parked(park), .. } => park.why.next().to_owned(),
        Progress::Running { .. } if !may_stop(state) => {
            "The merge was asked for, so no command changes it any more.".to_owned()
        }
        Progress::Idle | Progress::Running { .. } => {
            let mut words = String::new();
            if state.held().is_some() {
                words.push_str("`/push` lets exactly this change be pushed, so that CI runs it. ");
            }
            if may_approve(context) {
                words.push_str("`/approve` approves exactly this commit. ");
            }
            if may_order(context) {
                words.push_str("`/merge` orders the merge of exactly this commit. ");
            }
            words.push_str("`/stop` ends the run");
            words.push_str(match (&state.held_by, state.request.dry_run) {
                (_, true) => ".",
                (Some(_), false) => ", `/unhold` lets it merge.",
                (None, false) => ", `/hold` keeps it from merging.",
            });
            words
        }
    }
}

/// A merge call may be out: only GitHub's answer ends the run.
pub(super) fn may_stop(state: &State) -> bool {
    match &state.progress {
        Progress::Idle | Progress::Finished { .. } => true,
        Progress::Running { phase, .. } => match phase {
            Phase::Waiting(_) | Phase::Parked(_) => true,
            Phase::Doing(task) => match task {
                Task::Merge(_)
                | Task::Settle { .. }
                | Task::Compare { .. }
                | Task::Land { .. }
                | Task::Close { .. } => false,
                Task::Accept { .. }
                | Task::Agent { .. }
                | Task::Afford
                | Task::Verify { .. }
                | Task::Show { .. }
                | Task::Publish { .. }
                | Task::Update { .. }
                | Task::AskUpdate { .. }
                | Task::Recognise { .. }
                | Task::Rerun { .. }
                | Task::Enlist { .. }
                | Task::Leave { .. }
                | Task::Undraft { .. }
                | Task::Stories { .. }
                | Task::Ready { .. } => true,
            },
        },
    }
}

/// The newest commit is published, waits, and an approval would count.
pub(super) fn may_approve(context: &Context<'_>) -> bool {
    let head = &context.state.work.head;
    let given = context.state.work.approved.as_ref().map(|approval| &approval.head);
    let asked =
        on_approval(context.policy.merge) && context.policy.stages.review && head.as_ref() != given;
    let facts = context.state.facts(context.policy, since(context.state));
    let more = facts.is_some_and(|facts| people_missing(&facts) > 0);
    awaits_people(context.state) && (asked || more)
}

fn may_order(context: &Context<'_>) -> bool {
    let head = &context.state.work.head;
    let given = context.state.work.merge_ordered.as_ref().map(|order| &order.head);
    let on_command = match context.policy.merge {
        MergeMode::OnCommand => true,
        MergeMode::Auto | MergeMode::OnApproval | MergeMode::Never => false,
    };
    on_command
        && context.policy.stages.review
        && awaits_people(context.state)
        && head.as_ref() != given
}

fn on_approval(mode: MergeMode) -> bool {
    match mode {
        MergeMode::OnApproval => true,
        MergeMode::Auto | MergeMode::OnCommand | MergeMode::Never => false,
    }
}

/// While an agent makes another commit, a word for this one would be void in a moment.
fn awaits_people(state: &State) -> bool {
    let published = state.work.head.is_some() && state.work.head == state.work.published;
    match &state.progress {
        Progress::Running { stage, phase: Phase::Waiting(_), .. } => {
            published && (*stage == StageKind::Ci || *stage == StageKind::Review)
        }
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => false,
    }
}

/// Without the full stop at its end.
fn bare(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}
