//! What the engines' clients are told, as lists of arguments: pure, and the whole protection.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Wanted, words};
use crate::process::{self, Order};
use crate::sandbox::{Door, Error, FILE_BYTES_MAX, HOME, Invocation, OPEN_FILES_MAX, Tools};

/// Where things are inside.
pub(super) const WORKSPACE: &str = "/workspace";
const PROGRAM: &str = "/sbx/sbx";
const SOCKETS: &str = "/sbx/sock";
/// The mode of our own program that is the first inside.
const INNER: &str = "sandbox-inner";
/// The user of a program, who is nobody on any host.
const NOBODY: u32 = 65_532;
/// The network of Apple's containers; made by the operator, with `--internal`.
pub(super) const APPLE_NETWORK: &str = "slipway";
/// Marks our containers.
pub(super) const LABEL: &str = "slipway.owner";
/// Says that the program is not in the image; the code alone could be the program's own.
pub(super) const NO_PROGRAM: &str = "slipway: there is no such program in the image";
const CODE_NO_PROGRAM: &str = "125";

/// Whose container it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Docker,
    Podman,
    /// Apple's `container`.
    Apple,
}

impl Engine {
    /// The client's name.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Apple => "container",
        }
    }
}

/// Who a program is inside, so that it can write its checkout and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    /// Nobody. The engine is root and so are we: the checkout is given to him for the time.
    Nobody,
    /// Nobody, who outside is us: rootless Podman maps one to the other.
    Mapped,
    /// Root inside a rootless Docker, who outside is us, without capabilities.
    Root,
    /// Ourselves: the engine is root, and we are not and could give nothing away.
    Ours(u32, u32),
}

impl User {
    pub(super) fn of(engine: Engine, rootless: bool) -> Self {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        match (engine, rootless) {
            (Engine::Podman, true) | (Engine::Apple, _) => Self::Mapped,
            (Engine::Docker, true) => Self::Root,
            (Engine::Docker | Engine::Podman, false) if uid.is_root() => Self::Nobody,
            (Engine::Docker | Engine::Podman, false) => Self::Ours(uid.as_raw(), gid.as_raw()),
        }
    }

    pub(super) fn is_rootless(self) -> bool {
        match self {
            Self::Mapped | Self::Root => true,
            Self::Nobody | Self::Ours(..) => false,
        }
    }

    fn ids(self) -> (u32, u32) {
        match self {
            Self::Nobody | Self::Mapped => (NOBODY, NOBODY),
            Self::Root => (0, 0),
            Self::Ours(uid, gid) => (uid, gid),
        }
    }

    pub(super) async fn hand_over(self, directory: &Path) -> Result<(), Error> {
        match self {
            Self::Nobody => owned_by((NOBODY, NOBODY), directory).await,
            Self::Mapped | Self::Root | Self::Ours(..) => Ok(()),
        }
    }

    pub(super) async fn take_back(self, directory: &Path) -> Result<(), Error> {
        match self {
            Self::Nobody => owned_by((0, 0), directory).await,
            Self::Mapped | Self::Root | Self::Ours(..) => Ok(()),
        }
    }
}

/// Never follows a link: what is in the directory is a stranger's.
async fn owned_by((uid, gid): (u32, u32), directory: &Path) -> Result<(), Error> {
    let program = Tools::default().find("chown")?;
    let mut args = words(&["-hR", &format!("{uid}:{gid}"), "--"]);
    args.push(directory.into());
    let order = Order {
        program,
        args,
        env: Vec::new(),
        directory: PathBuf::from("/"),
        stdin: Vec::new(),
        wall_max: Duration::from_mins(5),
        output_bytes_max: 4_096,
        stranger: false,
        asks: process::ASK,
    };
    let done = process::run(&order, &CancellationToken::new()).await;
    let done = done.map_err(|error| Error(error.to_string()))?;
    if done.end == process::End::Exited(0) {
        return Ok(());
    }
    Err(Error(format!("the checkout cannot be handed over: {}", done.stderr.text().trim())))
}

/// A program inside is somebody else for the host, and has to reach the sockets it is lent.
pub(super) fn lend_sockets(doors: &[Door]) -> std::io::Result<()> {
    for door in doors {
        std::fs::set_permissions(&door.socket, std::fs::Permissions::from_mode(0o666))?;
        if let Some(directory) = door.socket.parent() {
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o711))?;
        }
    }
    Ok(())
}

/// What of the wishes an engine cannot do.
pub(super) fn check(engine: Engine, wanted: &Wanted) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error(why.to_owned()));
    match (engine, &wanted.runtime, &wanted.gpus) {
        (Engine::Apple, Some(_), _) => refuse("Apple's container has no other runtimes"),
        (Engine::Apple, _, Some(_)) => refuse("Apple's container cannot lend a GPU"),
        (Engine::Apple, ..) if wanted.seccomp.is_some() => {
            refuse("Apple's container takes no seccomp profile: its virtual machine is the wall")
        }
        (Engine::Docker | Engine::Podman | Engine::Apple, ..) => Ok(()),
    }
}

/// Unlike every other container's on this machine.
pub(super) fn name(owner: &str, random: u64) -> String {
    format!("slipway-{owner}-{random:016x}")
}

/// What one container is made from.
pub(super) struct Frame<'a> {
    pub(super) engine: Engine,
    pub(super) wanted: &'a Wanted,
    pub(super) user: User,
    pub(super) name: &'a str,
    /// A home of the host's, where files were laid or stay; one in memory without it.
    pub(super) home: Option<&'a Path>,
    pub(super) tools: &'a Tools,
}

/// Everything the client is told to run `invocation`.
pub(super) fn run(frame: &Frame<'_>, invocation: &Invocation) -> Result<Vec<OsString>, Error> {
    let mut args = match frame.engine {
        Engine::Docker => docker(frame),
        Engine::Podman => podman(frame),
        Engine::Apple => return apple(frame, invocation),
    };
    args.extend(walls(frame));
    args.extend(limits(frame));
    if let Some(gpus) = &frame.wanted.gpus {
        args.extend(words(&match (frame.engine, gpus.as_str()) {
            (Engine::Docker, "all") => ["--gpus", "all"],
            (_, "all") => ["--device", "nvidia.com/gpu=all"],
            (_, device) => ["--device", device],
        }));
    }
    args.extend(mount(&invocation.directory, Path::new(WORKSPACE), false)?);
    if let Some(home) = frame.home {
        args.extend(mount(home, Path::new(HOME), false)?);
    }
    for door in &invocation.doors {
        let directory = door.socket.parent().unwrap_or(&door.socket);
        args.extend(mount(directory, &inside(door.port), true)?);
    }
    args.extend(mount(&frame.wanted.program, Path::new(PROGRAM), true)?);
    let tools = frame.tools.read_only.iter().chain(&frame.tools.path);
    for lent in tools.chain(&invocation.read_only) {
        args.extend(mount(lent, lent, true)?);
    }
    args.extend(words(&["--workdir", WORKSPACE]));
    args.extend(environment(frame, invocation)?);
    args.extend(words(&["--entrypoint", PROGRAM, &frame.wanted.image]));
    args.extend(inner(&invocation.doors));
    args.extend(command(invocation));
    Ok(args)
}

fn docker(frame: &Frame<'_>) -> Vec<OsString> {
    let mut args = words(&["run"]);
    if let Some(runtime) = &frame.wanted.runtime {
        args.extend(words(&["--runtime", runtime]));
    }
    args
}

/// Sockets of the host cross into gVisor only when it is told so; Docker has that in its
/// daemon's own configuration.
fn podman(frame: &Frame<'_>) -> Vec<OsString> {
    let mut args = Vec::new();
    if let Some(runtime) = &frame.wanted.runtime {
        args.extend(words(&["--runtime", runtime]));
        if runtime.contains("runsc") {
            args.extend(words(&["--runtime-flag", "host-uds=open"]));
        }
    }
    args.extend(words(&["run", "--cgroups=enabled", "--read-only-tmpfs=false"]));
    args.push("--http-proxy=false".into());
    if frame.user == User::Mapped {
        args.push(format!("--userns=keep-id:uid={NOBODY},gid={NOBODY}").into());
    }
    args
}

/// What may not be done. Without `--rm`: how it ended is read from the dead container, which is
/// then removed by name.
fn walls(frame: &Frame<'_>) -> Vec<OsString> {
    let (uid, gid) = frame.user.ids();
    let mut args = words(&["--init", "--interactive", "--pull=never"]);
    args.extend(words(&["--name", frame.name]));
    args.extend(words(&["--label", &format!("{LABEL}={}", frame.wanted.owner)]));
    args.extend(words(&["--network", "none", "--read-only", "--user", &format!("{uid}:{gid}")]));
    args.extend(words(&["--cap-drop", "ALL", "--security-opt", "no-new-privileges=true"]));
    if let Some(profile) = &frame.wanted.seccomp {
        let option = format!("seccomp={}", profile.display());
        args.extend(words(&["--security-opt", &option]));
    }
    args.extend(words(&["--ipc", "private", "--cgroupns", "private", "--hostname", "sandbox"]));
    args.extend(words(&["--log-driver", "none", "--stop-timeout", "5"]));
    args
}

fn limits(frame: &Frame<'_>) -> Vec<OsString> {
    let wanted = frame.wanted;
    let (memory, pids) = (format!("{}m", wanted.memory_mb_max), wanted.pids_max.to_string());
    let (uid, gid) = frame.user.ids();
    let mut args = words(&["--pids-limit", &pids, "--memory", &memory, "--memory-swap", &memory]);
    args.extend(words(&["--cpus", &wanted.cpus_max.to_string()]));
    for (what, max) in [
        ("nofile", u64::from(OPEN_FILES_MAX)),
        ("nproc", wanted.pids_max.into()),
        ("fsize", FILE_BYTES_MAX),
    ] {
        args.extend(words(&["--ulimit", &format!("{what}={max}:{max}")]));
    }
    args.extend(words(&["--ulimit", "core=0", "--shm-size", "64m"]));
    args.extend(words(&["--tmpfs", "/tmp:rw,nosuid,nodev,size=256m,mode=1777"]));
    if frame.home.is_none() {
        let home = format!("{HOME}:rw,nosuid,nodev,size=512m,uid={uid},gid={gid},mode=0700");
        args.extend(words(&["--tmpfs", &home]));
    }
    args
}

/// Commas separate the parts of a mount, and no client agrees with another on how to quote.
fn mount(from: &Path, to: &Path, read_only: bool) -> Result<[OsString; 2], Error> {
    let (from, to) = (plain(from)?, plain(to)?);
    let read_only = if read_only { ",readonly" } else { "" };
    Ok(["--mount".into(), format!("type=bind,src={from},dst={to}{read_only}").into()])
}

fn plain(path: &Path) -> Result<&str, Error> {
    let text = path.to_str().filter(|text| !text.contains([',', '"', '\n', '=']));
    text.ok_or_else(|| Error(format!("{} cannot be named to the engine", path.display())))
}

fn inside(port: u16) -> PathBuf {
    Path::new(SOCKETS).join(port.to_string())
}

/// Our program as the first inside, in the mode that opens doors, gives up what is left to give
/// up, and becomes what follows.
fn inner(doors: &[Door]) -> Vec<OsString> {
    let mut args = words(&[INNER]);
    for door in doors {
        let socket = inside(door.port).join(door.socket.file_name().unwrap_or_default());
        args.extend(["--door".into(), door.port.to_string().into(), socket.into()]);
    }
    for directory in [WORKSPACE, HOME, "/tmp", "/dev", "/proc"] {
        args.extend(words(&["--write", directory]));
    }
    args.extend(words(&["--landlock", "--"]));
    args
}

/// What is run, after a look whether it is in the image.
fn command(invocation: &Invocation) -> Vec<OsString> {
    let script = format!(
        "command -v -- \"$0\" >/dev/null 2>&1 || {{ echo '{NO_PROGRAM}' >&2; \
         exit {CODE_NO_PROGRAM}; }}; exec \"$0\" \"$@\""
    );
    let mut args = words(&["/bin/sh", "-c", &script, &invocation.program]);
    args.extend(invocation.args.iter().map(OsString::from));
    args
}

/// Values of ours are told; those of the invocation are inherited, because every user of the
/// host can read a command line.
fn environment(frame: &Frame<'_>, invocation: &Invocation) -> Result<Vec<OsString>, Error> {
    let mut args = Vec::new();
    let path = format!("PATH={}", frame.tools.search());
    for own in [path.as_str(), "HOME=/home/agent", "TMPDIR=/tmp", "LANG=C.UTF-8"] {
        args.extend(words(&["--env", own]));
    }
    for (name, value) in &invocation.env {
        if !may_be_set(name) || value.contains('\0') {
            return Err(Error(format!("the variable {name:?} may not be set")));
        }
        args.extend(words(&["--env", name]));
    }
    Ok(args)
}

/// The client reads its own environment: what steers it, or its loader, is not set.
fn may_be_set(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let steers = [
        "LD_",
        "DYLD_",
        "DOCKER_",
        "CONTAINER",
        "PODMAN_",
        "BUILDKIT_",
        "REGISTRY_",
        "XDG_",
        "STORAGE_",
        "DBUS_",
        "NOTIFY_",
        "LISTEN_",
    ];
    let own = ["PATH", "HOME", "TMPDIR", "LANG", "USER"];
    plain
        && !name.is_empty()
        && !own.contains(&name)
        && !steers.iter().any(|steers| name.starts_with(steers))
}

/// A machine for each container. Its wall is the machine's, so it has fewer flags; and what a
/// macOS program could do inside is nothing, so there is no helper and no door.
fn apple(frame: &Frame<'_>, invocation: &Invocation) -> Result<Vec<OsString>, Error> {
    if !invocation.doors.is_empty() {
        let why = "Apple's container cannot be lent a way out: no socket of the host crosses; \
                   leave the agent's hosts out, or use another sandbox";
        return Err(Error(why.to_owned()));
    }
    let wanted = frame.wanted;
    let (uid, _) = frame.user.ids();
    let mut args = words(&["run", "--init", "--interactive", "--name", frame.name]);
    args.extend(words(&["--label", &format!("{LABEL}={}", wanted.owner), "--read-only"]));
    args.extend(words(&["--cap-drop", "ALL", "--user", &uid.to_string()]));
    args.extend(words(&["--cpus", &wanted.cpus_max.to_string()]));
    args.extend(words(&["--memory", &format!("{}M", wanted.memory_mb_max)]));
    args.extend(words(&["--ulimit", &format!("nofile={OPEN_FILES_MAX}"), "--shm-size", "64M"]));
    args.extend(words(&["--tmpfs", "/tmp"]));
    match frame.home {
        Some(home) => args.extend(mount(home, Path::new(HOME), false)?),
        None => args.extend(words(&["--tmpfs", HOME])),
    }
    args.extend(words(&["--no-dns", "--network", APPLE_NETWORK]));
    let directory = plain(&invocation.directory)?;
    args.extend(words(&["--mount", &format!("type=bind,source={directory},target={WORKSPACE}")]));
    let tools = frame.tools.read_only.iter().chain(&frame.tools.path);
    for lent in tools.chain(&invocation.read_only) {
        let lent = plain(lent)?;
        let option = format!("type=bind,source={lent},target={lent},readonly");
        args.extend(words(&["--mount", &option]));
    }
    args.extend(words(&["--workdir", WORKSPACE]));
    args.extend(environment(frame, invocation)?);
    args.extend(words(&[&wanted.image]));
    args.extend(command(invocation));
    Ok(args)
}
