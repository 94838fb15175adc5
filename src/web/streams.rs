//! What agents said, as plain text, for whoever may see pages.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::Shared;
use super::pages::{absent, silent, unreadable};
use crate::model::RunId;
use crate::report::stream_text;
use crate::store::Error;

/// `GET /runs/{run}/streams/{entry}`
pub(super) async fn stream(
    State(shared): State<Arc<Shared>>,
    Path((name, entry)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = shared.web.visitors.refuse(&uri, &headers) {
        return refusal;
    }
    let (Ok(run), Ok(entry)) = (RunId::parse(&name), entry.parse()) else { return absent() };
    match timeout(shared.web.limits.store(), read(&shared, &run, entry)).await {
        Ok(Ok(text)) if text.is_empty() => absent(),
        Ok(Ok(text)) => plain(&format!("{run}-{entry}.txt"), text),
        Ok(Err(error)) => unreadable(&error),
        Err(_elapsed) => silent(),
    }
}

async fn read(shared: &Shared, run: &RunId, entry: u32) -> Result<String, Error> {
    let mut text = String::new();
    for stream in shared.web.store.stream(run, entry).await? {
        let (agent, at) = (stream.row.agent.clone(), stream.row.at.rfc3339());
        text.push_str(&stream_text(&format!("--- {agent}, until {at} ---")));
        text.push_str(&stream_text(&stream.text().await?));
    }
    Ok(text)
}

/// Text and nothing else, whatever it looks like, also when somebody saves it.
fn plain(name: &str, text: String) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let named = HeaderValue::from_str(&format!("inline; filename=\"{name}\""));
    let named = named.unwrap_or_else(|_odd| HeaderValue::from_static("inline"));
    ([kind, (header::CONTENT_DISPOSITION, named)], text).into_response()
}
