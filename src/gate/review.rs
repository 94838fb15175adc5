//! The review gate: the people the policy names agree to exactly this head.

use super::seen::ReviewVerdict;
use super::{Facts, Verdict, voice};
use crate::policy::MergeMode;

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    if let Some(by) = requesting_changes(facts) {
        return Verdict::Fail(format!("{by} asks for changes"));
    }
    let approvals = voice::approvals(facts);
    if (approvals.len() as u64) < u64::from(facts.seen.rules.approvals) {
        let needed = facts.seen.rules.approvals;
        return Verdict::Pending(format!(
            "approving reviews of this commit (the branch's rules demand {needed})"
        ));
    }
    match facts.policy.merge {
        MergeMode::Auto => match voice::unguarded(facts) {
            None => Verdict::Pass("the policy merges without a person".to_owned()),
            why @ Some(_) => voice::agreement(facts, why),
        },
        MergeMode::OnApproval if !facts.policy.stages.review && facts.tainted.is_none() => {
            Verdict::Pass("left out by the policy".to_owned())
        }
        MergeMode::OnApproval => voice::agreement(facts, None),
        MergeMode::OnCommand => match voice::of_head(facts, facts.ordered) {
            // Whose own request it is, orders what somebody else has approved.
            Some(by) if voice::counts(facts, by) || !approvals.is_empty() => {
                Verdict::Pass(format!("{by} said `/merge`"))
            }
            Some(by) => Verdict::Pending(format!(
                "an approval of this commit by somebody other than {by}, who asked for it"
            )),
            None => Verdict::Pending("`/merge` by somebody who may write".to_owned()),
        },
        MergeMode::Never => Verdict::Pending("a person to merge it".to_owned()),
    }
}

/// Who counts and asks for changes; their newest review stands until they give another.
fn requesting_changes<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    facts
        .seen
        .reviews
        .iter()
        .find(|review| review.counts && review.verdict == ReviewVerdict::ChangesRequested)
        .map(|review| review.by.login.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{facts, head, seen};
    use super::*;
    use crate::gate::seen::Review;
    use crate::model::{CommitSha, User, UserId};
    use crate::policy::Policy;
    use MergeMode::{Auto, Never, OnApproval, OnCommand};
    use ReviewVerdict::{Approved, ChangesRequested};

    fn ada() -> User {
        User { id: UserId(1), login: "ada".to_owned(), bot: false }
    }

    fn other() -> CommitSha {
        CommitSha::parse(&"e".repeat(40)).unwrap()
    }

    fn given(verdict: ReviewVerdict, commit: CommitSha, counts: bool) -> Review {
        Review { id: 1, by: ada(), commit, verdict, counts, text: String::new() }
    }

    fn check(merge: MergeMode, reviews: &[Review], needed: u32, expected: &str) {
        let mut seen = seen();
        seen.reviews = reviews.to_vec();
        seen.rules.approvals = needed;
        let policy = Policy { merge, ..Policy::default() };
        let verdict = judge(&facts(&seen, &policy));
        assert_eq!(word(&verdict), expected, "{merge:?} {reviews:?}, {needed} needed");
    }

    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Pass(_) => "pass",
            Verdict::Pending(_) => "pending",
            Verdict::Fail(_) => "fail",
        }
    }

    #[test]
    fn reviews_by_mode() {
        let approved = given(Approved, head(), true);
        let against = given(ChangesRequested, other(), true);
        check(Auto, &[], 0, "pass");
        check(Auto, &[], 1, "pending");
        check(Auto, std::slice::from_ref(&approved), 1, "pass");
        check(Auto, std::slice::from_ref(&approved), 2, "pending");
        check(Auto, std::slice::from_ref(&against), 0, "fail");
        check(Auto, &[given(ChangesRequested, head(), false)], 0, "pass");
        check(OnApproval, &[], 0, "pending");
        check(OnApproval, std::slice::from_ref(&approved), 0, "pass");
        check(OnApproval, &[given(Approved, other(), true)], 0, "pending");
        check(OnApproval, &[given(Approved, head(), false)], 0, "pending");
        check(OnApproval, &[approved.clone(), against], 0, "fail");
        check(OnCommand, std::slice::from_ref(&approved), 0, "pending");
        check(Never, &[approved], 0, "pending");
    }

    #[test]
    fn a_word_counts_for_exactly_its_commit() {
        let (seen, ada, head, other) = (seen(), ada(), head(), other());
        for (merge, approved, ordered, expected) in [
            (OnApproval, Some(&head), None, "pass"),
            (OnApproval, Some(&other), None, "pending"),
            (OnApproval, None, Some(&head), "pass"),
            (OnCommand, Some(&head), None, "pending"),
            (OnCommand, None, Some(&head), "pass"),
            (OnCommand, None, Some(&other), "pending"),
            (Never, Some(&head), Some(&head), "pending"),
        ] {
            let policy = Policy { merge, ..Policy::default() };
            let facts = Facts {
                approved: approved.map(|commit| (&ada, commit)),
                ordered: ordered.map(|commit| (&ada, commit)),
                ..facts(&seen, &policy)
            };
            assert_eq!(word(&judge(&facts)), expected, "{merge:?} {approved:?} {ordered:?}");
        }
    }

    #[test]
    fn leaving_reviews_out_never_overrides_who_decides() {
        let seen = seen();
        for (merge, expected) in
            [(Auto, "pass"), (OnApproval, "pass"), (OnCommand, "pending"), (Never, "pending")]
        {
            let mut policy = Policy { merge, ..Policy::default() };
            policy.stages.review = false;
            assert_eq!(word(&judge(&facts(&seen, &policy))), expected, "{merge:?}");
        }
    }
}
