//! Budgets: what may be spent and over what, what of it is used, and when it is free again.
//!
//! Money is counted in millionths of a US dollar, called micros. A scope without a cap is not
//! limited. Days and months are those of UTC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::money::dollars;
use super::{CommentId, Millis, User};

/// How long a person's `/budget` raises a cap, in milliseconds.
pub const RAISE_MS: i64 = 7 * 24 * 3_600_000;
/// Most that one run may be raised by at a time, in micros.
pub const RAISE_MICROS_MAX: u64 = 100_000_000;
/// Most that one call can be reserved at, in micros: a million dollars.
pub const CALL_MICROS_MAX: u64 = 1_000_000_000_000;
/// People are warned when so much of a cap is spent.
const WARNING_PERCENT: u64 = 80;
/// The last part of a run's cap, which only a wrap-up may use.
const WRAP_UP_PERCENT: u64 = 10;

/// What spending is counted over, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One call of a model.
    Call,
    /// One stage of one run, however often it is entered.
    Stage,
    Run,
    /// All runs of one issue.
    Issue,
    /// One repository in a month.
    Repository,
    /// The runs one person asked for in a month, wherever they are.
    User,
    /// One installation of the App in a month.
    Installation,
    /// Everything in a day.
    Day,
    /// Everything in a month.
    Month,
}

impl Scope {
    pub const ALL: [Self; 9] = [
        Self::Call,
        Self::Stage,
        Self::Run,
        Self::Issue,
        Self::Repository,
        Self::User,
        Self::Installation,
        Self::Day,
        Self::Month,
    ];

    /// The word for it in settings, tables and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Stage => "stage",
            Self::Run => "run",
            Self::Issue => "issue",
            Self::Repository => "repository",
            Self::User => "user",
            Self::Installation => "installation",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// What may not spend more, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Call => "one call of a model",
            Self::Stage => "this stage of the run",
            Self::Run => "this run",
            Self::Issue => "this issue",
            Self::Repository => "this repository in this month",
            Self::User => "whoever asked for this run in this month",
            Self::Installation => "this installation in this month",
            Self::Day => "everything here together on this day",
            Self::Month => "everything here together in this month",
        }
    }

    pub fn window(self) -> Window {
        match self {
            Self::Call | Self::Stage | Self::Run | Self::Issue => Window::Ever,
            Self::Day => Window::Day,
            Self::Repository | Self::User | Self::Installation | Self::Month => Window::Month,
        }
    }

    /// Whether `/budget` raises it; the others are shared with other runs, or bound one call.
    pub fn is_raisable(self) -> bool {
        match self {
            Self::Stage | Self::Run | Self::Issue => true,
            Self::Call
            | Self::Repository
            | Self::User
            | Self::Installation
            | Self::Day
            | Self::Month => false,
        }
    }
}

/// The time a cap is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Ever,
    Day,
    Month,
}

impl Window {
    /// When the window of `at` began; 0 for what has no end.
    pub fn begin(self, at: Millis) -> Millis {
        self.bounds(at).map_or(Millis(0), |(begin, _)| begin)
    }

    /// When the window of `at` ends and the next one begins with nothing spent.
    pub fn renews(self, at: Millis) -> Option<Millis> {
        self.bounds(at).map(|(_, end)| end)
    }

    fn bounds(self, at: Millis) -> Option<(Millis, Millis)> {
        let utc = jiff::tz::TimeZone::UTC;
        let day = jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(utc.clone()).date();
        let (first, last) = match self {
            Self::Ever => return None,
            Self::Day => (day, day),
            Self::Month => (day.first_of_month(), day.last_of_month()),
        };
        let begin = |day: jiff::civil::Date| {
            Some(Millis(day.to_zoned(utc.clone()).ok()?.timestamp().as_millisecond()))
        };
        Some((begin(first)?, begin(last.tomorrow().ok()?)?))
    }
}

/// The most that may be spent in each scope, in micros.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Caps(BTreeMap<Scope, u64>);

impl Caps {
    pub fn of(&self, scope: Scope) -> Option<u64> {
        self.0.get(&scope).copied()
    }

    /// These caps, with `scope` at `micros` at most.
    #[must_use]
    pub fn with(mut self, scope: Scope, micros: u64) -> Self {
        let cap = self.0.entry(scope).or_insert(micros);
        *cap = micros.min(*cap);
        self
    }

    /// The smaller of both, scope by scope: whoever says more changes nothing.
    #[must_use]
    pub fn lowered_by(self, other: &Self) -> Self {
        other.0.iter().fold(self, |caps, (scope, micros)| caps.with(*scope, *micros))
    }

    /// What `/budget` may raise, raised by this much.
    #[must_use]
    pub fn raised_by(mut self, micros: u64) -> Self {
        for (_, cap) in self.0.iter_mut().filter(|(scope, _)| scope.is_raisable()) {
            *cap = cap.saturating_add(micros);
        }
        self
    }
}

fn part(whole: u64, percent: u64) -> u64 {
    let part = u128::from(whole) * u128::from(percent) / 100;
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// What of a scope is used, in micros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Used {
    pub spent: u64,
    /// By calls that are not settled, at their worst.
    pub reserved: u64,
}

impl Used {
    pub fn total(self) -> u64 {
        self.spent.saturating_add(self.reserved)
    }
}

/// What is used, scope by scope; what is not named is not used at all.
pub type Usage = BTreeMap<Scope, Used>;

/// A call of a model that is about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What it costs at most, in micros.
    pub worst: u64,
    /// It only says what was done; the last part of the run's cap is kept for that.
    pub is_wrap_up: bool,
}

/// Why a call was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Full {
    pub scope: Scope,
    pub cap: u64,
    /// The part of the cap that this call may not use.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept: u64,
    pub used: Used,
    /// What the call would have cost at worst.
    pub asked: u64,
    /// When nothing of it is used any more; `None` when that does not happen by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Millis>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Full {
    /// The fact in one sentence, without a full stop.
    pub fn words(&self) -> String {
        let (what, cap) = (self.scope.words(), dollars(self.cap));
        let asked = dollars(self.asked);
        if self.scope == Scope::Call {
            return format!("{what} may cost {cap}, and the next one may cost up to {asked}");
        }
        let kept = match self.kept {
            0 => String::new(),
            kept => format!(", the last {} of it for a wrap-up,", dollars(kept)),
        };
        let used = dollars(self.used.total());
        format!(
            "{what} may spend {cap}{kept} and has used {used}; the next call may cost up to {asked}"
        )
    }
}

/// A cap of which most is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    pub scope: Scope,
    pub cap: u64,
    pub spent: u64,
}

/// Whether a call fits into every cap. Where several are full, it is the widest that is told:
/// raising a narrower one would not help.
pub fn room(caps: &Caps, used: &Usage, call: Call, at: Millis) -> Result<(), Full> {
    for scope in Scope::ALL.into_iter().rev() {
        let Some(cap) = caps.of(scope) else { continue };
        let used = used.get(&scope).copied().unwrap_or_default();
        let kept =
            if scope == Scope::Run && !call.is_wrap_up { part(cap, WRAP_UP_PERCENT) } else { 0 };
        if used.total().saturating_add(call.worst).saturating_add(kept) > cap {
            let renews = scope.window().renews(at);
            return Err(Full { scope, cap, kept, used, asked: call.worst, renews });
        }
    }
    Ok(())
}

/// The cap of which the largest part is spent, once that is worth a warning.
pub fn near(caps: &Caps, used: &Usage) -> Option<Near> {
    let close = used.iter().filter_map(|(scope, used)| {
        let cap = caps.of(*scope)?;
        let spent = used.spent;
        (spent > 0 && spent >= part(cap, WARNING_PERCENT)).then_some(Near {
            scope: *scope,
            cap,
            spent,
        })
    });
    close.max_by_key(|near| u128::from(near.spent) * 1_000_000 / u128::from(near.cap.max(1)))
}

/// What people are shown of the money of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// By this run, calls that are not settled at their worst.
    pub used: u64,
    /// What it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<Near>,
}

impl Spending {
    pub fn of(caps: &Caps, used: &Usage) -> Self {
        Self {
            used: used.get(&Scope::Run).copied().unwrap_or_default().total(),
            cap: caps.of(Scope::Run),
            near: near(caps, used),
        }
    }
}

/// A person's word that a run may spend more for some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    pub by: User,
    pub micros: u64,
    pub until: Millis,
    /// The comment that said it: told twice, it counts once.
    pub comment: Option<CommentId>,
}

/// What the raises that are in force at `at` come to.
pub fn raised(raises: &[Raise], at: Millis) -> u64 {
    let live = raises.iter().filter(|raise| raise.until > at);
    live.fold(0, |sum: u64, raise| sum.saturating_add(raise.micros))
}

/// What the operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub caps: Caps,
    /// Most that `/budget` may raise one run by at a time.
    pub raise_micros_max: u64,
    pub unknown_price: UnknownPrice,
}

/// What is done where nobody can tell what a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPrice {
    Refuse,
    /// It is made and counted as nothing.
    Allow,
}

impl Default for Rules {
    fn default() -> Self {
        let caps = Caps::default().with(Scope::Run, 10_000_000).with(Scope::Day, 100_000_000);
        Self { caps, raise_micros_max: 25_000_000, unknown_price: UnknownPrice::Refuse }
    }
}

#[cfg(test)]
mod tests;
