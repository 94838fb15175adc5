//! Stories: `/go` on an issue with sub-issues works through them, one run each.

use slipway::model::IssueNumber;
use slipway::playground::world::Actor;
use slipway::store::Store;

use crate::world::{Plan, Side, Town, plan, ready, replace, say};

/// A town where every run has something to change.
fn busy() -> Plan {
    let edits = vec![replace("greet.txt", "hello", "hello again"), say("Greeted.")];
    plan().auto().policy("merge: auto\n").builder(vec![edits])
}

/// Mara opens an issue with two others that belong to it; their numbers.
fn epic(t: &mut Town) -> [u64; 3] {
    let parent = t.issue("Greet everybody");
    let children = ["Greet ann", "Greet bob"].map(|title| t.issue(title));
    for child in children {
        let mara = Actor::User(t.id("mara"));
        let repo = t.repo.clone();
        let added = t.world.with(|state| {
            let id = state.repos[&t.repo_id].issues[&child].id;
            state.add_sub_issue(&mara, &repo, (parent, id))
        });
        added.expect("a sub-issue");
    }
    t.number = parent;
    t.allows_writes(200);
    [parent, children[0], children[1]]
}

fn blocks(t: &Town, first: u64, second: u64) {
    let (mara, repo) = (Actor::User(t.id("mara")), t.repo.clone());
    let added = t.world.with(|state| {
        let id = state.repos[&t.repo_id].issues[&first].id;
        state.add_blocker(&mara, &repo, (second, id))
    });
    added.expect("a dependency");
}

fn has_run(t: &Town, issue: u64) -> bool {
    let found = ready(t.store.latest_run(&t.repo_name(), IssueNumber(issue)));
    found.expect("the store answers").is_some()
}

fn is_open(t: &Town, issue: u64) -> bool {
    t.world.with(|state| state.repos[&t.repo_id].issues[&issue].open)
}

/// Our comment on the issue, and it must be the only one.
fn sticky(t: &Town, issue: u64) -> String {
    let mut all = t.comments_of_bot();
    all.retain(|said| said.issue == issue && said.body.contains("<!-- slipway:"));
    assert_eq!(all.len(), 1, "one comment that moves");
    all.remove(0).body
}

#[test]
fn stories_are_done_in_order_one_at_a_time_and_then_the_issue_is_closed() {
    busy().run(async |t| {
        let [parent, first, second] = epic(t);
        t.comment("/go").await;
        t.run_until("the first story", |t| has_run(t, first)).await;
        assert!(!has_run(t, second), "one at a time");
        t.run_until("the second story", |t| has_run(t, second)).await;
        assert!(!is_open(t, first), "the first one landed before");
        t.expect_outcome("handed-over").await;
        assert!([parent, first, second].iter().all(|issue| !is_open(t, *issue)));
        assert_eq!((t.pulls(), t.calls("pulls/merge").len()), (2, 2));
        assert_eq!(t.agents_asked().len(), 4, "a plan and a change for each, none for the whole");
        t.settle().await;
        let said = sticky(t, parent);
        assert_eq!(said.matches("✅ merged").count(), 2, "{said}");
        assert!(said.contains("Greet bob") && said.contains("All 2 stories are done"), "{said}");
    });
}

#[test]
fn as_many_stories_as_the_policy_allows_run_side_by_side() {
    busy().policy("merge: auto\nlimits:\n  stories_at_once_max: 2\n").run(async |t| {
        let [_, first, second] = epic(t);
        t.comment("/go").await;
        t.run_until("both stories", |t| has_run(t, first) && has_run(t, second)).await;
        assert!(is_open(t, first) && is_open(t, second));
        t.number = t.state().request.issue.0;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn a_story_that_did_not_get_there_stops_those_that_need_it_until_it_is_retried() {
    busy().run(async |t| {
        let [parent, first, second] = epic(t);
        blocks(t, first, second);
        t.comment("/go").await;
        t.run_until("the first story", |t| has_run(t, first)).await;
        t.number = first;
        t.comment("/stop").await;
        t.pass_ms(1_800_000).await;
        assert!(!has_run(t, second));
        let said = sticky(t, parent);
        assert!(said.contains(&format!("does not start: #{first} did not get there")), "{said}");
        t.comment("/retry").await;
        t.number = parent;
        t.expect_outcome("handed-over").await;
        assert!(!is_open(t, parent) && !is_open(t, second));
    });
}

#[test]
fn stop_on_the_issue_stops_its_stories() {
    busy().run(async |t| {
        let [parent, first, second] = epic(t);
        t.comment("/go").await;
        t.run_until("a pull request", |t| t.pulls() == 1).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        t.pass_ms(3_600_000).await;
        t.number = first;
        t.expect_outcome("stopped").await;
        assert!(!has_run(t, second) && is_open(t, parent));
        assert_eq!(t.calls("pulls/merge").len(), 0);
    });
}

#[test]
fn wherever_it_crashes_every_story_is_done_once() {
    for nth in 1..=6 {
        for side in [Side::Before, Side::After] {
            busy().run(async |t| {
                let [parent, first, _] = epic(t);
                t.says("mara", parent, "/go");
                t.crash_at(nth, side);
                t.run_until("the first story", |t| has_run(t, first)).await;
                t.crash_at(nth, side);
                t.expect_outcome("handed-over").await;
                assert_eq!((t.pulls(), t.calls("pulls/merge").len()), (2, 2));
                assert_eq!(sticky(t, parent).matches("✅ merged").count(), 2);
            });
        }
    }
}
