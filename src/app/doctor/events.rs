//! Check: the App hears of everything we act on.

use super::Case;
use super::report::Line;
use crate::app::manifest::needs;

const NAME: &str = "events";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(app) = case.app() else { return Vec::new() };
    let needs = needs().events;
    let names = |from: &std::collections::BTreeSet<String>, but: &std::collections::BTreeSet<_>| {
        from.difference(but).cloned().collect::<Vec<String>>().join(", ")
    };
    let (missing, more) = (names(&needs, &app.events), names(&app.events, &needs));
    let page = case.app_settings("permissions");
    let mut lines = vec![if missing.is_empty() {
        Line::ok(NAME, "the App hears of all it acts on")
    } else {
        let next = format!("subscribe to them at {page}");
        Line::fail(NAME, format!("the App does not hear of {missing}"), next)
    }];
    if !more.is_empty() {
        let next = format!("unsubscribe at {page}; until then they are answered and not kept");
        lines.push(Line::warn(NAME, format!("nobody acts on {more}"), next));
    }
    lines
}
