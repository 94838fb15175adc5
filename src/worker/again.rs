//! Once more: `/retry`, its button, and GitHub's own re-run of our check run or suite.

use super::failure::Failure;
use super::freeze::Cause;
use super::inbox::{Press, Said};
use super::reconcile::check_run_shown;
use super::{Engine, jobs};
use crate::command::{self, Authorized, SlashCommand, Source};
use crate::github::{At, Buttons, CheckRun};
use crate::model::{CheckId, CommitSha, RunId};
use crate::pipeline::{Answer, EventKind, Outcome};
use crate::store::{Lease, Published, Snapshot};

impl Engine {
    /// `/retry` after the end: the same request once more, as a new run.
    pub(super) async fn go_again(&self, lease: &Lease, said: &Said) -> Result<(), Failure> {
        let latest = self.ports.store.latest_run(&said.at.repo, said.number).await?;
        let old = match latest {
            Some(run) => self.ports.store.load(&run).await?,
            None => None,
        };
        let Some(old) = old else {
            let text = "There is nothing to retry here. `/go` starts a run.".to_owned();
            return self.reply(lease, said, Answer::Words(text)).await;
        };
        if matches!(old.state.finished(), Some(Outcome::Merged { .. })) {
            let text = "The last run here was merged; there is nothing to retry.".to_owned();
            return self.reply(lease, said, Answer::Words(text)).await;
        }
        let (said, go) = said.clone().anew(&old.state.request);
        self.go(lease, &said, &go).await
    }

    /// A button on our check run.
    pub(super) async fn pressed(
        &self,
        lease: &Lease,
        external_id: &str,
        press: Press,
    ) -> Result<(), Failure> {
        let found = self.of_press(&press.at, external_id).await?;
        let (Some(snapshot), Some(command)) = (found, command::from_button(&press.identifier))
        else {
            return self.end(lease, Vec::new()).await;
        };
        let Some(authorized) = self.press_authorized(&press, command).await? else {
            return self.end(lease, Vec::new()).await;
        };
        if *authorized.command() == SlashCommand::Retry && self.is_over(&snapshot).await? {
            return self.go_anew(lease, &snapshot, &press).await;
        }
        let run = &snapshot.state.request.run;
        self.apply(run, lease, EventKind::Commanded(authorized)).await
    }

    /// GitHub's own "Re-run": `/retry` where that means something and its author may say it;
    /// otherwise GitHub, which forgot how the check ended, is shown it again.
    pub(super) async fn rerequested(
        &self,
        lease: &Lease,
        (external_id, head): (Option<String>, CommitSha),
        press: Press,
    ) -> Result<(), Failure> {
        let found = if let Some(id) = &external_id {
            self.of_press(&press.at, id).await?
        } else {
            // The whole suite: the run that lives on this head.
            let live = self.ports.store.live_runs(Some(&press.at.repo)).await?;
            match live.into_iter().find(|row| row.head.as_ref() == Some(&head)) {
                Some(row) => self.ports.store.load(&row.run).await?,
                None => None,
            }
        };
        let Some(snapshot) = found else { return self.end(lease, Vec::new()).await };
        let over = self.is_over(&snapshot).await?;
        if (over || snapshot.state.park().is_some())
            && let Some(command) = self.press_authorized(&press, SlashCommand::Retry).await?
        {
            if over {
                return self.go_anew(lease, &snapshot, &press).await;
            }
            self.show_anew(&snapshot, &press.at, &head).await?;
            let run = &snapshot.state.request.run;
            return self.apply(run, lease, EventKind::Commanded(command)).await;
        }
        self.show_anew(&snapshot, &press.at, &head).await?;
        let report = jobs::report(&snapshot.state.request.run, self.now());
        self.end(lease, vec![report]).await
    }

    /// The run a check run says it belongs to, if that is in the same repository.
    async fn of_press(&self, at: &At, external_id: &str) -> Result<Option<Snapshot>, Failure> {
        let Ok(run) = RunId::parse(external_id) else { return Ok(None) };
        let found = self.ports.store.load(&run).await?;
        Ok(found.filter(|snapshot| snapshot.state.request.repo == at.repo))
    }

    /// The permission is asked now; whoever lacks it is not answered, since a press has no place
    /// for words.
    async fn press_authorized(
        &self,
        press: &Press,
        command: SlashCommand,
    ) -> Result<Option<Authorized>, Failure> {
        if press.by.bot {
            return Ok(None);
        }
        let held = self.permission(&press.at, &press.by).await?;
        Ok(command::authorize(command, press.by.clone(), held, Source::Button).ok())
    }

    /// Whether the run ended without doing what was asked, and nothing came after it.
    async fn is_over(&self, snapshot: &Snapshot) -> Result<bool, Failure> {
        let request = &snapshot.state.request;
        match snapshot.state.finished() {
            Some(Outcome::Failed { .. } | Outcome::Stopped { .. }) => {
                let latest = self.ports.store.latest_run(&request.repo, request.issue).await?;
                Ok(latest.as_ref() == Some(&request.run))
            }
            Some(Outcome::Merged { .. } | Outcome::HandedOver { .. }) | None => Ok(false),
        }
    }

    async fn go_anew(&self, lease: &Lease, old: &Snapshot, press: &Press) -> Result<(), Failure> {
        let request = &old.state.request;
        if self.spent(&request.repo, request.issue, &press.by).await?.is_some() {
            return self.end(lease, Vec::new()).await;
        }
        let said = Said::wish(press.at.clone(), request.issue, press.by.clone());
        let (said, go) = said.anew(request);
        let cause = Cause::Press { lease: lease.key.0.clone() };
        self.start_quietly(lease, &said, &go, cause).await
    }

    /// Takes our check run on `head` back to "in progress", as GitHub expects of whoever is
    /// asked again, and forgets what was shown: the next report shows it.
    async fn show_anew(
        &self,
        snapshot: &Snapshot,
        at: &At,
        head: &CommitSha,
    ) -> Result<(), Failure> {
        let run = &snapshot.state.request.run;
        let published = self.ports.store.published(run).await?;
        let name = format!("check:{head}");
        let Some(shown) = published.into_iter().find(|one| one.surface == name) else {
            return Ok(());
        };
        let now =
            check_run_shown((snapshot, None), &self.links(&snapshot.state), head, &self.sanitizer);
        let begun = CheckRun { conclusion: None, buttons: Buttons::default(), ..now };
        self.ports.github.update_check_run(at, CheckId(shown.remote), &begun).await?;
        let forgotten = Published { hash: String::new(), at: self.now(), ..shown };
        Ok(self.ports.store.publish(run, forgotten).await?)
    }
}
