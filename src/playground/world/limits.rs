//! GitHub's secondary limits, enforced on demand: stories run faster than GitHub would let them.
//!
//! The primary limit is always enforced (`State::rate`); these come on top of it.

use std::collections::{BTreeMap, VecDeque};

use super::{Actor, ApiError, ApiResult, World};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Refusals remembered; later ones are only counted.
const REFUSED_MAX: usize = 10_000;
/// What `retry-after` says after a secondary limit, in seconds.
const RETRY_AFTER_S: u32 = 60;

/// What one account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at the same time.
    pub at_once_max: u32,
    /// Points a minute: 1 for a read, 5 for a write.
    pub points_a_minute_max: u32,
    /// The same for GraphQL.
    pub graphql_points_a_minute_max: u32,
    pub writes_a_minute_max: u32,
    pub writes_an_hour_max: u32,
}

impl Default for Limits {
    /// The published ones.
    fn default() -> Self {
        Self {
            at_once_max: 100,
            points_a_minute_max: 900,
            graphql_points_a_minute_max: 2_000,
            writes_a_minute_max: 80,
            writes_an_hour_max: 500,
        }
    }
}

/// Which limit refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    AtOnce,
    Points,
    WritesAMinute,
    WritesAnHour,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at_ms: i64,
    pub account: Account,
    pub why: Why,
    pub path: String,
}

/// Who is limited: an App making tokens of one installation, or that installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    App { app: u64, installation: Option<u64> },
    Installation(u64),
}

/// A request as the limits see it.
#[derive(Clone, Copy, Debug)]
pub struct Weighed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub body: &'a [u8],
}

/// What was seen of the accounts so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub refused: Vec<Refused>,
    pub refused_count: u64,
    /// Most requests of one account, and of all, under way at the same time.
    pub at_once: u32,
    pub at_once_of_all: u32,
    /// Most writes of one account within any minute and any hour, refused ones not counted.
    pub writes_a_minute: usize,
    pub writes_an_hour: usize,
    /// The shortest time between two writes of one account, reactions left out.
    pub write_gap_ms: Option<i64>,
}

#[derive(Debug, Default)]
struct Used {
    at_once: u32,
    points: VecDeque<(i64, u32)>,
    graphql: VecDeque<(i64, u32)>,
    writes: VecDeque<i64>,
    last_spaced: Option<i64>,
}

/// Who used what.
#[derive(Debug)]
pub(crate) struct Ledger {
    limits: Limits,
    used: BTreeMap<Account, Used>,
    at_once: u32,
    record: Record,
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    world: World,
    account: Account,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.world.with(|state| {
            let Some(ledger) = state.limits.as_mut() else { return };
            ledger.at_once = ledger.at_once.saturating_sub(1);
            if let Some(used) = ledger.used.get_mut(&self.account) {
                used.at_once = used.at_once.saturating_sub(1);
            }
        });
    }
}

impl World {
    /// Refuses what goes beyond `limits` from now on.
    pub fn enforce_limits(&self, limits: Limits) {
        let (used, record) = (BTreeMap::new(), Record::default());
        self.with(|state| state.limits = Some(Ledger { limits, used, at_once: 0, record }));
    }

    /// Whether anybody is limited.
    pub fn enforces_limits(&self) -> bool {
        self.with(|state| state.limits.is_some())
    }

    /// What was seen since the limits are enforced.
    pub fn limits_record(&self) -> Record {
        self.with(|state| state.limits.as_ref().map(|one| one.record.clone())).unwrap_or_default()
    }

    /// Lets a request in; it is under way while the slot lives. People are not limited.
    ///
    /// # Errors
    /// GitHub's refusal when it goes beyond a limit.
    pub fn admit(&self, actor: &Actor, request: &Weighed<'_>) -> ApiResult<Option<Slot>> {
        let Some(account) = account(actor, request.path) else { return Ok(None) };
        let admitted = self.with(|state| {
            let now_ms = state.now_ms;
            state.limits.as_mut().map(|ledger| ledger.admit(now_ms, account, request))
        });
        match admitted {
            None => Ok(None),
            Some(Ok(())) => Ok(Some(Slot { world: self.clone(), account })),
            Some(Err(why)) => Err(refusal(why)),
        }
    }
}

fn account(actor: &Actor, path: &str) -> Option<Account> {
    match actor {
        Actor::Anonymous | Actor::User(_) => None,
        Actor::App(app) => {
            let of = path.split_once("/app/installations/").map(|(_, rest)| rest);
            let installation =
                of.and_then(|rest| rest.strip_suffix("/access_tokens")?.parse().ok());
            Some(Account::App { app: *app, installation })
        }
        Actor::Bot { installation, .. } => Some(Account::Installation(*installation)),
    }
}

impl Weighed<'_> {
    fn is_graphql(&self) -> bool {
        self.path.ends_with("/graphql")
    }

    fn reads(&self) -> bool {
        let query = || {
            let body: Option<serde_json::Value> = serde_json::from_slice(self.body).ok();
            let text = body.as_ref().and_then(|body| body.get("query")?.as_str());
            text.is_some_and(|text| !text.trim_start().starts_with("mutation"))
        };
        matches!(self.method, "GET" | "HEAD" | "OPTIONS") || (self.is_graphql() && query())
    }
}

impl Ledger {
    fn admit(&mut self, now_ms: i64, account: Account, asked: &Weighed<'_>) -> Result<(), Why> {
        let (limits, reads) = (self.limits, asked.reads());
        let points = if reads { 1 } else { 5 };
        let writes = !reads && matches!(account, Account::Installation(_));
        let used = self.used.entry(account).or_default();
        used.forget(now_ms);
        if let Some(why) = used.beyond(now_ms, &limits, (points, writes, asked.is_graphql())) {
            self.record.refused_count += 1;
            if self.record.refused.len() < REFUSED_MAX {
                let path = asked.path.to_owned();
                self.record.refused.push(Refused { at_ms: now_ms, account, why, path });
            }
            return Err(why);
        }
        used.at_once += 1;
        self.at_once += 1;
        let queue = if asked.is_graphql() { &mut used.graphql } else { &mut used.points };
        queue.push_back((now_ms, points));
        self.record.at_once = self.record.at_once.max(used.at_once);
        self.record.at_once_of_all = self.record.at_once_of_all.max(self.at_once);
        if writes {
            used.writes.push_back(now_ms);
            let spaced = !asked.path.ends_with("/reactions");
            if let Some(last) = used.last_spaced.filter(|_| spaced) {
                let gap = self.record.write_gap_ms.unwrap_or(i64::MAX);
                self.record.write_gap_ms = Some(gap.min(now_ms - last));
            }
            used.last_spaced = if spaced { Some(now_ms) } else { used.last_spaced };
            self.record.writes_an_hour = self.record.writes_an_hour.max(used.writes.len());
            let lately = used.writes_since(now_ms - MINUTE_MS);
            self.record.writes_a_minute = self.record.writes_a_minute.max(lately);
        }
        Ok(())
    }
}

impl Used {
    fn forget(&mut self, now_ms: i64) {
        for queue in [&mut self.points, &mut self.graphql] {
            while queue.front().is_some_and(|(at, _)| at + MINUTE_MS <= now_ms) {
                queue.pop_front();
            }
        }
        while self.writes.front().is_some_and(|at| at + HOUR_MS <= now_ms) {
            self.writes.pop_front();
        }
    }

    fn writes_since(&self, after_ms: i64) -> usize {
        self.writes.iter().rev().take_while(|at| **at > after_ms).count()
    }

    /// The limit that a request would break.
    fn beyond(
        &self,
        now_ms: i64,
        limits: &Limits,
        (points, writes, graphql): (u32, bool, bool),
    ) -> Option<Why> {
        let sum = |queue: &VecDeque<(i64, u32)>| queue.iter().map(|(_, cost)| cost).sum::<u32>();
        let (spent, points_max) = if graphql {
            (sum(&self.graphql), limits.graphql_points_a_minute_max)
        } else {
            (sum(&self.points), limits.points_a_minute_max)
        };
        let minute = self.writes_since(now_ms - MINUTE_MS);
        let too_many = |count: usize, max: u32| writes && count >= max as usize;
        if self.at_once >= limits.at_once_max {
            return Some(Why::AtOnce);
        }
        if spent + points > points_max {
            return Some(Why::Points);
        }
        if too_many(minute, limits.writes_a_minute_max) {
            return Some(Why::WritesAMinute);
        }
        too_many(self.writes.len(), limits.writes_an_hour_max).then_some(Why::WritesAnHour)
    }
}

fn refusal(why: Why) -> ApiError {
    let (status, message) = match why {
        Why::AtOnce | Why::Points => (
            403,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try \
             again.",
        ),
        Why::WritesAMinute | Why::WritesAnHour => (
            429,
            "You have exceeded a secondary rate limit and have been temporarily blocked from \
             content creation. Please retry your request again later.",
        ),
    };
    let mut refused = ApiError::new(status, message);
    refused.headers.push(("retry-after".to_owned(), RETRY_AFTER_S.to_string()));
    refused
}
