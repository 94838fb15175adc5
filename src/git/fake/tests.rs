//! The contract on memory.

use super::workspaces::PACKED;
use super::*;
use crate::git::contract::{self, Files, Place};
use crate::git::depot::Blob;
use crate::model::Secret;

struct One(Depot);

impl Remotes for One {
    fn depot(&self, _: &Remote) -> Result<Depot, Error> {
        Ok(self.0.clone())
    }
}

struct Memory {
    git: Fake,
    depot: Depot,
    directories: Directories,
}

impl Memory {
    fn new() -> Self {
        let (depot, directories) = (Depot::new(), Directories::default());
        let remotes = Arc::new(One(depot.clone()));
        Self { git: Fake::new(remotes, Arc::clone(&directories)), depot, directories }
    }
}

#[async_trait]
impl Place for Memory {
    fn git(&self) -> &dyn Git {
        &self.git
    }

    fn remote(&self) -> Remote {
        let repo = Repo::parse("octo/hello").unwrap();
        Remote { repo, url: "memory:octo/hello".to_owned(), secret: Secret::new("") }
    }

    async fn seed(&self, branch: &str, files: Files<'_>, parent: Option<&CommitSha>) -> CommitSha {
        let tree = files.iter().map(|(p, text)| ((*p).to_owned(), Blob::new(text.as_bytes())));
        let id = self.depot.commit(&NewCommit {
            tree_id: self.depot.write_tree(tree.collect()),
            parents: parent.map(ToString::to_string).into_iter().collect(),
            message: "seed".to_owned(),
            author: Person::new("T", "t@example.org"),
            at_ms: 1,
        });
        let id = id.unwrap();
        let name = format!("refs/heads/{branch}");
        self.depot.update_ref(&name, Expected::Anything, Some(&id)).unwrap();
        commit_sha(&id).unwrap()
    }

    fn edit(&self, workspace: &Workspace, path: &str, text: Option<&str>) {
        let mut directories = self.directories.lock().unwrap();
        let files = directories.get_mut(&workspace.key).unwrap();
        match text {
            Some(text) => files.insert(path.to_owned(), text.to_owned()),
            None => files.remove(path),
        };
    }

    async fn pack(&self, workspace: &Workspace) {
        self.edit(workspace, PACKED, Some(""));
    }

    fn look(&self, workspace: &Workspace, path: &str) -> Option<String> {
        self.directories.lock().unwrap().get(&workspace.key)?.get(path).cloned()
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    contract::all(|| async { Memory::new() }).await;
}
