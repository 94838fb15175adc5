//! Logs of jobs that ended, kept for a while: the fixer and the notes on a check read the same.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Logs kept; the oldest go first. Each has at most the bytes that are asked for.
const LOGS_MAX: usize = 64;

/// The ends of logs, each under a name that tells where it is from and when its job ended.
#[derive(Debug, Default)]
pub(super) struct Logs(Mutex<VecDeque<(String, String)>>);

impl Logs {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.lock().iter().find(|(of, _)| of == name).map(|(_, text)| text.clone())
    }

    pub(super) fn keep(&self, name: String, text: &str) {
        let mut kept = self.lock();
        kept.retain(|(of, _)| *of != name);
        kept.push_back((name, text.to_owned()));
        while kept.len() > LOGS_MAX {
            kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first() {
        let logs = Logs::default();
        for n in 0..=LOGS_MAX {
            logs.keep(format!("job {n}"), "text");
        }
        logs.keep("job 5".to_owned(), "other");
        assert_eq!((logs.get("job 0"), logs.get("job 5").as_deref()), (None, Some("other")));
        assert_eq!(logs.lock().len(), LOGS_MAX);
    }
}
