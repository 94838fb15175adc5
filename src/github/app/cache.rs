//! Answers kept with their `ETag`: asking again for what did not change costs nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::wire::{Answer, Request};
use crate::model::InstallationId;

/// Answers kept; the longest unused go first.
const ENTRIES_MAX: usize = 2_000;
/// Bytes kept of all answers, and the most of one.
const BYTES_MAX: usize = 32 * 1024 * 1024;
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Longest mark kept, in bytes.
const ETAG_BYTES_MAX: usize = 256;
/// What an entry takes beside its texts, about, in bytes.
const ENTRY_BYTES: usize = 256;

/// Whose answer, in which form, from where. What one installation may see, another may not.
type Key = (InstallationId, &'static str, String);

/// An answer as it was.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) etag: String,
    pub(super) body: Arc<[u8]>,
    /// It had a further page.
    pub(super) more: bool,
}

#[derive(Debug)]
struct Entry {
    kept: Kept,
    bytes: usize,
    turn: u64,
}

#[derive(Debug, Default)]
struct Shelf {
    entries: BTreeMap<Key, Entry>,
    /// By when it was used last.
    turns: BTreeMap<u64, Key>,
    turn: u64,
    bytes: usize,
}

/// Bounded in number and size.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Shelf>);

fn key(whose: InstallationId, request: &Request) -> Option<Key> {
    // The end of a log is not an answer, and a question in a body has no address.
    let may_be_kept = request.read && request.body.is_none() && request.tail.is_none();
    may_be_kept.then(|| (whose, super::wire::ACCEPT, request.path.clone()))
}

impl Cache {
    /// What was answered last, which may have changed since.
    pub(super) fn last(&self, whose: InstallationId, request: &Request) -> Option<Kept> {
        let key = key(whose, request)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).touch(&key)
    }

    /// Keeps a complete answer that has a mark.
    pub(super) fn keep(&self, whose: InstallationId, request: &Request, answer: &Answer) {
        let Some(key) = key(whose, request) else { return };
        let Some(etag) = answer.etag().filter(|etag| etag.len() <= ETAG_BYTES_MAX) else { return };
        if answer.status != 200 || answer.body.len() > ANSWER_BYTES_MAX {
            return;
        }
        let more = answer.has_next() == Some(true);
        let kept = Kept { etag: etag.to_owned(), body: answer.body.as_slice().into(), more };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, kept);
    }
}

impl Shelf {
    fn touch(&mut self, key: &Key) -> Option<Kept> {
        let entry = self.entries.get_mut(key)?;
        self.turns.remove(&entry.turn);
        self.turn += 1;
        entry.turn = self.turn;
        self.turns.insert(self.turn, key.clone());
        Some(entry.kept.clone())
    }

    fn put(&mut self, key: Key, kept: Kept) {
        self.drop(&key);
        let bytes = ENTRY_BYTES + kept.body.len() + kept.etag.len() + 2 * key.2.len();
        self.turn += 1;
        let turn = self.turn;
        self.turns.insert(turn, key.clone());
        self.entries.insert(key, Entry { kept, bytes, turn });
        self.bytes += bytes;
        while self.entries.len() > ENTRIES_MAX || self.bytes > BYTES_MAX {
            let Some((_, oldest)) = self.turns.pop_first() else { return };
            self.drop(&oldest);
        }
    }

    fn drop(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.turns.remove(&entry.turn);
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        Kept { etag: "\"x\"".to_owned(), body: vec![0; bytes].into(), more: false }
    }

    fn name(number: usize) -> Key {
        (InstallationId(1), "json", format!("/{number:06}"))
    }

    #[test]
    fn the_longest_unused_go_when_there_are_too_many() {
        let mut shelf = Shelf::default();
        for number in 0..ENTRIES_MAX {
            shelf.put(name(number), kept(1));
        }
        assert!(shelf.touch(&name(0)).is_some());
        shelf.put(name(ENTRIES_MAX), kept(1));
        assert!(shelf.touch(&name(0)).is_some(), "it was used just now");
        assert!(shelf.touch(&name(1)).is_none(), "it was not");
        assert_eq!((shelf.entries.len(), shelf.turns.len()), (ENTRIES_MAX, ENTRIES_MAX));
    }

    #[test]
    fn bytes_are_bounded_and_counted_once() {
        let mut shelf = Shelf::default();
        for _again in 0..3 {
            shelf.put(name(0), kept(ANSWER_BYTES_MAX));
        }
        let one = shelf.bytes;
        assert!((ANSWER_BYTES_MAX..ANSWER_BYTES_MAX + 1_000).contains(&one));
        for number in 0..100 {
            shelf.put(name(number), kept(ANSWER_BYTES_MAX));
            assert!(shelf.bytes <= BYTES_MAX);
        }
        assert_eq!(shelf.entries.len(), BYTES_MAX / one);
        assert_eq!(shelf.bytes, shelf.entries.len() * one);
    }

    #[test]
    fn installations_and_questions_are_kept_apart() {
        let get = Request::get("issue", "/repos/o/r/issues/1".to_owned());
        assert_ne!(key(InstallationId(1), &get), key(InstallationId(2), &get));
        let mut log = get.clone();
        log.tail = Some(10);
        assert_eq!(key(InstallationId(1), &log), None);
        let mut question = get;
        question.body = Some(serde_json::json!({}));
        assert_eq!(key(InstallationId(1), &question), None);
    }
}
