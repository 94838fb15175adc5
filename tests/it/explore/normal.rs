//! The canonical form of a state: commits by their role, moments by their age, counters pushed
//! towards their limits, and nothing that no decision reads.

use std::sync::Arc;

use slipway::gate::push::Judged;
use slipway::gate::rerun_key;
use slipway::model::{CommitSha, Millis};
use slipway::pipeline::standing::Standing;
use slipway::pipeline::state::{Approval, Counts, Work};
use slipway::pipeline::trust::Held;
use slipway::pipeline::{ParkReason, Phase, Progress, StageKind, State, Taint, Task, Withdrawal};

use super::world::{BASE, HEAD, NOW, OLD, OTHER, commit, tree};

/// The entry every walked state has.
pub(crate) const ENTRY: u32 = 10;

/// What commits are called after the move: the head, what was published before, anything else.
struct Names {
    head: Option<CommitSha>,
    published: Option<CommitSha>,
}

impl Names {
    fn of(&self, sha: &CommitSha) -> CommitSha {
        if self.head.as_ref() == Some(sha) {
            commit(HEAD)
        } else if self.published.as_ref() == Some(sha) {
            commit(OLD)
        } else {
            commit(OTHER)
        }
    }

    /// Evidence for a commit that is neither can never count again.
    fn evidence(&self, sha: Option<&CommitSha>) -> Option<CommitSha> {
        sha.map(|sha| self.of(sha)).filter(|sha| *sha != commit(OTHER))
    }

    fn approval(&self, given: Option<&Approval>) -> Option<Approval> {
        let given = given?;
        let head = self.evidence(Some(&given.head))?;
        Some(Approval { by: given.by.clone(), head })
    }
}

/// Moves `state` to the canonical moment and names.
///
/// `recalled`: people can say things that make a stage judge the last look again.
pub(crate) fn normal(mut state: State, now: Millis, recalled: bool) -> State {
    if let Progress::Finished { at, .. } = &mut state.progress {
        *at = NOW;
        let mut over = State::open((*state.request).clone());
        over.request = Arc::clone(&state.request);
        over.progress = state.progress;
        return over;
    }
    state.entry = ENTRY;
    let names = Names { head: state.work.head.clone(), published: state.work.published.clone() };
    let kept = keeps_look(&state, recalled);
    let salvaged = state.salvaged().is_some();
    moments(&mut state, now);
    evidence(&mut state, &names);
    counts(&mut state, &names);
    task(&mut state);
    if state.work.landed.is_some() {
        landed(&mut state);
    }
    look(&mut state, &names, kept);
    money(&mut state);
    questions(&mut state);
    salvage(&mut state, salvaged);
    // Which way it was withdrawn matters only to the sentence of that moment.
    state.withdrawn = state.withdrawn.map(|_| Withdrawal::IssueClosed);
    // Who answers for it matters to the engine alone, and one reason is as good as another.
    state.sponsor = None;
    if state.tainted.iter().any(|taint| taint.holds()) {
        state.tainted.remove(&Taint::Logs);
    }
    state
}

/// What people are shown is not decided by, nor how far they raised it.
fn money(state: &mut State) {
    let budget = &mut state.budget;
    budget.spending = None;
    budget.raises.clear();
    budget.resumes = ahead(budget.resumes, 0, 3);
    if let Some(left) = budget.short.as_mut().and_then(|short| short.left.as_mut()) {
        left.head = commit(OTHER);
    }
}

/// What was kept of a failed agent is void with another head.
fn salvage(state: &mut State, fits: bool) {
    let head = state.work.head.clone();
    state.work.salvage = state.work.salvage.take().filter(|_| fits);
    if let Some(salvage) = &mut state.work.salvage {
        salvage.on = head;
        salvage.left.head = commit(OTHER);
    }
}

/// How many were answered counts, and what was made until then.
fn questions(state: &mut State) {
    let work = &mut state.work;
    if let Some(asked) = &mut work.asked {
        asked.at = NOW.plus(-2_000);
        if let Some(left) = &mut asked.left {
            left.head = commit(OTHER);
        }
    }
}

/// Once it landed, only the comparison and the tidying are left.
fn landed(state: &mut State) {
    state.counts = Counts::default();
    let Work {
        landed, predicted, standing, lane, landed_verified, method, merged_by, pull, ..
    } = std::mem::take(&mut state.work);
    // Of an order that was fulfilled, only its permit is read.
    let standing = standing.map(|order| Standing::new(order.permit, order.way, NOW));
    let kept = Work {
        landed,
        predicted,
        standing,
        lane,
        landed_verified,
        method,
        merged_by,
        pull,
        ..Work::default()
    };
    state.work = kept;
    state.held_by = None;
    state.withdrawn = None;
}

/// A look that no gate would use any more is forgotten, and so is one that nothing reads before
/// the next.
fn keeps_look(state: &State, recalled: bool) -> bool {
    let valid = state
        .seen
        .as_ref()
        .is_some_and(|seen| state.work.published_at.is_some_and(|at| seen.at >= at));
    let read = match state.task() {
        Some(
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
            | Task::Undraft { .. }
            | Task::Stories { .. }
            | Task::Ready { .. }
            | Task::Enlist { .. }
            | Task::Leave { .. }
            | Task::Compare { .. }
            | Task::Land { .. }
            | Task::Close { .. },
        ) => false,
        Some(Task::Merge(_) | Task::Settle { .. }) => true,
        // The lane's timer asks for the lane on the word of the last look.
        None if state.waits_for_lane().is_some() => true,
        None => recalled && state.park().is_none_or(|park| park.why == ParkReason::NoChecks),
    };
    valid && read
}

/// Three ages tell every deadline apart: just now, past the quiet time, past everything.
fn aged(at: Millis, now: Millis) -> Millis {
    let age = match now.since(at) {
        ..60_000 => 2_000,
        60_000..600_000 => 120_000,
        600_000.. => 18_000_000,
    };
    NOW.plus(-age)
}

fn moments(state: &mut State, now: Millis) {
    let published = state.work.published_at;
    let patience = published.max(state.work.retried_at);
    let work = &mut state.work;
    // A hold waits from when it was shown, or from when somebody asked it to.
    let shown = work.held.as_ref().map(|held| Some(held.at).max(work.retried_at));
    let hold = shown.flatten().map(|from| (from, aged(from, now)));
    if let (Some(held), Some((_, to))) = (&mut work.held, hold) {
        held.at = to;
    }
    work.retried_at = work.retried_at.filter(|at| Some(*at) > published);
    work.published_at = published.map(|at| aged(at, now));
    // Only where the first wait is over does it matter that a person granted another.
    let over = work.published_at.is_some_and(|at| NOW.since(at) > 600_000);
    work.retried_at =
        work.retried_at.map(|at| aged(at, now)).filter(|at| over && Some(*at) > work.published_at);
    work.pause_until = work.pause_until.filter(|until| *until > now).map(|_| NOW.plus(64_000));
    if let Some(wait) = &mut work.lane_wait {
        wait.since = NOW;
    }
    let updating = work.updating.as_ref().map(|updating| updating.since);
    if let Some(updating) = &mut work.updating {
        updating.since = aged(updating.since, now);
    }
    let new_updating = work.updating.as_ref().map(|updating| updating.since);
    let since = work.standing.as_ref().map(|standing| standing.since);
    let asked = since.max(work.retried_at).filter(|_| since.is_some());
    if let Some(standing) = &mut work.standing {
        standing.since = aged(standing.since, now);
        standing.missed_at = standing.missed_at.map(|at| aged(at, now));
        standing.tries = ahead(standing.tries, 1, 6);
    }
    let new_since = work.standing.as_ref().map(|standing| standing.since);
    let new_asked = new_since.max(work.retried_at).filter(|_| new_since.is_some());
    let new_patience = work.published_at.max(work.retried_at);
    let new_published = work.published_at;
    if let Progress::Running { stage, since, phase } = &mut state.progress {
        *since = NOW;
        if let Phase::Waiting(wait) = phase
            && let Some(until) = &mut wait.until
        {
            let settling = until.then.contains("counts as everything");
            let merging = until.then.contains("merges it itself");
            let (from, to) = match (settling, asked) {
                (_, _) if *stage == StageKind::Publish => {
                    (hold.map(|at| at.0), hold.map(|at| at.1))
                }
                _ if merging => (updating, new_updating),
                (true, _) => (published, new_published),
                (false, Some(_)) => (asked, new_asked),
                (false, None) => (patience, new_patience),
            };
            if let (Some(from), Some(to)) = (from, to) {
                until.at = until.at.plus(to.0 - from.0);
            }
        }
    }
}

fn evidence(state: &mut State, names: &Names) {
    let work = &mut state.work;
    work.verified = names.evidence(work.verified.as_ref());
    let held = work.held.take().filter(|held| names.of(&held.head) == commit(HEAD));
    work.held = held.map(|held| Held { head: commit(HEAD), ..held });
    work.released = names.approval(work.released.as_ref());
    // What was said of another commit is still compared with what is said next.
    if let Some(found) = &mut work.critic.found {
        found.head = names.of(&found.head);
    }
    let waived = names.approval(work.critic.waived.as_deref());
    work.critic.waived = waived.map(Box::new);
    work.without_checks = names.evidence(work.without_checks.as_ref());
    work.approved = names.approval(work.approved.as_ref());
    work.merge_ordered = names.approval(work.merge_ordered.as_ref());
    work.published = work.published.as_ref().map(|sha| names.of(sha));
    work.head = work.head.as_ref().map(|_| commit(HEAD));
    work.onto = work.onto.as_ref().map(|_| commit(BASE));
    work.foreign = false;
    work.signing = None;
    if let Some(updating) = &mut work.updating {
        updating.head = names.of(&updating.head);
        updating.base = commit(BASE);
    }
    work.summary = None;
    work.complaint = None;
    work.rejection = None;
    work.violations.clear();
    work.judged = work.judged.take().and_then(|judged| {
        let seen = names.evidence(Some(&judged.head)).filter(|seen| *seen == commit(HEAD))?;
        Some(Judged { head: seen, delicate: judged.delicate })
    });
    work.approvals = std::mem::take(&mut work.approvals)
        .into_iter()
        .filter_map(|(by, head)| Some((by, names.evidence(Some(&head))?)))
        .collect();
}

/// Counters jump ahead to where they bite. That leaves out states, never adds a way back.
fn counts(state: &mut State, names: &Names) {
    let counts = &mut state.counts;
    counts.agent_calls = 0;
    counts.cost_micros = 0;
    counts.merge_calls = 0;
    counts.flaky.clear();
    counts.settle_reads = ahead(counts.settle_reads, 2, 20);
    counts.merge_refusals = ahead(counts.merge_refusals, 0, 5);
    counts.lost_calls = ahead(counts.lost_calls, 0, 2);
    counts.lane_waits = 0;
    counts.orders = ahead(counts.orders, 2, 4);
    if names.head.is_some() {
        counts.build_rounds = 0;
    }
    if !counts.trees.is_empty() {
        counts.trees = [tree('1')].into();
    }
    let Some(head) = &names.head else { return };
    let suffix = rerun_key("", head);
    let mut others = 0;
    counts.reruns = std::mem::take(&mut counts.reruns)
        .into_iter()
        .map(|(key, stamp)| {
            if let Some(name) = key.strip_suffix(&suffix) {
                return (rerun_key(name, &commit(HEAD)), stamp);
            }
            others += 1;
            (format!("other{others}"), String::new())
        })
        .collect();
}

/// `count`, moved on to `last` once it is past `first`; one more is past the limit, and more
/// than that is the same.
fn ahead(count: u32, first: u32, last: u32) -> u32 {
    if count > first { count.clamp(last, last + 1) } else { count }
}

fn task(state: &mut State) {
    let published = state.work.published.clone();
    let Progress::Running { phase: Phase::Doing(task), .. } = &mut state.progress else { return };
    match task {
        Task::Verify { head } | Task::Show { head } => *head = commit(HEAD),
        Task::Publish { head, expect } => {
            *head = commit(HEAD);
            *expect = published;
        }
        Task::Update { head, base }
        | Task::AskUpdate { head, base, .. }
        | Task::Recognise { head, base, .. } => {
            *head = commit(HEAD);
            *base = commit(BASE);
        }
        Task::Accept { .. }
        | Task::Agent { .. }
        | Task::Afford
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
        | Task::Close { .. } => {}
    }
}

fn look(state: &mut State, names: &Names, kept: bool) {
    let Some(seen) = state.seen.take().filter(|_| kept) else { return };
    let mut seen = (*seen).clone();
    seen.at = NOW.plus(-1);
    seen.api_head = names.of(&seen.api_head);
    seen.git_head = seen.git_head.as_ref().map(|sha| names.of(sha));
    if let Some(probe) = &mut seen.probe {
        probe.head = names.of(&probe.head);
    }
    for review in &mut seen.reviews {
        review.commit = names.of(&review.commit);
    }
    state.seen = Some(Arc::new(seen));
}
