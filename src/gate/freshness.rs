//! The freshness gate: the head contains the tip of the base, so what lands is what was tested.

use super::{Facts, Verdict};
use crate::policy::Freshness;

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    let strict = match facts.policy.freshness {
        Freshness::Strict => true,
        Freshness::Loose => facts.seen.rules.strict,
    };
    let contains = facts
        .seen
        .probe
        .as_ref()
        .is_some_and(|probe| probe.contains_base && &probe.head == facts.head);
    // The queue puts the head on the newest base and runs the required checks on that.
    let rules = &facts.seen.rules;
    if !contains && rules.queue && !rules.required.is_empty() {
        return Verdict::Pass("the merge queue tests it on the base".to_owned());
    }
    match (strict, contains) {
        (_, true) => Verdict::Pass("contains the base".to_owned()),
        (false, false) => Verdict::Pass("the base moved; the policy allows that".to_owned()),
        (true, false) => Verdict::Fail("the base moved".to_owned()),
    }
}
