//! The merge lane: of several runs that are ready for one branch, each goes on as soon as the
//! one before it is through.

use slipway::agent::scripted::Script;
use slipway::pipeline::{Done, EventKind};
use slipway::store::Store;

use crate::world::{Plan, Town, plan, ready, say, write};

const RUNS: usize = 4;

/// A town with an agent for each run, none in another's way.
fn crowded(policy: &str) -> Plan {
    let mut town = plan().auto().policy(policy);
    for n in 1..=RUNS {
        let builder = vec![vec![write(&format!("file{n}.txt"), "text\n"), say("Done.")]];
        town = town.agent(&format!("a{n}"), Script { builder, ..Script::default() });
    }
    town
}

/// Every run has its pull request and waits for a word; their issues.
async fn all_ready(t: &mut Town) -> Vec<u64> {
    t.allows_writes(200);
    let mut issues = Vec::new();
    for n in 1..=RUNS {
        issues.push(t.issue(&format!("Add file {n}")));
        t.comment(&format!("/go --agent a{n}")).await;
    }
    for issue in &issues {
        t.number = *issue;
        t.run_until("people", |t| t.stage() == "review").await;
    }
    issues
}

/// Who was refused the lane at least once.
fn refused(t: &Town) -> bool {
    t.timeline().iter().any(|entry| {
        matches!(&entry.event.kind, EventKind::Performed { done: Done::LaneBusy { .. }, .. })
    })
}

#[test]
fn four_runs_that_are_ready_at_once_merge_one_after_the_other_without_a_pause() {
    let policy = "merge: on-command\nrequester_may_approve: true\nfreshness: loose\n\
                  stages:\n  plan: false\n";
    crowded(policy).run(async |t| {
        let issues = all_ready(t).await;
        let began = t.now();
        for issue in &issues {
            t.says("mara", *issue, "/merge");
        }
        let mut waited = 0;
        for issue in &issues {
            t.number = *issue;
            t.expect_outcome("merged").await;
            waited += usize::from(refused(t));
        }
        assert!(waited >= 1, "somebody found the lane taken");
        assert!(t.now() - began < 5_000, "{} ms for four merges", t.now() - began);
        let lanes = ready(t.store.lanes()).expect("the store answers");
        assert!(lanes.is_empty(), "{lanes:?}");
        for n in 1..=RUNS {
            assert!(t.file("main", &format!("file{n}.txt")).is_some(), "file{n}.txt");
        }
    });
}
