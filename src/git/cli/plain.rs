//! A change told as plain files: what it writes and what it deletes, read from the mirror.

use std::collections::BTreeMap;

use super::Cli;
use super::mirror::lines;
use super::verb::Verb;
use crate::git::{Error, PLAIN_BYTES_MAX, PLAIN_COMMITS_MAX, PLAIN_FILES_MAX, Plain, PlainChange};
use crate::model::{CommitSha, Repo};

/// A file that is not executable, and the mode of what is not there.
const FILE: &str = "100644";
const NOTHING: &str = "000000";
const EXECUTABLE: &str = "100755";

/// One entry that differs: the blob it holds afterwards, unless it is deleted.
struct Entry {
    path: String,
    blob: Option<String>,
}

impl Cli {
    pub(super) async fn read_plain(
        &self,
        repo: &Repo,
        from: &CommitSha,
        head: &CommitSha,
    ) -> Result<Plain, Error> {
        let no = |why: &str| Ok(Plain::No { why: why.to_owned() });
        let list = self.on(repo, Verb::RevList).flags(&["--parents", "--topo-order", "--reverse"]);
        let list = list.joined("--max-count=", PLAIN_COMMITS_MAX + 1);
        let answer = list.on([format!("{from}..{head}")]).answer().await?;
        if answer.code != 0 {
            return Err(self.why(repo, &[from, head], &answer).await);
        }
        let listed = answer.text()?;
        if listed.lines().count() > PLAIN_COMMITS_MAX {
            return no("it holds too many commits");
        }
        let Some(first) = first_of(&listed, from, head) else {
            return no("it holds a merge or does not build on what is there");
        };
        let said = self.on(repo, Verb::CatFile).on(["commit", first]).run().await?.text()?;
        // Behind the headers, which end in an empty line.
        let message = said.split_once("\n\n").map_or("", |(_, message)| message);
        let message = message.trim_end().to_owned();
        let diff = ["-r", "-z", "--raw", "--no-renames", "--abbrev=40"];
        let call = self.on(repo, Verb::DiffTree).flags(&diff);
        let call = call.on([from.as_str(), head.as_str()]);
        let entries = match entries(&call.run().await?.bytes()?) {
            Ok(entries) if entries.len() > PLAIN_FILES_MAX => {
                return no("it touches too many files");
            }
            Ok(entries) => entries,
            Err(why) => return Ok(Plain::No { why }),
        };
        let blobs: Vec<&str> = entries.iter().filter_map(|one| one.blob.as_deref()).collect();
        let Some(contents) = self.contents(repo, &blobs).await? else {
            return no("its files are too large");
        };
        let mut change = PlainChange { message, ..PlainChange::default() };
        for entry in entries {
            match entry.blob {
                Some(blob) => {
                    let bytes = contents.get(&blob).cloned().ok_or(Error::Missing(blob))?;
                    change.written.insert(entry.path, bytes);
                }
                None => _ = change.deleted.insert(entry.path),
            }
        }
        Ok(Plain::Yes(change))
    }

    /// What `blobs` hold; `None` when that is too much together.
    async fn contents(
        &self,
        repo: &Repo,
        blobs: &[&str],
    ) -> Result<Option<BTreeMap<String, Vec<u8>>>, Error> {
        if blobs.is_empty() {
            return Ok(Some(BTreeMap::new()));
        }
        let asked = || lines(blobs.iter().map(|blob| (*blob).to_owned()));
        let sizes = self.on(repo, Verb::CatFile).flags(&["--batch-check=%(objectsize)"]);
        let sizes = sizes.stdin(asked()).run().await?.text()?;
        let mut total = 0_usize;
        for line in sizes.lines() {
            let size: usize = line.parse().map_err(|_error| Error::Missing(line.to_owned()))?;
            total = total.saturating_add(size);
        }
        if total > PLAIN_BYTES_MAX {
            return Ok(None);
        }
        let batch_of = ["--batch=%(objectname) %(objectsize)"];
        let call = self.on(repo, Verb::CatFile).flags(&batch_of);
        let held = call.stdin(asked()).run().await?.bytes()?;
        batch(&held).map(Some).ok_or_else(|| Error::Local("a batch that cannot be read".to_owned()))
    }
}

/// The oldest commit of a single line from `from` to `head`.
fn first_of<'a>(listed: &'a str, from: &CommitSha, head: &CommitSha) -> Option<&'a str> {
    let mut at = from.as_str();
    let mut first = None;
    for line in listed.lines() {
        let (commit, parents) = line.split_once(' ')?;
        if parents != at {
            return None;
        }
        first = first.or(Some(commit));
        at = commit;
    }
    first.filter(|_| at == head.as_str())
}

/// Reads `--raw -z`, or says which entry is not plain.
fn entries(listed: &[u8]) -> Result<Vec<Entry>, String> {
    let mut found = Vec::new();
    let mut tokens = listed.split(|byte| *byte == 0);
    while let Some(raw) = tokens.next().and_then(|token| token.strip_prefix(b":")) {
        let raw = String::from_utf8_lossy(raw);
        let mut words = raw.split(' ');
        let (before, after) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let blob = words.nth(1).unwrap_or_default().to_owned();
        let path = std::str::from_utf8(tokens.next().unwrap_or_default());
        let path = path.map_err(|_error| "the name of a file is no text".to_owned())?;
        let blob = match (before, after) {
            (FILE | EXECUTABLE, NOTHING) => None,
            (FILE | NOTHING, FILE) => Some(blob),
            (EXECUTABLE, _) | (_, EXECUTABLE) => return Err(format!("`{path}` is executable")),
            (_, _) => return Err(format!("`{path}` is no plain file")),
        };
        found.push(Entry { path: path.to_owned(), blob });
    }
    Ok(found)
}

/// Reads what `cat-file --batch` gives: a line with name and size, the bytes, a line break.
pub(super) fn batch(given: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut rest = given;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (head, tail) = (rest.get(..end)?, rest.get(end + 1..)?);
        let (name, size) = std::str::from_utf8(head).ok()?.split_once(' ')?;
        let size: usize = size.parse().ok()?;
        found.insert(name.to_owned(), tail.get(..size)?.to_vec());
        rest = tail.get(size + 1..)?;
    }
    Some(found)
}
