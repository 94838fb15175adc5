//! What lines and texts hold: values that are known, values that were planted, unseen letters.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

fn random() -> String {
    (0..40).map(|_| fastrand::alphanumeric()).collect()
}

/// Every way a value is looked for.
fn disguises(secret: &str) -> Vec<(&'static str, String)> {
    let percent = secret.bytes().map(|b| format!("%{b:02X}")).collect::<Vec<_>>().concat();
    let (front, back) = secret.split_at(17);
    vec![
        ("as it is", secret.to_owned()),
        ("base64", STANDARD.encode(secret)),
        ("base64, behind others", STANDARD.encode(format!("x{secret}yz"))),
        ("base64 for addresses", URL_SAFE_NO_PAD.encode(secret)),
        ("hexadecimal", hex::encode(secret)),
        ("hexadecimal in capitals", hex::encode_upper(secret)),
        ("percent", percent),
        ("reversed", secret.chars().rev().collect()),
        ("over two lines", format!("{front}\n{back}")),
        ("spread", secret.chars().flat_map(|c| [c, ' ']).collect()),
    ]
}

#[test]
fn attack_33_no_known_value_leaves_in_any_disguise() {
    for (rule, planted) in [(Rule::Known, false), (Rule::Canaries, true)] {
        let secret = random();
        for (how, text) in disguises(&secret) {
            let lines: Vec<&str> = text.lines().collect();
            let trials = [
                Trial::of(vec![added("a.txt", &lines)]),
                Trial { texts: vec![("the commit message", &text)], ..Trial::default() },
            ];
            for trial in trials {
                let vault = if planted { &trial.canaries } else { &trial.secrets };
                vault.keep(&secret);
                let found = trial.refused_by(rule);
                assert_eq!(found.len(), 1, "{how}");
                assert!(!found[0].why.contains(&text) && !found[0].why.contains(&secret));
                assert_eq!(trial.judge().alarm(), Some(&found[0]), "{how}: nobody's mistake");
            }
        }
        let link = FileChange {
            before: Mode::Absent,
            after: Mode::Link,
            link: Some(format!("x/{secret}")),
            content: Content::Nothing,
            ..added("l", &[])
        };
        let png = [b"\x89PNG\r\n\x1a\n\0", secret.as_bytes()].concat();
        let image = FileChange { content: Content::of(&png), ..added("a.png", &[]) };
        let named = added(&format!("d/{secret}"), &["x"]);
        for file in [link, image, named] {
            let policy = Policy { allow_binary: vec!["*.png".to_owned()], ..Policy::default() };
            let trial = Trial { policy, ..Trial::of(vec![file]) };
            let vault = if planted { &trial.canaries } else { &trial.secrets };
            vault.keep(&secret);
            assert_eq!(trial.refused_by(rule).len(), 1);
        }
    }
    let trial = Trial::of(vec![added("a.txt", &["nothing of that kind"])]);
    trial.secrets.keep(&random());
    assert_eq!(trial.judge(), Judgement::default());
}

#[test]
fn attack_14_what_was_planted_leaves_in_no_disguise() {
    // As the program makes them: twenty bytes of chance.
    let canary = hex::encode((0..20).map(|_| fastrand::u8(..)).collect::<Vec<u8>>());
    let mut ways = disguises(&canary);
    // Whoever looks for the beginning finds nothing.
    let rest = &canary[7..];
    ways.push(("without its beginning", rest.to_owned()));
    ways.push(("without its beginning, in base64", STANDARD.encode(rest)));
    assert!(ways.len() >= 8);
    for (how, text) in ways {
        let lines: Vec<&str> = text.lines().collect();
        let words = ["the agent's summary", "the pull request's title", "the commit message"];
        let mut trials = vec![Trial::of(vec![added("notes.txt", &lines)])];
        trials.extend(words.map(|name| Trial { texts: vec![(name, &text)], ..Trial::default() }));
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            trials.push(Trial::of(vec![added(&format!("notes/{text}"), &["x"])]));
        }
        for trial in trials {
            trial.canaries.keep(&canary);
            let found = trial.refused_by(Rule::Canaries);
            assert_eq!(found.len(), 1, "{how}");
            assert!(trial.judge().alarm().is_some(), "{how}: the run ends with an alarm");
        }
    }
}

#[test]
fn attack_34_no_line_hides_what_it_says() {
    for (what, line) in [
        ("an override", "/*\u{202e} } \u{2066}if (admin)\u{2069} \u{2066} begin */"),
        ("an embedding", "let a = \"\u{202b}x\u{202c}\";"),
        ("an isolate", "\u{2067}x\u{2069}"),
        ("a mark of direction", "user\u{200f}name"),
        ("an Arabic mark", "a\u{61c}b"),
        ("tags", "hello\u{e0041}\u{e0042}"),
        ("a selector from the end of Unicode", "hi\u{e0100}"),
        ("a Hangul filler as a name", "const { data, \u{3164} } = req;"),
        ("a half-width filler", "let \u{ffa0} = 1;"),
        ("a Hangul consonant without a shape", "fn \u{115f}() {}"),
        ("an empty Braille pattern", "x\u{2800}y"),
        ("a space without a width", "pass\u{200b}word"),
        ("a joiner between plain letters", "is\u{200d}Admin"),
        ("a non-joiner between plain letters", "is\u{200c}Admin"),
        ("a word joiner", "a\u{2060}b"),
        ("an operator nobody sees", "f\u{2061}(x)"),
        ("a soft hyphen", "ad\u{ad}min"),
        ("a selector after a plain letter", "a\u{fe01}"),
        ("a byte order in the middle", "a\u{feff}b"),
        ("a line separator in a comment", "// x\u{2028}evil()"),
    ] {
        let found = Trial::of(vec![added("a.js", &["ok", line])]).refused_by(Rule::Unicode);
        assert_eq!((found.len(), found[0].line), (1, Some(2)), "{what}");
    }
    let emoji = "👩‍💻 👨‍👩‍👧 ❤️ 1️⃣ #️⃣";
    let scripts = ["می‌خواهم", "क्‍ष", "naïve", "日本語", "עברית"];
    for line in [emoji, "\u{feff}first"].into_iter().chain(scripts) {
        assert_eq!(Trial::of(vec![added("a.js", &[line])]).judge(), Judgement::default(), "{line}");
    }
}
