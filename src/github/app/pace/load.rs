//! What a request weighs and how urgent it is: one table over the kinds of requests.

use crate::github::app::wire::Request;

/// How urgent a request is; the first may always go before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A person sees that they were heard, or why not.
    Acknowledge,
    /// What takes something back.
    Stop,
    /// A merge call: it holds a lane and a permit, and one that is sent back is read before it
    /// is sent, so it waits for its turn.
    Land,
    /// What a run needs to go on: looks, tokens, publishing.
    Gate,
    /// What only shows how far a run is; the next one shows the same and more.
    Cosmetic,
}

impl Priority {
    /// Most urgent first.
    pub const ALL: [Self; 5] =
        [Self::Acknowledge, Self::Stop, Self::Land, Self::Gate, Self::Cosmetic];

    /// The word for it in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Stop => "stop",
            Self::Land => "land",
            Self::Gate => "gate",
            Self::Cosmetic => "cosmetic",
        }
    }

    /// How much of a window this and everything less urgent may use, in percent.
    pub(super) fn share(self) -> u32 {
        match self {
            Self::Acknowledge => 100,
            Self::Stop => 90,
            Self::Land => 85,
            Self::Gate => 80,
            Self::Cosmetic => 60,
        }
    }

    /// How long a request may wait inside the adapter, in milliseconds. What waits holds a
    /// worker, so what can come back later waits least.
    pub(super) fn wait_ms_max(self) -> i64 {
        match self {
            Self::Acknowledge | Self::Stop => 5_000,
            Self::Land => 60_000,
            Self::Gate => 8_000,
            Self::Cosmetic => 1_500,
        }
    }

    /// How many may wait at once in one installation.
    pub(super) fn waiting_max(self) -> usize {
        match self {
            Self::Acknowledge => 24,
            Self::Stop => 22,
            Self::Land => 20,
            Self::Gate => 6,
            Self::Cosmetic => 1,
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Acknowledge => 0,
            Self::Stop => 1,
            Self::Land => 2,
            Self::Gate => 3,
            Self::Cosmetic => 4,
        }
    }
}

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) priority: Priority,
    pub(super) points: u32,
    /// It counts among the writes that create content.
    pub(super) writes: bool,
    /// A write that need not keep the gap to the one before.
    pub(super) at_once: bool,
}

impl Load {
    /// A write that keeps the gap.
    pub(super) fn is_spaced(self) -> bool {
        self.writes && !self.at_once
    }
}

const READ_POINTS: u32 = 1;
const WRITE_POINTS: u32 = 5;

/// Weighs a request. Every write counts as content, though GitHub does not say which do.
pub(super) fn weigh(request: &Request) -> Load {
    let reads = request.read;
    Load {
        priority: priority(request.kind),
        points: if reads { READ_POINTS } else { WRITE_POINTS },
        writes: !reads && request.kind != "token",
        at_once: request.kind == "reaction",
    }
}

/// The table. What it does not name is needed by a run to go on.
fn priority(kind: &str) -> Priority {
    match kind {
        // 👀 and answers, and what is asked before a command is believed.
        "reaction" | "comment" | "permission" | "repository" | "file" | "issue" | "comment_now"
        | "conversation" => Priority::Acknowledge,
        "disable_auto_merge" | "dequeue" => Priority::Stop,
        "merge" => Priority::Land,
        "edit_comment" | "update_check_run" => Priority::Cosmetic,
        _ => Priority::Gate,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};

    use super::*;

    fn write(kind: &'static str, path: &str, body: Value) -> Load {
        weigh(&Request::write(Method::POST, kind, path.to_owned(), body))
    }

    #[test]
    fn requests_have_their_weight_and_their_turn() {
        let read = weigh(&Request::get("pull", "/repos/o/r/pulls/1".to_owned()));
        let gate = Priority::Gate;
        assert_eq!(read, Load { priority: gate, points: 1, writes: false, at_once: false });
        let react = write("reaction", "/x", json!({}));
        let first = Priority::Acknowledge;
        assert_eq!(react, Load { priority: first, points: 5, writes: true, at_once: true });
        let comment = write("comment", "/x", json!({}));
        assert_eq!((comment.priority, comment.is_spaced()), (first, true));
        let edit = write("edit_comment", "/x", json!({}));
        assert_eq!((edit.priority, edit.is_spaced()), (Priority::Cosmetic, true));
        let token = write("token", "/app/installations/1/access_tokens", json!({}));
        assert_eq!((token.points, token.writes), (5, false));
        let mut ask = Request::write(Method::POST, "line", "/graphql".to_owned(), json!({}));
        assert_eq!((weigh(&ask).points, weigh(&ask).writes), (5, true), "a mutation");
        ask.read = true;
        assert_eq!((weigh(&ask).points, weigh(&ask).writes), (1, false), "a query");
    }

    #[test]
    fn the_more_urgent_has_more_of_everything() {
        assert!(Priority::ALL.is_sorted());
        for pair in Priority::ALL.windows(2) {
            let [first, second] = [pair[0], pair[1]];
            assert!(first.share() > second.share());
            assert!(first.waiting_max() > second.waiting_max());
            assert_eq!(first.index() + 1, second.index());
        }
    }
}
