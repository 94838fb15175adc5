//! The configuration as an operator meets it: what overrules what, and what is refused how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::model::Secret;
use crate::telemetry::LogFormat;

pub(super) fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Key material in form only: nothing here signs.
pub(super) fn pem() -> String {
    let kind = "RSA PRIVATE KEY";
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", random())
}

/// A machine with an environment and a directory of files.
pub(super) struct Machine {
    pub(super) directory: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

impl Machine {
    pub(super) fn new(env: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut machine = Self { directory, env: BTreeMap::new() };
        machine.set("STATE_DIRECTORY", "/state");
        for (name, value) in env {
            machine.set(name, value);
        }
        machine
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    pub(super) fn load(&self, text: &str, flags: Layer) -> Result<Settings, ConfigError> {
        let file = self.file("slipway.toml", text);
        load(Some(&file), |name| self.get(name), flags)
    }
}

/// The key that is held here, and the one before.
fn held(identity: &Identity) -> (&str, Option<&str>) {
    match &identity.key {
        AppKey::Held { key, old } => (key.reveal(), old.as_ref().map(Secret::reveal)),
        AppKey::Elsewhere(path) => panic!("it is at {}", path.display()),
    }
}

pub(super) fn refusal(text: &str) -> String {
    Machine::new(&[]).load(text, Layer::default()).unwrap_err().to_string()
}

#[test]
fn without_anything_the_defaults_hold() {
    let settings = Machine::new(&[]).load("", Layer::default()).unwrap();
    assert!(
        matches!(&settings.database, Database::Sqlite(p) if p == Path::new("/state/slipway.db"))
    );
    assert_eq!(settings.work_dir, Path::new("/state/work"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert!(settings.listens_on_loopback());
    assert_eq!(settings.github, GitHubUrls::default());
    assert_eq!((settings.workers, settings.limits), (WORKERS, Limits::default()));
    assert_eq!((settings.sandbox, settings.log), (SandboxMode::Auto, LogFormat::Human));
    assert!(settings.agents.is_empty() && settings.warnings.is_empty());
}

#[test]
fn flags_overrule_the_environment_and_that_the_file() {
    let machine = Machine::new(&[("SLIPWAY_LISTEN", "127.0.0.1:2"), ("SLIPWAY_WORKERS", "2")]);
    let file = "listen = \"127.0.0.1:1\"\nworkers = 1\nlog = \"json\"\n";
    let flags = Layer { listen: Some("[::1]:3".to_owned()), ..Layer::default() };
    let settings = machine.load(file, flags).unwrap();
    assert_eq!(settings.listen.to_string(), "[::1]:3");
    assert_eq!(settings.workers, 2);
    assert_eq!(settings.log, LogFormat::Json);
}

#[test]
fn an_unknown_key_is_refused_where_it_stands() {
    let text = refusal("workers = 2\n  wrokers = 3\n");
    assert!(text.contains("slipway.toml, line 2, column 3: unknown field `wrokers`"), "{text}");
    let text = refusal("[limits]\nheavy = 1\n");
    assert!(text.contains("line 2, column 1: unknown field `heavy`"), "{text}");
    let text = refusal("[[agents]]\nname = \"a\"\ncommand = \"b\"\nmodel = \"c\"\n");
    assert!(text.contains("line 4, column 1"), "{text}");
}

#[test]
fn a_refused_line_is_not_quoted_because_it_may_hold_a_secret() {
    let word = random();
    let text = refusal(&format!("webhook_secret = \"{word}\" and\n"));
    assert!(text.contains("line 1") && !text.contains(&word), "{text}");
    let text = refusal(&format!("webhook_secret = [\"{word}\"]\n"));
    assert!(!text.contains(&word), "{text}");
}

#[test]
fn every_refusal_names_the_place_and_the_way_out() {
    for (name, value, next) in [
        ("SLIPWAY_APP_ID", "my app", "write digits only"),
        ("SLIPWAY_WORKERS", "0", "write a number from 1 to 256"),
        ("SLIPWAY_LISTEN", "8080", "write for example 127.0.0.1:8080"),
        ("SLIPWAY_SANDBOX", "jail", "write auto, bubblewrap, docker, podman, apple or process"),
        ("SLIPWAY_SANDBOX_LEVEL_MIN", "5", "write 0 to 4"),
        ("SLIPWAY_LOG", "loud", "write human or json"),
        ("SLIPWAY_WEBHOOKS", "pigeon", "write listen, poll or relay"),
        ("SLIPWAY_WEBHOOKS", "relay", "set relay_url"),
        ("SLIPWAY_RELAY_URL", "https://relay.example.com/x", "set webhooks"),
        ("SLIPWAY_POLL_MS", "4999", "write a number from 5000 to 600000"),
        ("SLIPWAY_GITHUB_URL", "http://ghe.example.com", "write for example https://"),
        ("SLIPWAY_PUBLIC_URL", "slipway", "write for example https://slipway.example.com"),
    ] {
        let error = Machine::new(&[(name, value)]).load("", Layer::default()).unwrap_err();
        assert_eq!(error.place, name);
        assert!(error.next.starts_with(next), "{error}");
    }
}

#[test]
fn the_identity_is_asked_for_late_and_says_what_is_missing() {
    let mut machine = Machine::new(&[]);
    let mut wants = |env: &[(&str, &str)], place: &str| {
        for (name, value) in env {
            machine.set(name, value);
        }
        let error = machine.load("", Layer::default()).unwrap().identity().unwrap_err();
        assert!(error.place.starts_with(place), "{error}");
    };
    wants(&[], "app_id");
    wants(&[("SLIPWAY_APP_ID", "7")], "private_key_file");
    wants(&[("SLIPWAY_PRIVATE_KEY_FILE", "/nowhere.pem")], "webhook_secret");
    wants(&[("SLIPWAY_WEBHOOK_SECRET", &random())], "SLIPWAY_PRIVATE_KEY_FILE (/nowhere.pem)");
    let key = machine.file("key.pem", "not a key");
    machine.set("SLIPWAY_PRIVATE_KEY_FILE", key.to_str().unwrap());
    let error = machine.load("", Layer::default()).unwrap().identity().unwrap_err();
    assert!(error.why.contains("not a private key"), "{error}");
    let text = pem();
    machine.file("key.pem", &text);
    let identity = machine.load("", Layer::default()).unwrap().identity().unwrap();
    assert_eq!((identity.app_id, held(&identity).0), (7, text.as_str()));
}

#[test]
fn where_webhooks_do_not_come_in_their_secret_is_not_needed() {
    let mut machine = Machine::new(&[("SLIPWAY_APP_ID", "7"), ("SLIPWAY_PRIVATE_KEY", &pem())]);
    let load = |machine: &Machine| machine.load("", Layer::default()).unwrap();
    assert!(load(&machine).identity().is_err());
    machine.set("SLIPWAY_WEBHOOKS", "poll");
    assert!(matches!(load(&machine).webhooks, Webhooks::Poll));
    assert!(load(&machine).identity().unwrap().webhook_secrets.is_empty());
    let channel = random();
    machine.set("SLIPWAY_WEBHOOKS", "relay");
    machine.set("SLIPWAY_RELAY_URL", &format!("https://relay.example.com/{channel}"));
    assert!(matches!(load(&machine).webhooks, Webhooks::Relay(_)));
    assert!(load(&machine).identity().is_ok());
    assert!(
        !format!("{:?}", load(&machine)).contains(&channel),
        "whoever knows it can write there"
    );
    for bad in ["http://relay.example.com/x", "relay", "ftp://127.0.0.1/x"] {
        machine.set("SLIPWAY_RELAY_URL", bad);
        let error = machine.load("", Layer::default()).unwrap_err();
        assert_eq!(error.place, "SLIPWAY_RELAY_URL", "{bad}");
    }
    machine.set("SLIPWAY_RELAY_URL", "http://127.0.0.1:1/x");
    assert!(matches!(load(&machine).webhooks, Webhooks::Relay(_)), "nobody listens in between");
}

#[test]
fn secrets_handed_over_by_the_service_manager_are_taken_without_their_last_newline() {
    let mut machine = Machine::new(&[("SLIPWAY_APP_ID", "7")]);
    let (key, new, old) = (pem(), random(), random());
    machine.file("private-key", &key);
    machine.file("webhook-secret", &format!("{new}\n"));
    machine.file("webhook-secret-old", &old);
    let directory = machine.directory.path().to_str().unwrap().to_owned();
    machine.set("CREDENTIALS_DIRECTORY", &directory);
    let identity = machine.load("", Layer::default()).unwrap().identity().unwrap();
    let secrets: Vec<&str> = identity.webhook_secrets.iter().map(Secret::reveal).collect();
    assert_eq!(secrets, [new, old]);
    assert_eq!(held(&identity).0, key.trim_end());
}

#[test]
fn two_keys_are_taken_in_one_line_or_many_and_by_longer_names() {
    let (new, old) = (pem(), pem());
    let machine = Machine::new(&[
        ("SLIPWAY_APP_ID", "7"),
        ("SLIPWAY_WEBHOOK_SECRET", &random()),
        ("SLIPWAY_PRIVATE_KEY", new.trim_end().replace('\n', "\\n").as_str()),
    ]);
    let file = machine.file("old.pem", &old);
    let text = format!("private_key_old_file = {:?}\n", file.to_str().unwrap());
    let identity = machine.load(&text, Layer::default()).unwrap().identity().unwrap();
    assert_eq!(held(&identity).0, new.trim_end());
    assert_eq!(held(&identity).1, Some(old.as_str()));
    let mut machine = Machine::new(&[("SLIPWAY_APP_ID", "7")]);
    machine.file("slipway-private-key", &new);
    machine.file("slipway-webhook-secret", &random());
    let directory = machine.directory.path().to_str().unwrap().to_owned();
    machine.set("CREDENTIALS_DIRECTORY", &directory);
    let identity = machine.load("", Layer::default()).unwrap().identity().unwrap();
    assert_eq!(held(&identity).0, new.trim_end());
    assert!(held(&identity).1.is_none());
}

#[test]
fn no_secret_is_ever_shown() {
    let word = random();
    let url = format!("postgres://user:{word}@db/slipway");
    let machine = Machine::new(&[
        ("SLIPWAY_WEBHOOK_SECRET", &word),
        ("SLIPWAY_PRIVATE_KEY", &word),
        ("SLIPWAY_DASHBOARD_TOKEN", &word),
        ("SLIPWAY_DB", &url),
    ]);
    let settings = machine.load("", Layer::default()).unwrap();
    assert!(matches!(settings.database, Database::Postgres(_)));
    assert!(!format!("{settings:?}").contains(&word));
    assert_eq!(settings.secrets().len(), 3);
}

#[test]
fn agents_are_named_once_and_bounded() {
    let entry =
        |name: &str, command: &str| format!("[[agents]]\nname = {name:?}\ncommand = {command:?}\n");
    let machine = Machine::new(&[]);
    let settings = machine.load(&entry("claude", "claude -p"), Layer::default()).unwrap();
    assert_eq!((settings.agents[0].name.as_str(), settings.agents[0].at_once_max), ("claude", 1));
    for bad in [
        entry("a", "x") + &entry("a", "y"),
        entry("a b", "x"),
        entry("", "x"),
        entry("a", " "),
        entry("a", "x") + "at_once_max = 0\n",
        entry("a", "x") + "hosts = [\"10.0.0.1\"]\n",
        entry("a", "x") + "hosts = [\"*.com\"]\n",
    ] {
        assert!(machine.load(&bad, Layer::default()).is_err(), "{bad}");
    }
    let reaching = entry("a", "x") + "hosts = [\"api.example.com\", \"*.Example.org:8443\"]\n";
    let agent = machine.load(&reaching, Layer::default()).unwrap().agents.remove(0);
    let hosts: Vec<String> = agent.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["api.example.com:443", "*.example.org:8443"]);
    for network in [true, false] {
        let why = refusal(&format!("{}network = {network}\n", entry("a", "x")));
        assert!(why.contains("agent a has `network`") && why.contains("hosts = ["), "{why}");
    }
    let env = [("SLIPWAY_AGENT", "x"), ("SLIPWAY_AGENT_HOSTS", "a.example, b.example")];
    let by_env = Machine::new(&env).load("", Layer::default()).unwrap();
    assert_eq!(by_env.agents[0].hosts.len(), 2);
    let by_env = Machine::new(&[("SLIPWAY_AGENT", "my-agent --fast")]);
    assert_eq!(by_env.load("", Layer::default()).unwrap().agents[0].name, "agent");
}

#[test]
fn a_named_file_must_exist_and_stay_small() {
    let machine = Machine::new(&[]);
    let missing = machine.directory.path().join("missing.toml");
    assert!(load(Some(&missing), |_| None, Layer::default()).is_err());
    let large = "# ".to_owned() + &"x".repeat(300_000);
    assert!(refusal(&large).contains("larger than"));
}

#[test]
fn who_vouches_for_the_server_is_read_late_and_must_be_a_certificate() {
    let machine = Machine::new(&[]);
    let file = machine.directory.path().join("ca.pem");
    let said = format!("ca_file = '{}'\n", file.display());
    let settings = machine.load(&said, Layer::default()).unwrap();
    assert!(settings.ca_file().unwrap_err().to_string().contains("check the path"));
    std::fs::write(&file, "no certificate").unwrap();
    let error = settings.ca_file().unwrap_err().to_string();
    assert!(error.contains("ca_file") && error.contains("not its key"), "{error}");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n").unwrap();
    assert!(settings.ca_file().unwrap().unwrap().path.is_absolute());
    assert!(machine.load("", Layer::default()).unwrap().ca_file().unwrap().is_none());
}

#[test]
fn the_example_shows_every_key_and_is_accepted() {
    let example = include_str!("../../deploy/slipway.example.toml");
    let all: String = example
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let machine = Machine::new(&[]);
    for text in [example, &all] {
        machine.load(text, Layer::default()).unwrap();
    }
    for key in [
        "app_id",
        "private_key_file",
        "private_key_old_file",
        "hosts",
        "ca_file",
        "webhook_secret",
        "webhook_secret_old",
        "webhooks",
        "relay_url",
        "database",
        "listen",
        "github_url",
        "work_dir",
        "workers",
        "sandbox",
        "trusted_bots",
        "sandbox_level_min",
        "sandbox_uid_base",
        "tools",
        "public_url",
        "dashboard_token",
        "log",
        "log_filter",
        "heavy_max",
        "heavy_per_repo_max",
        "report_gap_ms",
        "look_ms_max",
        "sweep_ms",
        "poll_ms",
        "command_minutes_max",
        "runs_per_issue_max",
        "runs_per_actor_max",
        "answers_per_issue_max",
        "name",
        "command",
        "at_once_max",
        "call",
        "stage",
        "run",
        "issue",
        "repository",
        "user",
        "installation",
        "day",
        "month",
        "raise_max",
        "unknown_price",
        "image",
        "runtime",
        "gpus",
        "memory_mb_max",
        "cpus_max",
        "pids_max",
        "seccomp",
    ] {
        let written = format!("{key} = ");
        assert!(all.lines().any(|line| line.starts_with(&written)), "{key} is missing");
    }
}
