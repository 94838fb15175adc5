//! Containers as the settings want them: one engine, or the first that works.

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::config::Settings;
use crate::sandbox::Tools;
use crate::sandbox::container::{Container, Engine, Wanted};

/// The order in which `auto` tries them; the first two can do without root.
const ORDER: [Engine; 3] = [Engine::Podman, Engine::Docker, Engine::Apple];

/// For `serve`: what an earlier process left behind is removed.
pub(super) async fn start(
    settings: &Settings,
    engine: Option<Engine>,
) -> anyhow::Result<Container> {
    let container = look(settings, engine).await?;
    container.sweep().await.context("containers that were left behind stay")?;
    Ok(container)
}

/// The containers of `engine`, or of the first that works; the error says what is missing.
pub(super) async fn look(settings: &Settings, engine: Option<Engine>) -> anyhow::Result<Container> {
    let mut missing = Vec::new();
    for engine in engine.map_or_else(|| ORDER.to_vec(), |engine| vec![engine]) {
        match one(settings, engine).await {
            Ok(container) => return Ok(container),
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    anyhow::bail!("{}", missing.join("; "))
}

async fn one(settings: &Settings, engine: Engine) -> anyhow::Result<Container> {
    let wanted = wanted(settings)?;
    let tools = Tools { path: settings.tools.clone(), read_only: settings.tools.clone() };
    let found = Container::probe(engine, wanted, tools).await;
    found.with_context(|| format!("containers of {} do not work here", engine.program()))
}

fn wanted(settings: &Settings) -> anyhow::Result<Wanted> {
    let said = settings.containers.as_ref().context(
        "there is no image for containers: add [sandbox_container] with image to the \
         configuration file",
    )?;
    // Two Slipways on one machine have different directories for work.
    let place = settings.work_dir.to_string_lossy();
    let owner = hex::encode(Sha256::digest(place.as_bytes())).chars().take(12).collect();
    Ok(Wanted {
        image: said.image.clone(),
        runtime: said.runtime.clone(),
        gpus: said.gpus.clone(),
        memory_mb_max: said.memory_mb_max,
        cpus_max: said.cpus_max,
        pids_max: said.pids_max,
        seccomp: said.seccomp.clone(),
        client_env: said.client_env.clone(),
        owner,
        program: std::env::current_exe().context("our own program cannot be found")?,
    })
}
