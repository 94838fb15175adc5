//! The page on loopback: who may see it, and the one exchange it is there for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::sync::{Notify, watch};

use super::{Plan, draw, page};
use crate::app::manifest::{self, Wish};
use crate::clock::Clock;
use crate::github::Error;
use crate::github::app::{Registered, register};
use crate::model::Secret;
use crate::report::page::CSS;

const OWN_CSS: &str = include_str!("setup.css");
/// The cookie of the one browser that opened the address first.
const COOKIE: &str = "slipway_setup";

/// What has become of it so far.
#[derive(Debug)]
enum Progress {
    /// The word that GitHub is to bring back; used once.
    Asking(Secret),
    /// A code is being exchanged.
    Exchanging,
    Done(Box<Registered>),
    /// The App exists, and its key could not be kept.
    Lost,
}

/// The page's state.
#[derive(Debug)]
pub(super) struct Desk {
    plan: Plan,
    address: SocketAddr,
    /// Part of the address: only who was given it finds the page.
    token: Secret,
    /// Only the browser that came first is served, so that a link seen by others is worthless.
    session: Secret,
    opened: Mutex<bool>,
    progress: Mutex<Progress>,
    /// `None` while it goes on.
    end: watch::Sender<Option<Result<Registered, String>>>,
    shown: Notify,
    clock: ShownClock,
}

/// A browser that came too late.
struct Stranger;

/// A clock has nothing to show.
struct ShownClock(Arc<dyn Clock>);

impl std::fmt::Debug for ShownClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

impl Desk {
    pub(super) fn new(
        plan: Plan,
        address: SocketAddr,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            plan,
            address,
            token: draw()?,
            session: draw()?,
            opened: Mutex::new(false),
            progress: Mutex::new(Progress::Asking(draw()?)),
            end: watch::Sender::new(None),
            shown: Notify::new(),
            clock: ShownClock(clock),
        })
    }

    /// The address to open.
    pub(super) fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.token.reveal())
    }

    /// Waits until the App is made and stored.
    pub(super) async fn done(&self) -> anyhow::Result<Registered> {
        let mut end = self.end.subscribe();
        let ended = end.wait_for(Option::is_some).await.context("the page is gone")?;
        let ended = ended.clone().context("nothing happened")?;
        ended.map_err(|why| anyhow::anyhow!(why))
    }

    /// Waits until the last page was fetched.
    pub(super) async fn shown(&self) {
        self.shown.notified().await;
    }

    /// Whether this is the browser that was here first.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let mut pairs = cookies.flat_map(|v| v.split(';')).filter_map(|pair| pair.split_once('='));
        let given = pairs.find(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim());
        given.is_some_and(|given| same(&self.session, given))
    }

    /// The cookie for the browser that comes first, or the refusal for one that comes later.
    fn admit(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Stranger> {
        if self.knows(headers) {
            return Ok(None);
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if *opened {
            return Err(Stranger);
        }
        *opened = true;
        let cookie = format!(
            "{COOKIE}={}; Path=/{}/; HttpOnly; SameSite=Lax",
            self.session.reveal(),
            self.token.reveal()
        );
        Ok(HeaderValue::from_str(&cookie).ok())
    }

    /// The code for the App, the App into files. What fails before the App exists can be tried
    /// again.
    async fn exchange(&self, code: &str) -> Result<(), (StatusCode, String)> {
        let registered = register(&self.plan.github, code, self.clock.0.now()).await;
        let registered = match registered {
            Ok(registered) => registered,
            Err(error) => {
                self.ask_again();
                return Err(refusal(&error));
            }
        };
        let plan = self.plan.clone();
        let app = registered.clone();
        let wrote = tokio::task::spawn_blocking(move || plan.place.write(&app, &plan.around)).await;
        let wrote = wrote.map_err(anyhow::Error::from).and_then(|wrote| wrote);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = wrote {
            *progress = Progress::Lost;
            let (slug, web) = (&registered.slug, &self.plan.web);
            let why = format!(
                "the App {slug} exists on {web}, but its key could not be stored: {error:#}; make \
                 room, delete the App on its settings page, and run `slipway setup` again"
            );
            self.end.send_replace(Some(Err(why.clone())));
            return Err((StatusCode::INTERNAL_SERVER_ERROR, why));
        }
        *progress = Progress::Done(Box::new(registered.clone()));
        self.end.send_replace(Some(Ok(registered)));
        Ok(())
    }

    fn ask_again(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *progress = draw().map_or(Progress::Lost, Progress::Asking);
    }

    fn home(&self) -> String {
        format!("/{}/", self.token.reveal())
    }
}

/// What GitHub's refusal of a code means, as a sentence.
fn refusal(error: &Error) -> (StatusCode, String) {
    let why = match error {
        Error::Gone(_) => {
            "GitHub does not know this code: it works once, within an hour".to_owned()
        }
        Error::Limited { .. } => "GitHub is limiting requests; wait a few minutes".to_owned(),
        Error::Unavailable(_) => format!("GitHub could not be reached ({error})"),
        Error::Forbidden(_) | Error::Refused { .. } | Error::Unexpected(_) => {
            format!("GitHub would not hand the App over ({error})")
        }
    };
    (StatusCode::BAD_GATEWAY, why)
}

/// The pages, below the token; everything else is nothing.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    let guarded = from_fn_with_state(Arc::clone(&desk), guard);
    Router::new()
        .route("/{token}/", get(first))
        .route("/{token}/back", get(back))
        .route("/{token}/done", get(done))
        .route("/{token}/slipway.css", get(style))
        .fallback(nothing)
        .layer(guarded)
        .with_state(desk)
}

async fn nothing() -> Response {
    plain(StatusCode::NOT_FOUND, "there is nothing here\n")
}

/// Nobody comes in by another name (a page elsewhere can point a name of its own here) or
/// without the token, and nothing here runs scripts or loads what is not ours.
async fn guard(State(desk): State<Arc<Desk>>, request: Request<Body>, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let first = request.uri().path().split('/').nth(1).unwrap_or_default();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = host == Some(desk.address.to_string().as_str()) && same(&desk.token, first);
    let mut response = if known && reads { next.run(request).await } else { nothing().await };
    // Browsers tell GitHub where the form came from, but not the token in the address.
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action {}; base-uri 'none'; \
         frame-ancestors 'none'",
        desk.plan.web
    );
    let headers = response.headers_mut();
    for (name, value) in [
        (header::REFERRER_POLICY, "strict-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

async fn style() -> Response {
    let text = format!("{CSS}{OWN_CSS}");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text).into_response()
}

/// `GET /TOKEN/`
async fn first(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let cookie = match desk.admit(&headers) {
        Ok(cookie) => cookie,
        Err(Stranger) => return stranger(),
    };
    let state = match &*desk.progress.lock().unwrap_or_else(PoisonError::into_inner) {
        Progress::Asking(state) => state.clone(),
        Progress::Done(_) => return Redirect::to("done").into_response(),
        Progress::Exchanging | Progress::Lost => return over(),
    };
    let redirect_url = format!("{}back", desk.url());
    let wish = Wish {
        name: &desk.plan.name,
        public_url: desk.plan.public_url.as_deref(),
        web: &desk.plan.web,
        redirect_url: &redirect_url,
    };
    let action = desk.plan.action(state.reveal());
    let mut response =
        Html(page::ask(&desk.plan, &manifest::render(&wish), &action)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /TOKEN/back?code=…&state=…`: GitHub sends the browser here.
async fn back(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Response {
    // A browser that never saw the page has nothing to bring back.
    if !desk.knows(&headers) {
        return stranger();
    }
    {
        let mut progress = desk.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match &*progress {
            Progress::Asking(state) if same(state, &back.state) => {
                *progress = Progress::Exchanging;
            }
            Progress::Asking(_) => {
                let why = "This answer belongs to another question";
                let next = "its `state` is not the one that was sent: nothing was done";
                let html = page::refused(why, next, Some(&desk.home()));
                return (StatusCode::BAD_REQUEST, Html(html)).into_response();
            }
            Progress::Done(_) => return Redirect::to("done").into_response(),
            Progress::Exchanging | Progress::Lost => return over(),
        }
    }
    match desk.exchange(&back.code).await {
        // The code leaves the address bar.
        Ok(()) => Redirect::to("done").into_response(),
        Err((status, why)) => {
            let home = desk.home();
            let again = (status == StatusCode::BAD_GATEWAY).then_some(home.as_str());
            let next = "If GitHub lists an App without a key now, delete it there.";
            (status, Html(page::refused(&why, next, again))).into_response()
        }
    }
}

/// `GET /TOKEN/done`
async fn done(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    if !desk.knows(&headers) {
        return stranger();
    }
    let app = match &*desk.progress.lock().unwrap_or_else(PoisonError::into_inner) {
        Progress::Done(app) => app.clone(),
        Progress::Asking(_) => return Redirect::to(&desk.home()).into_response(),
        Progress::Exchanging | Progress::Lost => return over(),
    };
    desk.shown.notify_one();
    Html(page::done(&desk.plan, &app)).into_response()
}

fn stranger() -> Response {
    let why = "this page was opened in another browser; run `slipway setup` again\n";
    plain(StatusCode::FORBIDDEN, why)
}

fn over() -> Response {
    plain(StatusCode::CONFLICT, "this is being done, or is over; see the terminal\n")
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

/// Compares in constant time.
fn same(known: &Secret, given: &str) -> bool {
    verify_slices_are_equal(known.reveal().as_bytes(), given.as_bytes()).is_ok()
}
