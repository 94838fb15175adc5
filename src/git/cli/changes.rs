//! What differs between two trees, read from git's plumbing: names first, then sizes, then
//! contents, and nothing larger than its limit.

use std::collections::BTreeSet;

use super::Cli;
use super::call::Call;
use super::mirror::lines;
use super::patch::{Entry, add_lines, entries};
use super::verb::Verb;
use crate::gate::push::{Content, Mode, places};
use crate::git::{
    CHANGES_MAX, CHANGES_READ_MAX, Changes, Error, FileChange, Near, PATCH_BYTES_MAX,
    READ_BYTES_IN_ALL_MAX, READ_BYTES_MAX, Workspace,
};
use crate::model::{CommitSha, Repo, TreeSha};

/// Longest target of a link that is read, in bytes.
const LINK_BYTES_MAX: u64 = 4_096;
/// Bytes of paths given to one call.
const ARGUMENT_BYTES_MAX: usize = 500_000;
/// Bytes of names that directories may have together.
const NEAR_BYTES_MAX: usize = 64 << 20;

/// Makes calls on a repository that has both trees.
type Ask<'a> = dyn Fn(Verb) -> Result<Call, Error> + Send + Sync + 'a;

impl Cli {
    /// Compares two trees of ours in quarantine; nothing that an agent wrote is asked.
    pub(super) async fn read_changes(&self, workspace: &Workspace) -> Result<Changes, Error> {
        let taken = self.taken(workspace)?;
        let markers = self.markers_left(workspace, &taken.left).await?;
        let ask = |verb| self.aside(workspace, verb);
        let changes = differ(&ask, &taken.start, &taken.left).await?;
        Ok(Changes { markers, from: Some(workspace.at.clone()), ..changes })
    }

    pub(super) async fn changes_between(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Changes, Error> {
        let Some(from) = self.parting(repo, (base, head)).await? else {
            return Ok(Changes::default());
        };
        let (old, new) = (self.tree(repo, &from).await?, self.tree(repo, head).await?);
        let changes = differ(&|verb| Ok(self.on(repo, verb)), &old, &new).await?;
        Ok(Changes { from: Some(from), ..changes })
    }
}

fn cut(mut changes: Changes) -> Changes {
    changes.truncated |= changes.files.len() > CHANGES_MAX;
    changes.files.truncate(CHANGES_MAX);
    changes
}

/// The same for every pair of trees, whoever made them.
async fn differ(ask: &Ask<'_>, old: &TreeSha, new: &TreeSha) -> Result<Changes, Error> {
    let trees = [old.as_str(), new.as_str()];
    let diff = || {
        let plain = ["-r", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let call = ask(Verb::DiffTree)?.flags(&plain).flags(&["--ignore-submodules=none"]);
        Ok::<_, Error>(call.on(trees))
    };
    let listed = diff()?.flags(&["--raw", "-z", "--abbrev=40"]).run().await?.stdout;
    let truncated = listed.left_out() > 0;
    let mut found = match listed.whole() {
        Some(all) => entries(&all),
        None => entries(listed.beginning()),
    };
    let mut changes = Changes { truncated, ..Changes::default() };
    if found.len() <= CHANGES_READ_MAX && !truncated {
        read_contents(ask, &mut found).await?;
        // What is larger than `core.bigFileThreshold`, git takes for binary and does not read.
        let patch = diff()?.flags(&["--patch", "--unified=0", "--no-color", "--no-prefix"]);
        let most = usize::try_from(PATCH_BYTES_MAX).unwrap_or(usize::MAX);
        let patch = patch.bytes_max(most).run().await?.stdout;
        changes.patch_bytes = match patch.whole() {
            Some(all) => all.len() as u64,
            None => PATCH_BYTES_MAX + 1,
        };
        add_lines(&mut found, &String::from_utf8_lossy(patch.beginning()));
        let files: Vec<&FileChange> = found.iter().map(|entry| &entry.file).collect();
        changes.near = near(ask, new, &places(&files)).await?;
    } else {
        for entry in found.iter_mut().filter(|entry| entry.file.stays()) {
            entry.file.content = Content::Unread;
        }
    }
    changes.files = found.into_iter().map(|entry| entry.file).collect();
    Ok(cut(changes))
}

/// What the new objects hold: their sizes first, then those that are not too large.
async fn read_contents(ask: &Ask<'_>, found: &mut [Entry]) -> Result<(), Error> {
    let has_content = |file: &FileChange| match file.after {
        Mode::Plain | Mode::Runnable | Mode::Link | Mode::Other => true,
        Mode::Absent | Mode::Submodule => false,
    };
    let mut held: Vec<&mut Entry> =
        found.iter_mut().filter(|entry| has_content(&entry.file)).collect();
    if held.is_empty() {
        return Ok(());
    }
    let asked = lines(held.iter().map(|entry| entry.blob.clone()));
    let sizes = ask(Verb::CatFile)?.flags(&["--batch-check=%(objectsize)"]);
    let sizes = sizes.stdin(asked).run().await?.text()?;
    let mut in_all = 0;
    for (entry, size) in held.iter_mut().zip(sizes.lines()) {
        let size: Option<u64> = size.parse().ok();
        entry.file.bytes = size.unwrap_or(u64::MAX);
        entry.file.content = Content::Unread;
        let max = if entry.file.after == Mode::Link { LINK_BYTES_MAX } else { READ_BYTES_MAX };
        if entry.file.bytes <= max && in_all + entry.file.bytes <= READ_BYTES_IN_ALL_MAX {
            in_all += entry.file.bytes;
            entry.file.content = Content::Nothing;
        }
    }
    held.retain(|entry| entry.file.content == Content::Nothing);
    let asked = lines(held.iter().map(|entry| entry.blob.clone()));
    let room = usize::try_from(in_all).unwrap_or(usize::MAX).saturating_add(held.len() * 32);
    let call = ask(Verb::CatFile)?.flags(&["--batch=%(objectsize)"]).stdin(asked);
    let said = call.bytes_max(room).run().await?.bytes()?;
    let mut rest = said.as_slice();
    for entry in held {
        let taken = take(&mut rest, entry.file.bytes);
        let broken = || Error::Local(format!("{} cannot be read", entry.blob));
        let bytes = taken.ok_or_else(broken)?;
        if entry.file.after == Mode::Link {
            entry.file.link = std::str::from_utf8(bytes).ok().map(str::to_owned);
        } else {
            entry.file.content = Content::of(bytes);
        }
    }
    Ok(())
}

/// One answer of `cat-file --batch`: its size in a line, its content, the end of a line.
fn take<'a>(rest: &mut &'a [u8], size: u64) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (said, after) = rest.split_at_checked(end)?;
    let said: u64 = std::str::from_utf8(said).ok()?.parse().ok()?;
    let (bytes, after) = after.get(1..)?.split_at_checked(usize::try_from(size).ok()?)?;
    *rest = after.get(1..)?;
    (said == size).then_some(bytes)
}

/// What lies in `directories` of `tree`; the empty name is its root.
async fn near(
    ask: &Ask<'_>,
    tree: &TreeSha,
    directories: &BTreeSet<String>,
) -> Result<Vec<Near>, Error> {
    let mut found = BTreeSet::new();
    let mut portions: Vec<(usize, Vec<String>)> = Vec::new();
    for directory in directories {
        let directory = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        match portions.last_mut() {
            // The root is listed by naming nothing, so it goes alone.
            Some((bytes, portion))
                if !portion.contains(&String::new())
                    && *bytes + directory.len() < ARGUMENT_BYTES_MAX =>
            {
                *bytes += directory.len();
                portion.push(directory);
            }
            Some(_) | None => portions.push((directory.len(), vec![directory])),
        }
    }
    for (_, portion) in portions {
        let named = portion.into_iter().filter(|directory| !directory.is_empty());
        let call = ask(Verb::LsTree)?.flags(&["-t", "-z"]).on([tree.as_str()]).on(named);
        let listed = call.bytes_max(NEAR_BYTES_MAX).run().await?.bytes()?;
        for entry in String::from_utf8_lossy(&listed).split('\0') {
            if let Some((what, path)) = entry.split_once('\t') {
                found.insert(Near { path: path.to_owned(), link: what.starts_with("120000 ") });
            }
        }
    }
    Ok(found.into_iter().collect())
}
