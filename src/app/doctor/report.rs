//! The report: a line for each finding, for people and for machines.

use std::fmt::Write;

use serde::Serialize;

use crate::model::text::cut;
use crate::telemetry::Redactor;

/// Longest finding and longest advice, in characters.
const TEXT_CHARS_MAX: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Warn,
    Fail,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok  ",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    name: &'static str,
    status: Status,
    finding: String,
    /// What to do; `None` where all is well.
    next: Option<String>,
}

impl Line {
    pub(super) fn ok(name: &'static str, finding: impl AsRef<str>) -> Self {
        Self { name, status: Status::Ok, finding: shown(finding.as_ref()), next: None }
    }

    pub(super) fn warn(
        name: &'static str,
        finding: impl AsRef<str>,
        next: impl AsRef<str>,
    ) -> Self {
        let next = Some(shown(next.as_ref()));
        Self { name, status: Status::Warn, finding: shown(finding.as_ref()), next }
    }

    pub(super) fn fail(
        name: &'static str,
        finding: impl AsRef<str>,
        next: impl AsRef<str>,
    ) -> Self {
        Self { status: Status::Fail, ..Self::warn(name, finding, next) }
    }
}

/// Words from elsewhere may hold what steers a terminal.
fn shown(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    cut(plain.collect::<String>().trim(), TEXT_CHARS_MAX)
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::app) struct Report {
    ok: bool,
    checks: Vec<Line>,
}

impl Report {
    pub(super) fn of(checks: Vec<Line>) -> Self {
        let ok = checks.iter().all(|line| line.status != Status::Fail);
        Self { ok, checks }
    }

    /// The same without secrets, should one have got into somebody's words.
    pub(super) fn redacted(mut self, redactor: &Redactor) -> Self {
        for line in &mut self.checks {
            line.finding = redactor.redact(&line.finding).into_owned();
            line.next = line.next.take().map(|next| redactor.redact(&next).into_owned());
        }
        self
    }

    pub(in crate::app) fn ok(&self) -> bool {
        self.ok
    }

    pub(super) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    pub(in crate::app) fn text(&self) -> String {
        let mut text = String::new();
        for Line { name, status, finding, next } in &self.checks {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "{}  {name}: {finding}", status.word());
            if let Some(next) = next {
                let _written = writeln!(text, "      → {next}");
            }
        }
        let count = |status| self.checks.iter().filter(|line| line.status == status).count();
        let (failed, warned) = (count(Status::Fail), count(Status::Warn));
        let end = match (failed, warned) {
            (0, 0) => "all is well".to_owned(),
            (0, warned) => format!("nothing fails, {warned} to look at"),
            (failed, warned) => format!("{failed} fail, {warned} to look at"),
        };
        text.push('\n');
        text.push_str(&end);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_well_for_people_and_machines() {
        let lines =
            vec![Line::ok("git", "git\u{1b}[2J 2.47"), Line::warn("disk", "low", "tidy up")];
        let good = Report::of(lines.clone());
        assert!(good.ok());
        let text = "ok    git: git [2J 2.47\nwarn  disk: low\n      → tidy up\n\n\
                    nothing fails, 1 to look at";
        assert_eq!(good.text(), text);
        let bad = Report::of([lines, vec![Line::fail("key", "none", "make one")]].concat());
        assert!(!bad.ok());
        assert!(bad.text().ends_with("1 fail, 1 to look at"));
        let json: serde_json::Value = serde_json::from_str(&bad.json().unwrap()).unwrap();
        assert_eq!(json["ok"], false);
        let key = serde_json::json!({
            "name": "key", "status": "fail", "finding": "none", "next": "make one"});
        assert_eq!(json["checks"][2], key);
        assert_eq!(json["checks"][0]["next"], serde_json::Value::Null);
        assert_eq!(Report::of(Vec::new()).text(), "\nall is well");
    }
}
