//! The adapter that talks to GitHub over HTTP, through octocrab, in our own slim requests.
//!
//! Of octocrab it takes the making and authorising of requests and the signing of claims; never
//! its retries (they repeat writes), its typed answers (they fail on words of tomorrow), its
//! tokens (not limited to one repository and purpose) or its client (see `transport`).

mod about;
mod advice;
mod cache;
mod call;
mod carrier;
mod checks;
mod claim;
mod commits;
mod config;
mod deliveries;
mod extras;
mod graphql;
mod hosts;
mod issues;
pub mod keys;
mod logs;
pub mod pace;
mod path;
mod places;
mod plain;
mod pulls;
mod queue;
mod repeat;
mod repos;
mod rules;
mod scope;
mod shape;
mod tokens;
mod transport;
mod trust;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::about::{About, Delivered, Greeting, Hook, Installed, greet};
use self::cache::Cache;
pub use self::carrier::{Carried, Carrier};
pub use self::config::Config;
use self::keys::{Grant, Keys, Ledger, Local, Socket};
use self::pace::{Paced, Pacer};
pub use self::plain::{Registered, register};
use self::repeat::Sender;
use self::tokens::Tokens;
pub use self::wire::Counts;
use self::wire::Wire;
use super::commits::{NewCommit, Signed};
use super::delivery::{Kept, Log, Which};
use super::{
    At, CheckRun, Comment, Conversation, Error, GitHub, Issue, MergeOrder, NewPull, Pull, Purpose,
    Reaction, Remote, Repository, SubIssues,
};
use super::{Change, Touched};
use crate::clock::Clock;
use crate::gate::seen::{Check, Line, Review, Rules};
use crate::github::Note;
use crate::model::sanitized::CommentText;
use crate::model::{
    BranchName, CheckId, CommentId, CommitSha, IssueNumber, Millis, Permission, PullNumber, User,
    Vault,
};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::pipeline::standing::{Enlisted, Way};

/// GitHub's own interface; an Enterprise Server's is `https://host/api/v3`.
pub const API_URL: &str = "https://api.github.com";

/// GitHub as our App sees it.
pub struct App {
    sender: Arc<Sender>,
    keys: Arc<dyn Keys>,
    logs: logs::Logs,
    tokens: Tokens,
    ledger: Option<Arc<dyn Ledger>>,
    vault: Vault,
    id: u64,
    git_url: String,
    clock: Arc<dyn Clock>,
    slug: tokio::sync::OnceCell<String>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

impl App {
    /// Needs a running tokio runtime; sends nothing yet.
    ///
    /// # Errors
    /// When the key or the address cannot be used.
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::with(config, clock, Wire::new(config)?)
    }

    /// The same over another carrier than our own client, such as a server in this process.
    ///
    /// # Errors
    /// When the key or the address cannot be used.
    pub fn over(
        config: &Config,
        clock: Arc<dyn Clock>,
        carrier: Arc<dyn Carrier>,
    ) -> Result<Self, Error> {
        Self::with(config, clock, Wire::over(config, carrier)?)
    }

    fn with(config: &Config, clock: Arc<dyn Clock>, wire: Wire) -> Result<Self, Error> {
        let git_url = config.git_url.clone();
        let pace = Pacer::new(config.limits, Arc::clone(&clock));
        let way = (pace, Arc::clone(&clock));
        let sender = Arc::new(Sender::new(config, wire, Cache::default(), way));
        let keys: Arc<dyn Keys> = match &config.key_socket {
            Some(path) => Arc::new(Socket::new(path)),
            None => Arc::new(Local::new(config, Arc::clone(&sender))?),
        };
        Ok(Self {
            sender,
            keys,
            logs: logs::Logs::default(),
            tokens: Tokens::default(),
            ledger: config.ledger.clone(),
            vault: config.vault.clone(),
            id: config.app_id,
            git_url: git_url.unwrap_or_else(|| path::git_url(&config.api_url)),
            clock,
            slug: tokio::sync::OnceCell::new(),
        })
    }

    /// Requests sent so far, by kind.
    pub fn counts(&self) -> Counts {
        self.sender.wire.counts()
    }

    /// Requests that had to wait or were sent back so far, so that GitHub refuses none.
    pub fn paced(&self) -> Paced {
        self.sender.pace.counts()
    }
}

#[async_trait]
impl GitHub for App {
    async fn permission(&self, at: &At, user: &User) -> Result<Permission, Error> {
        self.permission_of(at, user).await
    }

    async fn repository(&self, at: &At) -> Result<Repository, Error> {
        self.read_repository(at).await
    }

    async fn file(&self, at: &At, path: &str) -> Result<Option<String>, Error> {
        self.read_file(at, path).await
    }

    async fn file_at_tip(
        &self,
        at: &At,
        branch: &BranchName,
        path: &str,
    ) -> Result<(CommitSha, Option<String>), Error> {
        self.read_file_at_tip(at, branch, path).await
    }

    async fn comment_now(&self, at: &At, id: CommentId) -> Result<Option<Comment>, Error> {
        self.read_comment(at, id).await
    }

    async fn conversation(&self, at: &At, issue: IssueNumber) -> Result<Conversation, Error> {
        self.read_conversation(at, issue).await
    }

    async fn sole_writer(&self, at: &At, user: &User) -> Result<bool, Error> {
        self.reads_as_sole_writer(at, user).await
    }

    async fn may_bypass(&self, at: &At, branch: &BranchName) -> Result<bool, Error> {
        self.reads_as_bypassing(at, branch).await
    }

    async fn issue(&self, at: &At, issue: IssueNumber) -> Result<Issue, Error> {
        self.read_issue(at, issue).await
    }

    async fn pull(&self, at: &At, pull: PullNumber) -> Result<Pull, Error> {
        self.read_pull(at, pull).await?.into_pull()
    }

    async fn pull_of(&self, at: &At, branch: &BranchName) -> Result<Option<PullNumber>, Error> {
        self.find_pull(at, branch).await
    }

    async fn checks(&self, at: &At, head: &CommitSha) -> Result<Vec<Check>, Error> {
        self.read_checks(at, head).await
    }

    async fn check_log(&self, at: &At, check: CheckId) -> Result<String, Error> {
        self.read_check_log(at, check).await
    }

    async fn rules(&self, at: &At, branch: &BranchName) -> Result<Rules, Error> {
        self.read_rules(at, branch).await
    }

    async fn reviews(&self, at: &At, pull: PullNumber) -> Result<Vec<Review>, Error> {
        self.read_reviews(at, pull).await
    }

    async fn react(&self, at: &At, to: CommentId, with: Reaction) -> Result<(), Error> {
        self.put_reaction(at, to, with).await
    }

    async fn comment_with(
        &self,
        at: &At,
        issue: IssueNumber,
        marker: &str,
    ) -> Result<Option<CommentId>, Error> {
        self.find_comment(at, issue, marker).await
    }

    async fn comment(
        &self,
        at: &At,
        issue: IssueNumber,
        body: &CommentText,
    ) -> Result<CommentId, Error> {
        self.write_comment(at, issue, body).await
    }

    async fn edit_comment(&self, at: &At, id: CommentId, body: &CommentText) -> Result<(), Error> {
        self.rewrite_comment(at, id, body).await
    }

    async fn check_run_of(&self, at: &At, head: &CommitSha) -> Result<Option<CheckId>, Error> {
        self.find_check_run(at, head).await
    }

    async fn create_check_run(&self, at: &At, run: &CheckRun) -> Result<CheckId, Error> {
        self.write_check_run(at, run).await
    }

    async fn update_check_run(&self, at: &At, id: CheckId, run: &CheckRun) -> Result<(), Error> {
        self.rewrite_check_run(at, id, run).await
    }

    async fn rerun(&self, at: &At, check: CheckId) -> Result<(), Error> {
        self.ask_rerun(at, check).await
    }

    async fn open_pull(&self, at: &At, new: &NewPull) -> Result<PullNumber, Error> {
        self.write_pull(at, new).await
    }

    async fn sub_issues(&self, at: &At, issue: IssueNumber) -> Result<SubIssues, Error> {
        self.read_sub_issues(at, issue).await
    }

    async fn blockers(&self, at: &At, issue: IssueNumber) -> Result<Vec<String>, Error> {
        self.read_blockers(at, issue).await
    }

    async fn mark_ready(&self, at: &At, pull: PullNumber) -> Result<(), Error> {
        self.write_ready(at, pull).await
    }

    async fn annotate(
        &self,
        at: &At,
        check: (CheckId, &CheckRun),
        notes: &[Note],
    ) -> Result<(), Error> {
        self.write_notes(at, check, notes).await
    }

    async fn commit(&self, at: &At, new: &NewCommit) -> Result<Signed, Error> {
        self.send_commit(at, new).await
    }

    async fn update_branch(
        &self,
        at: &At,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<UpdateAnswer, Error> {
        self.ask_update(at, pull, head).await
    }

    async fn merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error> {
        self.send_merge(at, order).await
    }

    async fn enlist(&self, at: &At, way: Way, order: &MergeOrder) -> Result<Enlisted, Error> {
        self.send_order(at, way, order).await
    }

    async fn leave(&self, at: &At, way: Way, pull: PullNumber) -> Result<bool, Error> {
        self.take_back(at, way, pull).await
    }

    async fn line(&self, at: &At, pull: PullNumber) -> Result<Line, Error> {
        self.read_line(at, pull).await
    }

    async fn close_issue(&self, at: &At, issue: IssueNumber) -> Result<(), Error> {
        self.write_closed(at, issue).await
    }

    async fn places(&self) -> Result<Vec<At>, Error> {
        self.find_places().await
    }

    async fn comments_since(&self, at: &At, since: Millis) -> Result<Vec<Comment>, Error> {
        self.read_comments_since(at, since).await
    }

    async fn issues_since(&self, at: &At, since: Millis) -> Result<Vec<Touched>, Error> {
        self.read_issues_since(at, since).await
    }

    async fn history(&self, at: &At, issue: IssueNumber) -> Result<Vec<Change>, Error> {
        self.read_history(at, issue).await
    }

    async fn deliveries_since(&self, since: Millis, which: Which) -> Result<Log, Error> {
        self.read_deliveries(since, which).await
    }

    async fn delivery(&self, id: u64) -> Result<Option<Kept>, Error> {
        self.read_delivery(id).await
    }

    async fn redeliver(&self, id: u64) -> Result<(), Error> {
        self.ask_redelivery(id).await
    }

    async fn remote(&self, at: &At, purpose: Purpose) -> Result<Remote, Error> {
        let grant = match purpose {
            Purpose::Fetch => Grant::Fetch,
            Purpose::Push => Grant::Push,
        };
        let secret = self.token(at, grant).await?;
        let url = format!("{}/{}.git", self.git_url, at.repo);
        Ok(Remote { repo: at.repo.clone(), url, secret })
    }
}
