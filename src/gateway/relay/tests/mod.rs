//! The relay over real sockets, in front of a scripted model.

mod money;
#[path = "../../../../tests/it/model/mod.rs"]
pub(in crate::gateway) mod scripted;
mod trouble;
mod walls;

use std::time::Duration;

use super::super::fake::Jar;
use super::super::provider::{KeySource, Pricing};
use super::super::trial::{self, Dial, MODEL, Said};
use super::super::{Caps, Gateway, Line, Order, Prices, Wire};
use super::*;
use crate::clock::SystemClock;
use scripted::{Fault, Model, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// A relay, a model behind it, a purse, and a key nobody may see.
pub(in crate::gateway) struct Town {
    relay: Relay,
    pub(in crate::gateway) model: Model,
    pub(in crate::gateway) jar: Jar,
    key: String,
    pub(in crate::gateway) order: Order,
}

impl Town {
    pub(in crate::gateway) async fn new(script: Script) -> Self {
        Self::without(script, Defences::ALL).await
    }

    async fn without(script: Script, defences: Defences) -> Self {
        let model = Model::start(script).await.unwrap();
        let key = format!("sk-{:032x}", fastrand::u128(..));
        let clients = Clients::new(&[]).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let held = Secret::new(key.clone());
        let ring = Ring::new(
            Arc::new(move |_: &str| Some(held.clone())),
            clients.reach(&model.url("").parse().unwrap()).unwrap(),
            Arc::clone(&clock),
        );
        let prices = Arc::new(Prices::ours().unwrap());
        let mut relay = Relay::new(prices, Arc::new(ring), clients, clock);
        relay.defences = defences;
        // Five dollars.
        let jar = Jar::holding(5_000_000);
        let mut order = trial::order(&model.url(""), &jar);
        order.provider.key = KeySource::Environment("KEY".to_owned());
        Self { relay, model, jar, key, order }
    }

    /// The same behind another wire.
    pub(in crate::gateway) fn speaking(mut self, wire: Wire) -> Self {
        let (path, house, model) = match wire {
            Wire::Responses | Wire::Chat => ("/v1", "openai", "gpt-5"),
            Wire::Messages => ("", "anthropic", MODEL),
            Wire::Gemini => ("", "gemini", "gemini-2.5-pro"),
            Wire::Ollama => ("", "openai", "gpt-5"),
        };
        self.order.provider.wire = wire;
        self.order.provider.url = self.model.url(path).parse().unwrap();
        self.order.provider.pricing = Pricing::Listed {
            house: Some(house.to_owned()),
            own: std::collections::BTreeMap::new(),
        };
        self.order.models = vec![model.to_owned()];
        self
    }

    pub(in crate::gateway) async fn open(&self) -> Box<dyn Line> {
        self.relay.open(&self.order).await.unwrap()
    }

    /// One call, streamed, and the line's tally after it.
    async fn call(&self) -> (Heard, Tally) {
        let line = self.open().await;
        let heard = call(line.as_ref(), self.order.provider.wire).await;
        (heard, line.close().await)
    }
}

fn caps(change: impl FnOnce(&mut Caps)) -> Caps {
    let mut caps = Caps::default();
    change(&mut caps);
    caps
}

/// What a program hears.
#[derive(Debug, Clone, Default)]
struct Heard {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// The answer came to its end.
    whole: bool,
}

impl Heard {
    fn text(&self) -> String {
        format!("{}\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// A streamed call of `wire`, as its programs make it.
async fn call(line: &dyn Line, wire: Wire) -> Heard {
    let token = line.token().reveal().to_owned();
    let (path, header, body) = match wire {
        Wire::Responses => {
            ("/v1/responses", "authorization: Bearer ", r#"{"model":"gpt-5","stream":true}"#)
        }
        Wire::Chat => {
            ("/v1/chat/completions", "authorization: Bearer ", r#"{"model":"gpt-5","stream":true}"#)
        }
        Wire::Messages => (
            "/v1/messages?beta=true",
            "x-api-key: ",
            r#"{"model":"claude-sonnet-4-5","stream":true,"max_tokens":100}"#,
        ),
        Wire::Gemini => (
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            "x-goog-api-key: ",
            r#"{"contents":[],"generationConfig":{"maxOutputTokens":100}}"#,
        ),
        Wire::Ollama => ("/api/chat", "authorization: Bearer ", r#"{"model":"gpt-5"}"#),
    };
    speak(line.socket(), &format!("POST {path}"), &format!("{header}{token}"), body).await
}

/// One request on a connection of its own; all of the answer.
async fn speak(socket: &Path, line: &str, header: &str, body: &str) -> Heard {
    let Ok(mut stream) = UnixStream::connect(socket).await else { return Heard::default() };
    let length = body.len();
    let said = format!(
        "{line} HTTP/1.1\r\nhost: x\r\n{header}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    // It may be refused before all is said.
    drop(stream.write_all(said.as_bytes()).await);
    let mut raw = Vec::new();
    let read = stream.read_to_end(&mut raw).await;
    heard(&raw, read.is_ok())
}

/// Takes an answer apart.
fn heard(raw: &[u8], read: bool) -> Heard {
    let Some(end) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Heard::default();
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut rest = &raw[end + 4..];
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return Heard { status, head, body: rest.to_vec(), whole: read };
    }
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n");
        let Some(line) = line else { return Heard { status, head, body, whole: false } };
        let length = std::str::from_utf8(&rest[..line]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return Heard { status, head, body, whole: read };
        }
        let end = (line + 2 + length).min(rest.len());
        body.extend_from_slice(&rest[line + 2..end]);
        rest = rest.get(end + 2..).unwrap_or_default();
    }
}

/// The model's scripted figures are those of the suite.
struct Wired;

#[async_trait]
impl Dial for Wired {
    async fn dial(&self, line: &dyn Line, said: Said<'_>) -> Option<u16> {
        let Said { method, path, token, body } = said;
        let header = format!("x-api-key: {}", token.reveal());
        let heard = speak(line.socket(), &format!("{method} {path}"), &header, &body).await;
        (heard.status > 0).then_some(heard.status)
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let town = Town::new(Script::saying("as you wish")).await;
    let jar = Jar::holding(40_000);
    let order = trial::order(&town.model.url(""), &jar);
    trial::contract(&town.relay, &Wired, &order, &jar).await;
}

#[tokio::test]
async fn every_wire_is_passed_through_and_read_along() {
    for wire in Wire::ALL {
        let said = "it is done, ünd 日本";
        let town = Town::new(Script::saying(said)).await.speaking(wire);
        let (heard, tally) = town.call().await;
        assert!(heard.status == 200 && heard.whole, "{wire:?}: {}", heard.text());
        for word in said.split(' ') {
            assert!(heard.text().contains(word), "{wire:?}: {word}");
        }
        let tokens = tally.tokens;
        assert_eq!((tokens.output, tokens.total()), (40, 1_240), "{wire:?}");
        assert!(wire == Wire::Ollama || tokens.cache_read == 200, "{wire:?}");
        assert_eq!((tally.turns, tally.uncertain), (1, 0), "{wire:?}");
        assert_eq!(tally.finish, Some(crate::gateway::Finish::Stop), "{wire:?}");
        assert_eq!(tally.cost.micros(), Some(town.jar.spent()), "{wire:?}");
        assert!(town.jar.spent() > 0 && town.jar.set_aside() == 0, "{wire:?}");
        let asked = town.model.heard().remove(0);
        let shown = ["authorization", "x-api-key", "x-goog-api-key"];
        let shown: Vec<&str> = shown.iter().filter_map(|name| asked.header(name)).collect();
        assert_eq!(shown.len(), 1, "{wire:?}");
        assert!(shown[0].ends_with(&town.key), "the key stands in the place of the token");
    }
}

#[tokio::test]
async fn a_line_that_is_dropped_ends_its_calls_and_settles_them() {
    let town = Town::new(Script::failing(Fault::Stall)).await;
    let line = town.open().await;
    let socket = line.socket().to_owned();
    let token = format!("x-api-key: {}", line.token().reveal());
    let body = r#"{"model":"claude-sonnet-4-5","stream":true,"max_tokens":100}"#;
    let calling = speak(&socket, "POST /v1/messages", &token, body);
    let dropping = async {
        while town.jar.set_aside() == 0 || line.tally().last_status.is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(line);
    };
    let (heard, ()) = tokio::join!(calling, dropping);
    assert!(!heard.whole, "it cannot be taken for an answer");
    until(|| town.jar.set_aside() == 0 && town.model.gone() == 1).await;
    assert!(town.jar.spent() > 0, "what was asked and not told counts at its worst");
    assert!(UnixStream::connect(&socket).await.is_err());
}

/// Waits for something that comes by itself.
async fn until(is: impl Fn() -> bool) {
    let waiting = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it never came");
}
