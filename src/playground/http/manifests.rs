//! REST routes around an App's making: the code of a manifest, its webhook, and the sign of life.

use serde_json::{Value, json};

use super::request::{Ctx, Reply, Routed};
use crate::playground::error::ApiError;
use crate::playground::render;
use crate::playground::world::State;

pub(super) fn route(ctx: &Ctx<'_>, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("POST", ["app-manifests", code, "conversions"]) => {
            let taken = ctx.call("apps/create-from-manifest", |state| {
                let app = state.take_code(code)?;
                let rendered = render::app_by_id(state, app.id);
                Ok((app, rendered, state.fresh_secret()))
            });
            Some(taken.and_then(|(app, mut rendered, client_secret)| {
                let pem = ctx.world.app_pem(app.id);
                let pem = pem.ok_or_else(|| ApiError::new(500, "no key could be made"))?;
                if let Some(fields) = rendered.as_object_mut() {
                    let hooked = app.webhook_url.is_some();
                    fields.insert("client_secret".to_owned(), client_secret.into());
                    let secret = hooked.then_some(app.webhook_secret);
                    fields.insert("webhook_secret".to_owned(), secret.into());
                    fields.insert("pem".to_owned(), pem.into());
                }
                Ok(Reply::created(rendered))
            }))
        }
        ("GET", ["app", "hook", "config"]) => {
            ctx.json("apps/get-webhook-config-for-app", |state| {
                let app = State::app_of(&ctx.actor)?;
                let app = state.apps.get(&app).ok_or_else(ApiError::not_found)?;
                let url = app.webhook_url.as_ref().ok_or_else(ApiError::not_found)?;
                Ok(json!({"url": url, "content_type": "json", "insecure_ssl": "0",
                "secret": "********"}))
            })
        }
        ("GET", ["meta"]) => ctx.json("meta/get", |_| {
            Ok(json!({"verifiable_password_authentication": true, "hooks": Value::Array(vec![])}))
        }),
        _ => None,
    }
}
