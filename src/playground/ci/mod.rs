//! The playground's CI: an App that runs the repository's own jobs on every pushed head.
//!
//! `.playground/ci.json` names the jobs; without it an executable `check.sh` is one job named
//! `check`; without either there are no checks at all. A job with `run` is a script and is run by
//! [`run_pending`]; all others are judged on the tree alone and need no process.

mod script;

use serde::Deserialize;

pub use script::{ScriptJob, run_pending};

use tokio_util::sync::CancellationToken;

use super::error::{ApiError, ApiResult};
use super::world::checks::RunEdit;
use super::world::{CheckOutput, Run, RunStatus, State, World};

/// Jobs read from one description.
const JOBS_MAX: usize = 50;
/// The log's tail that is shown in a check run's text, in characters.
const TEXT_MAX: usize = 60_000;

#[derive(Clone, Debug, Default, Deserialize)]
struct Description {
    #[serde(default)]
    jobs: Vec<JobSpec>,
}

/// One job as the repository describes it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct JobSpec {
    pub name: String,
    /// A shell command, run in the checked-out tree.
    #[serde(default)]
    pub run: Option<String>,
    #[serde(default)]
    pub fails_if: Option<FailsIf>,
    #[serde(default)]
    pub needs_file: Option<String>,
    #[serde(default)]
    pub flaky: Option<Flaky>,
    #[serde(default)]
    pub never_starts: bool,
    #[serde(default)]
    pub never_ends: bool,
    /// The outcome, whatever the tree holds.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// From the push to the start, in milliseconds of the World's time.
    #[serde(default)]
    pub delay_ms: i64,
    /// From the start to the end; scripts take as long as they take.
    #[serde(default)]
    pub duration_ms: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct FailsIf {
    pub file: String,
    pub contains: String,
}

/// Fails the first times on every commit.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Flaky {
    pub fails_first: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Queued,
    /// Judged when due.
    Running,
    /// Waits for or is in the hands of the script runner.
    Script {
        taken: bool,
    },
    Done,
}

/// A job on a commit.
#[derive(Clone, Debug)]
pub struct CiJob {
    pub(crate) run: u64,
    repo: u64,
    sha: String,
    spec: JobSpec,
    attempt: u32,
    phase: Phase,
    due_ms: i64,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub conclusion: String,
    pub log: String,
}

/// Does CI work as it comes due, until cancelled.
pub async fn run(world: World, cancel: CancellationToken) {
    loop {
        let stepped = world.ci_step(world.now_ms()).unwrap_or_else(|error| {
            tracing::warn!(%error, "a CI step failed");
            false
        });
        tokio::select! {
            () = cancel.cancelled() => return,
            ran = run_pending(&world) => {
                if let Err(error) = ran {
                    tracing::warn!(%error, "a CI job could not be reported");
                }
            }
        }
        if !stepped {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(super::TICK) => {}
            }
        }
    }
}

impl World {
    /// Does the next due piece of CI work; `false` when none is due.
    pub fn ci_step(&self, now_ms: i64) -> ApiResult<bool> {
        self.with(|state| {
            let stepped = state.ci_step(now_ms)?;
            // A queue acts on what a check said, and on its own patience.
            Ok(state.settle_merges() || stepped)
        })
    }

    /// Hands out a script job that is due, with the files it runs on.
    pub fn ci_claim(&self) -> ApiResult<Option<ScriptJob>> {
        self.with(State::ci_claim)
    }

    /// Reports how a script job ended.
    pub fn ci_finish(&self, job: u64, ended: &Ended) -> ApiResult<()> {
        self.with(|state| {
            state.ci_end(job, ended)?;
            state.settle_merges();
            Ok(())
        })
    }
}

impl State {
    pub(crate) fn ci_next_due_ms(&self) -> Option<i64> {
        let waits = |job: &&CiJob| match job.phase {
            Phase::Queued | Phase::Running => true,
            Phase::Script { .. } | Phase::Done => false,
        };
        self.ci.values().filter(waits).map(|job| job.due_ms).min()
    }

    /// Schedules the jobs of a commit unless they already are.
    pub(crate) fn ci_for_head(&mut self, repo: u64, branch: &str, sha: &str) -> ApiResult<()> {
        let Some(app) = self.ci_app else {
            return Ok(());
        };
        let installed =
            |one: &&super::world::Installation| one.app == app && one.repositories.contains(&repo);
        if !self.installations.values().any(|one| installed(&one)) {
            return Ok(());
        }
        let found = self.repo(repo)?;
        if found.suites.values().any(|suite| suite.app == app && suite.head_sha == sha) {
            return Ok(());
        }
        let commit = found.forge.commit_info(sha)?;
        let skips = ["[skip ci]", "[ci skip]", "***NO_CI***"];
        if commit.is_some_and(|commit| skips.iter().any(|skip| commit.message.contains(skip))) {
            return Ok(());
        }
        let jobs = self.ci_jobs(repo, sha)?;
        if jobs.is_empty() {
            return Ok(());
        }
        let suite = self.suite_for(repo, app, sha)?;
        if let Some(suite) = self.repo_mut(repo)?.suites.get_mut(&suite) {
            suite.head_branch = Some(branch.to_owned());
        }
        let sender = self.app_user(app)?;
        self.emit_suite(repo, suite, "requested", (&sender, Some(app)))?;
        for spec in jobs {
            self.ci_schedule(repo, app, sha, (spec, 1))?;
        }
        Ok(())
    }

    fn ci_jobs(&self, repo: u64, sha: &str) -> ApiResult<Vec<JobSpec>> {
        let forge = self.forge(repo)?;
        if let Some(text) = forge.read_file(sha, ".playground/ci.json")? {
            let parsed: Result<Description, _> = serde_json::from_slice(&text);
            return Ok(match parsed {
                Ok(found) => found.jobs.into_iter().take(JOBS_MAX).collect(),
                Err(error) => {
                    tracing::warn!(%error, sha, "the CI description is broken");
                    let conclusion = Some("startup_failure".to_owned());
                    vec![JobSpec { name: "ci".into(), conclusion, ..JobSpec::default() }]
                }
            });
        }
        let tree = forge.list_tree(sha)?;
        let script = tree.iter().any(|entry| entry.path == "check.sh" && entry.executable);
        let run = Some("sh check.sh".to_owned());
        let job = JobSpec { name: "check".into(), run, ..JobSpec::default() };
        Ok(if script { vec![job] } else { Vec::new() })
    }

    fn ci_schedule(
        &mut self,
        repo: u64,
        app: u64,
        sha: &str,
        (spec, attempt): (JobSpec, u32),
    ) -> ApiResult<()> {
        if spec.never_starts {
            return Ok(());
        }
        let edit = RunEdit {
            name: Some(spec.name.clone()),
            status: Some(RunStatus::Queued),
            ..RunEdit::default()
        };
        let run = self.put_run(repo, app, (None, sha), &edit)?.id;
        let details = format!("{}/{}/checks/{run}", self.base_url, self.repo(repo)?.full_name());
        if let Some(found) = self.repo_mut(repo)?.runs.get_mut(&run) {
            found.details_url = Some(details);
        }
        let due_ms = self.now_ms + spec.delay_ms;
        let (sha, phase) = (sha.to_owned(), Phase::Queued);
        self.ci.insert(run, CiJob { run, repo, sha, spec, attempt, phase, due_ms });
        Ok(())
    }

    /// Runs a finished job again under a new check run.
    pub(crate) fn ci_rerun(&mut self, repo: u64, run: &Run) -> ApiResult<()> {
        let job = self.ci.get(&run.id).cloned();
        let job = job.ok_or_else(|| ApiError::new(403, "This workflow run cannot be retried"))?;
        self.ci_schedule(repo, run.app, &job.sha, (job.spec, job.attempt + 1))
    }

    fn ci_step(&mut self, now_ms: i64) -> ApiResult<bool> {
        let due = |job: &&CiJob| match job.phase {
            Phase::Queued | Phase::Running => job.due_ms <= now_ms,
            Phase::Script { .. } | Phase::Done => false,
        };
        let next = self.ci.values().filter(due).min_by_key(|job| (job.due_ms, job.run));
        let Some(job) = next.cloned() else {
            return Ok(false);
        };
        if job.phase == Phase::Running {
            let ended = self.ci_judge(&job)?;
            self.ci_end(job.run, &ended)?;
            return Ok(true);
        }
        let edit = RunEdit { status: Some(RunStatus::InProgress), ..RunEdit::default() };
        if let Some(app) = self.ci_app {
            self.put_run(job.repo, app, (Some(job.run), &job.sha), &edit)?;
        }
        if let Some(stored) = self.ci.get_mut(&job.run) {
            let script = job.spec.run.is_some() && job.spec.conclusion.is_none();
            stored.phase = match (script, job.spec.never_ends) {
                (_, true) => Phase::Done,
                (true, false) => Phase::Script { taken: false },
                (false, false) => Phase::Running,
            };
            stored.due_ms = now_ms + job.spec.duration_ms;
        }
        Ok(true)
    }

    /// The outcome of a job that needs no process.
    fn ci_judge(&self, job: &CiJob) -> ApiResult<Ended> {
        let spec = &job.spec;
        let (mut conclusion, mut log) = ("success".to_owned(), format!("{}: ok\n", spec.name));
        let forge = self.forge(job.repo)?;
        let mut fail = |why: String| {
            "failure".clone_into(&mut conclusion);
            log = format!("{}: FAILED\n##[error]{why}\n", spec.name);
        };
        if let Some(fails) = &spec.fails_if {
            let content = forge.read_file(&job.sha, &fails.file)?.unwrap_or_default();
            let content = String::from_utf8_lossy(&content);
            if content.contains(&fails.contains) {
                let line = content.lines().position(|line| line.contains(&fails.contains));
                let place = format!("{}:{}:1", fails.file, line.unwrap_or_default() + 1);
                let why = format!("{} contains {:?}", fails.file, fails.contains);
                fail(format!("{why}\n{place}: error: {:?} is not wanted here", fails.contains));
            }
        }
        if let Some(file) = &spec.needs_file
            && forge.read_file(&job.sha, file)?.is_none()
        {
            fail(format!("{file} is missing"));
        }
        if spec.flaky.as_ref().is_some_and(|flaky| job.attempt <= flaky.fails_first) {
            fail("connection reset by peer".to_owned());
        }
        if let Some(fixed) = &spec.conclusion {
            conclusion.clone_from(fixed);
            log = format!("{}: {fixed}\n", spec.name);
        }
        Ok(Ended { conclusion, log })
    }

    fn ci_claim(&mut self) -> ApiResult<Option<ScriptJob>> {
        let waits = |job: &&mut CiJob| job.phase == Phase::Script { taken: false };
        let Some(job) = self.ci.values_mut().find(waits) else {
            return Ok(None);
        };
        job.phase = Phase::Script { taken: true };
        let (id, command) = (job.run, job.spec.run.clone().unwrap_or_default());
        let (repo, sha) = (job.repo, job.sha.clone());
        let (forge, time_max) = (self.forge(repo)?, self.ci_time_max);
        Ok(Some(ScriptJob { id, command, sha, time_max, forge }))
    }

    fn ci_end(&mut self, job: u64, ended: &Ended) -> ApiResult<()> {
        let Some(found) = self.ci.get_mut(&job) else {
            return Ok(());
        };
        found.phase = Phase::Done;
        let (repo, sha, name) = (found.repo, found.sha.clone(), found.spec.name.clone());
        let tail = tail(&ended.log, TEXT_MAX);
        let failed = !["success", "neutral", "skipped"].contains(&ended.conclusion.as_str());
        let output = CheckOutput {
            title: Some(format!("{name}: {}", ended.conclusion)),
            summary: Some(last_line(&ended.log)),
            text: Some(format!("```text\n{tail}\n```")),
            annotations: if failed { vec![annotation(&ended.log)] } else { Vec::new() },
        };
        let edit = RunEdit {
            conclusion: Some(ended.conclusion.clone()),
            output: Some(output),
            log: Some(ended.log.clone()),
            ..RunEdit::default()
        };
        if let Some(app) = self.ci_app {
            self.put_run(repo, app, (Some(job), &sha), &edit)?;
        }
        Ok(())
    }
}

fn tail(text: &str, max: usize) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(max)).collect()
}

fn last_line(log: &str) -> String {
    log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no output").to_owned()
}

fn annotation(log: &str) -> serde_json::Value {
    let line = log.lines().find_map(|line| line.strip_prefix("##[error]"));
    let message = line.map_or_else(|| last_line(log), str::to_owned);
    serde_json::json!({
        "path": ".github", "start_line": 1, "end_line": 1,
        "annotation_level": "failure", "message": tail(&message, 1_000),
    })
}
