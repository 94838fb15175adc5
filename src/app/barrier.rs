//! What stands between programs and this machine: chosen once, and never silently nothing.

use std::sync::Arc;

use super::containers;
use crate::config::{SandboxMode, Settings};
use crate::sandbox::bubblewrap::{Bubblewrap, Setup, UID_BASE};
use crate::sandbox::container::Engine;
use crate::sandbox::process::Process;
use crate::sandbox::{Error, Protection, Sandbox, Tools};

/// The sandbox, and what the operator should know of the choice.
pub(super) struct Chosen {
    pub(super) sandbox: Arc<dyn Sandbox>,
    pub(super) warning: Option<String>,
}

/// What the choice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Containers that an earlier process left behind are removed.
    Serving,
    Looking,
}

/// Chooses by the settings; the error is a sentence with what to do.
pub(super) async fn choose(settings: &Settings, purpose: For) -> Result<Chosen, String> {
    let found = match settings.sandbox {
        SandboxMode::Process => None,
        SandboxMode::Bubblewrap => Some(walled(settings).await),
        SandboxMode::Docker => Some(contained(settings, purpose, Some(Engine::Docker)).await),
        SandboxMode::Podman => Some(contained(settings, purpose, Some(Engine::Podman)).await),
        SandboxMode::Apple => Some(contained(settings, purpose, Some(Engine::Apple)).await),
        SandboxMode::Auto => Some(match walled(settings).await {
            Err(Error(why)) if settings.containers.is_some() => {
                let found = contained(settings, purpose, None).await;
                found.map_err(|Error(also)| Error(format!("{why}; {also}")))
            }
            found => found,
        }),
    };
    let process: Arc<dyn Sandbox> = Arc::new(Process { tools: tools(settings) });
    decide(settings.sandbox, found, process, settings.sandbox_level_min)
}

async fn walled(settings: &Settings) -> Result<Arc<dyn Sandbox>, Error> {
    let found = bubblewrap(tools(settings), settings.sandbox_uid_base).await?;
    Ok(Arc::new(found))
}

/// Containers of `engine`, or of the first that works.
async fn contained(
    settings: &Settings,
    purpose: For,
    engine: Option<Engine>,
) -> Result<Arc<dyn Sandbox>, Error> {
    let found = match purpose {
        For::Serving => containers::start(settings, engine).await,
        For::Looking => containers::look(settings, engine).await,
    };
    let said = |why: anyhow::Error| Error(format!("{why:#}; see docs/OPERATIONS.md, Containers"));
    Ok(Arc::new(found.map_err(said)?))
}

/// Whether bubblewrap works on this machine as the demo uses it, and why not.
pub(super) async fn sample() -> Result<(), Error> {
    bubblewrap(Tools::default(), None).await.map(drop)
}

/// Bubblewrap, tried out.
async fn bubblewrap(tools: Tools, uid_base: Option<u32>) -> Result<Bubblewrap, Error> {
    let helper = std::env::current_exe().map_err(|why| Error(format!("our own program: {why}")))?;
    let mut setup = Setup::new(helper, tools);
    setup.uid_base = uid_base.unwrap_or(UID_BASE);
    Bubblewrap::probe(setup).await
}

fn tools(settings: &Settings) -> Tools {
    Tools { path: settings.tools.clone(), read_only: settings.tools.clone() }
}

fn decide(
    mode: SandboxMode,
    found: Option<Result<Arc<dyn Sandbox>, Error>>,
    process: Arc<dyn Sandbox>,
    level_min: u8,
) -> Result<Chosen, String> {
    let (sandbox, warning) = match (mode, found) {
        (_, Some(Ok(found))) => (found, None),
        (SandboxMode::Auto, Some(Err(Error(why)))) if level_min == 0 => {
            (process, Some(format!("programs run as plain processes, as allowed: {why}")))
        }
        (_, Some(Err(Error(why)))) => return Err(format!("there is no sandbox: {why}")),
        (_, None) => (process, None),
    };
    match too_low(&sandbox.protection(), level_min) {
        Some(why) => Err(why),
        None => Ok(Chosen { sandbox, warning }),
    }
}

/// Why this does not suffice.
fn too_low(protection: &Protection, level_min: u8) -> Option<String> {
    (protection.level < level_min).then(|| {
        let missing: Vec<_> = protection.missing.iter().map(|one| one.what.as_str()).collect();
        let lacks =
            if missing.is_empty() { String::new() } else { format!(", {}", missing.join(", ")) };
        format!(
            "agents are started at level {level_min} or above, and this is {protection}{lacks}; \
             use bubblewrap, or set sandbox_level_min = {} where nothing on this machine is worth \
             taking",
            protection.level
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fake::{Directories, Fake};
    use crate::sandbox::{End, Transcript};

    /// Of level 0, as the fake is.
    fn plain() -> Arc<dyn Sandbox> {
        let (stdout, stderr) = (String::new(), String::new());
        let done = Transcript { end: End::Exited(0), stdout, stderr };
        Arc::new(Fake::new(Directories::default(), Arc::new(move |_, _| done.clone())))
    }

    #[test]
    fn attack_23_a_missing_sandbox_is_a_refusal_and_never_silently_none() {
        let missing = || Some(Err(Error("no bwrap; install bubblewrap".to_owned())));
        for (mode, found, level_min, outcome) in [
            (SandboxMode::Auto, missing(), 3, Err("there is no sandbox: no bwrap; install")),
            (SandboxMode::Auto, missing(), 1, Err("there is no sandbox: no bwrap; install")),
            (SandboxMode::Bubblewrap, missing(), 0, Err("there is no sandbox: no bwrap")),
            (SandboxMode::Auto, Some(Ok(plain())), 3, Err("agents are started at level 3")),
            (SandboxMode::Process, None, 3, Err("agents are started at level 3")),
            // The defence taken away, by the only word that can: the operator's own.
            (SandboxMode::Auto, missing(), 0, Ok(true)),
            (SandboxMode::Process, None, 0, Ok(false)),
        ] {
            match (decide(mode, found, plain(), level_min), outcome) {
                (Ok(chosen), Ok(warns)) => assert_eq!(chosen.warning.is_some(), warns),
                (Err(why), Err(begins)) => assert!(why.starts_with(begins), "{why}"),
                (Ok(_), Err(why)) => panic!("{mode:?} with {level_min} should say {why}"),
                (Err(why), Ok(_)) => panic!("{mode:?} with {level_min}: {why}"),
            }
        }
    }
}
