//! Somebody who may gave a command. Every command has an answer in every state.

use super::{Decision, Ignored, budget, critique, question, walk};
use crate::command::{Authorized, SlashCommand};
use crate::model::{Millis, RunId};
use crate::pipeline::effect::{Answer, Effect};
use crate::pipeline::park::ParkReason;
use crate::pipeline::run::Run;
use crate::pipeline::stage::{StageKind, Step, Task, queue};
use crate::pipeline::standing::Leaving;
use crate::pipeline::state::{Approval, Outcome, Phase, Progress, State};
use crate::policy::{MergeMode, Policy};

pub(super) fn decide(run: &mut Run<'_>, command: &Authorized) {
    let answer = match command.command() {
        SlashCommand::Go(_) => words(
            "A run for this issue is on its way; its status is in Slipway's comment. `/stop` \
             ends it.",
        ),
        SlashCommand::Stop => stop(run, command),
        SlashCommand::Retry => retry(run, command),
        SlashCommand::Status => Answer::Status,
        SlashCommand::Push => push(run, command),
        SlashCommand::Approve => approve(run, command),
        SlashCommand::Merge => merge(run, command),
        SlashCommand::Hold => hold(run, command),
        SlashCommand::Unhold => {
            run.state.held_by = None;
            again(run);
            Answer::Done
        }
        SlashCommand::Budget(more) => budget::raise(run, command, *more),
        SlashCommand::Answer(text) => question::answer(run, command, text),
        SlashCommand::Help => Answer::Help,
    };
    run.answer(command.comment(), answer);
}

/// The run is over: say so, and what would start another.
pub(super) fn after_the_end(
    state: &State,
    command: &Authorized,
    policy: &Policy,
    at: Millis,
) -> Result<Decision, Ignored> {
    let Some(to) = command.comment() else { return Err(Ignored::Finished) };
    let answer = match command.command() {
        SlashCommand::Status => Answer::Status,
        SlashCommand::Help => Answer::Help,
        SlashCommand::Go(_)
        | SlashCommand::Stop
        | SlashCommand::Retry
        | SlashCommand::Push
        | SlashCommand::Approve
        | SlashCommand::Merge
        | SlashCommand::Hold
        | SlashCommand::Unhold
        | SlashCommand::Budget(_)
        | SlashCommand::Answer(_) => {
            words("This run is over. `/go` on the issue starts a new one.")
        }
    };
    let mut run = Run::new(state.clone(), policy, at);
    run.answer(Some(to), answer);
    Ok(Decision { next: run.state, effects: run.effects })
}

fn words(text: &str) -> Answer {
    Answer::Words(text.to_owned())
}

fn stop(run: &mut Run<'_>, command: &Authorized) -> Answer {
    if let Some(landed) = &run.state.work.landed {
        let text = format!("Too late: it landed as {}. Slipway only tidies up.", landed.short());
        run.state.stop_by = Some(command.by().clone());
        if run.state.park().is_some() {
            walk::go(run, Step::Back(StageKind::Close));
        }
        return Answer::Words(text);
    }
    if run.state.work.unsettled.is_some() {
        return stop_unsettled(run, command);
    }
    if run.state.work.standing.is_some() {
        return stop_standing(run, command);
    }
    relay(run, command);
    let why = format!("Stopped by {}.", command.by());
    walk::go(run, Step::Finish(Outcome::Stopped { why }));
    Answer::Done
}

/// The stories stop with what they belong to.
fn relay(run: &mut Run<'_>, command: &Authorized) {
    let live = run.state.work.stories.iter().filter(|story| !story.standing.is_over());
    let runs: Vec<RunId> = live.filter_map(|story| story.run.clone()).collect();
    for to in runs {
        run.effects.push(Effect::Relay { to, command: command.relayed() });
    }
}

/// A merge call may have been sent: only GitHub's answer ends the run now. A second `/stop`
/// while GitHub gives none ends it without, and leaves the lane closed.
fn stop_unsettled(run: &mut Run<'_>, command: &Authorized) -> Answer {
    let again = run.state.stop_by.is_some();
    run.state.stop_by = Some(command.by().clone());
    if run.state.park().is_some() && again {
        let why = format!(
            "Stopped by {}. GitHub never told whether the merge took effect; look at the pull \
             request.",
            command.by()
        );
        walk::go(run, Step::Finish(Outcome::Stopped { why }));
        return Answer::Done;
    }
    read_again(run);
    words(
        "The merge was already asked for. Slipway finds out how it ended and says so in its \
         comment; nothing further is started.",
    )
}

/// GitHub may merge by itself at any moment: what was asked is taken back first. A second
/// `/stop` while GitHub does not let go ends the run without.
fn stop_standing(run: &mut Run<'_>, command: &Authorized) -> Answer {
    let again = run.state.stop_by.is_some();
    run.state.stop_by = Some(command.by().clone());
    if run.state.park().is_some() && again {
        let why = format!(
            "Stopped by {}. GitHub never told whether it let go of the pull request, so it may \
             still merge it; look there.",
            command.by()
        );
        walk::go(run, Step::Finish(Outcome::Stopped { why }));
        return Answer::Done;
    }
    take_back(run, Leaving::Stop);
    words("Slipway takes back what it asked of GitHub, and stops as soon as that is sure.")
}

/// Begins to take back what stands, unless a task about it is out already.
fn take_back(run: &mut Run<'_>, why: Leaving) {
    if run.state.task().is_some() {
        return;
    }
    if let Some(standing) = run.work().standing.as_mut() {
        standing.tries = 0;
    }
    let step = queue::leave(run, why);
    walk::go(run, step);
}

/// Parked without knowing how a merge call ended: reads it once more, and never sends another.
fn read_again(run: &mut Run<'_>) {
    let Some(permit) = run.state.work.unsettled.clone() else { return };
    if run.state.park().is_none() {
        return;
    }
    let counts = run.counts();
    counts.settle_reads = 0;
    counts.not_landed_reads = 0;
    walk::go(run, Step::Do(Task::Settle { permit }));
}

fn hold(run: &mut Run<'_>, command: &Authorized) -> Answer {
    run.state.held_by = Some(command.by().clone());
    let work = &run.state.work;
    if work.landed.is_some() || work.unsettled.is_some() {
        return words("The merge was already asked for. Slipway holds only if GitHub refuses it.");
    }
    if work.standing.is_some() {
        take_back(run, Leaving::Gate);
    }
    Answer::Done
}

fn retry(run: &mut Run<'_>, command: &Authorized) -> Answer {
    match &run.state.progress {
        Progress::Running { stage, phase: Phase::Parked(park), .. } => {
            let (stage, why) = (*stage, park.why);
            if why == ParkReason::PermissionLost {
                run.state.sponsor = Some(command.by().clone());
            }
            fresh_budgets(run);
            run.work().retried_at = Some(run.at);
            run.state.budget.resumes = 0;
            if budget::is_short(run) {
                budget::ask(run);
                return Answer::Done;
            }
            if question::reply(run, command, "") {
                return Answer::Done;
            }
            if let Some(standing) = run.work().standing.as_mut() {
                standing.tries = 0;
            }
            if run.state.work.unsettled.is_some() {
                read_again(run);
                return Answer::Done;
            }
            // What was seen may be old; where there is a pull request, a look comes first.
            if run.state.work.pull.is_some() {
                run.state.seen = None;
            }
            walk::go(run, Step::Back(stage));
            Answer::Done
        }
        Progress::Running { phase: Phase::Waiting(_), .. } => {
            if run.state.request.stories {
                walk::go(run, Step::Back(StageKind::Accept));
            } else {
                run.effects.push(Effect::Look);
            }
            Answer::Done
        }
        Progress::Running { phase: Phase::Doing(_), stage, .. } => {
            Answer::Words(format!("Nothing to retry: Slipway {}.", stage.stage().doing()))
        }
        Progress::Idle | Progress::Finished { .. } => words("There is nothing to retry."),
    }
}

/// A person asked for another try: every loop may turn again.
fn fresh_budgets(run: &mut Run<'_>) {
    let counts = run.counts();
    counts.build_rounds = 0;
    counts.fix_rounds = 0;
    counts.resolve_rounds = 0;
    counts.review_rounds = 0;
    counts.update_rounds = 0;
    counts.merge_refusals = 0;
    counts.lost_calls = 0;
    counts.orders = 0;
    counts.signatures.clear();
    counts.trees.clear();
    counts.reruns.clear();
    let work = run.work();
    work.required.clear();
    work.addressed.clear();
    work.critic.anew();
}

/// Releases exactly the change that is shown, for whoever could have read it.
fn push(run: &mut Run<'_>, command: &Authorized) -> Answer {
    if let Some(answer) = critique::waive(run, command) {
        return answer;
    }
    let Some(shown) = run.state.held() else {
        return words("No change waits for `/push` here; the status comment says what is awaited.");
    };
    let (head, at) = (shown.head.clone(), shown.at);
    if command.is_older_than(at) {
        return words("Another change is held since you wrote this; read it, then say it again.");
    }
    run.work().released = Some(Approval { by: command.by().clone(), head });
    let waits = match &run.state.progress {
        Progress::Running { stage: StageKind::Publish, phase: Phase::Waiting(_), .. } => true,
        Progress::Running { phase: Phase::Parked(park), .. } => park.why == ParkReason::NotReleased,
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => false,
    };
    if waits {
        walk::go(run, Step::Back(StageKind::Publish));
    }
    Answer::Done
}

/// Why the word of whoever asked for the run is not enough, when it is not.
fn own_word(run: &mut Run<'_>, command: &Authorized) -> Option<Answer> {
    if command.by().id != run.state.request.by.id {
        return None;
    }
    match run.policy.requester_may_approve {
        Some(true) => None,
        Some(false) => Some(words(
            "You asked for this run, and the policy says `requester_may_approve: false`: somebody \
             else must agree to it.",
        )),
        // Whether somebody else could is asked of GitHub.
        None => {
            run.effects.push(Effect::Look);
            None
        }
    }
}

fn approve(run: &mut Run<'_>, command: &Authorized) -> Answer {
    let work = &run.state.work;
    let Some(head) = work.head.clone().filter(|head| work.published.as_ref() == Some(head)) else {
        return words("There is no published commit to approve yet; try again when there is one.");
    };
    if let Some(answer) = not_this_one(run, command) {
        return answer;
    }
    if let Some(answer) = own_word(run, command) {
        return answer;
    }
    if no_checks(run) {
        run.work().without_checks = Some(head.clone());
    }
    run.work().approvals.insert(command.by().id, head.clone());
    run.work().approved = Some(Approval { by: command.by().clone(), head });
    again(run);
    Answer::Done
}

/// Nobody agrees to a commit that was published after they wrote.
fn not_this_one(run: &Run<'_>, command: &Authorized) -> Option<Answer> {
    let published = run.state.work.published_at?;
    command.is_older_than(published).then(|| {
        words("Another commit was published after you wrote this; look at it, then say it again.")
    })
}

/// The run asks exactly this: may it go on although no check speaks for the commit?
fn no_checks(run: &Run<'_>) -> bool {
    run.state.park().is_some_and(|park| park.why == ParkReason::NoChecks)
}

fn merge(run: &mut Run<'_>, command: &Authorized) -> Answer {
    match run.policy.merge {
        MergeMode::Never => {
            return words(
                "This repository's policy says `merge: never`, so merging is left to people: use \
                 GitHub's merge button.",
            );
        }
        MergeMode::Auto | MergeMode::OnApproval | MergeMode::OnCommand => {}
    }
    let work = &run.state.work;
    let Some(head) = work.head.clone().filter(|head| work.published.as_ref() == Some(head)) else {
        return words("There is no published commit to merge yet; try again when there is one.");
    };
    if let Some(answer) = not_this_one(run, command) {
        return answer;
    }
    if command.by().id == run.state.request.by.id && run.policy.requester_may_approve.is_none() {
        run.effects.push(Effect::Look);
    }
    run.work().merge_ordered = Some(Approval { by: command.by().clone(), head });
    again(run);
    Answer::Done
}

/// Lets the stage judge anew, now that a person said something.
fn again(run: &mut Run<'_>) {
    let stage = match &run.state.progress {
        Progress::Running { stage, phase: Phase::Waiting(_), .. } => *stage,
        Progress::Running { stage, phase: Phase::Parked(park), .. }
            if park.why == ParkReason::NoChecks =>
        {
            *stage
        }
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => return,
    };
    let judged = [StageKind::Ci, StageKind::Review, StageKind::Merge];
    if judged.contains(&stage) {
        let step = stage.stage().seen(run);
        walk::turn(run, step);
    }
}
