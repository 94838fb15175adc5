//! Judges a request by its order: the door by token and path, the body by its model.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::ask::{self, Ask};
use super::defence::{Defence, Defences};
use super::wire::Route;
use super::{Order, Refusal};
use crate::model::Secret;

/// What stands before a body.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    /// Whatever it shows as its key, from wherever the wire has it.
    pub shown: Option<&'a str>,
}

impl std::fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, path, query: _, shown: _ } = self;
        f.debug_struct("Head").field("method", method).field("path", path).finish_non_exhaustive()
    }
}

/// Whether the caller may ask, and whether the wire has what he asks.
pub(super) fn door(
    order: &Order,
    token: &Secret,
    head: Head<'_>,
    defences: Defences,
) -> Result<Route, Refusal> {
    let shown = head.shown.unwrap_or_default().as_bytes();
    let known = verify_slices_are_equal(token.reveal().as_bytes(), shown).is_ok();
    if defences.has(Defence::Token) && !known {
        return Err(Refusal::Token);
    }
    let route = order.provider.wire.route(head.method, head.path, head.query);
    if !defences.has(Defence::Path) {
        return route.or_else(|_| {
            let (asks, path) = (super::wire::Asks::Model, head.path.to_owned());
            Ok(Route { asks, path, model: None, streams: None })
        });
    }
    route
}

/// What is sent on: made from what was read.
pub(super) fn body(
    order: &Order,
    route: &Route,
    body: &[u8],
    defences: Defences,
) -> Result<Ask, Refusal> {
    let ask = ask::read(order.provider.wire, route, body, defences)?;
    if defences.has(Defence::Model) && !order.models.contains(&ask.model) {
        return Err(Refusal::Model);
    }
    Ok(ask)
}
