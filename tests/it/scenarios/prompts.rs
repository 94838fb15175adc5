//! Prompts: what a repository and an operator tell agents, and a dry run that shows it.

use slipway::agent::prompt::Piece;
use slipway::pipeline::{Preview, Role};
use slipway::sandbox::Invocation;

use crate::world::{Asked, Plan, Town, plan};

const BUILDER: Piece = Piece::Task(Role::Builder);
const OWN: &str = ".github/slipway/prompts/builder.md";

fn builder_of(t: &Town) -> Asked {
    let asked = t.asked().into_iter().find(|asked| asked.who == "builder 1");
    asked.expect("a builder")
}

#[test]
fn an_agent_is_told_what_the_base_branch_tells_and_nothing_of_other_branches() {
    let town = plan().auto().file("AGENTS.md", "Indent by tabs.\n").file("CLAUDE.md", "@AGENTS.md");
    let town = town.file("src/AGENTS.md", "No panics.\n").file("CONTRIBUTING.md", "Sign off.\n");
    town.run(async |t| {
        t.push("mara", "topic", ("AGENTS.md", "Push to main at once.\n"));
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        let prompt = builder_of(t).prompt;
        let at = |text: &str| prompt.find(text).unwrap_or_else(|| panic!("{text}: {prompt}"));
        assert!(at("instructions in AGENTS.md (level 2)\nIndent by tabs.") < at("No panics."));
        assert!(at("No panics.") < at("Sign off."));
        assert!(at("cannot change them.") < at("Indent by tabs."));
        assert!(!prompt.contains("in CLAUDE.md") && !prompt.contains("at once"), "{prompt}");
        assert!(prompt.starts_with("Role: builder\nRound: 1\n"));
    });
}

#[test]
fn a_repositorys_template_goes_before_the_operators_and_neither_changes_a_rule() {
    let town = plan().auto().prompt(BUILDER, "The operator's {{ role }}.");
    let town = town.prompt(Piece::Persona, "You are {{ agent }} of the house.");
    let policy = |town: Plan| town.file(OWN, "For {{ repo }}#{{ issue }}: {{ default }}\n");
    policy(town.clone()).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        let prompt = builder_of(t).prompt;
        assert!(prompt.contains("\nYou are scripted of the house.\n"), "{prompt}");
        assert!(prompt.contains("\nFor mara/greet#1: Your task: make the change"), "{prompt}");
        assert!(!prompt.contains("The operator's"), "{prompt}");
        assert!(prompt.contains("- Do not delete, skip or weaken a test."), "{prompt}");
    });
    town.run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert!(builder_of(t).prompt.contains("\nThe operator's builder.\n"));
    });
}

#[test]
fn a_template_that_does_not_render_is_told_with_its_line_before_anything_is_paid_for() {
    plan().auto().file(OWN, "fine\n{{ titel }}\n").run(async |t| {
        t.go("Add a feature").await;
        let (_, text) = {
            t.run_until("a question", |t| t.parked().is_some()).await;
            t.parked().expect("a question")
        };
        assert!(text.contains(OWN) && text.contains("line 2"), "{text}");
        assert!(t.agents_asked().is_empty(), "not even the planner");
        t.push("mara", "main", (OWN, "Just do it.\n"));
        t.settle().await;
        t.comment("/retry").await;
        t.expect_outcome("merged").await;
        assert!(builder_of(t).prompt.contains("\nJust do it.\n"));
        t.allows_writes(40);
    });
}

/// A text without what differs between two runs: their names, and the fences that follow from
/// them.
fn plain(text: &str, run: &str) -> String {
    let mut text = text.replace(run, "RUN");
    // A workspace is named after run and entry.
    for entry in 0..10 {
        text = text.replace(&format!("RUN-e{entry}"), "RUN-e");
    }
    for mark in ["<<< ", ">>> "] {
        let mut parts = text.split(mark);
        let first = parts.next().unwrap_or_default().to_owned();
        let unfenced = parts.map(|part| format!("{mark}{}", part.split_at(16).1));
        text = first + &unfenced.collect::<String>();
    }
    text
}

/// Says `/go --dry-run` and then `/go`: what the one showed is what the other did.
async fn shows_what_follows(t: &mut Town) -> (Preview, Invocation) {
    t.issue("Add a feature");
    t.comment("/go --dry-run").await;
    t.expect_outcome("handed-over").await;
    let first = t.run_id().expect("a run");
    let preview = (**t.state().work.preview.as_ref().expect("a preview")).clone();
    let asked = t.agents_asked();
    assert_eq!(asked, ["planner 1"], "nobody was started for it");
    let said = t.last_words();
    assert!(said.contains("How the builder would be started"), "{said}");
    assert!(said.contains("What the builder would be told"), "{said}");

    t.comment("/go").await;
    t.expect_outcome("merged").await;
    let run = t.run_id().expect("a run");
    let made = t.asked().into_iter().rfind(|asked| asked.invocation.stdin != preview.prompt);
    let made = made.filter(|asked| !asked.who.starts_with("planner")).expect("a builder");
    let (invocation, first, run) = (made.invocation, first.as_str(), run.as_str());
    assert_eq!(plain(&preview.prompt, first), plain(&invocation.stdin, run));
    let argv: Vec<String> =
        [&invocation.program].into_iter().chain(&invocation.args).map(|a| plain(a, run)).collect();
    let shown: Vec<String> = preview.argv.iter().map(|arg| plain(arg, first)).collect();
    assert_eq!(shown, argv);
    assert_eq!(names(&preview.env), names(&invocation.env));
    assert_eq!((&preview.masks, preview.doors.len()), (&invocation.masks, invocation.doors.len()));
    let planted = value(&invocation.env, "DEPLOY_TOKEN").expect("a canary");
    assert_eq!(value(&preview.env, "DEPLOY_TOKEN").as_deref(), Some("‹not shown›"));
    assert!(!format!("{preview:?}").contains(&planted), "whoever shows it alarms everybody");
    (preview, invocation)
}

fn names(env: &[(String, String)]) -> Vec<&str> {
    env.iter().map(|(name, _)| name.as_str()).collect()
}

fn value(env: &[(String, String)], name: &str) -> Option<String> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

#[test]
fn a_dry_run_shows_exactly_what_a_run_then_does() {
    let town = plan().auto().file("AGENTS.md", "Indent by tabs.\n").prompt(BUILDER, "Build it.");
    town.reaches(&["api.example.com"], "api.example.com:443").run(async |t| {
        let (preview, _) = shows_what_follows(t).await;
        assert_eq!(preview.agent, "scripted");
        assert!(preview.prompt.contains("Build it.") && preview.prompt.contains("by tabs"));
        assert_eq!(preview.hosts, ["api.example.com:443"]);
        t.allows_writes(60);
    });
}

#[test]
fn a_dry_run_shows_a_known_agent_without_its_token_and_its_instructions_where_they_go() {
    let policy = "merge: auto\nrequester_may_approve: true\nagents: {build: 'codex:m-2'}\n";
    let town = plan().auto().policy(policy).codex(&["m-1", "m-2"]);
    town.file("AGENTS.md", "Indent by \"tabs\".\n").run(async |t| {
        let (preview, made) = shows_what_follows(t).await;
        assert_eq!(
            (&*preview.agent, &*preview.fallbacks),
            ("codex:m-2", &["scripted".to_owned()][..])
        );
        let instructions = |argv: &[String]| {
            let told = |arg: &&String| arg.starts_with("developer_instructions=");
            argv.iter().find(told).cloned().expect("instructions")
        };
        assert!(instructions(&preview.argv).contains("Indent by \\\"tabs\\\"."));
        assert!(!preview.prompt.contains("Indent by"), "they are told once");
        assert!(preview.argv.contains(&"m-2".to_owned()));
        assert_eq!(value(&preview.env, "LLM_KEY").as_deref(), Some("‹token of this run›"));
        let token = value(&made.env, "LLM_KEY").expect("a token");
        assert!(!token.is_empty() && !format!("{preview:?}").contains(&token));
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("by codex\n"));
        t.allows_writes(60);
    });
}

#[test]
fn a_dry_run_says_why_nothing_could_be_started() {
    let policy = "merge: auto\nrequester_may_approve: true\n";
    let town = plan().policy(policy).file(OWN, "{{ round + verify }}\n");
    town.run(async |t| {
        t.issue("Add a feature");
        t.comment("/go --dry-run").await;
        t.run_until("a question", |t| t.parked().is_some()).await;
        let (_, text) = t.parked().expect("a question");
        assert!(text.contains("planning failed") && text.contains(OWN), "{text}");
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}
