//! What `bwrap` is told, as data: an allow-list of mounts, and what is kept apart.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::inner::Inner;
use super::masks::Masks;
use super::place::Place;
use super::{STAGE, WORKSPACE};
use crate::sandbox::defence::{Defence, Defences};
use crate::sandbox::{HOME, Invocation, Tools};

/// Size of the private `/tmp` and `/dev/shm`, in bytes.
const TMP_BYTES_MAX: &str = "268435456";
const SHM_BYTES_MAX: &str = "67108864";
/// Our own things inside.
const OWN: &str = "/run/sbx";
/// Everything that needs no value and no defence of its own. With `--new-session` the program
/// cannot type into our terminal.
const SEPARATE: &[&str] = &[
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--new-session",
    "--hostname",
    "sandbox",
    "--uid",
    "1000",
    "--gid",
    "1000",
];
/// Parts of `/etc` programs need; the rest, and every socket of the host, is absent.
const ETC: &[&str] = &[
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
];
/// Parts of `/proc` that take orders.
const ORDERS: &[&str] = &[
    "/proc/sys",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
    "/proc/scsi",
    "/proc/sysrq-trigger",
];

/// What the arguments are made of.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) invocation: &'a Invocation,
    pub(super) program: &'a Path,
    pub(super) helper: &'a Path,
    pub(super) tools: &'a Tools,
    pub(super) place: &'a Place,
    pub(super) masks: &'a Masks,
    pub(super) defences: &'a Defences,
    /// Sources are shown to another user, which cannot walk to them.
    pub(super) staged: bool,
    /// No control group counts processes.
    pub(super) counts: bool,
    /// The probe wants to know.
    pub(super) tell: bool,
}

/// The arguments, and what has to be staged for them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) args: Vec<OsString>,
    pub(super) lent: Vec<(PathBuf, PathBuf)>,
    staged: bool,
}

impl Plan {
    pub(super) fn new(ask: &Ask<'_>) -> Self {
        let staged = ask.staged && ask.defences.has(Defence::Binds);
        let mut plan = Self { staged, ..Self::default() };
        plan.separate(ask);
        if ask.defences.has(Defence::Binds) {
            plan.system();
            plan.own(ask);
            plan.work(ask, Path::new(WORKSPACE));
            plan.words(&["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORKSPACE, "--"]);
            plan.inner(ask, Path::new(OWN));
        } else {
            plan.words(&["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]);
            for path in [&ask.invocation.directory, &ask.place.home()] {
                plan.bind("--bind", path, path);
            }
            let directory = ask.invocation.directory.clone();
            plan.args.extend(["--chdir".into(), directory.into(), "--".into()]);
            plan.inner(ask, Path::new(""));
        }
        plan
    }

    fn separate(&mut self, ask: &Ask<'_>) {
        self.words(SEPARATE);
        let has = |defence| ask.defences.has(defence);
        if has(Defence::Processes) && has(Defence::Death) {
            self.words(&["--unshare-pid"]);
        }
        if has(Defence::Death) {
            self.words(&["--die-with-parent"]);
        }
        if has(Defence::Userns) {
            self.words(&["--disable-userns", "--assert-userns-disabled"]);
        }
        // Without this, root would keep its powers.
        if has(Defence::Capabilities) {
            self.words(&["--cap-drop", "ALL"]);
        } else {
            self.words(&["--cap-add", "ALL"]);
        }
        if has(Defence::Network) {
            self.words(&["--unshare-net"]);
        }
    }

    /// The host's programs, and file systems of its own.
    fn system(&mut self) {
        self.words(&["--ro-bind", "/usr", "/usr"]);
        for name in ["bin", "sbin", "lib", "lib32", "lib64"] {
            // A link into `/usr` on most hosts, a directory on some.
            let path = Path::new("/").join(name);
            match std::fs::read_link(&path) {
                Ok(target) => self.args.extend(["--symlink".into(), target.into(), path.into()]),
                Err(_) => self.open_bind("--ro-bind-try", &path),
            }
        }
        for path in ETC {
            self.open_bind("--ro-bind-try", Path::new(path));
        }
        self.words(&["--proc", "/proc", "--dev", "/dev"]);
        for path in ORDERS {
            self.open_bind("--ro-bind-try", Path::new(path));
        }
        self.words(&["--perms", "1777", "--size", TMP_BYTES_MAX, "--tmpfs", "/tmp"]);
        self.words(&["--perms", "1777", "--size", SHM_BYTES_MAX, "--tmpfs", "/dev/shm"]);
    }

    /// Our files, our helper, the operator's tools, the doors.
    fn own(&mut self, ask: &Ask<'_>) {
        for (from, to) in ask.place.etc() {
            self.bind("--ro-bind", &from, &to);
        }
        let mut lent: Vec<&PathBuf> = Vec::new();
        for path in
            ask.tools.read_only.iter().chain(&ask.tools.path).chain(&ask.invocation.read_only)
        {
            if !path.starts_with("/usr") && !lent.contains(&path) {
                lent.push(path);
            }
        }
        let known = ["/usr", "/bin", "/sbin"].iter().any(|path| ask.program.starts_with(path));
        if !known && !lent.iter().any(|path| ask.program.starts_with(path)) {
            self.bind("--ro-bind", ask.program, ask.program);
        }
        let kind = if ask.defences.has(Defence::Lent) { "--ro-bind-try" } else { "--bind-try" };
        for path in lent {
            self.bind(kind, path, path);
        }
        self.bind("--ro-bind", ask.helper, &Path::new(OWN).join("slipway"));
        for door in &ask.invocation.doors {
            self.bind("--ro-bind", &door.socket, &socket(Path::new(OWN), door.port));
        }
        if !ask.invocation.doors.is_empty() {
            self.bind("--bind", &ask.place.pulse(), &Path::new(OWN).join("pulse"));
        }
    }

    /// What may be written, and what of it may not.
    fn work(&mut self, ask: &Ask<'_>, workspace: &Path) {
        self.bind("--bind", &ask.place.home(), Path::new(HOME));
        self.bind("--bind", &ask.invocation.directory, workspace);
        for (path, is_dir) in &ask.masks.covered {
            let nothing = ask.place.nothing(path, *is_dir);
            self.bind("--ro-bind", &nothing, &workspace.join(path));
        }
    }

    /// The helper inside, and through it the program. `own` is where our things are, nowhere
    /// when the host's root is bound.
    fn inner(&mut self, ask: &Ask<'_>, own: &Path) {
        let bound = own.as_os_str().is_empty();
        let (helper, home, work) = if bound {
            (ask.helper.to_owned(), ask.place.home(), ask.invocation.directory.clone())
        } else {
            (own.join("slipway"), HOME.into(), WORKSPACE.into())
        };
        let doors = ask.invocation.doors.iter();
        let inner = Inner {
            doors: doors
                .map(|door| {
                    let inside = socket(own, door.port);
                    (door.port, if bound { door.socket.clone() } else { inside })
                })
                .collect(),
            pulse: (!bound && !ask.invocation.doors.is_empty()).then(|| own.join("pulse")),
            landlock: ask.defences.has(Defence::Landlock),
            write: [work, home, "/tmp".into(), "/dev".into(), "/proc".into()].into(),
            pids_max: ask.counts.then_some(ask.invocation.limits.pids_max),
            tell: ask.tell,
            program: ask.program.to_owned(),
            args: ask.invocation.args.iter().map(OsString::from).collect(),
        };
        self.args.push(helper.into());
        self.args.extend(inner.words());
    }

    fn words(&mut self, words: &[&str]) {
        self.args.extend(words.iter().map(OsString::from));
    }

    /// Binds what every user of the host can reach at the same path.
    fn open_bind(&mut self, kind: &str, path: &Path) {
        self.args.extend([kind.into(), path.into(), path.into()]);
    }

    fn bind(&mut self, kind: &str, from: &Path, to: &Path) {
        let from = if self.staged {
            let stage = Path::new(STAGE).join(self.lent.len().to_string());
            self.lent.push((from.to_owned(), stage.clone()));
            stage
        } else {
            from.to_owned()
        };
        self.args.extend([kind.into(), from.into(), to.into()]);
    }
}

/// Where the socket behind a port is seen.
fn socket(own: &Path, port: u16) -> PathBuf {
    own.join("sock").join(port.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Door;
    use crate::sandbox::trial::Trial;

    fn plan(change: impl FnOnce(&mut Invocation), defences: &Defences, staged: bool) -> Plan {
        let trial = Trial::new();
        let mut invocation = trial.shell("true");
        change(&mut invocation);
        let base = tempfile::tempdir().unwrap();
        let place = Place::new(base.path(), None, &invocation.home).unwrap();
        let masks = Masks::new(&invocation.directory, &invocation.masks).unwrap();
        Plan::new(&Ask {
            invocation: &invocation,
            program: Path::new("/usr/bin/env"),
            helper: Path::new("/opt/slipway"),
            tools: &Tools { path: vec!["/opt/tools".into()], read_only: vec!["/opt/tools".into()] },
            place: &place,
            masks: &masks,
            defences,
            staged,
            counts: false,
            tell: false,
        })
    }

    fn line(plan: &Plan) -> String {
        let words: Vec<_> = plan.args.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn nothing_of_the_host_is_bound_but_what_is_listed() {
        let plan = plan(|_| (), &Defences::all(), false);
        let mut words = plan.args.iter().map(|word| word.to_string_lossy().into_owned());
        let mut bound = Vec::new();
        while let Some(word) = words.next() {
            if word.starts_with("--ro-bind") || word == "--bind" {
                bound.push((word, words.next().unwrap(), words.next().unwrap()));
            }
        }
        for (_, from, _) in &bound {
            for closed in ["/", "/run", "/var", "/tmp", "/etc", "/home", "/root", "/proc", "/dev"] {
                assert_ne!(from, closed);
            }
        }
        let written: Vec<_> =
            bound.iter().filter(|one| one.0 == "--bind").map(|one| one.2.as_str()).collect();
        assert_eq!(written, [HOME, WORKSPACE], "only these may be written");
        let line = line(&plan);
        assert_eq!(line.matches("/opt/tools /opt/tools").count(), 1, "{line}");
        for needed in ["--unshare-net", "--cap-drop ALL", "--assert-userns-disabled"] {
            assert!(line.contains(needed), "{line}");
        }
        assert!(!line.contains("--setenv") && !line.contains("given"), "{line}");
    }

    #[test]
    fn each_defence_is_an_argument_that_can_be_missed() {
        for (defence, argument) in [
            (Defence::Capabilities, "--cap-drop ALL"),
            (Defence::Userns, "--disable-userns"),
            (Defence::Network, "--unshare-net"),
            (Defence::Processes, "--unshare-pid"),
            (Defence::Death, "--die-with-parent"),
            (Defence::Landlock, "--landlock"),
            (Defence::Lent, "--ro-bind-try /opt/tools"),
        ] {
            let all = line(&plan(|_| (), &Defences::all(), false));
            let less = line(&plan(|_| (), &Defences::all().without(defence), false));
            assert!(all.contains(argument) && !less.contains(argument), "{defence:?}: {less}");
        }
        let open = line(&plan(|_| (), &Defences::all().without(Defence::Binds), true));
        assert!(open.contains("--ro-bind / /"), "{open}");
    }

    #[test]
    fn doors_masks_and_lent_directories_have_their_places() {
        let change = |invocation: &mut Invocation| {
            invocation.doors.push(Door { port: 3_128, socket: "/srv/proxy.sock".into() });
            let masks = [".agents/", "CLAUDE.md", ".tool.yml"];
            invocation.masks = masks.map(str::to_owned).into();
            invocation.read_only.push("/srv/mirror/objects".into());
        };
        let line = line(&plan(change, &Defences::all(), false));
        assert!(line.contains("--ro-bind /srv/proxy.sock /run/sbx/sock/3128"), "{line}");
        assert!(line.contains("--door 3128 /run/sbx/sock/3128"), "{line}");
        assert!(line.contains("nothing /workspace/.agents --ro-bind"), "{line}");
        assert!(line.contains("empty /workspace/CLAUDE.md"), "{line}");
        assert!(line.contains("object /workspace/.tool.yml"), "{line}");
        assert!(line.contains("--ro-bind-try /srv/mirror/objects /srv/mirror/objects"), "{line}");
    }

    #[test]
    fn for_another_user_every_source_of_ours_is_staged() {
        let plan = plan(|_| (), &Defences::all(), true);
        assert!(plan.lent.len() >= 8, "{:?}", plan.lent);
        let line = line(&plan);
        for (index, (from, to)) in plan.lent.iter().enumerate() {
            assert_eq!(*to, Path::new(STAGE).join(index.to_string()));
            assert!(line.contains(&format!("{} ", to.display())), "{}", from.display());
        }
    }
}
