//! Check: something stands between agents and this machine; how much of it, and what to do.

use super::Case;
use super::machine::Barrier;
use super::report::Line;
use crate::sandbox::LEVEL_MIN;

const NAME: &str = "sandbox";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let (protection, warning) = match &case.machine.barrier {
        Barrier::Chosen(protection, warning) => (protection, warning),
        // The sentence ends with what to do.
        Barrier::Refused(why) => {
            let (finding, next) = why.rsplit_once("; ").unwrap_or((why, "see docs/OPERATIONS.md"));
            return vec![Line::fail(NAME, finding, next)];
        }
    };
    let mut lines = Vec::new();
    if protection.level < LEVEL_MIN {
        let next = "run nothing else on this machine, or install bubblewrap and set \
                    sandbox_level_min = 3";
        let finding = warning.clone().unwrap_or_else(|| protection.to_string());
        lines.push(Line::warn(NAME, finding, next));
    } else {
        lines.push(Line::ok(NAME, protection.to_string()));
    }
    let missing = protection.missing.iter();
    lines.extend(missing.map(|one| Line::warn(NAME, one.what.clone(), one.next.clone())));
    lines
}
