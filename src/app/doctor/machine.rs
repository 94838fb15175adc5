//! This machine: git, the sandbox and what it finds, the database, room on the disk.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::words;
use crate::agent::{Agent, Kind};
use crate::app::barrier;
use crate::config::{Database, Settings};
use crate::git;
use crate::github::app::keys;
use crate::process::{ASK, Order, run};
use crate::sandbox::process::Process;
use crate::sandbox::{
    Home, Invocation, Limits, Protection, Purpose, SYSTEM_PATH, Sandbox, Signal, Tools,
};
use crate::store::{Schema, postgres, sqlite};

/// Where set-up and the unit files put the key.
const KEY_FILE: &str = "/etc/slipway/private-key.pem";
/// How long one look may last.
const LOOK_MS_MAX: u64 = 10_000;
const OUTPUT_BYTES_MAX: usize = 4_096;

/// What there is.
pub(super) struct Machine {
    pub(super) git: Result<String, git::Error>,
    pub(super) barrier: Barrier,
    pub(super) agents: Vec<Found>,
    pub(super) base: Base,
    pub(super) rooms: Vec<Room>,
    /// Who holds the key, where that is another process.
    pub(super) keyd: Option<Result<keys::Peer, String>>,
    /// Our own user.
    pub(super) uid: u32,
    /// The key's usual file, when we can read it.
    pub(super) key_file: Option<PathBuf>,
}

/// What stands between agents and this machine.
pub(super) enum Barrier {
    /// What protects it, and what `serve` would warn of.
    Chosen(Protection, Option<String>),
    /// `serve` would refuse to start, and why.
    Refused(String),
}

/// An agent's program.
pub(super) struct Found {
    pub(super) agent: String,
    /// What it may reach, in words.
    pub(super) hosts: String,
    /// `None` when only a shell can tell which it is.
    pub(super) program: Option<String>,
    /// Whether the sandbox finds it.
    pub(super) there: Result<bool, String>,
}

/// The database.
pub(super) enum Base {
    /// It will be made.
    New(PathBuf),
    Ready(Schema),
    Broken(String),
}

/// Room below a directory.
pub(super) struct Room {
    pub(super) what: &'static str,
    pub(super) path: PathBuf,
    /// KiB that are free, when it can be written to.
    pub(super) free_kib: Result<u64, String>,
}

impl Machine {
    pub(super) async fn look(settings: &Settings) -> Self {
        let (sandbox, barrier) = sandbox(settings).await;
        let mut agents = Vec::new();
        for agent in &settings.agents {
            agents.push(find(agent, sandbox.as_ref()).await);
        }
        let mut rooms = vec![room("work_dir", &settings.work_dir).await];
        if let Database::Sqlite(path) = &settings.database {
            rooms.push(room("database", path.parent().unwrap_or(path)).await);
        }
        Self {
            git: git::cli::Cli::version().await,
            barrier,
            agents,
            base: base(&settings.database).await,
            rooms,
            keyd: match settings.key_service() {
                Some(path) => Some(keys::peer(path).await),
                None => None,
            },
            uid: rustix::process::geteuid().as_raw(),
            key_file: Some(PathBuf::from(KEY_FILE))
                .filter(|path| std::fs::File::open(path).is_ok()),
        }
    }
}

async fn sandbox(settings: &Settings) -> (Arc<dyn Sandbox>, Barrier) {
    match barrier::choose(settings, barrier::For::Looking).await {
        Ok(chosen) => {
            let protection = chosen.sandbox.protection();
            (chosen.sandbox, Barrier::Chosen(protection, chosen.warning))
        }
        // Looking for the agents' programs harms nobody.
        Err(why) => {
            let tools = Tools { path: settings.tools.clone(), read_only: settings.tools.clone() };
            (Arc::new(Process { tools }), Barrier::Refused(why))
        }
    }
}

/// Looks for the agent's program where it would be started: the sandbox's own `PATH`.
async fn find(agent: &Agent, sandbox: &dyn Sandbox) -> Found {
    let program = match &agent.kind {
        Kind::Command(command) => words::program(&command.command),
        Kind::Scripted(_) | Kind::Direct(_) => None,
        Kind::Profiled(profiled) => profiled.profile.program().map(str::to_owned),
    };
    let there = match &program {
        Some(program) => asked(program, sandbox).await,
        None => Ok(true),
    };
    let hosts: Vec<String> = agent.hosts.iter().map(ToString::to_string).collect();
    let hosts = if hosts.is_empty() { "nothing".to_owned() } else { hosts.join(", ") };
    Found { agent: agent.name.clone(), hosts, program, there }
}

async fn asked(program: &str, sandbox: &dyn Sandbox) -> Result<bool, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let script = "command -v -- \"$1\" >/dev/null";
    let invocation = Invocation {
        purpose: Purpose::Check,
        program: "sh".to_owned(),
        args: ["-c", script, "sh", program].map(str::to_owned).into(),
        env: Vec::new(),
        stdin: String::new(),
        directory: directory.path().to_owned(),
        workspace: "doctor".to_owned(),
        doors: Vec::new(),
        read_only: Vec::new(),
        masks: Vec::new(),
        home: Home::default(),
        limits: Limits {
            wall_ms_max: LOOK_MS_MAX,
            output_bytes_max: OUTPUT_BYTES_MAX,
            ..Limits::default()
        },
        signal: Signal::Term,
    };
    let done = sandbox.run(&invocation, &CancellationToken::new()).await;
    done.map(|done| done.succeeded()).map_err(|error| error.0)
}

async fn base(database: &Database) -> Base {
    let schema = match database {
        Database::Sqlite(path) if !path.exists() => return Base::New(path.clone()),
        Database::Sqlite(path) => {
            // Opening for writing changes nothing and proves the right to.
            if let Err(error) = OpenOptions::new().write(true).open(path) {
                return Base::Broken(format!("{} cannot be written: {error}", path.display()));
            }
            sqlite::Client::schema(path).await
        }
        Database::Postgres(url) => postgres::schema(url.reveal()).await,
    };
    match schema {
        Ok(schema) => Base::Ready(schema),
        Err(error) => Base::Broken(error.to_string()),
    }
}

/// The nearest directory that is there already: the rest will be made in it.
fn nearest(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|one| one.is_dir());
    there.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

async fn room(what: &'static str, path: &Path) -> Room {
    let there = nearest(path);
    let free_kib = match tempfile::tempfile_in(&there) {
        Ok(_) => free(&there).await,
        Err(error) => Err(format!("{} cannot be written: {error}", there.display())),
    };
    Room { what, path: path.to_owned(), free_kib }
}

/// KiB free, by `df`, which every system has.
async fn free(path: &Path) -> Result<u64, String> {
    let df = Tools::default().find("df").map_err(|error| error.0)?;
    let order = Order {
        program: df,
        args: ["-Pk".into(), path.as_os_str().to_owned()].into(),
        env: vec![
            ("PATH".to_owned(), OsString::from(SYSTEM_PATH)),
            ("LC_ALL".to_owned(), OsString::from("C")),
        ],
        directory: PathBuf::from("/"),
        stdin: Vec::new(),
        wall_max: Duration::from_millis(LOOK_MS_MAX),
        output_bytes_max: OUTPUT_BYTES_MAX,
        stranger: false,
        asks: ASK,
    };
    let done = run(&order, &CancellationToken::new()).await.map_err(|error| error.to_string())?;
    available(&done.stdout.text()).ok_or_else(|| "df does not say how much is free".to_owned())
}

/// The number before the percentage in the last line of `df -Pk`.
fn available(said: &str) -> Option<u64> {
    let words: Vec<&str> = said.lines().last()?.split_whitespace().collect();
    let percent = words.iter().rposition(|word| word.ends_with('%'))?;
    words.get(percent.checked_sub(1)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_read_whatever_the_names_are() {
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        let line = |name: &str, at: &str| format!("{head}{name} 100 40 60 40% {at}\n");
        assert_eq!(available(&line("/dev/vda", "/")), Some(60));
        assert_eq!(available(&line("my share", "/mnt/a b")), Some(60));
        assert_eq!(available(""), None);
        assert_eq!(available("df: no such file"), None);
    }

    #[tokio::test]
    async fn room_is_looked_for_where_the_directory_will_be() {
        let there = tempfile::tempdir().unwrap();
        let room = room("work_dir", &there.path().join("a/b/c")).await;
        assert!(room.free_kib.unwrap() > 0);
        assert_eq!(nearest(&there.path().join("x")), there.path());
    }
}
