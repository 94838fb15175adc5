//! What a scripted agent does, in words short enough for a story.

use slipway::agent::scripted::{Edit, Resolution};

use super::plan::Plan;

pub(crate) fn write(path: &str, text: &str) -> Edit {
    Edit::Write { path: path.to_owned(), text: text.to_owned() }
}

pub(crate) fn delete(path: &str) -> Edit {
    Edit::Delete { path: path.to_owned() }
}

pub(crate) fn replace(path: &str, from: &str, to: &str) -> Edit {
    Edit::Replace { path: path.to_owned(), from: from.to_owned(), to: to.to_owned() }
}

/// Keeps both sides of every conflict.
pub(crate) fn union(path: &str) -> Edit {
    Edit::Resolve { path: path.to_owned(), by: Resolution::Union }
}

pub(crate) fn copy(from: &str, to: &str) -> Edit {
    Edit::Copy { from: from.to_owned(), to: to.to_owned() }
}

pub(crate) fn quote(path: &str) -> Edit {
    Edit::Quote(path.to_owned())
}

pub(crate) fn say(text: &str) -> Edit {
    Edit::Say(text.to_owned())
}

pub(crate) fn fail() -> Edit {
    Edit::Fail(3)
}

pub(crate) fn hang() -> Edit {
    Edit::Hang
}

pub(crate) fn crash() -> Edit {
    Edit::Crash
}

impl Plan {
    pub(crate) fn planner(mut self, rounds: Vec<Vec<Edit>>) -> Self {
        self.script.planner = rounds;
        self
    }

    pub(crate) fn builder(mut self, rounds: Vec<Vec<Edit>>) -> Self {
        self.script.builder = rounds;
        self
    }

    pub(crate) fn fixer(mut self, rounds: Vec<Vec<Edit>>) -> Self {
        self.script.fixer = rounds;
        self
    }

    pub(crate) fn resolver(mut self, rounds: Vec<Vec<Edit>>) -> Self {
        self.script.resolver = rounds;
        self
    }
}
