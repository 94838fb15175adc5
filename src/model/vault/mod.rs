//! The secrets that live at this moment: kept by those who make them, looked for, in whatever
//! disguise, by those who write.

mod encoding;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use aho_corasick::AhoCorasick;

use super::Secret;
use encoding::Encoding;

/// Secrets kept at least; the oldest go first. More than all tokens that can be alive at once.
const SECRETS_MAX: usize = 4_096;
/// Secrets that are searched for together: keeping one more makes only their index anew.
const BLOCK_SECRETS_MAX: usize = 128;
/// Shorter ones are not kept: hiding them would hide ordinary words.
const SECRET_BYTES_MIN: usize = 8;
/// Bytes of the end by which a disguise is found; ends differ where beginnings are the same.
const ANCHOR_BYTES_MAX: usize = 16;
/// Bytes that may be missing at the beginning of a long secret: whoever leaves out a well-known
/// prefix still gives it away.
const MISSING_BYTES_MAX: usize = 8;
/// Secrets from this length are found without their beginning.
const LONG_BYTES_MIN: usize = 32;
/// Most bytes one byte of a secret takes in any disguise.
const GROWTH: usize = 3;

/// A shared handle; clones know the same secrets.
#[derive(Clone, Default)]
pub struct Vault(Arc<RwLock<Held>>);

#[derive(Default)]
struct Held {
    blocks: VecDeque<Block>,
    longest: usize,
}

/// Some secrets and what finds them.
#[derive(Default)]
struct Block {
    secrets: Vec<Secret>,
    index: OnceLock<Option<Index>>,
}

/// The ends of all disguises, each with the secret it belongs to.
struct Index {
    ends: AhoCorasick,
    disguises: Vec<(usize, Encoding)>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

impl Vault {
    /// Keeps a secret until so many younger ones came that it must be over.
    pub fn keep(&self, secret: &str) {
        if secret.len() < SECRET_BYTES_MIN {
            return;
        }
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = held.blocks.iter().flat_map(|block| &block.secrets);
        if known.any(|known| known.reveal() == secret) {
            return;
        }
        held.longest = held.longest.max(secret.len() * GROWTH);
        if held.blocks.back().is_none_or(|last| last.secrets.len() >= BLOCK_SECRETS_MAX) {
            held.blocks.push_back(Block::default());
        }
        if let Some(last) = held.blocks.back_mut() {
            last.secrets.push(Secret::new(secret));
            last.index = OnceLock::new();
        }
        // What is left is never less than `SECRETS_MAX`, once there were as many.
        if (held.blocks.len() - 1) * BLOCK_SECRETS_MAX > SECRETS_MAX {
            held.blocks.pop_front();
        }
    }

    /// Whether `bytes` hold any of the secrets: as it is, without its first bytes, reversed, or
    /// as base64, hexadecimal or percent signs.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        !self.spans(bytes).is_empty()
    }

    /// Where secrets stand in `bytes`, in order; none overlaps another.
    pub fn spans(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for block in &held.blocks {
            block.find(bytes, &mut found);
        }
        joined(found)
    }

    /// `text` with `with` in place of every secret; `None` when it holds none.
    pub fn hide(&self, text: &str, with: &str) -> Option<String> {
        let found = self.spans(text.as_bytes());
        (!found.is_empty()).then(|| replaced(text, &found, with))
    }

    /// Bytes of the longest disguise of any secret; 0 while none is kept.
    pub fn longest(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).longest
    }
}

impl Block {
    fn find(&self, bytes: &[u8], found: &mut Vec<(usize, usize)>) {
        // Without an index nothing can be said, so nothing may be shown.
        let Some(index) = self.index.get_or_init(|| Index::of(&self.secrets)) else {
            return found.push((0, bytes.len()));
        };
        for hit in index.ends.find_overlapping_iter(bytes) {
            let Some((at, encoding)) = index.disguises.get(hit.pattern().as_usize()) else {
                continue;
            };
            let Some(secret) = self.secrets.get(*at) else { continue };
            let disguise = encoding.of(secret.reveal());
            let before = bytes.get(..hit.end()).unwrap_or_default();
            let same = common_end(&disguise, before);
            let long = secret.len() >= LONG_BYTES_MIN && encoding.keeps_order();
            let missing = disguise.len() * MISSING_BYTES_MAX / secret.len().max(1);
            if same == disguise.len() || (long && same + missing >= disguise.len()) {
                found.push((hit.end() - same, hit.end()));
            }
        }
    }
}

impl Index {
    fn of(secrets: &[Secret]) -> Option<Self> {
        let (mut ends, mut disguises) = (Vec::new(), Vec::new());
        for (at, secret) in secrets.iter().enumerate() {
            let mut known: Vec<Vec<u8>> = Vec::new();
            for encoding in Encoding::ALL {
                let disguise = encoding.of(secret.reveal());
                if known.contains(&disguise) {
                    continue;
                }
                let from = disguise.len().saturating_sub(ANCHOR_BYTES_MAX);
                ends.push(disguise.get(from..)?.to_vec());
                disguises.push((at, encoding));
                known.push(disguise);
            }
        }
        Some(Self { ends: AhoCorasick::new(ends).ok()?, disguises })
    }
}

/// Bytes at the end that both have.
fn common_end(a: &[u8], b: &[u8]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// Spans in order, those that overlap made one.
pub(super) fn joined(mut spans: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    spans.sort_unstable();
    let mut all: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match all.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            Some(_) | None => all.push((start, end)),
        }
    }
    all
}

/// `text` with `with` in place of every span; one that cuts a character takes all of it.
pub(super) fn replaced(text: &str, spans: &[(usize, usize)], with: &str) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (start, end) in spans {
        let start = text.floor_char_boundary(*start).max(from);
        out.push_str(text.get(from..start).unwrap_or_default());
        out.push_str(with);
        from = text.ceil_char_boundary(*end);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    fn random(chars: usize) -> String {
        (0..chars).map(|_| fastrand::alphanumeric()).collect()
    }

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let vault = Vault::default();
        assert_eq!(vault.hide("anything", "*"), None);
        let (one, two) = (random(40), random(520));
        // What ends the same, and what holds another.
        let (long, around) = (format!("x{one}"), format!("{one}{two}"));
        for secret in [&one, &two, &long, &around, &one] {
            vault.keep(secret);
        }
        vault.keep("short");
        let text = format!("é {one}, {two}{one}|x{one} short {one}");
        assert_eq!(vault.hide(&text, "*").unwrap(), "é *, **|* short *");
        assert_eq!(vault.hide(&format!("<{around}>"), "*").unwrap(), "<*>");
        assert_eq!(vault.hide("nothing of that kind", "*"), None);
        let shown = format!("{vault:?}");
        assert!(!shown.contains(&one));
        assert_eq!(vault.longest(), 560 * 3);
    }

    #[test]
    fn a_secret_is_found_in_every_disguise_and_inside_of_anything() {
        let (vault, empty) = (Vault::default(), Vault::default());
        let secret = format!("ghs_{}+/{}\"\n{}é", random(20), random(9), random(13));
        vault.keep(&secret);
        let percent = |text: &str| {
            let each = text.bytes().map(|b| format!("%{b:02x}"));
            each.collect::<Vec<_>>().concat()
        };
        let needed: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let mut disguises = vec![
            secret.clone(),
            serde_json::to_string(&secret).unwrap(),
            hex::encode(&secret),
            hex::encode_upper(&secret),
            percent(&secret),
            percent(&secret).to_uppercase(),
            needed,
            // Without what every token of the kind begins with.
            secret.chars().skip(7).collect(),
            STANDARD.encode(&secret[7..]),
        ];
        for before in ["", "a", "ab", "abc", "token=\"", "{\"key\":\""] {
            for after in ["", "\"", " and more"] {
                let whole = format!("{before}{secret}{after}");
                disguises.push(STANDARD.encode(&whole));
                disguises.push(URL_SAFE.encode(&whole));
                disguises.push(hex::encode(&whole));
            }
        }
        for disguise in disguises {
            let text = format!("<{disguise}>");
            assert!(vault.finds(text.as_bytes()), "{disguise}");
            assert!(!empty.finds(text.as_bytes()), "{disguise}");
        }
        let reversed: Vec<u8> = secret.bytes().rev().collect();
        assert!(vault.finds(&[b"<", &reversed[..], b">"].concat()));
        for other in [random(60), secret[20..].to_owned(), secret[..20].to_owned()] {
            assert!(!vault.finds(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let vault = Vault::default();
        let first = random(40);
        vault.keep(&first);
        let later: Vec<String> = (0..SECRETS_MAX + BLOCK_SECRETS_MAX).map(|_| random(40)).collect();
        for secret in &later {
            vault.keep(secret);
        }
        assert!(!vault.finds(first.as_bytes()));
        let youngest = later.iter().rev().take(SECRETS_MAX);
        assert!(youngest.rev().step_by(50).all(|secret| vault.finds(secret.as_bytes())));
        let kept = vault.0.read().unwrap().blocks.iter().map(|block| block.secrets.len()).sum();
        assert!((SECRETS_MAX..=SECRETS_MAX + BLOCK_SECRETS_MAX).contains(&kept));
    }
}
