//! `slipway agents`: which agents there are, how each is started, and whether it is installed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::{Agents, Common, OfAgents, Serve};
use super::barrier;
use super::resting::{Resting, resting};
use crate::agent::probe;
use crate::agent::profile::{Catalogue, Profile, table};
use crate::clock::{Clock, SystemClock};
use crate::sandbox::{Home, Invocation, Limits, Purpose, Signal};

/// Largest file of an operator's profiles, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// How long a program may take to tell its version.
const PROBE_MS_MAX: u64 = 20_000;
const PROBE_BYTES_MAX: usize = 4_096;

/// Shows profiles, and asks programs for their versions.
pub(super) async fn agents(common: &Common, agents: &Agents) -> anyhow::Result<ExitCode> {
    let catalogue = catalogue(agents.profiles.as_deref())?;
    match &agents.of {
        OfAgents::List => list(common, &catalogue, agents.json).await?,
        OfAgents::Show { name } => show(known(&catalogue, name)?, agents.json)?,
        OfAgents::Probe { name } => {
            return probed(common, known(&catalogue, name)?, agents.json).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn catalogue(profiles: Option<&Path>) -> anyhow::Result<Catalogue> {
    let Some(path) = profiles else { return Ok(Catalogue::shipped()?) };
    let what = || format!("the profiles in {}", path.display());
    let bytes = std::fs::metadata(path).with_context(what)?.len();
    anyhow::ensure!(bytes <= FILE_BYTES_MAX, "{} are longer than {FILE_BYTES_MAX} bytes", what());
    let text = std::fs::read_to_string(path).with_context(what)?;
    Catalogue::with(&text).with_context(what)
}

fn known<'a>(catalogue: &'a Catalogue, name: &str) -> anyhow::Result<&'a Profile> {
    catalogue
        .get(name)
        .with_context(|| format!("there is no agent {name:?}; `slipway agents list` lists them"))
}

async fn list(common: &Common, catalogue: &Catalogue, as_json: bool) -> anyhow::Result<()> {
    let resting = resting(common, SystemClock.now()).await.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    if as_json {
        for profile in catalogue.iter() {
            writeln!(out, "{}", serde_json::to_string(&profile.shown())?)?;
        }
        for Resting { pool, until } in resting {
            writeln!(out, "{}", json!({"resting": pool, "until": until.precise()}))?;
        }
        return Ok(());
    }
    out.write_all(table(catalogue).as_bytes())?;
    for Resting { pool, until } in resting {
        writeln!(out, "\nthe agents of {pool} rest until {}: it had enough", until.readable())?;
    }
    Ok(())
}

fn show(profile: &Profile, as_json: bool) -> anyhow::Result<()> {
    let shown = profile.shown();
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string(&shown)?)?;
        return Ok(());
    }
    out.write_all(shown.lines().as_bytes())?;
    Ok(())
}

/// Starts the program where agents start, so that what is found is what a run finds.
async fn probed(common: &Common, profile: &Profile, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = common.settings(&Serve::default())?;
    let chosen =
        barrier::choose(&settings, barrier::For::Looking).await.map_err(anyhow::Error::msg)?;
    let directory = tempfile::tempdir()?;
    let order = ask(profile, directory.path().to_owned())?;
    let cancel = CancellationToken::new();
    let transcript = chosen.sandbox.run(&order, &cancel).await?;
    let version = probe::version(&transcript.stdout);
    let warning = if transcript.succeeded() {
        probe::judge(version.as_ref(), profile.tested.as_ref())
    } else {
        Some(format!(
            "{:?} did not end well: {}",
            profile.probe.join(" "),
            transcript.stderr.trim()
        ))
    };
    let mut out = std::io::stdout().lock();
    let version = version.map(|version| version.to_string());
    if as_json {
        let told = json!({"name": profile.name, "version": version, "warning": warning});
        writeln!(out, "{told}")?;
    } else {
        let version = version.unwrap_or_else(|| "of no known version".to_owned());
        let warning = warning.as_ref().map(|warning| format!(": {warning}")).unwrap_or_default();
        writeln!(out, "{} {version}{warning}", profile.name)?;
    }
    Ok(if transcript.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ask(profile: &Profile, directory: PathBuf) -> anyhow::Result<Invocation> {
    let (program, args) = profile.probe.split_first().with_context(|| {
        format!("nothing is known that {} tells its version by; set `probe`", profile.name)
    })?;
    let limits = Limits {
        wall_ms_max: PROBE_MS_MAX,
        output_bytes_max: PROBE_BYTES_MAX,
        ..Limits::default()
    };
    Ok(Invocation {
        purpose: Purpose::Check,
        program: program.clone(),
        args: args.to_vec(),
        env: Vec::new(),
        stdin: String::new(),
        directory,
        workspace: "probe".to_owned(),
        doors: Vec::new(),
        read_only: Vec::new(),
        masks: Vec::new(),
        home: Home::default(),
        limits,
        signal: Signal::Term,
    })
}
