//! Programs inside namespaces made by `bwrap`: no network unless it is lent, the workspace the
//! only thing that can be written, nothing of the host but its `/usr` to be read.
//!
//! Not here yet: a limit on memory and on the number of processes (control groups), and a
//! system call filter; `describe` says so. Run by root, the program is still root for the
//! host's files that it can see, which is why all of `/proc` that takes orders is read-only.
//! Files left open by whoever started Slipway are passed on.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::process::{Private, environment, limited, order, transcript};
use super::{End, Error, Invocation, Limits, Sandbox, Tools, Transcript};
use crate::process::{Order, run};

/// Where the workspace is seen from inside.
const WORKSPACE: &str = "/workspace";
const HOME: &str = "/home/agent";
/// Size of the private `/tmp` and `/dev/shm`, in bytes.
const TMP_BYTES_MAX: &str = "268435456";
const SHM_BYTES_MAX: &str = "67108864";
/// Everything that needs no value. Without `--cap-drop` a root runner would keep its powers;
/// with `--new-session` the program cannot type into our terminal.
const SEPARATE: &[&str] = &[
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--hostname",
    "sandbox",
    "--uid",
    "1000",
    "--gid",
    "1000",
];
/// Where names are looked up, for agents that may use the network.
const NAMES: &str = "/etc/resolv.conf";
/// Parts of `/etc` programs need; the rest, and every socket of the host, is absent.
const ETC: &[&str] = &[
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
];
/// Parts of `/proc` by which the host's root could steer the host.
const ORDERS: &[&str] = &[
    "/proc/sys",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
    "/proc/scsi",
    "/proc/sysrq-trigger",
];
/// Files of `/etc` we write ourselves.
const OWN: &[(&str, &str)] = &[
    ("passwd", "agent:x:1000:1000:agent:/home/agent:/bin/sh\n"),
    ("group", "agent:x:1000:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];
/// Opens the status file as descriptor 3 and becomes `bwrap`.
const WITH_STATUS: &str = "status=$1; shift; exec \"$@\" 3>\"$status\"";

/// The adapter; made by [`Bubblewrap::probe`], so it exists only where it works.
#[derive(Debug, Clone)]
pub struct Bubblewrap {
    program: PathBuf,
    tools: Tools,
}

impl Bubblewrap {
    /// Finds `bwrap` and tries it; the error says what is missing on this host.
    pub async fn probe(tools: Tools) -> Result<Self, Error> {
        let program = Tools::default().find("bwrap")?;
        let own = Self { program, tools };
        let directory = tempfile::tempdir().map_err(|error| Error(error.to_string()))?;
        let trial = Invocation {
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), "echo works > file && test ! -e /root".to_owned()],
            env: Vec::new(),
            stdin: String::new(),
            directory: directory.path().to_owned(),
            workspace: "probe".to_owned(),
            network: false,
            doors: Vec::new(),
            read_only: Vec::new(),
            masks: Vec::new(),
            limits: Limits { wall_ms_max: 10_000, output_bytes_max: 4_096, ..Limits::default() },
        };
        let done = own.run(&trial, &CancellationToken::new()).await?;
        if done.succeeded() && directory.path().join("file").is_file() {
            return Ok(own);
        }
        Err(Error(format!("bwrap does not work here: {:?} {}", done.end, done.stderr.trim())))
    }

    fn arguments(
        &self,
        invocation: &Invocation,
        private: &Private,
    ) -> Result<Vec<OsString>, Error> {
        let program = self.tools.find(&invocation.program)?;
        let mut args = words(SEPARATE);
        if invocation.network {
            args.extend(words(&["--ro-bind-try", NAMES, NAMES]));
        } else {
            args.extend(words(&["--unshare-net"]));
        }
        args.extend(words(&["--ro-bind", "/usr", "/usr"]));
        for name in ["bin", "sbin", "lib", "lib32", "lib64"] {
            args.extend(system(name));
        }
        for path in ETC {
            args.extend(words(&["--ro-bind-try", path, path]));
        }
        args.extend(words(&["--proc", "/proc", "--dev", "/dev"]));
        for path in ORDERS {
            args.extend(words(&["--ro-bind-try", path, path]));
        }
        args.extend(words(&["--perms", "1777", "--size", TMP_BYTES_MAX, "--tmpfs", "/tmp"]));
        args.extend(words(&["--perms", "1777", "--size", SHM_BYTES_MAX, "--tmpfs", "/dev/shm"]));
        for (name, text) in OWN {
            let path = private.root().join(name);
            write(&path, text)?;
            args.extend(mount("--ro-bind", &path, &Path::new("/etc").join(name)));
        }
        let lent = self.tools.read_only.iter().chain(&self.tools.path);
        for path in lent.filter(|path| !path.starts_with("/usr")) {
            args.extend(mount("--ro-bind-try", path, path));
        }
        if !["/usr", "/bin", "/sbin"].iter().any(|system| program.starts_with(system)) {
            args.extend(mount("--ro-bind", &program, &program));
        }
        args.extend(mount("--bind", &private.home(), Path::new(HOME)));
        args.extend(mount("--bind", &invocation.directory, Path::new(WORKSPACE)));
        args.extend(words(&["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORKSPACE]));
        args.extend(words(&["--json-status-fd", "3", "--", "/bin/sh"]));
        args.extend(limited(&program, invocation.args.iter().map(OsString::from)));
        Ok(args)
    }
}

#[async_trait]
impl Sandbox for Bubblewrap {
    async fn run(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
    ) -> Result<Transcript, Error> {
        let private = Private::new()?;
        let status = private.root().join("status");
        let start = [self.program.clone().into_os_string()];
        let shell = [WITH_STATUS.into(), "sh".into(), status.clone().into_os_string()];
        let order = Order {
            program: PathBuf::from("/bin/sh"),
            args: [OsString::from("-c")]
                .into_iter()
                .chain(shell)
                .chain(start)
                .chain(self.arguments(invocation, &private)?)
                .collect(),
            env: environment(invocation, &self.tools, Path::new(HOME), Path::new("/tmp"))?,
            ..order(invocation)
        };
        let outcome = run(&order, cancel).await.map_err(|error| Error(error.to_string()))?;
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        private.remove().await;
        let mut transcript = transcript(&outcome);
        transcript.end = end(transcript.end, &told).ok_or_else(|| {
            Error(format!("bwrap did not start the program: {}", transcript.stderr.trim()))
        })?;
        Ok(transcript)
    }

    fn describe(&self) -> String {
        "bubblewrap: own namespaces, network only where lent, only the workspace writable; \
         no memory limit and no system call filter"
            .to_owned()
    }
}

/// How the program itself ended, by what bwrap wrote down; `None` when it never ran. As
/// shells do, bwrap says 128 + n for a program that signal n ended.
fn end(wrapper: End, status: &str) -> Option<End> {
    match wrapper {
        End::TimedOut | End::Cancelled | End::Limit(_) | End::Signalled(_) => Some(wrapper),
        End::Exited(_) => {
            let documents = serde_json::Deserializer::from_str(status);
            let documents = documents.into_iter::<serde_json::Value>().map_while(Result::ok);
            let codes = documents.filter_map(|document| document.get("exit-code")?.as_i64());
            let code = i32::try_from(codes.last()?).ok()?;
            let signal = (129..=159).contains(&code);
            Some(if signal { End::Signalled(code - 128) } else { End::Exited(code) })
        }
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn mount(kind: &str, from: &Path, to: &Path) -> [OsString; 3] {
    [kind.into(), from.into(), to.into()]
}

/// `/bin` and its like: a link into `/usr` on most hosts, a directory on some.
fn system(name: &str) -> Vec<OsString> {
    let path = Path::new("/").join(name);
    match std::fs::read_link(&path) {
        Ok(target) => vec!["--symlink".into(), target.into(), path.into()],
        Err(_) => mount("--ro-bind-try", &path, &path).to_vec(),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let file = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    file.map_err(|error| Error(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::trial::{self, Trial};

    async fn probed() -> Option<Bubblewrap> {
        match Bubblewrap::probe(Tools::default()).await {
            Ok(sandbox) => Some(sandbox),
            Err(why) => {
                crate::process::say_aloud(&format!("bubblewrap is not tested here: {why}"));
                None
            }
        }
    }

    async fn say(script: &str) -> Option<(Trial, Transcript)> {
        let sandbox = probed().await?;
        let trial = Trial::new();
        let order = trial.shell(script);
        let done = sandbox.run(&order, &CancellationToken::new()).await.unwrap();
        Some((trial, done))
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        if let Some(sandbox) = probed().await {
            trial::contract(&sandbox).await;
        }
    }

    #[tokio::test]
    async fn only_the_workspace_can_be_written() {
        let script = "for p in / /usr /etc /bin/sh /proc/sys/kernel/hostname /dev; do \
                      (echo x > $p/x || echo x > $p) 2>/dev/null && echo wrote $p; done; \
                      echo mine > file; echo end";
        let Some((trial, done)) = say(script).await else { return };
        assert_eq!(done.stdout, "end\n", "{done:?}");
        assert_eq!(trial.read("file"), "mine\n");
    }

    #[tokio::test]
    async fn nothing_of_the_host_can_be_seen() {
        let secret = tempfile::Builder::new().prefix("secret").tempfile().unwrap();
        let script = format!(
            "for p in /root /home/* /run /var /etc/shadow /etc/passwd- {} /proc/1/root/root; do \
             test -e $p && echo saw $p; done; ls /proc | grep -c '^[0-9]'; id -u; \
             grep CapEff /proc/self/status; ls -l /proc/self/fd | grep -c status",
            secret.path().display()
        );
        let Some((_trial, done)) = say(&script).await else { return };
        let lines: Vec<_> = done.stdout.lines().collect();
        assert_eq!(lines.first(), Some(&"saw /home/agent"), "{done:?}");
        let processes: u32 = lines[1].parse().unwrap();
        assert!(processes < 10, "{done:?}");
        assert_eq!(lines[2..4], ["1000", "CapEff:\t0000000000000000"], "{done:?}");
        assert_eq!(lines[4].trim(), "0", "the status descriptor was inherited: {done:?}");
    }

    #[tokio::test]
    async fn there_is_no_network_and_no_way_to_more_rights() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!(
            "ls /sys/class/net 2>/dev/null; cat /proc/net/dev | grep -c :; \
             exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected"
        );
        let Some(sandbox) = probed().await else { return };
        let trial = Trial::new();
        let mut order = trial.shell(&script);
        if Path::new("/usr/bin/bash").exists() {
            order.program = "bash".to_owned();
        }
        let done = sandbox.run(&order, &CancellationToken::new()).await.unwrap();
        assert_eq!(done.stdout, "1\n", "{done:?}");
        order.network = true;
        let lent = sandbox.run(&order, &CancellationToken::new()).await.unwrap();
        let reached = !Path::new("/usr/bin/bash").exists() || lent.stdout.contains("connected");
        assert!(reached, "an agent that is lent the network reaches it: {lent:?}");
        let more =
            trial.shell("unshare -U true && echo nested; mount -o remount,rw /usr && echo mounted");
        let done = sandbox.run(&more, &CancellationToken::new()).await.unwrap();
        assert_eq!(done.stdout, "", "{done:?}");
    }

    #[tokio::test]
    async fn a_program_outside_the_system_can_be_run() {
        let Some(sandbox) = probed().await else { return };
        let tools = tempfile::tempdir().unwrap();
        let program = tools.path().join("tool");
        std::fs::write(&program, "#!/bin/sh\necho tool in $PWD\n").unwrap();
        let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, runnable).unwrap();
        let trial = Trial::new();
        let mut order = trial.shell("");
        (order.program, order.args) = (program.display().to_string(), Vec::new());
        let done = sandbox.run(&order, &CancellationToken::new()).await.unwrap();
        assert_eq!(done.stdout, "tool in /workspace\n", "{done:?}");
    }

    #[test]
    fn the_wrappers_own_failure_is_not_the_programs() {
        assert_eq!(end(End::Exited(1), "{ \"child-pid\": 7 }\n"), None);
        let ran = "{ \"child-pid\": 7 }\n{ \"exit-code\": 3 }\n";
        assert_eq!(end(End::Exited(3), ran), Some(End::Exited(3)));
        assert_eq!(end(End::Exited(139), "{ \"exit-code\": 139 }"), Some(End::Signalled(11)));
        assert_eq!(end(End::TimedOut, ""), Some(End::TimedOut));
    }
}
