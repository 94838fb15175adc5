//! Secrets taken out of what comes in parts, wherever the parts are divided.

use std::fmt;

use super::{HIDDEN, Redactor, pattern};

/// Most bytes held back for a secret that does not end; after that, its middle is forgotten.
const HELD_BYTES_MAX: usize = 256 * 1_024;

/// Gives out what is sure to hold no secret, and holds the rest back.
#[derive(Clone)]
pub struct Stream {
    redactor: Redactor,
    held: Vec<u8>,
    /// What is held begins with a secret that was shown as hidden already.
    open: bool,
    holds_back: bool,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(hidden)")
    }
}

impl Stream {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, held: Vec::new(), open: false, holds_back: true }
    }

    /// The same without holding anything back, to prove that it is needed.
    #[cfg(test)]
    pub(super) fn without_holding_back(mut self) -> Self {
        self.holds_back = false;
        self
    }

    /// Takes the next part; gives what may be shown by now.
    pub fn push(&mut self, part: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(part);
        let unsure = if self.holds_back { self.redactor.unsure_bytes() } else { 0 };
        let sure = self.held.len().saturating_sub(unsure);
        self.give(sure)
    }

    /// There is no more: gives what was held back.
    pub fn finish(mut self) -> Vec<u8> {
        self.give(self.held.len())
    }

    /// What stands before `sure`, and a secret there only when all of it does.
    fn give(&mut self, sure: usize) -> Vec<u8> {
        let spans = self.redactor.spans(&self.held);
        let (mut out, mut from, mut until) = (Vec::new(), 0, sure);
        let all = sure == self.held.len();
        for (start, end) in spans {
            if start >= sure {
                break;
            }
            // One that reaches to the end may go on.
            let whole = all || end <= sure;
            if !whole {
                until = start;
                break;
            }
            out.extend_from_slice(self.held.get(from..start).unwrap_or_default());
            self.hidden(start, &mut out);
            (from, until) = (end, until.max(end));
        }
        out.extend_from_slice(self.held.get(from..until).unwrap_or_default());
        self.open &= until == 0;
        self.held.drain(..until.min(self.held.len()));
        if self.held.len() > HELD_BYTES_MAX.max(2 * self.redactor.unsure_bytes()) {
            self.forget(&mut out);
        }
        out
    }

    fn hidden(&mut self, start: usize, out: &mut Vec<u8>) {
        if start > 0 || !self.open {
            out.extend_from_slice(HIDDEN.as_bytes());
        }
        self.open = false;
    }

    /// Forgets the middle of a secret without an end: its beginning tells what it is, and its
    /// last bytes tell when it ends.
    fn forget(&mut self, out: &mut Vec<u8>) {
        let keep = pattern::SURE_BYTES;
        let last = self.held.len().saturating_sub(keep);
        if last <= keep {
            return;
        }
        if !self.open {
            out.extend_from_slice(HIDDEN.as_bytes());
            self.open = true;
        }
        self.held.drain(keep..last);
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::model::{Secret, Vault};

    fn random(chars: usize) -> String {
        (0..chars).map(|_| fastrand::alphanumeric()).collect()
    }

    fn through(mut stream: Stream, parts: &[&[u8]]) -> String {
        let mut out = Vec::new();
        for part in parts {
            out.extend(stream.push(part));
        }
        out.extend(stream.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn attack_55_a_secret_divided_anywhere_is_hidden() {
        let vault = Vault::default();
        let canary = random(40);
        vault.keep(&canary);
        let redactor = Redactor::new([]).with_vault(vault);
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", random(80));
        for secret in [
            canary.clone(),
            STANDARD.encode(&canary),
            hex::encode(&canary),
            canary.chars().rev().collect(),
            format!("ghs_{}", random(520)),
            key,
        ] {
            let text = format!("before é {secret} after");
            let mut shown_by_the_weak = 0;
            for at in 0..=text.len() {
                let (first, second) = text.as_bytes().split_at(at);
                let shown = through(redactor.stream(), &[first, second]);
                assert!(shown.starts_with("before é [hidden]") && shown.ends_with(" after"));
                assert!(
                    !shown.contains(&secret[..12]) && !shown.contains(&secret[16..]),
                    "{shown}"
                );
                let weak = through(redactor.stream().without_holding_back(), &[first, second]);
                shown_by_the_weak += usize::from(!weak.contains("é [hidden] after"));
            }
            assert!(shown_by_the_weak > 10, "the stream must hold back for {secret}");
            // One byte at a time.
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert!(through(redactor.stream(), &bytes).starts_with("before é [hidden]"));
        }
    }

    #[test]
    fn what_holds_no_secret_comes_out_as_it_went_in() {
        let redactor = Redactor::new([Secret::new(random(30))]);
        for _ in 0..200 {
            let text: String =
                (0..fastrand::usize(..400)).map(|_| fastrand::char('a'..'ſ')).collect();
            let mut parts: Vec<&[u8]> = Vec::new();
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let (part, more) = rest.split_at(fastrand::usize(1..=rest.len()));
                parts.push(part);
                rest = more;
            }
            assert_eq!(through(redactor.stream(), &parts), text);
        }
    }

    #[test]
    fn a_secret_without_an_end_takes_no_memory() {
        let mut stream = Redactor::default().stream();
        let mut out = stream.push(b"a -----BEGIN PRIVATE KEY-----\n");
        for _ in 0..2_000 {
            out.extend(stream.push(&[b'x'; 1_000]));
            assert!(stream.held.len() <= HELD_BYTES_MAX + 2_000);
        }
        out.extend(stream.push(b"\n-----END PRIVATE KEY----- b"));
        out.extend(stream.finish());
        assert_eq!(String::from_utf8(out).unwrap(), "a [hidden] b");
    }
}
