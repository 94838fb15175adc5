//! A change in memory told as plain files; every file there is one.

use crate::git::depot::{Depot, DepotError};
use crate::git::{PLAIN_BYTES_MAX, PLAIN_COMMITS_MAX, PLAIN_FILES_MAX, Plain, PlainChange};

pub(super) fn plain(depot: &Depot, from: &str, head: &str) -> Result<Plain, DepotError> {
    let no = |why: &str| Ok(Plain::No { why: why.to_owned() });
    let mut change = PlainChange::default();
    let mut at = head.to_owned();
    let mut commits = 0;
    while at != from {
        let commit = depot.get(&at).ok_or_else(|| DepotError::Missing(at.clone()))?;
        let [parent] = commit.parents.as_slice() else {
            return no("it holds a merge or does not build on what is there");
        };
        commits += 1;
        if commits > PLAIN_COMMITS_MAX {
            return no("it holds too many commits");
        }
        change.message.clone_from(&commit.message);
        at.clone_from(parent);
    }
    for file in depot.diff(from, head)? {
        match file.new {
            Some(blob) => _ = change.written.insert(file.path, blob.bytes.to_vec()),
            None => _ = change.deleted.insert(file.path),
        }
    }
    if commits == 0 {
        return no("it holds no commit");
    }
    let bytes: usize = change.written.values().map(Vec::len).sum();
    if change.written.len() + change.deleted.len() > PLAIN_FILES_MAX || bytes > PLAIN_BYTES_MAX {
        return no("it is too large");
    }
    Ok(Plain::Yes(change))
}
