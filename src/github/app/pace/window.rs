//! A rolling window: what was used in the last so many milliseconds, and what is kept free in it
//! for what is more urgent.

use std::collections::VecDeque;

use super::limits::Limits;
use super::load::Priority;
use crate::model::Millis;

/// Uses of a limit that counts over a span of time.
#[derive(Debug)]
pub(super) struct Window {
    span_ms: i64,
    cost_max: u32,
    used: VecDeque<Used>,
    sums: [u32; Priority::ALL.len()],
}

#[derive(Debug, Clone, Copy)]
struct Used {
    at: Millis,
    by: Priority,
    cost: u32,
}

impl Window {
    pub(super) fn new(span_ms: i64, cost_max: u32) -> Self {
        Self { span_ms, cost_max, used: VecDeque::new(), sums: [0; Priority::ALL.len()] }
    }

    /// When `cost` more may be used, `now` at the earliest.
    pub(super) fn free_at(&self, now: Millis, by: Priority, cost: u32) -> Millis {
        let mut sums = self.sums;
        let mut free = now;
        for used in &self.used {
            let over = used.at.plus(self.span_ms);
            if over > now {
                if self.fits(&sums, by, cost) {
                    return free;
                }
                free = over;
            }
            take(&mut sums, *used);
        }
        free
    }

    /// Whether every share that holds `by` has room: its own, and those of the more urgent,
    /// which hold the less urgent too.
    fn fits(&self, sums: &[u32], by: Priority, cost: u32) -> bool {
        Priority::ALL.iter().filter(|level| **level <= by).all(|level| {
            let inside: u32 = sums.iter().skip(level.index()).sum();
            let share = u64::from(self.cost_max) * u64::from(level.share()) / 100;
            u64::from(inside) + u64::from(cost) <= share
        })
    }

    pub(super) fn note(&mut self, now: Millis, by: Priority, cost: u32) {
        if self.cost_max == Limits::NONE {
            return;
        }
        self.forget(now);
        self.used.push_back(Used { at: now, by, cost });
        if let Some(sum) = self.sums.get_mut(by.index()) {
            *sum += cost;
        }
    }

    fn forget(&mut self, now: Millis) {
        while let Some(oldest) = self.used.front().copied() {
            if oldest.at.plus(self.span_ms) > now {
                break;
            }
            take(&mut self.sums, oldest);
            self.used.pop_front();
        }
    }

    /// Nothing in it counts any more.
    pub(super) fn is_over(&self, now: Millis) -> bool {
        self.used.back().is_none_or(|newest| newest.at.plus(self.span_ms) <= now)
    }
}

fn take(sums: &mut [u32], used: Used) {
    if let Some(sum) = sums.get_mut(used.by.index()) {
        *sum = sum.saturating_sub(used.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_urgent_leave_room() {
        let mut window = Window::new(1_000, 10);
        let at = Millis;
        for n in 0..6 {
            assert_eq!(window.free_at(at(n), Priority::Cosmetic, 1), at(n));
            window.note(at(n), Priority::Cosmetic, 1);
        }
        assert_eq!(window.free_at(at(10), Priority::Cosmetic, 1), at(1_000), "60 % are used");
        for n in 10..12 {
            assert_eq!(window.free_at(at(n), Priority::Gate, 1), at(n));
            window.note(at(n), Priority::Gate, 1);
        }
        assert_eq!(window.free_at(at(12), Priority::Gate, 2), at(1_001), "80 % are used");
        assert_eq!(window.free_at(at(12), Priority::Acknowledge, 2), at(12));
        window.note(at(12), Priority::Acknowledge, 2);
        assert_eq!(window.free_at(at(13), Priority::Acknowledge, 1), at(1_000), "all is used");
        assert_eq!(window.free_at(at(1_012), Priority::Cosmetic, 1), at(1_012));
        assert!(!window.is_over(at(1_011)) && window.is_over(at(1_012)));
    }

    #[test]
    fn acknowledgements_do_not_use_up_what_others_may_use() {
        let mut window = Window::new(1_000, 10);
        for n in 0..4 {
            window.note(Millis(n), Priority::Acknowledge, 1);
        }
        assert_eq!(window.free_at(Millis(4), Priority::Cosmetic, 6), Millis(4));
        assert_eq!(window.free_at(Millis(4), Priority::Cosmetic, 7), Millis(1_003), "never fits");
    }
}
