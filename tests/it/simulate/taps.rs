//! The engine's ports with a tap on each: crashes, pauses and failures go in, facts come out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use slipway::clock::Clock;
use slipway::gate::seen::{Check, Line, Probe, Review, Rules};
use slipway::git::{
    self, Changes, Committed, Git, Import, Message, Packing, Plain, Push, PushAnswer, Sight,
    Workspace, WorkspaceOrder,
};
use slipway::github::Note;
use slipway::github::commits::{NewCommit, Signed};
use slipway::github::delivery::{Kept, Log, Which};
use slipway::github::{
    At, CheckRun, Comment, Conversation, Error, GitHub, Issue, MergeOrder, NewPull, Pull, Purpose,
    Reaction, Remote, Repository, SubIssues,
};
use slipway::github::{Change, Touched};
use slipway::model::budget::Usage;
use slipway::model::sanitized::CommentText;
use slipway::model::{
    Audit, BranchName, CheckId, CommentId, CommitSha, DeliveryId, IssueNumber, Millis, Permission,
    PullNumber, Repo, RunId, TreeSha, User,
};
use slipway::pipeline::stage::{MergeAnswer, UpdateAnswer};
use slipway::pipeline::standing::{Enlisted, Way};
use slipway::sandbox::{self, End, Invocation, Sandbox, Transcript};
use slipway::store::{
    self, Ask, AuditRow, Audited, Beat, Beside, Claim, Entry, Gauges, IgnoredEvent, Lane, Lease,
    LiveRow, NewDelivery, NewJob, Opened, Opening, Payer, Published, Recorded, Reserving, RunRow,
    Snapshot, Store, Stream, StreamRow, Transition,
};
use tokio_util::sync::CancellationToken;

use super::time::{Fuse, SimClock};
use super::watch::Watch;

/// A port with its tap.
pub(super) struct Tap<T: ?Sized> {
    pub inner: Arc<T>,
    pub fuse: Arc<Fuse>,
    pub watch: Arc<Watch>,
    pub clock: Arc<SimClock>,
}

macro_rules! tap {
    ($port:ident of $whole:ident { $(fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)* }
        also { $($also:tt)* }) => {
        #[async_trait]
        impl $port for Tap<dyn $whole> {
            $(async fn $name(&self, $($arg: $ty),*) -> $out {
                self.fuse.step().await;
                let answer = self.inner.$name($($arg),*).await;
                self.fuse.step().await;
                answer
            })*
            $($also)*
        }
    };
}

tap!(GitHub of GitHub {
    fn permission(at: &At, user: &User) -> Result<Permission, Error>;
    fn repository(at: &At) -> Result<Repository, Error>;
    fn file(at: &At, path: &str) -> Result<Option<String>, Error>;
    fn file_at_tip(at: &At, branch: &BranchName, path: &str)
        -> Result<(CommitSha, Option<String>), Error>;
    fn issue(at: &At, issue: IssueNumber) -> Result<Issue, Error>;
    fn comment_now(at: &At, id: CommentId) -> Result<Option<Comment>, Error>;
    fn conversation(at: &At, issue: IssueNumber) -> Result<Conversation, Error>;
    fn sole_writer(at: &At, user: &User) -> Result<bool, Error>;
    fn may_bypass(at: &At, branch: &BranchName) -> Result<bool, Error>;
    fn pull_of(at: &At, branch: &BranchName) -> Result<Option<PullNumber>, Error>;
    fn checks(at: &At, head: &CommitSha) -> Result<Vec<Check>, Error>;
    fn check_log(at: &At, check: CheckId) -> Result<String, Error>;
    fn rules(at: &At, branch: &BranchName) -> Result<Rules, Error>;
    fn reviews(at: &At, pull: PullNumber) -> Result<Vec<Review>, Error>;
    fn react(at: &At, to: CommentId, with: Reaction) -> Result<(), Error>;
    fn comment_with(at: &At, issue: IssueNumber, mark: &str) -> Result<Option<CommentId>, Error>;
    fn comment(at: &At, issue: IssueNumber, body: &CommentText) -> Result<CommentId, Error>;
    fn edit_comment(at: &At, id: CommentId, body: &CommentText) -> Result<(), Error>;
    fn check_run_of(at: &At, head: &CommitSha) -> Result<Option<CheckId>, Error>;
    fn create_check_run(at: &At, run: &CheckRun) -> Result<CheckId, Error>;
    fn update_check_run(at: &At, id: CheckId, run: &CheckRun) -> Result<(), Error>;
    fn rerun(at: &At, check: CheckId) -> Result<(), Error>;
    fn open_pull(at: &At, new: &NewPull) -> Result<PullNumber, Error>;
    fn sub_issues(at: &At, issue: IssueNumber) -> Result<SubIssues, Error>;
    fn blockers(at: &At, issue: IssueNumber) -> Result<Vec<String>, Error>;
    fn mark_ready(at: &At, pull: PullNumber) -> Result<(), Error>;
    fn annotate(at: &At, check: (CheckId, &CheckRun), notes: &[Note]) -> Result<(), Error>;
    fn close_issue(at: &At, issue: IssueNumber) -> Result<(), Error>;
    fn places() -> Result<Vec<At>, Error>;
    fn comments_since(at: &At, since: Millis) -> Result<Vec<Comment>, Error>;
    fn issues_since(at: &At, since: Millis) -> Result<Vec<Touched>, Error>;
    fn history(at: &At, issue: IssueNumber) -> Result<Vec<Change>, Error>;
    fn deliveries_since(since: Millis, which: Which) -> Result<Log, Error>;
    fn delivery(id: u64) -> Result<Option<Kept>, Error>;
    fn redeliver(id: u64) -> Result<(), Error>;
    fn commit(at: &At, new: &NewCommit) -> Result<Signed, Error>;
    fn update_branch(at: &At, pull: PullNumber, head: &CommitSha) -> Result<UpdateAnswer, Error>;
    fn enlist(at: &At, way: Way, order: &MergeOrder) -> Result<Enlisted, Error>;
    fn leave(at: &At, way: Way, pull: PullNumber) -> Result<bool, Error>;
    fn line(at: &At, pull: PullNumber) -> Result<Line, Error>;
    fn remote(at: &At, purpose: Purpose) -> Result<Remote, Error>;
} also {
    async fn pull(&self, at: &At, pull: PullNumber) -> Result<Pull, Error> {
        self.fuse.step().await;
        let answer = self.inner.pull(at, pull).await;
        self.fuse.step().await;
        if answer.is_ok() {
            self.watch.pull_read(pull);
        }
        answer
    }

    async fn merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error> {
        self.fuse.step().await;
        let call = self.watch.merge_sent(order);
        let answer = self.inner.merge(at, order).await;
        self.watch.merge_done(order);
        self.fuse.step().await;
        self.watch.merge_told(call, &answer);
        answer
    }
});

tap!(Git of Git {
    fn fetch(remote: &Remote, branches: &[BranchName])
        -> Result<std::collections::BTreeMap<BranchName, CommitSha>, git::Error>;
    fn probe(repo: &Repo, base: &CommitSha, head: &CommitSha) -> Result<Probe, git::Error>;
    fn packing(workspace: &Workspace) -> Result<Packing, git::Error>;
    fn import(workspace: &Workspace) -> Result<Import, git::Error>;
    fn result(workspace: &Workspace) -> Result<Option<Vec<u8>>, git::Error>;
    fn question(workspace: &Workspace) -> Result<Option<Vec<u8>>, git::Error>;
    fn changes(workspace: &Workspace) -> Result<Changes, git::Error>;
    fn between(repo: &Repo, base: &CommitSha, head: &CommitSha) -> Result<Changes, git::Error>;
    fn plant(workspace: &Workspace, path: &str, text: &str) -> Result<(), git::Error>;
    fn commit(workspace: &Workspace, message: &Message) -> Result<Option<Committed>, git::Error>;
    fn merge(repo: &Repo, head: &CommitSha, base: &CommitSha, message: &Message)
        -> Result<Option<Committed>, git::Error>;
    fn discard(workspace: Workspace) -> Result<(), git::Error>;
    fn tree_of(repo: &Repo, commit: &CommitSha) -> Result<TreeSha, git::Error>;
    fn parents_of(repo: &Repo, commit: &CommitSha) -> Result<Vec<CommitSha>, git::Error>;
    fn plain(repo: &Repo, from: &CommitSha, head: &CommitSha) -> Result<Plain, git::Error>;
    fn files_among(repo: &Repo, commit: &CommitSha, paths: &std::collections::BTreeSet<String>)
        -> Result<std::collections::BTreeSet<String>, git::Error>;
    fn texts(repo: &Repo, commit: &CommitSha, sought: &git::Sought)
        -> Result<git::Texts, git::Error>;
    fn sight(repo: &Repo, commit: &CommitSha, wanted: &std::collections::BTreeSet<String>)
        -> Result<Sight, git::Error>;
    fn contains(repo: &Repo, tip: &CommitSha, commit: &CommitSha) -> Result<bool, git::Error>;
} also {
    async fn workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, git::Error> {
        self.fuse.step().await;
        let made = self.inner.workspace(order).await?;
        self.watch.checked_out(&made);
        self.fuse.step().await;
        Ok(made)
    }

    async fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, git::Error> {
        self.fuse.step().await;
        self.watch.pushing(push);
        let answer = self.inner.push(remote, push).await;
        self.fuse.step().await;
        answer
    }
});

tap!(Beside of Store {
    fn show_live(row: LiveRow) -> Result<(), store::Error>;
    fn live(run: &RunId) -> Result<Option<LiveRow>, store::Error>;
    fn forget_live(before: Millis) -> Result<u64, store::Error>;
    fn keep_stream(stream: Stream) -> Result<(), store::Error>;
    fn streams(run: &RunId) -> Result<Vec<StreamRow>, store::Error>;
    fn stream(run: &RunId, entry: u32) -> Result<Vec<Stream>, store::Error>;
    fn forget_streams(before: Millis) -> Result<u64, store::Error>;
} also {});

tap!(Store of Store {
    fn record(delivery: NewDelivery) -> Result<Recorded, store::Error>;
    fn delivery(id: &DeliveryId) -> Result<Option<NewDelivery>, store::Error>;
    fn prune(before: Millis) -> Result<u64, store::Error>;
    fn claim(claim: &Claim) -> Result<Vec<Lease>, store::Error>;
    fn next_due() -> Result<Option<Millis>, store::Error>;
    fn heartbeat(lease: &Lease, until: Millis) -> Result<Beat, store::Error>;
    fn finish_audited(lease: &Lease, jobs: Vec<NewJob>, audits: Vec<Audit>)
        -> Result<(), store::Error>;
    fn audit(audits: Vec<Audit>) -> Result<(), store::Error>;
    fn audits(which: &Audited, limit: u32) -> Result<Vec<AuditRow>, store::Error>;
    fn forget_audits(before: Millis) -> Result<u64, store::Error>;
    fn put_back(lease: &Lease, due: Millis, why: &str) -> Result<(), store::Error>;
    fn open(opening: Opening) -> Result<Opened, store::Error>;
    fn load(run: &RunId) -> Result<Option<Snapshot>, store::Error>;
    fn ignore(ignored: IgnoredEvent) -> Result<(), store::Error>;
    fn timeline(run: &RunId) -> Result<Vec<Entry>, store::Error>;
    fn live_run(repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, store::Error>;
    fn latest_run(repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, store::Error>;
    fn live_runs(repo: Option<&Repo>) -> Result<Vec<RunRow>, store::Error>;
    fn runs(limit: u32) -> Result<Vec<RunRow>, store::Error>;
    fn put(jobs: Vec<NewJob>) -> Result<(), store::Error>;
    fn published(run: &RunId) -> Result<Vec<Published>, store::Error>;
    fn publish(run: &RunId, published: Published) -> Result<(), store::Error>;
    fn lanes() -> Result<Vec<Lane>, store::Error>;
    fn clear_lane(repo: &Repo, base: &BranchName) -> Result<bool, store::Error>;
    fn reclaim(owner: &str, now: Millis) -> Result<u64, store::Error>;
    fn reserve(ask: &Ask) -> Result<Reserving, store::Error>;
    fn settle(id: u64, micros: Option<u64>) -> Result<bool, store::Error>;
    fn usage(payer: &Payer, at: Millis) -> Result<Usage, store::Error>;
    fn forget_spend(before: Millis) -> Result<u64, store::Error>;
    fn gauges(now: Millis) -> Result<Gauges, store::Error>;
    fn changed() -> ();
    fn close() -> ();
} also {
    async fn commit(&self, transition: Transition) -> Result<(), store::Error> {
        self.fuse.step().await;
        let answer = self.inner.commit(transition).await;
        self.watch.committed(&answer);
        self.fuse.step().await;
        answer
    }
});

#[async_trait]
impl Sandbox for Tap<dyn Sandbox> {
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn sandbox::Ear,
    ) -> Result<Transcript, sandbox::Error> {
        self.fuse.step().await;
        if invocation.purpose == sandbox::Purpose::Pack {
            let packed = self.inner.run_heard(invocation, cancel, ear).await;
            self.fuse.step().await;
            return packed;
        }
        let agent = invocation.purpose == sandbox::Purpose::Agent;
        let wall_ms = i64::try_from(invocation.limits.wall_ms_max).unwrap_or(i64::MAX);
        let takes_ms = self.watch.takes_ms(agent).min(wall_ms);
        self.watch.started(invocation, agent);
        let until = self.clock.now().plus(takes_ms);
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = self.clock.sleep_until(until) => {}
        }
        let mut transcript = self.inner.run_heard(invocation, cancel, ear).await?;
        if transcript.end == End::TimedOut {
            // What hangs is ended when its time is over, not before.
            let until = self.clock.now().plus(wall_ms.saturating_sub(takes_ms));
            tokio::select! {
                biased;
                () = cancel.cancelled() => transcript.end = End::Cancelled,
                () = self.clock.sleep_until(until) => {}
            }
        }
        self.watch.ran(invocation, agent, &transcript);
        self.fuse.step().await;
        Ok(transcript)
    }

    fn seen(&self, directory: &Path) -> PathBuf {
        self.inner.seen(directory)
    }

    fn can_mask(&self) -> bool {
        self.inner.can_mask()
    }

    fn protection(&self) -> sandbox::Protection {
        self.inner.protection()
    }
}
