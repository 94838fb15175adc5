//! What may have been missed: the App's log of deliveries, and what changed about issues.

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::keys::{CURSOR_BYTES_MAX, Question};
use super::shape::{Account, labels, required};
use super::{App, path};
use crate::github::delivery::{Kept, LOG_PAGES_MAX, Log, Logged, Which};
use crate::github::{At, Change, Changed, Error, Touched};
use crate::model::{DeliveryId, IssueNumber, Millis};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LoggedAnswer {
    id: Option<u64>,
    guid: Option<String>,
    delivered_at: Option<String>,
    status_code: Option<u16>,
    event: Option<String>,
    action: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KeptAnswer {
    event: Option<String>,
    request: Option<Carried>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Carried {
    payload: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TouchedAnswer {
    number: Option<u64>,
    state: Option<String>,
    labels: Option<Vec<Value>>,
    pull_request: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeAnswer {
    id: Option<u64>,
    event: Option<String>,
    actor: Option<Account>,
    created_at: Option<String>,
    label: Option<Label>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Label {
    name: Option<String>,
}

impl LoggedAnswer {
    /// Nothing when it is not as the interface promises: one odd entry hides no other.
    fn logged(self) -> Option<Logged> {
        Some(Logged {
            id: self.id?,
            guid: DeliveryId::parse(&self.guid?).ok()?,
            at: Millis::from_rfc3339(&self.delivered_at?)?,
            status_code: self.status_code.unwrap_or(0),
            event: self.event?,
            action: self.action,
        })
    }
}

impl ChangeAnswer {
    fn change(self) -> Option<Change> {
        let label = self.label.and_then(|label| label.name);
        let what = match self.event?.as_str() {
            "labeled" => Changed::Labeled(label?),
            "unlabeled" => Changed::Unlabeled(label?),
            "closed" => Changed::Closed,
            _uninteresting => return None,
        };
        let at = Millis::from_rfc3339(&self.created_at?)?;
        Some(Change { id: self.id?, what, by: self.actor.as_ref().and_then(Account::user), at })
    }
}

impl App {
    pub(super) async fn read_issues_since(
        &self,
        at: &At,
        since: Millis,
    ) -> Result<Vec<Touched>, Error> {
        let since = since.rfc3339();
        let query = format!("/issues?state=all&sort=updated&direction=asc&since={since}");
        let path = path::repo(at, &query);
        let found = self.pages::<TouchedAnswer>(at, ("issues_since", &path), None).await?;
        found.entries.into_iter().map(touched).collect()
    }

    pub(super) async fn read_history(
        &self,
        at: &At,
        issue: IssueNumber,
    ) -> Result<Vec<Change>, Error> {
        let path = path::repo(at, &format!("/issues/{issue}/events"));
        let found = self.pages::<ChangeAnswer>(at, ("history", &path), None).await?;
        let mut changes: Vec<Change> =
            found.entries.into_iter().filter_map(ChangeAnswer::change).collect();
        changes.sort_by_key(|change| (change.at, change.id));
        Ok(changes)
    }

    /// Reads from the newest entry back to `since`. The address of the next page is never
    /// followed, only its cursor taken.
    pub(super) async fn read_deliveries(&self, since: Millis, which: Which) -> Result<Log, Error> {
        let failed = which == Which::Failed;
        let mut log = Log::default();
        let mut cursor = None;
        for page in 1..=LOG_PAGES_MAX {
            let answer = self.keys.ask(&Question::Deliveries { failed, cursor }).await?;
            let found: Vec<LoggedAnswer> = answer.json()?;
            log.silent = page == 1 && found.is_empty();
            let found: Vec<Logged> = found.into_iter().filter_map(LoggedAnswer::logged).collect();
            let reached = found.iter().any(|logged| logged.at < since);
            log.entries.extend(found.into_iter().filter(|logged| logged.at >= since));
            match answer.link().and_then(next_cursor) {
                Some(next) if !reached => cursor = Some(next),
                Some(_) | None => break,
            }
        }
        if failed {
            // A server that does not know the filter gives everything.
            log.entries.retain(|logged| !logged.is_received());
        }
        log.entries.sort_by_key(|logged| (logged.at, logged.id));
        log.entries.dedup_by_key(|logged| logged.id);
        Ok(log)
    }

    pub(super) async fn read_delivery(&self, id: u64) -> Result<Option<Kept>, Error> {
        let answer = match self.keys.ask(&Question::Delivery { id }).await {
            Ok(answer) => answer.json::<KeptAnswer>()?,
            Err(Error::Gone(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let payload = answer.request.and_then(|request| request.payload);
        let payload = required(payload.filter(Value::is_object), "payload")?;
        let event = required(answer.event, "event")?;
        Ok(Some(Kept { event, body: payload.to_string().into_bytes() }))
    }

    /// Asking twice delivers twice, under one GUID: it is known the second time.
    pub(super) async fn ask_redelivery(&self, id: u64) -> Result<(), Error> {
        self.keys.ask(&Question::Redeliver { id }).await.map(drop)
    }
}

fn touched(answer: TouchedAnswer) -> Result<Touched, Error> {
    Ok(Touched {
        number: IssueNumber(required(answer.number, "issue number")?),
        is_pull: answer.pull_request.is_some(),
        open: required(answer.state, "state")? == "open",
        labels: labels(answer.labels.as_deref()),
    })
}

/// The `cursor` of the next page in a `Link` header.
fn next_cursor(link: &str) -> Option<String> {
    let next = link.split(',').find(|one| one.contains("rel=\"next\""))?;
    let url = next.split('<').nth(1)?.split('>').next()?;
    let query = url.split_once('?')?.1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, cursor) = pairs.find(|(name, _)| name == "cursor")?;
    (!cursor.is_empty() && cursor.len() <= CURSOR_BYTES_MAX).then(|| cursor.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_taken_from_the_link_to_the_next_page_and_nothing_else() {
        let link = "<https://h/app/hook/deliveries?per_page=100&cursor=v1_12%2B3>; rel=\"next\"";
        assert_eq!(next_cursor(link).as_deref(), Some("v1_12+3"));
        let both = format!("<https://h/x?cursor=back>; rel=\"prev\", {link}");
        assert_eq!(next_cursor(&both).as_deref(), Some("v1_12+3"));
        let long = format!("<https://h/x?cursor={}>; rel=\"next\"", "x".repeat(201));
        for none in ["", "rel=\"next\"", "<https://h/x>; rel=\"next\"", &long] {
            assert_eq!(next_cursor(none), None, "{none}");
        }
    }

    #[test]
    fn an_odd_entry_of_the_log_hides_no_other() {
        let text = r#"[{"id": 1}, {"id": 2, "guid": "g", "delivered_at": "2026-11-21T00:00:00Z",
            "status_code": 500, "event": "push", "action": null, "throttled_at": null}]"#;
        let found: Vec<LoggedAnswer> = serde_json::from_str(text).unwrap();
        let found: Vec<Logged> = found.into_iter().filter_map(LoggedAnswer::logged).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id, found[0].status_code), (2, 500));
    }
}
