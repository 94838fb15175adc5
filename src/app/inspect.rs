//! `slipway runs`, `show`, `stop` and `unlock`: looks at the store, and puts one command.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tokio_util::task::TaskTracker;

use super::args::{Common, Serve};
use super::serve::open_store;
use crate::clock::{Clock, SystemClock};
use crate::command::{SlashCommand, Source, authorize};
use crate::config::{Database, Settings};
use crate::model::character::visible;
use crate::model::{BranchName, Permission, Repo, RunId, User, UserId};
use crate::report;
use crate::store::{
    AUDITS_MAX, AuditRow, Audited, Entry, LiveRow, NewJob, RUNS_MAX, RunRow, Snapshot, Store,
    Stream, StreamRow, sqlite,
};
use crate::worker::operator_job;

/// The store as a second process may use it: beside a running server.
pub(super) enum Beside {
    File(sqlite::Client),
    Server(std::sync::Arc<dyn Store>),
}

impl Beside {
    pub(super) async fn open(common: &Common) -> anyhow::Result<Self> {
        let settings: Settings = common.settings(&Serve::default())?;
        Ok(match &settings.database {
            Database::Sqlite(path) => Self::File(sqlite::Client::open(path).await?),
            Database::Postgres(_) => {
                Self::Server(open_store(&settings, &TaskTracker::new()).await?)
            }
        })
    }

    async fn runs(&self) -> anyhow::Result<Vec<RunRow>> {
        Ok(match self {
            Self::File(client) => client.runs(RUNS_MAX).await?,
            Self::Server(store) => store.runs(RUNS_MAX).await?,
        })
    }

    async fn load(&self, run: &RunId) -> anyhow::Result<Snapshot> {
        let snapshot = match self {
            Self::File(client) => client.load(run).await?,
            Self::Server(store) => store.load(run).await?,
        };
        snapshot.with_context(|| format!("there is no run {run}; `slipway runs` lists them"))
    }

    async fn timeline(&self, run: &RunId) -> anyhow::Result<Vec<Entry>> {
        Ok(match self {
            Self::File(client) => client.timeline(run).await?,
            Self::Server(store) => store.timeline(run).await?,
        })
    }

    async fn live(&self, run: &RunId) -> anyhow::Result<Option<LiveRow>> {
        Ok(match self {
            Self::File(client) => client.live(run).await?,
            Self::Server(store) => store.live(run).await?,
        })
    }

    async fn streams(&self, run: &RunId) -> anyhow::Result<Vec<StreamRow>> {
        Ok(match self {
            Self::File(client) => client.streams(run).await?,
            Self::Server(store) => store.streams(run).await?,
        })
    }

    async fn stream(&self, run: &RunId, entry: u32) -> anyhow::Result<Vec<Stream>> {
        Ok(match self {
            Self::File(client) => client.stream(run, entry).await?,
            Self::Server(store) => store.stream(run, entry).await?,
        })
    }

    /// Newest first.
    pub(super) async fn audits(&self, which: &Audited) -> anyhow::Result<Vec<AuditRow>> {
        Ok(match self {
            Self::File(client) => client.audits(which, AUDITS_MAX).await?,
            Self::Server(store) => store.audits(which, AUDITS_MAX).await?,
        })
    }

    async fn put(&self, job: NewJob) -> anyhow::Result<()> {
        match self {
            Self::File(client) => client.put(vec![job]).await?,
            Self::Server(store) => store.put(vec![job]).await?,
        }
        Ok(())
    }
}

pub(super) async fn runs(common: &Common) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for row in Beside::open(common).await?.runs().await? {
        let number = row.issue;
        let moved = row.moved.readable();
        let state = if row.live { row.at_stage.as_str() } else { "ended" };
        let end = if row.live { "" } else { row.at_stage.as_str() };
        let title = crate::model::text::cut(&row.title, 60);
        writeln!(out, "{}  {moved}  {}#{number}  {state} {end}  {title}", row.run, row.repo)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(common: &Common, run: &str) -> anyhow::Result<ExitCode> {
    let run = RunId::parse(run)?;
    let beside = Beside::open(common).await?;
    let snapshot = beside.load(&run).await?;
    let request = &snapshot.state.request;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{run}  {}#{}  {}", request.repo, request.issue, request.title)?;
    writeln!(out, "{}\n", report::line(&snapshot.state))?;
    if let Some(live) = LiveRow::of(beside.live(&run).await?, &snapshot.state) {
        writeln!(out, "{}\n", report::live_lines(&live).join("\n"))?;
    }
    for entry in beside.timeline(&run).await? {
        let what = report::happened(&entry.event.kind);
        let after = match entry.ignored {
            Some(why) => format!("ignored: {}", report::ignored(why)),
            None => entry.after,
        };
        let at = entry.event.at.rfc3339();
        writeln!(out, "{:>4}  {at}  {what}  →  {after}", entry.number)?;
    }
    if let Some(preview) = &snapshot.state.work.preview {
        let prompt = visible(&preview.prompt);
        writeln!(out, "\nHow the builder would be started:\n\n{}", visible(&preview.start()))?;
        writeln!(out, "What the builder would be told:\n\n{prompt}")?;
    }
    for kept in beside.streams(&run).await? {
        let (entry, bytes, agent) = (kept.entry, kept.bytes, kept.agent);
        writeln!(out, "\n{agent} said {bytes} bytes: slipway show {run} --stream {entry}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What agents said under an entry.
pub(super) async fn stream(common: &Common, run: &str, entry: u32) -> anyhow::Result<ExitCode> {
    let run = RunId::parse(run)?;
    let beside = Beside::open(common).await?;
    let streams = beside.stream(&run, entry).await?;
    if streams.is_empty() {
        bail!("nothing is kept of entry {entry}; `slipway show {run}` lists what is");
    }
    let mut out = std::io::stdout().lock();
    for stream in streams {
        let (agent, at) = (stream.row.agent.clone(), stream.row.at.rfc3339());
        writeln!(out, "--- {agent}, until {at} ---")?;
        write!(out, "{}", report::stream_text(&stream.text().await?))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn stop(common: &Common, run: &str) -> anyhow::Result<ExitCode> {
    let run = RunId::parse(run)?;
    let beside = Beside::open(common).await?;
    let snapshot = beside.load(&run).await?;
    if let Some(outcome) = snapshot.state.finished() {
        bail!("{run} is over already: {}", outcome.word());
    }
    let operator = User { id: UserId(0), login: "the operator".to_owned(), bot: false };
    let held = Permission::Admin;
    let command = authorize(SlashCommand::Stop, operator, held, Source::Operator);
    let command = command.map_err(|refusal| anyhow::anyhow!(refusal.text))?;
    beside.put(operator_job(&run, command, SystemClock.now())).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{run} is being stopped; a running server does it within seconds")?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn unlock(common: &Common, repo: &str, branch: &str) -> anyhow::Result<ExitCode> {
    let (repo, branch) = (Repo::parse(repo)?, BranchName::parse(branch)?);
    let settings = common.settings(&Serve::default())?;
    let opened = match &settings.database {
        Database::Sqlite(path) => {
            sqlite::Client::open(path).await?.clear_lane(&repo, &branch).await?
        }
        Database::Postgres(_) => {
            open_store(&settings, &TaskTracker::new()).await?.clear_lane(&repo, &branch).await?
        }
    };
    let mut out = std::io::stdout().lock();
    if opened {
        writeln!(out, "Slipway merges into {branch} of {repo} again")?;
        return Ok(ExitCode::SUCCESS);
    }
    bail!("no alarm closed {branch} of {repo}")
}
