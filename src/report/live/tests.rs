//! What is said of an agent at work, and that it stays words.

use super::super::page::{StreamLine, run_page};
use super::super::sample::{self, T};
use super::super::{check_run, issue_comment, pull_comment};
use super::*;
use crate::pipeline::Role;
use crate::pipeline::live::{Doing, News, Steps};
use crate::pipeline::{EventKind, Told};
use crate::policy::Policy;

pub(super) fn at_work() -> Live {
    Live {
        agent: "codex:gpt-5.5".to_owned(),
        role: Role::Builder,
        round: 1,
        since: T,
        heard: T.plus(61_000),
        lines: 40,
        bytes: 9_000,
        tool: Some(Doing {
            kind: "shell".to_owned(),
            about: "cargo test".to_owned(),
            since: T.plus(60_000),
        }),
        calls: 31,
        failed: 2,
        files: 6,
        named: vec!["src/b.rs".to_owned(), "src/a.rs".to_owned()],
        steps: Some(Steps { done: 3, all: 7 }),
        retries: 1,
        tokens: 120_400,
        cost: Cost::Micros(430_000),
        news: vec![News { at: T.plus(60_000), text: "shell cargo test".to_owned() }],
    }
}

fn with<R>(live: Option<&Live>, f: impl FnOnce(&Context<'_>) -> R) -> R {
    let (state, policy, links) = (sample::building(), Policy::default(), sample::links());
    f(&Context::new(&state, &policy, &links).with_live(live))
}

#[test]
fn the_comment_says_what_the_agent_does_and_only_while_it_does() {
    let live = at_work();
    let text = with(Some(&live), |context| issue_comment(context).to_string());
    let told = text.lines().find(|line| line.contains("is at work")).unwrap();
    insta::assert_snapshot!(sample::shown(told), @r"
    codex:gpt-5.5 is at work: now shell `cargo test` · 3 of 7 steps done · 6 files · 31
    tool calls, 2 failed · 1 retry · 120k tokens · $0.43
    ");
    assert!(text.contains("<sub>Wrote last: `src/a.rs`, `src/b.rs`</sub>"), "{text}");
    let still = with(None, |context| issue_comment(context).to_string());
    assert!(!still.contains("at work"), "{still}");
    let later = Live { heard: T.plus(999_000), lines: 999, ..live };
    let same = with(Some(&later), |context| issue_comment(context).to_string());
    assert_eq!(same, text, "that time passes is no reason to edit a comment");
}

#[test]
fn the_check_run_and_the_pull_request_say_so_too() {
    let (state, policy, links) = (sample::fixing(), Policy::default(), sample::links());
    let live = at_work();
    let context = Context::new(&state, &policy, &links).with_live(Some(&live));
    let check = check_run(&context, &sample::sha('a'));
    assert!(check.summary.as_str().contains("is at work: now shell"), "{}", check.summary);
    let pull = pull_comment(&context).to_string();
    assert!(pull.contains("is at work: now shell `cargo test`"));
    assert!(!issue_comment(&context).as_str().contains("at work"), "one place that moves");
}

#[test]
fn the_page_has_a_section_for_the_agent_at_work() {
    let live = at_work();
    let page = with(Some(&live), |context| run_page(context, (&[], &[], &[]), Some(10)));
    for told in [
        "Working now",
        "<strong>codex:gpt-5.5</strong> as builder",
        "<progress id=\"steps\" value=\"3\" max=\"7\">",
        "<code>cargo test</code>",
        "<li>6 files</li>",
        "120k tokens",
        "shell cargo test</li>",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let still = with(None, |context| run_page(context, (&[], &[], &[]), Some(10)));
    assert!(!still.contains("Working now"));
}

#[test]
fn the_page_lists_what_agents_said() {
    let line = |entry, bytes, is_cut| StreamLine {
        entry,
        agent: "a <b>".to_owned(),
        at: T,
        bytes,
        is_cut,
    };
    let lines = [line(3, 80_500, false), line(5, 1_250_000, true)];
    let page = with(None, |context| run_page(context, (&[], &[], &lines), None));
    let run = sample::request().run;
    assert!(page.contains(&format!("<a href=\"/runs/{run}/streams/3\">3</a>")), "{page}");
    assert!(page.contains("a &lt;b&gt;") && page.contains("80 KB"));
    assert!(page.contains("1.2 MB, its middle is missing"));
}

#[test]
fn words_of_an_agent_act_nowhere() {
    let evil = "<script>alert(1)</script> @all fixes #1 `x` | ::set-env x::";
    let mut live = at_work();
    evil.clone_into(&mut live.agent);
    live.named = vec![evil.to_owned()];
    live.tool = live.tool.map(|doing| Doing { about: evil.to_owned(), ..doing });
    live.news = vec![News { at: T, text: evil.to_owned() }];
    let page = with(Some(&live), |context| run_page(context, (&[], &[], &[]), None));
    assert!(!page.contains("<script>alert"));
    let text = with(Some(&live), |context| issue_comment(context).to_string());
    assert!(!text.contains("@all") && !text.contains("<script>"), "{text}");
    let terminal = lines(&Live { agent: "a\u{1b}[31m\nb".to_owned(), ..live }).join("\n");
    assert!(!terminal.contains('\u{1b}') && terminal.starts_with("working now: a"));
    assert_eq!(stream("\u{1b}[2Ja\u{202e}\r\nb\u{7}"), "a\nb \n");
}

#[test]
fn the_timeline_says_what_an_agent_did() {
    let worked = Worked {
        agent: "codex:gpt-5.5".to_owned(),
        seconds: 245,
        calls: 31,
        files: 6,
        turns: 12,
        tokens: 120_400,
        cost: Cost::Micros(430_000),
    };
    let nothing = Worked {
        agent: "other".to_owned(),
        seconds: 7_300,
        calls: 0,
        files: 0,
        turns: 0,
        tokens: 0,
        cost: Cost::NONE,
    };
    let told = Told { worked: vec![worked, nothing], ..Told::default() };
    let done = crate::pipeline::Done::Unchanged { summary: String::new(), cost_micros: 0 };
    let event = EventKind::Performed { entry: 1, done, told };
    let line = crate::report::happened(&event);
    insta::assert_snapshot!(crate::policy::wrapped::wrapped(&line, 70), @r"
    the agent changed nothing; codex:gpt-5.5 worked 4 min: 31 tool calls,
    6 files, 12 turns, 120k tokens, $0.43; other worked 2 h 1 min
    ");
}

#[test]
fn figures_are_as_short_as_people_say_them() {
    let said = [999, 1_000, 120_400, 1_250_000].map(thousands);
    assert_eq!(said, ["999", "1k", "120k", "1.2M"]);
    assert_eq!(
        [0, 119, 120, 7_199, 7_200].map(lasted),
        ["0 s", "119 s", "2 min", "119 min", "2 h 0 min"]
    );
    assert_eq!(
        [0, 1, 999, 1_000, 16_777_216].map(size),
        ["0 bytes", "1 byte", "999 bytes", "1 KB", "16.7 MB"]
    );
    assert_eq!(spent(0, Cost::Unknown), Vec::<String>::new());
    assert_eq!(spent(5, Cost::Unknown), ["5 tokens", "cost unknown"]);
}
