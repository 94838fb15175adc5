//! The suite the relay and the fake pass: what a line answers, refuses, pays and tells.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::fake::Jar;
use super::provider::{KeySource, Pricing};
use super::{Caps, Finish, Gateway, Line, Order, Provider, Unpriced, Wire};
use crate::model::{Cost, Secret, Tokens, Trouble};

/// What every call of the suite uses, whoever answers.
pub(super) const TOKENS: Tokens =
    Tokens { input: 1_000, cache_read: 200, cache_write: 0, output: 40, reasoning: 10 };
pub(super) const MODEL: &str = "claude-sonnet-4-5";
/// 3, 0.30 and 15 dollars for a million.
pub(super) const MICROS: u64 = 3_000 + 60 + 600;

/// A request of the program.
pub(super) struct Said<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) token: &'a Secret,
    pub(super) body: String,
}

/// Plays the program, and hears the status; `None` where nobody listens.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    async fn dial(&self, line: &dyn Line, said: Said<'_>) -> Option<u16>;
}

pub(super) fn order(url: &str, jar: &Jar) -> Order {
    let pricing = Pricing::Listed {
        house: Some("anthropic".to_owned()),
        own: std::collections::BTreeMap::new(),
    };
    Order {
        name: "trial".to_owned(),
        provider: Provider {
            name: "house".to_owned(),
            wire: Wire::Messages,
            url: url.parse().unwrap(),
            key: KeySource::None,
            pricing,
        },
        models: vec![MODEL.to_owned(), "unpriced".to_owned()],
        purse: Arc::new(jar.clone()),
        unpriced: Unpriced::Refuse,
        caps: Caps::default(),
    }
}

pub(super) fn asking(model: &str) -> String {
    json!({"model": model, "max_tokens": 100, "messages": []}).to_string()
}

/// Every call that gets through must be answered with [`TOKENS`].
pub(super) async fn contract(gateway: &dyn Gateway, dial: &dyn Dial, order: &Order, jar: &Jar) {
    let line = gateway.open(order).await.unwrap();
    let other = gateway.open(order).await.unwrap();
    let (socket, token) = (line.socket().to_owned(), line.token().clone());
    assert_ne!(other.token(), &token, "every line has its own");
    let post = |path, token, body| Said { method: "POST", path, token, body };
    let (messages, nothing) = ("/v1/messages", Secret::new(""));
    for (said, status) in [
        (post(messages, &token, asking(MODEL)), 200),
        (post(messages, other.token(), asking(MODEL)), 401),
        (post(messages, &nothing, asking(MODEL)), 401),
        (post("/v1/messages/batches", &token, asking(MODEL)), 404),
        (post(messages, &token, asking("claude-opus-5")), 403),
        (post(messages, &token, asking("unpriced")), 402),
        (post(messages, &token, "{".to_owned()), 400),
        (post("/v1/messages/count_tokens", &token, asking(MODEL)), 200),
        (Said { method: "GET", path: "/v1/models", token: &token, body: String::new() }, 200),
    ] {
        let (method, path) = (said.method, said.path);
        assert_eq!(dial.dial(line.as_ref(), said).await, Some(status), "{method} {path}");
    }
    assert_eq!((jar.spent(), jar.set_aside(), jar.reservations()), (MICROS, 0, 1));
    let spent = jar.spent();
    while dial.dial(line.as_ref(), post(messages, &token, asking(MODEL))).await == Some(200) {}
    let tally = line.close().await;
    assert_eq!(tally.trouble, Some(Trouble::Budget), "the purse was emptied");
    assert_eq!(tally.cost, Cost::Micros(jar.spent()));
    assert!(jar.spent() > spent);
    assert_eq!(tally.turns, jar.reservations());
    assert_eq!(tally.tokens.output, TOKENS.output * tally.turns);
    assert_eq!(tally.finish, Some(Finish::Stop));
    assert_eq!((tally.requests, tally.refused), (tally.turns + 9, 7));
    assert_eq!((tally.last_status, tally.uncertain, tally.calling), (Some(200), 0, 0));
    assert_eq!(other.close().await.requests, 0, "one line has nothing of another");
    let again = gateway.open(order).await.unwrap();
    assert_ne!(again.socket(), socket);
}
