//! The pull request's title and body, and the messages of commits and merges.

use super::{Context, Surface, base_name};
use crate::gate::seen::ReviewVerdict;
use crate::model::sanitized::{Markdown, Plain, fenced, link, plain, quoted, said, title};
use crate::pipeline::Role;
use crate::pipeline::state::{Complaint, State};
use crate::policy::MergeMethod;
use crate::{markdown, plain};

/// Longest summary of an agent shown, in characters.
const SUMMARY_CHARS_MAX: usize = 4_000;
/// Longest plan shown, in characters.
const PLAN_CHARS_MAX: usize = 16_000;

/// The title of the pull request: the issue's, made harmless, for a squash takes it over.
pub fn pull_title(context: &Context<'_>) -> Plain {
    subject(context.state)
}

fn subject(state: &State) -> Plain {
    title(&state.request.title, &plain!("Work on issue {}", state.request.issue))
}

/// The body of the pull request, written once: what changes later is in the sticky comment.
pub fn pull_body(context: &Context<'_>) -> Markdown {
    let state = context.state;
    let request = &state.request;
    let mut blocks = super::comment::Blocks::open(super::marker(&request.run, Surface::PullBody));
    blocks.push(&markdown!("Closes #{}", request.issue));
    if let Some(summary) = &state.work.summary {
        let summary = quoted(summary, SUMMARY_CHARS_MAX, &context.links.repo_url);
        blocks.push(&markdown!("The agent's summary:\n\n{}", summary));
    }
    blocks.push(&super::critique::shown(context).unwrap_or_default());
    if let Some(plan) = &state.work.plan {
        let (plan, rest) = context.shortened(plan.trim(), PLAN_CHARS_MAX);
        let plan = markdown!("{}{}", fenced(&plan), rest);
        blocks.push(&super::comment::folded(&"The plan".into(), false, &plan));
    }
    let claim = "What the agent says is a claim. What was tried on which commit, and what is still \
                 missing, is in Slipway's comment below and in the check `slipway`; only the \
                 commit they name is merged.";
    blocks.push(&claim.into());
    let there = request.comment.map_or_else(
        || markdown!("#{}", request.issue),
        |comment| {
            let (home, issue) = (&context.links.repo_url, request.issue);
            link(&"this comment".into(), &format!("{home}/issues/{issue}#issuecomment-{comment}"))
        },
    );
    blocks.push(&markdown!("Asked for by {} in {}.", said(&request.by.login), there));
    blocks.close(context)
}

/// The message of a commit that an agent made as `role`.
pub fn commit_message(context: &Context<'_>, role: Role) -> Plain {
    let state = context.state;
    let subject = match role {
        Role::Planner | Role::Builder | Role::Critic => subject(state),
        Role::Fixer => repair(state),
        Role::Resolver => title(
            &format!("Resolve conflicts with {}", base_name(state)),
            &"Resolve conflicts".into(),
        ),
    };
    plain!("{}\n\n{}", subject, trailers(state))
}

/// The message of a commit that GitHub makes in the place of ours: whatever ours says below its
/// first line is said anew.
pub fn signed_message(context: &Context<'_>, ours: &str) -> Plain {
    let state = context.state;
    let mut out = plain!("{}\n\n{}", title(ours, &subject(state)), trailers(state));
    if let Some(who) = super::co_author(context) {
        out.push(&plain!("Co-authored-by: {}\n", who));
    }
    out
}

fn repair(state: &State) -> Plain {
    let what = match &state.work.complaint {
        Some(Complaint::Verification { .. }) => {
            "Repair what the repository's own commands found".to_owned()
        }
        Some(Complaint::Checks { failed }) => {
            let names: Vec<&str> = failed.iter().take(5).map(|check| check.name.as_str()).collect();
            format!("Repair what CI found: {}", names.join(", "))
        }
        Some(Complaint::Review { by, .. }) => format!("Change what {by} asked for"),
        Some(Complaint::Critique { .. }) => "Repair what the critic found".to_owned(),
        None => "Repair the change".to_owned(),
    };
    title(&what, &"Repair the change".into())
}

fn trailers(state: &State) -> Plain {
    let request = &state.request;
    let by = plain(&request.by.login);
    plain!("Refs: #{}\nRequested-by: {}\nSlipway-run: {}\n", request.issue, by, request.run)
}

/// The title of the merge commit, with the pull request's number as GitHub writes it.
pub fn merge_title(context: &Context<'_>) -> Plain {
    let number = context.state.work.pull.map(|pull| plain!(" (#{})", pull)).unwrap_or_default();
    let room = crate::model::text::TITLE_CHARS_MAX.saturating_sub(number.chars());
    plain!("{}{}", subject(context.state).at_most(room), number)
}

/// Most approving reviewers named in a message.
const APPROVERS_MAX: usize = 10;

/// Who may decide and approved exactly the head in a review.
fn approvers(state: &State) -> impl Iterator<Item = &str> {
    let reviews = state.seen.iter().flat_map(|seen| &seen.reviews);
    reviews
        .filter(|review| review.counts && review.verdict == ReviewVerdict::Approved)
        .filter(|review| state.work.head.as_ref() == Some(&review.commit))
        .map(|review| review.by.login.as_str())
        .take(APPROVERS_MAX)
}

/// The message of the merge commit: which commit was verified, and who asked and agreed.
pub fn merge_message(context: &Context<'_>) -> Plain {
    let work = &context.state.work;
    let mut out = trailers(context.state);
    let mut add = |name: &'static str, value: Plain| {
        out.push(&plain!("{}: {}\n", name, value));
    };
    if let Some(verified) = work.verified.as_ref().filter(|sha| work.head.as_ref() == Some(sha)) {
        add("Verified-commit", plain!("{}", verified.clone()));
    }
    for by in approvers(context.state) {
        add("Approved-by", plain(by));
    }
    for (name, word) in [("Approved-by", &work.approved), ("Merge-ordered-by", &work.merge_ordered)]
    {
        if let Some(word) = word.as_ref().filter(|word| work.head.as_ref() == Some(&word.head)) {
            add(name, plain(&word.by.login));
        }
    }
    // A squash makes one commit of the branch's, whose own trailers name nobody any more.
    if let Some(who) = super::co_author(context).filter(|_| work.method == MergeMethod::Squash) {
        out.push(&plain!("Co-authored-by: {}\n", who));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, sha, shown, with};
    use super::*;
    use crate::pipeline::state::Approval;
    use crate::policy::Policy;

    #[test]
    fn the_pull_request_is_introduced() {
        let state = sample::waiting_for_ci();
        let title = with(&state, &Policy::default(), pull_title);
        insta::assert_snapshot!(title, @"The adder subtracts (skip ci)");
        insta::assert_snapshot!(shown(with(&state, &Policy::default(), pull_body).as_str()), @"
        <!-- slipway:r4c18d1e9e0:pull-body -->

        Closes #12

        The agent's summary:

        > Turned the minus into a plus.
        > Fixes #(zero width)99, thanks @(zero width)bob

        <details><summary>The plan</summary>

        ```text
        Turn the minus into a plus.
        ```

        </details>

        What the agent says is a claim. What was tried on which commit, and what is still
        missing, is in Slipway's comment below and in the check `slipway`; only the commit
        they name is merged.

        Asked for by ann in [this comment](HELLO/issues/12#issuecomment-5).

        <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
        commands.</sub>
        ");
    }

    #[test]
    fn a_review_on_github_counts_as_a_word() {
        let message = with(&sample::approved(), &Policy::default(), merge_message).to_string();
        assert!(message.contains("\nApproved-by: bob\n"), "{message}");
    }

    #[test]
    fn messages_say_whose_word_they_stand_on() {
        let mut state = sample::fixing();
        state.work.approved = Some(Approval { by: sample::user("bob"), head: sha('a') });
        let message =
            |role| with(&state, &Policy::default(), |context| commit_message(context, role));
        insta::assert_snapshot!(message(Role::Builder), @"
        The adder subtracts (skip ci)

        Refs: #12
        Requested-by: ann
        Slipway-run: r4c18d1e9e0
        ");
        let subject = |role| message(role).as_str().lines().next().unwrap().to_owned();
        insta::assert_snapshot!(subject(Role::Fixer), @"Repair what CI found: test all|x");
        insta::assert_snapshot!(subject(Role::Resolver), @"Resolve conflicts with main");
        let title = with(&state, &Policy::default(), merge_title);
        insta::assert_snapshot!(title, @"The adder subtracts (skip ci) (#13)");
        insta::assert_snapshot!(with(&state, &Policy::default(), merge_message), @"
        Refs: #12
        Requested-by: ann
        Slipway-run: r4c18d1e9e0
        Verified-commit: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        Approved-by: bob
        Co-authored-by: ann <7+ann@users.noreply.github.com>
        ");
        state.work.method = MergeMethod::Merge;
        let merge = with(&state, &Policy::default(), merge_message).to_string();
        assert!(!merge.contains("Co-authored-by"), "the branch's own commits say it: {merge}");
    }
}
