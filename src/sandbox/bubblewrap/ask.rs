//! Asking the program inside to end: `bwrap` hands no signal on, and dies of those it gets.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group};

/// Sends `signal` to the session inside, by what `bwrap` wrote down. The first of that session is
/// the first of its namespace, which the kernel keeps from hearing it; what serves the program's
/// doors is deaf to it.
pub(super) fn ask(status: &Path, signal: Signal) {
    let told = std::fs::read_to_string(status).unwrap_or_default();
    if let Some(session) = session(&told).filter(|session| first(*session)) {
        // Nobody left to hear it is what the signal was for.
        let _heard = kill_process_group(session, signal).is_ok();
    }
}

/// The session while it lives.
fn session(told: &str) -> Option<Pid> {
    let documents = serde_json::Deserializer::from_str(told);
    let documents = documents.into_iter::<serde_json::Value>().map_while(Result::ok);
    let mut session = None;
    for document in documents {
        if document.get("exit-code").is_some() {
            return None;
        }
        if let Some(child) = document.get("child-pid").and_then(serde_json::Value::as_i64) {
            session = Some(child);
        }
    }
    Pid::from_raw(i32::try_from(session?).ok()?)
}

/// Whether it is the first process of a namespace below ours: a number may be given out again.
fn first(process: Pid) -> bool {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let Some(numbers) = status.lines().find_map(|line| line.strip_prefix("NSpid:")) else {
        return false;
    };
    numbers.split_whitespace().count() > 1 && numbers.split_whitespace().next_back() == Some("1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_session_that_lives_is_asked() {
        let up = "{ \"child-pid\": 7, \"net-namespace\": 4026531840 }\n";
        assert_eq!(session(up), Pid::from_raw(7));
        assert_eq!(session(&format!("{up}{{ \"exit-code\": 0 }}\n")), None, "it is over");
        for unknown in ["", "{", "{ \"child-pid\": 0 }", "{ \"child-pid\": 99999999999 }"] {
            assert_eq!(session(unknown), None, "{unknown}");
        }
        let ourselves = rustix::process::getpid();
        assert!(!first(ourselves), "we are no first process of a namespace below ours");
    }
}
