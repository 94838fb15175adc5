//! What calls cost: a table with its sources, what was used, and what could be used at most.
//!
//! Whole numbers throughout: a price is millionths of a US dollar for a million tokens, so that
//! the sum of tokens times prices is a cost once it is divided by a million.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::usage::Reading;
use crate::model::{Cost, Tokens};

/// Ours, from the time of this version.
const OURS: &str = include_str!("prices.toml");
/// Tokens that a provider adds to what is sent: its own words about tools, and frames of messages.
pub const ADDED_TOKENS_MAX: u64 = 4_000;
/// What a price is for.
const PER_TOKENS: u128 = 1_000_000;

/// One amount, from text such as `"1.25"`: dollars for a million tokens, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Rate(u64);

impl Rate {
    /// At most six places behind the point, and below a million dollars.
    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 6 || part.len() > 6 || !digits(whole) || !digits(part)
        {
            return None;
        }
        format!("{whole}{part:0<6}").parse().ok().map(Self)
    }

    fn of(self, tokens: u64) -> u128 {
        u128::from(self.0) * u128::from(tokens)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is no price: write dollars for a million tokens, as in \"1.25\""
            ))
        })
    }
}

/// The rates of one model, up to some length of what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    input: Rate,
    output: Rate,
    cache_read: Option<Rate>,
    cache_write: Option<Rate>,
    cache_write_long: Option<Rate>,
}

impl Rates {
    /// Without a rate of its own, what comes from a cache costs what it costs without one.
    fn cost(&self, tokens: Tokens, long_writes: u64) -> u128 {
        let write = self.cache_write.unwrap_or(self.input);
        let long = self.cache_write_long.unwrap_or(write);
        let long_writes = long_writes.min(tokens.cache_write);
        let parts = [
            self.input.of(tokens.input),
            self.cache_read.unwrap_or(self.input).of(tokens.cache_read),
            write.of(tokens.cache_write - long_writes),
            long.of(long_writes),
            self.output.of(tokens.output),
        ];
        parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
    }

    /// The most that one token can cost that is read.
    fn dearest_input(&self) -> Rate {
        let others = [self.cache_read, self.cache_write, self.cache_write_long];
        others.into_iter().flatten().fold(self.input, Rate::max)
    }
}

/// The price of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    rates: Rates,
    /// Beyond so many tokens read, a call costs this throughout.
    long: Option<(u64, Rates)>,
    /// The most it reads and writes in one call, in tokens.
    input_max: u64,
    output_max: u64,
}

/// A call, as far as it bounds what it can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub body_bytes: usize,
    pub output_max: Option<u64>,
    pub media: bool,
}

impl Price {
    /// For a model of one's own.
    pub const FREE: Self = Self {
        rates: Rates {
            input: Rate(0),
            output: Rate(0),
            cache_read: None,
            cache_write: None,
            cache_write_long: None,
        },
        long: None,
        input_max: u64::MAX,
        output_max: u64::MAX,
    };

    fn rates(&self, read: u64) -> &Rates {
        match &self.long {
            Some((above, long)) if read > *above => long,
            Some(_) | None => &self.rates,
        }
    }

    /// What was used, rounded up to the next millionth of a dollar.
    pub fn cost(&self, reading: &Reading) -> Cost {
        let tokens = reading.tokens;
        let read = tokens.input.saturating_add(tokens.cache_read);
        let read = read.saturating_add(tokens.cache_write);
        micros(self.rates(read).cost(tokens, reading.cache_write_long))
    }

    /// The most a call can cost. A token is at least one byte of what is sent, so the bytes bound
    /// the tokens, with what a provider adds; pictures and documents are bounded by what the model
    /// can read at all. Output is bounded by the request, or else by the model.
    pub fn worst(&self, bounds: Bounds) -> Cost {
        let bytes = u64::try_from(bounds.body_bytes).unwrap_or(u64::MAX);
        let sent = bytes.saturating_add(ADDED_TOKENS_MAX);
        let read = if bounds.media { self.input_max } else { sent.min(self.input_max) };
        let write = bounds.output_max.unwrap_or(self.output_max);
        let most =
            |rates: &Rates| rates.dearest_input().of(read).saturating_add(rates.output.of(write));
        let short = most(&self.rates);
        let long = self.long.as_ref().filter(|(above, _)| read > *above);
        micros(long.map_or(short, |(_, rates)| most(rates).max(short)))
    }
}

fn micros(parts: u128) -> Cost {
    Cost::Micros(u64::try_from(parts.div_ceil(PER_TOKENS)).unwrap_or(u64::MAX))
}

/// Prices by house and model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    houses: BTreeMap<String, BTreeMap<String, Price>>,
}

impl Prices {
    /// Those this version came with.
    pub fn ours() -> Result<Self, super::Error> {
        Self::parse(OURS)
    }

    fn parse(text: &str) -> Result<Self, super::Error> {
        let told = |error: toml::de::Error| super::Error(format!("prices: {}", error.message()));
        let mut table: BTreeMap<String, toml::Value> = toml::from_str(text).map_err(told)?;
        let source = table.remove("source").and_then(|source| source.as_table().cloned());
        let mut houses = BTreeMap::new();
        for (house, entries) in table {
            if !source.as_ref().is_some_and(|source| source.contains_key(&house)) {
                return Err(super::Error(format!("prices: {house} names no source")));
            }
            let entries: Vec<Named> = entries.try_into().map_err(told)?;
            let models: BTreeMap<_, _> =
                entries.into_iter().map(|named| (named.name, named.entry.price())).collect();
            houses.insert(house, models);
        }
        Ok(Self { houses })
    }

    pub fn has_house(&self, house: &str) -> bool {
        self.houses.contains_key(house)
    }

    /// The price of a model, by exactly the name it is asked with.
    pub fn get(&self, house: &str, model: &str) -> Option<Price> {
        self.houses.get(house)?.get(model).copied()
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    entry: Entry,
}

/// A price as it is written, by us and by operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    input: Rate,
    output: Rate,
    cache_read: Option<Rate>,
    cache_write: Option<Rate>,
    cache_write_long: Option<Rate>,
    input_max: u64,
    output_max: u64,
    long: Option<Beyond>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beyond {
    above: u64,
    input: Rate,
    output: Rate,
    cache_read: Option<Rate>,
    cache_write: Option<Rate>,
    cache_write_long: Option<Rate>,
}

impl Entry {
    pub(super) fn price(self) -> Price {
        let Self { input, output, cache_read, cache_write, cache_write_long, .. } = self;
        let rates = Rates { input, output, cache_read, cache_write, cache_write_long };
        let long = self.long.map(|long| {
            let Beyond { above, input, output, cache_read, cache_write, cache_write_long } = long;
            // What the longer table leaves out costs what it did before, if that is not less.
            let dearer = |new: Option<Rate>, old: Option<Rate>| {
                new.or_else(|| old.map(|old| old.max(input)))
            };
            let rates = Rates {
                input,
                output,
                cache_read: dearer(cache_read, self.cache_read),
                cache_write: dearer(cache_write, self.cache_write),
                cache_write_long: dearer(cache_write_long, self.cache_write_long),
            };
            (above, rates)
        });
        Price { rates, long, input_max: self.input_max, output_max: self.output_max }
    }
}
