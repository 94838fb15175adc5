//! Who may do what, and whose review decides.

use std::collections::BTreeMap;

use crate::gate::seen::{Review, ReviewVerdict};
use crate::model::{CommitSha, Permission, User, UserId, text};

/// Longest text kept of a review, in characters.
pub const REVIEW_CHARS_MAX: usize = 4_000;

/// The permission GitHub answered for a login, believed only for the person we mean.
///
/// `permission` is coarse (admin, write, read, none); `role` refines it but never exceeds it,
/// because a custom role may have any name.
pub fn permission(
    user: UserId,
    answered: Option<UserId>,
    permission: Option<&str>,
    role: Option<&str>,
) -> Permission {
    if answered != Some(user) {
        return Permission::None;
    }
    let coarse = permission.map(Permission::from_word).unwrap_or_default();
    let role = role.map(Permission::from_word).unwrap_or_default();
    match (coarse, role) {
        (Permission::Write, Permission::Maintain) | (Permission::Read, Permission::Triage) => role,
        (
            Permission::None
            | Permission::Read
            | Permission::Triage
            | Permission::Write
            | Permission::Maintain
            | Permission::Admin,
            _,
        ) => coarse,
    }
}

/// One review as GitHub keeps it.
#[derive(Debug, Clone)]
pub struct Given {
    pub id: u64,
    /// `None` for an account that is gone.
    pub by: Option<User>,
    /// `None` when GitHub no longer knows it.
    pub commit: Option<CommitSha>,
    /// GitHub's word.
    pub state: String,
    pub text: String,
}

/// The latest deciding review of each person but the author, oldest first. `counts` is still
/// to be set.
///
/// Comments decide nothing; a dismissal takes the decision back. A refusal whose commit is
/// forgotten stands against `head`; an approval of a forgotten commit approves nothing.
pub fn deciding(given: Vec<Given>, author: Option<UserId>, head: &CommitSha) -> Vec<Review> {
    let mut latest: BTreeMap<UserId, Review> = BTreeMap::new();
    for one in given {
        let Some(by) = one.by.filter(|by| Some(by.id) != author) else {
            continue;
        };
        let (verdict, commit) = match one.state.to_ascii_uppercase().as_str() {
            "APPROVED" => (ReviewVerdict::Approved, one.commit),
            "CHANGES_REQUESTED" => {
                (ReviewVerdict::ChangesRequested, one.commit.or_else(|| Some(head.clone())))
            }
            "DISMISSED" => {
                latest.remove(&by.id);
                continue;
            }
            _undecided => continue,
        };
        let id = by.id;
        let text = text::cut(&one.text, REVIEW_CHARS_MAX);
        let review =
            commit.map(|commit| Review { id: one.id, by, commit, verdict, counts: false, text });
        match review {
            Some(review) => latest.insert(id, review),
            None => latest.remove(&id),
        };
    }
    let mut reviews: Vec<Review> = latest.into_values().collect();
    reviews.sort_by_key(|review| review.id);
    reviews
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::testing::{facts, head, seen};
    use crate::gate::{Facts, GateKind};
    use crate::model::trust::{Rule, Trust};
    use crate::policy::{MergeMode, Policy};

    #[test]
    fn permission_fails_closed() {
        let me = UserId(5);
        for (id, word, role, expected) in [
            (Some(5), Some("admin"), Some("admin"), Permission::Admin),
            (Some(5), Some("write"), Some("maintain"), Permission::Maintain),
            (Some(5), Some("maintain"), None, Permission::Maintain),
            (Some(5), Some("write"), Some("write"), Permission::Write),
            (Some(5), Some("write"), Some("release-captain"), Permission::Write),
            (Some(5), Some("read"), Some("triage"), Permission::Triage),
            (Some(5), Some("read"), Some("read"), Permission::Read),
            (Some(5), Some("read"), Some("admin"), Permission::Read),
            (Some(5), Some("write"), Some("admin"), Permission::Write),
            (Some(5), Some("none"), Some("admin"), Permission::None),
            (Some(5), Some("superuser"), Some("admin"), Permission::None),
            (Some(5), None, Some("admin"), Permission::None),
            (Some(6), Some("admin"), Some("admin"), Permission::None),
            (None, Some("admin"), Some("admin"), Permission::None),
        ] {
            let found = permission(me, id.map(UserId), word, role);
            assert_eq!(found, expected, "{id:?} {word:?} {role:?}");
        }
    }

    fn sha(digit: char) -> CommitSha {
        CommitSha::parse(&String::from(digit).repeat(40)).unwrap()
    }

    fn given(id: u64, by: u64, commit: Option<char>, state: &str) -> Given {
        let user = User { id: UserId(by), login: format!("u{by}"), bot: false };
        let (by, commit) = ((by != 0).then_some(user), commit.map(sha));
        Given { id, by, commit, state: state.to_owned(), text: String::new() }
    }

    #[test]
    fn the_latest_deciding_review_of_each_person_stands() {
        let head = sha('f');
        let reviews = deciding(
            vec![
                given(1, 1, Some('a'), "APPROVED"),
                given(2, 2, Some('a'), "CHANGES_REQUESTED"),
                given(3, 1, Some('b'), "COMMENTED"),
                given(4, 2, Some('b'), "APPROVED"),
                given(5, 3, Some('a'), "APPROVED"),
                given(6, 3, Some('a'), "DISMISSED"),
                given(7, 4, Some('a'), "APPROVED"),
                given(8, 0, Some('a'), "APPROVED"),
                given(9, 5, None, "APPROVED"),
                given(10, 6, None, "CHANGES_REQUESTED"),
                given(11, 7, Some('a'), "PENDING"),
                given(12, 8, Some('a'), "BLESSED"),
            ],
            Some(UserId(4)),
            &head,
        );
        let found: Vec<_> = reviews.iter().map(|r| (r.id, r.by.id.0, r.verdict)).collect();
        assert_eq!(
            found,
            [
                (1, 1, ReviewVerdict::Approved),
                (4, 2, ReviewVerdict::Approved),
                (10, 6, ReviewVerdict::ChangesRequested),
            ]
        );
        assert_eq!(reviews[2].commit, head);
        assert!(reviews.iter().all(|review| !review.counts));
    }

    /// Who reviews: a person with an id, the author of the pull request being 7.
    #[derive(Clone, Copy)]
    struct Who {
        id: u64,
        bot: bool,
        writes: bool,
    }

    const RIO: Who = Who { id: 1, bot: false, writes: true };
    const OTTO: Who = Who { id: 2, bot: false, writes: false };
    const HELPER: Who = Who { id: 3, bot: true, writes: true };
    const ASKED: Who = Who { id: 99, bot: false, writes: true };
    const US: Who = Who { id: 7, bot: true, writes: true };

    fn other() -> CommitSha {
        CommitSha::parse(&"e".repeat(40)).unwrap()
    }

    /// The gate over reviews as GitHub keeps them, read as the adapter reads them.
    fn passes(given: &[(Who, &str, bool)], trust: Trust) -> bool {
        let all = given.iter().enumerate().map(|(n, (who, state, of_head))| Given {
            id: n as u64 + 1,
            by: Some(User { id: UserId(who.id), login: format!("u{}", who.id), bot: who.bot }),
            commit: Some(if *of_head { head() } else { other() }),
            state: (*state).to_owned(),
            text: String::new(),
        });
        let mut reviews: Vec<Review> = deciding(all.collect(), Some(UserId(US.id)), &head());
        for review in &mut reviews {
            let who = given.iter().map(|row| row.0).find(|who| who.id == review.by.id.0).unwrap();
            review.counts = who.writes && !who.bot;
        }
        let mut seen = seen();
        seen.reviews = reviews;
        let policy = Policy { merge: MergeMode::OnApproval, trust, ..Policy::default() };
        let facts: Facts<'_> = facts(&seen, &policy);
        GateKind::Review.judge(&facts).passed()
    }

    /// What was given, whether it passes, and the rule without which it would.
    type Row<'a> = (&'a [(Who, &'a str, bool)], bool, Option<Rule>);

    #[test]
    fn attack_41_only_a_writers_standing_approval_of_this_commit_counts() {
        use Rule::{ApprovedHead, OtherPerson, Reviewer};
        let good = (RIO, "APPROVED", true);
        // What was given, whether it passes, and the rule without which it would.
        let table: [Row<'_>; 14] = [
            (&[good], true, None),
            (&[(RIO, "APPROVED", false)], false, Some(ApprovedHead)),
            (&[(OTTO, "APPROVED", true)], false, Some(Reviewer)),
            (&[(HELPER, "APPROVED", true)], false, Some(Reviewer)),
            (&[(ASKED, "APPROVED", true)], false, Some(OtherPerson)),
            (&[(US, "APPROVED", true)], false, None),
            (&[(RIO, "COMMENTED", true)], false, None),
            (&[(RIO, "PENDING", true)], false, None),
            (&[good, (RIO, "DISMISSED", true)], false, None),
            (&[good, (RIO, "CHANGES_REQUESTED", true)], false, None),
            (&[(RIO, "CHANGES_REQUESTED", false), good], true, None),
            (&[good, (OTTO, "CHANGES_REQUESTED", true)], true, None),
            (&[(ASKED, "APPROVED", true), good], true, None),
            (&[(RIO, "BLESSED", true)], false, None),
        ];
        for (n, (given, expected, rule)) in table.iter().enumerate() {
            assert_eq!(passes(given, Trust::whole()), *expected, "row {n}");
            if let Some(rule) = rule {
                assert!(passes(given, Trust::without(*rule)), "row {n}: {rule:?} refuses it");
            }
        }
    }
}
