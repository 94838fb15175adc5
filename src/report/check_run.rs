//! The check run `slipway` on a head, as plain data that a boundary can turn into GitHub's.

use super::comment::when;
use super::evidence::{beside, counters, delicate, table};
use super::headline::{Tone, commands, may_approve, may_stop, sentence};
use super::{Context, commit_link};
use crate::command::{self, Button, SlashCommand};
use crate::markdown;
use crate::model::CommitSha;
use crate::model::sanitized::{Markdown, Plain, link, plain, prose, said};
use crate::model::text::{CHECK_CHARS_MAX, TITLE_CHARS_MAX};
use crate::pipeline::{Outcome, ParkReason, Phase, Progress, State};

/// What the check run on one head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// One line.
    pub title: Plain,
    /// At most [`CHECK_CHARS_MAX`] characters.
    pub summary: Markdown,
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
            title: "A newer commit took its place".into(),
            summary: newer(context),
            conclusion: Some(Conclusion::Neutral),
            buttons: Vec::new(),
        };
    }
    CheckReport {
        title: plain(&sentence(context.state).replace('`', "")).at_most(TITLE_CHARS_MAX),
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

fn newer(context: &Context<'_>) -> Markdown {
    context.state.work.published.as_ref().map_or_else(Markdown::default, |published| {
        markdown!("The run goes on with {}.", commit_link(context, published))
    })
}

fn summary(context: &Context<'_>) -> Markdown {
    let mut blocks = vec![
        markdown!("**{}.**", said(&sentence(context.state))),
        when(context),
        super::live::working(context),
        prose(&commands(context)),
    ];
    blocks.push(super::budget::warning(context));
    blocks.extend(table(context));
    blocks.extend(beside(context));
    blocks.extend(delicate(context));
    blocks.extend(super::critique::shown(context));
    blocks.push(counters(context));
    blocks.push(super::trust::read(context));
    blocks.extend(super::trust::held(context));
    blocks.retain(|block| !block.is_empty());
    let page = context.links.run_page.as_ref();
    let page = page.map(|page| link(&"The whole run".into(), page));
    ended(blocks, page, &context.whole())
}

/// `blocks` and a last one; where they are too many, the last ones are left out, and the very
/// last says where the whole is.
fn ended(mut blocks: Vec<Markdown>, last: Option<Markdown>, whole: &Markdown) -> Markdown {
    let chars = |blocks: &[Markdown]| blocks.iter().map(|block| block.chars() + 2).sum::<usize>();
    blocks.extend(last);
    if chars(&blocks) > CHECK_CHARS_MAX {
        let last = markdown!("Cut here; {}.", whole.clone());
        while !blocks.is_empty() && chars(&blocks) + last.chars() + 2 > CHECK_CHARS_MAX {
            blocks.pop();
        }
        blocks.push(last);
    }
    Markdown::joined(&blocks, "\n\n")
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
        let whole = Markdown::from(whole);
        let end = |blocks| ended(blocks, Some("end".into()), &whole);
        assert_eq!(end(vec!["short".into()]).as_str(), "short\n\nend");
        let long = prose(&"é".repeat(CHECK_CHARS_MAX - 30));
        assert!(end(vec![long.clone()]).as_str().ends_with("é\n\nend"));
        let cut = end(vec!["short".into(), long, "more than fits, by some characters".into()]);
        assert_eq!(cut.as_str(), format!("short\n\nCut here; {whole}."));
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
