//! GitHub's description, read once: its calls, and its schemas as JSON Schema of draft 4, which
//! OpenAPI 3.0 is nearest to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::MESSAGE_CHARS_MAX;
use super::route::{Found, Template};

/// Most violations told of one body.
const TOLD_MAX: usize = 20;

/// The whole description.
pub(super) struct Spec {
    operations: Vec<Operation>,
    schemas: Map<String, Value>,
    /// Made when first needed; there are a thousand.
    made: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// One call.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) template: Template,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Asked>,
    /// By status; `None` for an answer without a body.
    pub(super) answers: BTreeMap<u16, Option<Value>>,
}

/// A parameter of a path or a query.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) schema: Value,
}

/// The body a call takes.
pub(super) struct Asked {
    pub(super) required: bool,
    pub(super) schema: Value,
}

impl Parameter {
    pub(super) fn is(&self, place: &str, name: &str) -> bool {
        self.place == place && self.name == name
    }
}

fn place() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    top.join("target/github/openapi-23.0.2/api.github.com.json")
}

/// Whether there is anything to judge by.
pub(crate) fn is_there() -> bool {
    get().is_some()
}

/// The description, read once for all tests of this binary; its absence is said aloud, past the
/// harness's capture.
pub(super) fn get() -> Option<&'static Spec> {
    static SPEC: OnceLock<Option<Spec>> = OnceLock::new();
    let spec = SPEC.get_or_init(|| {
        let Ok(bytes) = std::fs::read(place()) else {
            let why = "GitHub's OpenAPI description judges nothing: run tests/fetch";
            writeln!(std::io::stderr(), "\nLEFT OUT: {why}").unwrap();
            return None;
        };
        Some(Spec::read(&bytes))
    });
    spec.as_ref()
}

impl Spec {
    fn read(bytes: &[u8]) -> Self {
        let mut all: Value = serde_json::from_slice(bytes).unwrap();
        lower(&mut all);
        let mut operations = Vec::new();
        for (path, calls) in all["paths"].as_object().unwrap() {
            for (method, call) in calls.as_object().unwrap() {
                if call.get("operationId").is_some() {
                    operations.push(operation(&all, (method, path), call));
                }
            }
        }
        let schemas = all["components"]["schemas"].as_object().unwrap().clone();
        Self { operations, schemas, made: Mutex::default() }
    }

    /// The call that a path means: of those that fit, the one with most fixed parts.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Found<'_>> {
        let own = self.operations.iter().filter(|one| one.method.eq_ignore_ascii_case(method));
        let fits = own.filter_map(|operation| {
            let values = operation.template.values(path)?;
            Some(Found { operation, values })
        });
        fits.max_by_key(|found| found.operation.template.rank())
    }

    pub(super) fn schema(&self, name: &str) -> Option<&Value> {
        self.schemas.get(name)
    }

    /// What a reference leads to; anything else is itself.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(schema_name);
        name.and_then(|name| self.schema(name)).map_or(schema, |found| self.resolve(found))
    }

    /// Every way in which `value` is not what `schema` says; `key` names the schema.
    pub(super) fn check(&self, key: &str, schema: &Value, value: &Value) -> Vec<String> {
        let known = self.made.lock().unwrap().get(key).cloned();
        let validator = known.unwrap_or_else(|| {
            let made = Arc::new(self.make(schema));
            self.made.lock().unwrap().insert(key.to_owned(), Arc::clone(&made));
            made
        });
        let errors = validator.iter_errors(value).take(TOLD_MAX);
        errors
            .map(|error| {
                let told: String = error.to_string().chars().take(MESSAGE_CHARS_MAX).collect();
                format!("{}: {told} [{}]", error.instance_path(), error.schema_path())
            })
            .collect()
    }

    fn make(&self, schema: &Value) -> Validator {
        let mut needed = BTreeSet::new();
        self.collect(schema, &mut needed);
        let parts = needed.into_iter().map(|name| (name.to_owned(), self.schemas[name].clone()));
        let whole = json!({
            "allOf": [schema],
            "components": {"schemas": parts.collect::<Map<String, Value>>()},
        });
        let options = jsonschema::draft4::options().should_validate_formats(true);
        options.build(&whole).unwrap()
    }

    fn collect<'a>(&'a self, schema: &'a Value, needed: &mut BTreeSet<&'a str>) {
        match schema {
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str).and_then(schema_name);
                if let Some((name, found)) = name.and_then(|name| self.schemas.get_key_value(name))
                    && needed.insert(name)
                {
                    self.collect(found, needed);
                }
                fields.values().for_each(|value| self.collect(value, needed));
            }
            Value::Array(entries) => entries.iter().for_each(|value| self.collect(value, needed)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// What a reference to anything but a schema leads to.
fn followed<'a>(all: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value.get("$ref").and_then(Value::as_str).and_then(|text| text.get(1..));
    pointer.map_or(value, |pointer| all.pointer(pointer).unwrap())
}

fn operation(all: &Value, (method, path): (&str, &str), call: &Value) -> Operation {
    let listed = call.get("parameters").and_then(Value::as_array);
    let parameters = listed.into_iter().flatten().map(|one| parameter(followed(all, one)));
    let body = call.get("requestBody").map(|one| followed(all, one));
    let asked = body.and_then(|one| {
        let required = one.get("required").and_then(Value::as_bool).unwrap_or(false);
        Some(Asked { required, schema: json_schema(one)?.clone() })
    });
    let answers = call["responses"].as_object().unwrap().iter();
    let answers = answers.filter_map(|(status, one)| {
        Some((status.parse().ok()?, json_schema(followed(all, one)).cloned()))
    });
    Operation {
        id: call["operationId"].as_str().unwrap().to_owned(),
        method: method.to_owned(),
        template: Template::parse(path),
        parameters: parameters.collect(),
        body: asked,
        answers: answers.collect(),
    }
}

fn parameter(one: &Value) -> Parameter {
    Parameter {
        name: one["name"].as_str().unwrap().to_owned(),
        place: one["in"].as_str().unwrap().to_owned(),
        required: one.get("required").and_then(Value::as_bool).unwrap_or(false),
        schema: one.get("schema").cloned().unwrap_or_else(|| json!({})),
    }
}

fn json_schema(one: &Value) -> Option<&Value> {
    let content = one.get("content")?.as_object()?;
    let json = content.iter().find(|(kind, _)| kind.contains("json"))?.1;
    json.get("schema")
}

/// A text of a path or a query as the value its schema asks for; what is none stays a text.
pub(super) fn typed(schema: &Value, text: &str) -> Value {
    let kinds = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    let number = text.parse::<i64>().map(Value::from);
    if kinds.contains(&"integer") || kinds.contains(&"number") {
        return number.unwrap_or_else(|_| text.into());
    }
    match text {
        "true" | "false" if kinds.contains(&"boolean") => (text == "true").into(),
        text if kinds.contains(&"array") => text.split(',').map(Value::from).collect(),
        text => text.into(),
    }
}

/// Turns OpenAPI's `nullable` into a type, and keeps of the formats only the one that is
/// unambiguous.
fn lower(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let format = fields.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| format != "date-time") {
                fields.remove("format");
            }
            fields.values_mut().for_each(lower);
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                fields.remove("nullable");
                nullable(fields);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(lower),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn nullable(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(options)) = fields.get_mut("enum")
        && !options.contains(&Value::Null)
    {
        options.push(Value::Null);
    }
    if let Some(kind @ Value::String(_)) = fields.get("type").cloned() {
        fields.insert("type".to_owned(), json!([kind, "null"]));
    } else if ["allOf", "anyOf", "oneOf"].iter().any(|key| fields.contains_key(*key)) {
        let whole = Value::Object(std::mem::take(fields));
        fields.insert("anyOf".to_owned(), json!([whole, {"type": "null"}]));
    }
}
