//! CI: flaky, red, red for ever, absent, and what is never taken for green.

use slipway::pipeline::ParkReason;

use crate::world::{delete, plan, replace, say, write};

#[test]
fn a_flaky_check_is_run_again_once_and_told_as_flaky() {
    let job = r#"{"name": "test", "duration_ms": 30000, "flaky": {"fails_first": 1}}"#;
    plan().auto().ci(job).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("checks/rerequest-run").len(), 1);
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"]);
        let flaky: Vec<String> = t.state().counts.flaky.into_iter().collect();
        assert_eq!(flaky, ["test"]);
        let pull = t.pull();
        let said = t.comments_of_bot().into_iter().find(|said| said.issue == pull);
        let said = said.expect("a comment").body;
        assert!(said.contains("flaky") || said.contains("run again"), "{said}");
    });
}

#[test]
fn a_fixer_that_deletes_the_test_is_refused_and_does_it_right_when_told() {
    let builder = vec![vec![write("feature.txt", "a BUG\n"), say("Built.")]];
    let fixer = vec![
        vec![delete("tests/feature.txt"), say("The test was wrong.")],
        vec![replace("feature.txt", "BUG", "feature"), say("Fixed.")],
    ];
    let plan = plan().auto().file("tests/feature.txt", "expect no BUG\n");
    plan.builder(builder).fixer(fixer).run(async |t| {
        t.go("Add a feature").await;
        // What an agent read of CI is no writer's word, so a person agrees.
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1", "fixer 1", "fixer 2"]);
        let told = &t.asked()[3].prompt;
        assert!(told.contains("it deletes the test `tests/feature.txt`"), "{told}");
        assert_eq!(t.state().counts.fix_rounds, 2);
        assert!(t.file("main", "tests/feature.txt").is_some(), "the test is still there");
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        // The fixer was shown what CI printed.
        assert!(t.asked()[2].prompt.contains("feature.txt contains \"BUG\""));
    });
}

#[test]
fn three_failures_in_a_row_use_up_the_budget_and_nothing_is_pushed_after_that() {
    let job = |name: &str, word: &str| {
        format!(
            r#"{{"name": "{name}", "duration_ms": 5000,
                "fails_if": {{"file": "feature.txt", "contains": "{word}"}}}}"#
        )
    };
    let jobs = [job("test", "ONE"), job("lint", "TWO"), job("docs", "THREE"), job("style", "FOUR")];
    let attempt = |word: &str| vec![write("feature.txt", word), say("There.")];
    let plan = plan().auto().ci(&jobs.join(", ")).builder(vec![attempt("ONE\n")]);
    plan.fixer(vec![attempt("TWO\n"), attempt("THREE\n"), attempt("FOUR\n")]).run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::FixesSpent).await;
        assert!(text.contains("style") && text.contains("3 fix rounds"), "{text}");
        assert_eq!(t.calls("git/push").len(), 4, "the first head and three fixes");
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("git/push").len(), 4);
        assert_eq!(t.state().counts.fix_rounds, 3);
        assert_eq!(t.calls("pulls/merge").len(), 0);
        t.allows_writes(80);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn a_required_check_that_never_starts_is_diagnosed_and_cannot_be_skipped() {
    let job = r#"{"name": "test", "never_starts": true}"#;
    // A draft would first be made ready, since many workflows leave drafts alone.
    plan().policy("merge: auto\ndraft: never\n").auto().ci(job).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("a pull request", |t| t.stage() == "ci").await;
        let began = t.now();
        let text = t.expect_parked(ParkReason::NeverStarted).await;
        let waited = t.now() - began;
        assert!((540_000..=660_000).contains(&waited), "asked after {waited} ms");
        assert!(text.contains("test to start") && text.contains("path filters"), "{text}");
        let asked = t.comment("/go skip-check").await;
        assert_eq!(t.reactions(asked), ["eyes"]);
        assert!(t.last_words().contains("on its way"), "{}", t.last_words());
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
        assert_eq!(t.outcome(), None);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn without_any_check_a_person_is_asked_and_may_accept_it() {
    plan().auto().no_ci().run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::NoChecks).await;
        assert!(text.contains("nothing proves it"), "{text}");
        let pull = t.pull();
        let said = t.comments_of_bot().into_iter().find(|said| said.issue == pull);
        let said = said.expect("a comment").body.to_lowercase();
        assert!(said.contains("verif"), "our own verification is shown: {said}");
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
        let accepted = t.comment("/approve").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.reactions(accepted), ["eyes", "+1"]);
    });
}

#[test]
fn without_any_check_the_policy_may_say_that_verification_is_enough() {
    let policy = "merge: auto\nallow_no_checks: true\nverify:\n  - needs feature.txt\n";
    plan().auto().no_ci().policy(policy).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.state().work.without_checks, None, "no person was asked");
    });
}

#[test]
fn a_verification_that_fails_is_fixed_before_anything_is_pushed() {
    let builder = vec![vec![write("feature.txt", "BROKEN\n"), say("Built.")]];
    let fixer = vec![vec![write("feature.txt", "a feature\n"), say("Fixed.")]];
    plan().auto().builder(builder).fixer(fixer).run(async |t| {
        let number = t.issue("Add a feature");
        t.says("mara", number, "/go");
        t.step_until("the fixer", |t| t.agents_asked().len() == 3).await;
        assert_eq!(t.calls("git/push").len(), 0);
        assert!(t.asked()[2].prompt.contains("feature.txt contains BROKEN"));
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("git/push").len(), 2, "one push, and the branch deleted");
    });
}

#[test]
fn a_check_that_never_ends_is_asked_about_and_no_green_is_made_of_it() {
    let job = r#"{"name": "test", "never_ends": true}"#;
    plan().auto().ci(job).run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::CiTooLong).await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn an_agent_that_crashes_hangs_or_does_nothing_ends_with_a_question() {
    use crate::world::{crash, fail, hang};
    for (round, words) in [
        (vec![crash()], "signal 6"),
        (vec![hang()], "time limit"),
        (vec![say("I cannot."), fail()], "I cannot."),
        (vec![say("Nothing to do.")], "changed nothing"),
    ] {
        plan().builder(vec![round]).run(async |t| {
            t.go("Add a feature").await;
            let text = t.expect_parked(ParkReason::AgentStuck).await;
            assert!(text.contains(words) && text.contains("2 attempts"), "{text}");
            assert_eq!(t.pulls(), 0);
            t.comment("/stop").await;
            t.expect_outcome("stopped").await;
        });
    }
}
