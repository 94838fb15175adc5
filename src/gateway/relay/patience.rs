//! How long a call waits for a provider that has no room, and how often: bounded, and only before
//! the program has heard anything.

use std::time::Duration;

use jiff::fmt::rfc2822;

use crate::model::Millis;

/// The first wait where the provider names none; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The limits of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries of one call, the first included.
    pub tries_max: u32,
    /// One wait; a provider that asks for more is not waited for.
    pub wait_max: Duration,
    /// All waits of one call together.
    pub waits_max: Duration,
}

impl Default for Patience {
    /// Programs wait by themselves as well, and every wait of theirs comes back here.
    fn default() -> Self {
        Self { tries_max: 4, wait_max: Duration::from_secs(30), waits_max: Duration::from_mins(1) }
    }
}

impl Patience {
    /// How long to wait after `tries` tries and `waited`, if the provider `told` so; `None` to give
    /// up.
    pub fn wait(self, tries: u32, waited: Duration, told: Option<Duration>) -> Option<Duration> {
        if tries >= self.tries_max {
            return None;
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
        let wait = told.unwrap_or_else(|| doubled.min(self.wait_max));
        let fits = wait <= self.wait_max && waited.saturating_add(wait) <= self.waits_max;
        fits.then_some(wait)
    }
}

/// `Retry-After`: seconds, or a moment.
pub(super) fn told(retry_after: &str, now: Millis) -> Option<Duration> {
    if let Ok(seconds) = retry_after.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = rfc2822::parse(retry_after.trim()).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(u64::try_from(moment.saturating_sub(now.0)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_grow_and_end() {
        let patience =
            Patience { tries_max: 5, wait_max: 3 * SECOND, waits_max: Duration::from_secs(6) };
        let mut waited = Duration::ZERO;
        let mut waits = Vec::new();
        for tries in 1.. {
            let Some(wait) = patience.wait(tries, waited, None) else { break };
            waited += wait;
            waits.push(wait.as_millis());
        }
        assert_eq!(waits, [500, 1_000, 2_000], "the fourth would be more than all together");
        let few = Patience { tries_max: 2, ..patience };
        assert_eq!(few.wait(1, Duration::ZERO, None), Some(SECOND / 2));
        assert_eq!(few.wait(2, Duration::ZERO, None), None);
    }

    #[test]
    fn what_a_provider_tells_is_kept_to_or_not_waited_for() {
        let patience = Patience::default();
        assert_eq!(patience.wait(1, Duration::ZERO, Some(7 * SECOND)), Some(7 * SECOND));
        assert_eq!(patience.wait(1, Duration::ZERO, Some(31 * SECOND)), None);
        assert_eq!(patience.wait(2, 55 * SECOND, Some(7 * SECOND)), None);
    }

    #[test]
    fn a_moment_is_told_in_seconds_or_as_a_date() {
        let now = Millis(784_111_777_000);
        assert_eq!(told("12", now), Some(12 * SECOND));
        assert_eq!(told("Sun, 06 Nov 1994 08:49:40 GMT", now), Some(3 * SECOND));
        assert_eq!(told("Sun, 06 Nov 1994 08:49:30 GMT", now), Some(Duration::ZERO), "past");
        assert_eq!(told("soon", now), None);
    }
}
