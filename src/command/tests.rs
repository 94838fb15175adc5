//! What is a command and what is not, by example and by property.

use proptest::prelude::*;

use super::*;
use crate::model::BranchName;
use crate::policy::wrapped::wrapped;

fn mistake(body: &str) -> String {
    let Parsed::Mistake { text } = parse(body) else { panic!("{body:?}") };
    wrapped(&text, 36)
}

#[test]
fn every_command_is_read_whatever_its_capitals() {
    for spec in ALL {
        let first = spec.examples[0].text;
        let given = first.strip_prefix(&format!("/{}", spec.word)).unwrap();
        for body in [
            first.to_owned(),
            format!("   /{}{given}  \t", spec.word.to_ascii_uppercase()),
            format!("{first}\r\nmore below"),
        ] {
            let Parsed::Command(command) = parse(&body) else { panic!("{body:?}") };
            assert_eq!(command.spec().word, spec.word);
        }
        for example in spec.examples {
            let Parsed::Command(command) = parse(example.text) else { panic!("{example:?}") };
            assert_eq!(command.spec().word, spec.word);
        }
        assert!(spec.usage.starts_with(&format!("/{}", spec.word)));
    }
}

#[test]
fn what_is_not_for_us_is_left_alone() {
    for body in [
        "",
        " ",
        "/",
        "//",
        "/ go",
        "go",
        "please /go",
        "\n/go",
        "\r\n/go",
        "    /go",
        "\t/go",
        " \t/go",
        "> /go",
        "```\n/go\n```",
        "`/go`",
        "<!-- /go -->",
        "<!--\n/go\n-->",
        "* /go",
        "/usr/bin/foo",
        "/go/away",
        "/cc @x",
        "/lgtm",
        "/assign me",
        "\u{feff}/go",
        "\u{200b}/go",
        "~~~\n/stop",
        "/averyveryverylongword",
        "\\/go",
        "/\u{1f680}\u{1f680}\u{1f680}",
    ] {
        assert_eq!(parse(body), Parsed::None, "{body:?}");
    }
}

#[test]
fn a_near_miss_gets_a_hint() {
    insta::assert_snapshot!(mistake("/og now"), @"
    There is no command `/og`; did you
    mean `/go`? Nothing was done.
    `/help` lists the commands.
    ");
    insta::assert_snapshot!(mistake("/g0"), @"
    There is no command `/g0`; did you
    mean `/go`? Nothing was done.
    `/help` lists the commands.
    ");
    insta::assert_snapshot!(mistake("/stat"), @"
    There is no command `/stat`; did you
    mean `/status`? Nothing was done.
    `/help` lists the commands.
    ");
    insta::assert_snapshot!(mistake("/stop."), @"
    There is no command `/stop.`; did
    you mean `/stop`? Nothing was done.
    `/help` lists the commands.
    ");
    insta::assert_snapshot!(mistake("/go`"), @"
    There is no command `/go'`; did you
    mean `/go`? Nothing was done.
    `/help` lists the commands.
    ");
}

#[test]
fn words_that_would_be_lost_are_refused_unless_they_are_harmless() {
    insta::assert_snapshot!(mistake("/merge after lunch"), @"
    `/merge` takes nothing after it on
    its line; nothing was done. Comment
    `/merge` alone on the first line.
    ");
    for body in ["/approve not yet", "/retry gently", "/unhold maybe", "/approve --force"] {
        assert!(matches!(parse(body), Parsed::Mistake { .. }), "{body}");
    }
    assert_eq!(parse("/stop now, please"), Parsed::Command(SlashCommand::Stop));
    assert_eq!(parse("/hold until Monday"), Parsed::Command(SlashCommand::Hold));
}

#[test]
fn the_first_line_has_a_limit() {
    let line = format!("/go {}", "x".repeat(LINE_CHARS_MAX - 4));
    assert!(matches!(parse(&line), Parsed::Command(_)));
    assert!(mistake(&format!("{line}x")).contains("longer than 5000"));
}

#[test]
fn buttons_are_commands_and_fit_github() {
    assert_eq!(from_button("retry"), Some(SlashCommand::Retry));
    assert_eq!(from_button("stop"), Some(SlashCommand::Stop));
    assert_eq!(from_button("approve"), Some(SlashCommand::Approve));
    for other in ["", "merge", "go", "Retry", "retry "] {
        assert_eq!(from_button(other), None, "{other:?}");
    }
    let (label, words) = ("l".repeat(21).leak() as &str, "w".repeat(41).leak() as &str);
    for long in [(label, "w", "i"), ("l", words, "i"), ("l", "w", label)] {
        let made = std::panic::catch_unwind(|| Button::new(long.0, long.1, long.2));
        assert!(made.is_err(), "{long:?}");
    }
}

fn any_go() -> impl Strategy<Value = SlashCommand> {
    let branch = proptest::option::of(
        "[a-z][a-z0-9/]{0,8}[a-z0-9]"
            .prop_filter_map("a branch", |name| BranchName::parse(&name).ok()),
    );
    let digest = proptest::option::of("[0-9a-f]{8}");
    let agent = proptest::option::of("[a-zA-Z0-9][a-zA-Z0-9._-]{0,39}");
    let piece = prop_oneof![
        "\\PC{0,12}",
        Just("--dry-run".to_owned()),
        Just("--base=x".to_owned()),
        Just("--".to_owned()),
        Just("0a1b2c3d ".to_owned()),
        Just("\n".to_owned()),
        Just("\u{2014}x".to_owned()),
        Just("-v".to_owned()),
        Just(" ".to_owned()),
    ];
    let words = proptest::collection::vec(piece, 0..8);
    (digest, any::<bool>(), branch, agent, words).prop_map(
        |(digest, dry_run, base, agent, words)| {
            let words = words.concat().trim().to_owned();
            SlashCommand::Go(Go { digest, dry_run, base, agent, words })
        },
    )
}

fn any_body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "/go",
            "/stop",
            "/GO",
            "/og",
            " ",
            "\n",
            "\r\n",
            "0a1b2c3d",
            "--base",
            "--base=",
            "--agent",
            "--dry-run",
            "--",
            "-",
            "=",
            "\u{2014}",
            "`",
            ">",
            "<!--",
            "x",
            "\t",
            "\u{85}",
            "\0",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rendered_command_parses_to_itself(command in any_go()) {
        prop_assert_eq!(parse(&command.to_string()), Parsed::Command(command));
    }

    #[test]
    fn any_text_is_read_and_what_is_read_survives_rendering(body in any_body()) {
        if let Parsed::Command(command) = parse(&body) {
            prop_assert_eq!(parse(&command.to_string()), Parsed::Command(command));
        }
    }

    #[test]
    fn nothing_hidden_from_the_reader_is_a_command(body in any_body()) {
        for hidden in ["> ", "    ", "\t", "```\n", "~~~\n", "`", "<!-- ", "<!--\n", "\n", "- "] {
            prop_assert_eq!(parse(&format!("{hidden}{body}")), Parsed::None);
        }
    }
}
