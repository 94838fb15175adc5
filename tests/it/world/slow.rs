//! A known agent that works as slowly as a test wants: each part of what it says waits for leave.

use std::sync::Arc;

use async_trait::async_trait;
use slipway::agent::Kind;
use slipway::agent::profile::Catalogue;
use slipway::agent::profiled::Profiled;
use slipway::sandbox::fake::Directories;
use slipway::sandbox::{Ear, End, Error, Invocation, Protection, Purpose, Sandbox, Transcript};
use slipway::worker::Settings;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::plan::Plan;

/// How such an agent is started.
const PROFILE: &str = "[agent.slow]\ndialect = 'opencode_run'\nargv = ['slow']\nprompt = 'stdin'\n";

/// What it says, part by part, and in the end to standard error.
#[derive(Debug, Clone)]
pub(crate) struct Slow {
    pub(crate) parts: Vec<String>,
    pub(crate) errors: String,
}

/// A sandbox in which it runs; whatever else runs there is as it was.
struct Paced {
    port: Arc<dyn Sandbox>,
    slow: Slow,
    /// One permit for each part.
    gate: Arc<Semaphore>,
    directories: Directories,
}

#[async_trait]
impl Sandbox for Paced {
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn Ear,
    ) -> Result<Transcript, Error> {
        if invocation.purpose != Purpose::Agent {
            return self.port.run_heard(invocation, cancel, ear).await;
        }
        let mut stdout = String::new();
        for part in &self.slow.parts {
            let leave = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                leave = self.gate.acquire() => Some(leave.expect("nobody closes it")),
            };
            let Some(leave) = leave else {
                let stderr = self.slow.errors.clone();
                return Ok(Transcript { end: End::Cancelled, stdout, stderr });
            };
            leave.forget();
            stdout.push_str(part);
            drop(ear.hear(part.as_bytes()));
        }
        let mut directories = self.directories.lock().expect("nobody panicked");
        let files = directories.get_mut(&invocation.workspace).expect("a workspace");
        files.insert("feature.txt".to_owned(), "a feature\n".to_owned());
        Ok(Transcript { end: End::Exited(0), stdout, stderr: self.slow.errors.clone() })
    }

    /// Known agents are started behind one that protects.
    fn protection(&self) -> Protection {
        let mechanism = "a test's".to_owned();
        Protection { level: 3, mechanism, layers: Vec::new(), missing: Vec::new() }
    }
}

impl Plan {
    /// The agent is a known one that says this, and writes the feature in the end.
    pub(crate) fn slow(mut self, parts: &[&str], errors: &str) -> Self {
        let parts = parts.iter().map(|part| format!("{part}\n")).collect();
        self.slow = Some(Slow { parts, errors: errors.to_owned() });
        self
    }

    /// What agents say is kept for so long.
    pub(crate) fn keeps_streams(mut self, ms: i64) -> Self {
        self.limits.stream_ms_max = ms;
        self
    }

    /// The sandbox in which the agent of the plan runs.
    pub(super) fn paced(
        &self,
        port: Arc<dyn Sandbox>,
        gate: &Arc<Semaphore>,
        directories: &Directories,
    ) -> Arc<dyn Sandbox> {
        let Some(slow) = self.slow.clone() else { return port };
        let (gate, directories) = (Arc::clone(gate), Arc::clone(directories));
        Arc::new(Paced { port, slow, gate, directories })
    }

    /// The settings with the agent of the plan.
    pub(super) fn known(&self, mut settings: Settings) -> Settings {
        if self.slow.is_some() {
            let all = Catalogue::with(PROFILE).expect("a profile");
            let profile = all.get("slow").expect("it is there").clone();
            let (models, fallbacks) = (Vec::new(), Vec::new());
            let known = Profiled { profile, provider: None, models, key: None, fallbacks };
            settings.agents[0].kind = Kind::Profiled(Box::new(known));
            settings.agents[0].name = "slow".to_owned();
        }
        settings
    }
}
