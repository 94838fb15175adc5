//! Which control groups we may make, and where.

use std::path::{Path, PathBuf};

use super::super::owner;
use super::Cgroups;

/// What bounds a program.
const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];
/// Our own processes go here where programs get groups beside them: a group of the second
/// version has either members or controllers.
const OURSELVES: &str = "slipway-self";
/// Where root makes groups when ours is not given to us.
const ELSEWHERE: &str = "slipway";

/// Looks below `root`, where the kernel shows control groups; `own` says which we are in.
pub(super) fn find(root: &Path, own: &str) -> Cgroups {
    if root.join("cgroup.controllers").exists() {
        let unified = delegated(&below(root, &of(own, ""))).or_else(|| elsewhere(root));
        return Cgroups { unified, ..Cgroups::default() };
    }
    let alone = |controller: &str| {
        let mount = root.join(controller);
        makes(&below(&mount, &of(own, controller)))
    };
    let beside = root.join("unified");
    let end = makes(&below(&beside, &of(own, ""))).filter(|_| beside.join("cgroup.procs").exists());
    Cgroups { unified: None, memory: alone("memory"), pids: alone("pids"), cpu: alone("cpu"), end }
}

/// Our group in the hierarchy of `controller`, as `/proc/self/cgroup` writes it.
fn of(own: &str, controller: &str) -> String {
    let line = own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (names, path) = rest.split_once(':')?;
        names.split(',').any(|name| name == controller).then_some(path)
    });
    line.unwrap_or("/").to_owned()
}

/// In a container the path may be the host's, which is not to be seen there.
fn below(mount: &Path, path: &str) -> PathBuf {
    let own = mount.join(path.trim_start_matches('/'));
    let known = path.split('/').all(|part| part != "..") && own.is_dir();
    if known { own } else { mount.to_owned() }
}

/// `base`, if a group can be made in it.
fn makes(base: &Path) -> Option<PathBuf> {
    let trial = base.join(owner::name());
    std::fs::create_dir(&trial).ok()?;
    std::fs::remove_dir(&trial).ok()?;
    Some(base.to_owned())
}

/// A group of the second version that is ours: its controllers are switched on for the groups
/// below it, and we move out of their way.
fn delegated(base: &Path) -> Option<PathBuf> {
    if offers(base, "cgroup.subtree_control") {
        return makes(base);
    }
    if !offers(base, "cgroup.controllers") {
        return None;
    }
    let myself = std::process::id().to_string();
    let members = std::fs::read_to_string(base.join("cgroup.procs")).ok()?;
    if members.lines().any(|member| member != myself) {
        // Somebody else lives here, so it was not given to us.
        return None;
    }
    let ourselves = base.join(OURSELVES);
    if !ourselves.is_dir() {
        std::fs::create_dir(&ourselves).ok()?;
    }
    std::fs::write(ourselves.join("cgroup.procs"), &myself).ok()?;
    switched_on(base)
}

/// Root may make a group of its own at the top.
fn elsewhere(root: &Path) -> Option<PathBuf> {
    let base = root.join(ELSEWHERE);
    if !base.is_dir() {
        switched_on(root)?;
        std::fs::create_dir(&base).ok()?;
    }
    switched_on(&base)
}

fn switched_on(base: &Path) -> Option<PathBuf> {
    if !offers(base, "cgroup.subtree_control") {
        let all = CONTROLLERS.map(|name| format!("+{name}")).join(" ");
        std::fs::write(base.join("cgroup.subtree_control"), all).ok()?;
    }
    makes(base)
}

fn offers(base: &Path, file: &str) -> bool {
    let text = std::fs::read_to_string(base.join(file)).unwrap_or_default();
    CONTROLLERS.iter().all(|name| text.split_whitespace().any(|there| there == *name))
}
