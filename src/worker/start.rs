//! Commands and what starts a run: permission asked now and by id, the request frozen.

use super::failure::Failure;
use super::freeze::Cause;
use super::inbox::{Labeling, Said};
use super::{Engine, jobs};
use crate::command::{self, Authorized, Go, Parsed, SlashCommand, Source};
use crate::github::{At, Reaction};
use crate::model::{CommentId, IssueNumber, RunId};
use crate::pipeline::{Answer, Event, EventKind, Outcome, Progress, Request, State, decide};
use crate::policy::Policy;
use crate::store::{JobKey, JobKind, Lease, NewJob, OnRepeat, Opened, Opening};

const LATE: &str = "This was heard late: the run it was said to is over. Say it again if you \
                    still want it.";
const AGAIN: &str = "This was heard long after it was written, so nothing was started. Say it \
                     again if you still want it.";

impl Engine {
    /// A comment whose first line may be a command.
    pub(super) async fn said(&self, lease: &Lease, said: Said) -> Result<(), Failure> {
        let command = match command::parse(&said.body) {
            Parsed::None => return self.end(lease, Vec::new()).await,
            Parsed::Mistake { text } => return self.refuse(lease, &said, text).await,
            Parsed::Command(command) => command,
        };
        if !self.still_stands(&said).await? {
            return self.end(lease, Vec::new()).await;
        }
        let authorized = match self.authority(&said, command).await? {
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
        let starts = matches!(authorized.command(), SlashCommand::Go(_) | SlashCommand::Retry);
        if said.late && starts && live.is_none() {
            return self.reply(lease, &said, Answer::Words(AGAIN.to_owned())).await;
        }
        if let Some(text) = self.too_dear(live.as_ref(), authorized.command()).await? {
            return self.reply(lease, &said, Answer::Words(text)).await;
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
                | SlashCommand::Push
                | SlashCommand::Approve
                | SlashCommand::Merge
                | SlashCommand::Hold
                | SlashCommand::Unhold
                | SlashCommand::Budget(_)
                | SlashCommand::Answer(_),
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
            | SlashCommand::Push
            | SlashCommand::Approve
            | SlashCommand::Merge
            | SlashCommand::Hold
            | SlashCommand::Unhold
            | SlashCommand::Budget(_)
            | SlashCommand::Answer(_)
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
        if let Some(text) = self.spent(&said.at.repo, said.number, &said.by).await? {
            return self.refuse(lease, said, text).await;
        }
        let (policy, ground) = match self.ground(&said.at).await? {
            Ok(found) => found,
            Err(text) => return self.refuse(lease, said, text).await,
        };
        let cause = Cause::Comment(said.comment);
        let request = match self.request(said, go, (&policy, &ground), cause).await? {
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

    /// A label put there by somebody who may write starts as `/go` does: the label itself is
    /// nobody's word.
    pub(super) async fn labeled(&self, lease: &Lease, labeling: Labeling) -> Result<(), Failure> {
        let Labeling { at, issue, label, by, when, words, late } = labeling;
        let policy = self.policy(&at).await?.unwrap_or_default();
        let heard = by.filter(|by| policy.label == label && self.hears(by, None) && !late);
        let Some(by) = heard else {
            return self.end(lease, Vec::new()).await;
        };
        // Heard late or again: a run that ended since was its run, or it was taken away.
        let settled = match when {
            Some(when) => self.ended_since(&at.repo, issue, when).await?,
            None => false,
        };
        let now = self.issue_now(&at, issue).await?;
        let labelled = now.filter(|now| now.open && now.labels.contains(&label));
        if labelled.is_none() || settled {
            return self.end(lease, Vec::new()).await;
        }
        let held = self.permission(&at, &by).await?;
        let go = Go::default();
        let command = SlashCommand::Go(go.clone());
        let refused = command::authorize(command, self.heard(&by), held, Source::Button).is_err();
        if refused || self.spent(&at.repo, issue, &by).await?.is_some() {
            return self.end(lease, Vec::new()).await;
        }
        let mut said = Said::wish(at, issue, by).written_at(when);
        (said.title, said.text) = words;
        let cause = Cause::Label { issue, lease: lease.key.0.clone() };
        self.start_quietly(lease, &said, &go, cause).await
    }

    /// Starts what was not asked for in words: there is nobody to answer.
    pub(super) async fn start_quietly(
        &self,
        lease: &Lease,
        said: &Said,
        go: &Go,
        cause: Cause,
    ) -> Result<(), Failure> {
        let Ok((policy, ground)) = self.ground(&said.at).await? else {
            return self.end(lease, Vec::new()).await;
        };
        match self.request(said, go, (&policy, &ground), cause).await? {
            Ok(request) => match self.open(Some(lease), request, policy).await? {
                Opened::New => Ok(()),
                Opened::Exists(_) => self.end(lease, Vec::new()).await,
            },
            Err(why) => {
                tracing::info!(why, "a wish without words starts nothing");
                self.end(lease, Vec::new()).await
            }
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
