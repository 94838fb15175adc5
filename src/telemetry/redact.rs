//! Takes secrets out of text: values we know, and everything that looks like a token or a key.

use std::borrow::Cow;

use crate::model::{Secret, Vault};

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";
/// Known values shorter than this are not searched for: they would hide ordinary words.
const KNOWN_BYTES_MIN: usize = 8;
/// Fewest characters after a prefix that make a token; GitHub's are longer, and grow.
const TOKEN_CHARS_MIN: usize = 20;

const TOKEN_PREFIXES: [&str; 8] =
    ["ghs_", "ghp_", "gho_", "ghu_", "ghr_", "github_pat_", "x-access-token:", "eyJ"];
const KEY_BEGIN: &str = "-----BEGIN ";
const KEY_END: &str = "-----END ";
const KEY_DASHES: &str = "-----";

/// Knows the program's own secrets. The patterns are open-ended, because token formats change
/// while this program runs.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    known: Vec<Secret>,
    vault: Vault,
}

impl Redactor {
    /// `known` values are hidden wherever they appear as they are.
    pub fn new(known: impl IntoIterator<Item = Secret>) -> Self {
        let known = known.into_iter().filter(|value| value.len() >= KNOWN_BYTES_MIN).collect();
        Self { known, vault: Vault::default() }
    }

    /// Also hides what others put into `vault`, now or later.
    #[must_use]
    pub fn with_vault(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }

    /// `text` without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        for value in &self.known {
            if out.contains(value.reveal()) {
                out = Cow::Owned(out.replace(value.reveal(), HIDDEN));
            }
        }
        if let Some(hidden) = self.vault.hide(&out, HIDDEN) {
            out = Cow::Owned(hidden);
        }
        let suspicious = TOKEN_PREFIXES.iter().any(|prefix| out.contains(prefix));
        if suspicious || out.contains(KEY_BEGIN) {
            out = Cow::Owned(hide_patterns(&out));
        }
        out
    }
}

fn hide_patterns(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let secret = key_bytes(rest).or_else(|| token_bytes(rest));
        let (kept, bytes) = match secret {
            Some(bytes) => (HIDDEN, bytes),
            None => (rest.get(..first.len_utf8()).unwrap_or_default(), first.len_utf8()),
        };
        out.push_str(kept);
        rest = rest.get(bytes..).unwrap_or_default();
    }
    out
}

/// Length of the private key `text` begins with; a key cut short reaches to the end.
fn key_bytes(text: &str) -> Option<usize> {
    let body = text.strip_prefix(KEY_BEGIN)?;
    let label = body.lines().next().unwrap_or_default();
    if !label.get(..label.len().min(40)).is_some_and(|label| label.contains("PRIVATE KEY")) {
        return None;
    }
    let Some(end) = text.find(KEY_END) else { return Some(text.len()) };
    let after = end + KEY_END.len();
    let tail = text.get(after..).unwrap_or_default();
    Some(tail.find(KEY_DASHES).map_or(text.len(), |at| after + at + KEY_DASHES.len()))
}

/// Length of the token `text` begins with.
fn token_bytes(text: &str) -> Option<usize> {
    let prefix = TOKEN_PREFIXES.iter().find(|prefix| text.starts_with(**prefix))?;
    let body = text.get(prefix.len()..)?;
    let chars = body.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
    let length = chars.count();
    (length >= TOKEN_CHARS_MIN).then_some(prefix.len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(chars: usize) -> String {
        (0..chars).map(|_| fastrand::alphanumeric()).collect()
    }

    #[test]
    fn tokens_of_every_form_are_hidden() {
        let redactor = Redactor::default();
        for prefix in TOKEN_PREFIXES {
            for token in [
                format!("{prefix}{}", random(36)),
                format!("{prefix}{}_{}.{}-{}", random(6), random(200), random(200), random(100)),
            ] {
                let line = format!("fetching é https://x:{token}@host/ and on");
                let shown = redactor.redact(&line);
                assert_eq!(shown, "fetching é https://x:[hidden]@host/ and on");
            }
        }
    }

    #[test]
    fn a_private_key_is_hidden_even_when_escaped_or_cut() {
        let redactor = Redactor::default();
        let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
        for newline in ["\n", "\\n"] {
            let body = random(64);
            let whole = format!("a {begin}{newline}{body}{newline}{end} b");
            assert_eq!(redactor.redact(&whole), "a [hidden] b");
            let cut = format!("a {begin}{newline}{body}");
            assert_eq!(redactor.redact(&cut), "a [hidden]");
        }
        let public = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----";
        assert_eq!(redactor.redact(public), public);
    }

    #[test]
    fn what_is_kept_later_is_hidden_too() {
        let vault = Vault::default();
        let redactor = Redactor::new([]).with_vault(vault.clone());
        // A form no pattern knows.
        let token = random(60);
        let line = format!("sent {token}");
        assert_eq!(redactor.redact(&line), line);
        vault.keep(&token);
        assert_eq!(redactor.redact(&line), "sent [hidden]");
    }

    #[test]
    fn ordinary_text_is_left_alone_and_not_copied() {
        let redactor = Redactor::new([Secret::new("short")]);
        let text = "ghs is a prefix, short is a word, ghs_abc is no token";
        assert_eq!(redactor.redact(text), text);
        assert!(matches!(redactor.redact("nothing here"), Cow::Borrowed(_)));
    }
}
