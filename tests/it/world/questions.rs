//! What can be asked of a town: about runs, about GitHub, and about what was called.

use slipway::model::{IssueNumber, Repo, RunId};
use slipway::pipeline::park::ParkReason;
use slipway::pipeline::{Outcome, Phase, Progress, State, Task};
use slipway::playground::world::{Call, Comment, Issue, Pull, Run};
use slipway::store::{Entry, Store};

use super::{Asked, Town, ready};

impl Town {
    pub(crate) fn repo_name(&self) -> Repo {
        Repo::parse(&self.repo).expect("a repository's name")
    }

    /// The newest run of the issue.
    pub(crate) fn run_id(&self) -> Option<RunId> {
        let number = IssueNumber(self.number);
        ready(self.store.latest_run(&self.repo_name(), number)).expect("the store answers")
    }

    pub(crate) fn try_state(&self) -> Option<State> {
        let run = self.run_id()?;
        ready(self.store.load(&run)).expect("the store loads").map(|found| found.state)
    }

    pub(crate) fn state(&self) -> State {
        self.try_state().expect("a run")
    }

    pub(crate) fn timeline(&self) -> Vec<Entry> {
        let Some(run) = self.run_id() else { return Vec::new() };
        ready(self.store.timeline(&run)).expect("the store answers")
    }

    /// The word of the stage the run is in; empty without one.
    pub(crate) fn stage(&self) -> &'static str {
        let stage = self.try_state().and_then(|state| state.stage());
        stage.map(slipway::pipeline::StageKind::word).unwrap_or_default()
    }

    pub(crate) fn task(&self) -> Option<Task> {
        self.try_state()?.task().cloned()
    }

    /// What the run waits for, in words.
    pub(crate) fn awaited(&self) -> String {
        match self.try_state().map(|state| state.progress) {
            Some(Progress::Running { phase: Phase::Waiting(wait), .. }) => wait.what,
            Some(_) | None => String::new(),
        }
    }

    pub(crate) fn parked(&self) -> Option<(ParkReason, String)> {
        let state = self.try_state()?;
        state.park().map(|park| (park.why, park.text.clone()))
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.try_state()?.finished().cloned()
    }

    /// Goes on until the run ends, and it must end in this way.
    pub(crate) async fn expect_outcome(&mut self, word: &str) -> Outcome {
        self.run_until("an end", |t| t.outcome().is_some() || t.parked().is_some()).await;
        assert_eq!(self.parked(), None, "it asks a person instead of ending as {word}");
        let outcome = self.outcome().expect("an outcome");
        assert_eq!(outcome.word(), word, "{outcome:?}");
        outcome
    }

    /// Goes on until a person is asked, for this reason; the sentence it says.
    pub(crate) async fn expect_parked(&mut self, why: ParkReason) -> String {
        self.run_until("a question", |t| t.parked().is_some() || t.outcome().is_some()).await;
        assert_eq!(self.outcome(), None, "it ended instead of asking for {why:?}");
        let (reason, text) = self.parked().expect("a question");
        assert_eq!(reason, why, "{text}");
        text
    }

    /// The pull request of the run.
    pub(crate) fn pull(&self) -> u64 {
        self.state().work.pull.expect("a pull request").0
    }

    /// The branch of the run.
    pub(crate) fn branch(&self) -> String {
        self.state().work.branch.expect("a branch").as_str().to_owned()
    }

    pub(crate) fn pull_request(&self) -> Pull {
        let number = self.pull();
        self.world.with(|state| state.repos[&self.repo_id].pulls[&number].clone())
    }

    pub(crate) fn pulls(&self) -> usize {
        self.world.with(|state| state.repos[&self.repo_id].pulls.len())
    }

    pub(crate) fn issue_now(&self) -> Issue {
        self.world.with(|state| state.repos[&self.repo_id].issues[&self.number].clone())
    }

    /// Calls of an operation by the bot.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Call> {
        let journal = self.world.journal().into_iter();
        journal.filter(|c| c.operation == operation && c.actor == self.bot.slug).collect()
    }

    pub(crate) fn comments_of_bot(&self) -> Vec<Comment> {
        let bot = self.bot.user.id;
        self.world.with(|state| {
            let comments = state.repos[&self.repo_id].comments.values();
            comments.filter(|comment| comment.user.id == bot).cloned().collect()
        })
    }

    /// The bot's newest comment on the issue, and it must be the only one that begins so.
    pub(crate) fn last_words(&self) -> String {
        let all = self.comments_of_bot();
        all.iter().rfind(|said| said.issue == self.number).expect("a comment").body.clone()
    }

    pub(crate) fn check_runs_of_bot(&self) -> Vec<Run> {
        self.world.with(|state| {
            let runs = state.repos[&self.repo_id].runs.values();
            runs.filter(|run| run.app == self.bot.id).cloned().collect()
        })
    }

    /// The reactions to a comment, in order.
    pub(crate) fn reactions(&self, comment: u64) -> Vec<String> {
        self.world.with(|state| {
            let said = &state.repos[&self.repo_id].comments[&comment];
            said.reactions.iter().map(|reaction| reaction.content.clone()).collect()
        })
    }

    pub(crate) fn tip(&self, branch: &str) -> Option<String> {
        self.depot.read_ref(&format!("refs/heads/{branch}"))
    }

    /// A file on a branch as it is now.
    pub(crate) fn file(&self, branch: &str, path: &str) -> Option<String> {
        let tip = self.tip(branch)?;
        self.depot.read(&tip, path).expect("a tree").map(|blob| blob.text())
    }

    /// What agents were asked, as `fixer 1`.
    pub(crate) fn agents_asked(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.who).collect()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    /// What happened, for people who look at a failure.
    pub(crate) fn story(&self) -> String {
        use std::fmt::Write;
        let mut story = String::new();
        let begin = super::plan::START;
        for entry in self.timeline() {
            let ms = entry.event.at.0 - begin;
            let kind = format!("{:?}", entry.event.kind);
            let kind: String = kind.chars().take(160).collect();
            let ignored = entry.ignored.map_or("", slipway::pipeline::Ignored::word);
            writeln!(story, "{ms:>9} {kind} → {} {ignored}", entry.after).expect("a string");
        }
        let journal = self.world.journal();
        let writes: Vec<_> = journal.iter().filter(|call| call.method != "GET").collect();
        for call in writes.iter().rev().take(60).rev() {
            let ms = call.at_ms - begin;
            writeln!(
                story,
                "{ms:>9} {} {} {} {} effect={}",
                call.actor, call.operation, call.path, call.status, call.effect
            )
            .expect("a string");
        }
        story
    }
}

impl Drop for Town {
    #[expect(clippy::print_stderr, reason = "a failed test tells its story")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}\n{}", self.reach, self.story());
        }
    }
}
