//! The review gate: the people the policy names agree to exactly this head.

use std::collections::BTreeSet;

use super::seen::ReviewVerdict;
use super::{Facts, Verdict, voice};
use crate::model::UserId;
use crate::policy::MergeMode;

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    if let Some(by) = requesting_changes(facts) {
        return Verdict::Fail(format!("{by} asks for changes"));
    }
    let verdict = by_policy(facts);
    let Some(judged) = facts.judged.filter(|judged| &judged.head == facts.head) else {
        return Verdict::Pending("a look at what this commit touches".to_owned());
    };
    match (missing(facts), judged.delicate.first()) {
        (0, _) | (_, None) => verdict,
        (missing, Some(first)) if verdict.passed() => {
            let more = judged.delicate.len() - 1;
            let others = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            let people = if missing == 1 { "one more person" } else { "two people" };
            Verdict::Pending(format!("{people} to approve this commit: {}{others}", first.why))
        }
        (_, Some(_)) => verdict,
    }
}

/// How many people must still approve the head, beyond what the policy asks for, because of
/// what it touches.
pub(super) fn missing(facts: &Facts<'_>) -> usize {
    let judged = facts.judged.filter(|judged| &judged.head == facts.head);
    if judged.is_none_or(|judged| judged.delicate.is_empty()) {
        return 0;
    }
    let asked = match facts.policy.merge {
        MergeMode::Auto | MergeMode::Never => 0,
        MergeMode::OnApproval if !facts.policy.stages.review => 0,
        MergeMode::OnApproval | MergeMode::OnCommand => 1,
    };
    (asked + 1_usize).saturating_sub(people(facts).len())
}

/// Everybody whose word counts and who agreed to exactly this head, each once, in whatever way.
fn people(facts: &Facts<'_>) -> BTreeSet<UserId> {
    let reviewed = voice::approving(facts).map(|review| review.by.id);
    let said = facts.approvals.iter().filter(|(_, head)| *head == facts.head).map(|(by, _)| *by);
    let said = said.filter(|by| voice::counts(facts, *by));
    let words = [facts.approved, facts.ordered].into_iter().flatten();
    let words = words.filter(|(by, head)| *head == facts.head && voice::counts(facts, by.id));
    reviewed.chain(said).chain(words.map(|(by, _)| by.id)).collect()
}

/// What the policy and the branch's rules ask for.
fn by_policy(facts: &Facts<'_>) -> Verdict {
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
            Some(by) if voice::counts(facts, by.id) || !approvals.is_empty() => {
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
    use crate::gate::push::{Judged, Rule, Violation};
    use crate::gate::seen::Review;
    use crate::model::{CommitSha, User};
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

    fn delicate(head: &CommitSha) -> Judged {
        let why = "`Cargo.toml` says which dependencies are taken, and from where".to_owned();
        let path = "Cargo.toml".to_owned();
        let found = Violation { rule: Rule::Delicate, path, line: None, why };
        Judged { head: head.clone(), delicate: vec![found] }
    }

    /// Attack 30 and the half of attack 41 that is about one approval too few: with the list of
    /// what is delicate taken away, each of these would be merged.
    #[test]
    fn attack_30_what_is_delicate_is_not_merged_with_one_approval_too_few() {
        let grace = User { id: UserId(2), login: "grace".to_owned(), bot: false };
        let (ada, head, other) = (ada(), head(), other());
        let review = |by: &User, commit: &CommitSha, counts: bool| {
            let by = by.clone();
            Review { by, ..given(Approved, commit.clone(), counts) }
        };
        let (one, two) = (review(&ada, &head, true), review(&grace, &head, true));
        let (stale, stranger) = (review(&grace, &other, true), review(&grace, &head, false));
        let none: &[Review] = &[];
        for (merge, reviews, said, expected) in [
            (Auto, none, vec![], "pending"),
            (Auto, std::slice::from_ref(&one), vec![], "pass"),
            (Auto, none, vec![&ada], "pass"),
            (OnApproval, std::slice::from_ref(&one), vec![], "pending"),
            (OnApproval, std::slice::from_ref(&one), vec![&ada], "pending"),
            (OnApproval, std::slice::from_ref(&one), vec![&grace], "pass"),
            (OnApproval, &[one.clone(), stale], vec![], "pending"),
            (OnApproval, &[one.clone(), stranger], vec![], "pending"),
            (OnApproval, &[one.clone(), two], vec![], "pass"),
            (OnApproval, none, vec![&ada, &grace], "pass"),
        ] {
            let mut seen = seen();
            seen.reviews = reviews.to_vec();
            let policy = Policy { merge, ..Policy::default() };
            let approvals = said.iter().map(|by| (by.id, head.clone())).collect();
            let touched = delicate(&head);
            let facts = Facts {
                approvals: &approvals,
                approved: said.last().map(|by| (*by, &head)),
                judged: Some(&touched),
                ..facts(&seen, &policy)
            };
            assert_eq!(word(&judge(&facts)), expected, "{merge:?} {reviews:?} {said:?}");
            let untouched = Judged { delicate: Vec::new(), ..touched.clone() };
            let without = Facts { judged: Some(&untouched), ..facts };
            let fewer = word(&judge(&without));
            assert!(fewer == "pass" || merge == OnApproval && reviews.is_empty(), "{fewer}");
        }
    }

    #[test]
    fn an_order_needs_a_second_person_and_nothing_is_merged_unjudged() {
        let (seen, ada, head) = (seen(), ada(), head());
        let touched = delicate(&head);
        let policy = Policy { merge: OnCommand, ..Policy::default() };
        let ordered = Some((&ada, &head));
        let facts = Facts { ordered, judged: Some(&touched), ..facts(&seen, &policy) };
        assert_eq!(word(&judge(&facts)), "pending");
        let approvals = [(UserId(2), head.clone())].into();
        assert_eq!(word(&judge(&Facts { approvals: &approvals, ..facts })), "pass");
        let elsewhere = delicate(&other());
        for judged in [None, Some(&elsewhere)] {
            let verdict = judge(&Facts { judged, approvals: &approvals, ..facts });
            assert_eq!(verdict.text(), "a look at what this commit touches");
        }
    }
}
