//! Dollars as people write and read them.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MICROS: u64 = 1_000_000;
/// Digits after the point: a millionth of a dollar is the smallest amount.
const DECIMALS: usize = 6;
/// Longest text of an amount, in bytes.
const TEXT_BYTES_MAX: usize = 20;

/// An amount somebody wrote down, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub u64);

impl Dollars {
    /// Reads `5`, `2.50` or `$0.05`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('$').unwrap_or(text);
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if text.len() > TEXT_BYTES_MAX || !digits(whole) || !digits(part) || part.len() > DECIMALS {
            return None;
        }
        let part: u64 = format!("{part:0<DECIMALS$}").parse().ok()?;
        let whole: u64 = whole.parse().ok()?;
        whole.checked_mul(MICROS)?.checked_add(part).map(Self)
    }

    /// Every digit that counts, without a sign: it is read back to the same amount.
    pub fn plain(self) -> String {
        let text = format!("{}.{:06}", self.0 / MICROS, self.0 % MICROS);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Millionths of a dollar as dollars and cents, rounded up so that spending never shows as none.
pub fn dollars(micros: u64) -> String {
    let cents = micros.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dollars(self.0))
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.plain())
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Amount)
    }
}

/// Reads numbers and texts alike: files know numbers, what is stored is text.
struct Amount;

impl Visitor<'_> for Amount {
    type Value = Dollars;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount in dollars, such as 2.50")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Dollars, E> {
        let why = || E::custom("an amount in dollars is expected here, such as 2.50");
        Dollars::parse(text).ok_or_else(why)
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<Dollars, E> {
        self.visit_str(&whole.to_string())
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<Dollars, E> {
        self.visit_str(&whole.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Dollars, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_exactly_or_not_at_all() {
        let read = |text| Dollars::parse(text).map(|dollars| dollars.0);
        assert_eq!(read("5"), Some(5_000_000));
        assert_eq!(read("$2.50"), Some(2_500_000));
        assert_eq!(read("0.000001"), Some(1));
        for odd in ["", "$", "-1", "+1", "1.", ".5", "1,5", "1e3", "0.0000001", "١", "5 "] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(read("99999999999999999999"), None, "more than there is");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for micros in [0, 1, 10, 500_000, 2_500_000, 123_456_789] {
            assert_eq!(Dollars::parse(&Dollars(micros).plain()), Some(Dollars(micros)));
        }
        assert_eq!((Dollars(5_000_000).plain(), dollars(1)), ("5".to_owned(), "$0.01".to_owned()));
        for stored in ["\"2.5\"", "2.5", "2.50"] {
            assert_eq!(serde_json::from_str::<Dollars>(stored).unwrap(), Dollars(2_500_000));
        }
        assert_eq!(serde_json::from_str::<Dollars>("3").unwrap(), Dollars(3_000_000));
        assert_eq!(serde_json::to_string(&Dollars(2_500_000)).unwrap(), "\"2.5\"");
        assert!(serde_json::from_str::<Dollars>("-3").is_err());
    }
}
