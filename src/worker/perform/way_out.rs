//! The way out an agent is lent for one run: opened before it, closed and told after it.

use super::Context;
use crate::agent::Agent;
use crate::egress::{Caps, Order, PORT, Way};
use crate::sandbox::Door;
use crate::worker::failure::Failure;

/// The way out of one agent; without hosts there is none.
pub(super) struct WayOut(Option<Box<dyn Way>>);

impl WayOut {
    /// Opens one to the agent's hosts. Only agents get one: what checks need is in the repository.
    pub(super) async fn open(context: &Context<'_>, agent: &Agent) -> Result<Self, Failure> {
        if agent.hosts.is_empty() {
            return Ok(Self(None));
        }
        let order = Order {
            name: format!("{} entry {}", context.state.request.run, context.state.entry),
            rules: agent.hosts.clone(),
            caps: Caps::default(),
        };
        let way = context.engine.ports.egress.open(&order).await;
        way.map(|way| Self(Some(way))).map_err(|error| Failure::Fault(error.to_string()))
    }

    pub(super) fn doors(&self) -> Vec<Door> {
        let sockets = self.0.iter().map(|way| way.socket().to_owned());
        sockets.map(|socket| Door { port: PORT, socket }).collect()
    }

    /// Ends it, and tells log, metrics and the run what was asked for.
    pub(super) async fn close(self, context: &Context<'_>) {
        let Some(way) = self.0 else { return };
        let account = way.close().await;
        let run = context.state.request.run.as_str();
        for line in &account.lines {
            tracing::info!(run, "way out: {line}");
        }
        let unsaid = (account.opened + account.refused).saturating_sub(account.lines.len() as u64);
        let (opened, refused) = (account.opened, account.refused);
        let (bytes_out, bytes_in) = (account.bytes_out, account.bytes_in);
        tracing::info!(run, opened, refused, bytes_out, bytes_in, unsaid, "the way out is closed");
        context.engine.watcher.reached(&account);
        context.told().refused_hosts.extend(account.refused_hosts);
    }
}
