//! The shipped profiles, what they start, and what an operator can change.

use std::path::Path;

use super::*;
use crate::agent::Place;
use crate::agent::event::Session;
use crate::agent::wanted::Model;
use crate::model::Secret;
use crate::sandbox::{Door, Limits};

/// What could break out of any place it is put in.
const NASTY: &str = "a \"b\" 'c' \\ {model} $(d) `e`\n-- f\u{7f}";

struct Run {
    token: Secret,
    model: Model,
}

impl Run {
    fn new() -> Self {
        let token = Secret::new(format!("run-{:032x}", fastrand::u128(..)));
        Self { token, model: Model::parse("vendor/model-1.5").unwrap() }
    }

    fn task(&self) -> Task<'_> {
        Task {
            mode: Mode::Edit,
            model: Some(&self.model),
            prompt: NASTY,
            system: Some(NASTY),
            schema: None,
            thread: Thread::Once,
            turns_max: 40,
            access: Some(Access { port: 8_787, token: &self.token }),
            key: Some(&self.token),
            base: Some("main"),
            directory: Path::new("/w"),
            home: Path::new("/h"),
            place: Place {
                directory: "/host/w".into(),
                workspace: "w1".to_owned(),
                limits: Limits::default(),
                read_only: Vec::new(),
                masks: Vec::new(),
                doors: vec![Door { port: 8_787, socket: "/s".into() }],
            },
        }
    }

    /// What is started, to be read by people.
    fn show(&self, launch: &Launch) -> String {
        let invocation = &launch.invocation;
        let mut lines = vec![invocation.program.clone()];
        lines.extend(invocation.args.iter().map(|arg| format!("  {arg:?}")));
        lines.extend(invocation.env.iter().map(|(name, value)| format!("{name}={value:?}")));
        if !invocation.stdin.is_empty() {
            lines.push(format!("stdin: {:?}", invocation.stdin));
        }
        for file in &launch.invocation.home.files {
            lines.push(format!("~/{}: {:?}", file.path, file.text));
        }
        lines.join("\n").replace(self.token.reveal(), "TOKEN")
    }
}

fn shipped() -> Catalogue {
    Catalogue::shipped().unwrap()
}

fn task_for<'a>(run: &'a Run, profile: &Profile) -> Task<'a> {
    let mode = if profile.review_only { Mode::Review } else { Mode::Edit };
    Task { mode, ..run.task() }
}

/// `command` starts nothing before it was extended.
fn startable(profile: &Profile) -> bool {
    profile.name != "command"
}

#[test]
fn what_every_shipped_agent_is_started_with_can_be_reviewed() {
    let run = Run::new();
    let mut shown = String::new();
    for profile in shipped().iter().filter(|profile| startable(profile)) {
        let launch = profile.launch(&task_for(&run, profile)).unwrap();
        shown.extend(["== ", &profile.name, "\n", &run.show(&launch), "\n\n"]);
    }
    insta::assert_snapshot!("launches", shown);
}

#[test]
fn no_prompt_of_strangers_is_part_of_a_command_line_or_a_shell_script() {
    let run = Run::new();
    for profile in shipped().iter().filter(|profile| startable(profile)) {
        let prompt = "only-in-the-prompt";
        let task = Task { prompt, ..task_for(&run, profile) };
        let launch = profile.launch(&task).unwrap();
        let args = launch.invocation.args.iter();
        assert!(!args.clone().any(|arg| arg.contains(prompt)), "{}", profile.name);
        let ways = [
            launch.invocation.stdin.contains(prompt),
            launch.opening.prompt.contains(prompt),
            launch.invocation.home.files.iter().any(|file| file.text.contains(prompt)),
        ];
        let asked = usize::from(!profile.review_only);
        assert_eq!(ways.into_iter().filter(|way| *way).count(), asked, "{}", profile.name);
    }
}

#[test]
fn every_agent_behind_the_gateway_gets_its_address_and_the_token_and_no_key() {
    let run = Run::new();
    for profile in shipped().iter().filter(|p| p.wire.is_some()) {
        assert!(!profile.holds_a_key(), "{}", profile.name);
        let launch = profile.launch(&Task { key: None, ..run.task() }).unwrap();
        let all = run.show(&launch);
        assert!(all.contains("http://127.0.0.1:8787"), "{}", profile.name);
        assert!(all.contains("TOKEN"), "{}", profile.name);
        let lost = profile.launch(&Task { access: None, ..run.task() }).unwrap_err();
        assert!(lost.to_string().contains("give it a provider"), "{lost}");
    }
    let own: Vec<String> =
        shipped().iter().filter(|p| p.holds_a_key()).map(|p| p.name.clone()).collect();
    assert_eq!(own, ["coderabbit", "cursor"], "only these hold a key themselves");
}

#[test]
fn every_file_and_configuration_in_the_environment_is_well_formed() {
    let run = Run::new();
    for profile in shipped().iter().filter(|profile| startable(profile)) {
        for mode in [Mode::Edit, Mode::Review] {
            let Ok(launch) = profile.launch(&Task { mode, ..run.task() }) else { continue };
            for file in &launch.invocation.home.files {
                let good = match file.path.rsplit('.').next() {
                    Some("json") => serde_json::from_str::<serde_json::Value>(&file.text).is_ok(),
                    Some("toml") => file.text.parse::<toml::Table>().is_ok(),
                    _ => true,
                };
                assert!(good, "{} {}: {}", profile.name, file.path, file.text);
            }
            for (name, value) in &launch.invocation.env {
                if name.ends_with("_CONTENT") {
                    serde_json::from_str::<serde_json::Value>(value).unwrap();
                }
            }
        }
    }
}

#[test]
fn settings_on_codexs_command_line_are_toml_whatever_is_in_them() {
    let run = Run::new();
    let launch = shipped().get("codex").unwrap().launch(&run.task()).unwrap();
    let args = &launch.invocation.args;
    let settings = args.iter().zip(args.iter().skip(1)).filter(|(flag, _)| *flag == "-c");
    let mut found = 0;
    for (_, setting) in settings {
        let (key, value) = setting.split_once('=').unwrap();
        let read = format!("value = {value}").parse::<toml::Table>();
        if key == "developer_instructions" {
            assert_eq!(read.unwrap()["value"].as_str(), Some(NASTY));
        } else if !["model_provider", "shell_environment_policy.inherit"].contains(&key) {
            read.unwrap_or_else(|error| panic!("{setting}: {error}"));
        }
        found += 1;
    }
    assert!(found > 5, "{found}");
}

#[test]
fn a_session_is_begun_and_gone_on_with() {
    let run = Run::new();
    let session = Session::parse("0123-abc").unwrap();
    let resumed: Vec<String> = shipped()
        .iter()
        .filter(|p| p.resumes())
        .map(|profile| {
            let thread = Thread::Resume(session.clone());
            let launch = profile.launch(&Task { thread, ..run.task() }).unwrap();
            let on_line = launch.invocation.args.iter().any(|arg| arg.contains("0123-abc"));
            assert!(on_line || launch.opening.resume == Some(session.clone()), "{}", profile.name);
            let once = profile.launch(&run.task()).unwrap();
            assert!(
                !once.invocation.args.iter().any(|arg| arg.contains("resume")),
                "{}",
                profile.name
            );
            profile.name.clone()
        })
        .collect();
    assert_eq!(
        resumed.join(" "),
        "claude codex codex-local copilot cursor gemini goose kimi local opencode qwen"
    );
}

#[test]
fn who_cannot_be_kept_from_editing_does_not_review_and_a_reviewer_does_not_edit() {
    let run = Run::new();
    let refused = |name: &str, mode| {
        shipped().get(name).unwrap().launch(&Task { mode, ..run.task() }).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused("aider", Mode::Review),
        @"agent aider, mode.review: nothing keeps it from editing; choose another agent for this stage");
    insta::assert_snapshot!(refused("coderabbit", Mode::Edit),
        @"agent coderabbit, mode: it only reviews; choose another agent for this stage");
    insta::assert_snapshot!(refused("command", Mode::Edit),
        @"agent command, argv: {command} has no value; set `command` in its profile");
    let bare = Task { model: None, ..run.task() };
    insta::assert_snapshot!(shipped().get("qwen").unwrap().launch(&bare).unwrap_err(),
        @"agent qwen, argv: {model} has no value; name a model, as in codex:gpt-5.5");
}

#[test]
fn what_has_no_place_of_its_own_goes_into_the_prompt() {
    let run = Run::new();
    let schema = r#"{"type":"object"}"#;
    let launched = |name: &str| {
        let task = Task {
            system: Some("Be brief."),
            schema: Some(schema),
            prompt: "Do it.",
            ..run.task()
        };
        shipped().get(name).unwrap().launch(&task).unwrap()
    };
    insta::assert_snapshot!(launched("gemini").invocation.stdin, @r#"
    Be brief.

    Do it.

    Answer with one JSON object and nothing else. It fits this schema:
    {"type":"object"}
    "#);
    let codex = launched("codex");
    assert_eq!(codex.invocation.stdin, "Do it.");
    let file = codex.invocation.home.files.first().unwrap();
    assert_eq!((file.path.as_str(), file.text.as_str()), (".slipway/schema.json", schema));
    assert!(codex.invocation.args.contains(&"/h/.slipway/schema.json".to_owned()));
    assert_eq!(launched("aider").invocation.home.files.first().unwrap().path, ".slipway/prompt.md");
}

#[test]
fn what_would_configure_an_agent_is_covered_for_all_of_them() {
    for profile in shipped().iter() {
        for mask in MASKS {
            assert!(profile.masks.contains(&mask.to_owned()), "{} {mask}", profile.name);
        }
    }
}

#[test]
fn an_operator_changes_one_key_and_keeps_the_rest() {
    let all = Catalogue::with(
        r#"
        [agent.codex]
        mode.edit = ["-s", "workspace-write"]
        mask = ["tools/secret.json"]
        env = { EXTRA = "1" }

        [agent.mine]
        extends = "command"
        command = "my-agent --model {model}"
        "#,
    )
    .unwrap();
    let run = Run::new();
    let codex = all.get("codex").unwrap().launch(&run.task()).unwrap().invocation;
    assert!(codex.args.contains(&"workspace-write".to_owned()));
    assert!(!codex.args.iter().any(|arg| arg.contains("bypass")));
    assert!(codex.env.contains(&("EXTRA".to_owned(), "1".to_owned())));
    assert!(codex.env.iter().any(|(name, _)| name == "LLM_KEY"));
    assert!(codex.masks.contains(&"tools/secret.json".to_owned()));
    let mine = all.get("mine").unwrap().launch(&run.task()).unwrap().invocation;
    assert_eq!((mine.program.as_str(), mine.args.len()), ("sh", 2));
    assert_eq!(mine.args[1], "my-agent --model {model}", "the operator's line is not a template");
    assert_eq!(all.get("claude"), shipped().get("claude"));
}

#[test]
fn what_is_wrong_with_a_profile_is_said_with_its_key_and_what_to_write() {
    let refused = |text: &str| Catalogue::with(text).unwrap_err().to_string();
    let of = |body: &str| {
        refused(&format!("[agent.x]\ndialect = \"plain_text\"\nprompt = \"stdin\"\n{body}"))
    };
    insta::assert_snapshot!(of("argv = [\"x\", \"{nope}\"]"),
        @"agent x, argv: there is no placeholder {nope}; known are model, gateway, token, key, directory, home, prompt, prompt_file, session, resume, turns_max, system_text, schema_json, schema_file, base, command");
    insta::assert_snapshot!(of("argv = []"),
        @"agent x, argv: write the program and at most 128 pieces");
    insta::assert_snapshot!(of("argv = [\"x\"]\nmode.edit = [\"-e\"]"),
        @r#"agent x, argv: there is a mode but no "{mode}"; write it where the mode goes"#);
    insta::assert_snapshot!(of("argv = [\"x\"]\nfiles = { \"../x\" = \"\" }"),
        @r#"agent x, files, mask: "../x" is no path; write one like a/b"#);
    insta::assert_snapshot!(of("argv = [\"x\"]\nexits = { 0 = \"limit\" }"),
        @r#"agent x, exits: "0" is no exit code of a failure; write 1 to 255"#);
    insta::assert_snapshot!(of("argv = [\"x\"]\nenv = { A = \"{gateway}\" }"),
        @"agent x, wire: name the protocol the gateway is to speak");
    insta::assert_snapshot!(of("argv = [\"x\"]\nfiles = { \"a.json\" = \"{home}\" }"),
        @"agent x, files.a.json: {home} could break out of the file; write {home|json} or {home|toml} without quotes");
    insta::assert_snapshot!(refused("[agent.x]\nextends = \"y\""),
        @r#"agent x, extends: there is no profile "y"; known are aider, claude, coderabbit, codex, codex-local, command, copilot, cursor, gemini, goose, kimi, local, opencode, qwen, x"#);
    insta::assert_snapshot!(refused("[agent.a]\nextends = \"b\"\n[agent.b]\nextends = \"a\""),
        @"agent a, extends: at most 8 in a row, and never in a circle");
    insta::assert_snapshot!(refused("[agents.x]\n"),
        @"agent profiles, agents: only tables [agent.NAME] stand here");
    for (body, word) in [
        ("argv = [\"x\"]\nargs = []", "args"),
        ("argv = \"x\"", "argv"),
        ("argv = [\"x\"]\nerror = [{ match = [\"a\"], class = \"bad\" }]", "bad"),
        ("argv = [\"x\"]\ntested = { min = \"one\", max = \"2\" }", "version"),
    ] {
        assert!(of(body).contains(word), "{}", of(body));
    }
    assert!(refused("[agent.\"x y\"]\nextends = \"command\"").contains("begins with a letter"));
    let long = format!("# {}", "x".repeat(catalogue::TEXT_BYTES_MAX));
    assert!(refused(&long).contains("longer than 262144"));
}

#[test]
fn limits_of_pieces_files_and_arguments_hold() {
    let of = |body: String| {
        Catalogue::with(&format!("[agent.x]\ndialect = \"plain_text\"\nprompt = \"stdin\"\n{body}"))
    };
    let pieces = |n| of(format!("argv = [{}]", "\"x\",".repeat(n)));
    assert!(pieces(128).is_ok());
    assert!(pieces(129).is_err());
    let file = |n| of(format!("argv = [\"x\"]\nfiles = {{ a = \"{}\" }}", "x".repeat(n)));
    assert!(file(65_536).is_ok());
    assert!(file(65_537).is_err());
    let run = Run::new();
    let long = "x".repeat(ARGUMENT_BYTES_MAX + 1);
    let task = |system| Task { system: Some(system), ..run.task() };
    let claude = shipped();
    let claude = claude.get("claude").unwrap();
    assert!(claude.launch(&task(&long[1..])).is_ok());
    assert!(claude.launch(&task(&long)).unwrap_err().to_string().contains("131071 bytes"));
}

#[test]
fn words_tell_a_class_in_the_order_of_the_table() {
    let pattern = |any: &str, class| Pattern { any: vec![any.to_owned()], class };
    let table = [
        pattern("your current quota", Trouble::Quota),
        pattern("RateLimitError", Trouble::RateLimit),
    ];
    let find = |words: &str| Pattern::find(&table, words);
    assert_eq!(find("litellm.ratelimiterror: your\n current quota"), Some(Trouble::Quota));
    assert_eq!(find("RATELIMITERROR"), Some(Trouble::RateLimit));
    assert_eq!(find("fine"), None);
    assert_eq!(Pattern::find(&[pattern("", Trouble::Auth)], "x"), None, "nothing is no word");
}
