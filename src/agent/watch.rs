//! Sees that an agent has got stuck, from what it says and does not say.
//!
//! Time is handed in. Silence alone is no sign: tests run long and retries are silent, so the
//! gateway has to be silent too.

use std::collections::VecDeque;

use super::event::{Event, Said, Summary};
use super::outcome::Stopped;
use crate::model::{Millis, Trouble};

/// When an agent is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Neither an event nor a byte through the gateway.
    pub idle_ms_max: i64,
    /// The same call, one after the other.
    pub same_calls_max: u32,
    /// The same failure of a tool, and no success in between.
    pub same_errors_max: u32,
    /// Times it goes back from B to A, doing nothing but A and B.
    pub returns_max: u32,
    /// Turns: a call of a tool after an answer. Where a dialect tells of tools only when they
    /// are done, each call counts.
    pub turns_max: u32,
    /// Requests that the gateway refused; whoever is told no so often does not listen.
    pub refused_max: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            idle_ms_max: 10 * 60_000,
            same_calls_max: 8,
            same_errors_max: 8,
            returns_max: 6,
            turns_max: 500,
            refused_max: 200,
        }
    }
}

/// Watches one agent.
#[derive(Debug)]
pub struct Watch {
    patience: Patience,
    heard: Millis,
    turns: u32,
    /// Whether something other than a call came since the last call.
    rested: bool,
    same: u32,
    /// The last two different calls that were made in turn.
    last: VecDeque<(u64, Summary)>,
    returns: u32,
    errors: u32,
    error: Summary,
}

impl Watch {
    pub fn new(patience: Patience, now: Millis) -> Self {
        Self {
            patience,
            heard: now,
            turns: 0,
            rested: true,
            same: 0,
            last: VecDeque::new(),
            returns: 0,
            errors: 0,
            error: Summary::default(),
        }
    }

    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// Takes in an event; says when it is enough.
    pub fn event(&mut self, event: &Event, now: Millis) -> Option<Stopped> {
        self.heard = now;
        match event {
            Event::ToolStart { summary, call, .. } => self.called(summary, *call),
            Event::ToolEnd { ok, said, .. } => self.answered(*ok, said),
            Event::Text(_) => {
                self.rested = true;
                None
            }
            Event::Ended(Said::Done | Said::Quiet | Said::Failed { .. } | Said::Nothing)
            | Event::Started { .. }
            | Event::Retry { .. }
            | Event::Usage(_)
            | Event::Steps { .. }
            | Event::Beat => None,
        }
    }

    /// Asks whether it is silent for too long; `traffic` is when something last went through
    /// the gateway.
    pub fn tick(&self, now: Millis, traffic: Option<Millis>) -> Option<Stopped> {
        let last = traffic.map_or(self.heard, |traffic| traffic.max(self.heard));
        let silent = now.since(last);
        (silent > self.patience.idle_ms_max).then(|| Stopped {
            trouble: Trouble::Killed,
            why: format!(
                "it neither said anything nor asked its model for {} s",
                silent.saturating_div(1_000)
            ),
        })
    }

    /// Asks whether it goes on asking its model although the gateway has refused it so often.
    pub fn refused(&self, times: u64) -> Option<Stopped> {
        (times > self.patience.refused_max).then(|| Stopped {
            trouble: Trouble::Killed,
            why: format!("it went on asking its model although {times} requests were refused"),
        })
    }

    fn called(&mut self, summary: &Summary, call: Option<u64>) -> Option<Stopped> {
        if std::mem::take(&mut self.rested) {
            self.turns = self.turns.saturating_add(1);
        }
        if self.turns > self.patience.turns_max {
            let why = format!("it took {} turns, as many as it may", self.patience.turns_max);
            return Some(Stopped { trouble: Trouble::Limit, why });
        }
        let Some(call) = call else {
            self.forget();
            return None;
        };
        self.repeated(call, summary).or_else(|| self.returned(call, summary))
    }

    fn repeated(&mut self, call: u64, summary: &Summary) -> Option<Stopped> {
        let again = self.last.back().is_some_and(|(last, _)| *last == call);
        self.same = if again { self.same.saturating_add(1) } else { 1 };
        (self.same > self.patience.same_calls_max).then(|| Stopped {
            trouble: Trouble::Killed,
            why: format!(
                "it made the same call {} times in a row: {}",
                self.same,
                summary.as_str()
            ),
        })
    }

    fn returned(&mut self, call: u64, summary: &Summary) -> Option<Stopped> {
        if self.last.back().is_some_and(|(last, _)| *last == call) {
            return None;
        }
        let is_return =
            self.last.len() == 2 && self.last.front().is_some_and(|(before, _)| *before == call);
        self.returns = if is_return { self.returns.saturating_add(1) } else { 0 };
        let other = self.last.back().map(|(_, other)| other.clone()).unwrap_or_default();
        self.last.push_back((call, summary.clone()));
        if self.last.len() > 2 {
            self.last.pop_front();
        }
        (self.returns > self.patience.returns_max).then(|| Stopped {
            trouble: Trouble::Killed,
            why: format!(
                "it went back and forth between two calls {} times: {} and {}",
                self.returns,
                summary.as_str(),
                other.as_str()
            ),
        })
    }

    fn answered(&mut self, ok: bool, said: &Summary) -> Option<Stopped> {
        self.rested = true;
        if ok {
            self.errors = 0;
            return None;
        }
        self.errors = if *said == self.error { self.errors.saturating_add(1) } else { 1 };
        self.error = said.clone();
        (self.errors > self.patience.same_errors_max).then(|| Stopped {
            trouble: Trouble::Killed,
            why: format!(
                "its tools failed {} times in the same way: {}",
                self.errors,
                if said.as_str().is_empty() { "without a word" } else { said.as_str() }
            ),
        })
    }

    fn forget(&mut self) {
        self.last.clear();
        self.same = 0;
        self.returns = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::event::{Tool, Words};

    const START: Millis = Millis(1_000);

    fn patience() -> Patience {
        Patience {
            idle_ms_max: 60_000,
            same_calls_max: 3,
            same_errors_max: 2,
            returns_max: 2,
            turns_max: 20,
            refused_max: 3,
        }
    }

    fn call(of: &str) -> Event {
        let call = of.bytes().map(u64::from).sum();
        Event::ToolStart { tool: Tool::Shell, summary: of.into(), call: Some(call) }
    }

    fn answer(ok: bool, said: &str) -> Event {
        Event::ToolEnd { ok, exit: None, said: said.into() }
    }

    /// What stops it, after how many of the events.
    fn stopped(events: &[Event]) -> Option<(usize, Stopped)> {
        let mut watch = Watch::new(patience(), START);
        let mut heard = events.iter().enumerate();
        heard.find_map(|(at, event)| Some((at + 1, watch.event(event, START)?)))
    }

    #[test]
    fn silence_counts_only_when_the_gateway_is_silent_too() {
        let mut watch = Watch::new(patience(), START);
        assert_eq!(watch.event(&Event::Text(Words::from("x")), START.plus(5_000)), None);
        assert_eq!(watch.tick(START.plus(65_000), None), None);
        assert_eq!(watch.tick(START.plus(90_000), Some(START.plus(40_000))), None);
        let stop = watch.tick(START.plus(101_000), Some(START.plus(40_000))).unwrap();
        assert_eq!(stop.trouble, Trouble::Killed);
        insta::assert_snapshot!(stop.why,
            @"it neither said anything nor asked its model for 61 s");
    }

    #[test]
    fn who_goes_on_asking_after_many_refusals_is_stopped() {
        let watch = Watch::new(patience(), START);
        assert_eq!(watch.refused(3), None);
        let stop = watch.refused(4).unwrap();
        assert_eq!(stop.trouble, Trouble::Killed);
        insta::assert_snapshot!(stop.why,
            @"it went on asking its model although 4 requests were refused");
    }

    #[test]
    fn the_same_call_over_and_over_is_stopped_with_its_name() {
        let events = vec![call("echo tick"); 9];
        let (at, stop) = stopped(&events).unwrap();
        assert_eq!(at, 4);
        insta::assert_snapshot!(stop.why, @"it made the same call 4 times in a row: echo tick");
    }

    #[test]
    fn going_back_and_forth_is_stopped_and_working_is_not() {
        let forth: Vec<Event> = (0..20).map(|n| call(if n % 2 == 0 { "a" } else { "b" })).collect();
        let (at, stop) = stopped(&forth).unwrap();
        assert_eq!(at, 5);
        insta::assert_snapshot!(stop.why,
            @"it went back and forth between two calls 3 times: a and b");
        let work: Vec<Event> =
            (0..10).flat_map(|n| [call("test"), call(&format!("edit {n}"))]).collect();
        assert_eq!(stopped(&work), None, "the tests between different edits");
    }

    #[test]
    fn the_same_failure_is_stopped_unless_something_worked() {
        let (at, stop) = stopped(&vec![answer(false, "no such file"); 5]).unwrap();
        assert_eq!(at, 3);
        insta::assert_snapshot!(stop.why,
            @"its tools failed 3 times in the same way: no such file");
        let mixed: Vec<Event> = (0..20).map(|n| answer(n % 3 == 2, "no such file")).collect();
        assert_eq!(stopped(&mixed), None);
        let others: Vec<Event> = (0..20).map(|n| answer(false, &format!("{n}"))).collect();
        assert_eq!(stopped(&others), None);
    }

    #[test]
    fn turns_are_counted_and_bounded() {
        let turn = |n: usize| [call(&"x".repeat(n + 1)), answer(true, "")];
        let events: Vec<Event> = (0..30).flat_map(turn).collect();
        let (at, stop) = stopped(&events).unwrap();
        assert_eq!((at, stop.trouble), (41, Trouble::Limit));
        insta::assert_snapshot!(stop.why, @"it took 20 turns, as many as it may");
        let at_once: Vec<Event> = (0..30).map(|n| call(&"x".repeat(n + 1))).collect();
        assert_eq!(stopped(&at_once), None, "calls of one turn");
    }

    #[test]
    fn calls_that_do_not_tell_all_of_themselves_are_never_the_same() {
        let edit = Event::ToolStart { tool: Tool::Edit, summary: "a.rs".into(), call: None };
        assert_eq!(stopped(&vec![edit; 50]), None);
    }

    proptest! {
        #[test]
        fn different_calls_that_succeed_are_never_stopped(seed in any::<u64>(), n in 1..20_u64) {
            let mut watch = Watch::new(patience(), START);
            for at in 0..n {
                let call = Some(seed.wrapping_add(at));
                let start = Event::ToolStart { tool: Tool::Edit, summary: "x".into(), call };
                prop_assert_eq!(watch.event(&start, START), None);
                prop_assert_eq!(watch.event(&answer(true, ""), START), None);
            }
        }
    }
}
