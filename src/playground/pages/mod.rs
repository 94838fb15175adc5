//! The playground's pages: GitHub in a browser, for a person who tries Slipway.
//!
//! Server-rendered HTML without a script, under the paths that GitHub's own pages have, so that
//! the links the World prints work. A person acts as any of the World's people, without a
//! password; only forms that these very pages sent are obeyed.

mod apps;
mod ask;
mod checks;
mod code;
mod commits;
mod diff;
mod forms;
mod guard;
mod home;
mod issue;
mod issues;
mod layout;
mod markdown;
mod merge_box;
mod parts;
mod pull;
mod review_forms;
#[cfg(test)]
mod tests;
mod timeline;

use super::world::World;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

/// The longest form that is read, in bytes: a body of the World's longest, percent-encoded.
const FORM_BYTES_MAX: usize = 1 << 20;

/// All pages; the World's HTTP face asks them for what is neither git's nor the API's.
pub fn router(world: World) -> Router {
    let guarded = from_fn_with_state(world.clone(), guard::guard);
    Router::new()
        .route("/", get(home::redirect))
        .route("/ui", get(home::page))
        .route("/ui/style.css", get(layout::style))
        .route("/ui/as", post(forms::act_as))
        .route("/settings/apps/new", get(apps::empty).post(apps::personal))
        .route("/organizations/{org}/settings/apps/new", get(apps::empty).post(apps::organization))
        .route(apps::CREATE, post(apps::create))
        .merge(read_routes())
        .merge(write_routes())
        .fallback(home::nothing)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(guarded)
        .with_state(world)
}

fn read_routes() -> Router<World> {
    Router::new()
        .route("/{owner}/{repo}", get(home::overview))
        .route("/{owner}/{repo}/issues", get(issues::list))
        .route("/{owner}/{repo}/pulls", get(issues::list_pulls))
        .route("/{owner}/{repo}/issues/new", get(issues::new))
        .route("/{owner}/{repo}/issues/{number}", get(issue::page))
        .route("/{owner}/{repo}/compare", get(issues::new_pull))
        .route("/{owner}/{repo}/pull/{number}", get(pull::conversation))
        .route("/{owner}/{repo}/pull/{number}/files", get(pull::files))
        .route("/{owner}/{repo}/pull/{number}/checks", get(pull::checks))
        .route("/{owner}/{repo}/pull/{number}/commits", get(pull::commits))
        .route("/{owner}/{repo}/runs/{run}", get(checks::page))
        .route("/{owner}/{repo}/checks/{run}", get(checks::page))
        .route("/{owner}/{repo}/commits", get(commits::list_default))
        .route("/{owner}/{repo}/commits/{*name}", get(commits::list))
        .route("/{owner}/{repo}/commit/{sha}", get(commits::page))
        .route("/{owner}/{repo}/tree/{*name}", get(code::tree))
        .route("/{owner}/{repo}/blob/{name}/{*path}", get(code::blob))
}

fn write_routes() -> Router<World> {
    Router::new()
        .route("/{owner}/{repo}/issues", post(forms::open_issue))
        .route("/{owner}/{repo}/pulls", post(forms::open_pull))
        .route("/{owner}/{repo}/issues/{number}/comments", post(forms::comment))
        .route("/{owner}/{repo}/issues/{number}/state", post(forms::set_open))
        .route("/{owner}/{repo}/issues/{number}/labels", post(forms::label))
        .route("/{owner}/{repo}/issues/{number}/reactions", post(forms::react))
        .route("/{owner}/{repo}/comments/{comment}", post(forms::edit_comment))
        .route("/{owner}/{repo}/pull/{number}/reviews", post(review_forms::review))
        .route("/{owner}/{repo}/pull/{number}/merge", post(review_forms::merge))
        .route("/{owner}/{repo}/pull/{number}/ready", post(review_forms::ready))
        .route("/{owner}/{repo}/pull/{number}/threads/{thread}", post(review_forms::resolve))
        .route("/{owner}/{repo}/runs/{run}/button", post(review_forms::press))
        .route("/{owner}/{repo}/runs/{run}/again", post(review_forms::again))
        .route("/{owner}/{repo}/edit", post(forms::edit_file))
}
