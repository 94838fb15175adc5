//! Check: our clock goes as GitHub's does; otherwise GitHub does not believe our claims.

use super::Case;
use super::report::Line;

const NAME: &str = "clock";
/// GitHub's time comes in whole seconds and a moment late; beyond this it is worth mending.
const SKEW_MS_GOOD: i64 = 30_000;
/// Our claims reach back this far.
const SKEW_MS_MAX: i64 = 60_000;

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Ok(greeting) = &case.greeting else { return Vec::new() };
    let next = "set the clock (timedatectl set-ntp true)";
    let Some(at) = greeting.at else {
        return vec![Line::warn(NAME, "GitHub does not say what time it is", next)];
    };
    let ahead_ms = case.now.0.saturating_sub(at.0);
    let way = if ahead_ms < 0 { "behind" } else { "ahead of" };
    let seconds = ahead_ms.saturating_abs() / 1000;
    let finding = format!("{seconds} s {way} GitHub's");
    vec![match ahead_ms.saturating_abs() {
        0..=SKEW_MS_GOOD => Line::ok(NAME, "goes as GitHub's"),
        ms if ms <= SKEW_MS_MAX => Line::warn(NAME, finding, next),
        _further => Line::fail(NAME, finding, next),
    }]
}
