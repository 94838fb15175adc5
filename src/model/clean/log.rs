//! What programs print, for a reader that is a machine: nothing is hidden in it but what steers
//! terminals and CI systems.

use super::{Cleaned, LINE_CHARS_MAX, LINE_MARK, Step, seen};

/// Longest end of a log looked at, in bytes.
const LOG_BYTES_MAX: usize = 200 * 1_024;

/// The end of `log` without colours, commands to a CI system, and characters nobody sees.
pub fn clean_log(log: &str) -> Cleaned {
    clean_log_without(log, None)
}

/// [`clean_log`] with one step left out, to prove that the step is needed.
#[doc(hidden)]
pub fn clean_log_without(log: &str, without: Option<Step>) -> Cleaned {
    let does = |step| without != Some(step);
    let mut done = Cleaned::default();
    let end = crate::model::text::tail(log, LOG_BYTES_MAX);
    done.cut = end.len() < log.len();
    let end = seen(end, &does, &mut done);
    let mut lines = Vec::new();
    for line in end.split('\n') {
        if does(Step::Commands) && is_command(line) {
            continue;
        }
        let short = short(line).filter(|_| does(Step::Cut));
        done.cut |= short.is_some();
        lines.push(short.unwrap_or_else(|| line.to_owned()));
    }
    done.text = lines.join("\n");
    done
}

/// `::name …::…` and `##[name]…` tell a CI system to do something.
fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    let named = |rest: &str, end: &str| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains(end)
    };
    let colons = line.strip_prefix("::").is_some_and(|rest| named(rest, "::"));
    let brackets = ["##[", "##vso["]
        .iter()
        .any(|open| line.strip_prefix(open).is_some_and(|rest| named(rest, "]")));
    // What CI says was wrong is what the reader looks for, and it is no command any more.
    colons || (brackets && !line.starts_with("##[error]") && !line.starts_with("##[warning]"))
}

/// A line that is too long: its beginning and a mark.
fn short(line: &str) -> Option<String> {
    if line.len() <= LINE_CHARS_MAX || line.chars().count() <= LINE_CHARS_MAX {
        return None;
    }
    let room = LINE_CHARS_MAX - LINE_MARK.chars().count();
    let kept: String = line.chars().take(room).collect();
    Some(format!("{kept}{LINE_MARK}"))
}
