//! Trees that a stranger wrote: counted and handed over without ever following a link.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, openat, statat, unlinkat,
};

/// Deeper directories are not entered; each level holds a descriptor.
const DEPTH_MAX: usize = 200;
/// Bytes of a block in `stat`.
const BLOCK_BYTES: u64 = 512;

/// What a tree takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Use {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

/// Counts a tree, and stops beyond the given bounds. What disappears meanwhile does not count.
pub(super) fn measure(root: &Path, bytes_max: u64, files_max: u64) -> Use {
    let mut found = Use::default();
    let count = |_: &OwnedFd, _: &CString, stat: &rustix::fs::Stat| {
        found.bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * BLOCK_BYTES;
        found.files += 1;
        found.bytes <= bytes_max && found.files <= files_max
    };
    if let Ok(root) = open(root)
        && walk(&root, 0, &mut { count }).is_err()
    {
        // Nested beyond reason: more files than anybody allowed.
        found.files = files_max.saturating_add(1);
    }
    found
}

/// Gives a tree to the user and group `id`. Nothing may run in it meanwhile.
pub(super) fn hand_over(root: &Path, id: u32) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    let root = open(root)?;
    let mut failed = None;
    let mut give = |parent: &OwnedFd, name: &CString, stat: &rustix::fs::Stat| {
        if stat.st_uid != id || stat.st_gid != id {
            let given = chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW);
            failed = given.err().filter(|why| *why != rustix::io::Errno::NOENT).or(failed);
        }
        true
    };
    let walked = walk(&root, 0, &mut give);
    rustix::fs::fchown(&root, Some(uid), Some(gid))?;
    // What is nested too deeply stays as it is: whoever made it so loses it.
    drop(walked);
    failed.map_or(Ok(()), |why| Err(why.into()))
}

/// Removes `path` below `root` if it is an empty file or an empty directory, through no link.
pub(super) fn remove_empty(root: &Path, path: &Path) -> io::Result<()> {
    let mut parent = open(root)?;
    let mut parts: Vec<&std::ffi::OsStr> = path.iter().collect();
    let Some(last) = parts.pop() else { return Ok(()) };
    for part in parts {
        parent = openat(&parent, part, directory(), Mode::empty())?;
    }
    let stat = statat(&parent, last, AtFlags::SYMLINK_NOFOLLOW)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Ok(unlinkat(&parent, last, AtFlags::REMOVEDIR)?),
        FileType::RegularFile if stat.st_size == 0 => {
            Ok(unlinkat(&parent, last, AtFlags::empty())?)
        }
        FileType::RegularFile
        | FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Ok(()),
    }
}

fn open(root: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(root, directory(), Mode::empty())?)
}

fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Too deep.
struct Abyss;

/// Shows everything below `parent` to `visit` until it says to stop.
fn walk(
    parent: &OwnedFd,
    depth: usize,
    visit: &mut dyn FnMut(&OwnedFd, &CString, &rustix::fs::Stat) -> bool,
) -> Result<bool, Abyss> {
    if depth > DEPTH_MAX {
        return Err(Abyss);
    }
    let Ok(entries) = Dir::read_from(parent) else { return Ok(true) };
    let mut deep = false;
    for entry in entries.flatten() {
        let name = entry.file_name().to_owned();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = statat(parent, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if !visit(parent, &name, &stat) {
            return Ok(false);
        }
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            continue;
        }
        let Ok(child) = openat(parent, &name, directory(), Mode::empty()) else { continue };
        match walk(&child, depth + 1, visit) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Abyss) => deep = true,
        }
    }
    if deep { Err(Abyss) } else { Ok(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_counted_and_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("large"), vec![1; 1 << 20]).unwrap();
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("a")).unwrap();
        std::fs::write(tree.path().join("a/b"), vec![1; 10_000]).unwrap();
        std::os::unix::fs::symlink(outside.path(), tree.path().join("out")).unwrap();
        let found = measure(tree.path(), u64::MAX, u64::MAX);
        assert_eq!(found.files, 3);
        assert!((10_000..500_000).contains(&found.bytes), "{found:?}");
        assert_eq!(measure(tree.path(), u64::MAX, 1).files, 2, "it stops when it knows enough");
    }

    #[test]
    fn what_is_nested_without_end_counts_as_too_many() {
        let tree = tempfile::tempdir().unwrap();
        let mut path = tree.path().to_owned();
        for _ in 0..DEPTH_MAX + 5 {
            path.push("d");
            std::fs::create_dir(&path).unwrap();
        }
        assert_eq!(measure(tree.path(), u64::MAX, 500).files, 501);
    }

    #[test]
    fn a_tree_changes_hands_and_what_its_links_name_does_not() {
        use std::os::unix::fs::MetadataExt;
        if !rustix::process::geteuid().is_root() {
            crate::process::say_aloud("files are given away by root alone");
            return;
        }
        let outside = tempfile::NamedTempFile::new().unwrap();
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("a")).unwrap();
        std::fs::write(tree.path().join("a/b"), "").unwrap();
        std::os::unix::fs::symlink(outside.path(), tree.path().join("out")).unwrap();
        hand_over(tree.path(), 1_234).unwrap();
        for path in ["", "a", "a/b", "out"] {
            let meta = tree.path().join(path).symlink_metadata().unwrap();
            assert_eq!((meta.uid(), meta.gid()), (1_234, 1_234), "{path}");
        }
        assert_eq!(outside.path().metadata().unwrap().uid(), 0);
        hand_over(tree.path(), 0).unwrap();
        assert_eq!(tree.path().join("out").symlink_metadata().unwrap().uid(), 0);
    }
}
