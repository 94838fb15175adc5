//! Issues, comments, reactions, our check run, and what goes wrong on the way.

use std::time::Duration;

use super::bench::{Bench, POLICY, REPO, user};
use crate::github::{
    At, Button, Buttons, CHECK_NAME, CheckRun, Conclusion, Error, Purpose, Reaction,
};
use crate::markdown;
use crate::model::sanitized::{CommentText, Markdown, Sanitizer, prose};
use crate::model::{CheckId, CommentId, CommitSha, InstallationId, IssueNumber, Repo};
use crate::playground::faults::Fault;
use crate::playground::world::{Actor, Level};

fn text(text: &Markdown) -> CommentText {
    Sanitizer::default().text(text)
}

fn issue(b: &Bench) -> IssueNumber {
    let made = b.world.open_issue(b.otto.id, REPO, "Say goodbye", "Please.").unwrap();
    IssueNumber(made.number)
}

pub(super) async fn issues_are_read_and_closed(b: Bench) {
    let number = issue(&b);
    b.world.label(b.mara.id, REPO, number.0, "go").unwrap();
    let found = b.hub.issue(&b.at, number).await.unwrap();
    assert_eq!((found.title.as_str(), found.body.as_str()), ("Say goodbye", "Please."));
    assert_eq!((found.author, found.open), (Some(user(&b.otto)), true));
    assert_eq!((found.labels, found.is_pull), (vec!["go".to_owned()], false));
    for _ in 0..2 {
        b.hub.close_issue(&b.at, number).await.unwrap();
        assert!(!b.hub.issue(&b.at, number).await.unwrap().open);
    }
    let (pull, _) = b.pull("feat/x", &[("a", "two\n")]);
    assert!(b.hub.issue(&b.at, pull.into()).await.unwrap().is_pull);
    let missing = b.hub.issue(&b.at, IssueNumber(999)).await;
    assert!(matches!(missing, Err(Error::Gone(_))));
}

pub(super) async fn comments_are_ours_only(b: Bench) {
    let (number, marker) = (issue(&b), "<!-- slipway:r0123456789 -->");
    let find = async || b.hub.comment_with(&b.at, number, marker).await.unwrap();
    b.world.comment(b.otto.id, REPO, number.0, marker).unwrap();
    assert_eq!(find().await, None, "anybody may copy a marker");
    for n in 0..120 {
        b.world.comment(b.otto.id, REPO, number.0, &format!("comment {n}")).unwrap();
    }
    let id = b.hub.comment(&b.at, number, &text(&markdown!("{}\nworking", marker))).await.unwrap();
    assert_eq!(find().await, Some(id), "on whatever page");
    b.hub.edit_comment(&b.at, id, &text(&markdown!("{}\ndone", marker))).await.unwrap();
    let body = b.world.with(|state| state.repos[&b.repo_id].comments[&id.0].body.clone());
    assert_eq!(body, format!("{marker}\ndone"));
    b.hub.edit_comment(&b.at, id, &text(&prose(&"é".repeat(70_000)))).await.unwrap();
    let mara = Actor::User(b.mara.id);
    b.world.with(|state| state.delete_comment(&mara, REPO, id.0).unwrap());
    let gone = b.hub.edit_comment(&b.at, id, &"x".into()).await;
    assert!(matches!(gone, Err(Error::Gone(_))));
    assert_eq!(find().await, None);
    let nowhere = b.hub.comment(&b.at, IssueNumber(999), &"x".into()).await;
    assert!(matches!(nowhere, Err(Error::Gone(_))));
}

pub(super) async fn reactions_repeat_in_silence(b: Bench) {
    let number = issue(&b);
    let id = b.world.comment(b.mara.id, REPO, number.0, "/go").unwrap().id;
    for _ in 0..3 {
        b.hub.react(&b.at, CommentId(id), Reaction::Eyes).await.unwrap();
    }
    b.hub.react(&b.at, CommentId(id), Reaction::ThumbsUp).await.unwrap();
    let found = b.world.with(|state| state.repos[&b.repo_id].comments[&id].reactions.clone());
    let words: Vec<&str> = found.iter().map(|one| one.content.as_str()).collect();
    assert_eq!(words, ["eyes", "+1"]);
    let gone = b.hub.react(&b.at, CommentId(1), Reaction::Confused).await;
    assert!(matches!(gone, Err(Error::Gone(_))));
}

fn run_on(head: &CommitSha) -> CheckRun {
    CheckRun {
        head: head.clone(),
        external_id: "r0123456789".to_owned(),
        conclusion: None,
        title: "Building".into(),
        summary: Sanitizer::default().text(&prose(&"s".repeat(70_000))),
        buttons: Buttons::default(),
    }
}

pub(super) async fn our_check_run_lives_with_its_head(b: Bench) {
    let (_, head) = b.pull("feat/x", &[("a", "two\n")]);
    let find = async |head: &CommitSha| b.hub.check_run_of(&b.at, head).await.unwrap();
    assert_eq!(find(&head).await, None);
    let run = run_on(&head);
    let id = b.hub.create_check_run(&b.at, &run).await.unwrap();
    assert_eq!(find(&head).await, Some(id));
    let read = || b.world.with(|state| state.repos[&b.repo_id].runs[&id.0].clone());
    assert_eq!((read().status.name(), read().conclusion), ("in_progress", None));
    assert_eq!((read().name.as_str(), read().external_id.as_str()), (CHECK_NAME, "r0123456789"));
    let stop = Button::new("Stop", "Stop this run", "stop");
    let parked = CheckRun {
        conclusion: Some(Conclusion::ActionRequired),
        buttons: [stop].into_iter().collect(),
        ..run.clone()
    };
    b.hub.update_check_run(&b.at, id, &parked).await.unwrap();
    assert_eq!(read().conclusion.as_deref(), Some("action_required"));
    b.world.press_button(b.mara.id, REPO, id.0, "stop").unwrap();
    b.hub.update_check_run(&b.at, id, &run).await.unwrap();
    assert_eq!(read().conclusion, None, "it is in progress again");
    let checks = b.hub.checks(&b.at, &head).await.unwrap();
    assert!(checks.iter().all(|check| check.name != CHECK_NAME), "we do not wait for ourselves");
    let next = b.push("feat/x", &[("a", "three\n")]);
    assert_eq!(find(&next).await, None, "another head has none");
    let gone = b.hub.update_check_run(&b.at, CheckId(1), &run).await;
    assert!(matches!(gone, Err(Error::Gone(_))));
}

pub(super) async fn lost_answers_are_repeated_for_reads_only(b: Bench) {
    let number = issue(&b);
    b.fault("issues/get", Fault::status(502, false));
    assert!(b.hub.issue(&b.at, number).await.is_ok(), "a read is asked once more");
    b.fault("issues/get", Fault::reset(false));
    assert!(b.hub.issue(&b.at, number).await.is_ok());
    for fault in [Fault::status(502, true), Fault::reset(true)] {
        let before = b.calls("issues/create-comment");
        b.fault("issues/create-comment", fault);
        let lost = b.hub.comment(&b.at, number, &"marker".into()).await;
        assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
        assert_eq!(b.calls("issues/create-comment"), before + 1, "a write is sent once");
    }
    assert!(b.hub.comment_with(&b.at, number, "marker").await.unwrap().is_some());
}

pub(super) async fn limits_say_when_to_come_back(b: Bench) {
    let number = issue(&b);
    for fault in [
        Fault::status(403, false).header("retry-after", "30"),
        Fault::status(429, false).header("retry-after", "30"),
    ] {
        b.fault("issues/get", fault);
        let limited = b.hub.issue(&b.at, number).await;
        assert_eq!(limited, Err(Error::Limited { after: Duration::from_secs(30) }));
        if b.http.is_some() {
            let calls = b.world.journal().len();
            let held = b.hub.comment(&b.at, number, &"x".into()).await;
            assert_eq!(held, Err(Error::Limited { after: Duration::from_secs(30) }));
            assert_eq!(b.world.journal().len(), calls, "nothing is sent meanwhile");
        }
        b.clock.advance(30_000);
        assert!(b.hub.issue(&b.at, number).await.is_ok());
    }
    b.world.with(|state| state.rate_max = 0);
    let Err(Error::Limited { after }) = b.hub.issue(&b.at, number).await else {
        panic!("the hour is used up");
    };
    b.world.with(|state| state.rate_max = 5_000);
    b.clock.advance(i64::try_from(after.as_millis()).unwrap());
    assert!(b.hub.issue(&b.at, number).await.is_ok(), "the next hour has begun");
}

pub(super) async fn strangers_get_nothing(b: Bench) {
    let number = issue(&b);
    assert!(b.hub.issue(&b.at, number).await.is_ok());
    let elsewhere = At { installation: InstallationId(1), ..b.at.clone() };
    assert!(matches!(b.hub.issue(&elsewhere, number).await, Err(Error::Gone(_))));
    let forge = std::sync::Arc::new(crate::playground::memory::MemoryForge::default());
    b.world.add_repo(&b.mara, "other", "main", forge).unwrap();
    for name in ["mara/other", "mara/nowhere"] {
        let at = At { repo: Repo::parse(name).unwrap(), ..b.at.clone() };
        let refused = b.hub.comment(&at, number, &"x".into()).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{name}: {refused:?}");
    }
    b.world.suspend(b.at.installation.0, true).unwrap();
    let asleep = b.hub.issue(&b.at, number).await;
    assert!(matches!(asleep, Err(Error::Forbidden(_))), "{asleep:?}");
    b.world.suspend(b.at.installation.0, false).unwrap();
    assert!(b.hub.issue(&b.at, number).await.is_ok());
}

pub(super) async fn git_gets_a_narrow_secret(b: Bench) {
    for (purpose, level) in [(Purpose::Fetch, Level::Read), (Purpose::Push, Level::Write)] {
        let remote = b.hub.remote(&b.at, purpose).await.unwrap();
        assert_eq!(remote.url, format!("{}/{REPO}.git", b.world.base_url()));
        assert!(!format!("{remote:?}").contains(remote.secret.reveal()));
        let bearer = format!("Bearer {}", remote.secret.reveal());
        let actor = b.world.authenticate(Some(&bearer)).unwrap();
        let Actor::Bot { permissions, repositories, .. } = actor else {
            panic!("an installation token");
        };
        assert_eq!(permissions.get("contents"), Some(&level));
        assert!(!permissions.contains_key("issues"));
        assert_eq!(repositories, Some([b.repo_id].into()));
    }
    assert_eq!(b.hub.file(&b.at, ".github/slipway.yml").await.unwrap().as_deref(), Some(POLICY));
}
