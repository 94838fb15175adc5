//! Everybody and everything a story needs: playground, people, bot, and a way to look on.

use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::args::{Demo, Hearing};
use super::bot::Bot;
use super::hostile;
use super::known::{self, Lines};
use super::stories::Story;
use super::thinker;
use crate::agent::scripted;
use crate::clock::{Clock, SystemClock};
use crate::github::CHECK_NAME;
use crate::model::RunId;
use crate::playground::seed::{Sample, sample};
use crate::playground::world::people::FilePush;
use crate::playground::world::{Actor, Method, QueueRule, RequiredCheck, World};
use crate::playground::{Config, Playground, Running, pages};
use crate::policy::POLICY_PATH;
use crate::store::{Entry, Snapshot, sqlite};

/// With webhooks that get lost, the slow safety nets must be quick enough to watch.
const LOOK_MS_MAX: u32 = 1_500;
const SWEEP_MS: u32 = 2_000;
/// As often as it is allowed.
const POLL_MS: u32 = 5_000;

/// The stage, set.
pub(super) struct Cast {
    pub(super) running: Running,
    pub(super) sample: Sample,
    pub(super) bot: Mutex<Bot>,
    pub(super) clock: SystemClock,
    address: String,
    directory: tempfile::TempDir,
    mark: String,
}

/// Where a person can look.
#[derive(Debug, Clone)]
pub(super) struct Links {
    pub(super) repository: String,
    pub(super) dashboard: String,
}

impl Cast {
    pub(super) async fn gather(
        demo: &Demo,
        story: &Story,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let clock = SystemClock;
        let now_ms = Arc::new(move || SystemClock.now().0);
        let seed = fastrand::u64(..);
        let running =
            Playground::start(Config { now_ms, seed, pages: Some(pages::router) }, tasks, stop)
                .await?;
        let from = demo.repo.as_deref();
        let sample = sample(&running, from).map_err(|error| anyhow::anyhow!(error.message))?;
        if from.is_some() {
            no_ci(&running, &sample)?;
        }
        if story.queue {
            queue(&running, &sample);
        }
        if story.signed {
            amend(&running, &sample, SIGNED)?;
        }
        if demo.thinker.is_some() {
            amend(&running, &sample, thinker::POLICY)?;
        }
        let directory = tempfile::Builder::new().prefix("slipway-demo-").tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let program = std::env::current_exe().context("our own program cannot be found")?;
        let mark = format!("{seed:016x}");
        let known = known::lines(demo, directory.path())?;
        let mut agent = match (known, &demo.agent) {
            (Some(lines), _) => lines,
            (None, Some(command)) => Lines::command(command)?,
            (None, None) if story.hostile => {
                Lines::command(&hostile::command(directory.path(), &running.base_url, &mark))?
            }
            (None, None) => Lines::command(&scripted_command(&program, story)?)?,
        };
        agent.rest.push_str(&thinker::lines(demo, directory.path())?);
        let lossy = demo.chaos.is_some();
        let hook = hook(demo.webhooks, &running.base_url, &address);
        let hearing = hearing(demo.webhooks, &hook);
        let place = Place {
            running: &running,
            sample: &sample,
            address: &address,
            lossy,
            own_agent: demo.agent.is_some() || story.hostile,
            hosts: &demo.allow_hosts,
            tools: demo.tools.as_deref(),
            hearing: &hearing,
        };
        place.configure(directory.path(), &program, &agent)?;
        running.world.set_webhook_url(sample.bot.id, &hook);
        if let Some(seed) = demo.chaos {
            running.world.mailbox(|mailbox| mailbox.chaos(seed));
            running.world.faults(|faults| faults.chaos(seed));
        }
        let mut bot = Bot::new(program, directory.path(), address.clone());
        bot.start().await?;
        let bot = Mutex::new(bot);
        Ok(Self { running, sample, bot, clock, address, directory, mark })
    }

    /// Where the bot keeps everything it has.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A word that only this story knows.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    pub(super) fn world(&self) -> &World {
        &self.running.world
    }

    pub(super) fn links(&self) -> Links {
        Links {
            repository: format!("{}/{}", self.running.base_url, self.sample.repo),
            dashboard: format!("http://{}/", self.address),
        }
    }

    /// The newest run, as the bot's own database has it.
    pub(super) async fn run(&self) -> anyhow::Result<Option<Snapshot>> {
        let client = sqlite::Client::open(&self.directory.path().join("slipway.db")).await?;
        let newest = client.runs(1).await?.pop();
        let snapshot = match newest {
            Some(row) => client.load(&row.run).await?,
            None => None,
        };
        client.close().await;
        Ok(snapshot)
    }

    /// What happened to `run`, as the bot's own database has it.
    pub(super) async fn timeline(&self, run: &RunId) -> anyhow::Result<Vec<Entry>> {
        let client = sqlite::Client::open(&self.directory.path().join("slipway.db")).await?;
        let timeline = client.timeline(run).await;
        client.close().await;
        Ok(timeline?)
    }

    /// Ends the bot; the playground ends with its token.
    pub(super) async fn leave(self) {
        if let Err(error) = self.bot.lock().await.kill().await {
            tracing::warn!(%error, "the bot is still there");
        }
    }

    /// Kills the bot in the middle of whatever it does, and starts it again.
    pub(super) async fn crash(&self, down: Duration) -> anyhow::Result<()> {
        let mut bot = self.bot.lock().await;
        bot.kill().await?;
        tokio::time::sleep(down).await;
        bot.start().await
    }
}

/// The branch gets a merge queue, and a rule that wants Slipway's own check.
fn queue(running: &Running, sample: &Sample) {
    let rule = QueueRule { method: Method::Squash, minutes: 60, ci: true };
    let ours =
        RequiredCheck { context: CHECK_NAME.to_owned(), integration_id: Some(sample.bot.id) };
    running.world.with(|state| {
        let repo = state.repos.get_mut(&sample.repo_id);
        if let Some(rules) = repo.and_then(|repo| repo.rules.get_mut("main")) {
            rules.queue = Some(rule);
            rules.required_checks.push(ours);
        }
    });
}

/// The policy asks for commits that GitHub makes and signs.
const SIGNED: (&str, &str) =
    ("commits: signed-by-github\n", "Let GitHub sign what Slipway commits");

/// The policy says more, and the commit why.
fn amend(running: &Running, sample: &Sample, (more, message): (&str, &str)) -> anyhow::Result<()> {
    let owner = Actor::User(sample.maintainer.id);
    let policy =
        running.world.with(|state| state.contents(&owner, &sample.repo, POLICY_PATH, None));
    let mut policy = policy.map_err(|error| anyhow::anyhow!(error.message))?;
    policy.extend_from_slice(more.as_bytes());
    let files = vec![(POLICY_PATH.to_owned(), Some(policy))];
    let push = FilePush { branch: "main", onto: None, files: &files, message };
    let pushed = running.world.push_files(sample.maintainer.id, &sample.repo, &push);
    pushed.map(drop).map_err(|error| anyhow::anyhow!(error.message))
}

/// A repository without CI and without a policy would wait ten minutes for a first check; its
/// copy gets a policy that says there is none.
fn no_ci(running: &Running, sample: &Sample) -> anyhow::Result<()> {
    let owner = Actor::User(sample.maintainer.id);
    let there = |path: &str| {
        running.world.with(|state| state.contents(&owner, &sample.repo, path, None).is_ok())
    };
    if [".playground/ci.json", "check.sh", POLICY_PATH].iter().any(|path| there(path)) {
        return Ok(());
    }
    let text = "allow_no_checks: true\nlimits:\n  ci_quiet_seconds: 0\n";
    let files = vec![(POLICY_PATH.to_owned(), Some(text.as_bytes().to_vec()))];
    let branch = running
        .world
        .with(|state| state.repos.get(&sample.repo_id).map(|repo| repo.default_branch.clone()));
    let branch = branch.context("the copy has no branch")?;
    let message = "Let Slipway merge without checks: there is no CI here";
    let push = FilePush { branch: &branch, onto: None, files: &files, message };
    let pushed = running.world.push_files(sample.maintainer.id, &sample.repo, &push);
    pushed.map(drop).map_err(|error| anyhow::anyhow!(error.message))
}

/// Where the playground sends webhooks.
fn hook(how: Hearing, playground: &str, bot: &str) -> String {
    match how {
        Hearing::Listen => format!("http://{bot}/webhook"),
        // Nobody is there.
        Hearing::Poll => "http://127.0.0.1:9/webhook".to_owned(),
        Hearing::Relay => format!("{playground}/relay/demo"),
    }
}

/// What the bot's configuration says about them.
fn hearing(how: Hearing, hook: &str) -> String {
    match how {
        Hearing::Listen => String::new(),
        Hearing::Poll => "webhooks = 'poll'\n".to_owned(),
        Hearing::Relay => format!("webhooks = 'relay'\nrelay_url = '{hook}'\n"),
    }
}

/// What the bot is told.
pub(super) struct Place<'a> {
    pub(super) running: &'a Running,
    pub(super) sample: &'a Sample,
    pub(super) address: &'a str,
    /// Webhooks get lost.
    pub(super) lossy: bool,
    /// The agent is somebody's own: nobody knows what it does.
    pub(super) own_agent: bool,
    /// What the agent may reach.
    pub(super) hosts: &'a [String],
    /// Where its program may be, beside the system's directories.
    pub(super) tools: Option<&'a str>,
    /// How it hears of what happens.
    pub(super) hearing: &'a str,
}

impl Place<'_> {
    /// Writes what an operator would write, readable for nobody else.
    pub(super) fn configure(
        &self,
        directory: &Path,
        program: &Path,
        agent: &Lines,
    ) -> anyhow::Result<()> {
        let key = self.running.world.app_pem(self.sample.bot.id).context("the App has no key")?;
        private(&directory.join("key.pem"), &key)?;
        let secret = &self.sample.bot.webhook_secret;
        let mut tools = program.parent().unwrap_or(program).display().to_string();
        if let Some(more) = self.tools {
            tools = format!("{tools}:{more}");
        }
        let home = directory.display();
        let nets = if self.lossy {
            format!("look_ms_max = {LOOK_MS_MAX}\nsweep_ms = {SWEEP_MS}\n")
        } else {
            String::new()
        };
        let text = format!(
            "app_id = {app}\n\
             private_key_file = '{home}/key.pem'\n\
             webhook_secret = '{secret}'\n\
             database = '{home}/slipway.db'\n\
             work_dir = '{home}/work'\n\
             listen = '{listen}'\n\
             public_url = 'http://{listen}'\n\
             github_url = '{github}'\n\
             tools = '{tools}'\n\
             sandbox_level_min = {level_min}\n\
             {hearing}\
             {top}\
             [limits]\n\
             poll_ms = {POLL_MS}\n\
             {nets}\
             [[agents]]\n\
             name = 'demo'\n\
             {own}\
             at_once_max = 2\n\
             hosts = {hosts}\n\
             {rest}",
            app = self.sample.bot.id,
            listen = self.address,
            hearing = self.hearing,
            github = self.running.base_url,
            top = agent.top,
            own = agent.agent,
            rest = agent.rest,
            hosts = serde_json::to_string(self.hosts)?,
            // The scripted agent is ours, so it may run where nothing holds it.
            level_min = if self.own_agent { crate::sandbox::LEVEL_MIN } else { 0 },
        );
        private(&directory.join("slipway.toml"), &text)
    }
}

pub(super) fn private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// Our own binary as an agent, its script in the command line of the shell that starts it.
fn scripted_command(program: &Path, story: &Story) -> anyhow::Result<String> {
    let script = serde_json::to_string(&story.script)?;
    let (script, program) = (quoted(&script), quoted(&program.display().to_string()));
    let variable = scripted::SCRIPT_VARIABLE;
    Ok(format!("{variable}={script} exec {program} {}", scripted::SUBCOMMAND))
}

/// One word for a POSIX shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
