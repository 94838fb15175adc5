//! The App's key in a process of its own: the program in both roles, and what the serving one
//! knows.

use std::io::Read;
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::program::{Company, PROGRAM};

/// The user of the holder of the key, where this test may choose one.
const KEEPER: u32 = 64_001;
const UP_MAX: Duration = Duration::from_secs(20);

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The holder of the key, in a directory of its own.
struct Keeper {
    child: tokio::process::Child,
    socket: PathBuf,
    log: PathBuf,
    _place: tempfile::TempDir,
}

impl Keeper {
    /// Takes the key away from the company and holds it for `uid`.
    async fn start(company: &Company, uid: u32) -> Self {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let (key, socket, log) = (at("key.pem"), at("keyd.sock"), at("keyd.log"));
        std::fs::copy(company.path("key.pem"), &key).unwrap();
        std::fs::copy(company.path("ca.pem"), at("ca.pem")).unwrap();
        std::fs::remove_file(company.path("key.pem")).unwrap();
        // The build directory need not be open to everybody.
        std::fs::copy(PROGRAM, at("slipway")).unwrap();
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o400)).unwrap();
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let words = std::fs::File::create(&log).unwrap();
        #[expect(clippy::disallowed_methods, reason = "this test is about the program")]
        let mut command = Command::new(at("slipway"));
        command.arg("keyd").arg("--key").arg(&key).arg("--socket").arg(&socket);
        command.args(["--app-id", &company.app().to_string(), "--allow-uid", &uid.to_string()]);
        command.args(["--github-url", &company.served.url]);
        command.env_clear().env("SLIPWAY_CA_FILE", at("ca.pem")).env("SLIPWAY_LOG", "json");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(words);
        if is_root() {
            chown(&key, Some(KEEPER), None).unwrap();
            chown(place.path(), Some(KEEPER), None).unwrap();
            std::os::unix::process::CommandExt::uid(&mut command, KEEPER);
        }
        let mut command = tokio::process::Command::from(command);
        let child = command.kill_on_drop(true).spawn().unwrap();
        let keeper = Self { child, socket, log, _place: place };
        let listens = async {
            while !keeper.socket.exists() {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        tokio::time::timeout(UP_MAX, listens)
            .await
            .unwrap_or_else(|_| panic!("{}", keeper.words()));
        keeper
    }

    fn words(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Whether `needle` is anywhere in the memory of a process; `None` where that cannot be read.
fn remembers(pid: u32, needle: &[u8]) -> Option<bool> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut looked_at = 0_u64;
    for line in maps.lines() {
        let mut words = line.split(' ');
        let (from, to) = words.next()?.split_once('-')?;
        let [mut from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        if !words.next()?.starts_with('r') || line.ends_with("[vvar]") {
            continue;
        }
        let mut part = vec![0_u8; 1 << 20];
        while from < to {
            let length = usize::try_from((to - from).min(part.len() as u64)).unwrap();
            let Ok(read) = memory.read_at(&mut part[..length], from) else { break };
            if read == 0 {
                break;
            }
            looked_at += read as u64;
            if part[..read].windows(needle.len()).any(|window| window == needle) {
                return Some(true);
            }
            // What lies across two parts is in both.
            let step = if read == length && from + (length as u64) < to { needle.len() } else { 0 };
            from += (read - step.min(read - 1)) as u64;
        }
    }
    (looked_at > 0).then_some(false)
}

fn holds(path: &Path, needle: &[u8]) -> bool {
    let mut bytes = Vec::new();
    std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_45_the_serving_process_never_has_the_key_and_works_all_the_same() {
    let company = Company::found().await;
    let pem = std::fs::read_to_string(company.path("key.pem")).unwrap();
    let canary = pem.lines().nth(10).unwrap().as_bytes().to_vec();
    let me = rustix::process::geteuid().as_raw();
    let keeper = Keeper::start(&company, me).await;
    company.says("private_key_file", "key_service", &keeper.socket);
    let mut bot = company.start(&[]);
    let pull = company.story(&mut bot).await;
    assert!(pull.merged);
    let pid = bot.pid();
    match (remembers(pid, &canary), remembers(keeper.child.id().unwrap(), &canary)) {
        (Some(served), Some(kept)) => {
            assert!(!served, "the serving process has the key");
            assert!(kept, "a process that has the key is found out");
        }
        (_, _) => say("LEFT OUT: memory of processes cannot be read here (not root)"),
    }
    if is_root() {
        assert!(!holds(Path::new(&format!("/proc/{pid}/environ")), &canary));
        let opened = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let opened = opened.filter_map(|one| std::fs::read_link(one.unwrap().path()).ok());
        assert!(opened.into_iter().all(|path| !path.ends_with("key.pem")));
    }
    bot.end().await;
    let words = keeper.words();
    for purpose in ["read", "talk", "report", "fetch", "push", "merge"] {
        let said = format!("\"purpose\":\"{purpose}\"");
        assert!(words.contains(&said), "{purpose} is in its audit: {words}");
    }
    assert!(!words.contains("ghs_") && !words.contains("eyJ"), "{words}");
    for (name, clean) in [("slipway.db", true), ("slipway.log", true)] {
        assert_eq!(!holds(&company.path(name), &canary), clean, "{name}");
        assert!(!holds(&company.path(name), b"ghs_"), "a token is in {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_45_a_holder_that_is_not_for_us_gives_nothing() {
    let company = Company::found().await;
    let keeper = Keeper::start(&company, 64_002).await;
    company.says("private_key_file", "key_service", &keeper.socket);
    let mut bot = company.start(&[]);
    company.up(&mut bot).await;
    let refused = async {
        while !keeper.words().contains("this user may not ask") {
            company.sweep();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(UP_MAX, refused).await.unwrap_or_else(|_| panic!("{}", keeper.words()));
    bot.end().await;
    assert_eq!(company.called("apps/create-installation-access-token"), 0);
}

#[expect(clippy::print_stderr, reason = "what a machine lacks is left out aloud")]
fn say(what: &str) {
    eprintln!("{what}");
}
