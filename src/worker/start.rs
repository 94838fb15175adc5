//! Commands and what starts a run: permission asked now and by id, the request frozen.

use super::failure::Failure;
use super::inbox::{Labeling, Said};
use super::{Engine, jobs};
use crate::command::{self, Authorized, Go, Parsed, SlashCommand, Source};
use crate::github::{At, Reaction};
use crate::model::text::cut;
use crate::model::{CommentId, IssueNumber, PullNumber, RunId};
use crate::pipeline::{Answer, Event, EventKind, Outcome, Progress, Request, State, decide};
use crate::policy::{POLICY_PATH, Policy};
use crate::store::{JobKey, JobKind, Lease, NewJob, OnRepeat, Opened, Opening};

/// Longest issue text kept for the agent, in characters.
const BODY_CHARS_MAX: usize = 60_000;
/// Longest title kept, in characters.
const TITLE_CHARS_MAX: usize = 300;
const LATE: &str = "This was heard late: the run it was said to is over. Say it again if you \
                    still want it.";

impl Engine {
    /// A comment whose first line may be a command.
    pub(super) async fn said(&self, lease: &Lease, said: Said) -> Result<(), Failure> {
        let command = match command::parse(&said.body) {
            Parsed::None => return self.end(lease, Vec::new()).await,
            Parsed::Mistake { text } => return self.refuse(lease, &said, text).await,
            Parsed::Command(command) => command,
        };
        let held = self.ports.github.permission(&said.at, &said.by).await?;
        let source = Source::Comment(said.comment);
        let authorized = match command::authorize(command, said.by.clone(), held, source) {
            Ok(authorized) => authorized,
            Err(refusal) => return self.refuse(lease, &said, refusal.text).await,
        };
        let authorized = match said.written {
            Some(written) => authorized.written_at(written),
            None => authorized,
        };
        let live = self.ports.store.live_run(&said.at.repo, said.number).await?;
        let late = match &live {
            Some(run) => self.is_older_than_run(&said, &authorized, run).await?,
            None => self.is_overtaken(&said, &authorized).await?,
        };
        if late {
            return self.reply(lease, &said, Answer::Words(LATE.to_owned())).await;
        }
        match (live, authorized.command()) {
            (Some(run), _) => self.apply(&run, lease, EventKind::Commanded(authorized)).await,
            (None, SlashCommand::Go(go)) => {
                let go = go.clone();
                self.go(lease, &said, &go).await
            }
            (None, SlashCommand::Retry) => self.go_again(lease, &said).await,
            (None, SlashCommand::Help) => self.reply(lease, &said, Answer::Help).await,
            (None, SlashCommand::Status) => self.status(lease, &said, authorized).await,
            (
                None,
                SlashCommand::Stop
                | SlashCommand::Approve
                | SlashCommand::Merge
                | SlashCommand::Hold
                | SlashCommand::Unhold,
            ) => {
                let text = self.nothing_runs(&said, authorized.command()).await?;
                self.reply(lease, &said, Answer::Words(text)).await
            }
        }
    }

    /// Whether a command was written before the one that started the live run, and only heard
    /// now: what it was said to is over.
    async fn is_older_than_run(
        &self,
        said: &Said,
        command: &Authorized,
        run: &RunId,
    ) -> Result<bool, Failure> {
        let steers = match command.command() {
            SlashCommand::Stop
            | SlashCommand::Approve
            | SlashCommand::Merge
            | SlashCommand::Hold
            | SlashCommand::Unhold
            | SlashCommand::Retry => true,
            SlashCommand::Go(_) | SlashCommand::Help | SlashCommand::Status => false,
        };
        let snapshot = self.ports.store.load(run).await?.filter(|_| steers);
        let first = snapshot.and_then(|snapshot| snapshot.state.request.comment);
        Ok(first.is_some_and(|first| said.comment.0 < first.0))
    }

    /// Whether a command that would start a run was written before the last run here ended, and
    /// only heard now: it must not undo a `/stop` that came after it.
    async fn is_overtaken(&self, said: &Said, command: &Authorized) -> Result<bool, Failure> {
        if !matches!(command.command(), SlashCommand::Go(_) | SlashCommand::Retry) {
            return Ok(false);
        }
        let store = &self.ports.store;
        let latest = match store.latest_run(&said.at.repo, said.number).await? {
            Some(run) => store.load(&run).await?,
            None => None,
        };
        Ok(latest.is_some_and(|snapshot| match snapshot.state.progress {
            Progress::Finished { at, .. } => command.is_older_than(at),
            Progress::Idle | Progress::Running { .. } => false,
        }))
    }

    /// Why there is nothing to do; whoever said `/stop` too late is told what landed.
    async fn nothing_runs(&self, said: &Said, command: &SlashCommand) -> Result<String, Failure> {
        let store = &self.ports.store;
        let latest = match store.latest_run(&said.at.repo, said.number).await? {
            Some(run) if *command == SlashCommand::Stop => store.load(&run).await?,
            Some(_) | None => None,
        };
        let outcome = latest.as_ref().and_then(|snapshot| snapshot.state.finished());
        Ok(match outcome {
            Some(Outcome::Merged { commit, .. }) => format!(
                "Too late: it landed as {}. To undo it, revert the pull request on GitHub.",
                commit.short()
            ),
            Some(Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. })
            | None => "Nothing is running here. `/go` starts a run.".to_owned(),
        })
    }

    async fn status(
        &self,
        lease: &Lease,
        said: &Said,
        authorized: Authorized,
    ) -> Result<(), Failure> {
        if let Some(run) = self.ports.store.latest_run(&said.at.repo, said.number).await? {
            return self.apply(&run, lease, EventKind::Commanded(authorized)).await;
        }
        let text = "There was no run here yet. `/go` starts one.".to_owned();
        self.reply(lease, said, Answer::Words(text)).await
    }

    pub(super) async fn go(&self, lease: &Lease, said: &Said, go: &Go) -> Result<(), Failure> {
        let policy = match self.policy(&said.at).await? {
            Ok(policy) => policy,
            Err(text) => return self.refuse(lease, said, text).await,
        };
        let cause = Cause::Comment(said.comment);
        let request = match self.request(said, go, &policy, cause).await? {
            Ok(request) => request,
            Err(text) => return self.refuse(lease, said, text).await,
        };
        if let Opened::Exists(run) = self.open(Some(lease), request, policy).await? {
            let to = said.comment;
            let link = format!("A run for this is on its way already (`{run}`).");
            let answer = self.answer_job(&said.at, said.number, to, Answer::Words(link));
            return self.end(lease, vec![answer]).await;
        }
        Ok(())
    }

    /// The repository's policy from its default branch, or the words that refuse it.
    pub(super) async fn policy(&self, at: &At) -> Result<Result<Policy, String>, Failure> {
        let text = self.ports.github.file(at, POLICY_PATH).await?.unwrap_or_default();
        Ok(Policy::parse(&text).map_err(|error| {
            format!("{error}. Nothing was started; correct the file and say `/go` again.")
        }))
    }

    /// Freezes what was asked. The outer error is the world's, the inner one the person's.
    pub(super) async fn request(
        &self,
        said: &Said,
        go: &Go,
        policy: &Policy,
        cause: Cause,
    ) -> Result<Result<Request, String>, Failure> {
        let (title, body) = if let (Some(title), Some(body)) = (&said.title, &said.text) {
            (title.clone(), body.clone())
        } else {
            let issue = self.ports.github.issue(&said.at, said.number).await?;
            (issue.title, issue.body)
        };
        if title.trim().is_empty() && body.trim().is_empty() && go.words.is_empty() {
            return Ok(Err("The issue says nothing yet, so nothing was started.".to_owned()));
        }
        let wanted = go.agent.as_deref();
        let agents = &self.settings.agents;
        let agent = match crate::agent::pick(agents, wanted, policy.agent.as_deref()) {
            Ok(agent) => Some(agent.name.clone()),
            Err(text) => return Ok(Err(text)),
        };
        Ok(Ok(Request {
            run: RunId::derive(&said.at.repo, &cause.words()),
            repo: said.at.repo.clone(),
            installation: said.at.installation,
            issue: said.number,
            pull: said.is_pull.then_some(PullNumber(said.number.0)),
            title: cut(&title, TITLE_CHARS_MAX),
            body: cut(&body, BODY_CHARS_MAX),
            by: said.by.clone(),
            comment: cause.comment(),
            base: go.base.clone(),
            agent,
            words: go.words.clone(),
            dry_run: go.dry_run,
            stories: !said.is_pull && !go.dry_run && self.has_stories(said).await?,
            parent: cause.parent(),
            at: self.now(),
        }))
    }

    pub(super) async fn open(
        &self,
        lease: Option<&Lease>,
        request: Request,
        policy: Policy,
    ) -> Result<Opened, Failure> {
        let event = Event { at: self.now(), kind: EventKind::Started };
        let idle = State::open(request);
        let decision = decide(&idle, &event, &policy).map_err(|why| {
            Failure::Fault(format!("a new run ignored its start: {}", why.word()))
        })?;
        let limits = &self.settings.limits;
        let jobs = jobs::of(&decision.next, &decision.effects, event.at, limits);
        let state = decision.next;
        let watched = state.clone();
        let opening = Opening { lease: lease.cloned(), event, state, policy, jobs };
        let opened = self.ports.store.open(opening).await?;
        if opened == Opened::New {
            self.watcher.moved(&watched);
        }
        Ok(opened)
    }

    /// A label by somebody who may write starts as `/go` does.
    pub(super) async fn labeled(&self, lease: &Lease, labeling: Labeling) -> Result<(), Failure> {
        let Labeling { at, issue, label, by, when } = labeling;
        let policy = self.policy(&at).await?.unwrap_or_default();
        let Some(by) = by.filter(|by| policy.label == label && !by.bot) else {
            return self.end(lease, Vec::new()).await;
        };
        // Heard late or again: a run that ended since was its run, or it was taken away.
        let settled = match when {
            Some(when) => self.ended_since(&at.repo, issue, when).await?,
            None => false,
        };
        let now = self.issue_now(&at, issue).await?;
        let labelled = now.filter(|now| now.open && now.labels.contains(&label));
        let Some(found) = labelled.filter(|_| !settled) else {
            return self.end(lease, Vec::new()).await;
        };
        let held = self.ports.github.permission(&at, &by).await?;
        let go = Go::default();
        let command = SlashCommand::Go(go.clone());
        if command::authorize(command, by.clone(), held, Source::Button).is_err() {
            return self.end(lease, Vec::new()).await;
        }
        let words = Said {
            at,
            number: issue,
            is_pull: false,
            comment: CommentId(0),
            by,
            body: String::new(),
            title: Some(found.title),
            text: Some(found.body),
            written: None,
        };
        let cause = Cause::Label { issue, lease: lease.key.0.clone() };
        match self.request(&words, &go, &policy, cause).await? {
            Ok(request) => match self.open(Some(lease), request, policy).await? {
                Opened::New => Ok(()),
                Opened::Exists(_) => self.end(lease, Vec::new()).await,
            },
            Err(_nothing_to_do) => self.end(lease, Vec::new()).await,
        }
    }

    /// 😕 and one sentence.
    async fn refuse(&self, lease: &Lease, said: &Said, text: String) -> Result<(), Failure> {
        self.ports.github.react(&said.at, said.comment, Reaction::Confused).await?;
        let words = Answer::Words(text.clone());
        let job = self.answer_job(&said.at, said.number, said.comment, words);
        self.refused(lease, said, (vec![job], &text)).await
    }

    pub(super) async fn reply(
        &self,
        lease: &Lease,
        said: &Said,
        answer: Answer,
    ) -> Result<(), Failure> {
        let job = self.answer_job(&said.at, said.number, said.comment, answer);
        self.end(lease, vec![job]).await
    }

    fn answer_job(&self, at: &At, issue: IssueNumber, to: CommentId, answer: Answer) -> NewJob {
        NewJob {
            key: JobKey(format!("{}/answer/{to}", at.repo)),
            kind: JobKind::Answer {
                installation: at.installation,
                repo: at.repo.clone(),
                issue,
                to,
                answer,
            },
            due: self.now(),
            on_repeat: OnRepeat::Keep,
            heavy: None,
        }
    }
}

/// What a run is named after, so that the same cause never starts two.
pub(super) enum Cause {
    Comment(CommentId),
    /// A button or a re-run on GitHub; the job that brought it stands for the press.
    Press {
        lease: String,
    },
    Label {
        issue: IssueNumber,
        lease: String,
    },
    /// A sub-issue, for the run of the issue it belongs to.
    Story {
        parent: RunId,
        issue: IssueNumber,
    },
}

impl Cause {
    fn words(&self) -> String {
        match self {
            Self::Comment(id) => format!("comment {id}"),
            Self::Label { issue, lease } => format!("label {issue} {lease}"),
            Self::Press { lease } => format!("press {lease}"),
            Self::Story { parent, issue } => format!("story {parent} {issue}"),
        }
    }

    fn parent(&self) -> Option<RunId> {
        match self {
            Self::Story { parent, .. } => Some(parent.clone()),
            Self::Comment(_) | Self::Label { .. } | Self::Press { .. } => None,
        }
    }

    fn comment(&self) -> Option<CommentId> {
        match self {
            Self::Comment(id) => Some(*id),
            Self::Label { .. } | Self::Press { .. } | Self::Story { .. } => None,
        }
    }
}
