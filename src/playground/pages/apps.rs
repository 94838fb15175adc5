//! The pages on which a person turns a manifest into an App, as GitHub has them.

use axum::extract::{Form, Path, Query};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use url::Url;

use super::super::error::{ApiError, ApiResult};
use super::super::world::manifests::{Manifest, NAME_CHARS_MAX};
use super::super::world::{State, World};
use super::ask::{Ask, Page, Viewer};

/// Where the button's own form goes.
pub(super) const CREATE: &str = "/settings/apps/manifest";

/// Whether a path only shows what a manifest from elsewhere asks for, and does nothing yet.
pub(super) fn only_asks(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    let first = parts.next();
    let rest: Vec<&str> = parts.collect();
    matches!(
        (first, rest.as_slice()),
        (Some("settings"), ["apps", "new"])
            | (Some("organizations"), [_, "settings", "apps", "new"])
    )
}

#[derive(Deserialize)]
pub(super) struct About {
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
pub(super) struct Brought {
    manifest: String,
}

#[derive(Deserialize)]
pub(super) struct Create {
    manifest: String,
    state: String,
    owner: String,
    name: String,
}

/// `GET`: nobody brought a manifest.
pub(super) async fn empty(ask: Ask) -> Response {
    ask.show(|_, _| {
        let body = html! {
            h1 { "New GitHub App" }
            p.lead {
                "This page wants a manifest, sent by a form: " code { "slipway setup" }
                " shows the page that sends it."
            }
        };
        Ok(Page::new("New GitHub App", None, body))
    })
    .await
}

/// `POST /settings/apps/new`
pub(super) async fn personal(ask: Ask, about: Query<About>, form: Form<Brought>) -> Response {
    asked(ask, None, about, form).await
}

/// `POST /organizations/{org}/settings/apps/new`
pub(super) async fn organization(
    ask: Ask,
    Path(org): Path<String>,
    about: Query<About>,
    form: Form<Brought>,
) -> Response {
    asked(ask, Some(org), about, form).await
}

async fn asked(
    ask: Ask,
    org: Option<String>,
    Query(about): Query<About>,
    Form(form): Form<Brought>,
) -> Response {
    let back = Manifest::parse(&form.manifest).ok().and_then(|one| origin(&one.redirect_url));
    let mut response = ask
        .show(move |state, viewer| {
            let manifest = Manifest::parse(&form.manifest).map_err(|error| told(&error))?;
            let owner = owner(state, viewer, org.as_deref())?;
            let body = page(&manifest, &form.manifest, &about.state, &owner);
            Ok(Page::new("Create GitHub App", None, body))
        })
        .await;
    // Browsers hold redirects after a form against the policy of the form's page.
    let policy = back.map(|origin| {
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; \
             form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'"
        )
    });
    if let Some(policy) = policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn page(manifest: &Manifest, text: &str, state: &str, owner: &str) -> Markup {
    html! {
        h1 { "Create GitHub App for " (owner) }
        p.lead { (manifest.description) }
        form.stack method="post" action=(CREATE) {
            input type="hidden" name="manifest" value=(text);
            input type="hidden" name="state" value=(state);
            input type="hidden" name="owner" value=(owner);
            div.field {
                label for="name" { "GitHub App name" }
                input #name name="name" type="text" required maxlength=(NAME_CHARS_MAX)
                    value=(manifest.name) autocomplete="off";
            }
            p.actions {
                button.primary type="submit" { "Create GitHub App for " (owner) }
            }
        }
        h2 { "It asks for" }
        ul.lines {
            @if let Ok(permissions) = manifest.permissions() {
                @for (name, level) in permissions {
                    li { code { (name) } " " span.quiet-text { (level.name()) } }
                }
            }
        }
        h2 { "It hears" }
        ul.lines { @for event in &manifest.default_events { li { code { (event) } } } }
    }
}

/// Whose App it becomes: the organisation's, or the person's who looks.
fn owner(state: &State, viewer: &Viewer, org: Option<&str>) -> ApiResult<String> {
    let Some(org) = org else { return Ok(viewer.login().to_owned()) };
    let found = state.users.values().find(|user| !user.bot && user.login == org);
    found.map(|user| user.login.clone()).ok_or_else(ApiError::not_found)
}

/// `POST /settings/apps/manifest`: the button.
pub(super) async fn create(ask: Ask, Form(form): Form<Create>) -> Response {
    ask.act(move |world, _user| made(world, &form)).await
}

fn made(world: &World, form: &Create) -> ApiResult<String> {
    let manifest = Manifest::parse(&form.manifest).map_err(|error| told(&error))?;
    let owner = world.with(|state| {
        let found = state.users.values().find(|user| user.login == form.owner);
        found.map(|user| user.id).ok_or_else(ApiError::not_found)
    })?;
    let code = world.register_app(&manifest, form.name.trim(), owner);
    let code = code.map_err(|error| told(&error))?;
    let mut to = Url::parse(&manifest.redirect_url).ok().ok_or_else(ApiError::not_found)?;
    to.query_pairs_mut().append_pair("code", &code).append_pair("state", &form.state);
    Ok(to.into())
}

/// The refusal's details in its sentence, as people see it.
fn told(error: &ApiError) -> ApiError {
    let first = error.body.as_ref().and_then(|body| body.get("errors")?.get(0));
    let text = |name: &str| first.and_then(|one| one.get(name)?.as_str()).unwrap_or_default();
    let (field, why) = (text("field"), text("message"));
    let capital: String = field.chars().take(1).flat_map(char::to_uppercase).collect();
    let rest: String = field.chars().skip(1).collect();
    ApiError::new(error.status, format!("{capital}{rest} {why}"))
}

fn origin(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_asking_pages_take_forms_from_elsewhere() {
        for good in ["/settings/apps/new", "/organizations/acme/settings/apps/new"] {
            assert!(only_asks(good), "{good}");
        }
        for bad in [CREATE, "/settings/apps", "/x/settings/apps/new", "/organizations/a/b/c/new"] {
            assert!(!only_asks(bad), "{bad}");
        }
    }
}
