//! Whose word counts for a merge, and when a person must speak whatever the policy says.

use super::seen::{Review, ReviewVerdict};
use super::{Facts, Verdict};
use crate::model::trust::Rule;
use crate::model::{CommitSha, User, UserId};

/// Whoever asked for the run does not agree to it alone, unless the policy says so or nobody
/// else may write (security facts, §4.2 and §5.7).
pub(super) fn counts(facts: &Facts<'_>, by: UserId) -> bool {
    let own = by == facts.requester.id;
    let alone = facts.seen.sole_writer;
    let may_own = facts.policy.requester_may_approve.unwrap_or(alone);
    !own || may_own || !facts.policy.trust.holds(Rule::OtherPerson)
}

/// Reviews that count and approve exactly this head.
pub(super) fn approving<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a Review> {
    let trust = facts.policy.trust;
    facts.seen.reviews.iter().filter(move |review| {
        (review.counts || !trust.holds(Rule::Reviewer))
            && review.verdict == ReviewVerdict::Approved
            && (&review.commit == facts.head || !trust.holds(Rule::ApprovedHead))
            && counts(facts, review.by.id)
    })
}

/// Who counts and approved exactly this head.
pub(super) fn approvals<'a>(facts: &Facts<'a>) -> Vec<&'a str> {
    approving(facts).map(|review| review.by.login.as_str()).collect()
}

/// Who gave `word` for exactly this head.
pub(super) fn of_head<'a>(
    facts: &Facts<'a>,
    word: Option<(&'a User, &'a CommitSha)>,
) -> Option<&'a User> {
    let any = !facts.policy.trust.holds(Rule::ApprovedHead);
    word.filter(|(_, head)| *head == facts.head || any).map(|(by, _)| by)
}

/// Somebody's agreement to exactly this head: a review, `/approve` or `/merge`.
pub(super) fn agreement(facts: &Facts<'_>, why: Option<&str>) -> Verdict {
    let words = [of_head(facts, facts.approved), of_head(facts, facts.ordered)];
    let spoken = words.into_iter().flatten().filter(|by| counts(facts, by.id));
    let by = approvals(facts).first().copied().map(str::to_owned);
    if let Some(by) = by.or_else(|| spoken.map(|by| by.login.clone()).next()) {
        return Verdict::Pass(format!("approved by {by}"));
    }
    let why = why.map(|why| format!(", since {why}")).unwrap_or_default();
    let own = words.into_iter().flatten().next().is_some_and(|by| !counts(facts, by.id));
    Verdict::Pending(if own {
        format!(
            "an approval of this commit by somebody other than {}, who asked for it{why}",
            facts.requester.login
        )
    } else {
        format!("an approving review of this commit{why}")
    })
}

/// Why nobody may leave the decision to the policy alone.
pub(super) fn unguarded(facts: &Facts<'_>) -> Option<&'static str> {
    if let Some(why) = facts.tainted {
        return Some(why);
    }
    let rules = &facts.seen.rules;
    if !facts.policy.trust.holds(Rule::Guarded) {
        return None;
    }
    if rules.bypass {
        return Some("Slipway's App may bypass the branch's rules");
    }
    (!rules.protected).then_some("no rule protects the branch")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{facts, head, seen};
    use super::*;
    use crate::gate::GateKind;
    use crate::model::trust::Trust;
    use crate::policy::{MergeMode, Policy};

    #[test]
    fn attack_43_the_policy_alone_decides_only_untainted_and_behind_rules_we_cannot_bypass() {
        for (protected, bypass, tainted, expected) in [
            (true, false, None, true),
            (false, false, None, false),
            (true, true, None, false),
            (true, false, Some("strange words"), false),
        ] {
            let mut seen = seen();
            (seen.rules.protected, seen.rules.bypass) = (protected, bypass);
            let judged = |trust: Trust| {
                let policy = Policy { merge: MergeMode::Auto, trust, ..Policy::default() };
                let facts = Facts { tainted, ..facts(&seen, &policy) };
                GateKind::Review.judge(&facts).passed()
            };
            assert_eq!(judged(Trust::whole()), expected, "{protected} {bypass} {tainted:?}");
            let unguarded = judged(Trust::without(Rule::Guarded));
            assert_eq!(unguarded, tainted.is_none(), "the branch's rules are what refuses");
        }
    }

    #[test]
    fn a_tainted_run_needs_a_person_also_where_reviews_are_left_out() {
        let seen = seen();
        let mut policy = Policy { merge: MergeMode::OnApproval, ..Policy::default() };
        policy.stages.review = false;
        let clean = facts(&seen, &policy);
        assert!(GateKind::Review.judge(&clean).passed());
        let tainted = Facts { tainted: Some("strange words"), ..clean };
        assert!(!GateKind::Review.judge(&tainted).passed());
        let (rio, head) = (User { id: UserId(1), login: "rio".to_owned(), bot: false }, head());
        let agreed = Facts { approved: Some((&rio, &head)), ..tainted };
        assert!(GateKind::Review.judge(&agreed).passed());
    }

    #[test]
    fn an_order_by_whoever_asked_needs_another_persons_approval() {
        let asked = User { id: UserId(99), login: "asked".to_owned(), bot: false };
        let head = head();
        for (may, alone, reviewed, expected) in [
            (None, false, false, false),
            (None, true, false, true),
            (None, false, true, true),
            (Some(true), false, false, true),
            (Some(false), true, false, false),
            (Some(false), false, true, true),
        ] {
            let mut seen = seen();
            seen.sole_writer = alone;
            if reviewed {
                let by = User { id: UserId(1), login: "rio".to_owned(), bot: false };
                let (verdict, text) = (ReviewVerdict::Approved, String::new());
                seen.reviews =
                    vec![Review { id: 1, by, commit: head.clone(), verdict, counts: true, text }];
            }
            let merge = MergeMode::OnCommand;
            let policy = Policy { merge, requester_may_approve: may, ..Policy::default() };
            let facts = Facts { ordered: Some((&asked, &head)), ..facts(&seen, &policy) };
            let passed = GateKind::Review.judge(&facts).passed();
            assert_eq!(passed, expected, "{may:?} alone={alone} reviewed={reviewed}");
        }
    }
}
