//! The modes of our own binary that stand around a stranger's program, before anything else.
//!
//! They read no configuration and start no runtime: they are begun for every program that
//! runs in the sandbox, and last until they have become it.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::sandbox::bubblewrap::{FAILED, INNER, LAUNCH, NOT_STARTED, RELAY, inner, launch, relay};

/// Becomes what the first word asks for; `None` when it is an ordinary command line.
#[expect(clippy::print_stderr, reason = "the sandbox reads there why a program did not start")]
pub(super) fn run(mut words: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let myself = words.next()?;
    let mode = words.next()?;
    let why = match mode.to_str()? {
        LAUNCH => launch(words),
        INNER => inner(&myself, words),
        RELAY => relay(words),
        _command => return None,
    };
    eprintln!("{FAILED}{why}");
    Some(ExitCode::from(NOT_STARTED))
}
