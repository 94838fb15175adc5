//! Check: something stands between agents and this machine.

use super::Case;
use super::machine::Barrier;
use super::report::Line;

const NAME: &str = "sandbox";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let next = "install bubblewrap, and see docs/OPERATIONS.md, Sandbox, for where it cannot work";
    vec![match &case.machine.barrier {
        Barrier::Bubblewrap(what) | Barrier::Container(what) => Line::ok(NAME, what),
        Barrier::NoContainer(why) => {
            let next = "see docs/OPERATIONS.md, Containers";
            Line::fail(NAME, format!("no container can be run: {why}"), next)
        }
        Barrier::Broken { why, instead: true } => {
            Line::warn(NAME, format!("agents run as plain processes: {why}"), next)
        }
        Barrier::Broken { why, instead: false } => {
            Line::fail(NAME, format!("bubblewrap is demanded: {why}"), next)
        }
        Barrier::None(what) => {
            let next = "run nothing else on this machine, or set sandbox to auto";
            Line::warn(NAME, what, next)
        }
    }]
}
