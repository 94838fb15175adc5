//! Homes that stay from one start of an agent to the next, so that it can go on with its
//! conversation. Losing one loses a memory and nothing else.

use std::io;
use std::path::PathBuf;

use super::tree;
use crate::model::RunId;
use crate::process::wipe;

/// Largest home that is kept, in bytes on disk, and its most files.
pub const HOME_BYTES_MAX: u64 = 512 << 20;
pub const HOME_FILES_MAX: u64 = 50_000;

/// A directory of ours with one home for each start of an agent that may be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    root: PathBuf,
}

impl Homes {
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where the home of an agent is that was started under this entry, there or not.
    pub fn path(&self, run: &RunId, entry: u32) -> PathBuf {
        self.root.join(format!("{run}-{entry}"))
    }

    pub fn exists(&self, run: &RunId, entry: u32) -> bool {
        std::fs::symlink_metadata(self.path(run, entry)).is_ok_and(|found| found.is_dir())
    }

    /// Whether it is small enough to be kept. Blocking: it counts files.
    pub fn fits(&self, run: &RunId, entry: u32) -> bool {
        let found = tree::measure(&self.path(run, entry), HOME_BYTES_MAX, HOME_FILES_MAX);
        found.bytes <= HOME_BYTES_MAX && found.files <= HOME_FILES_MAX
    }

    /// Removes it, never through a link; one that is gone is removed. Blocking.
    pub fn forget(&self, run: &RunId, entry: u32) -> io::Result<()> {
        wipe(&self.path(run, entry))
    }

    /// Every home that is there.
    pub fn all(&self) -> Vec<(RunId, u32)> {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| known(&name)).collect()
    }
}

fn known(name: &str) -> Option<(RunId, u32)> {
    let (run, entry) = name.rsplit_once('-')?;
    Some((RunId::parse(run).ok()?, entry.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_home_is_found_by_its_run_and_forgotten_whatever_is_in_it() {
        let place = tempfile::tempdir().unwrap();
        let homes = Homes::at(place.path().join("homes"));
        let run = RunId::parse("r0123456789").unwrap();
        assert!(homes.all().is_empty() && !homes.exists(&run, 3));
        homes.forget(&run, 3).unwrap();
        let inner = homes.path(&run, 3).join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir_all(place.path().join("homes/no run")).unwrap();
        std::fs::write(inner.join("session"), "text").unwrap();
        let outside = place.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, inner.join("link")).unwrap();
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o000)).unwrap();
        assert_eq!(homes.all(), [(run.clone(), 3)]);
        assert!(homes.exists(&run, 3) && homes.fits(&run, 3));
        homes.forget(&run, 3).unwrap();
        assert!(!homes.exists(&run, 3) && outside.exists());
    }

    #[test]
    fn a_home_with_too_many_files_is_not_kept() {
        let place = tempfile::tempdir().unwrap();
        let homes = Homes::at(place.path().to_owned());
        let run = RunId::parse("r0123456789").unwrap();
        let home = homes.path(&run, 1);
        std::fs::create_dir(&home).unwrap();
        std::fs::write(home.join("0"), "").unwrap();
        for n in 1..=HOME_FILES_MAX {
            std::fs::hard_link(home.join("0"), home.join(n.to_string())).unwrap();
        }
        assert!(!homes.fits(&run, 1));
    }
}
