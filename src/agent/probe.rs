//! Which version of a program is installed, and whether that is one we tried.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Parts of a version that count.
const PARTS_MAX: usize = 4;
/// Longest answer of a program about its version that is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Numbers with points between them; what is behind them does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(Vec<u64>);

/// The versions that were tried, both ends included. An end of `2.1` includes `2.1.329`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub min: Version,
    pub max: Version,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let parts: Option<Vec<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
        parts.filter(|parts| !parts.is_empty() && parts.len() <= PARTS_MAX).map(Self)
    }

    /// As long as `other`, or shorter.
    fn cut(&self, other: &Self) -> &[u64] {
        self.0.get(..other.0.len()).unwrap_or(&self.0)
    }
}

/// The version in what a program answers: the first word that begins with numbers and points.
pub fn version(output: &str) -> Option<Version> {
    let output = output.get(..output.floor_char_boundary(ANSWER_BYTES_MAX)).unwrap_or_default();
    output.split(|c: char| c.is_whitespace() || "(),/@".contains(c)).find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let number = word.get(..end)?.trim_end_matches('.');
        number.contains('.').then(|| Version::parse(number)).flatten()
    })
}

/// A sentence of warning when `version` was not tried; `None` when it was.
pub fn judge(version: Option<&Version>, tested: Option<&Range>) -> Option<String> {
    let Some(version) = version else {
        return Some("it does not tell its version; what it says may be misread".to_owned());
    };
    let Some(Range { min, max }) = tested else {
        return Some(format!("version {version} is installed, and none was tried with this bot"));
    };
    if version < min {
        return Some(format!(
            "version {version} is older than {min}, the oldest that was tried; install {max}"
        ));
    }
    (version.cut(max) > max.0.as_slice()).then(|| {
        format!(
            "version {version} is newer than {max}, the newest that was tried; if it misbehaves, \
             install {max}"
        )
    })
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("{text:?} is no version; write at most {PARTS_MAX} numbers, like 2.1.329")
        })
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_version_is_found_in_every_way_of_telling_it() {
        for (output, found) in [
            ("codex-cli 0.169.0\n", "0.169.0"),
            ("2.1.329 (Claude Code)", "2.1.329"),
            ("1.18.33\n", "1.18.33"),
            ("aider 0.86.2", "0.86.2"),
            ("GitHub Copilot CLI 1.0.102.\nCommit: abc", "1.0.102"),
            ("tool v3.4.5-beta.1+7", "3.4.5"),
            ("0.0.1790712063-gabcdef (released 2026-11-01)", "0.0.1790712063"),
        ] {
            assert_eq!(version(output), Some(of(found)), "{output}");
        }
        for none in ["", "no version", "error 404", "...", "99999999999999999999999.1"] {
            assert_eq!(version(none), None, "{none}");
        }
        let far = format!("{} 1.2.3", "x".repeat(ANSWER_BYTES_MAX));
        assert_eq!(version(&far), None);
    }

    #[test]
    fn only_versions_that_were_not_tried_are_warned_of() {
        let tested = Range { min: of("2.1"), max: of("2.3") };
        let told = |version: &str| judge(Some(&of(version)), Some(&tested));
        for fine in ["2.1", "2.1.0", "2.2.9", "2.3.400"] {
            assert_eq!(told(fine), None, "{fine}");
        }
        insta::assert_snapshot!(told("2.0.99").unwrap(),
            @"version 2.0.99 is older than 2.1, the oldest that was tried; install 2.3");
        insta::assert_snapshot!(told("2.4").unwrap(),
            @"version 2.4 is newer than 2.3, the newest that was tried; if it misbehaves, install 2.3");
        insta::assert_snapshot!(judge(None, Some(&tested)).unwrap(),
            @"it does not tell its version; what it says may be misread");
        insta::assert_snapshot!(judge(Some(&of("1.0")), None).unwrap(),
            @"version 1.0 is installed, and none was tried with this bot");
    }
}
