//! Pages for people: the list of runs and the timeline of one. They show, and change nothing;
//! how they look is for `report` to say.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use tokio::time::timeout;

use super::{Shared, guard};
use crate::model::{Audit, RunId};
use crate::pipeline::Live;
use crate::report::page::{CSS, ListRow, ROWS_MAX, StreamLine, TimelineRow, list_page, run_page};
use crate::report::{Context, Links, happened, ignored};
use crate::store::{AuditRow, Audited, Entry, Error, LiveRow, RunRow, Snapshot, StreamRow};

/// Seconds after which a page about something live loads itself again.
const REFRESH_SECONDS: u32 = 10;

/// Forbids everything that the pages do not need: they load one style sheet and nothing else.
pub(super) fn content_security_policy() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'",
    )
}

/// `GET /slipway.css`: says nothing about any run, so everybody may have it.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], CSS).into_response()
}

/// `GET /`
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = shared.web.visitors.refuse(&uri, &headers) {
        return refusal;
    }
    let rows_max = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
    match timeout(shared.web.limits.store(), shared.web.store.runs(rows_max)).await {
        Ok(Ok(runs)) => {
            let rows: Vec<ListRow> = runs.into_iter().map(list_row).collect();
            Html(list_page(&rows, Some(REFRESH_SECONDS))).into_response()
        }
        Ok(Err(error)) => unreadable(&error),
        Err(_elapsed) => silent(),
    }
}

/// `GET /runs/{run}`
pub(super) async fn run(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = shared.web.visitors.refuse(&uri, &headers) {
        return refusal;
    }
    let Ok(id) = RunId::parse(&name) else { return absent() };
    match timeout(shared.web.limits.store(), read(&shared, &id)).await {
        Ok(Ok(Some(whole))) => shown(&shared, whole),
        Ok(Ok(None)) => absent(),
        Ok(Err(error)) => unreadable(&error),
        Err(_elapsed) => silent(),
    }
}

async fn read(shared: &Shared, run: &RunId) -> Result<Option<Whole>, Error> {
    let Some(snapshot) = shared.web.store.load(run).await? else { return Ok(None) };
    let entries = shared.web.store.timeline(run).await?;
    let which = Audited::Run(run.clone());
    let limit = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
    let audits = shared.web.store.audits(&which, limit).await?;
    let live = LiveRow::of(shared.web.store.live(run).await?, &snapshot.state);
    let streams = shared.web.store.streams(run).await?;
    Ok(Some(Whole { snapshot, entries, audits, live, streams }))
}

/// Everything that is shown of a run.
struct Whole {
    snapshot: Snapshot,
    entries: Vec<Entry>,
    /// Newest first.
    audits: Vec<AuditRow>,
    live: Option<Live>,
    streams: Vec<StreamRow>,
}

fn shown(shared: &Shared, whole: Whole) -> Response {
    let Whole { snapshot, entries, audits, live, streams } = whole;
    let repo = &snapshot.state.request.repo;
    let links = Links { run_page: None, repo_url: format!("{}/{repo}", shared.web.github_url) };
    let context = Context::new(&snapshot.state, &snapshot.policy, &links);
    let context = context.with_live(live.as_ref());
    let rows: Vec<TimelineRow> = entries.into_iter().map(timeline_row).collect();
    // Oldest first, as the timeline.
    let audits: Vec<Audit> = audits.into_iter().rev().map(|row| row.audit).collect();
    let streams: Vec<StreamLine> = streams.into_iter().map(stream_line).collect();
    Html(run_page(&context, (&rows, &audits, &streams), Some(REFRESH_SECONDS))).into_response()
}

fn list_row(row: RunRow) -> ListRow {
    ListRow {
        run: row.run,
        repo: row.repo,
        issue: row.issue,
        title: row.title,
        pull: row.pull,
        at_stage: row.at_stage,
        live: row.live,
        opened: row.opened,
        moved: row.moved,
    }
}

fn stream_line(row: StreamRow) -> StreamLine {
    let StreamRow { entry, agent, at, bytes, is_cut } = row;
    StreamLine { entry, agent, at, bytes, is_cut }
}

fn timeline_row(entry: Entry) -> TimelineRow {
    TimelineRow {
        number: entry.number,
        at: entry.event.at,
        what: happened(&entry.event.kind),
        after: entry.after,
        ignored: entry.ignored.map(|why| ignored(why).to_owned()),
    }
}

pub(super) fn absent() -> Response {
    guard::plain(StatusCode::NOT_FOUND, "there is no such run\n")
}

pub(super) fn unreadable(error: &Error) -> Response {
    tracing::warn!(%error, "a page could not be read from the store");
    guard::plain(StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read\n")
}

pub(super) fn silent() -> Response {
    guard::plain(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
}
