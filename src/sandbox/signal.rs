//! What a program is asked by to end, before it is ended.

use serde::{Deserialize, Serialize};

use crate::process;

/// The first signal; agents differ in which of them they tell what they cost at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Signal {
    #[serde(rename = "INT")]
    Int,
    #[default]
    #[serde(rename = "TERM")]
    Term,
}

impl Signal {
    pub fn word(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::Term => "TERM",
        }
    }

    /// All that it is asked by, in this order, each with a grace, before it is killed.
    pub(super) fn asks(self) -> &'static [process::Signal] {
        match self {
            Self::Int => &[process::Signal::INT, process::Signal::TERM],
            Self::Term => &[process::Signal::TERM],
        }
    }

    /// The same by their names.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Int => &["INT", "TERM"],
            Self::Term => &["TERM"],
        }
    }
}
