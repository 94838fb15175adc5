//! What a critic answers, checked: findings of a known form, within bounds.
//!
//! It is read by serde, strictly: what does not fit is told to the agent in serde's words, which
//! name the field. A validator for schemas would say the same with a dependency more.

use serde::Deserialize;
use serde_json::Value;

use crate::model::CommitSha;
use crate::model::text::cut;
use crate::pipeline::critique::{Critique, FINDINGS_MAX, Finding};
use crate::policy::Severity;

/// Longest text and longest suggestion of a finding, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Longest path, in characters.
pub const PATH_CHARS_MAX: usize = 300;
/// Longest summary, in characters.
pub const SUMMARY_CHARS_MAX: usize = 2_000;

/// The schema of the answer, for agents and models that hold to one.
pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["summary", "findings"],
  "properties": {
    "summary": {"type": "string"},
    "findings": {
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["path", "line", "severity", "text", "suggestion"],
        "properties": {
          "path": {"type": "string"},
          "line": {"type": ["integer", "null"]},
          "severity": {"type": "string", "enum": ["critical", "major", "minor", "trivial"]},
          "text": {"type": "string"},
          "suggestion": {"type": ["string", "null"]}
        }
      }
    }
  }
}"#;

/// An answer as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    summary: String,
    findings: Vec<Said>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    path: String,
    line: Option<u32>,
    severity: Severity,
    text: String,
    suggestion: Option<String>,
}

/// A finding as `CodeRabbit` tells it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rabbit {
    severity: String,
    file: String,
    comment: String,
}

/// Reads an answer about `head`: the object that was asked for, or `CodeRabbit`'s list. The
/// error is a sentence for whoever answered.
pub fn read(answer: &Value, head: &CommitSha) -> Result<Critique, String> {
    if answer.is_array() {
        let found: Vec<Rabbit> =
            serde_json::from_value(answer.clone()).map_err(|error| error.to_string())?;
        let found = found.into_iter().map(|one| Said {
            path: one.file,
            line: None,
            severity: weight(&one.severity),
            text: one.comment,
            suggestion: None,
        });
        return Ok(critique("", found.collect(), head));
    }
    let Answer { summary, findings } =
        serde_json::from_value(answer.clone()).map_err(|error| error.to_string())?;
    if findings.iter().any(|one| one.text.trim().is_empty()) {
        return Err("a finding has no `text`".to_owned());
    }
    Ok(critique(&summary, findings, head))
}

/// [`read`], of the text of one JSON document.
pub fn parse(answer: &str, head: &CommitSha) -> Result<Critique, String> {
    let value: Value =
        serde_json::from_str(answer).map_err(|error| format!("it is no JSON: {error}"))?;
    read(&value, head)
}

/// `CodeRabbit` has two words more; what has no known weight weighs little.
fn weight(word: &str) -> Severity {
    let known = Severity::ALL.into_iter().find(|severity| severity.word() == word);
    known.unwrap_or(Severity::Trivial)
}

fn critique(summary: &str, mut said: Vec<Said>, head: &CommitSha) -> Critique {
    said.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let left_out = u32::try_from(said.len().saturating_sub(FINDINGS_MAX)).unwrap_or(u32::MAX);
    let findings = said.into_iter().take(FINDINGS_MAX).map(|one| Finding {
        path: cut(one.path.trim(), PATH_CHARS_MAX),
        line: one.line.filter(|line| *line > 0),
        severity: one.severity,
        text: cut(one.text.trim(), TEXT_CHARS_MAX),
        suggestion: one.suggestion.map(|text| cut(text.trim(), TEXT_CHARS_MAX)),
    });
    let (findings, summary) = (findings.collect(), cut(summary.trim(), SUMMARY_CHARS_MAX));
    Critique { head: head.clone(), summary, findings, left_out, given_up: false }
}

/// The JSON in what somebody said: all of it, what stands between fences, or from the first brace
/// that begins a line to the end.
pub fn json_in(said: &str) -> &str {
    let said = said.trim();
    let from = said.find("```").and_then(|at| said.get(at..)).unwrap_or(said);
    let fenced = from.strip_prefix("```json").or_else(|| from.strip_prefix("```"));
    if let Some((inside, _)) = fenced.and_then(|inside| inside.split_once("```")) {
        return inside.trim();
    }
    let at = if said.starts_with('{') { Some(0) } else { said.find("\n{").map(|at| at + 1) };
    at.and_then(|at| said.get(at..)).unwrap_or(said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn head() -> CommitSha {
        CommitSha::parse(&"a".repeat(40)).unwrap()
    }

    fn finding(severity: &str, text: &str) -> Value {
        json!({"path": "a.rs", "line": 3, "severity": severity, "text": text, "suggestion": null})
    }

    #[test]
    fn an_answer_of_the_form_is_read_and_the_heaviest_finding_comes_first() {
        let mut light = finding("trivial", " a typo ");
        light["line"] = json!(0);
        let answer = json!({"summary": " Good. ", "findings": [light, finding("major", "a leak")]});
        let read = read(&answer, &head()).unwrap();
        let found: Vec<_> = read.findings.iter().map(|one| (one.line, one.text.as_str())).collect();
        assert_eq!(found, [(Some(3), "a leak"), (None, "a typo")]);
        assert_eq!((read.summary.as_str(), read.head), ("Good.", head()));
    }

    #[test]
    fn an_answer_of_another_form_is_refused_with_the_reason() {
        let good = json!({"summary": "", "findings": [finding("minor", "x")]});
        assert!(read(&good, &head()).is_ok());
        let mut odd = finding("minor", "x");
        odd["approved"] = json!(true);
        for (answer, says) in [
            (json!({}), "missing field"),
            (json!({"summary": "", "findings": [], "approved": true}), "approved"),
            (json!({"summary": "", "findings": [odd]}), "approved"),
            (json!({"summary": "", "findings": [finding("blocker", "x")]}), "blocker"),
            (json!({"summary": "", "findings": [finding("minor", " ")]}), "no `text`"),
            (json!("fine"), "invalid type"),
        ] {
            let why = read(&answer, &head()).unwrap_err();
            assert!(why.contains(says), "{answer}: {why}");
        }
        assert!(parse("looks good to me", &head()).unwrap_err().contains("no JSON"));
    }

    #[test]
    fn what_coderabbit_says_is_read_too() {
        let answer = json!([
            {"severity": "info", "file": "b.rs", "comment": "nice"},
            {"severity": "critical", "file": "a.rs", "comment": "it leaks"},
        ]);
        let read = read(&answer, &head()).unwrap();
        let found: Vec<_> = read.findings.iter().map(|one| (one.severity, &*one.path)).collect();
        assert_eq!(found, [(Severity::Critical, "a.rs"), (Severity::Trivial, "b.rs")]);
    }

    #[test]
    fn endless_answers_are_cut() {
        let mut long = finding("minor", &"x".repeat(10 * TEXT_CHARS_MAX));
        long["path"] = json!("p".repeat(1_000));
        let answer = json!({"summary": "s".repeat(10_000), "findings": vec![long; 70]});
        let read = read(&answer, &head()).unwrap();
        assert_eq!((read.findings.len(), read.left_out), (FINDINGS_MAX, 20));
        assert_eq!(read.findings[0].text.chars().count(), TEXT_CHARS_MAX);
        assert_eq!(read.findings[0].path.chars().count(), PATH_CHARS_MAX);
        assert_eq!(read.summary.chars().count(), SUMMARY_CHARS_MAX);
    }

    #[test]
    fn json_is_found_in_what_surrounds_it() {
        for said in [
            "{}",
            " {} ",
            "```json\n{}\n```",
            "Here it is:\n```\n{}\n```\nDone.",
            "I looked at it.\n{}",
        ] {
            assert_eq!(json_in(said), "{}", "{said:?}");
        }
        assert_eq!(json_in("all good"), "all good");
    }

    #[test]
    fn the_schema_demands_exactly_what_is_read() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let item = &schema["properties"]["findings"]["items"];
        let words: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
        assert_eq!(item["properties"]["severity"]["enum"], json!(words));
        for object in [&schema, item] {
            let properties = object["properties"].as_object().unwrap();
            let required = object["required"].as_array().unwrap();
            assert_eq!(properties.len(), required.len(), "strict houses want all of them");
            assert!(required.iter().all(|name| properties.contains_key(name.as_str().unwrap())));
        }
    }
}
