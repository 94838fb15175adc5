//! The conflicts gate: merging the head into the base is clean, tried in our own mirror.

use super::seen::Merge;
use super::{Facts, Verdict};

/// Most paths named in the sentence.
const NAMED_MAX: usize = 5;

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    let probe = facts.seen.probe.as_ref().filter(|probe| &probe.head == facts.head);
    let Some(probe) = probe else {
        return Verdict::Pending("the merge was not tried yet".to_owned());
    };
    match &probe.merge {
        Merge::Clean { .. } => Verdict::Pass("merges cleanly".to_owned()),
        Merge::Conflict { paths } => {
            let named: Vec<&str> = paths.iter().take(NAMED_MAX).map(String::as_str).collect();
            let more = paths.len().saturating_sub(NAMED_MAX);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            Verdict::Fail(format!("conflicts in {}{rest}", named.join(", ")))
        }
    }
}
