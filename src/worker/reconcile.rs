//! The reconciler: renders what is so and makes GitHub match, writing only what differs.

use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::{Engine, jobs};
use crate::github::{self, At, CheckRun};
use crate::model::sanitized::{CommentText, Markdown, Sanitizer};
use crate::model::{CheckId, CommentId, CommitSha, IssueNumber, Millis, RunId};
use crate::pipeline::{Live, Phase, Progress, State};
use crate::report::{self, Surface};
use crate::store::{Lease, LiveRow, Published, Snapshot};

/// One place on GitHub that shows the run.
enum Place {
    Comment { surface: Surface, issue: IssueNumber, body: CommentText },
    Check { run: CheckRun },
}

/// A place, what it is remembered as, and the hash of what it shall show.
struct Wanted {
    name: String,
    hash: String,
    place: Place,
}

impl Engine {
    pub(super) async fn reconcile(&self, lease: &Lease, run: &RunId) -> Result<(), Failure> {
        let Some(snapshot) = self.ports.store.load(run).await? else {
            return self.end(lease, Vec::new()).await;
        };
        let at = Self::at(&snapshot.state);
        if let Some(until) = self.limited_until(&at).max(self.turn_of(run)) {
            return Ok(self.ports.store.put_back(lease, until, "GitHub's limit").await?);
        }
        let published = self.ports.store.published(run).await?;
        let live = self.live(&snapshot.state).await?;
        let wanted = self.wanted((&snapshot, live.as_ref()), &published);
        let pressing = is_pressing(&snapshot.state);
        let mut later: Option<Millis> = None;
        for wanted in wanted {
            let before = published.iter().find(|p| p.surface == wanted.name);
            if before.is_some_and(|p| p.hash == wanted.hash) {
                continue;
            }
            let free = before.map(|p| p.at.plus(self.settings.limits.report_gap_ms));
            if let Some(free) = free.filter(|free| !pressing && *free > self.now()) {
                later = Some(later.map_or(free, |known| known.min(free)));
                continue;
            }
            let remote = self.show(lease, &at, &wanted, before.map(|p| p.remote)).await?;
            let published =
                Published { surface: wanted.name, remote, hash: wanted.hash, at: self.now() };
            self.ports.store.publish(run, published).await?;
        }
        self.annotate((&snapshot, live.as_ref())).await?;
        let again = later.map(|due| jobs::report(run, due));
        self.end(lease, again.into_iter().collect()).await
    }

    /// What the agent of the run does, when one is at work.
    async fn live(&self, state: &State) -> Result<Option<Live>, Failure> {
        let row = self.ports.store.live(&state.request.run).await?;
        Ok(LiveRow::of(row, state))
    }

    /// Everything of the run that GitHub shall show.
    fn wanted(
        &self,
        (snapshot, live): (&Snapshot, Option<&Live>),
        published: &[Published],
    ) -> Vec<Wanted> {
        let state = &snapshot.state;
        let links = self.links(state);
        let context = report::Context::new(state, &snapshot.policy, &links).with_live(live);
        let comment = |surface, issue, body: Markdown| {
            let body: CommentText = self.sanitizer.text(&body);
            let hash = hash(body.as_str());
            Wanted {
                name: name(surface).to_owned(),
                hash,
                place: Place::Comment { surface, issue, body },
            }
        };
        let mut wanted = Vec::new();
        if state.request.pull.is_none() {
            let body = report::issue_comment(&context);
            wanted.push(comment(Surface::Issue, state.request.issue, body));
        }
        let Some(pull) = state.work.pull else { return wanted };
        wanted.push(comment(Surface::Pull, pull.into(), report::pull_comment(&context)));
        let shown = published.iter().filter_map(|p| p.surface.strip_prefix("check:"));
        let older = shown.filter_map(|head| CommitSha::parse(head).ok());
        let mut heads: Vec<CommitSha> = older.collect();
        heads.extend(state.work.published.clone());
        heads.sort();
        heads.dedup();
        for head in heads {
            let run = check_run_shown((snapshot, live), &links, &head, &self.sanitizer);
            let hash = hash(&format!("{run:?}"));
            let name = format!("check:{head}");
            wanted.push(Wanted { name, hash, place: Place::Check { run } });
        }
        if let Some(run) = super::vouch::on_group(state) {
            let hash = hash(&format!("{run:?}"));
            let name = format!("group:{}", run.head);
            wanted.push(Wanted { name, hash, place: Place::Check { run } });
        }
        wanted
    }

    /// Creates or edits one place; gives GitHub's number of it.
    async fn show(
        &self,
        lease: &Lease,
        at: &At,
        wanted: &Wanted,
        known: Option<u64>,
    ) -> Result<u64, Failure> {
        // A creation may have happened without being remembered only when a job was repeated.
        let repeated = lease.attempts > 0;
        match &wanted.place {
            Place::Comment { surface, issue, body } => {
                let marker = body.as_str().lines().next().unwrap_or_else(|| name(*surface));
                let known = match known {
                    None if repeated => self.found_comment(at, *issue, marker).await?,
                    known => known,
                };
                self.show_comment(at, *issue, body, known).await
            }
            Place::Check { run } => self.show_check(at, run, known, repeated).await,
        }
    }

    async fn found_comment(
        &self,
        at: &At,
        issue: IssueNumber,
        marker: &str,
    ) -> Result<Option<u64>, Failure> {
        Ok(self.ports.github.comment_with(at, issue, marker).await?.map(|id| id.0))
    }

    async fn show_comment(
        &self,
        at: &At,
        issue: IssueNumber,
        body: &CommentText,
        known: Option<u64>,
    ) -> Result<u64, Failure> {
        let github = &self.ports.github;
        if let Some(id) = known {
            match github.edit_comment(at, CommentId(id), body).await {
                Ok(()) => return Ok(id),
                // Somebody deleted it; people who look for it shall find it again.
                Err(github::Error::Gone(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(github.comment(at, issue, body).await?.0)
    }

    async fn show_check(
        &self,
        at: &At,
        run: &CheckRun,
        known: Option<u64>,
        repeated: bool,
    ) -> Result<u64, Failure> {
        let github = &self.ports.github;
        let known = match known {
            None if repeated => github.check_run_of(at, &run.head).await?.map(|id| id.0),
            known => known,
        };
        match known {
            Some(id) => {
                github.update_check_run(at, CheckId(id), run).await?;
                Ok(id)
            }
            None => Ok(github.create_check_run(at, run).await?.0),
        }
    }

    /// Where the texts of a run point to.
    pub(super) fn links(&self, state: &State) -> report::Links {
        let request = &state.request;
        let public = self.settings.public_url.as_deref().map(|url| url.trim_end_matches('/'));
        report::Links {
            run_page: public.map(|url| format!("{url}/runs/{}", request.run)),
            repo_url: format!("{}/{}", self.settings.github_url, request.repo),
        }
    }
}

/// A person is asked, or it is over: this is shown at once, whatever was shown before.
fn is_pressing(state: &State) -> bool {
    match &state.progress {
        Progress::Finished { .. } | Progress::Running { phase: Phase::Parked(_), .. } => true,
        Progress::Running { .. } | Progress::Idle => false,
    }
}

fn name(surface: Surface) -> &'static str {
    match surface {
        Surface::Issue => "issue",
        Surface::Pull => "pull",
        Surface::PullBody => "pull-body",
    }
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text)).chars().take(32).collect()
}

/// Our check run on `head` as the run's state has it.
pub(super) fn check_run_shown(
    (snapshot, live): (&Snapshot, Option<&Live>),
    links: &report::Links,
    head: &CommitSha,
    sanitizer: &Sanitizer,
) -> CheckRun {
    let context = report::Context::new(&snapshot.state, &snapshot.policy, links).with_live(live);
    check_run(&snapshot.state, head, &report::check_run(&context, head), sanitizer)
}

fn check_run(
    state: &State,
    head: &CommitSha,
    check: &report::CheckReport,
    sanitizer: &Sanitizer,
) -> CheckRun {
    let conclusion = check.conclusion.map(|conclusion| match conclusion {
        report::Conclusion::Success => github::Conclusion::Success,
        report::Conclusion::Neutral => github::Conclusion::Neutral,
        report::Conclusion::Failure => github::Conclusion::Failure,
        report::Conclusion::Cancelled => github::Conclusion::Cancelled,
        report::Conclusion::ActionRequired => github::Conclusion::ActionRequired,
    });
    CheckRun {
        head: head.clone(),
        external_id: state.request.run.to_string(),
        conclusion,
        title: sanitizer.text(&check.title),
        summary: sanitizer.text(&check.summary),
        buttons: check.buttons.iter().copied().collect(),
    }
}
