//! Check: the App asks for the permissions we need, and for no more.

use super::Case;
use super::report::Line;
use crate::app::manifest::{lacking, needs, suffices};

const NAME: &str = "permissions";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(app) = case.app() else { return Vec::new() };
    let needs = needs().permissions;
    let missing = lacking(&app.permissions, &needs);
    let page = case.app_settings("permissions");
    let mut lines = Vec::new();
    if missing.is_empty() {
        lines.push(Line::ok(NAME, "the App has all it needs"));
    } else {
        let next = format!("add them at {page}, then accept the change in each installation");
        lines.push(Line::fail(NAME, format!("the App lacks {}", missing.join(", ")), next));
    }
    let more = app.permissions.iter().filter(|(name, level)| {
        // `read` of what we need for writing is less, not more.
        needs.get(*name).is_none_or(|needed| !suffices(Some(needed), level))
    });
    let more: Vec<String> = more.map(|(name, level)| format!("{name}: {level}")).collect();
    if !more.is_empty() {
        let next = format!("take them away at {page}");
        let finding = format!("the App has more than it needs: {}", more.join(", "));
        lines.push(Line::warn(NAME, finding, next));
    }
    lines
}
