//! Git directories laid out by hand: no process, and nothing in them but what stands here.

use std::path::Path;

use super::pinned::ATTRIBUTES;
use super::workspace::failed;
use crate::git::Error;
use crate::model::CommitSha;

/// The branch an agent finds checked out, and the side of it in conflict markers.
pub(super) const HEAD: &str = "head";
/// The other side, when there is something to merge.
pub(super) const BASE: &str = "base";

/// A repository in which nothing is but what `objects` lends it.
const BARE: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
/// The repository an agent finds: it can look at history and may commit. Its remote leads
/// nowhere, and it holds no credential.
const WORKING: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\
                       \tlogallrefupdates = true\n\
                       [remote \"origin\"]\n\turl = https://invalid.invalid/\n\
                       [user]\n\tname = Agent\n\temail = agent@invalid.invalid\n";

/// Lays out an empty bare repository at `path` that reads `objects` too.
pub(super) fn bare(path: &Path, objects: &Path) -> Result<(), Error> {
    lay_out(path, objects, BARE)
}

/// Lays out the repository of a workspace, whose branch is at `head`.
pub(super) fn working(
    path: &Path,
    objects: &Path,
    head: &CommitSha,
    base: Option<&CommitSha>,
) -> Result<(), Error> {
    lay_out(path, objects, WORKING)?;
    let heads = path.join("refs/heads");
    std::fs::write(heads.join(HEAD), format!("{head}\n")).map_err(failed)?;
    if let Some(base) = base {
        std::fs::write(heads.join(BASE), format!("{base}\n")).map_err(failed)?;
    }
    std::fs::create_dir_all(path.join("slipway")).map_err(failed)
}

fn lay_out(path: &Path, objects: &Path, config: &str) -> Result<(), Error> {
    let make = || {
        for directory in ["objects/info", "objects/pack", "refs/heads", "info"] {
            std::fs::create_dir_all(path.join(directory))?;
        }
        std::fs::write(path.join("HEAD"), format!("ref: refs/heads/{HEAD}\n"))?;
        std::fs::write(path.join("config"), config)?;
        std::fs::write(path.join("info/attributes"), ATTRIBUTES)?;
        let alternates = format!("{}\n", objects.display());
        std::fs::write(path.join("objects/info/alternates"), alternates)
    };
    make().map_err(failed)
}
