//! What was asked of a way out and what was answered: one line each, and an account at the end.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::authority::Authority;

/// Longest line, in bytes: a program may ask with anything, and as often as it likes.
pub const LINE_BYTES_MAX: usize = 200;
/// Lines kept of one way out; the counts go on.
pub const LINES_MAX: usize = 500;
/// Names kept that no rule allows; more only say the same.
pub const HOSTS_MAX: usize = 20;

/// Why nothing was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The head is longer than may be.
    TooLong,
    /// The head did not come in time.
    TooSlow,
    /// It is no head of a request.
    Malformed,
    /// It is not CONNECT.
    Method,
    /// It names no host by its name, with a port.
    NotAName,
    /// It names an address.
    Number,
    /// No rule names it.
    NotAllowed(Authority),
    /// The name could not be resolved.
    Unknown(Authority),
    /// The name stands for an address inside.
    NotPublic(Authority, IpAddr),
    /// Nobody answered there.
    Unreachable(Authority),
    /// Too many connections are open.
    TooMany,
    /// The bytes of this run are used up.
    Spent,
}

impl Refusal {
    /// Status and sentence of the answer, which holds nothing that was not checked.
    pub fn answer(&self) -> (u16, String) {
        let own = "this agent's hosts";
        match self {
            Self::TooLong => (431, "the head is too long".to_owned()),
            Self::TooSlow => (408, "the head did not come in time".to_owned()),
            Self::Malformed => (400, "this is no CONNECT request".to_owned()),
            Self::Method => (405, "only CONNECT is understood; use https".to_owned()),
            Self::NotAName => (400, "this names no host and port".to_owned()),
            Self::Number => (403, "hosts are reached by their names only".to_owned()),
            Self::NotAllowed(asked) => (403, format!("{asked} is not among {own}")),
            Self::Unknown(asked) => (502, format!("{asked} has no address")),
            Self::NotPublic(asked, _) => {
                (403, format!("{asked} is in a network of somebody's own"))
            }
            Self::Unreachable(asked) => (502, format!("{asked} does not answer")),
            Self::TooMany => (503, "too many connections are open".to_owned()),
            Self::Spent => (403, "the bytes of this run are used up".to_owned()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::TooLong => "head too long",
            Self::TooSlow => "head too slow",
            Self::Malformed => "malformed",
            Self::Method => "not CONNECT",
            Self::NotAName => "no name",
            Self::Number => "an address",
            Self::NotAllowed(_) => "not allowed",
            Self::Unknown(_) => "no address",
            Self::NotPublic(..) => "not public",
            Self::Unreachable(_) => "unreachable",
            Self::TooMany => "too many connections",
            Self::Spent => "bytes used up",
        }
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Opened {
        asked: Authority,
        address: IpAddr,
    },
    /// With the first line that was sent, as far as it came.
    Refused {
        why: Refusal,
        said: Vec<u8>,
    },
}

impl Verdict {
    /// One line without control characters, of at most [`LINE_BYTES_MAX`] bytes.
    pub fn line(&self) -> String {
        match self {
            Self::Opened { asked, address } => bounded(&format!("opened {asked} at {address}")),
            Self::Refused { why: Refusal::NotPublic(asked, address), .. } => {
                bounded(&format!("refused, not public: {asked} at {address}"))
            }
            Self::Refused { why, said } => {
                let first = said.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let first = first.get(..LINE_BYTES_MAX.min(first.len())).unwrap_or_default();
                bounded(&format!("refused, {}: {}", why.word(), first.escape_ascii()))
            }
        }
    }
}

/// Everything in it is ASCII by now.
fn bounded(line: &str) -> String {
    if line.len() <= LINE_BYTES_MAX {
        return line.to_owned();
    }
    format!("{}...", line.get(..LINE_BYTES_MAX - 3).unwrap_or_default())
}

/// What became of one way out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    pub opened: u64,
    pub refused: u64,
    pub bytes_out: u64,
    pub bytes_in: u64,
    /// One for each verdict, up to [`LINES_MAX`].
    pub lines: Vec<String>,
    /// What no rule names and was asked for, as `host:port`: what an operator may want to add.
    pub refused_hosts: BTreeSet<String>,
}

impl Account {
    /// Notes a verdict.
    pub fn note(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Opened { .. } => self.opened += 1,
            Verdict::Refused { why, .. } => {
                self.refused += 1;
                if let (Refusal::NotAllowed(asked), true) =
                    (why, self.refused_hosts.len() < HOSTS_MAX)
                {
                    self.refused_hosts.insert(asked.to_string());
                }
            }
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push(verdict.line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(why: Refusal, said: &[u8]) -> Verdict {
        Verdict::Refused { why, said: said.to_vec() }
    }

    #[test]
    fn what_a_program_sends_cannot_write_into_the_log() {
        let nasty = b"GET /\x1b[31m\xff\r\nsecond line".to_vec();
        insta::assert_snapshot!(refused(Refusal::Malformed, &nasty).line(),
            @r"refused, malformed: GET /\x1b[31m\xff\r");
        let long = refused(Refusal::TooLong, &[0x1b; 9_000]).line();
        assert_eq!((long.len(), long.ends_with("...")), (LINE_BYTES_MAX, true));
    }

    #[test]
    fn an_account_stays_small_whatever_is_asked() {
        let mut account = Account::default();
        for n in 0..2_000 {
            let asked = Authority::parse(&format!("h{n}.example:443")).unwrap();
            account.note(&refused(Refusal::NotAllowed(asked), b"CONNECT"));
        }
        account.note(&refused(Refusal::Spent, b""));
        assert_eq!((account.opened, account.refused), (0, 2_001));
        assert_eq!((account.lines.len(), account.refused_hosts.len()), (LINES_MAX, HOSTS_MAX));
    }

    #[test]
    fn every_refusal_has_a_status_and_a_sentence() {
        let asked = Authority::parse("a.example:443").unwrap();
        let inside: IpAddr = "10.0.0.1".parse().unwrap();
        for why in [
            Refusal::TooLong,
            Refusal::TooSlow,
            Refusal::Malformed,
            Refusal::Method,
            Refusal::NotAName,
            Refusal::Number,
            Refusal::NotAllowed(asked.clone()),
            Refusal::Unknown(asked.clone()),
            Refusal::NotPublic(asked.clone(), inside),
            Refusal::Unreachable(asked),
            Refusal::TooMany,
            Refusal::Spent,
        ] {
            let (status, sentence) = why.answer();
            assert!((400..600).contains(&status) && sentence.len() > 10, "{why:?}");
            assert!(!sentence.contains("10.0.0.1"), "what is inside is not told");
            assert!(refused(why, b"x").line().starts_with("refused, "));
        }
    }
}
