//! Bundles and results: whatever leaves a sandbox is read or refused, and never panics.

use std::fmt::Write;

use fastrand::Rng;
use slipway::agent::result;
use slipway::git::bundle::{PACKED, header};

use super::search;

fn sha(rng: &mut Rng) -> String {
    (0..40).map(|_| *rng.choice(b"0123456789abcdef").unwrap() as char).collect()
}

fn good(rng: &mut Rng) -> Vec<u8> {
    let mut text = "# v2 git bundle\n".to_owned();
    for _ in 0..rng.usize(0..3) {
        writeln!(text, "-{} a subject", sha(rng)).unwrap();
    }
    write!(text, "{} {PACKED}\n\nPACK", sha(rng)).unwrap();
    let mut bytes = text.into_bytes();
    bytes.extend((0..rng.usize(0..100)).map(|_| rng.u8(..)));
    bytes
}

fn maim(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.usize(0..4) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => bytes.insert(at, b'\n'),
            _ => bytes.extend_from_within(..at),
        }
    }
}

#[test]
fn a_bundle_is_read_to_its_pack_or_refused() {
    search(|rng| {
        let whole = good(rng);
        assert!(header(&whole).is_ok());
        let mut bytes = whole;
        maim(rng, &mut bytes);
        let Ok(header) = header(&bytes) else { return };
        assert!(bytes[header.pack_at..].starts_with(b"PACK"));
        let text = String::from_utf8_lossy(&bytes[..header.pack_at]);
        assert!(text.contains(&format!("{} {PACKED}\n", header.tip)), "{text}");
        assert!(header.needs.iter().all(|need| text.contains(&format!("-{need}"))), "{text}");
    });
}

#[test]
fn a_result_says_something_or_is_refused() {
    search(|rng| {
        let mut bytes = br#"{"summary": "Wrote \"it\" \u00e9."}"#.to_vec();
        maim(rng, &mut bytes);
        let Ok(left) = result::parse(&bytes) else { return };
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let fields = value.as_object().unwrap();
        assert_eq!(fields.len(), 1, "{value}");
        assert_eq!(fields["summary"], left.summary.as_str());
    });
}
