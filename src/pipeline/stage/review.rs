//! Review: wait for the people the policy names, and have their requests addressed.

use super::{Done, Run, Stage, StageKind, Step, repair};
use crate::gate::seen::{Review as Given, ReviewVerdict};
use crate::gate::{GateKind, Verdict};
use crate::pipeline::state::{Complaint, Outcome};
use crate::policy::MergeMode;

#[derive(Debug)]
pub(super) struct Review;

impl Stage for Review {
    fn doing(&self) -> &'static str {
        "is waiting for people"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        if let Some(step) = super::ground(run) {
            return step;
        }
        let Some(facts) = run.state.facts(run.policy, run.at) else {
            return super::wait_to_see(run);
        };
        let verdict = GateKind::Review.judge(&facts);
        if let Some(review) = unaddressed(run).cloned() {
            run.work().addressed.insert(review.id);
            let complaint = Complaint::Review { by: review.by.login, text: review.text };
            return repair::address(run, complaint);
        }
        // Everything is green, and people are next: they are asked now.
        if let Some(step) = super::undraft(run) {
            return step;
        }
        if run.policy.merge == MergeMode::Never {
            let why = "Everything is green; the policy leaves merging to you.".to_owned();
            return Step::Finish(Outcome::HandedOver { why });
        }
        match verdict {
            Verdict::Pass(_) => Step::Next,
            Verdict::Pending(what) => super::wait(what, None, super::PEOPLE_MS),
            Verdict::Fail(why) => {
                super::wait(format!("another review: {why}"), None, super::PEOPLE_MS)
            }
        }
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Undrafted => {
                super::undrafted(run);
                self.enter(run)
            }
            other => repair::done(run, StageKind::Review, other),
        }
    }
}

/// A request for changes that was not handed to the agent yet.
fn unaddressed<'a>(run: &'a Run<'_>) -> Option<&'a Given> {
    let seen = run.state.seen.as_deref()?;
    seen.reviews.iter().find(|review| {
        review.counts
            && review.verdict == ReviewVerdict::ChangesRequested
            && !run.state.work.addressed.contains(&review.id)
    })
}
