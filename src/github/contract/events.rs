//! Webhooks of the World: signed, and read as what really happened.

use super::bench::{Bench, REPO, branch, user};
use crate::github::payload::{self, Happening, PullAction};
use crate::github::{Button, CheckRun, Conclusion, signature};
use crate::model::sanitized::CheckText;
use crate::model::{CommentId, CommitSha, IssueNumber};
use crate::playground::world::ReviewState;
use crate::playground::world::merge::MergeCall;

/// What arrived at our App since the last time.
fn arrived(b: &Bench) -> Vec<Happening> {
    let secret = b.world.with(|state| state.apps[&b.app].webhook_secret.clone());
    let due = b.world.due_deliveries(b.world.now_ms());
    let ours = due.iter().filter(|delivery| delivery.app == b.app);
    let read = ours.map(|delivery| {
        let header = Some(delivery.signature_sha256.as_str());
        assert!(signature::verify(&[&secret], &delivery.body, header));
        assert!(!signature::verify(&["another"], &delivery.body, header));
        payload::read(&delivery.event, &delivery.body, b.app).unwrap()
    });
    read.filter(|one| !matches!(one, Happening::Nothing { .. })).collect()
}

pub(super) async fn what_people_do_arrives_as_it_was(b: Bench) {
    let at = || b.at.clone();
    assert!(matches!(arrived(&b)[..], [Happening::Installation { .. }]));
    let number = b.world.open_issue(b.otto.id, REPO, "An issue", "").unwrap().number;
    let comment = b.world.comment(b.otto.id, REPO, number, "/go").unwrap().id;
    b.world.edit_comment(b.otto.id, REPO, comment, "/stop").unwrap();
    b.world.label(b.mara.id, REPO, number, "go").unwrap();
    b.world.unlabel(b.rio.id, REPO, number, "go").unwrap();
    b.world.close(b.mara.id, REPO, number).unwrap();
    b.world.reopen(b.mara.id, REPO, number).unwrap();
    let (issue, label) = (IssueNumber(number), "go".to_owned());
    let (mara, rio, otto) = (user(&b.mara), user(&b.rio), user(&b.otto));
    let commented = Happening::Comment {
        at: at(),
        number: issue,
        is_pull: false,
        comment: CommentId(comment),
        by: otto,
        via: None,
        body: "/go".to_owned(),
    };
    let expected = [
        commented,
        Happening::Labeled { at: at(), issue, label: label.clone(), by: mara.clone() },
        Happening::Unlabeled { at: at(), issue, label, by: Some(rio.clone()) },
        Happening::IssueClosed { at: at(), issue, by: Some(mara.clone()) },
        Happening::IssueReopened { at: at(), issue, by: Some(mara.clone()) },
    ];
    assert_eq!(arrived(&b), expected);

    let (pull, head) = b.pull("feat/x", &[("a", "two\n")]);
    let by = Some(mara);
    let pushed = |before: Option<&CommitSha>, after: &CommitSha| Happening::Push {
        at: at(),
        branch: branch("feat/x"),
        before: before.cloned(),
        after: Some(after.clone()),
        by: by.clone(),
    };
    let changed = |action: PullAction, head: &CommitSha| Happening::Pull {
        at: at(),
        pull,
        action,
        head: head.clone(),
        branch: Some(branch("feat/x")),
        base: branch("main"),
        by: by.clone(),
    };
    let found = arrived(&b);
    assert!(found.contains(&pushed(None, &head)), "{found:?}");
    assert!(found.contains(&changed(PullAction::Opened, &head)), "{found:?}");
    b.run_ci();
    let found = arrived(&b);
    let checks = Happening::Checks { at: at(), head: head.clone(), pulls: vec![pull] };
    assert!(found.contains(&checks), "{found:?}");
    b.world.review(b.rio.id, REPO, pull.0, (ReviewState::Approved, "")).unwrap();
    assert_eq!(arrived(&b), [Happening::Review { at: at(), pull, by: Some(rio) }]);
    let next = b.push("feat/x", &[("a", "three\n")]);
    let found = arrived(&b);
    assert!(found.contains(&pushed(Some(&head), &next)), "{found:?}");
    assert!(found.contains(&changed(PullAction::Synchronized, &next)), "{found:?}");
    b.world.merge_pull(b.mara.id, REPO, pull.0, &MergeCall::default()).unwrap();
    let found = arrived(&b);
    assert!(found.contains(&changed(PullAction::Merged, &next)), "{found:?}");
}

pub(super) async fn what_we_do_ourselves_is_known_as_ours(b: Bench) {
    let (pull, head) = b.pull("feat/x", &[("a", "two\n")]);
    arrived(&b);
    b.hub.comment(&b.at, pull.into(), &"/go".into()).await.unwrap();
    let found = arrived(&b);
    let [Happening::Comment { by, is_pull: true, .. }] = &found[..] else {
        panic!("one comment: {found:?}");
    };
    assert!(by.bot, "our own words are a bot's");
    let retry = Button::new("Retry", "Try again", "retry");
    let run = CheckRun {
        head: head.clone(),
        external_id: "r0123456789".to_owned(),
        conclusion: Some(Conclusion::Failure),
        title: "Failed".into(),
        summary: CheckText::default(),
        buttons: [retry].into_iter().collect(),
    };
    let id = b.hub.create_check_run(&b.at, &run).await.unwrap();
    assert_eq!(arrived(&b), [], "our own check run tells us nothing");
    b.world.press_button(b.rio.id, REPO, id.0, "retry").unwrap();
    let pressed = Happening::Button {
        at: b.at.clone(),
        external_id: "r0123456789".to_owned(),
        head,
        identifier: "retry".to_owned(),
        by: user(&b.rio),
        pulls: vec![pull],
    };
    assert_eq!(arrived(&b), [pressed]);
}
