//! Commits that the World makes and signs, through the face.

use super::{Face, op};
use crate::github::commits::{NewCommit, Signed};
use crate::github::{At, Error, answer};
use crate::playground::world::commits::BranchCommit;

impl Face {
    pub(super) fn send_commit(&self, at: &At, new: &NewCommit) -> Result<Signed, Error> {
        let (headline, body) = new.headline_and_body();
        let written = new.written.iter().map(|(path, bytes)| (path.clone(), Some(bytes.clone())));
        let deleted = new.deleted.iter().map(|path| (path.clone(), None));
        let files = written.chain(deleted).collect();
        let commit = BranchCommit {
            branch: new.branch.as_str(),
            expected_head: new.parent.as_str(),
            headline,
            body,
            files: &files,
        };
        let op = op("POST", "graphql/CommitOnBranch", at, "");
        let made =
            self.write(at, op, |state, actor, repo| state.commit_on_branch(actor, repo, &commit));
        answer::signed(made.map(Some))
    }
}
