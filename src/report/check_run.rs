//! The check run `slipway` on a head, as plain data that a boundary can turn into GitHub's.

use super::evidence::{beside, counters, delicate, table};
use super::headline::{Tone, ahead, commands, may_approve, may_stop, sentence, since};
use super::words::{said, visible};
use super::{Context, commit_link};
use crate::command::{self, Button, SlashCommand};
use crate::model::CommitSha;
use crate::model::text::{CHECK_CHARS_MAX, TITLE_CHARS_MAX, cut};
use crate::pipeline::{Outcome, ParkReason, Phase, Progress, State};

/// What the check run on one head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Plain text, one line.
    pub title: String,
    /// Markdown, at most [`CHECK_CHARS_MAX`] characters.
    pub summary: String,
    /// `None` while it is in progress.
    pub conclusion: Option<Conclusion>,
    /// At most three.
    pub buttons: Vec<Button>,
}

/// How a check run ended, in GitHub's words as far as we use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    Success,
    Neutral,
    Failure,
    Cancelled,
    ActionRequired,
}

/// The check run on `head`, one of the run's commits.
pub fn check_run(context: &Context<'_>, head: &CommitSha) -> CheckReport {
    if superseded(context, head) {
        return CheckReport {
            title: "A newer commit took its place".to_owned(),
            summary: newer(context),
            conclusion: Some(Conclusion::Neutral),
            buttons: Vec::new(),
        };
    }
    CheckReport {
        title: cut(&visible(&sentence(context.state)).replace('`', ""), TITLE_CHARS_MAX),
        summary: summary(context),
        conclusion: conclusion(context),
        buttons: buttons(context),
    }
}

/// Neither what is on GitHub nor what is about to go there.
fn superseded(context: &Context<'_>, head: &CommitSha) -> bool {
    let work = &context.state.work;
    let known = work.published.is_some() || work.head.is_some();
    known && work.published.as_ref() != Some(head) && work.head.as_ref() != Some(head)
}

fn newer(context: &Context<'_>) -> String {
    context.state.work.published.as_ref().map_or_else(String::new, |published| {
        format!("The run goes on with {}.", commit_link(context, published))
    })
}

fn summary(context: &Context<'_>) -> String {
    let state = context.state;
    let when = if state.finished().is_some() { "At" } else { "Since" };
    let mut blocks = vec![
        format!("**{}.**", said(&sentence(state))),
        format!("{when} {}. {}", since(state).readable(), said(&ahead(context)))
            .trim_end()
            .to_owned(),
        commands(context),
    ];
    blocks.extend(super::budget::warning(context));
    blocks.extend(table(context));
    blocks.extend(beside(context));
    blocks.extend(delicate(context));
    blocks.push(counters(context));
    blocks.push(super::trust::read(context));
    blocks.extend(super::trust::held(context));
    blocks.retain(|block| !block.is_empty());
    let page = context.run_page().map(|page| format!("\n\n[The whole run]({page})"));
    ended(&blocks.join("\n\n"), &page.unwrap_or_default(), &context.whole())
}

/// `text` and its last line; one that is too long is cut, and its last line says where the
/// whole is.
fn ended(text: &str, last: &str, whole: &str) -> String {
    let chars = |text: &str| text.chars().count();
    if chars(text) + chars(last) <= CHECK_CHARS_MAX {
        return format!("{text}{last}");
    }
    let last = format!("\n\nCut here; {whole}.");
    cut(text, CHECK_CHARS_MAX.saturating_sub(chars(&last))) + &last
}

fn conclusion(context: &Context<'_>) -> Option<Conclusion> {
    match Tone::of(context.state) {
        // A rule requires our check before GitHub merges: the permit is our yes.
        Tone::Working | Tone::Waiting if vouched(context.state) => Some(Conclusion::Success),
        Tone::Working | Tone::Waiting => None,
        Tone::Parked => Some(Conclusion::ActionRequired),
        Tone::Merged => Some(Conclusion::Success),
        Tone::Failed => Some(Conclusion::Failure),
        Tone::Ended => match context.state.finished() {
            Some(Outcome::Stopped { .. }) => Some(Conclusion::Cancelled),
            Some(Outcome::HandedOver { .. } | Outcome::Merged { .. } | Outcome::Failed { .. })
            | None => Some(Conclusion::Neutral),
        },
    }
}

fn vouched(state: &State) -> bool {
    let required = state.seen.as_deref().is_some_and(|seen| seen.rules.ours);
    let standing = state.work.standing.as_ref().is_some_and(|one| one.leaving.is_none());
    required && (standing || state.work.unsettled.is_some())
}

fn buttons(context: &Context<'_>) -> Vec<Button> {
    let wanted: Vec<SlashCommand> = match &context.state.progress {
        Progress::Finished { outcome, .. } => match outcome {
            Outcome::Failed { .. } | Outcome::Stopped { .. } => vec![SlashCommand::Retry],
            Outcome::Merged { .. } | Outcome::HandedOver { .. } => Vec::new(),
        },
        Progress::Running { phase: Phase::Parked(park), .. } => {
            let mut wanted = vec![SlashCommand::Retry, SlashCommand::Stop];
            if park.why == ParkReason::NoChecks {
                wanted.insert(0, SlashCommand::Approve);
            }
            wanted
        }
        Progress::Idle | Progress::Running { .. } => {
            let approve = may_approve(context).then_some(SlashCommand::Approve);
            let stop = may_stop(context.state).then_some(SlashCommand::Stop);
            approve.into_iter().chain(stop).collect()
        }
    };
    wanted.iter().filter_map(command::button).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, merging, sha, with};
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn what_is_cut_ends_with_where_the_whole_is() {
        let whole = "[the run's page](https://slipway.example/runs/r1) tells it whole";
        assert_eq!(ended("short", "\n\nend", whole), "short\n\nend");
        let room = CHECK_CHARS_MAX - 5;
        assert_eq!(ended(&"é".repeat(room), "\n\nend", whole).chars().count(), CHECK_CHARS_MAX);
        let long = ended(&"é".repeat(room + 1), "\n\nend", whole);
        assert_eq!(long.chars().count(), CHECK_CHARS_MAX);
        assert!(long.ends_with(&format!("é…\n\nCut here; {whole}.")));
    }

    fn check(state: &State, head: char) -> String {
        let report = with(state, &Policy::default(), |context| check_run(context, &sha(head)));
        let buttons: Vec<&str> = report.buttons.iter().map(Button::identifier).collect();
        format!("{}\n{:?}\n{buttons:?}", report.title, report.conclusion)
    }

    #[test]
    fn the_check_run_concludes_as_the_run_does() {
        let state = |outcome| sample::finished(outcome);
        let why = || "so it is".to_owned();
        let unchecked = sample::parked(ParkReason::NoChecks, "nothing speaks");
        let raced = sample::parked(ParkReason::BaseRace, "the base moves");
        insta::assert_snapshot!(check(&sample::verifying(), 'a'), @r#"
        Slipway is running the repository's own commands on aaaaaaaaaa
        None
        ["stop"]
        "#);
        insta::assert_snapshot!(check(&sample::waiting_for_ci(), 'a'), @r#"
        Slipway is waiting for CI (test)
        None
        ["approve", "stop"]
        "#);
        insta::assert_snapshot!(check(&sample::awaiting_review(), 'a'), @r#"
        Slipway is waiting for an approving review of this commit
        None
        ["approve", "stop"]
        "#);
        insta::assert_snapshot!(check(&merging(), 'a'), @"
        Slipway is merging aaaaaaaaaa into main
        None
        []
        ");
        insta::assert_snapshot!(check(&sample::waiting_for_ci(), 'b'), @"
        A newer commit took its place
        Some(Neutral)
        []
        ");
        insta::assert_snapshot!(check(&unchecked, 'a'), @r#"
        Slipway needs a person: nothing speaks
        Some(ActionRequired)
        ["approve", "retry", "stop"]
        "#);
        insta::assert_snapshot!(check(&raced, 'a'), @r#"
        Slipway needs a person: the base moves
        Some(ActionRequired)
        ["retry", "stop"]
        "#);
        insta::assert_snapshot!(check(&sample::merged(), 'a'), @"
        Merged: eeeeeeeeee is in main
        Some(Success)
        []
        ");
        insta::assert_snapshot!(check(&state(Outcome::Stopped { why: why() }), 'a'), @r#"
        Stopped: so it is
        Some(Cancelled)
        ["retry"]
        "#);
        insta::assert_snapshot!(check(&state(Outcome::HandedOver { why: why() }), 'a'), @"
        Handed over: so it is
        Some(Neutral)
        []
        ");
        insta::assert_snapshot!(check(&state(Outcome::Failed { why: why() }), 'a'), @r#"
        Failed: so it is
        Some(Failure)
        ["retry"]
        "#);
    }
}
