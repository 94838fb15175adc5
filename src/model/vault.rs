//! The secrets that live at this moment: kept by those who make them, hidden by those who write.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::Secret;

/// Secrets kept; the oldest go first. More than all tokens that can be alive at once.
const SECRETS_MAX: usize = 4_096;
/// Shorter ones are not kept: hiding them would hide ordinary words. Secrets are found by as
/// many bytes of their end, which differs where beginnings are the same.
const TAIL_BYTES: usize = 8;

type Tail = [u8; TAIL_BYTES];

#[derive(Default)]
struct Held {
    by_tail: BTreeMap<Tail, Vec<Secret>>,
    order: VecDeque<Tail>,
}

/// A shared handle; clones know the same secrets.
#[derive(Clone, Default)]
pub struct Vault(Arc<RwLock<Held>>);

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

impl Vault {
    /// Keeps a secret until `SECRETS_MAX` younger ones came.
    pub fn keep(&self, secret: &str) {
        let Some(tail) = secret.as_bytes().last_chunk::<TAIL_BYTES>() else { return };
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let same = held.by_tail.entry(*tail).or_default();
        if same.iter().any(|known| known.reveal() == secret) {
            return;
        }
        same.push(Secret::new(secret));
        held.order.push_back(*tail);
        if held.order.len() > SECRETS_MAX
            && let Some(oldest) = held.order.pop_front()
            && let Some(same) = held.by_tail.get_mut(&oldest)
        {
            same.remove(0);
            if same.is_empty() {
                held.by_tail.remove(&oldest);
            }
        }
    }

    /// `text` with `with` in place of every secret; `None` when it holds none.
    pub fn hide(&self, text: &str, with: &str) -> Option<String> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if held.by_tail.is_empty() {
            return None;
        }
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (at, tail) in text.as_bytes().windows(TAIL_BYTES).enumerate() {
            let same = <&Tail>::try_from(tail).ok().and_then(|tail| held.by_tail.get(tail));
            let end = at + TAIL_BYTES;
            let starts = same.into_iter().flatten().filter_map(|secret| {
                let start = end.checked_sub(secret.len())?;
                (text.get(start..end)? == secret.reveal()).then_some(start)
            });
            if let Some(start) = starts.min() {
                found.retain(|(earlier, _)| *earlier < start);
                found.push((start, end));
            }
        }
        if found.is_empty() {
            return None;
        }
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            // Empty where this one begins inside of the one before.
            out.push_str(text.get(from..start).unwrap_or_default());
            out.push_str(with);
            from = end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        Some(out)
    }
}

#[cfg(test)]
mod tests {
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
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let vault = Vault::default();
        let first = random(40);
        vault.keep(&first);
        let later: Vec<String> = (0..SECRETS_MAX).map(|_| random(40)).collect();
        for secret in &later {
            vault.keep(secret);
        }
        assert_eq!(vault.hide(&first, "*"), None);
        assert!(later.iter().all(|secret| vault.hide(secret, "*").is_some()));
        assert_eq!(vault.0.read().unwrap().order.len(), SECRETS_MAX);
    }
}
