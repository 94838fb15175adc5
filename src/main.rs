//! The binary: parses the command line, calls `app::run`, turns an error into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    slipway::app::run()
}
