//! The engine's client: what it is asked beside running a container.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::args::{APPLE_NETWORK, Engine, LABEL, NO_PROGRAM};
use super::words;
use crate::process::{self, Order, run};
use crate::sandbox::{End, Error};

/// How long a question may take.
const QUESTION_MAX: Duration = Duration::from_secs(30);
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Where engines' clients find what they start, after nothing of ours.
const PATH: &str = crate::sandbox::SYSTEM_PATH;

/// A client, found.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) engine: Engine,
    pub(super) program: PathBuf,
    /// Where its engine is.
    pub(super) env: Vec<(String, String)>,
}

/// What an engine says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Security {
    pub(super) rootless: bool,
    /// Its containers have user namespaces.
    pub(super) remapped: bool,
}

/// What became of a container, as the engine knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) ran: bool,
    pub(super) code: i32,
    pub(super) out_of_memory: bool,
}

impl Client {
    pub(super) fn environment(&self) -> impl Iterator<Item = (String, OsString)> + '_ {
        let own = self.env.iter().map(|(name, value)| (name.clone(), value.into()));
        own.chain([("PATH".to_owned(), PATH.into())])
    }

    pub(super) fn order(&self, args: Vec<OsString>) -> Order {
        Order {
            program: self.program.clone(),
            args,
            env: self.environment().collect(),
            directory: PathBuf::from("/"),
            stdin: Vec::new(),
            wall_max: QUESTION_MAX,
            output_bytes_max: OUTPUT_BYTES_MAX,
            // What it leaves running is the engine's: to look for it and end it would break
            // other containers.
            stranger: false,
            asks: process::ASK,
        }
    }

    /// What the client answers, or what it says is wrong.
    async fn ask(&self, args: &[&str]) -> Result<String, Error> {
        let order = self.order(words(args));
        let done = run(&order, &CancellationToken::new()).await;
        let done = done.map_err(|error| Error(format!("{}: {error}", self.engine.program())))?;
        if done.end == process::End::Exited(0) {
            return Ok(done.stdout.text());
        }
        let said = done.stderr.text();
        let said = said.lines().last().unwrap_or_default().trim();
        Err(Error(format!("{} {}: {said}", self.engine.program(), args.join(" "))))
    }

    /// Whether the engine answers, and how it keeps users apart.
    pub(super) async fn security(&self) -> Result<Security, Error> {
        match self.engine {
            Engine::Docker => {
                let format = "{{json .SecurityOptions}}";
                let told = self.ask(&["info", "--format", format]).await?;
                let rootless = told.contains("name=rootless");
                Ok(Security { rootless, remapped: rootless || told.contains("name=userns") })
            }
            Engine::Podman => {
                let format = "{{.Host.Security.Rootless}}";
                let rootless = self.ask(&["info", "--format", format]).await?.trim() == "true";
                Ok(Security { rootless, remapped: rootless })
            }
            Engine::Apple => {
                self.ask(&["system", "status"]).await?;
                let network = self.ask(&["network", "inspect", APPLE_NETWORK]).await;
                network.map_err(|Error(why)| {
                    let next = format!("container network create --internal {APPLE_NETWORK}");
                    Error(format!("{why}; make it with: {next}"))
                })?;
                Ok(Security { rootless: true, remapped: true })
            }
        }
    }

    /// Images are never fetched on the way: what runs was looked at by the operator.
    pub(super) async fn has_image(&self, image: &str) -> Result<(), Error> {
        let found = self.ask(&["image", "inspect", image]).await;
        let pull = match self.engine {
            Engine::Docker | Engine::Podman => "pull",
            Engine::Apple => "image pull",
        };
        let next = format!("fetch it with: {} {pull} {image}", self.engine.program());
        found
            .map(drop)
            .map_err(|Error(why)| Error(format!("the image is not here ({why}); {next}")))
    }

    /// Removes every container of an owner.
    pub(super) async fn sweep(&self, owner: &str) -> Result<(), Error> {
        let label = format!("label={LABEL}={owner}");
        let listed = match self.engine {
            Engine::Docker | Engine::Podman => {
                self.ask(&["ps", "--all", "--quiet", "--filter", &label]).await?
            }
            // It has no filter; its containers are called by their names.
            Engine::Apple => self.ask(&["list", "--all", "--quiet"]).await?,
        };
        let ours = format!("slipway-{owner}-");
        let left = listed.lines().map(str::trim).filter(|id| !id.is_empty());
        for id in left.filter(|id| self.engine != Engine::Apple || id.starts_with(&ours)) {
            tracing::info!(id, "a container was left behind");
            self.remove(id).await;
        }
        Ok(())
    }

    /// Ends a container at once; that there is none any more is no fault.
    pub(super) async fn kill(&self, id: &str) {
        if let Err(error) = self.ask(&["kill", id]).await {
            tracing::debug!(%error, "a container was not there to be ended");
        }
    }

    /// Asks the program in a container to end; that there is none any more is no fault.
    pub(super) async fn signal(&self, id: &str, signal: &str) {
        if let Err(error) = self.ask(&["kill", "--signal", signal, id]).await {
            tracing::debug!(%error, "a container was not there to be asked");
        }
    }

    pub(super) async fn remove(&self, id: &str) {
        let removed = match self.engine {
            Engine::Docker | Engine::Podman => self.ask(&["rm", "--force", "--volumes", id]).await,
            Engine::Apple => self.ask(&["delete", "--force", id]).await,
        };
        if let Err(error) = removed {
            tracing::warn!(%error, "a container stays until the next start");
        }
    }

    /// How a container ended; `None` where the engine does not say.
    pub(super) async fn ended(&self, id: &str) -> Option<Ended> {
        match self.engine {
            Engine::Docker | Engine::Podman => {
                let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}";
                read(&self.ask(&["inspect", "--format", format, id]).await.ok()?)
            }
            Engine::Apple => None,
        }
    }

    /// The program's own end. What never ran is an error, with what the client says about it.
    pub(super) fn end(
        &self,
        ended: Option<Ended>,
        client: End,
        stderr: &str,
    ) -> Result<End, Error> {
        let failed = |why: &str| {
            let engine = self.engine.program();
            Err(Error(format!("{engine} did not run the program: {}", why.trim())))
        };
        let code = match (ended, client) {
            (Some(Ended { ran: true, code, .. }), _) => code,
            (None, End::Exited(code)) if self.engine == Engine::Apple => code,
            (Some(_) | None, _) => return failed(stderr),
        };
        if code == 125 && stderr.trim_end().ends_with(NO_PROGRAM) {
            return failed(NO_PROGRAM);
        }
        Ok(if (129..=159).contains(&code) { End::Signalled(code - 128) } else { End::Exited(code) })
    }
}

fn read(told: &str) -> Option<Ended> {
    let mut words = told.split_whitespace();
    let ran = matches!(words.next()?, "exited" | "dead" | "stopped");
    let code = words.next()?.parse().ok()?;
    Some(Ended { ran, code, out_of_memory: words.next()? == "true" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_of_a_dead_container_is_read() {
        let ended = |ran, code, out_of_memory| Some(Ended { ran, code, out_of_memory });
        assert_eq!(read("exited 137 true\n"), ended(true, 137, true));
        assert_eq!(read("created 127 false"), ended(false, 127, false));
        assert_eq!(read("exited"), None);
        let docker = Client { engine: Engine::Docker, program: PathBuf::new(), env: Vec::new() };
        let end = |told: &str| docker.end(read(told), End::Exited(1), "why").ok();
        assert_eq!(end("exited 7 false"), Some(End::Exited(7)));
        assert_eq!(end("exited 137 false"), Some(End::Signalled(9)));
        assert_eq!(end("created 127 false"), None, "the client's own failure");
        assert_eq!(end(""), None, "and one that left no container");
    }
}
