//! The hold gate: nobody said `/hold`, and the pull request is not a draft.

use super::{Facts, Verdict};

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    if let Some(by) = facts.held_by {
        return Verdict::Pending(format!("{by} said `/hold`"));
    }
    if facts.seen.draft && facts.drafted {
        return Verdict::Pending("it is a draft until everything is green".to_owned());
    }
    if facts.seen.draft {
        return Verdict::Pending("the pull request is a draft".to_owned());
    }
    Verdict::Pass("nobody holds it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{facts, seen};
    use super::*;
    use crate::gate::Facts;
    use crate::gate::seen::Seen;
    use crate::policy::Policy;

    #[test]
    fn a_draft_waits_for_whoever_made_it_one() {
        let (policy, ready) = (Policy::default(), seen());
        let draft = Seen { draft: true, ..seen() };
        for (seen, drafted, words) in [
            (&ready, false, "nobody holds it"),
            (&ready, true, "nobody holds it"),
            (&draft, false, "the pull request is a draft"),
            (&draft, true, "it is a draft until everything is green"),
        ] {
            let verdict = judge(&Facts { drafted, ..facts(seen, &policy) });
            assert_eq!((verdict.text(), verdict.passed()), (words, !seen.draft));
        }
    }
}
