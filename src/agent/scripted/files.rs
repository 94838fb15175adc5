//! The files a script edits, on disk or in memory, and the paths it may name.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Files by relative path.
pub trait Files {
    fn read(&self, path: &str) -> Result<String, String>;
    fn write(&mut self, path: &str, text: &str) -> Result<(), String>;
    fn delete(&mut self, path: &str) -> Result<(), String>;
}

/// `path` if it stays inside the workspace.
fn inside(path: &str) -> Result<&Path, String> {
    let parts = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !parts {
        return Err(format!("{path:?} is not a path inside the workspace"));
    }
    Ok(Path::new(path))
}

impl Files for BTreeMap<String, String> {
    fn read(&self, path: &str) -> Result<String, String> {
        inside(path)?;
        self.get(path).cloned().ok_or_else(|| format!("{path} is not there"))
    }

    fn write(&mut self, path: &str, text: &str) -> Result<(), String> {
        inside(path)?;
        self.insert(path.to_owned(), text.to_owned());
        Ok(())
    }

    fn delete(&mut self, path: &str) -> Result<(), String> {
        inside(path)?;
        self.remove(path).map(drop).ok_or_else(|| format!("{path} is not there"))
    }
}

/// Files below a directory, never through a symbolic link.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

impl Disk {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn place(&self, path: &str) -> Result<PathBuf, String> {
        let mut place = self.root.clone();
        for part in inside(path)?.components() {
            place.push(part);
            let linked = std::fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_symlink());
            if linked {
                return Err(format!("{path} goes through a symbolic link"));
            }
        }
        Ok(place)
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.place(path)?).map_err(|error| format!("{path}: {error}"))
    }

    fn write(&mut self, path: &str, text: &str) -> Result<(), String> {
        let place = self.place(path)?;
        let made = place.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&place, text)).map_err(|error| format!("{path}: {error}"))
    }

    fn delete(&mut self, path: &str) -> Result<(), String> {
        std::fs::remove_file(self.place(path)?).map_err(|error| format!("{path}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_workspace() {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/tmp", directory.path().join("link")).unwrap();
        let mut disk = Disk::new(directory.path());
        let mut memory = BTreeMap::new();
        for bad in ["", "/etc/passwd", "../x", "a/../../x", ".", "./a"] {
            assert!(disk.write(bad, "x").is_err(), "{bad}");
            assert!(memory.write(bad, "x").is_err(), "{bad}");
        }
        assert!(disk.write("link/x", "x").is_err());
        assert!(disk.write("deep/er/x", "x").is_ok());
        assert_eq!(disk.read("deep/er/x").unwrap(), "x");
        assert!(disk.delete("deep/er/x").is_ok() && disk.delete("deep/er/x").is_err());
    }
}
