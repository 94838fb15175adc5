//! Properties a body must not have: GitHub ignores them, so a misspelt one does nothing.

use serde_json::{Map, Value};

use super::spec::Spec;

/// How deep bodies are looked into.
const DEPTH_MAX: usize = 8;

/// Every property of `value` that `schema` does not name, as a pointer.
pub(super) fn unknown(spec: &Spec, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(spec, schema, (value, "", 0), &mut found);
    found
}

fn walk(spec: &Spec, schema: &Value, at: (&Value, &str, usize), found: &mut Vec<String>) {
    let (value, pointer, depth) = at;
    let (entries, deeper) = (variants(spec, schema), depth + 1);
    if depth >= DEPTH_MAX {
        return;
    }
    match value {
        Value::Object(fields) => {
            let named: Vec<&Map<String, Value>> =
                entries.iter().filter_map(|one| one.get("properties")?.as_object()).collect();
            let open = entries.iter().any(|one| {
                one.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
            });
            if open || named.is_empty() {
                return;
            }
            for (name, inner) in fields {
                let pointer = format!("{pointer}/{name}");
                match named.iter().find_map(|all| all.get(name)) {
                    Some(schema) => walk(spec, schema, (inner, &pointer, deeper), found),
                    None => found.push(format!("{pointer}: unknown property")),
                }
            }
        }
        Value::Array(inner) => {
            let Some(schema) = entries.iter().find_map(|one| one.get("items")) else { return };
            for (at, inner) in inner.iter().enumerate() {
                walk(spec, schema, (inner, &format!("{pointer}/{at}"), deeper), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema and all it is put together from.
fn variants<'a>(spec: &'a Spec, schema: &'a Value) -> Vec<&'a Value> {
    let schema = spec.resolve(schema);
    let mut all = vec![schema];
    for key in ["allOf", "anyOf", "oneOf"] {
        let inner = schema.get(key).and_then(Value::as_array);
        all.extend(inner.into_iter().flatten().flat_map(|one| variants(spec, one)));
    }
    all
}
