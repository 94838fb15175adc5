//! One request to a page: who looks, and running the World's work off the async threads.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HOST, HeaderName, REFERER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::Markup;

use super::super::error::{ApiError, ApiResult, Failure};
use super::super::world::{Actor, Repo, Role, State, User, World};
use super::layout;

/// The cookie that says as whom the person acts: a user id.
pub(super) const COOKIE_NAME: &str = "slipway_as";

/// A page before its frame.
pub(super) struct Page {
    pub title: String,
    /// `owner/name` of the repository that the page belongs to.
    pub repo: Option<String>,
    /// Whether something is running, so that the page should load itself again.
    pub live: bool,
    pub body: Markup,
}

impl Page {
    pub(super) fn new(title: impl Into<String>, repo: Option<&Repo>, body: Markup) -> Self {
        Self { title: title.into(), repo: repo.map(Repo::full_name), live: false, body }
    }

    pub(super) fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }
}

/// Who looks at a page.
pub(super) struct Viewer {
    pub user: Option<User>,
    /// Everybody one can act as.
    pub people: Vec<User>,
    /// Path and query of the page.
    pub here: String,
}

impl Viewer {
    fn of(state: &State, ask: &Ask) -> Self {
        let person = |user: &&User| !user.bot;
        let people: Vec<User> = state.users.values().filter(person).cloned().collect();
        let chosen = people.iter().find(|user| Some(user.id) == ask.cookie);
        let user = chosen.or_else(|| people.first()).cloned();
        Self { user, people, here: ask.here.clone() }
    }

    pub(super) fn actor(&self) -> Actor {
        self.user.as_ref().map_or(Actor::Anonymous, |user| Actor::User(user.id))
    }

    pub(super) fn role(&self, repo: &Repo) -> Role {
        self.user.as_ref().map_or(Role::None, |user| repo.role(user.id))
    }

    /// Path of the page without its query.
    pub(super) fn path(&self) -> &str {
        self.here.split_once('?').map_or(&self.here, |(path, _)| path)
    }

    /// Whether the person asked the page to load itself again, giving up its text boxes.
    pub(super) fn watches(&self) -> bool {
        self.here.split_once('?').is_some_and(|(_, query)| query == "watch")
    }

    pub(super) fn login(&self) -> &str {
        self.user.as_ref().map_or("nobody", |user| &user.login)
    }
}

/// A request: the World, the cookie, the page.
pub(super) struct Ask {
    world: World,
    cookie: Option<u64>,
    here: String,
    /// Path of the page of ours that led here.
    from: Option<String>,
}

impl FromRequestParts<World> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, world: &World) -> Result<Self, Infallible> {
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let (cookie, from) = (cookie(&parts.headers), from(&parts.headers));
        Ok(Self { world: world.clone(), cookie, here, from })
    }
}

fn from(headers: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, rest) = text(REFERER)?.split_once("://")?;
    let path = rest.strip_prefix(text(HOST)?)?;
    (path.starts_with('/') && !path.starts_with("//")).then(|| path.to_owned())
}

fn cookie(headers: &HeaderMap) -> Option<u64> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, id) = pairs.find(|(name, _)| name.trim() == COOKIE_NAME)?;
    id.trim().parse().ok()
}

impl Ask {
    /// Builds a page under the World's lock; git may be at work under it.
    pub(super) async fn show<B>(self, build: B) -> Response
    where
        B: FnOnce(&mut State, &Viewer) -> ApiResult<Page> + Send + 'static,
    {
        let work = move || {
            self.world.with(|state| {
                let viewer = Viewer::of(state, &self);
                match build(state, &viewer) {
                    Ok(page) => Html(layout::framed(state, &viewer, &page)).into_response(),
                    Err(error) => refusal(state, &viewer, &error, None),
                }
            })
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| broken())
    }

    /// Lets the chosen person do something and goes where `act` says.
    pub(super) async fn act<A>(self, act: A) -> Response
    where
        A: FnOnce(&World, u64) -> ApiResult<String> + Send + 'static,
    {
        let work = move || {
            let user = self.world.with(|state| Viewer::of(state, &self).user);
            let nobody = || ApiError::new(401, "There is nobody to act as");
            match user.ok_or_else(nobody).and_then(|user| act(&self.world, user.id)) {
                Ok(next) => Redirect::to(&next).into_response(),
                Err(error) => self.world.with(|state| {
                    let mut viewer = Viewer::of(state, &self);
                    // The form's own path is no page.
                    viewer.here = self.from.clone().unwrap_or_else(|| "/ui".to_owned());
                    refusal(state, &viewer, &error, Some(&viewer.here))
                }),
            }
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| broken())
    }

    /// The World itself, for what concerns no repository.
    pub(super) fn world(&self) -> &World {
        &self.world
    }
}

fn refusal(state: &State, viewer: &Viewer, error: &ApiError, back: Option<&str>) -> Response {
    let status = match error.failure {
        Failure::Answer => StatusCode::from_u16(error.status),
        Failure::Timeout | Failure::Reset => Ok(StatusCode::BAD_GATEWAY),
    };
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = layout::refusal(status, error, back);
    (status, Html(layout::framed(state, viewer, &page))).into_response()
}

fn broken() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.\n").into_response()
}
