//! What an operator lets an agent reach: `host`, `host:port`, `*.suffix`, `*.suffix:port`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::authority::Authority;
use super::defence::{Defence, Defences};
use super::verdict::Refusal;

/// The port of a rule that names none.
const HTTPS: u16 = 443;

/// One host, or all below one, at one port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    host: String,
    /// Everything below `host`, and not `host` itself.
    below: bool,
    port: u16,
}

impl Rule {
    /// Reads a rule; the error is a sentence about what may be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("{text:?} {why}"));
        let (pattern, port) = match text.split_once(':') {
            Some((pattern, port)) => (pattern, port.to_owned()),
            None => (text, HTTPS.to_string()),
        };
        let (host, below) = match pattern.strip_prefix("*.") {
            Some(host) => (host, true),
            None => (pattern, false),
        };
        match Authority::parse(&format!("{host}:{port}")) {
            Ok(read) => Ok(Self { host: read.host().to_owned(), below, port: read.port() }),
            Err(Refusal::Number) => refuse("is an address; only names are reached"),
            Err(_other) if below && !host.contains('.') => {
                refuse("is everything below one label; name two at least")
            }
            Err(_other) => refuse("is no host; write `api.example.com` or `*.example.com:8443`"),
        }
    }

    /// Whether the rule is about what is asked for.
    pub fn allows(&self, asked: &Authority) -> bool {
        self.judge(asked, Defences::ALL)
    }

    pub(super) fn judge(&self, asked: &Authority, defences: Defences) -> bool {
        if defences.has(Defence::Port) && asked.port() != self.port {
            return false;
        }
        if !self.below {
            return asked.host() == self.host;
        }
        let Some(front) = asked.host().strip_suffix(self.host.as_str()) else { return false };
        if !defences.has(Defence::Boundary) {
            return !front.is_empty();
        }
        front
            .strip_suffix('.')
            .is_some_and(|front| !front.is_empty() || !defences.has(Defence::Labels))
    }

    /// A rule that [`Rule::parse`] would refuse, to see that what is asked is refused as well.
    #[cfg(test)]
    pub(super) fn unchecked(suffix: &str, port: u16) -> Self {
        Self { host: suffix.to_owned(), below: true, port }
    }
}

/// Whether any of `rules` is about what is asked for.
pub(super) fn allow(rules: &[Rule], asked: &Authority, defences: Defences) -> bool {
    !defences.has(Defence::Rules) || rules.iter().any(|rule| rule.judge(asked, defences))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.below { "*." } else { "" };
        write!(f, "{below}{}:{}", self.host, self.port)
    }
}

impl TryFrom<String> for Rule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, asked: &str) -> bool {
        Rule::parse(rule).unwrap().allows(&Authority::parse(asked).unwrap())
    }

    #[test]
    fn a_rule_is_about_a_name_or_what_is_below_it_and_one_port() {
        assert!(allows("api.example.com", "API.example.com.:443"));
        assert!(!allows("api.example.com", "api.example.com:80"));
        assert!(!allows("api.example.com", "x.api.example.com:443"));
        assert!(allows("*.example.com:8443", "a.b.example.com:8443"));
        assert!(!allows("*.example.com", "example.com:443"), "the name itself is another rule");
        assert!(!allows("*.example.com", "badexample.com:443"), "whole labels only");
        assert!(!allows("*.example.com", "example.com.evil.org:443"));
    }

    #[test]
    fn a_rule_that_says_too_much_or_nothing_is_refused_with_what_to_write() {
        for text in ["", "*", "*.com", "com", "*.*.com", "a.*.com", "https://a.example", "a.b/c"] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
        insta::assert_snapshot!(Rule::parse("10.0.0.1").unwrap_err(),
            @r#""10.0.0.1" is an address; only names are reached"#);
        insta::assert_snapshot!(Rule::parse("*.com").unwrap_err(),
            @r#""*.com" is everything below one label; name two at least"#);
        assert!(Rule::parse("api.example.com:https").unwrap_err().contains("write"));
        let read: Rule = serde_json::from_str("\"*.Example.com\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"*.example.com:443\"");
    }
}
