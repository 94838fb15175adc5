//! Check: what GitHub delivered lately was answered; the only proof that it can reach us.

use super::Case;
use super::report::Line;
use crate::app::manifest::NO_HOOK_URL;
use crate::github::app::Delivered;
use crate::model::Millis;

const NAME: &str = "deliveries";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(seen) = &case.seen else { return Vec::new() };
    let url = seen.hook.as_ref().ok().and_then(|hook| hook.as_ref()?.url.as_deref());
    if url.is_none_or(|url| url == NO_HOOK_URL) {
        return Vec::new();
    }
    let log = match &seen.deliveries {
        Ok(log) => log,
        Err(error) => {
            let finding = format!("GitHub does not show its log: {error}");
            return vec![Line::fail(NAME, finding, "try again in a minute")];
        }
    };
    vec![judge(log, case.now, &case.app_settings("advanced"))]
}

fn judge(log: &[Delivered], now: Millis, page: &str) -> Line {
    let Some(last) = log.first() else {
        let next = "comment on an issue of an installed repository while Slipway serves, and look \
                    again";
        return Line::warn(NAME, "GitHub has delivered nothing yet", next);
    };
    let failed = log.iter().filter(|one| !one.succeeded()).count();
    let (what, ago) = (&last.what, ago(last.at, now));
    if !last.succeeded() {
        let finding = format!(
            "the last one ({what}, {ago}) failed: {}",
            answer(last.status_code, &last.status)
        );
        let next =
            format!("{}; then redeliver it at {page}", advice(last.status_code, &last.status));
        return Line::fail(NAME, finding, next);
    }
    let finding = format!("the last one ({what}, {ago}) was answered {}", last.status_code);
    if failed == 0 {
        return Line::ok(NAME, finding);
    }
    let finding = format!("{finding}; {failed} of the last {} failed", log.len());
    Line::warn(NAME, finding, format!("look at them at {page}"))
}

fn answer(status_code: u16, status: &str) -> String {
    if status_code == 0 { status.to_owned() } else { format!("{status_code} {status}") }
}

/// What usually helps, by what was answered.
fn advice(status_code: u16, status: &str) -> &'static str {
    match status_code {
        0 | 502 if status.contains("connect") => {
            "see that Slipway serves, and that GitHub can reach it (name, port, certificate)"
        }
        400 => "let GitHub send application/json",
        401 | 403 => "make webhook_secret and the secret on the App's page the same",
        404 | 405 => "let the address end in /webhook, and the proxy pass it on",
        408 | 504 => "see why Slipway or the proxy before it does not answer within 10 s",
        413 => "let the proxy pass bodies of up to 25 MB",
        429 | 500..=599 => "see the log of Slipway and of the proxy before it",
        _other => "see that Slipway serves, and what stands before it",
    }
}

fn ago(at: Option<Millis>, now: Millis) -> String {
    let Some(at) = at else { return "some time ago".to_owned() };
    match now.since(at) / 60_000 {
        0 => "just now".to_owned(),
        minutes @ 1..120 => format!("{minutes} min ago"),
        minutes @ 120..2_880 => format!("{} h ago", minutes / 60),
        minutes => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let now = Millis(10_000_000_000);
        let told = |minutes: i64| ago(Some(Millis(now.0 - minutes * 60_000)), now);
        assert_eq!(told(0), "just now");
        assert_eq!(told(119), "119 min ago");
        assert_eq!(told(120), "2 h ago");
        assert_eq!(told(4_320), "3 days ago");
        assert_eq!(ago(None, now), "some time ago");
    }
}
