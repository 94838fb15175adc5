//! What people do, as sentences.

use slipway::playground::faults::FaultPlan;
use slipway::playground::mailbox::Mailbox;
use slipway::playground::world::merge::MergeCall;
use slipway::playground::world::people::FilePush;
use slipway::playground::world::{Method, ReviewState};

use super::Town;

impl Town {
    pub(crate) fn id(&self, who: &str) -> u64 {
        self.people[who].id
    }

    /// Mara opens an issue, and the sentences that follow are about it.
    pub(crate) fn issue(&mut self, title: &str) -> u64 {
        let made = self.world.open_issue(self.id("mara"), &self.repo, title, "Please.");
        self.number = made.expect("an issue").number;
        self.number
    }

    /// Somebody comments; nothing else happens yet.
    pub(crate) fn says(&self, who: &str, number: u64, text: &str) -> u64 {
        let made = self.world.comment(self.id(who), &self.repo, number, text);
        made.expect("a comment").id
    }

    /// Mara comments on the issue, and what follows at once happens.
    pub(crate) async fn comment(&mut self, text: &str) -> u64 {
        let id = self.says("mara", self.number, text);
        self.settle().await;
        id
    }

    /// Mara opens an issue and asks for it.
    pub(crate) async fn go(&mut self, title: &str) -> u64 {
        self.issue(title);
        self.comment("/go").await
    }

    /// Rio reviews the pull request's present head.
    pub(crate) async fn review(&mut self, verdict: ReviewState, text: &str) {
        let (who, pull) = (self.id("rio"), self.pull());
        self.world.review(who, &self.repo, pull, (verdict, text)).expect("a review");
        self.settle().await;
    }

    pub(crate) async fn approve(&mut self) {
        self.run_until("a pull request that waits for review", |t| t.stage() == "review").await;
        self.review(ReviewState::Approved, "").await;
    }

    /// The same by Mara, while nothing else happens.
    pub(crate) async fn approve_by_mara(&mut self) {
        self.run_until("a pull request that waits for review", |t| t.stage() == "review").await;
        // Held, so that a person can be first.
        self.comment("/hold").await;
        let (who, pull) = (self.id("mara"), self.pull());
        let given = self.world.review(who, &self.repo, pull, (ReviewState::Approved, ""));
        given.expect("a review");
    }

    /// Somebody pushes one file; a missing branch starts at the default branch.
    pub(crate) fn push(&self, who: &str, branch: &str, (path, text): (&str, &str)) -> String {
        let files = vec![(path.to_owned(), Some(text.as_bytes().to_vec()))];
        let push = FilePush { branch, onto: None, files: &files, message: "By hand" };
        self.world.push_files(self.id(who), &self.repo, &push).expect("a push")
    }

    /// Rio merges the pull request by hand.
    pub(crate) fn merge_by_hand(&self) -> String {
        let call = MergeCall { method: Method::Squash, ..MergeCall::default() };
        let merged = self.world.merge_pull(self.id("rio"), &self.repo, self.pull(), &call);
        merged.expect("a merge")
    }

    /// Mara presses a button on our newest check run.
    pub(crate) async fn press(&mut self, button: &str) {
        let run = self.check_runs_of_bot().last().expect("a check run").id;
        let pressed = self.world.press_button(self.id("mara"), &self.repo, run, button);
        pressed.expect("a button");
        self.settle().await;
    }

    pub(crate) fn faults(&self, change: impl FnOnce(&mut FaultPlan)) {
        self.world.faults(change);
    }

    pub(crate) fn mailbox(&self, change: impl FnOnce(&mut Mailbox)) {
        self.world.mailbox(change);
    }
}
