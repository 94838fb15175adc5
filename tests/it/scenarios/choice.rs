//! Choice: who does which stage, and who says so.

use slipway::agent::scripted::Script;
use slipway::pipeline::{By, Role};

use crate::world::{plan, say, write};

/// An agent that builds its own file.
fn builds(file: &str) -> Script {
    Script {
        planner: vec![vec![say(&format!("{file} plans."))]],
        builder: vec![vec![write(file, "built\n"), say("Done.")]],
        ..Script::default()
    }
}

const RULES: &str = "merge: auto\nrequester_may_approve: true\n";

#[test]
fn every_stage_may_have_an_agent_of_its_own() {
    let policy = format!("{RULES}agent: one\nagents:\n  build: two\n");
    let town = plan().auto().policy(&policy).agent("one", builds("one.txt"));
    town.agent("two", builds("two.txt")).run(async |t| {
        t.go("Add a feature").await;
        assert!(t.comments_of_bot().iter().any(|said| said.body.contains("agent one, build two")));
        t.expect_outcome("merged").await;
        assert_eq!(t.state().work.plan.as_deref(), Some("one.txt plans."));
        assert_eq!(t.file("main", "two.txt").as_deref(), Some("built\n"));
        assert_eq!(t.file("main", "one.txt"), None);
        let request = &t.state().request;
        assert_eq!(
            (request.agent_of(Role::Builder), request.agent_of(Role::Fixer)),
            (Some("two"), Some("one"))
        );
    });
}

#[test]
fn a_label_chooses_the_agent_and_the_command_goes_before_it() {
    let policy = format!("{RULES}agents: {{build: two}}\nagent_labels: {{'agent:one': one}}\n");
    let town = plan().auto().policy(&policy).agent("one", builds("one.txt"));
    let town = town.agent("two", builds("two.txt"));
    town.clone().run(async |t| {
        let number = t.issue("Add a feature");
        t.world.label(t.id("mara"), &t.repo, number, "agent:one").expect("a label");
        t.comment("/go").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "one.txt").as_deref(), Some("built\n"));
        let chosen = t.state().request.chosen.clone().expect("a choice");
        assert_eq!(chosen.by, By::Label("agent:one".to_owned()));
        let told = |body: &str| body.contains("agent one by the label agent:one");
        assert!(t.comments_of_bot().iter().any(|said| told(&said.body)));
        t.allows_writes(40);
    });
    town.run(async |t| {
        let number = t.issue("Add a feature");
        t.world.label(t.id("mara"), &t.repo, number, "agent:one").expect("a label");
        t.comment("/go --agent two").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "two.txt").as_deref(), Some("built\n"));
    });
}

#[test]
fn what_cannot_be_chosen_is_refused_before_anything_starts() {
    let labels = "agent_labels: {x: one, y: scripted, z: nobody}\n";
    let policy = format!("{RULES}{labels}");
    plan().auto().policy(&policy).agent("one", builds("one.txt")).run(async |t| {
        let number = t.issue("Add a feature");
        for label in ["x", "y"] {
            t.world.label(t.id("mara"), &t.repo, number, label).expect("a label");
        }
        let said = t.comment("/go").await;
        assert_eq!(t.reactions(said), ["eyes", "confused"]);
        let words = t.last_words();
        assert!(words.contains("`x` and `y` name two agents"), "{words}");
        assert!(t.try_state().is_none() && t.agents_asked().is_empty());
    });
    let policy = format!("{RULES}agents: {{fix: nobody}}\n");
    plan().auto().policy(&policy).run(async |t| {
        t.go("Add a feature").await;
        let words = t.last_words();
        assert!(words.contains("for the fixer in the policy file"), "{words}");
        assert!(t.try_state().is_none(), "long before anything has to be fixed");
    });
}

#[test]
fn a_run_that_is_tried_again_follows_the_rules_of_that_moment() {
    let policy = format!("{RULES}agents: {{build: two}}\n");
    let stuck = Script { builder: vec![vec![say("Nothing to do.")]], ..Script::default() };
    plan().auto().policy(&policy).agent("two", stuck).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("a question", |t| t.parked().is_some()).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        let rules = format!("{RULES}agents: {{build: scripted}}\n");
        t.push("mara", "main", (slipway::policy::POLICY_PATH, &rules));
        t.pass_ms(1_000).await;
        t.comment("/retry").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        t.allows_writes(60);
    });
}
