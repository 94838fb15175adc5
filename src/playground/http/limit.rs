//! The limits at the door: a request is let in with a slot that lives as long as its answer.

use std::sync::Arc;

use axum::response::Response;

use super::request::Request;
use crate::playground::error::ApiResult;
use crate::playground::world::World;
use crate::playground::world::limits::{Slot, Weighed};

/// Lets a request in where limits are enforced; who is not known is refused later.
pub(super) fn enter(world: &World, request: &Request) -> ApiResult<Option<Slot>> {
    if !world.enforces_limits() {
        return Ok(None);
    }
    let Ok(actor) = world.authenticate(request.authorization.as_deref()) else { return Ok(None) };
    let path = request.path.strip_prefix("/api/v3").unwrap_or(&request.path);
    world.admit(&actor, &Weighed { method: &request.method, path, body: &request.body })
}

/// Keeps the slot until the answer is on its way.
pub(super) fn keep(mut response: Response, slot: Option<Slot>) -> Response {
    if let Some(slot) = slot {
        response.extensions_mut().insert(Arc::new(slot));
    }
    response
}
