//! Removing what nobody needs any more: old workspaces, old commits of ours, loose objects.

use std::time::SystemTime;

use super::Cli;
use super::mirror::{KEPT, lines};
use super::verb::Verb;
use crate::git::Error;
use crate::model::Repo;

/// Seconds tidying up one mirror may last.
const TIDY_SECONDS_MAX: u64 = 600;

impl Cli {
    /// Removes workspaces not touched since `before`, forgets our own commits made before it
    /// (a branch that was pushed keeps its own), and packs the mirrors. Says how many
    /// workspaces went.
    pub async fn sweep(&self, before: SystemTime) -> Result<usize, Error> {
        let mut removed = 0;
        for key in names(&self.workspaces()) {
            let place = self.workspaces().join(&key);
            let touched = std::fs::symlink_metadata(&place).and_then(|meta| meta.modified());
            if touched.is_ok_and(|touched| touched < before) {
                self.remove_workspace(&key).await?;
                removed += 1;
            }
        }
        for repo in self.mirrors() {
            self.tidy(&repo, before).await?;
        }
        Ok(removed)
    }

    /// Removes the lock files of git processes that died with an earlier Slipway; they would
    /// block a mirror for ever.
    pub(super) fn unlock(&self) {
        for repo in self.mirrors() {
            let mirror = self.mirror_path(&repo);
            let kinds = ["seen", "kept"].map(|kind| mirror.join("refs/slipway").join(kind));
            for directory in kinds.into_iter().chain([mirror]) {
                let locks = names(&directory)
                    .into_iter()
                    .filter(|name| name.strip_suffix(".lock").is_some());
                for lock in locks {
                    // What cannot be removed shows itself in the next call.
                    drop(std::fs::remove_file(directory.join(lock)));
                }
            }
        }
    }

    fn mirrors(&self) -> Vec<Repo> {
        let root = self.directory.join("mirrors");
        let mut found = Vec::new();
        for owner in names(&root) {
            for name in names(&root.join(&owner)) {
                let name = name.strip_suffix(".git").map(|name| format!("{owner}/{name}"));
                found.extend(name.and_then(|name| Repo::parse(&name).ok()));
            }
        }
        found
    }

    async fn tidy(&self, repo: &Repo, before: SystemTime) -> Result<(), Error> {
        let lock = self.lock_of(repo);
        let _held = lock.lock().await;
        let before = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let format = "--format=%(committerdate:unix) %(refname)";
        let said =
            self.on(repo, Verb::ForEachRef).flags(&[format]).on([KEPT]).run().await?.text()?;
        let old = said.lines().filter_map(|line| line.split_once(' ')).filter(|(date, _)| {
            let date: Option<u64> = date.parse().ok();
            date.is_some_and(|date| date < before)
        });
        let deletions = lines(old.map(|(_, name)| format!("delete {name}")));
        let forget = self.on(repo, Verb::UpdateRef).flags(&["--stdin"]);
        forget.stdin(deletions).run().await?;
        let tidy = self.on(repo, Verb::Gc).flags(&["--quiet", "--prune=2.weeks.ago"]);
        tidy.seconds_max(TIDY_SECONDS_MAX).run().await.map(drop)
    }
}

fn names(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
