//! Attack 33: every kind of secret, made at run time, in every place it could leave by.

use super::super::tests::{Trial, added};
use super::super::{FileChange, Rule};
use super::*;

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HEX: &str = "0123456789abcdef";

/// As vendors describe them: what it begins with, its letters, how many.
const FORMS: &[(&str, &str, usize)] = &[
    ("ghp_", ALNUM, 36),
    ("gho_", ALNUM, 36),
    ("ghu_", ALNUM, 36),
    ("ghs_", ALNUM, 36),
    ("github_pat_", ALNUM, 82),
    ("glpat-", ALNUM, 20),
    ("AKIA", UPPER, 16),
    ("aws_secret_access_key = ", ALNUM, 40),
    ("AIza", ALNUM, 35),
    ("GOCSPX-", ALNUM, 28),
    ("ya29.", ALNUM, 60),
    ("AccountKey=", ALNUM, 86),
    ("xoxb-", ALNUM, 48),
    ("xapp-", ALNUM, 60),
    ("https://hooks.slack.com/services/", ALNUM, 44),
    ("https://discord.com/api/webhooks/", ALNUM, 86),
    ("sk_live_", ALNUM, 24),
    ("whsec_", ALNUM, 32),
    ("sk-proj-", ALNUM, 48),
    ("sk-", ALNUM, 48),
    ("sk-ant-api03-", ALNUM, 93),
    ("gsk_", ALNUM, 52),
    ("hf_", ALNUM, 34),
    ("npm_", ALNUM, 36),
    ("pypi-", ALNUM, 160),
    ("cio", ALNUM, 32),
    ("rubygems_", HEX, 48),
    ("dckr_pat_", ALNUM, 27),
    ("dop_v1_", HEX, 64),
    ("SG.", ALNUM, 66),
    ("SK", HEX, 32),
    ("key-", HEX, 32),
    ("123456789:AA", ALNUM, 33),
    ("dapi", HEX, 32),
    ("lin_api_", ALNUM, 40),
    ("ntn_", ALNUM, 46),
    ("shpat_", HEX, 32),
    ("sq0csp-", ALNUM, 43),
    ("hvs.", ALNUM, 90),
    ("glsa_", ALNUM, 41),
    ("NRAK-", UPPER, 27),
    ("dp.pt.", ALNUM, 43),
    ("ATATT3", ALNUM, 186),
    ("oy2", LOWER, 43),
    ("figd_", ALNUM, 40),
    ("AGE-SECRET-KEY-1", UPPER, 58),
];

fn random(letters: &str, count: usize) -> String {
    let letters: Vec<char> = letters.chars().collect();
    // Every letter once first, so that chance never makes a dull one.
    let dull = letters.iter().cycle().skip(fastrand::usize(..letters.len())).take(8);
    let rest = (8..count).map(|_| letters[fastrand::usize(..letters.len())]);
    dull.copied().chain(rest).collect()
}

/// Every fixture; some are made of parts.
fn fixtures() -> Vec<(String, String)> {
    let made = |(start, letters, count): &(&str, &str, usize)| {
        ((*start).to_owned(), format!("{start}{}", random(letters, *count)))
    };
    let mut all: Vec<(String, String)> = FORMS.iter().map(made).collect();
    // The form of 2026: an App's number and a JSON Web Token, 520 characters.
    let token = format!(
        "ghs_{}_{}.{}.{}",
        fastrand::u32(1_000_000..9_999_999),
        random(ALNUM, 36),
        random(ALNUM, 200),
        random(ALNUM, 270),
    );
    assert_eq!(token.len(), 520);
    all.push(("ghs_ of 2026".to_owned(), token));
    let jwt = format!("eyJ{}.eyJ{}.{}", random(ALNUM, 30), random(ALNUM, 80), random(ALNUM, 43));
    all.push(("eyJ".to_owned(), jwt));
    for kind in ["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""] {
        all.push((kind.to_owned(), format!("-----BEGIN {kind}PRIVATE KEY-----")));
    }
    all
}

#[test]
fn attack_33_no_kind_of_secret_leaves() {
    let all = fixtures();
    assert!(all.len() >= 25);
    for (kind, secret) in &all {
        for line in [
            secret.clone(),
            format!("  token: \"{secret}\""),
            format!("curl -H 'Authorization: Bearer {secret}' https://api.example.org"),
        ] {
            let trial = Trial::of(vec![added("src/a.rs", &["fn a() {}", &line])]);
            let found = trial.refused_by(Rule::Secrets);
            assert_eq!(found.len(), 1, "{kind}: {line}");
            assert_eq!((found[0].path.as_str(), found[0].line), ("src/a.rs", Some(2)));
            assert!(!found[0].why.contains(secret.as_str()), "it is not repeated: {kind}");
            assert_eq!(trial.without(Rule::Secrets).refused, [], "{kind}");
        }
        let said = format!("Done.\nIt uses {secret} now.");
        let trial = Trial { texts: vec![("the agent's summary", &said)], ..Trial::default() };
        assert_eq!(trial.refused_by(Rule::Secrets).len(), 1, "{kind}, in words");
        assert_eq!(trial.without(Rule::Secrets).refused, []);
    }
    let (_, secret) = &all[0];
    let named = Trial::of(vec![added(&format!("keys/{secret}"), &["x"])]);
    let found = named.refused_by(Rule::Secrets);
    assert_eq!((found.len(), found[0].path.as_str()), (1, ""), "a path that is one");
    let removed = FileChange { removed_lines: vec![secret.clone()], ..added("a", &["clean"]) };
    assert_eq!(Trial::of(vec![removed]).judge().refused, [], "taking one out is welcome");
}

#[test]
fn what_only_resembles_a_secret_is_left_alone() {
    for line in [
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "let task-identifier-of-the-current-run = 1;",
        "risk-assessment-of-everything-that-is-here",
        "socionomics and ratiocination of the precious ones",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "0123456789abcdef0123456789abcdef01234567",
        "https://example.org/a/very/long/path/with/many/parts/and/nothing/secret",
        "AKIA is how they begin; sk- as well",
        "use crate::pattern::of_the_day::and_of_the_night::and_of_everything_else;",
    ] {
        assert_eq!(find(line), None, "{line}");
    }
}
