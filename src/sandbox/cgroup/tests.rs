//! Both versions on directories that look like them, and the real ones where there are some.

use super::*;

/// A directory that looks like a hierarchy.
fn hierarchy(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn a_delegated_group_of_the_second_version_is_divided() {
    let myself = std::process::id().to_string();
    let root = hierarchy(&[
        ("cgroup.controllers", "cpuset cpu io memory pids"),
        ("unit/cgroup.controllers", "cpu memory pids"),
        ("unit/cgroup.subtree_control", ""),
        ("unit/cgroup.procs", &myself),
    ]);
    let found = find::find(root.path(), "0::/unit\n");
    assert_eq!(found.unified, Some(root.path().join("unit")));
    assert_eq!(found.describe().unwrap(), "control groups v2: memory, pids, cpu");
    let read = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap();
    assert_eq!(read("unit/slipway-self/cgroup.procs"), myself, "we moved out of the way");
    assert_eq!(read("unit/cgroup.subtree_control"), "+memory +pids +cpu");
}

#[test]
fn a_group_somebody_else_lives_in_is_not_taken() {
    let root = hierarchy(&[
        ("cgroup.controllers", "cpu memory pids"),
        ("cgroup.subtree_control", "cpu memory pids"),
        ("session/cgroup.controllers", "cpu memory pids"),
        ("session/cgroup.subtree_control", ""),
        ("session/cgroup.procs", "1\n2\n"),
    ]);
    let found = find::find(root.path(), "0::/session\n");
    // These directories let anybody write, so here we are as root is.
    assert_eq!(found.unified, Some(root.path().join("slipway")));
    let read = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap();
    assert_eq!(read("session/cgroup.subtree_control"), "");
}

#[test]
fn the_first_version_has_a_directory_for_each_controller() {
    let root = hierarchy(&[("memory/a/x", ""), ("pids/x", ""), ("cpu/x", "")]);
    let own = "9:pids:/\n4:memory:/a\n2:cpu,cpuacct:/elsewhere\n0::/\n";
    let found = find::find(root.path(), own);
    assert_eq!(found.memory, Some(root.path().join("memory/a")));
    assert_eq!(found.pids, Some(root.path().join("pids")));
    assert_eq!(found.cpu, Some(root.path().join("cpu")), "a path of the host's is not here");
    assert_eq!(found.end, None);
    assert_eq!(find::find(Path::new("/nonexistent"), own).describe(), None);
}

#[test]
fn what_the_kernel_counts_is_read_in_both_versions() {
    for (file, text, breach) in [
        ("memory.events", "low 0\noom 1\noom_kill 2\n", Some(Limit::Memory)),
        ("memory.oom_control", "oom_kill_disable 0\noom_kill 1\n", Some(Limit::Memory)),
        ("memory.events", "oom_kill 0\n", None),
        ("pids.events", "max 3\n", Some(Limit::Pids)),
        ("pids.events", "max 0\n", None),
    ] {
        let root = hierarchy(&[(file, text)]);
        let here = Some(root.path().to_owned());
        let group = Group { directories: Vec::new(), memory: here.clone(), pids: here };
        assert_eq!(group.breach(), breach, "{file} {text}");
    }
}

#[test]
fn a_group_is_made_with_its_limits_and_leaves_nothing() {
    let cgroups = Cgroups::find();
    if cgroups.describe().is_none() {
        crate::process::say_aloud("no control group can be made here");
        return;
    }
    let limits = Limits { pids_max: 77, ..Limits::default() };
    let group = cgroups.create(&limits).unwrap();
    let directories = group.directories().to_owned();
    if let Some(pids) = &group.pids {
        assert_eq!(std::fs::read_to_string(pids.join("pids.max")).unwrap(), "77\n");
    }
    assert_eq!(group.breach(), None);
    drop(group);
    assert!(directories.iter().all(|directory| !directory.exists()));
}

#[test]
fn groups_of_the_dead_are_reaped_and_those_of_the_living_are_not() {
    let root = tempfile::tempdir().unwrap();
    let dead = root.path().join(owner::orphan_name());
    let ours = root.path().join(owner::name());
    for path in [&dead, &ours] {
        std::fs::create_dir(path).unwrap();
    }
    let cgroups = Cgroups { pids: Some(root.path().to_owned()), ..Cgroups::default() };
    assert_eq!(cgroups.reap(), 1);
    assert!(!dead.exists() && ours.exists());
}
