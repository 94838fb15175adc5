//! Check: git is there and new enough.

use super::Case;
use super::report::Line;

const NAME: &str = "git";

pub(super) fn check(case: &Case) -> Vec<Line> {
    vec![match &case.machine.git {
        Ok(version) => Line::ok(NAME, version),
        Err(error) => Line::fail(NAME, error.to_string(), "install git 2.38 or newer"),
    }]
}
