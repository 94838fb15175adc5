//! The directory of one run on the host: its home, its own files of `/etc`, its pulse.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sandbox::{Error, Home, HomeFile, home, owner, tree};

/// Files of `/etc` we write ourselves. Names are looked up nowhere, and at once.
const OWN: &[(&str, &str)] = &[
    ("passwd", "agent:x:1000:1000:agent:/home/agent:/bin/sh\n"),
    ("group", "agent:x:1000:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
];

/// Removed when dropped.
#[derive(Debug)]
pub(super) struct Place {
    root: PathBuf,
    /// A home that stays, instead of ours.
    kept: Option<PathBuf>,
}

impl Place {
    /// Makes it below `base`, for the user of the run when that is not ourselves.
    pub(super) fn new(base: &Path, user: Option<u32>, home: &Home) -> Result<Self, Error> {
        let place = Self { root: base.join(owner::name()), kept: home.kept.clone() };
        place
            .make(user, &home.files)
            .map_err(|why| Error(format!("{}: {why}", place.root.display())))?;
        Ok(place)
    }

    fn make(&self, user: Option<u32>, files: &[HomeFile]) -> io::Result<()> {
        std::fs::create_dir(&self.root)?;
        let home = self.home();
        std::fs::create_dir_all(&home)?;
        for path in [&self.root, &home] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o700))?;
        }
        std::fs::create_dir(self.root.join("nothing"))?;
        for (name, text) in OWN.iter().chain(&[("pulse", ""), ("empty", ""), ("object", "{}\n")]) {
            std::fs::write(self.root.join(name), text)?;
            std::fs::set_permissions(self.root.join(name), PermissionsExt::from_mode(0o644))?;
        }
        if let Some(user) = user {
            // Somebody lived in a home that stays.
            tree::hand_over(&home, user)?;
            std::os::unix::fs::chown(self.pulse(), Some(user), Some(user))?;
            // Its user passes through, and nobody else.
            std::os::unix::fs::chown(&self.root, None, Some(user))?;
            std::fs::set_permissions(&self.root, PermissionsExt::from_mode(0o710))?;
        }
        home::lay(&home, files, user)
    }

    pub(super) fn home(&self) -> PathBuf {
        self.kept.clone().unwrap_or_else(|| self.root.join("home"))
    }

    pub(super) fn kept(&self) -> Option<&Path> {
        self.kept.as_deref()
    }

    pub(super) fn status(&self) -> PathBuf {
        self.root.join("status")
    }

    pub(super) fn pulse(&self) -> PathBuf {
        self.root.join("pulse")
    }

    /// What the mask of `path` shows: an empty directory, or a file that says nothing. Where one
    /// holds an object, some programs take an empty one for a mistake and do not start.
    pub(super) fn nothing(&self, path: &Path, is_dir: bool) -> PathBuf {
        let kind = path.extension().and_then(|kind| kind.to_str());
        self.root.join(match kind {
            _ if is_dir => "nothing",
            Some("json" | "jsonc" | "yml" | "yaml") => "object",
            Some(_) | None => "empty",
        })
    }

    /// Our files, and where they go.
    pub(super) fn etc(&self) -> impl Iterator<Item = (PathBuf, PathBuf)> {
        OWN.iter().map(|(name, _)| (self.root.join(name), Path::new("/etc").join(name)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now is an orphan for the next start.
        drop(std::fs::remove_dir_all(&self.root));
    }
}
