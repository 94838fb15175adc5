//! Check: git is there and new enough.

use super::Case;
use super::report::Line;
use crate::git::cli::Cli;

const NAME: &str = "git";

pub(super) fn check(case: &Case) -> Vec<Line> {
    vec![match &case.machine.git {
        Ok(version) if Cli::is_old(version) => {
            let what = format!("{version}: the corrections of 2025 came with 2.47.3");
            Line::warn(NAME, what, "install git 2.47.3 or newer, or keep your system's updates on")
        }
        Ok(version) => Line::ok(NAME, version),
        Err(error) => Line::fail(NAME, error.to_string(), "install git 2.39.1 or newer"),
    }]
}
