//! Webhook bodies: never a panic, an error only for what is no JSON object, and nothing inside
//! a happening that the types promise not to be there.

use slipway::github::payload::{self, Happening, PULLS_MAX};
use slipway::model::{BranchName, CommitSha};

use super::grow::{corpus, delivery};
use super::search;

const APP: u64 = 77;

/// Values of our types are of their form, whatever they came from.
fn whole(happening: &Happening) {
    let branch = |name: &BranchName| assert!(BranchName::parse(name.as_str()).is_ok(), "{name}");
    let commit = |sha: &CommitSha| assert!(CommitSha::parse(sha.as_str()).is_ok(), "{sha}");
    match happening {
        Happening::Pull { head, branch: own, base, .. } => {
            commit(head);
            own.iter().for_each(branch);
            branch(base);
        }
        Happening::Group { base, head, .. } => {
            branch(base);
            commit(head);
        }
        Happening::Push { branch: name, before, after, .. } => {
            branch(name);
            before.iter().chain(after).for_each(commit);
        }
        Happening::Checks { head, pulls, .. } | Happening::Button { head, pulls, .. } => {
            commit(head);
            assert!(pulls.len() <= PULLS_MAX);
        }
        Happening::Rerequested { head, .. } => commit(head),
        Happening::Nothing { why } => assert!(why.len() < 2_000 && !why.contains('\n'), "{why}"),
        Happening::Comment { .. }
        | Happening::Labeled { .. }
        | Happening::Unlabeled { .. }
        | Happening::IssueClosed { .. }
        | Happening::IssueReopened { .. }
        | Happening::Review { .. }
        | Happening::Installation { .. } => {}
    }
    if let Some(at) = happening.at() {
        let name = at.repo.to_string();
        assert!(slipway::model::Repo::parse(&name).is_ok(), "{name}");
    }
}

#[test]
fn payloads_are_understood_or_nothing() {
    search(|rng| {
        let (event, body) = delivery(rng);
        let object = payload::is_json_object(&body);
        match payload::read(event, &body, APP) {
            Ok(happening) => {
                assert!(object);
                whole(&happening);
            }
            Err(payload::Malformed) => assert!(!object),
        }
        payload::issue_words(&body);
        payload::comment_written(&body);
    });
}

#[test]
fn the_corpus_itself_is_understood() {
    for (event, body) in corpus() {
        let found = payload::read(event, body.to_string().as_bytes(), APP).unwrap();
        assert!(!matches!(found, Happening::Nothing { .. }), "{event}: {found:?}");
        whole(&found);
    }
}
