//! How much a delivery matters, judged by its name alone, before its payload is fetched.

use super::EVENTS;

/// What is lost when a delivery is not read. The name is a hint; the payload decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interest {
    /// A button of our check run: nothing but the delivery tells that it was pressed.
    Press,
    /// It may start or end a run.
    Wish,
    /// It makes live runs look; without one there is nothing to do.
    Hint,
    Nothing,
}

/// The interest in the deliveries of an event and an action.
pub fn interest(event: &str, action: Option<&str>) -> Interest {
    match (event, action.unwrap_or_default()) {
        ("check_run", "requested_action" | "rerequested") => Interest::Press,
        ("issue_comment", "created")
        | ("issues", "labeled" | "unlabeled" | "closed" | "deleted" | "transferred") => {
            Interest::Wish
        }
        ("issue_comment" | "issues" | "installation" | "installation_repositories", _)
        | ("check_suite", "requested")
        | (
            "pull_request",
            "assigned"
            | "unassigned"
            | "labeled"
            | "unlabeled"
            | "locked"
            | "unlocked"
            | "review_requested"
            | "review_request_removed"
            | "milestoned"
            | "demilestoned",
        ) => Interest::Nothing,
        (known, _) if EVENTS.contains(&known) => Interest::Hint,
        (_, _) => Interest::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_move_something_is_fetched() {
        for (event, action, expected) in [
            ("check_run", "requested_action", Interest::Press),
            ("check_run", "rerequested", Interest::Press),
            ("check_run", "completed", Interest::Hint),
            ("check_suite", "completed", Interest::Hint),
            ("check_suite", "requested", Interest::Nothing),
            ("issue_comment", "created", Interest::Wish),
            ("issue_comment", "edited", Interest::Nothing),
            ("issues", "labeled", Interest::Wish),
            ("issues", "closed", Interest::Wish),
            ("issues", "opened", Interest::Nothing),
            ("pull_request", "synchronize", Interest::Hint),
            ("pull_request", "assigned", Interest::Nothing),
            ("pull_request_review", "submitted", Interest::Hint),
            ("installation", "created", Interest::Nothing),
            ("star", "created", Interest::Nothing),
        ] {
            assert_eq!(interest(event, Some(action)), expected, "{event}.{action}");
        }
        for event in ["push", "status"] {
            assert_eq!(interest(event, None), Interest::Hint);
        }
    }

    #[test]
    fn a_word_of_tomorrow_of_an_event_we_read_is_looked_at() {
        assert_eq!(interest("pull_request", Some("tomorrow")), Interest::Hint);
    }
}
