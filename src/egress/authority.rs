//! What a CONNECT names: a host by its name, and a port; in one spelling only.
//!
//! Where two readers of one text disagree, an attacker chooses which of them is right: so this
//! one knows a grammar so small that nothing is left to disagree about, and what is connected to
//! is made from what was read, never from the text.

use std::fmt;

use super::defence::{Defence, Defences};
use super::verdict::Refusal;

/// Longest name in DNS, and longest part of one, in bytes.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// A host and a port: lower case, at least two labels, never an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    host: String,
    port: u16,
}

impl Authority {
    /// Reads `[a-z0-9-]+(\.[a-z0-9-]+)+:port` in any case, with at most one dot at its end.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::judge(text, Defences::ALL)
    }

    pub(super) fn judge(text: &str, defences: Defences) -> Result<Self, Refusal> {
        let (host, port) = text.rsplit_once(':').ok_or(Refusal::NotAName)?;
        let digits = !port.is_empty()
            && !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit());
        if defences.has(Defence::Spelling) && !digits {
            return Err(Refusal::NotAName);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(Refusal::NotAName)?;
        Ok(Self { host: name(host, defences)?, port })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

/// The name in the one spelling that is compared and looked up.
pub(super) fn name(text: &str, defences: Defences) -> Result<String, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if defences.has(Defence::Spelling) && !text.bytes().all(plain) {
        return Err(Refusal::NotAName);
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| (1..=LABEL_BYTES_MAX).contains(&label.len());
    let labels = name.len() <= NAME_BYTES_MAX && name.contains('.') && name.split('.').all(label);
    if defences.has(Defence::Labels) && !labels {
        return Err(Refusal::NotAName);
    }
    if defences.has(Defence::Numbers) && ends_in_a_number(&name) {
        return Err(Refusal::Number);
    }
    Ok(name)
}

/// Whether some reader may take it for an IPv4 address: they take decimal, octal and hexadecimal
/// numbers, and fewer than four of them. No top-level domain is a number.
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x");
    (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
        || hexadecimal.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_is_left_of_every_name() {
        for (text, read) in [
            ("api.example.com:443", "api.example.com:443"),
            ("API.Example.COM.:443", "api.example.com:443"),
            ("xn--bcher-kva.example:8443", "xn--bcher-kva.example:8443"),
            ("1.2.3.example:1", "1.2.3.example:1"),
            ("0x7f.example:65535", "0x7f.example:65535"),
        ] {
            assert_eq!(Authority::parse(text).unwrap().to_string(), read);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("{}.example:443", "a".repeat(64));
        let longer = format!("{}example:443", "a.".repeat(130));
        for text in [
            "",
            ":",
            "example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:443:443",
            "com:443",
            "localhost:443",
            ".:443",
            "a_b.example:443",
            &long,
            &longer,
        ] {
            assert_eq!(Authority::parse(text), Err(Refusal::NotAName), "{text}");
        }
        for text in ["127.0.0.1:80", "127.1:80", "0x7f.1:80", "1.0x7f000001:80", "a.0x:80"] {
            assert_eq!(Authority::parse(text), Err(Refusal::Number), "{text}");
        }
        assert_eq!(Authority::parse("[::1]:80"), Err(Refusal::NotAName));
    }
}
