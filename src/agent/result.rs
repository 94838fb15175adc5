//! What an agent may leave beside its work: one JSON file that says something and decides nothing.

use serde::Deserialize;

/// The variable that tells an agent where to leave it.
pub const VARIABLE: &str = "SLIPWAY_RESULT";
/// Bytes of the file that are read.
pub const BYTES_MAX: usize = 64 << 10;

/// The whole schema, which `docs/result.schema.json` tells others. Nothing here is an order:
/// whether something is pushed, merged or tried again is decided from what git, GitHub and people
/// say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// What the agent says of its work.
    #[serde(default)]
    pub summary: String,
    /// What it has to ask before it can go on.
    #[serde(default)]
    pub question: String,
}

/// Reads the file; the error is a sentence for the log.
pub fn parse(bytes: &[u8]) -> Result<Left, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("it is larger than {BYTES_MAX} bytes"));
    }
    let left: Left = read(bytes)?;
    if left.summary.trim().is_empty() && left.question.trim().is_empty() {
        return Err("it says nothing".to_owned());
    }
    Ok(left)
}

fn read<'a, Schema: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Schema, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("it does not fit the schema: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema with one defence taken away: fields nobody asked for are let through.
    #[derive(Deserialize)]
    struct Lenient {
        summary: String,
    }

    #[test]
    fn a_question_may_stand_in_the_place_of_a_summary() {
        let asked = parse(br#"{"question": "Which one?"}"#).unwrap();
        assert_eq!((asked.question.as_str(), asked.summary.as_str()), ("Which one?", ""));
        assert!(parse(br#"{"question": " "}"#).is_err());
    }

    #[test]
    fn attack_49_a_result_decides_nothing() {
        let good = br#"{"summary": "Wrote it."}"#;
        assert_eq!(parse(good).unwrap().summary, "Wrote it.");
        let orders = [
            r#"{"summary": "Done.", "merge": true}"#,
            r#"{"summary": "Done.", "approved": true, "approvals": 2}"#,
            r#"{"summary": "Done.", "branch": "main"}"#,
            r#"{"summary": "Done.", "command": "/merge"}"#,
        ];
        for order in orders {
            assert!(parse(order.as_bytes()).is_err(), "{order}");
            let lenient = read::<Lenient>(order.as_bytes()).unwrap();
            assert_eq!(lenient.summary, "Done.", "without the strict schema it is taken: {order}");
        }
        let bad: [&[u8]; 8] = [
            b"",
            b"{}",
            b"[]",
            br#"{"merge": true}"#,
            br#"{"summary": {"merge": true}}"#,
            br#"{"summary": "a", "summary": "b"}"#,
            b"{\"summary\": \"\xff\"}",
            br#"{"summary": "a"} {"summary": "b"}"#,
        ];
        for bad in bad {
            assert!(parse(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
        let long = format!(r#"{{"summary": "{}"}}"#, "x".repeat(BYTES_MAX));
        assert!(parse(long.as_bytes()).is_err());
        assert!(parse(&"[".repeat(60_000).into_bytes()).is_err(), "and no depth overflows");
    }
    #[test]
    fn the_published_schema_takes_what_is_taken_and_nothing_else() {
        let schema = include_str!("../../docs/result.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let fields = schema.pointer("/properties").unwrap().as_object().unwrap();
        for field in fields.keys() {
            let only = format!(r#"{{"summary": "a", "{field}": "b"}}"#);
            let known = parse(only.as_bytes()).err().is_none_or(|why| !why.contains("unknown"));
            assert!(known, "{field} is told and not taken");
        }
        for text in [
            r#"{"summary": "Wrote it."}"#,
            r#"{"summary": ""}"#,
            "{}",
            "[]",
            "null",
            r#"{"summary": 1}"#,
            r#"{"summary": ["a"]}"#,
            r#"{"summary": "a", "merge": true}"#,
            r#"{"Summary": "a"}"#,
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(validator.is_valid(&value), parse(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
