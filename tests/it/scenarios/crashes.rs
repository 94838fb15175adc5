//! Crashes: at every effect of a life, before and after it; the end is always the same.

use crate::world::{Side, Town, plan, run_test};

async fn happy(t: &mut Town) {
    t.go("Add a feature").await;
    t.approve().await;
    t.expect_outcome("merged").await;
}

fn count_effects() -> u32 {
    let mut count = 0;
    run_test(async |t| {
        happy(t).await;
        count = t.fuse.effects().len();
    });
    u32::try_from(count).expect("a small number")
}

#[test]
fn a_crash_before_or_after_any_effect_changes_nothing_about_the_end() {
    let effects = count_effects();
    assert!(effects > 40, "{effects} effects");
    for nth in 1..=effects {
        for side in [Side::Before, Side::After] {
            run_test(async |t| {
                t.crash_at(nth, side);
                happy(t).await;
                assert_eq!(t.crashes, 1, "{side:?} effect {nth} there was no crash");
                let told = || format!("crashed {side:?} effect {nth}: {:?}", t.fuse.effects());
                assert_eq!(t.pulls(), 1, "{}", told());
                let landed = t.calls("pulls/merge").iter().filter(|call| call.effect).count();
                assert_eq!(landed, 1, "{}", told());
                assert_eq!(t.comments_of_bot().len(), 2, "{}", told());
                assert_eq!(t.check_runs_of_bot().len(), 1, "{}", told());
                assert!(t.state().work.landed_verified, "{}", told());
                assert!(!t.issue_now().open, "{}", told());
                assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
            });
        }
    }
}

#[test]
fn where_leases_must_run_out_a_crash_changes_nothing_about_the_end_either() {
    for nth in (1..=count_effects()).step_by(4) {
        for side in [Side::Before, Side::After] {
            plan().leases_run_out().run(async |t| {
                t.crash_at(nth, side);
                happy(t).await;
                assert_eq!(t.crashes, 1);
                let landed = t.calls("pulls/merge").iter().filter(|call| call.effect).count();
                assert_eq!((t.pulls(), landed), (1, 1), "{side:?} effect {nth}");
                assert_eq!(t.comments_of_bot().len(), 2, "{side:?} effect {nth}");
                assert!(t.state().work.landed_verified, "{side:?} effect {nth}");
            });
        }
    }
}

#[test]
fn a_crash_between_the_merge_call_and_its_record_is_found_out_by_reading() {
    run_test(async |t| {
        t.fuse.blow_beside("merge", 1, Side::After);
        happy(t).await;
        assert_eq!(t.crashes, 1);
        assert_eq!(t.calls("pulls/merge").len(), 1, "no second call");
        assert!(t.state().counts.settle_reads >= 1, "it was read");
        assert!(t.state().work.landed_verified);
    });
}

#[test]
fn a_merge_job_that_is_claimed_again_reads_before_anything_is_sent() {
    run_test(async |t| {
        t.fuse.blow_beside("merge", 1, Side::Before);
        happy(t).await;
        assert_eq!(t.crashes, 1);
        // The call was never sent; two agreeing reads prove it, and only then one is sent.
        assert_eq!(t.calls("pulls/merge").len(), 1);
        assert_eq!(t.state().counts.lost_calls, 1);
        assert_eq!(t.state().counts.merge_calls, 2);
    });
}

#[test]
fn crashes_during_fixing_and_resolving_change_nothing_about_the_end() {
    use crate::world::{replace, say, write};
    let build = || {
        let builder = vec![vec![write("feature.txt", "a BUG\n"), say("Built.")]];
        let fixer = vec![vec![replace("feature.txt", "BUG", "feature"), say("Fixed.")]];
        plan().auto().builder(builder).fixer(fixer)
    };
    let mut effects = 0;
    build().run(async |t| {
        t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        effects = u32::try_from(t.fuse.effects().len()).expect("a small number");
    });
    for nth in (1..=effects).step_by(3) {
        build().run(async |t| {
            t.crash_at(nth, Side::After);
            t.go("Add a feature").await;
            t.approve().await;
            t.expect_outcome("merged").await;
            assert_eq!(t.crashes, 1);
            assert_eq!((t.pulls(), t.comments_of_bot().len()), (1, 2), "effect {nth}");
            assert_eq!(t.state().counts.fix_rounds, 1, "effect {nth}");
            assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        });
    }
}
