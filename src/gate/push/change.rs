//! A change as the gate looks at it: entries of two trees, their contents, what is said of them.

use std::collections::BTreeSet;

use super::Content;
use super::modes::target;
use super::paths::{fault, prefixes};
use crate::model::{CommitSha, Vault};

/// One entry that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// With replacement characters where the name is not UTF-8.
    pub path: String,
    /// The name is UTF-8.
    pub named: bool,
    pub kind: ChangeKind,
    pub before: Mode,
    pub after: Mode,
    /// Size of the new content.
    pub bytes: u64,
    pub content: Content,
    /// Where a symbolic link points to.
    pub link: Option<String>,
    pub added: u32,
    pub removed: u32,
    /// Empty where git sees no text.
    pub removed_lines: Vec<String>,
    pub added_lines: Vec<Line>,
}

impl FileChange {
    /// Something of which only the name is known.
    pub fn new(path: String, kind: ChangeKind) -> Self {
        let (before, after) = match kind {
            ChangeKind::Added => (Mode::Absent, Mode::Plain),
            ChangeKind::Modified => (Mode::Plain, Mode::Plain),
            ChangeKind::Deleted => (Mode::Plain, Mode::Absent),
        };
        Self {
            path,
            named: true,
            kind,
            before,
            after,
            bytes: 0,
            content: Content::Nothing,
            link: None,
            added: 0,
            removed: 0,
            removed_lines: Vec::new(),
            added_lines: Vec::new(),
        }
    }

    /// It is in the new tree.
    pub fn stays(&self) -> bool {
        match self.kind {
            ChangeKind::Added | ChangeKind::Modified => true,
            ChangeKind::Deleted => false,
        }
    }
}

/// A renamed file is deleted under one name and added under another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// What git's mode makes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Absent,
    /// 100644
    Plain,
    /// 100755
    Runnable,
    /// 120000
    Link,
    /// 160000
    Submodule,
    Other,
}

impl Mode {
    /// From git's six octal digits.
    pub fn of(digits: &str) -> Self {
        match digits {
            "000000" => Self::Absent,
            "100644" => Self::Plain,
            "100755" => Self::Runnable,
            "120000" => Self::Link,
            "160000" => Self::Submodule,
            _ => Self::Other,
        }
    }
}

/// An added line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1, in the new file.
    pub number: u32,
    pub text: String,
}

/// An entry of the new tree in one of the directories that the change touches or points into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    pub path: String,
    /// It is a symbolic link.
    pub link: bool,
}

/// Everything the gate looks at.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub files: &'a [FileChange],
    pub near: &'a [Near],
    pub patch_bytes: u64,
    /// There is more than was listed.
    pub truncated: bool,
    /// Files that were in conflict and still show it.
    pub markers: &'a [String],
    /// The commit it was compared with; `None` when the two have nothing in common.
    pub from: Option<&'a CommitSha>,
    /// The commit the run recorded as its start, where it recorded one.
    pub recorded: Option<&'a CommitSha>,
    /// The only paths that may change, where not all may.
    pub only: Option<&'a [String]>,
    /// Somebody repairs: what found the fault may not be weakened.
    pub repairing: bool,
    /// Texts that leave with it, each with its name: "the commit message".
    pub texts: &'a [(&'a str, &'a str)],
}

/// Values that must never leave.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What this process keeps secret.
    pub secrets: &'a Vault,
    /// What was planted for this run.
    pub canaries: &'a Vault,
}

/// The directories whose entries the gate must know: those that new files come into, and those
/// that links lead into. The empty name is the root.
pub fn places(files: &[&FileChange]) -> BTreeSet<String> {
    let new = files.iter().filter(|file| file.kind == ChangeKind::Added);
    let led = files.iter().filter_map(|file| {
        let link = file.link.as_deref().filter(|_| file.after == Mode::Link)?;
        target(&file.path, link).ok()
    });
    let paths = new.map(|file| file.path.clone()).chain(led);
    let fair = paths.filter(|path| fault(path).is_none());
    let directories = fair.flat_map(|path| {
        let on_the_way: Vec<String> = prefixes(&path).map(str::to_owned).collect();
        let above = on_the_way.len().saturating_sub(1);
        [String::new()].into_iter().chain(on_the_way.into_iter().take(above))
    });
    directories.collect()
}
