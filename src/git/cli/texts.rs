//! Texts of files of a commit, read from the mirror.

use std::collections::BTreeMap;

use super::Cli;
use super::mirror::lines;
use super::plain::batch;
use super::verb::Verb;
use crate::git::{Error, Sought, TEXT_BYTES_MAX, TEXT_FILES_MAX, Texts};
use crate::model::{CommitSha, Repo};

/// Longest list of a whole tree that is looked through, in bytes. In a larger tree only the top
/// and the paths are looked at.
const LISTED_BYTES_MAX: usize = 32 << 20;
/// Most files that are looked at; further ones are not even named.
const FOUND_MAX: usize = 1_000;

impl Cli {
    pub(super) async fn read_texts(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        sought: &Sought,
    ) -> Result<Texts, Error> {
        let found = self.find_texts(repo, commit, sought).await?;
        let ids: Vec<&str> = found.iter().map(|(_, id)| id.as_str()).collect();
        let sizes = self.sizes(repo, &ids).await?;
        let small = |id: &&str| sizes.get(*id).is_some_and(|size| *size <= TEXT_BYTES_MAX);
        let small: Vec<&str> = ids.into_iter().filter(small).take(TEXT_FILES_MAX).collect();
        let held = self.held(repo, &small).await?;
        let mut texts = Texts::default();
        for (path, id) in &found {
            texts.take(path.clone(), held.get(id).map(Vec::as_slice));
        }
        Ok(texts)
    }

    /// Paths and blobs, in the order of the paths.
    async fn find_texts(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        sought: &Sought,
    ) -> Result<Vec<(String, String)>, Error> {
        let call = self.on(repo, Verb::LsTree).flags(&["-r", "-z", "--full-tree"]);
        let call = call.bytes_max(LISTED_BYTES_MAX).on([commit.as_str()]);
        let answer = call.answer().await?;
        if answer.code != 0 {
            return Err(self.why(repo, &[commit], &answer).await);
        }
        let listed = match answer.stdout.whole() {
            Some(listed) => listed,
            None => self.list_top(repo, commit, sought).await?,
        };
        let entries = listed.split(|byte| *byte == 0).filter_map(plain_file);
        let mut found: Vec<_> = entries.filter(|(path, _)| sought.wants(path)).collect();
        found.sort();
        found.truncate(FOUND_MAX);
        Ok(found)
    }

    /// The same list for the top of the tree and the paths alone.
    async fn list_top(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        sought: &Sought,
    ) -> Result<Vec<u8>, Error> {
        tracing::warn!(%repo, "a tree is too large to be searched for instructions in its depth");
        let paths = sought.paths.iter().chain(&sought.names).map(String::as_str);
        let call = self.on(repo, Verb::LsTree).flags(&["-z", "--full-tree"]);
        call.on([commit.as_str()].into_iter().chain(paths)).run().await?.bytes()
    }

    async fn sizes(&self, repo: &Repo, ids: &[&str]) -> Result<BTreeMap<String, usize>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let call = self.on(repo, Verb::CatFile);
        let call = call.flags(&["--batch-check=%(objectname) %(objectsize)"]);
        let said = call.stdin(asked(ids)).run().await?.text()?;
        let read = |line: &str| {
            let (id, size) = line.split_once(' ')?;
            Some((id.to_owned(), size.parse().ok()?))
        };
        Ok(said.lines().filter_map(read).collect())
    }

    async fn held(&self, repo: &Repo, ids: &[&str]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let call = self.on(repo, Verb::CatFile).flags(&["--batch=%(objectname) %(objectsize)"]);
        let held = call.stdin(asked(ids)).run().await?.bytes()?;
        batch(&held).ok_or_else(|| Error::Local("a batch that cannot be read".to_owned()))
    }
}

fn asked(ids: &[&str]) -> String {
    lines(ids.iter().map(|id| (*id).to_owned()))
}

/// Path and blob of an entry, when it is a plain file whose name is text.
fn plain_file(entry: &[u8]) -> Option<(String, String)> {
    let (what, path) = std::str::from_utf8(entry).ok()?.split_once('\t')?;
    let mut words = what.split(' ');
    let (mode, kind, id) = (words.next()?, words.next()?, words.next()?);
    let plain = matches!(mode, "100644" | "100755") && kind == "blob";
    plain.then(|| (path.to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::ground::Disk;
    use super::*;
    use crate::git::contract::{Place, fetched};

    #[tokio::test]
    async fn a_link_is_neither_followed_nor_read() {
        let place = Disk::new().await;
        let mut stream = "commit refs/heads/main\ncommitter T <t@example.org> 1 +0000\n\
                          data 4\nseed\n"
            .to_owned();
        for (mode, path, text) in [
            ("100755", "AGENTS.md", "own\n"),
            ("120000", "CLAUDE.md", "AGENTS.md"),
            ("120000", "a/AGENTS.md", "/etc/passwd"),
        ] {
            stream.extend([format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len())]);
        }
        let import = ["fast-import", "--quiet"];
        let call = place.git.program.call(&place.bare(), Verb::Trial).flags(&import);
        call.stdin(stream).run().await.unwrap();
        let at = fetched(&place, &["main"]).await.remove(0);
        let names = ["AGENTS.md", "CLAUDE.md"].map(str::to_owned).into();
        let sought = Sought { names, ..Sought::default() };
        let repo = place.remote().repo;
        let found = place.git.read_texts(&repo, &at, &sought).await.unwrap();
        let told: Vec<_> = found.files.iter().map(|file| (&*file.path, &*file.text)).collect();
        assert_eq!((told, found.left_out), (vec![("AGENTS.md", "own\n")], vec![]));
    }
}
