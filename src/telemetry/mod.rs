//! What the operator sees of the program itself: logs without secrets, and metrics.

mod logs;
mod metrics;

pub use logs::{LogFormat, Logs, LogsError};
pub use metrics::{Intake, JobEnd, Metrics};

pub use crate::model::Redactor;
