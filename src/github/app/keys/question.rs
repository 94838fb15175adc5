//! What is asked as the App itself: a closed list, each with its one request.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::path;
use super::super::wire::Request;

/// Entries asked for on one page; GitHub gives no more.
pub(in crate::github::app) const PAGE_ENTRIES: usize = 100;
/// Longest cursor taken from an answer, in bytes.
pub(in crate::github::app) const CURSOR_BYTES_MAX: usize = 200;

/// A question, or the one thing the App asks to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::github::app) enum Question {
    /// Who the App is.
    App,
    /// Where it is installed, from page 1 on.
    Installations { page: u32 },
    /// Where its webhooks go.
    Hook,
    /// The log of deliveries, newest first.
    Deliveries { failed: bool, cursor: Option<String> },
    /// One delivery with its payload.
    Delivery { id: u64 },
    /// Sending a delivery again.
    Redeliver { id: u64 },
}

impl Question {
    /// Whether its texts are within their limits.
    pub(super) fn is_bounded(&self) -> bool {
        match self {
            Self::Deliveries { cursor, .. } => {
                cursor.as_ref().is_none_or(|cursor| cursor.len() <= CURSOR_BYTES_MAX)
            }
            Self::App
            | Self::Installations { .. }
            | Self::Hook
            | Self::Delivery { .. }
            | Self::Redeliver { .. } => true,
        }
    }

    /// The word for it, in the log.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Installations { .. } => "installations",
            Self::Hook => "hook",
            Self::Deliveries { .. } => "deliveries",
            Self::Delivery { .. } => "delivery",
            Self::Redeliver { .. } => "redeliver",
        }
    }

    pub(super) fn request(&self) -> Request {
        let path = match self {
            Self::App => "/app".to_owned(),
            Self::Installations { page } => {
                format!("/app/installations?per_page={PAGE_ENTRIES}&page={page}")
            }
            Self::Hook => "/app/hook/config".to_owned(),
            Self::Deliveries { failed, cursor } => {
                let status = if *failed { "&status=failure" } else { "" };
                let cursor = cursor.as_ref().map(|one| format!("&cursor={}", path::part(one)));
                let cursor = cursor.unwrap_or_default();
                format!("/app/hook/deliveries?per_page={PAGE_ENTRIES}{status}{cursor}")
            }
            Self::Delivery { id } => format!("/app/hook/deliveries/{id}"),
            Self::Redeliver { id } => {
                let path = format!("/app/hook/deliveries/{id}/attempts");
                return Request::write(Method::POST, self.word(), path, json!({}));
            }
        };
        Request::get(self.word(), path)
    }
}
