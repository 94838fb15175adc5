//! Takes secrets out of texts and streams: values we know, and everything that looks like a
//! token or a key.

mod pattern;
mod stream;

use std::borrow::Cow;

use super::vault::{joined, replaced};
use super::{Secret, Vault};
pub use stream::Stream;

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";

/// Knows the program's own secrets, in every disguise the vault knows.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Never forgotten.
    known: Vault,
    /// Filled by others while the program runs.
    vault: Vault,
}

impl Redactor {
    /// `known` values are hidden wherever they appear; those of less than eight bytes would
    /// hide ordinary words, and are not.
    pub fn new(known: impl IntoIterator<Item = Secret>) -> Self {
        let redactor = Self::default();
        for value in known {
            redactor.known.keep(value.reveal());
        }
        redactor
    }

    /// Also hides what others put into `vault`, now or later.
    #[must_use]
    pub fn with_vault(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }

    /// `text` without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let spans = self.spans(text.as_bytes());
        if spans.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(replaced(text, &spans, HIDDEN))
        }
    }

    /// Takes secrets out of what comes in parts.
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    /// Where secrets stand.
    fn spans(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut spans = self.known.spans(bytes);
        spans.extend(self.vault.spans(bytes));
        spans.extend(pattern::spans(bytes));
        joined(spans)
    }

    /// Bytes at the end of a part in which a secret may have begun.
    fn unsure_bytes(&self) -> usize {
        self.known.longest().max(self.vault.longest()).max(pattern::SURE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::pattern::TOKEN_PREFIXES;
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
        let text = format!("task-{} risk-{}", random(30), random(30));
        assert_eq!(redactor.redact(&text), text);
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
        let begins = hex::encode("sent ");
        assert_eq!(redactor.redact(&hex::encode(&line)), format!("{begins}[hidden]"));
    }

    #[test]
    fn ordinary_text_is_left_alone_and_not_copied() {
        let redactor = Redactor::new([Secret::new("short")]);
        let text = "ghs is a prefix, short is a word, ghs_abc is no token";
        assert_eq!(redactor.redact(text), text);
        assert!(matches!(redactor.redact("nothing here"), Cow::Borrowed(_)));
    }
}
