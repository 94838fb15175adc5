//! The bot of the demo: `slipway serve` as a process, started, killed and started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(20);
/// Between two questions whether it is up.
const PAUSE: Duration = Duration::from_millis(10);

/// The bot.
#[derive(Debug)]
pub(super) struct Bot {
    program: PathBuf,
    directory: PathBuf,
    address: String,
    child: Option<Child>,
}

impl Bot {
    /// A bot with its configuration in `directory/slipway.toml`, to listen on `address`.
    pub(super) fn new(program: PathBuf, directory: &Path, address: String) -> Self {
        Self { program, directory: directory.to_owned(), address, child: None }
    }

    /// Starts the process and waits until it answers.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let log = self.directory.join("slipway.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        #[expect(clippy::disallowed_methods, reason = "an operator starts the bot; here, we do")]
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(self.directory.join("slipway.toml"))
            .arg("serve")
            .env_clear()
            .env("HOME", &self.directory)
            .env("PATH", crate::sandbox::SYSTEM_PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .kill_on_drop(true);
        self.child = Some(command.spawn().context("the bot does not start")?);
        let up = tokio::time::timeout(START_MAX, self.up()).await;
        up.unwrap_or_else(|_elapsed| bail!("the bot did not come up: {}", self.last_words()))
    }

    /// Waits until it answers, or reports that it ended.
    async fn up(&mut self) -> anyhow::Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{}/healthz", self.address);
        loop {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("the bot ended at once ({status}): {}", self.last_words());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.directory.join("slipway.log")).unwrap_or_default();
        crate::model::text::tail(log.trim(), 2_000).to_owned()
    }

    /// `kill -9`: whatever it was doing, it stops there.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }
}
