//! Whether a body can be that of the event its headers name: headers are not signed.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Levels of nesting in a body; GitHub's have about ten.
const DEPTH_MAX: usize = 128;

/// What is at the top of a body. Everything else is passed over without being kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Top {
    issue: Option<IgnoredAny>,
    comment: Option<IgnoredAny>,
    pull_request: Option<IgnoredAny>,
    review: Option<IgnoredAny>,
    merge_group: Option<IgnoredAny>,
    check_run: Option<IgnoredAny>,
    check_suite: Option<IgnoredAny>,
    workflow_run: Option<IgnoredAny>,
    workflow_job: Option<IgnoredAny>,
    installation: Option<IgnoredAny>,
    repository: Option<IgnoredAny>,
    repositories_added: Option<IgnoredAny>,
    repositories_removed: Option<IgnoredAny>,
    /// Of a push.
    #[serde(rename = "ref")]
    reference: Option<IgnoredAny>,
    before: Option<IgnoredAny>,
    after: Option<IgnoredAny>,
    /// Of a status.
    sha: Option<IgnoredAny>,
    state: Option<IgnoredAny>,
}

/// How a body and the name of its event go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Fits,
    /// It is a body of another event.
    Crossed,
    /// It is no JSON object.
    NoObject,
}

/// Judges a body by what it holds.
pub fn fit(event: &str, body: &[u8]) -> Fit {
    let object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let text = std::str::from_utf8(body).ok().filter(|_| object && is_shallow(body));
    let Some(top) = text.and_then(|text| serde_json::from_str::<Top>(text).ok()) else {
        return Fit::NoObject;
    };
    if fits(event, &top) { Fit::Fits } else { Fit::Crossed }
}

/// Whether nothing is nested too deep. Passing over values knows no limit of its own.
fn is_shallow(body: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _other => {}
        }
    }
    true
}

fn fits(event: &str, top: &Top) -> bool {
    let has = |fields: &[&Option<IgnoredAny>]| fields.iter().all(|field| field.is_some());
    match event {
        "issue_comment" => has(&[&top.issue, &top.comment]),
        "issues" => has(&[&top.issue]) && top.comment.is_none(),
        "pull_request" => {
            has(&[&top.pull_request]) && top.review.is_none() && top.comment.is_none()
        }
        "pull_request_review" => has(&[&top.pull_request, &top.review]),
        "merge_group" => has(&[&top.merge_group]),
        "check_run" => has(&[&top.check_run]),
        "check_suite" => has(&[&top.check_suite]) && top.check_run.is_none(),
        "workflow_run" => has(&[&top.workflow_run]),
        "workflow_job" => has(&[&top.workflow_job]),
        "push" => has(&[&top.reference, &top.before, &top.after]) && top.pull_request.is_none(),
        "status" => has(&[&top.sha, &top.state]),
        "installation" => {
            has(&[&top.installation])
                && top.repository.is_none()
                && top.repositories_added.is_none()
                && top.repositories_removed.is_none()
        }
        "installation_repositories" => {
            has(&[&top.installation, &top.repositories_added, &top.repositories_removed])
        }
        // Nobody reads it.
        _other => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of each event, as little as it can be.
    const BODIES: [(&str, &str); 13] = [
        ("check_run", r#"{"check_run":{},"repository":{}}"#),
        ("check_suite", r#"{"check_suite":{},"repository":{}}"#),
        ("installation", r#"{"installation":{}}"#),
        (
            "installation_repositories",
            r#"{"installation":{},"repositories_added":[],"repositories_removed":[]}"#,
        ),
        ("issue_comment", r#"{"issue":{},"comment":{},"repository":{}}"#),
        ("issues", r#"{"issue":{},"repository":{}}"#),
        ("merge_group", r#"{"merge_group":{},"repository":{}}"#),
        ("pull_request", r#"{"pull_request":{},"repository":{}}"#),
        ("pull_request_review", r#"{"pull_request":{},"review":{},"repository":{}}"#),
        ("push", r#"{"ref":"","before":"","after":"","repository":{}}"#),
        ("status", r#"{"sha":"","state":"","repository":{}}"#),
        ("workflow_job", r#"{"workflow_job":{},"repository":{}}"#),
        ("workflow_run", r#"{"workflow_run":{},"repository":{}}"#),
    ];

    #[test]
    fn attack_09_a_body_is_taken_for_its_own_event_only() {
        assert_eq!(BODIES.map(|(event, _)| event), super::super::EVENTS);
        for (event, body) in BODIES {
            for named in super::super::EVENTS {
                let expected = if named == event { Fit::Fits } else { Fit::Crossed };
                assert_eq!(fit(named, body.as_bytes()), expected, "{event} as {named}");
            }
        }
    }

    #[test]
    fn attack_11_what_is_nested_too_deep_is_no_body() {
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!("{{\"issue\":{{}},\"x\":{open}{close}}}")
        };
        assert_eq!(fit("issues", deep(100).as_bytes()), Fit::Fits);
        let words = format!("{{\"issue\":{{}},\"x\":\"\\\"{}\"}}", "[".repeat(1_000));
        assert_eq!(fit("issues", words.as_bytes()), Fit::Fits, "brackets in words are words");
        for levels in [200, 10_000, 1_000_000] {
            assert_eq!(fit("issues", deep(levels).as_bytes()), Fit::NoObject, "{levels}");
        }
        for bad in ["", "[]", "{", "null", "{\"issue\":1,\"issue\":2}"] {
            assert_eq!(fit("issues", bad.as_bytes()), Fit::NoObject, "{bad}");
        }
    }
}
