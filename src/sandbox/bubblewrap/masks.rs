//! Masks: paths of the workspace that the program finds empty and cannot write.
//!
//! A list of what to hide that covers only what is there is no list: whatever is missing is
//! made by the program. So what is missing gets a placeholder, which is removed afterwards.
//! Mask a directory rather than a file in it: a directory that is only on the way can be
//! renamed.

use std::path::{Component, Path, PathBuf};

use super::super::tree;
use crate::sandbox::Error;

/// Links followed inside the workspace, to cover what they name.
const LINKS_MAX: usize = 8;

/// The masks of one run.
#[derive(Debug, Default)]
pub(super) struct Masks {
    workspace: PathBuf,
    /// Paths below the workspace, and whether each is a directory.
    pub(super) covered: Vec<(PathBuf, bool)>,
    /// What is not there yet, outermost first.
    missing: Vec<PathBuf>,
}

impl Masks {
    /// The error names a mask that is no path below the workspace, or leads out of it.
    pub(super) fn new(workspace: &Path, masks: &[String]) -> Result<Self, Error> {
        let mut own = Self { workspace: workspace.to_owned(), ..Self::default() };
        for mask in masks {
            let path = settle(workspace, Path::new(mask))
                .ok_or_else(|| Error(format!("{mask:?} leads out of the workspace")))?;
            let there = workspace.join(&path);
            let is_dir = there.is_dir() || !there.exists() && mask.ends_with('/');
            for parent in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
                let new =
                    !workspace.join(parent).exists() && !own.missing.iter().any(|m| m == parent);
                own.missing.extend(new.then(|| parent.to_owned()));
            }
            own.covered.push((path, is_dir));
        }
        // What is inside another mask is covered by it, and could not be made there.
        let all = own.covered.clone();
        own.covered.retain(|(path, _)| {
            !all.iter().any(|(other, _)| path != other && path.starts_with(other))
        });
        own.covered.sort();
        own.covered.dedup();
        Ok(own)
    }

    /// Takes the placeholders away again.
    pub(super) fn clear(&mut self) {
        while let Some(path) = self.missing.pop() {
            // The program may have made something of a directory on the way.
            drop(tree::remove_empty(&self.workspace, &path));
        }
    }
}

/// The path itself, with every link in it replaced by what it names inside the workspace.
fn settle(workspace: &Path, mask: &Path) -> Option<PathBuf> {
    let mut todo: Vec<PathBuf> = vec![mask.to_owned()];
    let mut found = PathBuf::new();
    let mut links = 0;
    while let Some(next) = todo.pop() {
        let mut parts = next.components();
        match parts.next() {
            None | Some(Component::CurDir) => {}
            Some(Component::ParentDir) => {
                // Only a link may go up, and not out.
                if links == 0 || !found.pop() {
                    return None;
                }
            }
            Some(Component::RootDir | Component::Prefix(_)) => return None,
            Some(Component::Normal(name)) => {
                found.push(name);
                if let Ok(target) = workspace.join(&found).read_link() {
                    links += 1;
                    if links > LINKS_MAX {
                        return None;
                    }
                    found.pop();
                    todo.push(parts.as_path().to_owned());
                    todo.push(target);
                    continue;
                }
            }
        }
        if !parts.as_path().as_os_str().is_empty() {
            todo.push(parts.as_path().to_owned());
        }
    }
    (!found.as_os_str().is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_remembered_and_what_a_link_names_is_covered() {
        let workspace = tempfile::tempdir().unwrap();
        let root = workspace.path();
        std::fs::create_dir(root.join("docs")).unwrap();
        std::fs::write(root.join("docs/AGENTS.md"), "text").unwrap();
        std::os::unix::fs::symlink("docs/AGENTS.md", root.join("CLAUDE.md")).unwrap();
        let masks = ["CLAUDE.md", ".tool/settings.json", ".agents/", "docs"].map(str::to_owned);
        let mut masks = Masks::new(root, &masks).unwrap();
        let covered: Vec<_> =
            masks.covered.iter().map(|(p, d)| (p.to_str().unwrap(), *d)).collect();
        assert_eq!(
            covered,
            [(".agents", true), (".tool/settings.json", false), ("docs", true)],
            "the link's target is inside docs"
        );
        std::fs::create_dir_all(root.join(".tool")).unwrap();
        std::fs::write(root.join(".tool/settings.json"), "").unwrap();
        std::fs::create_dir(root.join(".agents")).unwrap();
        masks.clear();
        assert!(!root.join(".tool").exists() && !root.join(".agents").exists());
        assert!(root.join("docs/AGENTS.md").exists());
    }

    #[test]
    fn placeholders_that_became_something_stay_and_links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("empty"), "").unwrap();
        let workspace = tempfile::tempdir().unwrap();
        let mut masks = Masks::new(workspace.path(), &[".tool/empty".to_owned()]).unwrap();
        std::os::unix::fs::symlink(outside.path(), workspace.path().join(".tool")).unwrap();
        masks.clear();
        assert!(outside.path().join("empty").exists());
    }

    #[test]
    fn masks_that_lead_out_are_refused() {
        let workspace = tempfile::tempdir().unwrap();
        let link = |name: &str, target: &str| {
            std::os::unix::fs::symlink(target, workspace.path().join(name)).unwrap();
        };
        link("out", "/etc");
        link("up", "../x");
        link("loop", "loop");
        for mask in ["", "/etc/passwd", "../x", "a/../../x", "out/passwd", "up", "loop", "."] {
            assert!(Masks::new(workspace.path(), &[mask.to_owned()]).is_err(), "{mask}");
        }
    }
}
