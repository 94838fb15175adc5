//! Opens a page in the person's browser, where there is one.

use std::process::Stdio;

use tokio::process::Command;

/// Variables of which one is set where programs have windows.
const WINDOWS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];

/// Asks the desktop to show `url`; says nothing when there is none, because the address is on
/// the terminal too.
pub(super) fn show(url: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a desktop says where it is by variables")]
    let windows = WINDOWS.iter().any(|name| std::env::var(name).is_ok_and(|v| !v.is_empty()));
    let mac = cfg!(target_os = "macos");
    if !mac && !windows {
        return false;
    }
    let program = if mac { "open" } else { "xdg-open" };
    #[expect(clippy::disallowed_methods, reason = "a browser is the person's, and outlives us")]
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
