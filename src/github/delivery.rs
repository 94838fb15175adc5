//! GitHub's own log of what it sent us, and when a delivery that failed is asked for again.

use std::collections::BTreeMap;

use crate::model::{DeliveryId, Millis};

/// Most pages read of the log; 100 deliveries each.
pub const LOG_PAGES_MAX: u32 = 50;

/// Which deliveries of the log are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those that were answered with 400 to 599, or not at all.
    Failed,
}

/// One attempt to deliver, as the log lists it. A redelivery is another attempt with the same
/// GUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The attempt.
    pub id: u64,
    pub guid: DeliveryId,
    pub at: Millis,
    /// What the receiver answered.
    pub status_code: u16,
    pub event: String,
    pub action: Option<String>,
}

impl Logged {
    pub fn is_received(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    /// Oldest first.
    pub entries: Vec<Logged>,
    /// There is nothing in the log, however old: the App has no webhook, or nothing happens.
    pub silent: bool,
}

/// What GitHub kept of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub event: String,
    /// The payload, not in the bytes that were signed.
    pub body: Vec<u8>,
}

/// The newest attempt of every delivery that failed and that it is time to ask for again, newest
/// first. Asked for at once when it failed for the first time, then after `pause_ms`, and after
/// twice as long each time.
pub fn due(entries: &[Logged], now: Millis, pause_ms: i64) -> Vec<&Logged> {
    let mut attempts: BTreeMap<&DeliveryId, (u32, &Logged, bool)> = BTreeMap::new();
    for entry in entries {
        let known = attempts.entry(&entry.guid).or_insert((0, entry, false));
        known.0 += 1;
        if entry.at >= known.1.at {
            known.1 = entry;
        }
        known.2 |= entry.is_received();
    }
    let over = |(count, last, received): &(u32, &Logged, bool)| {
        let patience_ms = match count.saturating_sub(1) {
            0 => 0,
            failed => pause_ms.saturating_mul(1 << failed.saturating_sub(1).min(20)),
        };
        !received && last.at.plus(patience_ms) <= now
    };
    let mut due: Vec<&Logged> =
        attempts.into_values().filter(over).map(|(_, last, _)| last).collect();
    due.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64, guid: &str, at: i64, status_code: u16) -> Logged {
        let guid = DeliveryId::parse(guid).unwrap();
        let (event, action) = ("issues".to_owned(), None);
        Logged { id, guid, at: Millis(at), status_code, event, action }
    }

    fn ids(entries: &[Logged], now: i64) -> Vec<u64> {
        due(entries, Millis(now), 100).into_iter().map(|one| one.id).collect()
    }

    #[test]
    fn what_failed_once_is_due_at_once_and_what_failed_again_later_and_later() {
        let mut log = vec![entry(1, "a", 0, 500), entry(2, "b", 5, 504)];
        assert_eq!(ids(&log, 5), [2, 1], "the newest first");
        log.push(entry(3, "a", 10, 502));
        assert_eq!(ids(&log, 109), [2], "its first redelivery failed a moment ago");
        assert_eq!(ids(&log, 110), [3, 2]);
        log.push(entry(4, "a", 110, 502));
        assert_eq!(ids(&log, 309), [2]);
        assert_eq!(ids(&log, 310), [4, 2], "twice as long");
    }

    #[test]
    fn what_was_received_in_the_end_is_never_due() {
        let log = [entry(1, "a", 0, 500), entry(2, "a", 5, 202), entry(3, "b", 5, 200)];
        assert!(ids(&log, i64::MAX).is_empty());
        let redirected = [entry(4, "c", 0, 302)];
        assert_eq!(ids(&redirected, 0), [4], "a redirect is not followed");
    }

    #[test]
    fn patience_does_not_overflow() {
        let log: Vec<Logged> = (0..80).map(|n| entry(n, "a", 0, 500)).collect();
        assert!(due(&log, Millis(i64::MAX - 1), i64::MAX).is_empty());
    }
}
