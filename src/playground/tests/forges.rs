//! One suite for both kinds of repository.

use super::files;
use crate::playground::bare::BareForge;
use crate::playground::forge::{ChangeKind, CommitDraft, Expected, Forge, Merged, Person};
use crate::playground::memory::MemoryForge;

fn commit(forge: &dyn Forge, parent: Option<&str>, list: &[(&str, &str)], at_ms: i64) -> String {
    let tree = forge.write_files(parent, &files(list)).unwrap();
    let parents: Vec<&str> = parent.into_iter().collect();
    let author = Person::new("mara", "mara@example.org");
    let message = "a change\n\nwith a body";
    let draft = CommitDraft { tree: &tree, parents: &parents, message, author: &author, at_ms };
    forge.commit_tree(&draft).unwrap()
}

fn suite(forge: &dyn Forge) {
    let root = commit(forge, None, &[("a.txt", "1\n2\n3\n4\n5\n"), ("d/run.sh", "x\n")], 1_000);
    let top = commit(forge, Some(&root), &[("a.txt", "one\n2\n3\n4\n5\n")], 2_000);
    let low = commit(forge, Some(&root), &[("a.txt", "1\n2\n3\n4\nfive\n")], 3_000);
    let near = commit(forge, Some(&root), &[("a.txt", "1\ntwo\n3\n4\n5\n")], 4_000);
    let Merged::Clean { tree } = forge.merge_tree(None, &top, &low).unwrap() else {
        panic!("distant lines clash");
    };
    let me = Person::new("rio", "rio@example.org");
    let parents = [&*top, &*low];
    let draft =
        CommitDraft { tree: &tree, parents: &parents, message: "both", author: &me, at_ms: 5_000 };
    let both = forge.commit_tree(&draft).unwrap();
    let text = forge.read_file(&both, "a.txt").unwrap().unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "one\n2\n3\n4\nfive\n");
    assert_eq!(forge.read_file(&both, "no.txt").unwrap(), None);
    let clash = forge.merge_tree(None, &top, &near).unwrap();
    assert_eq!(clash, Merged::Conflict { paths: vec!["a.txt".to_owned()] });
    assert!(forge.is_ancestor(&root, &both).unwrap() && !forge.is_ancestor(&both, &root).unwrap());
    assert_eq!(forge.merge_base(&top, &low).unwrap(), Some(root.clone()));
    let info = forge.commit_info(&both).unwrap().unwrap();
    assert_eq!((&*info.message, info.at_ms, info.author), ("both", 5_000, me));
    assert_eq!(info.parents, [top.clone(), low.clone()]);
    assert_eq!(forge.commits_between(Some(&root), &both, 9).unwrap().len(), 3);
    let diff = forge.diff(&root, &both).unwrap();
    assert_eq!((diff.len(), diff[0].kind, &*diff[0].path), (1, ChangeKind::Modified, "a.txt"));
    assert_eq!((diff[0].additions, diff[0].deletions), (2, 2));
    let tree = forge.list_tree(&both).unwrap();
    assert!(tree.iter().any(|entry| entry.path == "d/run.sh" && entry.executable));
    forge.update_ref("refs/heads/main", Expected::Missing, Some(&root)).unwrap();
    assert!(forge.update_ref("refs/heads/main", Expected::At(&top), Some(&both)).is_err());
    forge.update_ref("refs/heads/main", Expected::At(&root), Some(&both)).unwrap();
    assert_eq!(forge.read_ref("refs/heads/main").unwrap(), Some(both.clone()));
    assert_eq!(forge.refs().unwrap()["refs/heads/main"], both);
    forge.update_ref("refs/heads/main", Expected::Anything, None).unwrap();
    assert_eq!(forge.read_ref("refs/heads/main").unwrap(), None);
}

#[test]
fn a_repository_in_memory_behaves() {
    suite(&MemoryForge::default());
}

#[test]
fn a_repository_on_disk_behaves_the_same() {
    let dir = tempfile::tempdir().unwrap();
    suite(&BareForge::create(&dir.path().join("o/r.git"), "main").unwrap());
}
