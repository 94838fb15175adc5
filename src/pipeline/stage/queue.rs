//! A merge that GitHub makes later: asked for once, watched, taken back before anything else.
//!
//! The lane is not held meanwhile, since a queue serialises itself and the base may move while
//! it works. So what lands is not compared with a prediction, but with what git makes of the
//! permitted head on what came just before it.

use super::{Done, Run, StageKind, Step, Task, repair};
use crate::gate::seen::{EntryState, Merge as Probed, PullState, Seen};
use crate::gate::{GateKind, MergePermit};
use crate::model::{CommitSha, TreeSha};
use crate::pipeline::effect::Effect;
use crate::pipeline::park::ParkReason;
use crate::pipeline::standing::{Enlisted, Leaving, Left, Standing, Way};
use crate::pipeline::state::{Complaint, Outcome};
use crate::policy::{MergeMethod, MergeWith};

/// Orders given in one run, until a person says `/retry`.
const ORDERS_MAX: u32 = 4;
/// Times an order is tried to be taken back before a person is asked.
const TRIES_MAX: u32 = 6;
/// Milliseconds between two looks that must agree that an order is gone (merge facts, I4).
const AGREE_MS: i64 = 5_000;

/// How GitHub is to be asked, when not by the merge call.
pub(super) fn way(run: &Run<'_>) -> Option<Way> {
    let seen = run.state.seen.as_deref()?;
    if seen.rules.queue {
        return Some(Way::Queue);
    }
    match run.policy.merge_with {
        MergeWith::Api => None,
        // Somebody's own order is theirs; ours would take its place.
        MergeWith::AutoMerge => seen.auto_merge.is_none().then_some(Way::Auto),
    }
}

/// The way to merge that the order names: a queue has its own.
pub(super) fn method(run: &Run<'_>) -> MergeMethod {
    let rules = run.state.seen.as_deref().map(|seen| &seen.rules);
    let queued = rules.filter(|rules| rules.queue).and_then(|rules| rules.queue_method);
    queued.unwrap_or(run.state.work.method)
}

/// Every gate passed: GitHub is asked, once.
pub(super) fn enlist(run: &mut Run<'_>, permit: MergePermit, way: Way) -> Step {
    if run.state.counts.orders >= ORDERS_MAX {
        let last = run.state.seen.as_deref().and_then(|seen| seen.line.removed.clone());
        let last = last.map(|why| format!("; it last said `{why}`")).unwrap_or_default();
        let text = format!("GitHub's {} gave it back {ORDERS_MAX} times{last}", way.word());
        return super::park(ParkReason::QueueRefused, text);
    }
    run.counts().orders += 1;
    let since = run.at;
    run.work().predicted = None;
    run.work().standing = Some(Standing::new(permit.clone(), way, since));
    Step::Do(Task::Enlist { permit, way })
}

pub(super) fn enlisted(run: &mut Run<'_>, answer: &Enlisted) -> Step {
    if let Enlisted::No(answer) = answer {
        run.work().standing = None;
        return super::merge::answered(run, answer);
    }
    let Some(standing) = run.state.work.standing.as_mut() else {
        return Step::Back(StageKind::Conflicts);
    };
    match answer {
        Enlisted::Clean => {
            let permit = standing.permit.clone();
            run.work().standing = None;
            return match &run.state.stop_by {
                Some(by) => Step::Finish(Outcome::Stopped { why: format!("Stopped by {by}.") }),
                None => super::merge::send(run, permit),
            };
        }
        Enlisted::Stands => standing.found = true,
        Enlisted::Unknown { .. } | Enlisted::No(_) => {}
    }
    if run.state.stop_by.is_some() {
        return leave(run, Leaving::Stop);
    }
    wait(run)
}

/// While an order stands: what the newest look says of it.
pub(super) fn wait(run: &mut Run<'_>) -> Step {
    let Some(standing) = run.state.work.standing.clone() else {
        return Step::Back(StageKind::Conflicts);
    };
    if let Some(why) = standing.leaving {
        return leave(run, why);
    }
    let seen = run.state.seen.clone().filter(|seen| seen.at > standing.since);
    let Some(seen) = seen else { return awaited(run, &standing, None) };
    if let Some(step) = not_ours(run, &standing, &seen) {
        return step;
    }
    let stands = match standing.way {
        Way::Queue => seen.line.entry.is_some(),
        Way::Auto => seen.auto_merge.is_some(),
    };
    if stands {
        let group = seen.line.entry.as_ref().and_then(|entry| entry.group.clone());
        if let Some(standing) = run.work().standing.as_mut() {
            standing.found = true;
            standing.missed_at = None;
            standing.group = group.map(|group| group.head).or_else(|| standing.group.take());
        }
        return awaited(run, &standing, Some(&seen));
    }
    let agrees = |first: crate::model::Millis| seen.at.since(first) >= AGREE_MS;
    if standing.missed_at.is_some_and(agrees) {
        return gone(run, &standing, &seen);
    }
    if let Some(standing) = run.work().standing.as_mut() {
        standing.missed_at.get_or_insert(seen.at);
    }
    let what = format!("a second look at the {}: the first did not find it", standing.way.word());
    super::wait(what, None, AGREE_MS + 1_000)
}

/// The order no longer stands for what the gates and the people want.
fn not_ours(run: &mut Run<'_>, standing: &Standing, seen: &Seen) -> Option<Step> {
    if seen.pull_state != PullState::Open {
        return None;
    }
    let head = standing.permit.head();
    if run.state.work.head.as_ref() != Some(head) || seen.git_head.as_ref() != Some(head) {
        return Some(leave(run, Leaving::Moved));
    }
    let facts = run.state.facts(run.policy, run.at)?;
    let failing = GateKind::ALL.iter().any(|gate| {
        // The queue itself puts the head on a base that moves, and says when it cannot.
        let left_to_it = match gate {
            GateKind::Conflicts | GateKind::Freshness => standing.way == Way::Queue,
            GateKind::Head
            | GateKind::Verification
            | GateKind::Checks
            | GateKind::Review
            | GateKind::Hold => false,
        };
        !left_to_it && !gate.judge(&facts).passed()
    });
    failing.then(|| leave(run, Leaving::Gate))
}

fn awaited(run: &Run<'_>, standing: &Standing, seen: Option<&Seen>) -> Step {
    if standing.way == Way::Auto {
        let what = "GitHub's own rules to be met; it merges by itself then (auto-merge)";
        return super::wait(what.to_owned(), None, super::PEOPLE_MS);
    }
    let asked = seen.map_or(0, |seen| seen.rules.queue_minutes);
    let minutes = run.policy.limits.ci_minutes_max.max(asked);
    let from = run.state.work.retried_at.map_or(standing.since, |at| at.max(standing.since));
    let end = from.plus(i64::from(minutes) * 60_000);
    let place = seen.and_then(|seen| seen.line.entry.as_ref()).map_or_else(String::new, |entry| {
        format!(" (position {}, {})", entry.position, state_word(entry.state))
    });
    let what = format!("GitHub's merge queue{place}");
    if run.at >= end {
        let text = format!("still in {what} after {minutes} minutes");
        return super::park(ParkReason::QueueTooLong, text);
    }
    // The first look that can know of it comes soon: people want to see their place.
    let look_ms = if seen.is_some() { super::LOOK_MS } else { AGREE_MS + 1_000 };
    super::wait(what, Some((end, "it asks you what to do")), look_ms)
}

fn state_word(state: EntryState) -> &'static str {
    match state {
        EntryState::Queued => "in line",
        EntryState::AwaitingChecks => "its checks run",
        EntryState::Mergeable => "ready to land",
        EntryState::Unmergeable => "about to be sent back",
        EntryState::Locked => "landing",
        EntryState::Other => "in a state we do not know",
    }
}

/// Two looks agree that nothing stands, and nothing was merged.
fn gone(run: &mut Run<'_>, standing: &Standing, seen: &Seen) -> Step {
    run.work().standing = None;
    if !standing.found {
        // The request got lost; `orders` bounds how often it is made.
        return Step::Back(StageKind::Conflicts);
    }
    let why = seen.line.removed.clone().unwrap_or_default();
    let said = why.to_ascii_lowercase();
    if standing.way == Way::Auto || said.contains("manual") {
        let text = format!("somebody took it out of GitHub's {}", standing.way.word());
        return super::park(ParkReason::QueueRefused, text);
    }
    if said.contains("timeout") || said.contains("timed") {
        let text = "GitHub's merge queue waited in vain for a check; a workflow may lack the \
                    `merge_group` trigger";
        return super::park(ParkReason::QueueRefused, text);
    }
    sent_back(run, seen)
}

/// The queue tried it and did not take it: the cause decides who works on it.
fn sent_back(run: &mut Run<'_>, seen: &Seen) -> Step {
    let Some(probe) = &seen.probe else { return Step::Back(StageKind::Conflicts) };
    if matches!(probe.merge, Probed::Conflict { .. }) {
        return Step::Back(StageKind::Conflicts);
    }
    if !probe.contains_base {
        // What failed together with the base can be seen, and repaired, on a head that has it.
        let (head, base) = (probe.head.clone(), probe.base.clone());
        return super::conflicts::update(run, head, base);
    }
    let failed = seen.line.failed.clone();
    if failed.is_empty() || run.state.counts.orders < 2 {
        return Step::Back(StageKind::Conflicts);
    }
    let names: Vec<&str> =
        failed.iter().map(|check| check.signature.as_deref().unwrap_or(&check.name)).collect();
    let signature = format!("queue:{}", names.join("+"));
    repair::fix(run, Complaint::Checks { failed }, &signature)
}

/// Takes the order back; whatever comes next waits for that.
pub(in crate::pipeline) fn leave(run: &mut Run<'_>, why: Leaving) -> Step {
    let Some(standing) = run.work().standing.as_mut() else {
        return Step::Back(StageKind::Conflicts);
    };
    let why = match standing.leaving {
        Some(first) if why != Leaving::Stop => first,
        Some(_) | None => why,
    };
    standing.leaving = Some(why);
    let (pull, way, tries) = (standing.permit.pull(), standing.way, standing.tries);
    if tries >= TRIES_MAX {
        let text = format!("GitHub does not say whether it is out of the {}", way.word());
        return super::park(ParkReason::MergeUnknown, text);
    }
    standing.tries += 1;
    Step::Do(Task::Leave { pull, way })
}

pub(super) fn left(run: &mut Run<'_>, left: &Left) -> Step {
    let Some(standing) = run.state.work.standing.clone() else {
        return Step::Back(StageKind::Conflicts);
    };
    let at = run.at;
    match left {
        Left::Merged { commit } => {
            run.work().landed = Some(commit.clone());
            return compare(commit.clone(), standing.permit);
        }
        Left::Closed => {
            run.work().standing = None;
            let why = "The pull request was closed.".to_owned();
            return Step::Finish(Outcome::Stopped { why });
        }
        Left::Unclear => {
            if let Some(standing) = run.work().standing.as_mut() {
                standing.missed_at = None;
            }
            return leave(run, Leaving::Gate);
        }
        // A read alone may be late: a merge on its way would look the same.
        Left::Absent if standing.missed_at.is_none_or(|first| at.since(first) < AGREE_MS) => {
            if let Some(standing) = run.work().standing.as_mut() {
                standing.missed_at.get_or_insert(at);
            }
            return leave(run, Leaving::Gate);
        }
        Left::Absent | Left::Out => {}
    }
    run.work().standing = None;
    if let Some(by) = &run.state.stop_by {
        let why = format!("Stopped by {by}; it was taken out of the {}.", standing.way.word());
        return Step::Finish(Outcome::Stopped { why });
    }
    if run.state.withdrawn.is_some() {
        let why = "The issue was closed, or its label was taken away.".to_owned();
        return Step::Finish(Outcome::Stopped { why });
    }
    Step::Back(StageKind::Conflicts)
}

/// GitHub says that it is merged: git says what exactly landed.
pub(super) fn compare(commit: CommitSha, permit: MergePermit) -> Step {
    Step::Do(Task::Compare { commit, permit })
}

/// The landed tree must be what the permitted head makes of the commit before it.
pub(super) fn compared(run: &mut Run<'_>, expected: Option<&TreeSha>, tree: &TreeSha) -> Step {
    let Some(standing) = run.work().standing.take() else { return Step::Next };
    let same = expected == Some(tree);
    run.work().landed_verified = same;
    if same || standing.permit.method() == MergeMethod::Rebase {
        return Step::Next;
    }
    let landed = run.state.work.landed.as_ref().map_or("it", CommitSha::short);
    let why = format!(
        "What landed as {landed} is not what was predicted from the permitted commit. Slipway \
         merges nothing more into this branch until somebody has looked and runs `slipway unlock`."
    );
    let base = run.work().lane.take().unwrap_or_else(|| standing.permit.base().clone());
    run.effects.push(Effect::Release { base, alarm: Some(why.clone()) });
    Step::Finish(Outcome::HandedOver { why })
}

/// What a task of ours that ended otherwise means while an order stands.
pub(super) fn unsure(run: &mut Run<'_>, done: &Done) -> Step {
    let task = run.state.task().cloned();
    match task {
        Some(Task::Leave { .. }) => left(run, &Left::Unclear),
        Some(Task::Enlist { .. }) => {
            enlisted(run, &Enlisted::Unknown { text: "the task gave no answer".to_owned() })
        }
        Some(_) | None => super::unexpected(StageKind::Merge, done),
    }
}
