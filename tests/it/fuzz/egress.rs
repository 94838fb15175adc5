//! Heads of requests to the way out: whatever is accepted is in the grammar, and meant by a rule.

use fastrand::Rng;
use slipway::egress::{Authority, Rule, head};

use super::search;

const RULES: [&str; 4] = ["allowed.test", "*.allowed.test", "other.test:8443", "*.a-b.example"];
const HEADS: [&str; 6] = [
    "CONNECT allowed.test:443 HTTP/1.1\r\nHost: allowed.test:443\r\n\r\n",
    "CONNECT a.allowed.test:443 HTTP/1.0\r\n\r\n",
    "CONNECT OTHER.test.:8443 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\n",
    "CONNECT x.y.a-b.example:443 HTTP/1.1\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
    "CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n",
    "GET http://allowed.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
];
const PIECES: [&str; 24] = [
    ".",
    "..",
    ":",
    ":443",
    "@",
    "#",
    "%00",
    "\0",
    "\r\n",
    "\n",
    " ",
    "\t",
    "allowed.test",
    "*.",
    "evil.test",
    "127.0.0.1",
    "0x7f.1",
    "[::1]",
    "\u{ff0e}",
    "\u{212a}",
    "-",
    "_",
    "0443",
    "/",
];

/// The grammar again, written another way: a sequence of bytes, not of texts.
fn in_grammar(authority: &str) -> bool {
    let Some((host, port)) = authority.split_once(':') else { return false };
    let label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    let labels: Vec<&[u8]> = host.as_bytes().split(|byte| *byte == b'.').collect();
    let letters = labels.last().is_some_and(|last| !last.iter().all(u8::is_ascii_digit));
    labels.len() >= 2
        && labels.iter().all(|one| label(one))
        && letters
        && port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
}

fn mutated(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.choice(HEADS).unwrap().as_bytes().to_vec();
    for _ in 0..rng.usize(0..5) {
        // Mostly where the authority is.
        let near = if rng.bool() { bytes.len().min(32) } else { bytes.len() };
        let at = rng.usize(0..=near);
        match rng.u8(0..8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 if at < bytes.len() => bytes[at] ^= 0x20,
            5 => bytes.extend_from_within(at..),
            _ => drop(bytes.splice(at..at, rng.choice(PIECES).unwrap().bytes())),
        }
    }
    bytes
}

/// What a rule means, said without the rule.
fn meant(host: &str, port: u16) -> bool {
    let below = |suffix: &str| host.len() > suffix.len() && host.ends_with(suffix);
    match port {
        443 => host == "allowed.test" || below(".allowed.test") || below(".a-b.example"),
        8_443 => host == "other.test",
        _other => false,
    }
}

#[test]
fn whatever_is_let_out_is_a_name_that_a_rule_means() {
    let rules: Vec<Rule> = RULES.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
    search(|rng| {
        let head = mutated(rng);
        let Ok(asked) = head::judge(&head, &rules) else { return };
        let told = head.escape_ascii().to_string();
        assert!(in_grammar(&asked.to_string()), "{asked} of {told}");
        assert!(meant(asked.host(), asked.port()), "{asked} of {told}");
        assert_eq!(Authority::parse(&asked.to_string()), Ok(asked), "read twice it is the same");
        assert!(head.starts_with(b"CONNECT ") && head.ends_with(head::END), "{told}");
    });
}
