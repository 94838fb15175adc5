//! Commits that GitHub makes and signs.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::{Bench, branch};
use crate::github::Error;
use crate::github::commits::{NewCommit, Signed};
use crate::model::CommitSha;
use crate::playground::faults::Fault;

fn commit(name: &str, parent: &CommitSha) -> NewCommit {
    NewCommit {
        branch: branch(name),
        parent: parent.clone(),
        message: "Say it well\n\nBecause it matters.\n".into(),
        written: BTreeMap::from([
            ("b".to_owned(), b"\x00two\n".to_vec()),
            ("deep/c".to_owned(), Vec::new()),
        ]),
        deleted: BTreeSet::from(["a".to_owned()]),
    }
}

fn tip(b: &Bench, name: &str) -> CommitSha {
    let tip = b.world.with(|state| state.repos[&b.repo_id].branches[name].clone());
    CommitSha::parse(&tip).unwrap()
}

pub(super) async fn a_commit_is_made_on_the_named_parent_and_signed(b: Bench) {
    let parent = b.push("feat/x", &[("a", "two\n")]);
    let new = commit("feat/x", &parent);
    let made = b.hub.commit(&b.at, &new).await.unwrap();
    let Signed::Made { commit: made } = made else { panic!("{made:?}") };
    assert_eq!(made, tip(&b, "feat/x"));
    b.world.with(|state| {
        let repo = &state.repos[&b.repo_id];
        let info = repo.forge.commit_info(made.as_str()).unwrap().unwrap();
        assert_eq!(info.parents, [parent.as_str()]);
        assert_eq!(info.message, "Say it well\n\nBecause it matters.");
        assert_eq!(info.author.name, "slipway[bot]");
        assert!(repo.signed.contains(made.as_str()) && !repo.signed.contains(parent.as_str()));
        let read = |path: &str| repo.forge.read_file(made.as_str(), path).unwrap();
        assert_eq!(read("b").as_deref(), Some(&b"\x00two\n"[..]));
        assert_eq!((read("deep/c").as_deref(), read("a")), (Some(&b""[..]), None));
    });
    assert_eq!(b.hub.commit(&b.at, &new).await, Ok(Signed::Moved), "it is somewhere else now");
    assert_eq!(tip(&b, "feat/x"), made);
    let nowhere = b.hub.commit(&b.at, &commit("no/such", &parent)).await;
    assert!(matches!(nowhere, Ok(Signed::Refused { .. })), "{nowhere:?}");
    let again = b.hub.commit(&b.at, &commit("feat/x", &made)).await;
    assert!(matches!(again, Ok(Signed::Refused { .. })), "there is no `a` any more: {again:?}");
    b.fault("graphql/CommitOnBranch", Fault::status(403, false).header("retry-after", "9"));
    let limited = b.hub.commit(&b.at, &commit("feat/x", &made)).await;
    assert!(matches!(limited, Err(Error::Limited { .. })), "{limited:?}");
}

pub(super) async fn a_lost_commit_is_unknown_and_never_sent_again(b: Bench) {
    for (name, fault, applied) in [
        ("feat/1", Fault::status(500, true), true),
        ("feat/2", Fault::status(502, false), false),
        ("feat/3", Fault::reset(true), true),
        ("feat/4", Fault::reset(false), false),
    ] {
        let parent = b.push(name, &[("a", "two\n")]);
        let before = b.calls("graphql/CommitOnBranch");
        b.fault("graphql/CommitOnBranch", fault);
        let lost = b.hub.commit(&b.at, &commit(name, &parent)).await;
        assert!(matches!(lost, Ok(Signed::Unknown { .. })), "{name}: {lost:?}");
        assert_eq!(b.calls("graphql/CommitOnBranch"), before + 1, "{name}");
        assert_eq!(tip(&b, name) != parent, applied, "{name}");
    }
}
