//! Whose words these are, who else may write, and what guards a branch.

use super::bench::{Bench, POLICY, REPO, branch, user};
use crate::github::{Edited, Error};
use crate::model::{CommentId, IssueNumber, Millis, PullNumber};
use crate::playground::world::issues::IssueEdit;
use crate::playground::world::{self, Actor, HeadRepo, RequiredCheck, Role};

pub(super) async fn a_conversation_tells_who_wrote_and_who_edited_last(b: Bench) {
    let number = b.world.open_issue(b.otto.id, REPO, "An issue", "Please.").unwrap().number;
    let issue = IssueNumber(number);
    let first = b.world.comment(b.rio.id, REPO, number, "One.").unwrap().id;
    let fresh = b.hub.conversation(&b.at, issue).await.unwrap();
    assert_eq!(fresh.author, Some(user(&b.otto)));
    assert!(fresh.edits.is_empty() && fresh.older == 0);
    assert_eq!(
        (fresh.remarks[0].id, fresh.remarks[0].by.clone()),
        (CommentId(first), Some(user(&b.rio)))
    );
    assert_eq!(fresh.remarks[0].edited, None);

    b.clock.set(Millis(b.world.now_ms() + 5_000));
    let at = Millis(b.world.now_ms().div_euclid(1_000) * 1_000);
    b.world.edit_comment(b.mara.id, REPO, first, "Two.").unwrap();
    let edit = |title: Option<&str>, body: Option<&str>| IssueEdit {
        title: title.map(str::to_owned),
        body: body.map(str::to_owned),
        ..IssueEdit::default()
    };
    let change = |who: u64, edit: &IssueEdit| {
        let actor = Actor::User(who);
        b.world.with(|state| state.edit_issue(&actor, REPO, number, edit)).unwrap();
    };
    change(b.rio.id, &edit(None, Some("Other words.")));
    change(b.otto.id, &edit(Some("Another title"), None));
    let now = b.hub.conversation(&b.at, issue).await.unwrap();
    let by = |who: &world::User| Edited { at, by: Some(user(who)) };
    assert_eq!(now.edits, [by(&b.rio), by(&b.otto)], "body, then title");
    assert_eq!(
        (now.remarks[0].text.as_str(), now.remarks[0].edited.clone()),
        ("Two.", Some(by(&b.mara)))
    );

    for n in 0..105 {
        b.world.comment(b.otto.id, REPO, number, &format!("{n}")).unwrap();
    }
    let many = b.hub.conversation(&b.at, issue).await.unwrap();
    assert_eq!((many.remarks.len(), many.older), (100, 6));
    assert_eq!(many.remarks[99].text, "104", "the newest are read");
    let missing = b.hub.conversation(&b.at, IssueNumber(999)).await;
    assert!(matches!(missing, Err(Error::Gone(_))), "{missing:?}");
}

pub(super) async fn a_comment_is_read_as_it_is_now(b: Bench) {
    let number = b.world.open_issue(b.otto.id, REPO, "An issue", "").unwrap().number;
    let id = CommentId(b.world.comment(b.rio.id, REPO, number, "/go").unwrap().id);
    let found = b.hub.comment_now(&b.at, id).await.unwrap().unwrap();
    assert_eq!((found.number, found.body.as_str()), (IssueNumber(number), "/go"));
    assert_eq!((found.by, found.via, found.edited), (Some(user(&b.rio)), None, false));
    b.clock.set(Millis(b.world.now_ms() + 5_000));
    b.world.edit_comment(b.rio.id, REPO, id.0, "/stop").unwrap();
    let found = b.hub.comment_now(&b.at, id).await.unwrap().unwrap();
    assert_eq!((found.body.as_str(), found.edited), ("/stop", true));
    let rio = Actor::User(b.rio.id);
    b.world.with(|state| state.delete_comment(&rio, REPO, id.0)).unwrap();
    assert_eq!(b.hub.comment_now(&b.at, id).await, Ok(None));
}

pub(super) async fn a_sole_writer_is_sole(b: Bench) {
    let alone = async |who: &world::User| b.hub.sole_writer(&b.at, &user(who)).await.unwrap();
    assert!(!alone(&b.mara).await, "rio may write too");
    for (role, expected) in [(Role::Read, true), (Role::Triage, true), (Role::Maintain, false)] {
        b.world.set_permission(REPO, b.rio.id, role).unwrap();
        assert_eq!(alone(&b.mara).await, expected, "{role:?}");
    }
    assert!(!alone(&b.otto).await, "otto may not even write");
}

pub(super) async fn what_guards_a_branch_and_whether_we_may_bypass_it(b: Bench) {
    let main = branch("main");
    let look = async || {
        let rules = b.hub.rules(&b.at, &main).await.unwrap();
        (rules.protected, b.hub.may_bypass(&b.at, &main).await.unwrap())
    };
    b.world.set_rules(REPO, "main", world::Rules::default()).unwrap();
    assert_eq!(look().await, (false, false));
    let test = RequiredCheck { context: "test".to_owned(), integration_id: None };
    let rules = world::Rules { required_checks: vec![test], ..world::Rules::default() };
    for (classic, bypass, expected) in
        [(false, false, (true, false)), (false, true, (true, true)), (true, true, (true, false))]
    {
        let rules = world::Rules { classic, bypass, ..rules.clone() };
        b.world.set_rules(REPO, "main", rules).unwrap();
        assert_eq!(look().await, expected, "classic={classic}: what GitHub does not tell");
    }
}

pub(super) async fn a_file_is_read_at_the_tip_that_is_told(b: Bench) {
    let tip = b.push("main", &[("a", "new\n")]);
    let main = branch("main");
    let read = b.hub.file_at_tip(&b.at, &main, ".github/slipway.yml").await.unwrap();
    assert_eq!(read, (tip.clone(), Some(POLICY.to_owned())));
    let (at, none) = b.hub.file_at_tip(&b.at, &main, "nothing").await.unwrap();
    assert_eq!((at, none), (tip, None));
    assert!(b.hub.file_at_tip(&b.at, &branch("nowhere"), "a").await.is_err());
}

pub(super) async fn a_pull_request_from_elsewhere_is_told_from_ours(b: Bench) {
    let (PullNumber(number), _) = b.pull("feat/x", &[("a", "two\n")]);
    for (home, expected) in
        [(HeadRepo::Here, false), (HeadRepo::Fork, true), (HeadRepo::Gone, true)]
    {
        b.world.with(|state| {
            let repo = state.repos.get_mut(&b.repo_id).unwrap();
            repo.pulls.get_mut(&number).unwrap().head_repo = home;
        });
        let found = b.hub.pull(&b.at, PullNumber(number)).await.unwrap();
        assert_eq!(found.fork, expected, "{home:?}");
    }
}
