//! What is kept of a stream, what is not, and how much.

use super::*;
use crate::model::{Redactor, Secret};

const MIB: usize = 1024 * 1024;

fn random(bytes: usize) -> String {
    (0..bytes).map(|_| fastrand::alphanumeric()).collect()
}

fn said(recorded: &Recorded) -> String {
    let bytes = zstd::bulk::decompress(&recorded.frame, recorded.bytes).unwrap();
    assert_eq!(bytes.len(), recorded.bytes);
    String::from_utf8(bytes).unwrap()
}

fn record(sanitizer: &Sanitizer, parts: &[&[u8]], errors: &str) -> Option<Recorded> {
    let mut recorder = Recorder::new(sanitizer.clone(), MIB);
    for part in parts {
        recorder.push(part).unwrap();
    }
    recorder.finish(errors).unwrap()
}

#[test]
fn a_stream_comes_back_as_it_went_in_with_the_end_of_standard_error() {
    let sanitizer = Sanitizer::default();
    assert_eq!(record(&sanitizer, &[], " \n"), None, "it said nothing");
    let one = record(&sanitizer, &[b"one\n", b"", b"t", "wo é".as_bytes()], "oh no\n").unwrap();
    assert_eq!(said(&one), "one\ntwo é\n--- the end of standard error ---\noh no");
    assert!(!one.is_cut);
    let only = record(&sanitizer, &[], "why").unwrap();
    assert_eq!(said(&only), "\n--- the end of standard error ---\nwhy");
    let line = "a line of a long stream\n".repeat(40_000);
    let parts: Vec<&[u8]> = line.as_bytes().chunks(16 * 1024).collect();
    let long = record(&sanitizer, &parts, "").unwrap();
    assert!(said(&long) == line && !long.is_cut && long.frame.len() < line.len() / 10);
}

#[test]
fn a_stream_with_a_secret_is_kept_without_it() {
    let secret = random(40);
    let sanitizer = Sanitizer::new(Redactor::new([Secret::new(secret.clone())]));
    let text = format!("before {secret} after ghs_{} end", random(40));
    for at in 0..text.len() {
        let (one, two) = text.as_bytes().split_at(at);
        let kept = said(&record(&sanitizer, &[one, two], &text).unwrap());
        assert!(kept.starts_with("before [hidden] after [hidden] end"), "{kept}");
        assert!(!kept.contains(&secret[..8]) && !kept.contains(&secret[32..]), "{kept}");
    }
}

#[test]
fn what_is_too_long_loses_its_middle_and_no_more_than_its_secrets() {
    let secret = random(60);
    let sanitizer = Sanitizer::new(Redactor::new([Secret::new(secret.clone())]));
    let part = format!("{}\n{secret}\n", "x".repeat(1_000));
    let mut recorder = Recorder::new(sanitizer, MIB);
    assert_eq!(recorder.bytes_max, STREAM_BYTES_MAX);
    recorder.bytes_max = 2 * MIB;
    let mut parts = 0;
    while recorder.secrets.is_some() {
        recorder.push(part.as_bytes()).unwrap();
        parts += 1;
    }
    assert!(parts * part.len() > 2 * MIB - 2 * RESERVE_BYTES, "it compresses well");
    for _ in 0..200 {
        recorder.push(part.as_bytes()).unwrap();
        assert!(recorder.ring.len() <= END_BYTES_MAX + BEFORE_BYTES);
    }
    recorder.push(b"the very end").unwrap();
    let kept = recorder.finish(&"e".repeat(MIB)).unwrap().unwrap();
    assert!(kept.is_cut && kept.bytes <= 2 * MIB && kept.frame.len() <= MIB);
    let kept = said(&kept);
    assert!(kept.contains(MISSING) && kept.contains("the very end\n--- the end of"));
    assert!(!kept.contains(&secret[..10]) && !kept.contains(&secret[50..]));
}

#[test]
fn a_secret_across_the_place_where_the_middle_begins_is_kept_on_neither_side() {
    let secret = random(60);
    let sanitizer = Sanitizer::new(Redactor::new([Secret::new(secret.clone())]));
    for at in [1, 20, 59] {
        let mut recorder = Recorder::new(sanitizer.clone(), MIB);
        // Every part ends in the middle of the secret, also the one that is the last.
        let (one, two) = secret.split_at(at);
        while recorder.secrets.is_some() {
            let part = format!("{two}{}{one}", random(64 * 1024));
            recorder.push(part.as_bytes()).unwrap();
        }
        recorder.push(format!("{two} and the end").as_bytes()).unwrap();
        let kept = said(&recorder.finish("").unwrap().unwrap());
        assert!(kept.ends_with("the end"), "{at}");
        let halves = [one, two].into_iter().filter(|half| half.len() > 8);
        for half in halves {
            // The very first part begins with a half that nobody could know.
            assert!(kept.matches(half).count() <= usize::from(half == two), "{at}");
        }
    }
}

#[test]
fn what_does_not_compress_stays_within_the_bound_of_the_frame() {
    let mut recorder = Recorder::new(Sanitizer::default(), MIB);
    for _ in 0..40 {
        let noise: Vec<u8> = (0..100_000).map(|_| fastrand::u8(128..)).collect();
        recorder.push(&noise).unwrap();
        assert!(recorder.frame.len() <= MIB, "while it comes");
    }
    let errors: String = (0..MIB).map(|_| fastrand::alphanumeric()).collect();
    let kept = recorder.finish(&errors).unwrap().unwrap();
    assert!(kept.is_cut && kept.frame.len() <= MIB, "{}", kept.frame.len());
}
