//! What a failure that is told in words alone means.

use crate::model::Trouble;

/// What the gateway answers when a budget is used up.
pub(crate) const BUDGET_WORDS: &str = "run budget exhausted";

/// Longest text that is looked at, in bytes: failures say what they are at the beginning.
const LOOK_BYTES_MAX: usize = 16_384;

/// Words that stand before the status of an answer.
const BEFORE_STATUS: [&str; 7] =
    ["status ", "status: ", "\"code\":", "api error: ", "error: ", "http ", "rejected ("];

/// Words of the world, each with what they mean. The first that is found counts, so what says
/// more stands higher.
const SAID: [(Trouble, &[&str]); 9] = [
    (Trouble::Budget, &[BUDGET_WORDS]),
    (
        Trouble::ContextOverflow,
        &[
            "prompt is too long",
            "prompt as too long",
            "context length",
            "context_length",
            "ran out of room",
            "too many tokens",
        ],
    ),
    (
        Trouble::Quota,
        &["insufficient_quota", "quota exceeded", "exceeded your current quota", "billing"],
    ),
    (Trouble::Truncated, &["max_output_tokens", "output token maximum", "hit a token limit"]),
    (Trouble::Limit, &["loop detect", "max session turns", "maximum number of turns"]),
    (Trouble::RateLimit, &["rate limit", "rate_limit", "too many requests"]),
    (Trouble::Overloaded, &["overloaded"]),
    (
        Trouble::Auth,
        &[
            "not logged in",
            "missing environment variable",
            "incorrect api key",
            "invalid api key",
            "failed to authenticate",
            "authentication",
            "unauthenticated",
            "unauthorized",
        ],
    ),
    (
        Trouble::Network,
        &[
            "connection",
            "econnre",
            "stream disconnected",
            "network error",
            "timed out",
            "timeout",
            "terminated",
            "without a finish reason",
            "other side closed",
        ],
    ),
];

/// How much of [`SAID`] says more than the number of a status does.
const ABOVE_STATUS: usize = 5;

/// The class of a failure that is told in `words`; `None` when nobody knows them.
pub fn trouble(words: &str) -> Option<Trouble> {
    let words = plain(words);
    let said = |table: &[(Trouble, &[&str])]| {
        let found = table.iter().find(|(_, all)| all.iter().any(|one| words.contains(one)));
        found.map(|(trouble, _)| *trouble)
    };
    let (above, below) = SAID.split_at(ABOVE_STATUS);
    // One house says this for every failure of its server.
    let busy = || words.contains("experiencing high demand").then_some(Trouble::Server);
    said(above)
        .or_else(|| status(&words).map(|status| Trouble::of_status(status, &words)))
        .or_else(|| said(below))
        .or_else(busy)
}

/// The status of the answer that `words` tell of.
fn status(words: &str) -> Option<u16> {
    BEFORE_STATUS.iter().find_map(|before| {
        words.match_indices(before).find_map(|(at, _)| {
            let behind = words.get(at + before.len()..)?.trim_start();
            let digits = behind.get(..3)?;
            let ends =
                !behind.get(3..4).is_some_and(|next| next.bytes().all(|b| b.is_ascii_digit()));
            let status = digits.parse().ok().filter(|status| (400..600).contains(status))?;
            ends.then_some(status)
        })
    })
}

/// `words` in small letters and with single blanks: programs break their lines where they like.
pub(in crate::agent) fn plain(words: &str) -> String {
    let end = words.floor_char_boundary(LOOK_BYTES_MAX);
    let mut plain = String::with_capacity(end);
    for word in words.get(..end).unwrap_or(words).split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(&word.to_ascii_lowercase());
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_known_by_their_words() {
        for (words, class) in [
            ("unexpected status 402 Payment Required: run budget exhausted", Some(Trouble::Budget)),
            ("unexpected status 402 Payment Required", Some(Trouble::Quota)),
            ("[API Error: {\"error\":{\"code\":401,\"message\":\"no\"}}]", Some(Trouble::Auth)),
            (
                "litellm: prompt is too long: 210000 tokens >\n200000",
                Some(Trouble::ContextOverflow),
            ),
            ("429 You exceeded your current\nquota, check", Some(Trouble::Quota)),
            ("request a quota increase: Rate limit reached", Some(Trouble::RateLimit)),
            ("Last error: 529 Overloaded", Some(Trouble::Overloaded)),
            ("stream disconnected before completion: Overloaded", Some(Trouble::Overloaded)),
            ("stream disconnected before completion: idle timeout", Some(Trouble::Network)),
            ("Reached maximum number of turns (3)", Some(Trouble::Limit)),
            ("status 2000 and status 40000", None),
            ("the tests still fail", None),
            ("", None),
        ] {
            assert_eq!(trouble(words), class, "{words}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_text_is_looked_at() {
        let far = format!("{}rate limit", "é".repeat(LOOK_BYTES_MAX));
        assert_eq!(trouble(&far), None);
    }
}
