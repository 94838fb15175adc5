//! Strikes the key out of whatever comes back, byte for byte, in whatever parts it comes.

use axum::body::Bytes;

use crate::model::Secret;

/// What stands in place of each byte of a key: lengths stay what they were.
const STRUCK: u8 = b'*';

/// Strikes out one key.
pub(super) struct Mask {
    key: Option<Secret>,
    /// The end of what came, as far as it could be the begin of the key.
    held: Vec<u8>,
}

impl Mask {
    pub(super) fn new(key: Option<Secret>) -> Self {
        Self { key: key.filter(|key| !key.is_empty()), held: Vec::new() }
    }

    /// What may go on now.
    pub(super) fn pass(&mut self, bytes: Bytes) -> Bytes {
        let Some(key) = &self.key else { return bytes };
        let key = key.reveal().as_bytes();
        if self.held.is_empty() && found(&bytes, key).is_none() && begun(&bytes, key) == 0 {
            return bytes;
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(&bytes);
        while let Some(at) = found(&all, key) {
            all.iter_mut().skip(at).take(key.len()).for_each(|byte| *byte = STRUCK);
        }
        self.held = all.split_off(all.len() - begun(&all, key));
        all.into()
    }

    /// Nothing more comes, so what is held back is no key.
    pub(super) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held).into()
    }

    /// Whether a short text holds the key.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.key.as_ref().is_some_and(|key| found(text, key.reveal().as_bytes()).is_some())
    }
}

fn found(text: &[u8], key: &[u8]) -> Option<usize> {
    let (first, rest) = key.split_first()?;
    let mut at = 0;
    while let Some(next) = text.get(at..)?.iter().position(|byte| byte == first) {
        if text.get(at + next + 1..)?.starts_with(rest) {
            return Some(at + next);
        }
        at += next + 1;
    }
    None
}

/// The length of the longest end of `text` that is a begin of `key`, but not all of it.
fn begun(text: &[u8], key: &[u8]) -> usize {
    let most = key.len().saturating_sub(1).min(text.len());
    let ends = (1..=most).rev();
    let mut ends = ends.filter(|length| {
        let end = text.get(text.len() - length..).unwrap_or_default();
        key.starts_with(end)
    });
    ends.next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_struck_out_wherever_it_is_cut() {
        let key = format!("aab-{:x}", fastrand::u64(1 << 60..));
        let text = format!("aaaa{key}{key} and aab-{key}aa");
        let expected = text.replace(&key, &"*".repeat(key.len()));
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut mask = Mask::new(Some(Secret::new(key.clone())));
                let parts = [&text[..first], &text[first..second], &text[second..]];
                let mut heard = Vec::new();
                for part in parts {
                    heard.extend(mask.pass(Bytes::copy_from_slice(part.as_bytes())));
                }
                heard.extend(mask.rest());
                assert_eq!(String::from_utf8(heard).unwrap(), expected, "{first} {second}");
            }
        }
    }

    #[test]
    fn what_is_no_key_goes_on_at_once() {
        let mut mask = Mask::new(Some(Secret::new(format!("{:x}-key", fastrand::u64(..)))));
        assert_eq!(mask.pass(Bytes::from_static(b"data: {}\n\n")), "data: {}\n\n");
        assert_eq!(Mask::new(None).pass(Bytes::from_static(b"x")), "x");
    }
}
