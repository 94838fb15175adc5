//! Check: the configuration can be read and says who we are.

use super::Case;
use super::report::Line;
use crate::config::ConfigError;

const NAME: &str = "configuration";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let mut lines = vec![match &case.identity {
        Ok(identity) => Line::ok(NAME, format!("App {}, key and secret are set", identity.app_id)),
        Err(error) => refused(error),
    }];
    let next = "see docs/OPERATIONS.md, Secrets";
    lines.extend(case.settings.warnings.iter().map(|why| Line::warn(NAME, why, next)));
    lines
}

/// It cannot be used.
pub(super) fn refused(error: &ConfigError) -> Line {
    let next = format!("{}; `slipway setup` makes a new App with its configuration", error.next);
    Line::fail(NAME, format!("{}: {}", error.place, error.why), next)
}
