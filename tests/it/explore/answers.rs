//! What GitHub can answer to what the abstract world asks of it.

use slipway::model::CommitSha;
use slipway::model::budget::{Full, Scope, Used};
use slipway::pipeline::question::Talk;
use slipway::pipeline::standing::Enlisted;
use slipway::pipeline::twin::{Signing, Twin};
use slipway::pipeline::{Done, MergeAnswer, Role, Unfinished, UpdateAnswer};
use slipway::policy::Commits;

use super::alphabet::text;
use super::lens::Lens;
use super::world::{LANDED, NEW, NOW, PULL, commit, tree};

/// As it is, or as GitHub's twin of it.
pub(super) fn published(head: &CommitSha, lens: &Lens) -> Done {
    let twin = Twin::of((head, &tree('1')), (&commit(NEW), &tree('1')));
    match (lens.policy.commits, twin) {
        (Commits::SignedByGithub, Some(twin)) => {
            let head = twin.commit().clone();
            Done::Published { head, pull: PULL, signing: Some(Signing::Signed(twin)) }
        }
        (Commits::SignedByGithub | Commits::Pushed, _) => {
            Done::Published { head: head.clone(), pull: PULL, signing: None }
        }
    }
}

/// The ways an agent ends for want of money: of its run, and of everybody's until tomorrow.
pub(super) fn short(role: Role) -> Vec<(&'static str, Done)> {
    let left = Unfinished { head: commit(NEW), tree: tree('2'), summary: "half".to_owned() };
    let left = Some(left).filter(|_| matches!(role, Role::Builder | Role::Fixer));
    vec![
        ("out of money", used_up(Scope::Run, left)),
        ("out of everybody's money", used_up(Scope::Day, None)),
    ]
}

/// The ways an agent asks: with what it has made, and with nothing.
pub(super) fn asked(role: Role) -> Vec<(&'static str, Done)> {
    let left = Unfinished { head: commit(NEW), tree: tree('2'), summary: "half".to_owned() };
    let left = Some(left).filter(|_| matches!(role, Role::Builder | Role::Fixer));
    let talk = Talk { agent: "codex".to_owned(), session: "s".to_owned(), entry: 1 };
    let asked = |left, talk| Done::Asked {
        text: "Which one?".to_owned(),
        did: String::new(),
        left,
        talk,
        cost_micros: 1,
    };
    vec![("asks", asked(left, Some(talk))), ("asks with nothing made", asked(None, None))]
}

pub(super) fn afford() -> Vec<(&'static str, Done)> {
    vec![
        ("there is money", Done::Affordable),
        ("still out of everybody's money", used_up(Scope::Day, None)),
    ]
}

fn used_up(scope: Scope, left: Option<Unfinished>) -> Done {
    let used = Used { spent: 9, reserved: 0 };
    let renews = (scope == Scope::Day).then_some(NOW);
    let full = Full { scope, cap: 9, kept: 0, used, asked: 1, renews };
    Done::BudgetUsed { full, left, cost_micros: 1 }
}

pub(super) fn update() -> Vec<(&'static str, Done)> {
    let said = |name, answer| (name, Done::UpdateAsked(answer));
    vec![
        said("update is coming", UpdateAnswer::Coming),
        said("update: head moved", UpdateAnswer::Moved),
        said("update refused", UpdateAnswer::No { text: text() }),
        said("update asked, no answer", UpdateAnswer::Unknown { text: text() }),
    ]
}

/// What git says of a commit that may be the update.
pub(super) fn recognised(found: &CommitSha) -> Vec<(&'static str, Done)> {
    vec![
        ("recognised", Done::Recognised { head: found.clone(), tree: tree('2') }),
        ("pushed to by somebody", Done::Diverged { remote: Some(found.clone()) }),
        ("branch gone", Done::Diverged { remote: None }),
    ]
}

pub(super) fn enlisted(all: bool) -> Vec<(&'static str, Done)> {
    let said = |name, answer| (name, Done::Enlisted(answer));
    let mut some = vec![said("it stands", Enlisted::Stands)];
    if !all {
        return some;
    }
    some.extend([
        said("nothing is pending", Enlisted::Clean),
        said("no: its head is another", Enlisted::No(MergeAnswer::HeadModified)),
        said("no: not asked", Enlisted::No(MergeAnswer::NotSent)),
        said("asked, no answer", Enlisted::Unknown { text: text() }),
    ]);
    some
}

pub(super) fn merge(all: bool) -> Vec<(&'static str, Done)> {
    let said = |name, answer| (name, Done::MergeAnswered(answer));
    let mut some = vec![said("merged", MergeAnswer::Merged { commit: commit(LANDED) })];
    if !all {
        return some;
    }
    some.extend([
        said("merge refused", MergeAnswer::Refused { text: text() }),
        said("405 base modified", MergeAnswer::BaseModified),
        said("405 checks missing", MergeAnswer::ChecksMissing { text: text() }),
        said("405 not mergeable", MergeAnswer::NotMergeable),
        said("409 head modified", MergeAnswer::HeadModified),
        said("merge unknown", MergeAnswer::Unknown { text: text() }),
        said("merge not sent", MergeAnswer::NotSent),
    ]);
    some
}
