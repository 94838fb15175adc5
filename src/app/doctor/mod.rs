//! `slipway doctor`: looks once at everything a working Slipway needs, and says what to do.
//!
//! Looking and judging are apart: `case` asks GitHub, `machine` looks at this host, and each
//! check is a function of what they saw.

mod case;
mod machine;
mod report;
#[cfg(test)]
mod tests;
mod words;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use self::case::Case;
use self::report::{Line, Report};
use super::args::{Common, Doctor, Serve};
use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, Settings};
use crate::telemetry::Redactor;

macro_rules! checks {
    ($($name:ident,)+) => {
        $(mod $name;)+

        /// Every check, in the order of the report.
        const CHECKS: &[fn(&Case) -> Vec<Line>] = &[$($name::check,)+];
    };
}

checks! {
    configuration,
    github,
    clock,
    key,
    key_service,
    permissions,
    events,
    installations,
    branches,
    webhook,
    deliveries,
    git,
    sandbox,
    agents,
    database,
    disk,
    pages,
}

/// Prints the report; the exit status is 0 when nothing fails.
pub(super) async fn doctor(common: &Common, args: &Doctor) -> anyhow::Result<ExitCode> {
    let settings = common.settings(&Serve::default());
    let report = examine(settings, Arc::new(SystemClock)).await;
    let text = if args.json { report.json()? } else { report.text() };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks, and judges by every check.
pub(super) async fn examine(
    settings: Result<Settings, ConfigError>,
    clock: Arc<dyn Clock>,
) -> Report {
    let settings = match settings {
        Ok(settings) => settings,
        // Nothing else can be said of what cannot be read.
        Err(error) => return Report::of(vec![configuration::refused(&error)]),
    };
    let case = Case::look(settings, clock).await;
    let mut secrets = case.settings.secrets();
    secrets.extend(case.identity.iter().flat_map(|identity| identity.key.secrets()));
    let lines: Vec<Line> = CHECKS.iter().flat_map(|check| check(&case)).collect();
    Report::of(lines).redacted(&Redactor::new(secrets))
}
