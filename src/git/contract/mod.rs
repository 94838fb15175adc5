//! The suite every implementation of [`Git`] passes.

mod leaving;
mod texts;

use async_trait::async_trait;

use super::{
    ChangeKind, Changes, Error, Git, Import, Message, Plain, Push, PushAnswer, Workspace,
    WorkspaceOrder,
};
use crate::gate::push::{Content, Line};
use crate::gate::seen::Merge;
use crate::github::Remote;
use crate::model::{BranchName, CommitSha, RunId};

/// Paths and texts of a whole tree.
pub(super) type Files<'a> = &'a [(&'a str, &'a str)];

/// One remote repository, and git beside it.
#[async_trait]
pub(super) trait Place: Send + Sync {
    fn git(&self) -> &dyn Git;
    fn remote(&self) -> Remote;
    /// Somebody else commits exactly `files` on `parent` and moves `branch` there.
    async fn seed(&self, branch: &str, files: Files<'_>, parent: Option<&CommitSha>) -> CommitSha;
    /// An agent writes or deletes a file.
    fn edit(&self, workspace: &Workspace, path: &str, text: Option<&str>);
    fn look(&self, workspace: &Workspace, path: &str) -> Option<String>;
    /// A sandbox runs the packing.
    async fn pack(&self, workspace: &Workspace);
}

/// What is in the workspace is packed and taken.
pub(super) async fn import(place: &dyn Place, workspace: &Workspace) {
    place.pack(workspace).await;
    assert_eq!(place.git().import(workspace).await, Ok(Import::Taken));
}

/// Everything, each on a place of its own.
pub(super) async fn all<P: Place, F: Future<Output = P>>(make: impl Fn() -> F) {
    fetching(&make().await).await;
    probing(&make().await).await;
    editing(&make().await).await;
    resolving(&make().await).await;
    leaving::all(&make).await;
    merging(&make().await).await;
    parted(&make().await).await;
    telling(&make().await).await;
    texts::all(&make().await).await;
    pushing(&make().await).await;
    missing(&make().await).await;
}

fn line(number: u32, text: &str) -> Line {
    Line { number, text: text.to_owned() }
}

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

pub(super) fn order(remote: &Remote, at: &CommitSha) -> WorkspaceOrder {
    WorkspaceOrder {
        repo: remote.repo.clone(),
        run: RunId::parse("r0123456789").unwrap(),
        name: "e7".to_owned(),
        at: at.clone(),
        merge: None,
        steering: None,
    }
}

pub(super) fn message(text: &'static str) -> Message {
    let co_author = Some("Ann <1+ann@users.noreply.github.com>".into());
    Message { text: text.into(), co_author, at_seconds: 1_800_000_000 }
}

/// Fetches `names` that are all there.
pub(super) async fn fetched(place: &dyn Place, names: &[&str]) -> Vec<CommitSha> {
    let names: Vec<BranchName> = names.iter().map(|name| branch(name)).collect();
    let found = place.git().fetch(&place.remote(), &names).await.unwrap();
    names.iter().map(|name| found[name].clone()).collect()
}

async fn fetching(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let first = place.seed("main", &[("f", "1\n")], None).await;
    let names = [branch("main"), branch("nowhere"), branch("topic")];
    let found = git.fetch(&remote, &names).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(branch("main"), first.clone())]);
    let second = place.seed("main", &[("f", "2\n")], Some(&first)).await;
    let topic = place.seed("topic/deep", &[("f", "3\n")], Some(&first)).await;
    assert_eq!(fetched(place, &["main", "topic/deep"]).await, [second.clone(), topic.clone()]);
    let again = fetched(place, &["main"]).await;
    assert_eq!(again, std::slice::from_ref(&second), "with nothing new");
    let delete = Push { branch: branch("topic/deep"), new: None, expect: Some(topic) };
    assert_eq!(git.push(&remote, &delete).await, Ok(PushAnswer::Pushed));
    // A name that git could not keep beside the deleted one.
    let flat = place.seed("topic", &[("f", "4\n")], Some(&second)).await;
    assert_eq!(fetched(place, &["topic"]).await, std::slice::from_ref(&flat));
    assert!(git.contains(&remote.repo, &flat, &first).await.unwrap());
    assert!(!git.contains(&remote.repo, &first, &flat).await.unwrap());
    assert!(git.fetch(&remote, &[]).await.unwrap().is_empty());
}

async fn probing(place: &dyn Place) {
    let (git, repo) = (place.git(), place.remote().repo);
    let root = place.seed("main", &[("f", LINES)], None).await;
    let top = place.seed("top", &[("f", &LINES.replace('1', "one"))], Some(&root)).await;
    let low = place.seed("low", &[("f", &LINES.replace('9', "nine"))], Some(&root)).await;
    let other = place.seed("other", &[("f", &LINES.replace('1', "uno"))], Some(&root)).await;
    fetched(place, &["main", "top", "low", "other"]).await;

    let ahead = git.probe(&repo, &root, &top).await.unwrap();
    assert!(ahead.contains_base);
    let tree = git.tree_of(&repo, &top).await.unwrap();
    assert_eq!(ahead.merge, Merge::Clean { tree });
    let asked = ["f", "g", "f/x", ":(glob)*", "*", "-r"].map(str::to_owned).into();
    let found = git.files_among(&repo, &top, &asked).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["f"], "taken literally");
    assert!(git.files_among(&repo, &top, &[].into()).await.unwrap().is_empty());
    let sight = git.sight(&repo, &top, &asked).await.unwrap();
    assert_eq!((&*sight.paths, sight.truncated), (&["f".to_owned()][..], false));
    assert_eq!(sight.texts, [("f".to_owned(), LINES.replace('1', "one"))].into());
    let clean = git.probe(&repo, &top, &low).await.unwrap();
    assert_eq!((clean.contains_base, &clean.base, &clean.head), (false, &top, &low));
    let merged = git.merge(&repo, &low, &top, &message("m")).await.unwrap().unwrap();
    assert_eq!(clean.merge, Merge::Clean { tree: merged.tree }, "the prediction comes true");
    let clash = git.probe(&repo, &top, &other).await.unwrap();
    assert_eq!(clash.merge, Merge::Conflict { paths: vec!["f".to_owned()] });
}

async fn editing(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let files = [("a", "one\ntwo\nthree\n"), ("b", "gone\n"), ("deep/c", "kept\n")];
    let root = place.seed("main", &files, None).await;
    fetched(place, &["main"]).await;
    let workspace = git.workspace(&order(&remote, &root)).await.unwrap();
    assert_eq!(place.look(&workspace, "deep/c").as_deref(), Some("kept\n"));
    import(place, &workspace).await;
    assert_eq!(git.changes(&workspace).await.unwrap().files, []);
    assert_eq!(git.commit(&workspace, &message("nothing")).await.unwrap(), None);

    let workspace = git.workspace(&order(&remote, &root)).await.unwrap();
    place.edit(&workspace, "a", Some("one\n2\nthree\nfour\n"));
    place.edit(&workspace, "b", None);
    place.edit(&workspace, "new/d", Some("d\n"));
    import(place, &workspace).await;
    let changes = git.changes(&workspace).await.unwrap();
    assert!(changes.markers.is_empty() && !changes.truncated);
    let kinds: Vec<_> = changes.files.iter().map(|file| (&*file.path, file.kind)).collect();
    let expected =
        [("a", ChangeKind::Modified), ("b", ChangeKind::Deleted), ("new/d", ChangeKind::Added)];
    assert_eq!(kinds, expected);
    let first = &changes.files[0];
    assert_eq!((first.added, first.removed), (2, 1));
    assert_eq!((&first.content, first.bytes), (&Content::Text, 17));
    assert_eq!((changes.from.as_ref(), changes.patch_bytes > 0), (Some(&root), true));
    let near: Vec<_> = changes.near.iter().map(|near| &*near.path).collect();
    assert!(["a", "deep", "new", "new/d"].iter().all(|path| near.contains(path)), "{near:?}");
    assert_eq!(
        (&first.added_lines[..], &first.removed_lines[..]),
        (&[line(2, "2"), line(4, "four")][..], &["two".to_owned()][..])
    );
    assert_eq!(changes.files[1].removed_lines, ["gone"]);

    let made = git.commit(&workspace, &message("Change")).await.unwrap().unwrap();
    assert_eq!(git.commit(&workspace, &message("Change")).await.unwrap(), Some(made.clone()));
    assert_eq!(git.tree_of(&remote.repo, &made.commit).await.unwrap(), made.tree);
    assert!(git.contains(&remote.repo, &made.commit, &root).await.unwrap());
    let again = git.workspace(&order(&remote, &root)).await.unwrap();
    assert_eq!(place.look(&again, "a").as_deref(), Some("one\ntwo\nthree\n"), "a fresh one");
    let built = git.workspace(&order(&remote, &made.commit)).await.unwrap();
    assert_eq!(place.look(&built, "new/d").as_deref(), Some("d\n"));
    assert_eq!(place.look(&built, "b"), None);
    git.discard(built.clone()).await.unwrap();
    assert_eq!(place.look(&built, "a"), None);
    assert!(git.changes(&built).await.is_err(), "it is gone");
}

async fn resolving(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let root = place.seed("main", &[("f", LINES), ("g", "g\n")], None).await;
    let ours = [("f", &*LINES.replace('5', "ours")), ("g", "g\n")];
    let head = place.seed("head", &ours, Some(&root)).await;
    let theirs = [("f", &*LINES.replace('5', "theirs")), ("g", "changed\n")];
    let base = place.seed("main", &theirs, Some(&root)).await;
    fetched(place, &["main", "head"]).await;
    let order = WorkspaceOrder { merge: Some(base.clone()), ..order(&remote, &head) };
    let workspace = git.workspace(&order).await.unwrap();
    assert_eq!(workspace.conflicts, ["f"]);
    assert_eq!(place.look(&workspace, "g").as_deref(), Some("changed\n"), "merged by itself");
    let marked = place.look(&workspace, "f").unwrap();
    let at = |text: &str| marked.find(text).unwrap();
    assert!(at("<<<<<<< ") < at("ours") && at("ours") < at("\n=======\n"), "{marked}");
    assert!(at("\n=======\n") < at("theirs") && at("theirs") < at(">>>>>>> "), "{marked}");
    import(place, &workspace).await;
    let untouched = git.changes(&workspace).await.unwrap();
    assert_eq!((untouched.files, untouched.markers), (vec![], vec!["f".to_owned()]));
    assert!(matches!(git.commit(&workspace, &message("Early")).await, Err(Error::Local(_))));

    let resolved = LINES.replace('5', "ours\ntheirs");
    let workspace = git.workspace(&order).await.unwrap();
    place.edit(&workspace, "f", Some(&resolved));
    import(place, &workspace).await;
    let changes = git.changes(&workspace).await.unwrap();
    assert!(changes.markers.is_empty());
    assert_eq!(changes.files.iter().map(|file| &*file.path).collect::<Vec<_>>(), ["f"]);
    let made = git.commit(&workspace, &message("Resolve")).await.unwrap().unwrap();
    for parent in [&head, &base] {
        assert!(git.contains(&remote.repo, &made.commit, parent).await.unwrap());
    }
    let probe = git.probe(&remote.repo, &base, &made.commit).await.unwrap();
    assert!(probe.contains_base);
    let built = git.workspace(&super::contract::order(&remote, &made.commit)).await.unwrap();
    assert_eq!(place.look(&built, "f"), Some(resolved));
    assert_eq!(place.look(&built, "g").as_deref(), Some("changed\n"));
}

async fn merging(place: &dyn Place) {
    let (git, repo) = (place.git(), place.remote().repo);
    let root = place.seed("main", &[("f", LINES)], None).await;
    let head = place.seed("head", &[("f", LINES), ("new", "n\n")], Some(&root)).await;
    let base = place.seed("main", &[("f", &LINES.replace('1', "one"))], Some(&root)).await;
    let clash = place.seed("clash", &[("f", &LINES.replace('1', "uno"))], Some(&root)).await;
    fetched(place, &["main", "head", "clash"]).await;
    let made = git.merge(&repo, &head, &base, &message("Update")).await.unwrap().unwrap();
    let again = git.merge(&repo, &head, &base, &message("Update")).await.unwrap().unwrap();
    assert_eq!(made, again, "the same input gives the same commit");
    for parent in [&head, &base] {
        assert!(git.contains(&repo, &made.commit, parent).await.unwrap());
    }
    assert_eq!(git.parent_of(&repo, &made.commit).await, Ok(Some(head.clone())), "the first");
    assert_eq!(git.parents_of(&repo, &made.commit).await, Ok(vec![head.clone(), base.clone()]));
    assert_eq!(git.parent_of(&repo, &root).await, Ok(None));
    let behind = git.merge(&repo, &made.commit, &base, &message("Again")).await.unwrap();
    assert_eq!(behind, Some(made), "nothing to merge");
    assert_eq!(git.merge(&repo, &clash, &base, &message("No")).await.unwrap(), None);
}

async fn parted(place: &dyn Place) {
    let (git, repo) = (place.git(), place.remote().repo);
    let root = place.seed("main", &[("f", "1\n"), ("g", "1\n")], None).await;
    let head = place.seed("head", &[("f", "2\n"), ("g", "1\n")], Some(&root)).await;
    let base = place.seed("main", &[("f", "1\n"), ("g", "2\n")], Some(&root)).await;
    let alone = place.seed("alone", &[("f", "1\n")], None).await;
    fetched(place, &["main", "head", "alone"]).await;
    let paths = |changes: &Changes| -> Vec<String> {
        changes.files.iter().map(|file| file.path.clone()).collect()
    };
    let own = git.between(&repo, &base, &head).await.unwrap();
    assert_eq!((paths(&own), own.from), (vec!["f".to_owned()], Some(root.clone())));
    let made = git.merge(&repo, &head, &base, &message("Update")).await.unwrap().unwrap();
    let after = git.between(&repo, &base, &made.commit).await.unwrap();
    assert_eq!(paths(&after), ["f"], "what came in with the base is not its doing");
    assert_eq!((after.from, &after.files[0].added_lines[0]), (Some(base), &line(1, "2")));
    let none = git.between(&repo, &root, &root).await.unwrap();
    assert_eq!((none.files, none.from), (vec![], Some(root.clone())));
    let apart = git.between(&repo, &alone, &root).await.unwrap();
    assert_eq!(apart.from, None, "they have nothing in common");
}

async fn telling(place: &dyn Place) {
    let (git, repo) = (place.git(), place.remote().repo);
    let root = place.seed("main", &[("a", "1\n"), ("gone", "g\n"), ("kept", "k\n")], None).await;
    let files = [("a", "one\n"), ("gone", "g\n"), ("kept", "k\n")];
    let first = place.seed("work", &files, Some(&root)).await;
    let files = [("a", "two\n"), ("deep/b", "b\n"), ("kept", "k\n")];
    let head = place.seed("work", &files, Some(&first)).await;
    let other = place.seed("other", &[("a", "1\n")], Some(&root)).await;
    fetched(place, &["main", "work", "other"]).await;
    let told = git.plain(&repo, &root, &head).await.unwrap();
    let Plain::Yes(change) = told else { panic!("{told:?}") };
    let written: Vec<_> = change.written.into_iter().collect();
    let expected = [("a", "two\n"), ("deep/b", "b\n")];
    assert_eq!(written, expected.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())));
    assert_eq!(change.deleted.into_iter().collect::<Vec<_>>(), ["gone"]);
    assert!(!change.message.is_empty());
    let message = message("The first line\n\nAnd more.");
    let base = place.seed("main", &[("a", "1\n"), ("new", "n\n"), ("kept", "k\n")], Some(&root));
    let base = base.await;
    fetched(place, &["main"]).await;
    let merge = git.merge(&repo, &head, &base, &message).await.unwrap().unwrap();
    for (from, to) in [(&head, &merge.commit), (&root, &merge.commit), (&other, &head)] {
        let told = git.plain(&repo, from, to).await.unwrap();
        assert!(matches!(&told, Plain::No { why } if why.contains("merge")), "{told:?}");
    }
    assert!(matches!(git.plain(&repo, &head, &head).await, Ok(Plain::No { .. })));
}

async fn pushing(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let root = place.seed("main", &[("f", "1\n")], None).await;
    let next = place.seed("next", &[("f", "2\n")], Some(&root)).await;
    fetched(place, &["main", "next"]).await;
    let push = |new: Option<&CommitSha>, expect: Option<&CommitSha>| {
        let push = Push { branch: branch("work/1"), new: new.cloned(), expect: expect.cloned() };
        let remote = remote.clone();
        async move { git.push(&remote, &push).await.unwrap() }
    };
    let stale = |actual: Option<&CommitSha>| PushAnswer::Stale { actual: actual.cloned() };
    assert_eq!(push(Some(&next), Some(&root)).await, stale(None), "it does not exist yet");
    assert_eq!(push(Some(&root), None).await, PushAnswer::Pushed);
    assert_eq!(push(Some(&root), None).await, PushAnswer::Pushed, "it is there already");
    assert_eq!(push(Some(&next), None).await, stale(Some(&root)), "create only");
    assert_eq!(push(Some(&next), Some(&root)).await, PushAnswer::Pushed);
    assert_eq!(push(Some(&next), Some(&root)).await, PushAnswer::Pushed, "the same once more");
    assert_eq!(push(Some(&root), Some(&next)).await, PushAnswer::Pushed, "back, under the lease");
    assert_eq!(push(None, Some(&next)).await, stale(Some(&root)));
    assert_eq!(push(None, Some(&root)).await, PushAnswer::Pushed);
    assert_eq!(push(None, Some(&root)).await, PushAnswer::Pushed, "it is gone already");
    assert!(git.fetch(&remote, &[branch("work/1")]).await.unwrap().is_empty());
}

async fn missing(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let here = place.seed("main", &[("f", "1\n")], None).await;
    fetched(place, &["main"]).await;
    let other = place.seed("other", &[("f", "2\n")], Some(&here)).await;
    let lost = |error: Error| {
        assert!(matches!(error, Error::Missing(_)) && error.retry(), "{error:?}");
    };
    let (repo, text) = (&remote.repo, message("m"));
    lost(git.probe(repo, &here, &other).await.unwrap_err());
    lost(git.tree_of(repo, &other).await.unwrap_err());
    lost(git.parent_of(repo, &other).await.unwrap_err());
    lost(git.contains(repo, &other, &here).await.unwrap_err());
    lost(git.plain(repo, &here, &other).await.unwrap_err());
    lost(git.texts(repo, &other, &super::Sought::default()).await.unwrap_err());
    lost(git.merge(repo, &here, &other, &text).await.unwrap_err());
    lost(git.workspace(&order(&remote, &other)).await.unwrap_err());
    let push = Push { branch: branch("x"), new: Some(other), expect: None };
    lost(git.push(&remote, &push).await.unwrap_err());
}
