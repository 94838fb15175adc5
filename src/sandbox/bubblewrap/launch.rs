//! The mode outside: makes of a process of ours one of nobody's, and becomes `bwrap`.
//!
//! In this order, because each step takes away what the one before needed: control groups,
//! limits, the mounts an unknown user could not reach, what stays open, the user.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, memfd_create};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_change,
    move_mount, open_tree,
};
use rustix::process::{Resource, Rlimit, setrlimit, umask};
use rustix::thread::UnshareFlags;

use super::{STAGE, filter};
use crate::process::replace;
use crate::sandbox::{FILE_BYTES_MAX, OPEN_FILES_MAX};

/// The hidden subcommand.
pub const SUBCOMMAND: &str = "sandbox-launch";
/// Pages a program may lock, in bytes.
const LOCKED_BYTES_MAX: u64 = 64 * 1024;

/// What to do; made and read by this file alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Launch {
    /// Control groups to join.
    pub(super) groups: Vec<PathBuf>,
    /// Where `bwrap` tells how the program ended.
    pub(super) status: PathBuf,
    /// The user to become.
    pub(super) user: Option<u32>,
    /// What that user could not reach, and where below [`STAGE`] it is shown to it.
    pub(super) lent: Vec<(PathBuf, PathBuf)>,
    pub(super) filter: bool,
    pub(super) close: bool,
    pub(super) limits: bool,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
}

impl Launch {
    /// As arguments of our own binary.
    pub(super) fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![SUBCOMMAND.into()];
        for group in &self.groups {
            words.extend(["--group".into(), group.into()]);
        }
        words.extend(["--status".into(), (&self.status).into()]);
        if let Some(user) = self.user {
            words.extend(["--user".into(), user.to_string().into()]);
        }
        for (from, to) in &self.lent {
            words.extend(["--lend".into(), from.into(), to.into()]);
        }
        for (given, flag) in
            [(self.filter, "--filter"), (self.close, "--close"), (self.limits, "--limits")]
        {
            words.extend(given.then(|| flag.into()));
        }
        words.extend(["--".into(), (&self.program).into()]);
        words.extend(self.args.iter().cloned());
        words
    }

    fn read(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut read = Self::default();
        loop {
            match words.next()?.to_str()? {
                "--group" => read.groups.push(words.next()?.into()),
                "--status" => read.status = words.next()?.into(),
                "--user" => read.user = Some(words.next()?.to_str()?.parse().ok()?),
                "--lend" => read.lent.push((words.next()?.into(), words.next()?.into())),
                "--filter" => read.filter = true,
                "--close" => read.close = true,
                "--limits" => read.limits = true,
                "--" => break,
                _unknown => return None,
            }
        }
        read.program = words.next()?.into();
        read.args = words.collect();
        Some(read)
    }
}

/// Never returns but with the reason why not.
pub fn launch(words: impl Iterator<Item = OsString>) -> String {
    let Some(launch) = Launch::read(words) else { return "these are no orders".to_owned() };
    match prepare(&launch) {
        Ok((own, _open)) => {
            let args: Vec<OsString> = own.into_iter().chain(launch.args).collect();
            let why = replace(&launch.program, &args, launch.user);
            format!("{}: {why}", launch.program.display())
        }
        Err(why) => why,
    }
}

/// The first arguments of `bwrap`, and what has to stay open until it is there.
fn prepare(launch: &Launch) -> Result<(Vec<OsString>, Vec<OwnedFd>), String> {
    let told = |what: &str| {
        let what = what.to_owned();
        move |why: io::Error| format!("{what}: {why}")
    };
    for group in &launch.groups {
        let join = std::fs::write(group.join("cgroup.procs"), "0");
        join.map_err(told(&format!("{} cannot be joined", group.display())))?;
    }
    if launch.limits {
        limits().map_err(told("limits cannot be set"))?;
    }
    umask(Mode::WGRP | Mode::WOTH);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
    let status = rustix::fs::open(&launch.status, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|why| told("the status file cannot be written")(why.into()))?;
    let mut args = vec!["--json-status-fd".into(), status.as_raw_fd().to_string().into()];
    let mut open = vec![status];
    if launch.filter {
        let filter = in_memory(&filter::program()?).map_err(told("the filter"))?;
        args.extend(["--seccomp".into(), filter.as_raw_fd().to_string().into()]);
        open.push(filter);
    }
    if !launch.lent.is_empty() {
        lend(&launch.lent).map_err(told("the workspace cannot be lent to another user"))?;
    }
    if launch.close {
        let keep: Vec<i32> = open.iter().map(AsRawFd::as_raw_fd).collect();
        close_fds::set_fds_cloexec(3, &keep);
    }
    Ok((args, open))
}

fn limits() -> io::Result<()> {
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, FILE_BYTES_MAX),
        (Resource::Nofile, u64::from(OPEN_FILES_MAX)),
        (Resource::Memlock, LOCKED_BYTES_MAX),
        (Resource::Msgqueue, 0),
    ] {
        let now = rustix::process::getrlimit(resource);
        let most = now.maximum.map_or(most, |hard| hard.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// A file that exists nowhere, read from its beginning.
fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = std::fs::File::from(memfd_create("filter", MemfdFlags::empty())?);
    file.write_all(bytes)?;
    let file = OwnedFd::from(file);
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0))?;
    Ok(file)
}

/// Shows each source under its stage in a mount namespace of our own. The user we become may
/// not walk through the directories above a source, and need not.
fn lend(lent: &[(PathBuf, PathBuf)]) -> io::Result<()> {
    #[expect(deprecated, reason = "safe for mounts: unsafe is only the table of descriptors")]
    rustix::thread::unshare(UnshareFlags::NEWNS)?;
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    let mut trees = Vec::new();
    for (from, to) in lent {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        match open_tree(CWD, from, flags) {
            Ok(tree) => trees.push((tree, from.is_dir(), to)),
            // Lent where it exists, as `--ro-bind-try` binds.
            Err(rustix::io::Errno::NOENT) => {}
            Err(why) => {
                let why = io::Error::from(why);
                return Err(io::Error::new(why.kind(), format!("{}: {why}", from.display())));
            }
        }
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", STAGE, "tmpfs", flags, Some(c"mode=0755,size=1m"))?;
    for (tree, is_dir, to) in trees {
        place(to, is_dir)?;
        move_mount(&tree, "", CWD, to, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    }
    Ok(())
}

/// Something to mount on.
fn place(path: &Path, is_dir: bool) -> io::Result<()> {
    if is_dir { std::fs::create_dir(path) } else { std::fs::File::create_new(path).map(drop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_the_command_line() {
        let launch = Launch {
            groups: vec!["/a".into(), "/b".into()],
            status: "/run/status".into(),
            user: Some(70_000),
            lent: vec![("/root/--".into(), "/tmp/0".into())],
            filter: true,
            close: true,
            limits: true,
            program: "/usr/bin/bwrap".into(),
            args: vec!["--group".into(), "x".into()],
        };
        let mut words = launch.words().into_iter();
        assert_eq!(words.next().unwrap(), SUBCOMMAND);
        assert_eq!(Launch::read(words), Some(launch));
    }

    #[test]
    fn orders_nobody_knows_are_not_guessed() {
        for words in [vec![], vec!["--"], vec!["--user", "x", "--", "p"], vec!["--uid", "--", "p"]]
        {
            assert_eq!(Launch::read(words.into_iter().map(OsString::from)), None);
        }
    }
}
