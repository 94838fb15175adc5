//! The model: when an installation may ask next. Pure: moments come in, decisions go out.

use std::time::Duration;

use super::limits::Limits;
use super::load::{Load, Priority};
use super::window::Window;
use crate::github::answer::{LIMIT_WAIT, LIMIT_WAIT_MAX};
use crate::model::Millis;

/// A minute and an hour with some seconds more: what we send evenly may arrive in a heap.
const MINUTE_MS: i64 = 62_000;
const HOUR_MS: i64 = 3_610_000;
/// How far ahead turns are told; beyond it, one asks again then.
const TURNS_MS_MAX: i64 = 60_000;
/// Nobody is sent back for less.
const TURN_MS_MIN: i64 = 250;

/// May it go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    WaitUntil(Millis),
    /// As soon as one of those under way has ended.
    WaitForRoom,
}

/// What an answer's headers say of the primary limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) limit: u32,
    pub(super) left: u32,
    pub(super) reset: Millis,
}

/// The primary limit: so many requests until a moment that GitHub names.
#[derive(Debug)]
struct Primary {
    limit: u32,
    left: u32,
    /// `None` until the first request, or the first answer, of a window.
    reset: Option<Millis>,
}

impl Primary {
    fn free_at(&self, now: Millis, by: Priority) -> Millis {
        let Some(reset) = self.reset.filter(|reset| *reset > now) else { return now };
        if self.limit == Limits::NONE {
            return now;
        }
        let kept = u64::from(self.limit) * u64::from(100 - by.share()) / 100 / 2;
        if u64::from(self.left) > kept { now } else { reset }
    }

    fn begin(&mut self, now: Millis) {
        if self.reset.is_none_or(|reset| reset <= now) {
            self.left = self.limit;
            self.reset = Some(now.plus(HOUR_MS));
        }
        if self.limit != Limits::NONE {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Answers overtake each other, and those under way are not in the figure yet.
    fn heard(&mut self, told: Told, running: u32) {
        self.limit = told.limit;
        self.left = told.left.saturating_sub(running);
        self.reset = Some(told.reset);
    }
}

/// What one installation used lately, and what it may do next.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    points: Window,
    minute: Window,
    hour: Window,
    primary: Primary,
    running: u32,
    last_write: Option<Millis>,
    /// GitHub refused, and is left alone until then.
    held: Option<Millis>,
    /// Refusals in a row that did not say for how long.
    refusals: u32,
    /// The last turn told to somebody of each priority.
    turns: [Millis; Priority::ALL.len()],
}

impl Pace {
    pub(super) fn new(limits: Limits) -> Self {
        let hourly = limits.requests_an_hour_max;
        Self {
            limits,
            points: Window::new(MINUTE_MS, limits.points_a_minute_max),
            minute: Window::new(MINUTE_MS, limits.writes_a_minute_max),
            hour: Window::new(HOUR_MS, limits.writes_an_hour_max),
            primary: Primary { limit: hourly, left: hourly, reset: None },
            running: 0,
            last_write: None,
            held: None,
            refusals: 0,
            turns: [Millis(i64::MIN); Priority::ALL.len()],
        }
    }

    /// Whether `load` may go now, and otherwise when to ask again.
    pub(super) fn ask(&self, now: Millis, load: Load) -> Verdict {
        let at = self.free_at(now, load);
        if at > now {
            return Verdict::WaitUntil(at);
        }
        if self.running >= self.limits.at_once_max {
            return Verdict::WaitForRoom;
        }
        Verdict::Go
    }

    fn free_at(&self, now: Millis, load: Load) -> Millis {
        let by = load.priority;
        let mut at = self.points.free_at(now, by, load.points).max(self.primary.free_at(now, by));
        if load.writes {
            at = at.max(self.minute.free_at(now, by, 1)).max(self.hour.free_at(now, by, 1));
        }
        if load.is_spaced()
            && let Some(last) = self.last_write
        {
            at = at.max(last.plus(self.limits.write_gap_ms));
        }
        self.held.map_or(at, |held| at.max(held))
    }

    /// `load` goes now.
    pub(super) fn begin(&mut self, now: Millis, load: Load) {
        self.running = self.running.saturating_add(1);
        self.points.note(now, load.priority, load.points);
        self.primary.begin(now);
        if load.writes {
            self.minute.note(now, load.priority, 1);
            self.hour.note(now, load.priority, 1);
            self.last_write = Some(now);
        }
    }

    /// One of those under way has ended.
    pub(super) fn end(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// An answer that was no limit came; `told` is what it said of the primary one.
    pub(super) fn heard(&mut self, told: Option<Told>) {
        self.refusals = 0;
        if let Some(told) = told {
            self.primary.heard(told, self.running);
        }
    }

    /// GitHub refused with a limit; how long it is left alone. Told nothing, a minute, and
    /// twice as long at each further time.
    pub(super) fn refused(&mut self, now: Millis, told: Option<Duration>) -> Duration {
        let doubled = LIMIT_WAIT.saturating_mul(1 << self.refusals.min(10)).min(LIMIT_WAIT_MAX);
        let over = self.held.is_none_or(|held| held <= now);
        if told.is_none() && over {
            self.refusals = self.refusals.saturating_add(1);
        }
        let wait = told.unwrap_or(doubled);
        let until = now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.held = Some(self.held.map_or(until, |held| held.max(until)));
        self.left_alone(now).unwrap_or(wait)
    }

    /// How long GitHub is still to be left alone after a refusal.
    pub(super) fn left_alone(&self, now: Millis) -> Option<Duration> {
        let held = self.held.filter(|held| *held > now)?;
        Some(Duration::from_millis(u64::try_from(held.since(now)).unwrap_or(0)))
    }

    /// When `load` can be expected to go with `ahead` writes waiting before it.
    pub(super) fn expected(&self, now: Millis, load: Load, ahead: usize) -> Millis {
        let free = self.free_at(now, load);
        if !load.is_spaced() {
            return free;
        }
        let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
        free.plus(self.limits.write_gap_ms.saturating_mul(ahead))
    }

    /// A turn for somebody who goes away meanwhile: each gets another, so that not all come back
    /// at once. It is a hint, not a reservation.
    pub(super) fn turn(&mut self, now: Millis, load: Load, expected: Millis) -> Millis {
        let gap = self.limits.write_gap_ms.max(1);
        let Some(last) = self.turns.get_mut(load.priority.index()) else { return expected };
        let next = last.plus(gap);
        let near = next <= expected.max(now).plus(TURNS_MS_MAX);
        let turn = if load.is_spaced() && near { expected.max(next) } else { expected };
        if load.is_spaced() {
            *last = turn;
        }
        turn.max(now.plus(TURN_MS_MIN))
    }

    /// Nothing of it matters any more.
    pub(super) fn is_idle(&self, now: Millis) -> bool {
        self.running == 0
            && self.left_alone(now).is_none()
            && [&self.points, &self.minute, &self.hour].into_iter().all(|w| w.is_over(now))
            && self.primary.reset.is_none_or(|reset| reset <= now)
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
