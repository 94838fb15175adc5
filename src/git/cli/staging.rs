//! Taking what an agent left in a workspace into our index, as plain files and nothing else.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::Cli;
use crate::git::{CHANGES_MAX, ChangeKind, Error, FILE_BYTES_MAX, FileChange, Workspace};

/// Bytes of one file searched for conflict markers.
const SEARCH_BYTES_MAX: u64 = 8 << 20;
/// Bytes that all changed files together may have; more is not even read.
const TOTAL_BYTES_MAX: u64 = 200 << 20;

impl Cli {
    /// Puts the state of the files into the index. What cannot be put there is returned, and
    /// then the index is left as it was.
    pub(super) async fn stage(&self, workspace: &Workspace) -> Result<Vec<FileChange>, Error> {
        // Our index, our settings: nothing in the directory is asked what git is to do, except
        // its `.gitignore` files, which can only leave files out.
        let ask = |which: &[&str]| {
            let args = ["ls-files", "-z"].iter().chain(which).copied();
            Ok::<_, Error>(self.within(workspace)?.args(args))
        };
        let new = ask(&["--others", "--exclude-standard"])?.run().await?.bytes()?;
        let touched = ask(&["--modified", "--deleted"])?.run().await?.bytes()?;
        let held = held(&workspace.path, &entries(&new), &entries(&touched));
        if held.is_empty() {
            self.within(workspace)?.args(["add", "--all"]).run().await?;
        }
        Ok(held)
    }
}

fn entries(listed: &[u8]) -> BTreeSet<&[u8]> {
    listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).collect()
}

/// Entries that are not plain files of a fair size under a fair name.
fn held(root: &Path, new: &BTreeSet<&[u8]>, touched: &BTreeSet<&[u8]>) -> Vec<FileChange> {
    let mut held = Vec::new();
    let mut total = 0;
    for (path, kind) in new
        .iter()
        .map(|path| (*path, ChangeKind::Added))
        .chain(touched.iter().map(|path| (*path, ChangeKind::Modified)))
    {
        let fair = fair(root, path).map(|bytes| {
            total += bytes;
            total <= TOTAL_BYTES_MAX
        });
        if fair != Some(true) && held.len() <= CHANGES_MAX {
            held.push(FileChange::special(String::from_utf8_lossy(path).into_owned(), kind));
        }
    }
    held
}

/// The size of the entry if it may be put into the index; `None` if not. A symbolic link may:
/// it is listed as special afterwards, and what it points to is never read.
fn fair(root: &Path, path: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(path).ok()?;
    let nested = text.ends_with('/');
    if nested || text.chars().any(char::is_control) || text.split('/').any(reserved) {
        return None;
    }
    match std::fs::symlink_metadata(root.join(text)) {
        Ok(meta) if meta.is_file() && meta.len() > FILE_BYTES_MAX => None,
        Ok(meta) if meta.is_file() => Some(meta.len()),
        Ok(meta) if meta.is_symlink() || meta.is_dir() => Some(0),
        Ok(_) => None,
        // It was deleted.
        Err(_) => Some(0),
    }
}

/// Names that some file system takes for `.git` or for a parent directory.
fn reserved(part: &str) -> bool {
    let ignored = |c: &char| {
        !matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let plain: String = part.chars().filter(ignored).flat_map(char::to_lowercase).collect();
    let plain = plain.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    let short = plain.strip_prefix("git~").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    matches!(plain, "" | ".git") || short || part.contains('\\')
}

/// The files that were in conflict and still show it.
pub(super) fn markers_left(workspace: &Workspace) -> Vec<String> {
    let marked = |path: &&String| {
        let text = read(&workspace.path, path).unwrap_or_default();
        let marker = |line: &[u8]| {
            ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|m| line.starts_with(m.as_bytes()))
        };
        text.split(|byte| *byte == b'\n').any(marker)
    };
    workspace.conflicts.iter().filter(marked).cloned().collect()
}

/// The beginning of a regular file below `root`, reached through real directories only.
fn read(root: &Path, path: &str) -> Option<Vec<u8>> {
    let mut place = PathBuf::from(root);
    for part in Path::new(path).components() {
        let Component::Normal(part) = part else { return None };
        place.push(part);
        let meta = std::fs::symlink_metadata(&place).ok()?;
        if !meta.is_dir() && !meta.is_file() {
            return None;
        }
    }
    let mut text = Vec::new();
    std::fs::File::open(place).ok()?.take(SEARCH_BYTES_MAX).read_to_end(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_git_is_reserved() {
        for bad in [
            ".git",
            ".GIT",
            ".Git.",
            ".git ",
            "git~1",
            "GIT~2",
            ".git::$INDEX",
            ".g\u{200c}it",
            "..",
            ".",
            "",
            "a\\b",
        ] {
            assert!(reserved(bad), "{bad:?}");
        }
        for good in [".gitignore", ".github", "git", "git~", "x.git", ".gitattributes", "a b"] {
            assert_eq!(reserved(good), good == "git~", "{good:?}");
        }
    }
}
