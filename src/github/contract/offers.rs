//! Drafts made ready, and notes at file and line.

use super::bench::{Bench, REPO, branch};
use crate::github::Note;
use crate::github::{Buttons, CheckRun, Error, NewPull};
use crate::model::PullNumber;
use crate::model::sanitized::Sanitizer;
use crate::plain;
use crate::report::notes::Level;

fn new(name: &str) -> NewPull {
    NewPull {
        title: "Change".into(),
        body: "".into(),
        head: branch(name),
        base: branch("main"),
        draft: true,
    }
}

pub(super) async fn a_draft_is_made_ready_once(b: Bench) {
    b.push("slipway/1-x", &[("a", "two\n")]);
    let number = b.hub.open_pull(&b.at, &new("slipway/1-x")).await.unwrap();
    let draft = async || b.hub.pull(&b.at, number).await.unwrap().draft;
    assert!(draft().await);
    assert_eq!(b.hub.open_pull(&b.at, &new("slipway/1-x")).await, Ok(number));
    b.hub.mark_ready(&b.at, number).await.unwrap();
    assert!(!draft().await);
    b.hub.mark_ready(&b.at, number).await.unwrap();
    assert_eq!(b.calls("graphql/MarkReady"), 1, "what is ready is not asked for");
    let missing = b.hub.mark_ready(&b.at, PullNumber(999)).await;
    assert!(matches!(missing, Err(Error::Gone(_))), "{missing:?}");
    b.world.set_settings(REPO, |settings| settings.has_drafts = false).unwrap();
    b.push("slipway/2-x", &[("a", "three\n")]);
    let number = b.hub.open_pull(&b.at, &new("slipway/2-x")).await.unwrap();
    assert!(!b.hub.pull(&b.at, number).await.unwrap().draft, "ready where there are no drafts");
}

pub(super) async fn sub_issues_and_what_blocks_them_are_read(b: Bench) {
    use crate::model::IssueNumber;
    use crate::playground::world::Actor;
    let open = |title| b.world.open_issue(b.mara.id, REPO, title, "").unwrap();
    let [whole, one, two] = ["All", "One", "Two"].map(open);
    let issue = |number| IssueNumber(number);
    let read = async || b.hub.sub_issues(&b.at, issue(whole.number)).await.unwrap();
    assert!(read().await.here.is_empty());
    let mara = Actor::User(b.mara.id);
    b.world.with(|state| {
        for child in [&two, &one] {
            state.add_sub_issue(&mara, REPO, (whole.number, child.id)).unwrap();
        }
        state.add_blocker(&mara, REPO, (one.number, two.id)).unwrap();
    });
    let found = read().await;
    let short: Vec<_> =
        found.here.iter().map(|sub| (sub.number.0, sub.title.as_str(), sub.open)).collect();
    assert_eq!(short, [(two.number, "Two", true), (one.number, "One", true)], "in their order");
    assert_eq!(found.elsewhere, 0);
    let blockers = async || b.hub.blockers(&b.at, issue(one.number)).await.unwrap();
    assert_eq!(blockers().await, [format!("#{}", two.number)]);
    b.world.close(b.mara.id, REPO, two.number).unwrap();
    assert!(blockers().await.is_empty(), "what is closed blocks nothing");
    assert!(!read().await.here[0].open);
    let missing = b.hub.sub_issues(&b.at, issue(999)).await;
    assert!(matches!(missing, Err(Error::Gone(_))));
}

pub(super) async fn notes_are_added_in_portions_and_never_twice(b: Bench) {
    let (_, head) = b.pull("feat/x", &[("a", "two\n")]);
    let shown = CheckRun {
        head: head.clone(),
        external_id: "r0123456789".to_owned(),
        conclusion: None,
        title: "t".into(),
        summary: "s".into(),
        buttons: Buttons::default(),
    };
    let id = b.hub.create_check_run(&b.at, &shown).await.unwrap();
    let note = |line| Note {
        path: "a".to_owned(),
        line,
        level: Level::Warning,
        title: "lint".into(),
        message: Sanitizer::default().text(&plain!("no {}", line)),
    };
    let notes: Vec<Note> = (1..=120).map(note).collect();
    let there = || {
        b.world.with(|state| {
            let run = &state.repos[&b.repo_id].runs[&id.0];
            assert_eq!(run.output.summary.as_deref(), Some("s"), "what was shown stays");
            run.output.annotations.clone()
        })
    };
    b.hub.annotate(&b.at, (id, &shown), &notes[..70]).await.unwrap();
    assert_eq!((there().len(), b.calls("checks/update")), (70, 2), "fifty in one request");
    assert_eq!(there()[0]["annotation_level"], "warning");
    b.hub.annotate(&b.at, (id, &shown), &notes).await.unwrap();
    assert_eq!((there().len(), b.calls("checks/update")), (120, 3), "only what is missing");
    b.hub.annotate(&b.at, (id, &shown), &notes).await.unwrap();
    b.hub.annotate(&b.at, (id, &shown), &[]).await.unwrap();
    assert_eq!(b.calls("checks/update"), 3, "nothing is missing any more");
}
