//! The way out: the only road from a sandbox to the network, for one run, to hosts it may reach.
//!
//! Adapter: `proxy`, an HTTP proxy behind a unix socket that knows CONNECT and nothing else.
//! Fake: `fake`, which judges by the same rules and opens no connection. What is asked is read
//! by `head` and `authority`, judged by `rule`, and what a name stands for by `address`: pure,
//! and told in a `verdict`.

pub mod address;
pub mod authority;
pub mod defence;
pub mod fake;
pub mod head;
pub mod proxy;
pub mod rule;
#[cfg(test)]
mod trial;
pub mod verdict;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

pub use authority::Authority;
pub use rule::Rule;
pub use verdict::{Account, Refusal, Verdict};

/// The port on which a program in a sandbox finds its way out.
pub const PORT: u16 = 3_128;

/// Opens ways out.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Opens one for one run of a program. Nothing is reached that `order` does not name.
    async fn open(&self, order: &Order) -> Result<Box<dyn Way>, Error>;
}

/// A way out while it is open. Dropping it closes it too, without an account.
#[async_trait]
pub trait Way: Send + Sync {
    /// The unix socket to lend; it lies alone in a directory that lives as long as the way.
    fn socket(&self) -> &Path;

    /// Ends every connection and says what happened.
    async fn close(self: Box<Self>) -> Account;
}

/// What a way out is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// For logs: the run and what it does.
    pub name: String,
    pub rules: Vec<Rule>,
    pub caps: Caps,
}

/// What one way out may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Connections open at once.
    pub connections_max: usize,
    /// Both directions of all connections together.
    pub bytes_max: u64,
    /// Until a head is complete, a name resolved, a connection made; each.
    pub step_max: Duration,
    /// A connection on which nothing moves in either direction is ended.
    pub idle_max: Duration,
}

impl Default for Caps {
    /// A model may think for minutes before it says a word; a run downloads no operating system.
    fn default() -> Self {
        Self {
            connections_max: 64,
            bytes_max: 1 << 30,
            step_max: Duration::from_secs(10),
            idle_max: Duration::from_mins(10),
        }
    }
}

/// What a program has to be told to find its way out on `port` of its own loopback interface.
/// Both spellings: programs disagree. The last one is for Node's own `fetch`.
pub fn variables(port: u16) -> Vec<(String, String)> {
    let proxy = format!("http://127.0.0.1:{port}");
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
    let mut told: Vec<_> = names.iter().map(|name| ((*name).to_owned(), proxy.clone())).collect();
    for name in ["NO_PROXY", "no_proxy"] {
        told.push((name.to_owned(), "localhost,127.0.0.1,::1".to_owned()));
    }
    told.push(("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned()));
    told
}

/// A way out could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("egress: {0}")]
pub struct Error(pub String);
