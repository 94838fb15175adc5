//! The happy path, however its webhooks arrive, and what people read along it.

use slipway::model::{Act, Audit};
use slipway::playground::world::ReviewState;
use slipway::store::{Audited, Store};

use crate::world::{Town, plan, ready, run_test};

/// What must be the same however the webhooks came: effects on GitHub, and the run at its end.
fn end_of(t: &Town) -> (Vec<&'static str>, String) {
    let state = t.state();
    let main = t.tip("main");
    let mut writes = t.writes();
    writes.sort_unstable();
    (writes, format!("{:?} {:?} {:?} {main:?}", state.work, state.counts, state.finished()))
}

#[test]
fn with_every_webhook_delivered_an_issue_becomes_one_verified_merge() {
    run_test(async |t| {
        let asked = t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.reactions(asked), ["eyes"]);
        let merges = t.calls("pulls/merge");
        assert_eq!(merges.len(), 1);
        assert!(merges[0].effect);
        let head = &t.fuse.sent()[0].order.head;
        assert_eq!(Some(head), t.state().work.verified.as_ref(), "the sha that was verified");
        assert!(t.state().work.landed_verified, "the landed tree was compared");
        assert!(t.comments_of_bot().len() <= 2);
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        assert!(!t.issue_now().open && t.pull_request().merged);
        assert_eq!(t.tip(&t.branch()), None, "the branch is deleted");
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"]);
    });
}

#[test]
fn every_push_and_every_merge_has_its_line_in_the_audit() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        let state = t.state();
        let which = Audited::Run(state.request.run.clone());
        let mut lines: Vec<Audit> = ready(t.store.audits(&which, 100))
            .expect("the store answers")
            .into_iter()
            .map(|row| row.audit)
            .collect();
        lines.reverse();
        let acts: Vec<Act> = lines.iter().map(|line| line.act).collect();
        assert_eq!(acts, [Act::Push, Act::Merge, Act::Landed]);
        let sent = &t.fuse.sent()[0].order;
        assert_eq!(lines[0].head.as_ref(), Some(&sent.head));
        assert_eq!(lines[1].head.as_ref(), Some(&sent.head), "exactly what was sent");
        assert_eq!((&lines[1].tree, &lines[2].head), (&state.work.predicted, &state.work.landed));
        for gate in ["head:", "verification:", "checks:", "review:", "hold:"] {
            assert!(lines[1].verdict.contains(gate), "{}", lines[1].verdict);
        }
        assert!(lines.iter().all(|line| line.digest.is_some() && line.who.contains('(')));
    });
}

#[test]
fn a_command_that_is_refused_has_its_line_in_the_audit() {
    run_test(async |t| {
        t.issue("Add a feature");
        t.comment("/go --nonsense").await;
        t.settle().await;
        let lines = ready(t.store.audits(&Audited::Everything, 100)).expect("the store answers");
        let line = &lines.first().expect("a line").audit;
        assert_eq!((line.act, lines.len()), (Act::Refusal, 1));
        assert!(line.repo.is_some() && line.digest.is_some(), "{line:?}");
    });
}

#[test]
fn with_every_webhook_lost_the_end_is_the_same_within_the_polls() {
    plan().sweeps().run(async |t| {
        t.mailbox(slipway::playground::mailbox::Mailbox::drop_all);
        t.pass_ms(10_000).await;
        let asked = t.go("Add a feature").await;
        let began = t.now();
        t.approve().await;
        t.expect_outcome("merged").await;
        let limits = t.settings.limits;
        // The sweep finds the command; looks find CI's start, CI's end and the approval.
        let bound = limits.sweep_ms + 2 * 60_000 + limits.look_ms_max + 30_000;
        assert!(t.now() - began <= bound, "{} ms", t.now() - began);
        assert_eq!(t.reactions(asked), ["eyes"]);
        assert_eq!(t.calls("pulls/merge").len(), 1);
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        assert!(!t.issue_now().open && t.pull_request().merged);
    });
}

#[test]
fn with_every_webhook_three_times_and_newest_first_the_end_is_the_same() {
    let life = async |t: &mut Town, doubled: bool| {
        if doubled {
            t.mailbox(slipway::playground::mailbox::Mailbox::triple_reverse);
        }
        t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        end_of(t)
    };
    let (mut once, mut thrice) = (None, None);
    run_test(async |t| once = Some(life(t, false).await));
    run_test(async |t| thrice = Some(life(t, true).await));
    assert_eq!(once, thrice);
}

#[test]
fn a_delivery_with_another_signature_is_not_believed() {
    run_test(async |t| {
        t.issue("Add a feature");
        t.bot.webhook_secret.push('x');
        t.comment("/go").await;
        assert!(t.try_state().is_none());
        assert_eq!(t.calls("reactions/create-for-issue-comment").len(), 0);
        let refused = t.world.mailbox(|mailbox| {
            let mut ours = mailbox.log().filter(|logged| logged.delivery.app == t.bot.id);
            ours.all(|logged| logged.status_code == 401)
        });
        assert!(refused);
    });
}

/// Every text a person reads, in the order it appears; times and names are the World's.
struct Shown {
    pages: Vec<String>,
    last: Vec<(String, String)>,
}

impl Shown {
    fn look(&mut self, t: &Town) {
        let comments = t.comments_of_bot().into_iter();
        let mut now: Vec<(String, String)> =
            comments.map(|said| (format!("comment on #{}", said.issue), said.body)).collect();
        now.extend(t.check_runs_of_bot().into_iter().map(|run| {
            let head = run.head_sha.chars().take(7).collect::<String>();
            let how = run.conclusion.as_deref().unwrap_or_else(|| run.status.name());
            let buttons: Vec<&str> = run.actions.iter().map(|a| a.label.as_str()).collect();
            let title = run.output.title.unwrap_or_default();
            let body = run.output.summary.unwrap_or_default();
            (format!("check run on {head}"), format!("[{how}] {title} {buttons:?}\n\n{body}"))
        }));
        for (place, text) in &now {
            if !self.last.contains(&(place.clone(), text.clone())) {
                self.pages.push(format!("════ {place}\n{}\n", text.trim_end()));
            }
        }
        self.last = now;
    }
}

#[test]
fn what_people_read_during_one_whole_life() {
    run_test(async |t| {
        let mut shown = Shown { pages: Vec::new(), last: Vec::new() };
        t.issue("Add a feature");
        t.says("mara", t.number, "/go");
        let mut asked = None;
        while t.outcome().is_none() || t.next_due().is_some() {
            if !t.turn().await && !t.wait() {
                break;
            }
            shown.look(t);
            // The reviewer reads for a few minutes before approving.
            if asked.is_none() && t.stage() == "review" {
                asked = Some(t.now());
            }
            if asked.is_some_and(|at| t.now() > at + 180_000) && t.stage() == "review" {
                t.review(ReviewState::Approved, "").await;
            }
        }
        insta::assert_snapshot!("one_whole_life", shown.pages.join("\n"));
    });
}

#[test]
fn two_issues_go_side_by_side_and_merge_one_after_the_other() {
    use crate::world::{say, write};
    let builder = vec![vec![write("feature.txt", "a feature\n"), say("Done.")]];
    plan().auto().builder(builder).run(async |t| {
        t.go("First").await;
        let first = t.number;
        t.go("Second").await;
        let second = t.number;
        t.run_until("both to end", |t| {
            let live = ready(t.store.live_runs(None)).expect("the store answers");
            live.is_empty() || t.parked().is_some()
        })
        .await;
        for number in [first, second] {
            t.number = number;
            let state = t.state();
            assert!(state.finished().is_some(), "{:?}", state.progress);
        }
        t.number = first;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
    });
}
