//! GitHub's recorded webhooks, as `tests/fetch` brings them.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

/// One recorded delivery.
pub(super) struct Recorded {
    pub(super) event: String,
    pub(super) body: Value,
}

impl Recorded {
    /// The event and its action, such as `issues.opened`.
    pub(super) fn name(&self) -> String {
        match self.body.get("action").and_then(Value::as_str) {
            Some(action) => format!("{}.{action}", self.event),
            None => self.event.clone(),
        }
    }

    /// The same as an App is sent it: the recordings are of webhooks of all kinds.
    pub(super) fn of_an_app(&self) -> Value {
        let mut body = self.body.clone();
        let fields = body.as_object_mut().unwrap();
        fields.entry("installation").or_insert_with(|| serde_json::json!({"id": 9}));
        body
    }
}

/// All of them; nothing, aloud, when they were not fetched.
pub(super) fn all() -> &'static [Recorded] {
    static ALL: OnceLock<Vec<Recorded>> = OnceLock::new();
    ALL.get_or_init(|| {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place = top.join("target/github/webhooks-examples-7.6.1/index.json");
        let Ok(bytes) = std::fs::read(place) else {
            let why = "GitHub's recorded webhooks are not read: run tests/fetch";
            writeln!(std::io::stderr(), "\nLEFT OUT: {why}").unwrap();
            return Vec::new();
        };
        let found: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        let events = found.iter().flat_map(|one| {
            let event = one["name"].as_str().unwrap();
            let examples = one["examples"].as_array().unwrap().iter();
            examples.map(|body| Recorded { event: event.to_owned(), body: body.clone() })
        });
        events.collect()
    })
}
