//! Pools: agents that share a house rest together when the house has had enough.

use std::collections::BTreeMap;

use crate::model::{Millis, Trouble};

/// How long a pool rests, in milliseconds, unless its house says otherwise.
pub const REST_MS: i64 = 30 * 60_000;
/// A failure within so many milliseconds is a fast one.
pub const FAST_MS: i64 = 60_000;
/// Fast failures in a row after which a pool rests.
pub const FAST_FAILURES_MAX: u32 = 3;

/// What is known of every pool, in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pools {
    failures: BTreeMap<String, u32>,
    resting: BTreeMap<String, Millis>,
}

impl Pools {
    /// Notes how an agent of `pool` ended that was started `took_ms` ago; says until when the
    /// pool rests, when that is news.
    pub fn note(
        &mut self,
        pool: &str,
        ended: Result<(), Trouble>,
        (now, took_ms): (Millis, i64),
    ) -> Option<Millis> {
        let rests = match ended {
            Err(Trouble::RateLimit) => true,
            Err(trouble) if trouble.is_for_another() && took_ms < FAST_MS => {
                let failures = self.failures.entry(pool.to_owned()).or_default();
                *failures = failures.saturating_add(1);
                *failures >= FAST_FAILURES_MAX
            }
            Ok(()) | Err(_) => {
                self.failures.remove(pool);
                false
            }
        };
        if !rests {
            return None;
        }
        self.failures.remove(pool);
        let until = now.plus(REST_MS);
        self.resting.insert(pool.to_owned(), until);
        Some(until)
    }

    /// The pools that rest at `now`, and until when.
    pub fn resting(&mut self, now: Millis) -> BTreeMap<String, Millis> {
        self.resting.retain(|_, until| *until > now);
        self.resting.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn three_fast_failures_in_a_row_are_enough_and_a_slow_one_breaks_the_row() {
        let mut pools = Pools::default();
        let mut ended = |took_ms| pools.note("house", Err(Trouble::Server), (NOW, took_ms));
        assert_eq!(ended(1_000), None);
        assert_eq!(ended(1_000), None);
        assert_eq!(ended(FAST_MS), None, "a slow one");
        assert_eq!(ended(1_000), None);
        assert_eq!(ended(1_000), None);
        assert_eq!(ended(1_000), Some(NOW.plus(REST_MS)));
        assert_eq!(pools.resting(NOW).len(), 1);
        assert!(pools.resting(NOW.plus(REST_MS)).is_empty(), "and then it is asked again");
    }

    #[test]
    fn one_refusal_for_asking_too_often_is_enough_and_others_go_on() {
        let mut pools = Pools::default();
        assert!(pools.note("a", Err(Trouble::RateLimit), (NOW, FAST_MS * 9)).is_some());
        assert_eq!(pools.note("b", Err(Trouble::Limit), (NOW, 1)), None);
        assert_eq!(pools.note("b", Ok(()), (NOW, 1)), None);
        assert_eq!(pools.resting(NOW).keys().collect::<Vec<_>>(), ["a"]);
    }
}
