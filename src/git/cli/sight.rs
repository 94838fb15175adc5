//! The names of a commit's files and some of their texts, read from the mirror.

use std::collections::{BTreeMap, BTreeSet};

use super::Cli;
use super::verb::Verb;
use crate::git::sight::some;
use crate::git::{Error, SIGHT_FILE_BYTES_MAX, Sight};
use crate::model::{CommitSha, Repo};

/// Bytes of a listing that are read; names beyond are left out.
const LISTING_BYTES_MAX: usize = 1 << 20;
/// Modes of plain files.
const PLAIN: [&str; 2] = ["100644", "100755"];

impl Cli {
    pub(super) async fn see(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        wanted: &BTreeSet<String>,
    ) -> Result<Sight, Error> {
        let call = self.on(repo, Verb::LsTree).flags(&["-r", "-z", "--full-tree"]);
        let answer = call.on([commit.as_str()]).bytes_max(LISTING_BYTES_MAX).answer().await?;
        if answer.code != 0 {
            return Err(self.why(repo, &[commit], &answer).await);
        }
        let is_cut = answer.stdout.left_out() > 0;
        let listed = String::from_utf8_lossy(answer.stdout.beginning()).into_owned();
        let whole = answer.stdout.whole();
        let listed = whole.map_or(listed, |all| String::from_utf8_lossy(&all).into_owned());
        let entries: Vec<(&str, &str)> = listed
            .split_terminator('\0')
            .filter_map(|entry| entry.split_once('\t'))
            .filter(|(what, _)| what.contains(" blob "))
            .collect();
        let paths = entries.iter().map(|(_, path)| (*path).to_owned()).collect();
        let mut sight = Sight::of(paths, is_cut);
        let blobs: BTreeMap<&str, &str> = entries
            .iter()
            .filter(|(what, _)| PLAIN.iter().any(|mode| what.starts_with(mode)))
            .filter_map(|(what, path)| Some((*path, what.rsplit(' ').next()?)))
            .collect();
        for path in some(wanted) {
            let Some(blob) = blobs.get(path.as_str()) else { continue };
            sight.keep(path, &self.beginning(repo, blob).await?);
        }
        Ok(sight)
    }

    /// The first bytes of a blob.
    async fn beginning(&self, repo: &Repo, blob: &str) -> Result<Vec<u8>, Error> {
        let call = self.on(repo, Verb::CatFile).on(["blob", blob]);
        let said = call.bytes_max(SIGHT_FILE_BYTES_MAX).run().await?.stdout;
        let mut bytes = said.whole().unwrap_or_else(|| said.beginning().to_vec());
        // What was cut may end in the middle of a character.
        if let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
        {
            bytes.truncate(error.valid_up_to());
        }
        Ok(bytes)
    }
}
