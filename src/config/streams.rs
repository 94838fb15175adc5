//! `[streams]`: what is kept of what agents say, and for how long.

use serde::Deserialize;

use super::ConfigError;
use super::layer::Said;

/// Least and most bytes of one stream, after compression.
const BYTES_MIN: u64 = 1024 * 1024;
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most days.
const DAYS_MAX: u32 = 400;
const DAY_MS: i64 = 24 * 3_600_000;

/// Streams as an operator writes them down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsEntry {
    pub bytes_max: Option<u64>,
    pub keep_days: Option<u32>,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// Of one agent, in bytes after compression.
    pub bytes_max: usize,
    /// 0 keeps nothing.
    pub days_max: u32,
}

impl Default for Streams {
    fn default() -> Self {
        Self { bytes_max: 2 * 1024 * 1024, days_max: 14 }
    }
}

impl Streams {
    /// For how long, in milliseconds.
    pub fn ms_max(self) -> i64 {
        i64::from(self.days_max) * DAY_MS
    }
}

pub(super) fn parse(said: Option<Said<StreamsEntry>>) -> Result<Streams, ConfigError> {
    let usual = Streams::default();
    let Some(Said { value, place }) = said else { return Ok(usual) };
    let bytes_max = match value.bytes_max {
        None => usual.bytes_max,
        Some(bytes) => {
            let known = usize::try_from(bytes).ok();
            known.filter(|_| (BYTES_MIN..=BYTES_MAX).contains(&bytes)).ok_or_else(|| {
                let next = format!("write {BYTES_MIN} to {BYTES_MAX}");
                ConfigError::new(&place, "bytes_max is out of bounds", next)
            })?
        }
    };
    let days_max = value.keep_days.unwrap_or(usual.days_max);
    if days_max > DAYS_MAX {
        let next = format!("write 0 to {DAYS_MAX}; 0 keeps nothing");
        return Err(ConfigError::new(place, "keep_days is out of bounds", next));
    }
    Ok(Streams { bytes_max, days_max })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn read(text: &str) -> Result<Streams, String> {
        let layer = file::parse("slipway.toml", text).map_err(|error| error.to_string())?;
        parse(layer.streams.map(|entry| Said::at("slipway.toml, key streams", entry)))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_of_streams_is_as_usual() {
        assert_eq!(read(""), Ok(Streams::default()));
        let said = read("[streams]\nkeep_days = 0\n").unwrap();
        assert_eq!((said.ms_max(), said.bytes_max), (0, Streams::default().bytes_max));
        let said = read("[streams]\nbytes_max = 1048576\nkeep_days = 400\n").unwrap();
        assert_eq!((said.bytes_max, said.ms_max()), (1_048_576, 400 * DAY_MS));
    }

    #[test]
    fn the_example_shows_the_usual_streams() {
        let example = include_str!("../../deploy/slipway.example.toml");
        assert_eq!(read(example), Ok(Streams::default()));
        assert!(example.contains("\nbytes_max = ") && example.contains("\nkeep_days = "));
    }

    #[test]
    fn every_refusal_of_streams_says_what_to_write() {
        for (line, next) in [
            ("bytes_max = 1048575", "write 1048576 to 16777216"),
            ("bytes_max = 16777217", "write 1048576 to 16777216"),
            ("keep_days = 401", "write 0 to 400; 0 keeps nothing"),
            ("keep_days = -1", "slipway.toml"),
            ("days = 1", "correct it or take it out"),
        ] {
            let refused = read(&format!("[streams]\n{line}\n")).unwrap_err();
            assert!(refused.contains(next), "{line}: {refused}");
        }
    }
}
