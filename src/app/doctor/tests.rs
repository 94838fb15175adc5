//! The whole report, with the playground as GitHub: every line that can fail does once.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::machine::{Barrier, Base};
use super::*;
use crate::app::manifest::{self, Wish};
use crate::config::{self, Layer};
use crate::model::Millis;
use crate::playground::world::manifests::Manifest;
use crate::playground::world::{App, Level, State, User};
use crate::playground::{self, Playground, Running};

/// A machine with a GitHub, an App made by our manifest, and somebody who takes deliveries.
struct Clinic {
    github: Running,
    app: App,
    owner: User,
    installation: u64,
    receiver: String,
    answer: Arc<AtomicU16>,
    directory: tempfile::TempDir,
    stop: CancellationToken,
}

/// A clock that goes wrong by so much.
struct Wrong(i64);

#[async_trait::async_trait]
impl Clock for Wrong {
    fn now(&self) -> Millis {
        SystemClock.now().plus(self.0)
    }

    async fn sleep_until(&self, until: Millis) {
        SystemClock.sleep_until(until.plus(-self.0)).await;
    }
}

async fn receiver(tasks: &TaskTracker, stop: &CancellationToken) -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(AtomicU16::new(202));
    let given = Arc::clone(&answer);
    let take = move || async move { StatusCode::from_u16(given.load(Ordering::SeqCst)).unwrap() };
    let router = axum::Router::new().fallback(take);
    let ended = stop.clone().cancelled_owned();
    tasks.spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(ended).await.unwrap();
    });
    (receiver, answer)
}

impl Clinic {
    async fn open() -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let now_ms = Arc::new(|| SystemClock.now().0);
        let config = playground::Config { now_ms, seed: 7, pages: None };
        let github = Playground::start(config, &tasks, &stop).await.unwrap();
        let (receiver, answer) = receiver(&tasks, &stop).await;
        let owner = github.world.add_user("mara");
        let repo = github.add_repo(&owner, "greet", "main", None).unwrap();
        let wish = Wish {
            name: "slipway",
            public_url: Some(&receiver),
            web: &github.base_url,
            redirect_url: "http://127.0.0.1:9/back",
        };
        let manifest = Manifest::parse(&manifest::render(&wish)).unwrap();
        let code = github.world.register_app(&manifest, "slipway", owner.id).unwrap();
        let app = github.world.with(|state| state.take_code(&code)).unwrap();
        let installation = github.world.install(app.id, &owner, &[repo]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let pem = github.world.app_pem(app.id).unwrap();
        std::fs::write(directory.path().join("key.pem"), pem).unwrap();
        let clinic = Self { github, app, owner, installation, receiver, answer, directory, stop };
        clinic.delivered().await;
        clinic
    }

    /// Waits until nothing is on its way any more.
    async fn delivered(&self) {
        for _ in 0..2_000 {
            let pending = |one: &playground::mailbox::Logged| one.status == "pending";
            if !self.github.world.mailbox(|mailbox| mailbox.log().any(pending)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a delivery was never answered");
    }

    fn text(&self) -> String {
        let home = self.directory.path().display();
        format!(
            "app_id = {}\nprivate_key_file = '{home}/key.pem'\nwebhook_secret = '{}'\n\
             database = '{home}/slipway.db'\nwork_dir = '{home}/work'\n\
             sandbox = 'process'\nsandbox_level_min = 0\ngithub_url = '{}'\n",
            self.app.id, self.app.webhook_secret, self.github.base_url,
        )
    }

    fn settings(&self, text: &str) -> Result<Settings, ConfigError> {
        let path = self.directory.path().join("slipway.toml");
        std::fs::write(&path, text).unwrap();
        config::load(Some(&path), |_| None, Layer::default())
    }

    /// The report on a configuration with `more` at its end.
    async fn report(&self, more: &str) -> String {
        let text = format!("{}{more}", self.text());
        examine(self.settings(&text), Arc::new(SystemClock)).await.text()
    }

    /// The same on a machine with room and a git of our choice, without what differs each time.
    async fn stable(&self, more: &str) -> String {
        let settings = self.settings(&format!("{}{more}", self.text())).unwrap();
        let mut case = Case::look(settings, Arc::new(SystemClock)).await;
        case.machine.git = Ok("git version 2.47.3".to_owned());
        for room in &mut case.machine.rooms {
            room.free_kib = Ok(50 << 20);
        }
        let lines = CHECKS.iter().flat_map(|check| check(&case)).collect();
        let home = self.directory.path().display().to_string();
        let text = Report::of(lines).text().replace(&home, "/srv");
        let text = text.replace(&self.github.base_url, "https://ghe.example.com");
        let text = text.replace(&self.receiver, "https://s.example.com");
        text.replace(&format!("App {}", self.app.id), "App 1")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.github.world.with(change);
    }

    fn app_mut<'a>(&self, state: &'a mut State) -> &'a mut App {
        state.apps.get_mut(&self.app.id).unwrap()
    }
}

const AGENT: &str = "[[agents]]\nname = 'me'\ncommand = 'exec sh -c true'\n";

#[tokio::test]
async fn a_healthy_slipway_is_told_so() {
    let clinic = Clinic::open().await;
    let more = format!("public_url = '{}'\n{AGENT}", clinic.receiver);
    let settings = clinic.settings(&format!("{}{more}", clinic.text()));
    let report = examine(settings, Arc::new(SystemClock)).await;
    assert!(report.ok(), "{}", report.text());
    insta::assert_snapshot!(clinic.stable(&more).await, @r"
    ok    configuration: App 1, key and secret are set
    ok    github: https://ghe.example.com/api/v3 answers, Enterprise Server 3.19.0
    ok    clock: goes as GitHub's
    ok    key: GitHub knows us as slipway (App 1)
    ok    permissions: the App has all it needs
    ok    events: the App hears of all it acts on
    ok    installations: mara: 1 repository
    ok    webhook: GitHub delivers to https://s.example.com/webhook, signed
    ok    deliveries: the last one (installation.created, just now) was answered 202
    ok    git: git version 2.47.3
    warn  sandbox: level 0: process group with limits, no protection of files or network
          → run nothing else on this machine, or install bubblewrap and set sandbox_level_min = 3
    ok    agents: me: sh is found; hosts: nothing
    ok    database: /srv/slipway.db will be made
    ok    disk: work_dir: 50 GiB free at /srv/work
    ok    disk: database: 50 GiB free at /srv
    ok    pages: http://127.0.0.1:8080/, on this machine alone

    nothing fails, 1 to look at
    ");
    clinic.stop.cancel();
}

#[tokio::test]
async fn what_was_made_but_not_finished_is_told_step_by_step() {
    let clinic = Clinic::open().await;
    clinic.change(|state| {
        state.installations.clear();
        state.mailbox = playground::mailbox::Mailbox::default();
    });
    insta::assert_snapshot!(clinic.stable("").await, @r"
    ok    configuration: App 1, key and secret are set
    ok    github: https://ghe.example.com/api/v3 answers, Enterprise Server 3.19.0
    ok    clock: goes as GitHub's
    ok    key: GitHub knows us as slipway (App 1)
    ok    permissions: the App has all it needs
    ok    events: the App hears of all it acts on
    FAIL  installations: the App is installed nowhere
          → choose repositories at https://ghe.example.com/apps/slipway/installations/new
    ok    webhook: GitHub delivers to https://s.example.com/webhook, signed
    warn  deliveries: GitHub has delivered nothing yet
          → comment on an issue of an installed repository while Slipway serves, and look again
    ok    git: git version 2.47.3
    warn  sandbox: level 0: process group with limits, no protection of files or network
          → run nothing else on this machine, or install bubblewrap and set sandbox_level_min = 3
    FAIL  agents: none is configured
          → add [[agents]] with name and command to the configuration file, or set SLIPWAY_AGENT
    ok    database: /srv/slipway.db will be made
    ok    disk: work_dir: 50 GiB free at /srv/work
    ok    disk: database: 50 GiB free at /srv
    ok    pages: http://127.0.0.1:8080/, on this machine alone

    2 fail, 2 to look at
    ");
    clinic.stop.cancel();
}

fn says(report: &str, lines: &[&str]) {
    for line in lines {
        assert!(report.contains(line), "{line:?} is not in\n{report}");
    }
    for (at, line) in report.lines().enumerate().filter(|(_, line)| line.starts_with("FAIL")) {
        let next = report.lines().nth(at + 1).unwrap_or_default();
        assert!(next.starts_with("      → ") && next.len() > 20, "what to do? {line}");
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_the_first_thing_said() {
    let clinic = Clinic::open().await;
    let broken = examine(clinic.settings("app_id = 'x'\n"), Arc::new(SystemClock)).await.text();
    says(&broken, &["FAIL  configuration: ", "line 1, column 10", "\n1 fail, 0 to look at"]);
    let without = examine(clinic.settings(""), Arc::new(SystemClock)).await.text();
    says(&without, &["FAIL  configuration: app_id: it is not set", "slipway setup", "ok    git: "]);
    assert!(!without.contains("key: "), "nothing to ask with: {without}");
    let lost = clinic.text().replace(&clinic.github.base_url, "http://127.0.0.1:1");
    let lost = examine(clinic.settings(&lost), Arc::new(SystemClock)).await.text();
    says(&lost, &["FAIL  github: http://127.0.0.1:1/api/v3 does not answer"]);
    clinic.stop.cancel();
}

#[tokio::test]
async fn a_clock_that_goes_wrong_and_a_key_that_is_not_ours_are_told_apart() {
    let clinic = Clinic::open().await;
    let at = |ms: i64| examine(clinic.settings(&clinic.text()), Arc::new(Wrong(ms)));
    let late = at(-45_000).await.text();
    says(&late, &["warn  clock: 4", "s behind GitHub's", "timedatectl"]);
    says(&at(600_000).await.text(), &["FAIL  clock: ", "s ahead of GitHub's"]);
    let other =
        clinic.github.world.add_app(&playground::world::setup::NewApp::bot("x", clinic.owner.id));
    let other = clinic.github.world.app_pem(other.unwrap().id).unwrap();
    let key = clinic.directory.path().join("key.pem");
    std::fs::write(&key, other).unwrap();
    let report = clinic.report("").await;
    says(&report, &["FAIL  key: GitHub does not accept it for App", "generate a new private key"]);
    assert!(!report.contains("permissions: "), "an unknown App is not judged: {report}");
    let word = "PRIVATE KEY";
    std::fs::write(&key, format!("-----BEGIN {word}-----\nAAAA\n-----END {word}-----\n")).unwrap();
    says(&clinic.report("").await, &["FAIL  key: ", "use the .pem file that GitHub gave you"]);
    clinic.stop.cancel();
}

#[tokio::test]
async fn permissions_and_events_are_compared_with_the_manifest() {
    let clinic = Clinic::open().await;
    clinic.change(|state| {
        let app = clinic.app_mut(state);
        app.permissions.remove("checks");
        app.permissions.insert("contents".to_owned(), Level::Read);
        app.permissions.insert("administration".to_owned(), Level::Write);
        app.events.remove("issue_comment");
        app.events.insert("fork".to_owned());
    });
    says(
        &clinic.report("").await,
        &[
            "FAIL  permissions: the App lacks checks: write, contents: write",
            "/settings/apps/slipway/permissions, then accept",
            "warn  permissions: the App has more than it needs: administration: write",
            "FAIL  events: the App does not hear of issue_comment",
            "warn  events: nobody acts on fork",
        ],
    );
    clinic.stop.cancel();
}

#[tokio::test]
async fn each_installation_is_looked_at() {
    let clinic = Clinic::open().await;
    let world = &clinic.github.world;
    world.install(clinic.app.id, &world.add_user("rio"), &[]).unwrap();
    let asleep = world.install(clinic.app.id, &world.add_user("otto"), &[]).unwrap();
    world.suspend(asleep, true).unwrap();
    clinic.change(|state| {
        let granted = &mut state.installations.get_mut(&clinic.installation).unwrap().permissions;
        granted.remove("checks");
        granted.insert("issues".to_owned(), Level::Read);
    });
    says(
        &clinic.report("").await,
        &[
            "FAIL  installations: mara: not granted yet: checks: write, issues: write",
            "let its owner accept them at http://127.0.0.1",
            "warn  installations: rio: no repository",
            "FAIL  installations: otto: suspended",
        ],
    );
    clinic.stop.cancel();
}

#[tokio::test]
async fn deliveries_that_fail_are_told_with_what_usually_helps() {
    let clinic = Clinic::open().await;
    let suspended = |state: bool| {
        clinic.github.world.suspend(clinic.installation, state).unwrap();
    };
    clinic.answer.store(401, Ordering::SeqCst);
    suspended(true);
    clinic.delivered().await;
    let refused = clinic.report("").await;
    says(&refused, &["FAIL  deliveries: the last one (installation.suspend", "failed: 401"]);
    says(&refused, &["make webhook_secret and the secret on the App's page the same"]);
    clinic.answer.store(202, Ordering::SeqCst);
    suspended(false);
    clinic.delivered().await;
    says(&clinic.report("").await, &["was answered 202; 1 of the last 3 failed"]);
    clinic.github.world.set_webhook_url(clinic.app.id, "http://127.0.0.1:1/hooks");
    suspended(true);
    clinic.delivered().await;
    let report = clinic.report("public_url = 'https://s.example.com'\n").await;
    says(&report, &["FAIL  webhook: GitHub delivers to http://127.0.0.1:1/hooks, where we do not"]);
    says(&report, &["warn  webhook: ", "https://s.example.com/webhook", "warn  pages: comments"]);
    says(&report, &["FAIL  deliveries: ", "failed to connect", "see that Slipway serves"]);
    clinic.change(|state| clinic.app_mut(state).webhook_url = None);
    says(&clinic.report("").await, &["warn  webhook: the App has no address to deliver to"]);
    clinic.stop.cancel();
}

#[tokio::test]
async fn what_is_wrong_with_this_machine_is_told() {
    let clinic = Clinic::open().await;
    let agents = "[[agents]]\nname = 'gone'\ncommand = 'A=1 no-such-agent -p'\n\
                  [[agents]]\nname = 'odd'\ncommand = '$HOME/agent'\n";
    std::fs::write(clinic.directory.path().join("slipway.db"), "not a database").unwrap();
    let more = format!("dashboard_token = 'short'\n{agents}");
    says(
        &clinic.report(&more).await,
        &[
            "FAIL  agents: gone: the sandbox finds no program no-such-agent",
            "warn  agents: odd: only a shell can tell",
            "FAIL  database: ",
            "warn  sandbox: level 0: process group with limits",
            "warn  pages: the dashboard token can be guessed",
        ],
    );
    let settings = clinic.settings(&clinic.text()).unwrap();
    let mut case = Case::look(settings, Arc::new(SystemClock)).await;
    case.machine.git = Err(crate::git::Error::Local("git version 2.20 is too old".to_owned()));
    case.machine.barrier =
        Barrier::Refused("there is no sandbox: no bwrap; install bubblewrap".to_owned());
    case.machine.base = Base::Broken("it is elsewhere".to_owned());
    for room in &mut case.machine.rooms {
        room.free_kib = Ok(7);
    }
    let late = "'Issued at' claim ('iat') must be in the past".to_owned();
    case.about = Some(Err(crate::github::Error::Forbidden(late)));
    let lines = CHECKS.iter().flat_map(|check| check(&case)).collect();
    says(
        &Report::of(lines).text(),
        &[
            "FAIL  key: GitHub does not believe the time we claim",
            "FAIL  git: ",
            "install git 2.39.1 or newer",
            "FAIL  sandbox: there is no sandbox: no bwrap",
            "FAIL  database: it is elsewhere",
            "FAIL  disk: work_dir: 7 KiB free",
            "FAIL  agents: none is configured",
        ],
    );
    let mut protection = crate::sandbox::Protection::none("bubblewrap");
    protection.level = 3;
    let one = ("Landlock: off".to_owned(), "use a newer kernel".to_owned());
    protection.missing.push(crate::sandbox::Missing { what: one.0, next: one.1 });
    case.machine.barrier = Barrier::Chosen(protection, None);
    let report = Report::of(sandbox::check(&case));
    assert!(report.ok(), "a layer less is not the boundary");
    says(&report.text(), &["ok    sandbox: level 3", "Landlock: off", "a newer kernel"]);
    clinic.stop.cancel();
}

#[tokio::test]
async fn the_report_holds_no_secret() {
    let clinic = Clinic::open().await;
    let url = format!("http://{}.example.com/webhook", clinic.app.webhook_secret);
    clinic.github.world.set_webhook_url(clinic.app.id, &url);
    let settings = clinic.settings(&clinic.text());
    let report = examine(settings, Arc::new(SystemClock)).await;
    let (text, json) = (report.text(), report.json().unwrap());
    for told in [text, json] {
        assert!(told.contains("[hidden].example.com"), "{told}");
        assert!(!told.contains(&clinic.app.webhook_secret), "{told}");
    }
    clinic.stop.cancel();
}
