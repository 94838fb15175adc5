//! Check: GitHub can be reached.

use super::Case;
use super::report::Line;

const NAME: &str = "github";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let at = &case.settings.github.api;
    vec![match &case.greeting {
        Ok(greeting) => match &greeting.enterprise {
            Some(version) => Line::ok(NAME, format!("{at} answers, Enterprise Server {version}")),
            None => Line::ok(NAME, format!("{at} answers")),
        },
        Err(error) => Line::fail(
            NAME,
            format!("{at} does not answer: {error}"),
            "check github_url, and that this machine may open connections to it (proxy, \
             firewall, certificates)",
        ),
    }]
}
