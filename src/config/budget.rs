//! `[budget]`: what may be spent on models, in dollars.

use serde::Deserialize;

use super::ConfigError;
use super::layer::Said;
use crate::model::Dollars;
use crate::model::budget::{Caps, RAISE_MICROS_MAX, Rules, Scope, UnknownPrice};

/// Smallest and largest cap.
const CAP_MIN: Dollars = Dollars(10_000);
const CAP_MAX: Dollars = Dollars(1_000_000_000_000);

/// Budgets as an operator writes them down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetEntry {
    pub call: Option<Dollars>,
    pub stage: Option<Dollars>,
    pub run: Option<Dollars>,
    pub issue: Option<Dollars>,
    pub repository: Option<Dollars>,
    pub user: Option<Dollars>,
    pub installation: Option<Dollars>,
    pub day: Option<Dollars>,
    pub month: Option<Dollars>,
    pub raise_max: Option<Dollars>,
    pub unknown_price: Option<String>,
}

impl BudgetEntry {
    fn of(&self, scope: Scope) -> Option<Dollars> {
        match scope {
            Scope::Call => self.call,
            Scope::Stage => self.stage,
            Scope::Run => self.run,
            Scope::Issue => self.issue,
            Scope::Repository => self.repository,
            Scope::User => self.user,
            Scope::Installation => self.installation,
            Scope::Day => self.day,
            Scope::Month => self.month,
        }
    }
}

/// The operator's rules; what is not said is as usual, and most scopes have no cap then.
pub(super) fn parse(said: Option<Said<BudgetEntry>>) -> Result<Rules, ConfigError> {
    let usual = Rules::default();
    let Some(Said { value, place }) = said else { return Ok(usual) };
    let mut caps = Caps::default();
    for scope in Scope::ALL {
        let cap = value.of(scope);
        if cap.is_some_and(|cap| !(CAP_MIN..=CAP_MAX).contains(&cap)) {
            let why = format!("{} is out of bounds", scope.word());
            let next = format!("write {} to {} dollars", CAP_MIN.plain(), CAP_MAX.plain());
            return Err(ConfigError::new(place, why, next));
        }
        let cap = cap.map(|cap| cap.0).or_else(|| usual.caps.of(scope));
        caps = cap.into_iter().fold(caps, |caps, micros| caps.with(scope, micros));
    }
    let raise_micros_max = match value.raise_max {
        None => usual.raise_micros_max,
        Some(max) if max.0 <= RAISE_MICROS_MAX => max.0,
        Some(_) => {
            let next = format!("write 0 to {} dollars", Dollars(RAISE_MICROS_MAX).plain());
            return Err(ConfigError::new(place, "raise_max is out of bounds", next));
        }
    };
    let unknown_price = match value.unknown_price.as_deref() {
        None => usual.unknown_price,
        Some("refuse") => UnknownPrice::Refuse,
        Some("allow") => UnknownPrice::Allow,
        Some(_) => {
            let why = "unknown_price is neither refuse nor allow";
            return Err(ConfigError::new(place, why, "write one of them"));
        }
    };
    Ok(Rules { caps, raise_micros_max, unknown_price })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn read(text: &str) -> Result<Rules, String> {
        let layer = file::parse("slipway.toml", text).map_err(|error| error.to_string())?;
        parse(layer.budget.map(|entry| Said::at("slipway.toml, key budget", entry)))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn caps_are_dollars_and_what_is_not_said_is_as_usual() {
        assert_eq!(read(""), Ok(Rules::default()));
        let rules = read(
            "[budget]\nrun = 2.50\nmonth = 300\ncall = \"0.75\"\nraise_max = 0\n\
             unknown_price = \"allow\"\n",
        )
        .unwrap();
        let caps = [Scope::Call, Scope::Run, Scope::Day, Scope::Month, Scope::Issue];
        let caps = caps.map(|scope| rules.caps.of(scope));
        let day = Rules::default().caps.of(Scope::Day);
        assert_eq!(caps, [Some(750_000), Some(2_500_000), day, Some(300_000_000), None]);
        assert_eq!((rules.raise_micros_max, rules.unknown_price), (0, UnknownPrice::Allow));
        let more = read("[budget]\nrun = 20\n").unwrap();
        assert_eq!(more.caps.of(Scope::Run), Some(20_000_000), "what is said is not the least");
    }

    #[test]
    fn every_refusal_says_what_to_write() {
        for (line, next) in [
            ("run = 0", "write 0.01 to 1000000 dollars"),
            ("day = 1000001", "write 0.01 to 1000000 dollars"),
            ("run = -1", "an amount in dollars is expected here"),
            ("run = \"much\"", "an amount in dollars is expected here"),
            ("raise_max = 101", "write 0 to 100 dollars"),
            ("unknown_price = \"guess\"", "write one of them"),
            ("runs = 1", "correct it or take it out"),
        ] {
            let refused = read(&format!("[budget]\n{line}\n")).unwrap_err();
            assert!(refused.contains(next), "{line}: {refused}");
        }
    }
}
