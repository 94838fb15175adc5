//! A delivery as a relay of the smee kind passes it on: the headers, lower-case, and the body as
//! JSON inside JSON; pure.

use serde::Deserialize;

use crate::model::DeliveryId;

/// A delivery that came through a relay. Nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relayed {
    pub(super) guid: DeliveryId,
    pub(super) event: String,
    pub(super) signature: Option<String>,
    /// The bytes the relay made of the body: those that were signed, if it wrote them as GitHub
    /// did.
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Headers {
    #[serde(rename = "x-github-delivery")]
    delivery: Option<String>,
    #[serde(rename = "x-github-event")]
    event: Option<String>,
    #[serde(rename = "x-hub-signature-256")]
    signature: Option<String>,
}

/// Reads the data of one event; `None` when it is no delivery.
pub(super) fn read(data: &[u8]) -> Option<Relayed> {
    let text = std::str::from_utf8(data).ok()?;
    let headers: Headers = serde_json::from_str(text).ok()?;
    let body = member(text, "body")?;
    // What the relay could not read as JSON it passes on as text.
    let body = match serde_json::from_str::<String>(body) {
        Ok(raw) => raw.into_bytes(),
        Err(_no_text) => body.as_bytes().to_vec(),
    };
    Some(Relayed {
        guid: DeliveryId::parse(&headers.delivery?).ok()?,
        event: headers.event?,
        signature: headers.signature,
        body,
    })
}

/// The value of a member of the JSON object `text`, byte by byte as it stands there: a signature
/// is over bytes, and reading and writing would change them. `text` was read as JSON before.
fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut start, mut colon) = (None, None);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth == 1 {
                    start = Some(at + 1);
                }
            }
            b':' if depth == 1 && colon.is_none() => colon = Some(at),
            b',' | b'}' | b']' => {
                if depth == 1 {
                    if let Some(value) = value(text, name, (start?, colon?), at) {
                        return Some(value);
                    }
                    (start, colon) = (Some(at + 1), None);
                }
                if byte != b',' {
                    depth = depth.saturating_sub(1);
                }
            }
            _inside => {}
        }
    }
    None
}

fn value<'a>(
    text: &'a str,
    name: &str,
    (start, colon): (usize, usize),
    end: usize,
) -> Option<&'a str> {
    let key = text.get(start..colon)?.trim().strip_prefix('"')?.strip_suffix('"')?;
    if key != name {
        return None;
    }
    text.get(colon + 1..end).map(str::trim)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_body_keeps_its_bytes() {
        let body = r#"{"z":1,"a":"\u00e9 \"},{\\","n":[1.0,{"body":2}]}"#;
        let data = format!(
            r#"{{"host":"relay","x-github-event":"push","x-github-delivery":"g-1",
            "x-hub-signature-256":"sha256=00", "body" : {body} ,"query":{{}},"timestamp":1}}"#
        );
        let found = read(data.as_bytes()).unwrap();
        assert_eq!(found.body, body.as_bytes());
        assert_eq!((found.guid.as_str(), found.event.as_str()), ("g-1", "push"));
        assert_eq!(found.signature.as_deref(), Some("sha256=00"));
    }

    #[test]
    fn a_body_that_is_text_is_its_own_bytes() {
        let data = br#"{"body":"{\"a\": 1}","x-github-event":"push","x-github-delivery":"g"}"#;
        assert_eq!(read(data).unwrap().body, br#"{"a": 1}"#);
    }

    #[test]
    fn what_is_no_delivery_is_nothing() {
        for text in [
            "",
            "{}",
            "[]",
            "\"body\"",
            "{\"body\":{}}",
            r#"{"body":{},"x-github-event":"push"}"#,
            r#"{"body":{},"x-github-event":"push","x-github-delivery":""}"#,
            r#"{"x-github-event":"push","x-github-delivery":"g"}"#,
            r#"{"body":{},"x-github-event":7,"x-github-delivery":"g"}"#,
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\"\\\\{}:,a-z\u{e9} ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z\"\\\\:{}]{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_member_is_found_as_it_stands(before in any_json(), body in any_json()) {
            let text = format!("{{\"a\":{before},\"body\":{body},\"c\":{before}}}");
            let found = member(&text, "body").unwrap();
            prop_assert_eq!(found, body.to_string());
            prop_assert_eq!(member(&text, "other"), None);
        }

        #[test]
        fn no_data_makes_it_stumble(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _whatever = read(&data);
            let wrapped = json!({"body": String::from_utf8_lossy(&data)}).to_string();
            let _whatever = read(wrapped.as_bytes());
            if let Ok(text) = std::str::from_utf8(&data) {
                let _whatever = member(text, "body");
            }
        }
    }
}
