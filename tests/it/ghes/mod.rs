//! GitHub Enterprise Server: its own addresses, its own certificate authority, a closed network.

mod certificates;
mod closed;
mod hosts;
mod keyd;
mod program;
mod serve;
mod trust;

pub(crate) use certificates::{Authority, HERE};
pub(crate) use serve::Served;
