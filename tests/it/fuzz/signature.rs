//! Signature headers: only the one that signs exactly these bytes is taken.

use fastrand::Rng;
use slipway::github::signature::{sign, verify};

use super::search;

fn maimed(rng: &mut Rng, good: &str) -> String {
    let mut text: Vec<char> = good.chars().collect();
    for _ in 0..rng.usize(0..3) {
        let at = rng.usize(0..=text.len());
        match rng.u8(0..7) {
            0 => text.truncate(at),
            1 => text.insert(at, rng.char(..)),
            2 if at < text.len() => {
                text[at] = *rng.choice(b"0123456789abcdefABCDEFg=").unwrap() as char;
            }
            3 if at < text.len() => text[at] = text[at].to_ascii_uppercase(),
            4 => text.insert(at, ' '),
            5 => text.extend(good.chars()),
            _ if at < text.len() => drop(text.remove(at)),
            _ => {}
        }
    }
    text.into_iter().collect()
}

/// What the header says, when it is of the right form.
fn claimed(header: &str) -> Option<String> {
    Some(header.trim().strip_prefix("sha256=")?.to_ascii_lowercase())
}

#[test]
fn only_the_signature_itself_verifies() {
    search(|rng| {
        let secret: Vec<u8> = (0..rng.usize(1..40)).map(|_| rng.u8(..)).collect();
        let body: Vec<u8> = (0..rng.usize(0..200)).map(|_| rng.u8(..)).collect();
        let good = sign(&secret, &body);
        let header = if rng.u8(..) < 40 {
            (0..rng.usize(0..90)).map(|_| rng.char(..)).collect()
        } else {
            maimed(rng, &good)
        };
        let same = claimed(&header) == claimed(&good);
        assert_eq!(verify(&[&secret], &body, Some(&header)), same, "{header:?} for {good}");
        let mut other = body.clone();
        other.push(rng.u8(..));
        assert!(!verify(&[&secret], &other, Some(&good)), "one byte more");
        assert!(!verify(&[Vec::new()], &body, Some(&sign(&[], &body))), "no secret is no secret");
    });
}
