//! Questions: an agent asks a person, waits without cost, and goes on with the answer. Beside
//! them, what is kept of agents that failed.

use slipway::agent::scripted::Edit;
use slipway::pipeline::ParkReason;

use crate::world::{Plan, plan, say, write};

fn ask(text: &str) -> Edit {
    Edit::Ask(text.to_owned())
}

/// A town whose builder begins, asks, and ends when it was answered.
fn curious() -> Plan {
    let builder = vec![vec![
        write("half.txt", "half\n"),
        ask("Which colour?\n\n@everyone: red or blue?"),
        write("feature.txt", "a feature\n"),
        say("Added it."),
    ]];
    plan().auto().builder(builder)
}

#[test]
fn an_agent_asks_a_person_and_goes_on_with_the_answer() {
    curious().run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::Question).await;
        assert!(
            text.contains("the agent asks something; what it made so far is kept as"),
            "{text}"
        );
        let words = t.last_words();
        assert!(words.contains("> Which colour?") && words.contains("`/answer`"), "{words}");
        let asked: Vec<_> = t.comments_of_bot().into_iter().map(|said| said.body).collect();
        let told = asked.iter().find(|body| body.contains("The agent that works on this asks:"));
        let told = told.expect("a comment of its own, since edits notify nobody");
        assert!(!told.contains("@everyone"), "{told}");
        assert_eq!(t.pulls(), 0, "what is unfinished is not shown as if it were done");
        let calls = t.agents_asked().len();
        t.pass_ms(48 * 3_600_000).await;
        assert_eq!(t.agents_asked().len(), calls, "nobody works meanwhile");
        let by_otto = t.says("otto", t.number, "/answer red");
        t.settle().await;
        assert!(t.reactions(by_otto).contains(&"confused".to_owned()) || t.parked().is_some());
        t.comment("/answer blue, as the logo").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1", "builder 1"]);
        let last = &t.asked()[2].prompt;
        assert!(last.contains("blue, as the logo") && last.contains("Which colour?"), "{last}");
        assert!(last.contains("had to stop before it was done"), "{last}");
        assert_eq!(t.file("main", "half.txt").as_deref(), Some("half\n"));
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        assert_eq!(t.file("main", "BLOCKED.md"), None, "a question is no part of the work");
        t.allows_writes(40);
    });
}

#[test]
fn whoever_does_not_answer_lets_the_agent_decide() {
    curious().run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::Question).await;
        t.comment("/retry").await;
        t.expect_outcome("merged").await;
        assert!(t.asked()[2].prompt.contains("Decide by yourself, and say what you assumed."));
        t.allows_writes(40);
    });
}

#[test]
fn a_question_in_words_that_are_typed_is_one_too() {
    let planner = vec![vec![say("{\"question\": \"Which parser?\"}")]];
    let builder = vec![vec![write("feature.txt", "a feature\n"), say("Added it.")]];
    plan().auto().planner(planner).builder(builder).run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::Question).await;
        assert!(t.last_words().contains("> Which parser?"), "{}", t.last_words());
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn an_agent_may_ask_so_often_and_no_more() {
    let policy = "merge: auto\nrequester_may_approve: true\nlimits:\n  questions_max: 1\n";
    let builder = vec![vec![ask("First?"), ask("Second?"), write("feature.txt", "a feature\n")]];
    let town = plan().auto().policy(policy).builder(builder);
    town.run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::Question).await;
        t.comment("/answer yes").await;
        let text = t.expect_parked(ParkReason::AgentStuck).await;
        assert!(text.contains("it asked a question, and may ask 1 in a run"), "{text}");
        let last = t.asked().last().expect("somebody was asked").prompt.clone();
        assert!(last.contains("Nobody can be asked"), "{last}");
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        t.allows_writes(40);
    });
}

#[test]
fn an_answer_to_nothing_says_so() {
    plan().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("people are awaited", |t| t.pulls() == 1).await;
        t.comment("/answer 42").await;
        t.settle().await;
        let told = |body: &str| body.contains("No question is open here");
        assert!(t.comments_of_bot().iter().any(|said| told(&said.body)));
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        t.allows_writes(40);
    });
}

#[test]
fn what_a_failed_agent_had_made_is_kept_and_gone_on_from() {
    let first = vec![write("half.txt", "half\n"), say("I give up."), Edit::Fail(3)];
    let second = vec![write("feature.txt", "a feature\n"), say("Added the rest.")];
    plan().auto().builder(vec![first, second]).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1", "builder 2"]);
        let last = &t.asked()[2].prompt;
        assert!(last.contains("had to stop before it was done"), "{last}");
        assert_eq!(t.file("main", "half.txt").as_deref(), Some("half\n"));
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        assert!(t.state().work.salvage.is_none(), "it is part of the work now");
    });
}

#[test]
fn what_may_not_leave_is_not_kept_of_a_failed_agent_either() {
    let workflow = write(".github/workflows/x.yml", "on: push\n");
    let first = vec![workflow, say("I give up."), Edit::Fail(3)];
    let second = vec![write("feature.txt", "a feature\n"), say("Added it.")];
    plan().auto().builder(vec![first, second]).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        let last = &t.asked()[2].prompt;
        assert!(!last.contains("had to stop before it was done"), "{last}");
        assert_eq!(t.file("main", ".github/workflows/x.yml"), None);
    });
}
