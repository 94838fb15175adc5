//! Notes on our check run as GitHub takes them: in portions, and never the same one twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CheckRun, Note, checks};

/// Most annotations GitHub takes in one request.
pub const ANNOTATIONS_PER_REQUEST_MAX: usize = 50;
/// Most annotations on one of our check runs.
pub const ANNOTATIONS_MAX: usize = 150;

/// What tells one annotation from another: path, line, title and message.
pub type Key = (String, u64, String, String);

fn key(note: &Note) -> Key {
    (
        note.path.clone(),
        u64::from(note.line),
        note.title.as_str().to_owned(),
        note.message.as_str().to_owned(),
    )
}

/// One annotation as GitHub takes it.
fn annotation(note: &Note) -> Value {
    json!({
        "path": note.path,
        "start_line": note.line,
        "end_line": note.line,
        "annotation_level": note.level.word(),
        "title": note.title.as_str(),
        "message": note.message.as_str(),
    })
}

/// The bodies of the requests that add what `there` lacks.
pub fn bodies(shown: &CheckRun, notes: &[Note], there: &BTreeSet<Key>) -> Vec<Value> {
    let room = ANNOTATIONS_MAX.saturating_sub(there.len());
    let mut known = there.clone();
    let fresh: Vec<Value> =
        notes.iter().filter(|note| known.insert(key(note))).take(room).map(annotation).collect();
    let portions = fresh.chunks(ANNOTATIONS_PER_REQUEST_MAX);
    portions
        .map(|portion| {
            let mut body = checks::body(shown);
            if let Some(Value::Object(output)) = body.get_mut("output") {
                output.insert("annotations".to_owned(), portion.into());
            }
            body
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommitSha;
    use crate::report::notes::Level;

    #[test]
    fn notes_go_in_portions_and_only_those_that_are_missing() {
        let shown = CheckRun {
            head: CommitSha::parse(&"a".repeat(40)).unwrap(),
            external_id: "r0123456789".to_owned(),
            conclusion: None,
            title: "t".into(),
            summary: "s".into(),
            buttons: crate::github::Buttons::default(),
        };
        let note = |line| Note {
            path: "a.rs".to_owned(),
            line,
            level: Level::Failure,
            title: "test".into(),
            message: "no".into(),
        };
        let notes: Vec<Note> = (1..=200).map(note).collect();
        let sizes = |there: &BTreeSet<Key>| -> Vec<usize> {
            let bodies = bodies(&shown, &notes, there);
            assert!(bodies.iter().all(|body| body["output"]["summary"] == "s"));
            let of = |body: &Value| body["output"]["annotations"].as_array().unwrap().len();
            bodies.iter().map(of).collect()
        };
        assert_eq!(sizes(&BTreeSet::new()), [50, 50, 50]);
        let most: BTreeSet<Key> = notes.iter().take(140).map(key).collect();
        assert_eq!(sizes(&most), [10], "never more than there may be in all");
        let all: BTreeSet<Key> = notes.iter().map(key).collect();
        assert_eq!(sizes(&all), [0_usize; 0]);
        let twice = [note(1), note(1)];
        let found = bodies(&shown, &twice, &BTreeSet::new());
        assert_eq!(found[0]["output"]["annotations"].as_array().unwrap().len(), 1);
    }
}
