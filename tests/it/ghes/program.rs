//! The program that ships, as a process, beside an Enterprise Server: TLS, real git, one story.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use slipway::agent::scripted::{Edit, SCRIPT_VARIABLE, SUBCOMMAND, Script};
use slipway::clock::{Clock, SystemClock};
use slipway::playground::seed::{Sample, sample};
use slipway::playground::world::{Actor, Pull, ReviewState};
use slipway::playground::{Config, Playground, Running};
use tokio::process::Child;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Authority, HERE, Served};

/// A story that takes longer has failed.
const STORY_MAX: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(25);
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_slipway");

/// A company: its GitHub, its people, and our program in one corner of its network.
pub(super) struct Company {
    pub(super) served: Served,
    running: Running,
    sample: Sample,
    directory: tempfile::TempDir,
    listen: String,
    _stop: DropGuard,
}

impl Company {
    pub(super) async fn found() -> Self {
        let stop = CancellationToken::new();
        let now_ms = Arc::new(|| SystemClock.now().0);
        let config = Config { now_ms, seed: fastrand::u64(..), pages: None };
        let running = Playground::start(config, &TaskTracker::new(), &stop).await.unwrap();
        let sample = sample(&running, None).unwrap();
        let served = Served::start(&running.world, Authority::shared().server(HERE));
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let listen = free.local_addr().unwrap().to_string();
        running.world.set_webhook_url(sample.bot.id, &format!("http://{listen}/webhook"));
        let directory = tempfile::tempdir().unwrap();
        let stop = stop.drop_guard();
        let company = Self { served, running, sample, directory, listen, _stop: stop };
        company.configure();
        company
    }

    /// What an operator writes.
    fn configure(&self) {
        let home = self.directory.path();
        let key = self.running.world.app_pem(self.sample.bot.id).unwrap();
        std::fs::write(home.join("key.pem"), key).unwrap();
        std::fs::write(home.join("ca.pem"), Authority::shared().pem()).unwrap();
        let mut text = String::new();
        let place = home.display();
        for (key, value) in [
            ("private_key_file", format!("{place}/key.pem")),
            ("ca_file", format!("{place}/ca.pem")),
            ("webhook_secret", self.sample.bot.webhook_secret.clone()),
            ("database", format!("{place}/slipway.db")),
            ("work_dir", format!("{place}/work")),
            ("listen", self.listen.clone()),
            ("github_url", self.served.url.clone()),
            ("tools", Path::new(PROGRAM).parent().unwrap().display().to_string()),
        ] {
            writeln!(text, "{key} = '{value}'").unwrap();
        }
        let command = serde_json::to_string(&agent()).unwrap();
        let app = self.sample.bot.id;
        let text = format!("app_id = {app}\n{text}[[agents]]\nname = 'own'\ncommand = {command}\n");
        std::fs::write(home.join("slipway.toml"), text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the program, or `wrapper` around it.
    pub(super) fn start(&self, wrapper: &[&str]) -> Bot {
        let log = std::fs::File::create(self.path("slipway.log")).unwrap();
        let mut words = wrapper.iter().copied().chain([PROGRAM]);
        #[expect(clippy::disallowed_methods, reason = "this test is about the program")]
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg("--config").arg(self.path("slipway.toml")).arg("serve");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut command = tokio::process::Command::from(command);
        Bot { child: command.kill_on_drop(true).spawn().unwrap(), wrapped: !wrapper.is_empty() }
    }

    /// An issue, a command, an approval, and the pull request when it is merged.
    pub(super) async fn story(&self, bot: &mut Bot) -> Pull {
        self.up(bot).await;
        let (world, repo) = (&self.running.world, &self.sample.repo);
        let mara = self.sample.maintainer.id;
        let issue = world.open_issue(mara, repo, "Add notes", "Please.").unwrap();
        world.comment(mara, repo, issue.number, "/go").unwrap();
        let mut approved = String::new();
        let told = tokio::time::timeout(STORY_MAX, async {
            loop {
                let pull = self.pull();
                if let Some(pull) = pull.filter(|pull| pull.head_sha != approved || pull.merged) {
                    if pull.merged && !self.is_open(issue.number) {
                        return pull;
                    }
                    if !pull.merged {
                        let verdict = (ReviewState::Approved, "");
                        world.review(self.sample.reviewer.id, repo, pull.number, verdict).unwrap();
                        approved = pull.head_sha;
                    }
                }
                assert!(bot.is_alive(), "it ended: {}", self.words());
                tokio::time::sleep(PAUSE).await;
            }
        });
        told.await.unwrap_or_else(|_| panic!("nothing was merged: {}", self.words()))
    }

    pub(super) async fn up(&self, bot: &mut Bot) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/healthz", self.listen);
        for _ in 0..2_000 {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(bot.is_alive(), "it ended: {}", self.words());
            tokio::time::sleep(PAUSE).await;
        }
        panic!("it does not come up: {}", self.words());
    }

    /// The number of our App.
    pub(super) fn app(&self) -> u64 {
        self.sample.bot.id
    }

    /// Writes another key in place of one of the configuration.
    pub(super) fn says(&self, instead_of: &str, key: &str, value: &Path) {
        let file = self.path("slipway.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some((name, _)) if name == instead_of => format!("{key} = '{}'\n", value.display()),
            Some(_) | None => format!("{line}\n"),
        });
        std::fs::write(&file, lines.collect::<String>()).unwrap();
    }

    /// Somebody says something, so that the program has to ask GitHub.
    pub(super) fn sweep(&self) {
        let (world, mara) = (&self.running.world, self.sample.maintainer.id);
        let issue = world.open_issue(mara, &self.sample.repo, "A word", "Please.").unwrap();
        world.comment(mara, &self.sample.repo, issue.number, "/go").unwrap();
    }

    fn pull(&self) -> Option<Pull> {
        let repo = self.sample.repo_id;
        self.running.world.with(|state| state.repos[&repo].pulls.values().next().cloned())
    }

    fn is_open(&self, issue: u64) -> bool {
        let repo = self.sample.repo_id;
        self.running.world.with(|state| state.repos[&repo].issues[&issue].open)
    }

    /// The end of the program's log.
    pub(super) fn words(&self) -> String {
        let log = std::fs::read_to_string(self.path("slipway.log")).unwrap_or_default();
        log.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect::<String>()
    }

    pub(super) async fn metrics(&self) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://{}/metrics", self.listen)).send().await;
        answer.unwrap().text().await.unwrap()
    }

    /// A file of the default branch.
    pub(super) fn file(&self, path: &str) -> Option<String> {
        let owner = Actor::User(self.sample.maintainer.id);
        let read =
            self.running.world.with(|state| state.contents(&owner, &self.sample.repo, path, None));
        read.ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What was said, by anybody.
    pub(super) fn comments(&self) -> Vec<String> {
        let repo = self.sample.repo_id;
        self.running.world.with(|state| {
            state.repos[&repo].comments.values().map(|said| said.body.clone()).collect()
        })
    }

    /// Operations the program called, git's among them.
    pub(super) fn called(&self, operation: &str) -> usize {
        let journal = self.running.world.journal();
        let ours = journal.iter().filter(|call| call.actor == self.sample.bot.slug);
        ours.filter(|call| call.operation == operation).count()
    }
}

/// The program at work.
pub(super) struct Bot {
    child: Child,
    /// It is the only child of another program, which ends with it.
    wrapped: bool,
}

impl Bot {
    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its number.
    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Ends it as a service manager does, and waits for that.
    pub(super) async fn end(mut self) {
        self.signal("TERM");
        let ended = tokio::time::timeout(STORY_MAX, self.child.wait()).await;
        ended.expect("it ends in time").unwrap();
    }

    fn signal(&self, name: &str) {
        let Some(outer) = self.child.id() else { return };
        let list = format!("/proc/{outer}/task/{outer}/children");
        let inner = std::fs::read_to_string(list).unwrap_or_default();
        let id = if self.wrapped { inner.trim().to_owned() } else { outer.to_string() };
        if !id.is_empty() {
            #[expect(clippy::disallowed_methods, reason = "this test is about the program")]
            let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
            assert!(sent.is_ok());
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        if self.wrapped && self.is_alive() {
            self.signal("KILL");
        }
    }
}

/// Our own binary, playing the agent.
fn agent() -> String {
    let say = |text: &str| Edit::Say(text.to_owned());
    let notes = Edit::Write { path: "NOTES.md".to_owned(), text: "Notes.\n".to_owned() };
    let script = Script {
        planner: vec![vec![say("1. Write `NOTES.md`.")]],
        builder: vec![vec![notes, say("Wrote `NOTES.md`.")]],
        ..Script::default()
    };
    let script = serde_json::to_string(&script).unwrap().replace('\'', "'\\''");
    format!("{SCRIPT_VARIABLE}='{script}' exec '{PROGRAM}' {SUBCOMMAND}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_becomes_a_merge_with_everything_over_https() {
    let company = Company::found().await;
    let mut bot = company.start(&[]);
    let pull = company.story(&mut bot).await;
    bot.end().await;
    assert!(pull.merged);
    assert!(company.called("git/fetch") > 0 && company.called("git/push") > 0, "git was there");
    let log = company.served.log();
    assert!(log.findings.is_empty(), "{:#?}", log.findings);
    assert_eq!(log.turned_away, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_cannot_be_read_is_named_at_the_start() {
    let company = Company::found().await;
    std::fs::remove_file(company.path("ca.pem")).unwrap();
    let ended = company.start(&[]).child.wait().await.unwrap();
    assert!(!ended.success());
    let words = company.words();
    assert!(words.contains("ca_file") && words.contains("check the path"), "{words}");
}
