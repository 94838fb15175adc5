//! From nothing to a working App: `slipway setup`, `doctor` and `serve` as processes, with the
//! playground as GitHub and an HTTP client as the person's browser.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use slipway::clock::{Clock, SystemClock};
use slipway::playground::{Config, Playground, Running, pages};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A program that is ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may be over already.
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A person's machine: a home, and nothing in the environment that speaks of Slipway.
struct Machine {
    home: tempfile::TempDir,
    port: u16,
}

impl Machine {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { home: tempfile::tempdir().unwrap(), port }
    }

    #[expect(clippy::disallowed_methods, reason = "this test is about the program as a process")]
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
        command.args(args).env_clear().env("HOME", self.home.path());
        command.env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(".config/slipway").join(name)
    }

    /// `doctor --json` as it ends, with an agent in the environment.
    fn doctor(&self) -> (bool, Value) {
        let output = self.command(&["doctor", "--json"]).env("SLIPWAY_AGENT", "true").output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), serde_json::from_str(&text).unwrap())
    }
}

fn finding(report: &Value, name: &str) -> (String, String) {
    let checks = report["checks"].as_array().unwrap();
    let one = checks.iter().find(|check| check["name"] == name);
    let one = one.unwrap_or_else(|| panic!("no check {name} in {report}"));
    (one["status"].as_str().unwrap().to_owned(), one["finding"].as_str().unwrap().to_owned())
}

async fn github(stop: &CancellationToken) -> Running {
    let now_ms = Arc::new(|| SystemClock.now().0);
    let config = Config { now_ms, seed: fastrand::u64(..), pages: Some(pages::router) };
    Playground::start(config, &TaskTracker::new(), stop).await.unwrap()
}

fn plain(html: &str) -> String {
    html.replace("&quot;", "\"").replace("&amp;", "&")
}

fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    html.split_once(before).unwrap().1.split_once(after).unwrap().0
}

/// A form as a browser sends it.
fn filled(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(text)
}

/// Does what a person does: opens the address, presses the button there and the one on GitHub.
async fn click_through(url: &str, github: &str) -> String {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    let client = client.tls_certs_only(std::iter::empty()).build().unwrap();
    let first = client.get(url).send().await.unwrap();
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let cookie = cookie.to_owned();
    let html = plain(&first.text().await.unwrap());
    let action = between(&html, "method=\"post\" action=\"", "\"").to_owned();
    assert!(action.starts_with(&format!("{github}/settings/apps/new?state=")), "{action}");
    let manifest = between(&html, "name=\"manifest\" value=\"", "\"><button").to_owned();
    let page = filled(client.post(&action), &[("manifest", &manifest)]).send().await.unwrap();
    let html = plain(&page.text().await.unwrap());
    let state = between(&html, "name=\"state\" value=\"", "\"");
    let form = [
        ("manifest", manifest.as_str()),
        ("state", state),
        ("owner", "mara"),
        ("name", "My Slipway"),
    ];
    let button = client.post(format!("{github}/settings/apps/manifest"));
    let made = filled(button.header("origin", github), &form).send().await.unwrap();
    let back = made.headers()["location"].to_str().unwrap().to_owned();
    let done = client.get(&back).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(done.headers()["location"], "done");
    let done = client.get(format!("{url}done")).header("cookie", &cookie).send().await.unwrap();
    done.text().await.unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_delivery_that_is_answered() {
    let stop = CancellationToken::new();
    let github = github(&stop).await;
    let mara = github.world.add_user("mara");
    let repo = github.add_repo(&mara, "greet", "main", None).unwrap();
    let machine = Machine::new();
    let public = format!("http://127.0.0.1:{}", machine.port);
    let base = github.base_url.as_str();

    let words = ["setup", "--github-url", base, "--public-url", &public, "--no-browser"];
    let child = machine.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut setup = Program(child.unwrap());
    let mut lines = BufReader::new(setup.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find(|line| line.trim().starts_with("http://127.0.0.1:")).unwrap();
    let last_page = click_through(url.trim(), base).await;
    let said: Vec<String> = lines.collect();
    assert!(setup.0.wait().unwrap().success());
    let said = said.join("\n");
    assert!(said.contains("my-slipway (App ") && said.contains("slipway doctor"), "{said}");
    assert_eq!((mode(&machine.file("")), mode(&machine.file("slipway.toml"))), (0o700, 0o600));
    assert_eq!(mode(&machine.file("private-key.pem")), 0o600);
    let config = std::fs::read_to_string(machine.file("slipway.toml")).unwrap();
    let secret = between(&config, "webhook_secret = \"", "\"");
    assert!(!last_page.contains(secret) && !said.contains(secret), "secrets are not shown");

    let (well, report) = machine.doctor();
    assert!(!well && report["ok"] == false, "{report}");
    assert_eq!(finding(&report, "key").0, "ok");
    let nowhere = ("fail".to_owned(), "the App is installed nowhere".to_owned());
    assert_eq!(finding(&report, "installations"), nowhere);
    assert_eq!(finding(&report, "deliveries").0, "warn");

    let listen = format!("127.0.0.1:{}", machine.port);
    let mut serve = machine.command(&["serve", "--listen", &listen, "--sandbox", "process"]);
    let serve = serve.env("SLIPWAY_AGENT", "true").env("SLIPWAY_SANDBOX_LEVEL_MIN", "0");
    let serve = serve.stdout(Stdio::null()).stderr(Stdio::null());
    let _serve = Program(serve.spawn().unwrap());
    let client = Client::builder().no_proxy().tls_certs_only(std::iter::empty()).build().unwrap();
    for _ in 0..2_000 {
        if client.get(format!("{public}/healthz")).send().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let app = github.world.with(|state| state.apps.values().next().unwrap().id);
    github.world.install(app, &mara, &[repo]).unwrap();
    for _ in 0..2_000 {
        if github.world.mailbox(|mailbox| mailbox.log().any(|one| one.status_code > 0)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (well, report) = machine.doctor();
    assert!(well && report["ok"] == true, "{report:#}");
    let (status, delivered) = finding(&report, "deliveries");
    assert_eq!(status, "ok");
    assert!(delivered.contains("installation.created") && delivered.contains("202"), "{delivered}");
    assert_eq!(finding(&report, "installations").1, "mara: 1 repository");
    stop.cancel();
}

#[test]
fn what_is_there_is_not_touched_and_the_page_stays_on_this_machine() {
    let machine = Machine::new();
    let error = |args: &[&str]| {
        let output = machine.output(args);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let told = error(&["setup", "--no-browser", "--listen", "0.0.0.0:0"]);
    assert!(told.contains("--listen must be on loopback"), "{told}");
    let told = error(&["setup", "--no-browser", "--github-url", "http://ghe.example.com"]);
    assert!(told.contains("must begin with https://"), "{told}");
    std::fs::write(machine.file("private-key.pem"), "kept").unwrap();
    let told = error(&["setup", "--no-browser"]);
    assert!(told.contains("exists already; choose another --dir"), "{told}");
    assert_eq!(std::fs::read_to_string(machine.file("private-key.pem")).unwrap(), "kept");
}

#[test]
fn a_doctor_without_a_configuration_says_how_to_begin() {
    let machine = Machine::new();
    let output = machine.output(&["doctor", "--config", "nowhere.toml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(text.starts_with("FAIL  configuration: nowhere.toml: it cannot be read"), "{text}");
    assert!(text.contains("`slipway setup` makes a new App"), "{text}");
    assert!(output.stderr.is_empty(), "the report is all there is to say");
}
