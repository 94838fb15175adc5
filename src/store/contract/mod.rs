//! The contract of the store as one suite of sentences, run against every adapter and the fake.

mod audit;
mod beside;
mod jobs;
mod lanes;
mod runs;
mod spend;
mod steps;

pub(crate) use audit::*;
pub(crate) use beside::*;
pub(crate) use jobs::*;
pub(crate) use lanes::*;
pub(crate) use runs::*;
pub(crate) use spend::*;
pub(crate) use steps::*;

use super::{
    Claim, Heavy, JobKey, JobKind, Lease, NewDelivery, NewJob, OnRepeat, Opened, Opening, Store,
    Transition,
};
use crate::model::{
    BranchName, CommitSha, DeliveryId, InstallationId, IssueNumber, Millis, PullNumber, Repo,
    RunId, User, UserId,
};
use crate::pipeline::{
    Event, EventKind, Outcome, Progress, Request, Role, State, Task, Timer, Withdrawal,
};
use crate::policy::Policy;

/// Makes one test of every sentence; `$stage` gives a fresh store and what must outlive it, or
/// `None` where the adapter cannot be tested.
macro_rules! suite {
    ($stage:path) => {
        $crate::store::contract::suite!(@each $stage:
            a_repeated_delivery_changes_nothing
            deliveries_that_come_at_once_are_kept_once_each
            a_delivery_goes_before_what_is_due_already
            a_delivery_comes_back_as_it_came
            a_body_beyond_the_limit_is_refused
            old_deliveries_are_forgotten_once_they_wait_no_more
            a_leased_job_is_nobody_elses
            a_lease_that_ran_out_is_fenced_once_taken_again
            a_heartbeat_keeps_a_lease_and_tells_when_it_is_lost
            a_finished_job_is_gone_and_its_jobs_are_there
            keep_leaves_the_old_job
            sooner_moves_the_old_job_forward_only
            sooner_runs_once_more_after_the_present_lease
            replace_takes_the_place
            replace_of_a_leased_job_runs_after_it
            jobs_are_claimed_oldest_first_and_none_before_its_time
            heavy_jobs_keep_within_every_limit
            a_blocked_repository_does_not_block_another
            putting_back_counts_attempts
            the_next_moment_is_known
            concurrent_claimers_take_each_job_once
            reclaim_frees_the_leases_of_others
            a_key_beyond_the_limit_is_refused
            a_run_is_opened_once
            a_finished_run_makes_room_for_another
            a_commit_moves_the_run
            a_commit_from_an_old_version_conflicts
            a_commit_without_its_lease_is_fenced
            a_refused_commit_leaves_nothing_behind
            a_refusal_does_not_touch_the_others
            concurrent_commits_move_a_run_one_after_the_other
            cancelling_drops_what_waits_and_marks_what_runs
            a_lane_belongs_to_one_run
            an_alarm_closes_a_lane_until_it_is_cleared
            a_lane_given_back_wakes_who_waited_longest
            a_lane_that_is_free_already_is_not_waited_for
            a_lane_that_is_opened_again_wakes_who_waits
            the_timeline_has_no_gaps_and_keeps_what_was_ignored
            a_state_beyond_the_limit_is_refused
            runs_are_found_by_issue_and_by_pull_request
            listings_show_what_the_state_says
            publishing_replaces_the_same_surface
            gauges_count
            changes_are_announced
            a_body_of_any_bytes_survives
            attack_09_a_body_that_was_here_is_known_under_any_name
            attack_09_of_equal_bodies_that_come_at_once_one_is_kept
            a_line_is_written_with_its_step_or_not_at_all
            the_audit_is_read_by_run_and_by_repository
            a_call_counts_at_its_worst_until_it_is_settled
            a_call_is_settled_once_and_costs_its_worst_when_nobody_knows
            fifty_that_race_for_one_cap_never_exceed_it
            scopes_are_kept_apart_and_windows_renew
            what_nobody_settled_is_charged_when_its_task_ends
            old_calls_are_forgotten_and_young_sums_stay
            what_an_agent_does_is_replaced_and_read_as_it_was_said
            what_an_agent_does_is_gone_with_the_step_that_ends_its_task
            what_agents_said_comes_back_in_order
            streams_are_bounded_and_forgotten_in_time
        );
    };
    (@each $stage:path: $($sentence:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                let Some((store, _rest)) = $stage().await else { return };
                $crate::store::contract::$sentence(&store).await;
                store.close().await;
            }
        )+
    };
}
pub(crate) use suite;

/// The store under test, shared by the tasks of a sentence.
pub(crate) type Subject = std::sync::Arc<dyn Store>;

pub(crate) fn repo(name: &str) -> Repo {
    Repo::parse(&format!("octo/{name}")).unwrap()
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

pub(crate) fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn person() -> User {
    User { id: UserId(7), login: "mona".to_owned(), bot: false }
}

pub(crate) fn request(repo: &Repo, issue: u64, cause: &str) -> Request {
    Request {
        run: RunId::derive(repo, cause),
        repo: repo.clone(),
        installation: InstallationId(5),
        issue: IssueNumber(issue),
        pull: None,
        title: format!("Issue {issue} — “quoted” 🚢"),
        body: "Do it.\nPlease.".to_owned(),
        by: person(),
        comment: None,
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run: false,
        stories: false,
        parent: None,
        taken_out: None,
        frozen: None,
        at: Millis(1_000 + i64::try_from(issue).unwrap()),
    }
}

pub(crate) fn event(at: i64) -> Event {
    Event { at: Millis(at), kind: EventKind::Started }
}

pub(crate) fn opening(repo: &Repo, issue: u64, cause: &str) -> Opening {
    let state = State::open(request(repo, issue, cause));
    Opening { lease: None, event: event(1_000), state, policy: Policy::default(), jobs: Vec::new() }
}

/// Opens a run and gives its name and state.
pub(crate) async fn opened(store: &dyn Store, repo: &Repo, issue: u64) -> (RunId, State) {
    let opening = opening(repo, issue, &format!("comment {issue}"));
    let state = opening.state.clone();
    assert_eq!(store.open(opening).await.unwrap(), Opened::New);
    (state.request.run.clone(), state)
}

pub(crate) fn step(run: &RunId, from_version: u64, next: State) -> Transition {
    Transition {
        run: run.clone(),
        from_version,
        lease: None,
        event: event(2_000),
        next,
        jobs: Vec::new(),
        cancel_entry: None,
        take_lane: None,
        release_lane: None,
        audits: Vec::new(),
    }
}

pub(crate) fn finished(mut state: State) -> State {
    let outcome = Outcome::Stopped { why: "because".to_owned() };
    state.progress = Progress::Finished { outcome, at: Millis(9) };
    state
}

/// A light job about no run.
pub(crate) fn job(key: &str, due: i64) -> NewJob {
    NewJob {
        key: JobKey(key.to_owned()),
        kind: JobKind::Sweep { since: Millis(0) },
        due: Millis(due),
        on_repeat: OnRepeat::Keep,
        heavy: None,
    }
}

pub(crate) fn heavy(key: &str, due: i64, repo: &Repo, agent: Option<&str>) -> NewJob {
    let agent = agent.map(str::to_owned);
    NewJob { heavy: Some(Heavy { repo: repo.clone(), agent }), ..job(key, due) }
}

pub(crate) fn perform(key: &str, run: &RunId, entry: u32) -> NewJob {
    let task = Task::Agent { role: Role::Builder, round: 1 };
    NewJob { kind: JobKind::Perform { run: run.clone(), entry, task }, ..job(key, 0) }
}

pub(crate) fn claim(now: i64, jobs_max: u32) -> Claim {
    Claim {
        owner: "me".to_owned(),
        now: Millis(now),
        lease_ms: 1_000,
        jobs_max,
        heavy_max: 100,
        heavy_per_repo_max: 100,
        heavy_per_agent_max: Vec::new(),
    }
}

/// Claims everything that can be claimed at `now`.
pub(crate) async fn claimed(store: &dyn Store, now: i64) -> Vec<Lease> {
    store.claim(&claim(now, 1_000)).await.unwrap()
}

pub(crate) fn keys(leases: &[Lease]) -> Vec<&str> {
    leases.iter().map(|lease| lease.key.0.as_str()).collect()
}

pub(crate) async fn only(store: &dyn Store, now: i64) -> Lease {
    let mut leases = claimed(store, now).await;
    assert_eq!(leases.len(), 1, "{leases:?}");
    leases.remove(0)
}

pub(crate) fn delivery(id: &str, at: i64) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::parse(id).unwrap(),
        event: "issue_comment".to_owned(),
        body: format!("{{\"id\":\"{id}\"}}").into_bytes(),
        at: Millis(at),
    }
}

/// One event of every kind that can be made without proof.
pub(crate) fn events() -> Vec<Event> {
    let kinds = [
        EventKind::Started,
        EventKind::Withdrawn { by: Some(person()), how: Withdrawal::LabelRemoved },
        EventKind::TimerFired { timer: Timer::Deadline, entry: 3 },
    ];
    kinds.into_iter().zip(5..).map(|(kind, at)| Event { at: Millis(at), kind }).collect()
}

/// A state that went some way.
pub(crate) fn worked(mut state: State, pull: u64) -> State {
    state.work.pull = Some(PullNumber(pull));
    state.work.branch = Some(branch("slipway/1-x"));
    state.work.base = Some(branch("main"));
    state.work.head = Some(sha('a'));
    state
}
