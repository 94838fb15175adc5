//! What an agent says while it works, whichever agent it is.

use crate::model::text::{self, Bounded};
use crate::model::{Cost, Tokens, Trouble};

/// Longest summary of a tool call and of what it answered, in characters.
pub const SUMMARY_CHARS_MAX: usize = 200;
/// Longest text of one event, in characters.
pub const WORDS_CHARS_MAX: usize = 4_000;
/// Longest name of a session, in characters.
pub const SESSION_CHARS_MAX: usize = 128;

/// One line about a tool call.
pub type Summary = Bounded<SUMMARY_CHARS_MAX>;
/// Something that was said.
pub type Words = Bounded<WORDS_CHARS_MAX>;

/// Something an agent said, as every agent says it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Started {
        session: Option<Session>,
        model: Option<Summary>,
    },
    /// Its own words. They are shown, and never taken for the outcome.
    Text(Words),
    ToolStart {
        tool: Tool,
        summary: Summary,
        /// The same number for the same call with the same arguments; not known where the
        /// agent does not tell all of them.
        call: Option<u64>,
    },
    ToolEnd {
        ok: bool,
        exit: Option<i32>,
        /// What a failed call answered.
        said: Summary,
    },
    /// It asks its model once more.
    Retry {
        /// Not every agent says why.
        trouble: Option<Trouble>,
        attempt: u32,
    },
    Usage(Usage),
    /// How far a list is done that it keeps for itself.
    Steps {
        done: u32,
        all: u32,
    },
    /// A sign of life and nothing else.
    Beat,
    /// It says how it ended. Whether that is so, [`judge`](super::outcome::judge) says.
    Ended(Said),
}

/// The kinds of tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    Shell,
    Edit,
    Read,
    Mcp,
    Other,
}

impl Tool {
    /// The kind of the tool an agent calls `name`.
    pub fn of(name: &str) -> Self {
        const SHELL: [&str; 6] =
            ["bash", "shell", "run_shell_command", "command_execution", "execute", "terminal"];
        const EDIT: [&str; 14] = [
            "edit",
            "write",
            "write_file",
            "notebookedit",
            "multiedit",
            "create",
            "replace",
            "str_replace",
            "apply_patch",
            "patch",
            "file_change",
            "delete",
            "move",
            "insert",
        ];
        const READ: [&str; 12] = [
            "read",
            "read_file",
            "read_many_files",
            "grep",
            "grep_search",
            "glob",
            "view",
            "ls",
            "list",
            "list_directory",
            "search",
            "search_file_content",
        ];
        let name = name.to_ascii_lowercase();
        let among = |names: &[&str]| names.contains(&name.as_str());
        if among(&SHELL) {
            Self::Shell
        } else if among(&EDIT) {
            Self::Edit
        } else if among(&READ) {
            Self::Read
        } else if name.starts_with("mcp_") || name.contains("__") {
            Self::Mcp
        } else {
            Self::Other
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Edit => "edit",
            Self::Read => "read",
            Self::Mcp => "mcp",
            Self::Other => "tool",
        }
    }
}

/// What was used, by the agent's own account. The gateway's is the one that is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub tokens: Tokens,
    pub cost: Cost,
    /// Counted since the session began, and not since this start of it.
    pub is_cumulative: bool,
}

impl Usage {
    /// What came since `before`, when both count from the beginning of one session.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        if !self.is_cumulative {
            return self;
        }
        let less = |now: u64, then: u64| now.saturating_sub(then);
        let (now, then) = (self.tokens, before.tokens);
        let tokens = Tokens {
            input: less(now.input, then.input),
            cache_read: less(now.cache_read, then.cache_read),
            cache_write: less(now.cache_write, then.cache_write),
            output: less(now.output, then.output),
            reasoning: less(now.reasoning, then.reasoning),
        };
        let cost = match (self.cost.micros(), before.cost.micros()) {
            (Some(now), Some(then)) => Cost::Micros(less(now, then)),
            (Some(_), None) | (None, Some(_) | None) => Cost::Unknown,
        };
        Self { tokens, cost, is_cumulative: false }
    }
}

/// How an agent says that it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Well, in an event that means just that.
    Done,
    /// It ended its turn; the same is said after every failure too.
    Quiet,
    /// Not well.
    Failed {
        /// Where the event says so in a field, or its words are known.
        trouble: Option<Trouble>,
        words: Words,
    },
    /// Nothing: the stream broke off, or its end has another shape.
    Nothing,
}

/// The name of a conversation that can be gone on with. It comes out of an agent and goes into
/// a command line, so its letters are few.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session(String);

impl Session {
    /// `None` when it is anything but a name.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let good = !text.is_empty()
            && text.len() <= SESSION_CHARS_MAX
            && !text.starts_with('-')
            && text.bytes().all(plain);
        good.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first line of `text`, as a summary.
pub(super) fn brief(text: &str) -> Summary {
    Summary::from(text::first_line(text.trim_start()))
}

/// Dollars as an agent writes them; what is no amount is not known.
pub(super) fn dollars(amount: Option<f64>) -> Cost {
    let Some(amount) = amount.filter(|amount| amount.is_finite() && *amount >= 0.0) else {
        return Cost::Unknown;
    };
    format!("{:.0}", amount * 1e6).parse().map_or(Cost::Unknown, Cost::Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_never_an_option_or_a_path() {
        for good in ["01a1fb2d-5315-7841-87be-1ba0bd9aa619", "ses_e04cc120bffe9ADHICyC1vTCtn"] {
            assert_eq!(Session::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(SESSION_CHARS_MAX + 1);
        for bad in ["", "--resume", "a b", "../x", "a\n", long.as_str()] {
            assert_eq!(Session::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn tools_of_all_agents_fall_into_few_kinds() {
        for (name, tool) in [
            ("Bash", Tool::Shell),
            ("run_shell_command", Tool::Shell),
            ("Write", Tool::Edit),
            ("write_file", Tool::Edit),
            ("Grep", Tool::Read),
            ("mcp__issues__list", Tool::Mcp),
            ("StructuredOutput", Tool::Other),
        ] {
            assert_eq!(Tool::of(name), tool, "{name}");
        }
    }

    #[test]
    fn what_a_resumed_session_used_is_the_difference() {
        let usage = |input, cost| Usage {
            tokens: Tokens { input, ..Tokens::default() },
            cost,
            is_cumulative: true,
        };
        let first = usage(1_000, Cost::Micros(5));
        let second = usage(2_500, Cost::Micros(7)).since(first);
        assert_eq!((second.tokens.input, second.cost), (1_500, Cost::Micros(2)));
        assert_eq!(usage(9, Cost::Unknown).since(first).cost, Cost::Unknown);
        let alone = Usage { is_cumulative: false, ..usage(9, Cost::NONE) };
        assert_eq!(alone.since(first), alone);
    }

    #[test]
    fn only_amounts_are_costs() {
        assert_eq!(dollars(Some(0.01431)), Cost::Micros(14_310));
        for nothing in [None, Some(f64::NAN), Some(f64::INFINITY), Some(-1.0), Some(1e300)] {
            assert_eq!(dollars(nothing), Cost::Unknown, "{nothing:?}");
        }
    }
}
