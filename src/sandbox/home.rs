//! Files that are laid into a home, also into one that a stranger's program has lived in.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, fchown, mkdirat, open, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

/// Most files laid into one home.
const FILES_MAX: usize = 32;

/// A file for a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeFile {
    /// Below the home: plain names, divided by slashes.
    pub path: String,
    pub text: String,
}

/// Opened so that a link is an error and nothing is waited for.
const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// Lays `files` into `home`, for `owner` when that is not ourselves. What stands where a file
/// goes is replaced; a link on the way there is an error, wherever it points.
pub(super) fn lay(home: &Path, files: &[HomeFile], owner: Option<u32>) -> io::Result<()> {
    if files.len() > FILES_MAX {
        return Err(io::Error::other(format!("more than {FILES_MAX} files for one home")));
    }
    if files.is_empty() {
        return Ok(());
    }
    let root = open(home, DIRECTORY, Mode::empty())?;
    for file in files {
        one(&root, file, owner).map_err(|why| {
            io::Error::new(why.kind(), format!("{} cannot be laid into the home: {why}", file.path))
        })?;
    }
    Ok(())
}

fn one(root: &OwnedFd, file: &HomeFile, owner: Option<u32>) -> io::Result<()> {
    let mut parts: Vec<&str> = file.path.split('/').collect();
    let plain = |part: &&str| !part.is_empty() && **part != *"." && **part != *"..";
    if !parts.iter().all(plain) {
        return Err(io::Error::other("it is not a path of plain names"));
    }
    let name = parts.pop().unwrap_or_default();
    let mut at = openat(root, ".", DIRECTORY, Mode::empty())?;
    for part in parts {
        match mkdirat(&at, part, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(why) => return Err(why.into()),
        }
        at = openat(&at, part, DIRECTORY, Mode::empty())?;
        give(&at, owner)?;
    }
    match unlinkat(&at, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(why) => return Err(why.into()),
    }
    let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(&at, name, how, Mode::RUSR | Mode::WUSR)?;
    give(&made, owner)?;
    std::fs::File::from(made).write_all(file.text.as_bytes())
}

fn give(file: &OwnedFd, owner: Option<u32>) -> io::Result<()> {
    let Some(uid) = owner else { return Ok(()) };
    Ok(fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(uid)))?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn file(path: &str) -> HomeFile {
        HomeFile { path: path.to_owned(), text: "text".to_owned() }
    }

    #[test]
    fn files_and_their_directories_are_for_one_user_only() {
        let home = tempfile::tempdir().unwrap();
        lay(home.path(), &[file("a/b/c"), file("d")], None).unwrap();
        lay(home.path(), &[file("a/b/c")], None).unwrap();
        for (path, mode) in [("a/b/c", 0o600), ("a/b", 0o700), ("d", 0o600)] {
            let found = std::fs::metadata(home.path().join(path)).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{path}");
        }
        assert_eq!(std::fs::read_to_string(home.path().join("a/b/c")).unwrap(), "text");
    }

    #[test]
    fn a_link_that_was_left_in_a_home_leads_nowhere() {
        let (home, host) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(host.path(), home.path().join("out")).unwrap();
        assert!(lay(home.path(), &[file("out/key")], None).is_err());
        symlink(host.path().join("key"), home.path().join("key")).unwrap();
        lay(home.path(), &[file("key")], None).unwrap();
        assert_eq!(std::fs::read_dir(host.path()).unwrap().count(), 0);
        assert!(!home.path().join("key").is_symlink());
    }

    #[test]
    fn only_plain_paths_and_so_many_of_them_are_laid() {
        let home = tempfile::tempdir().unwrap();
        for path in ["../a", "/etc/a", "a/../b", "", "a/", "."] {
            assert!(lay(home.path(), &[file(path)], None).is_err(), "{path:?}");
        }
        let many: Vec<_> = (0..=FILES_MAX).map(|n| file(&format!("f{n}"))).collect();
        assert!(lay(home.path(), &many, None).is_err());
        lay(home.path(), &many[1..], None).unwrap();
    }
}
