//! The fault plan: which call goes wrong, how, and whether its effect was applied all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{ApiError, Failure};

/// One wrong answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub failure: Failure,
    /// The answer's status; without meaning when nothing is answered.
    pub status: u16,
    pub body: Option<Value>,
    pub headers: Vec<(String, String)>,
    /// Whether the operation is done before its answer goes wrong.
    pub apply: bool,
}

impl Fault {
    pub fn status(status: u16, apply: bool) -> Self {
        let (failure, headers) = (Failure::Answer, Vec::new());
        Self { failure, status, body: None, headers, apply }
    }

    pub fn timeout(apply: bool) -> Self {
        Self { failure: Failure::Timeout, ..Self::status(504, apply) }
    }

    pub fn reset(apply: bool) -> Self {
        Self { failure: Failure::Reset, ..Self::status(502, apply) }
    }

    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn into_error(self) -> ApiError {
        let said = self.body.as_ref().and_then(|body| body.get("message")?.as_str());
        let message = said.unwrap_or("Server Error").to_owned();
        ApiError {
            failure: self.failure,
            status: self.status,
            message,
            body: self.body,
            headers: self.headers,
        }
    }
}

/// How often calls go wrong by themselves, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRates {
    /// 502 without effect.
    pub refused: u32,
    /// 500, timeout or reset although the effect was applied.
    pub lost_answer: u32,
    /// No more faults than this in all.
    pub faults_max: u32,
}

impl Default for FaultRates {
    fn default() -> Self {
        Self { refused: 30, lost_answer: 20, faults_max: 12 }
    }
}

/// Planned and random faults.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    planned: BTreeMap<(bool, String, u32), Fault>,
    chaos: Option<(fastrand::Rng, FaultRates, u32)>,
    smudge: Option<(String, Vec<u8>)>,
}

impl FaultPlan {
    /// The `nth` call of an operation by an App goes wrong; counted from 1, from the World's
    /// beginning.
    pub fn on(&mut self, operation: &str, nth: u32, fault: Fault) {
        self.planned.insert((true, operation.to_owned(), nth), fault);
    }

    /// The same for calls by people, which chance never harms.
    pub fn on_people(&mut self, operation: &str, nth: u32, fault: Fault) {
        self.planned.insert((false, operation.to_owned(), nth), fault);
    }

    /// Random faults for Apps, the same for the same seed and the same order of calls.
    pub fn chaos(&mut self, seed: u64) {
        self.chaos_at(seed, FaultRates::default());
    }

    pub fn chaos_at(&mut self, seed: u64, rates: FaultRates) {
        self.chaos = Some((fastrand::Rng::with_seed(seed), rates, 0));
    }

    /// Commits that are made for somebody get this file beside what was asked for.
    pub fn smudge(&mut self, path: &str, bytes: &[u8]) {
        self.smudge = Some((path.to_owned(), bytes.to_vec()));
    }

    pub(in crate::playground) fn smudged(&self) -> Option<(String, Vec<u8>)> {
        self.smudge.clone()
    }

    /// Forgets every plan.
    pub fn calm(&mut self) {
        *self = Self::default();
    }

    pub(super) fn take(&mut self, by_app: bool, operation: &str, nth: u32) -> Option<Fault> {
        if let Some(fault) = self.planned.remove(&(by_app, operation.to_owned(), nth)) {
            return Some(fault);
        }
        if !by_app {
            return None;
        }
        let (rng, rates, made) = self.chaos.as_mut()?;
        let dice = rng.u32(0..1000);
        let fault = if dice < rates.refused {
            Fault::status(502, false)
        } else if dice < rates.refused + rates.lost_answer {
            match rng.u32(0..3) {
                0 => Fault::status(500, true),
                1 => Fault::status(502, true),
                _ => Fault::reset(true),
            }
        } else {
            return None;
        };
        *made += 1;
        (*made <= rates.faults_max).then_some(fault)
    }
}
