//! The suite the proxy and the fake pass: what a way out opens, refuses and tells.

use std::path::Path;

use async_trait::async_trait;

use super::{Caps, Egress, Order, Rule, variables};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nobody listens there.
    Nobody,
    Refused(u16),
    /// The other side gave back what it was sent.
    Opened(Vec<u8>),
}

/// Plays the program: sends everything, ends its side, and listens to the end.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    async fn dial(&self, socket: &Path, said: &[u8]) -> Answer;
}

pub(super) fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| Rule::parse(text).unwrap()).collect()
}

pub(super) fn order(texts: &[&str]) -> Order {
    Order { name: "trial".to_owned(), rules: rules(texts), caps: Caps::default() }
}

pub(super) fn connect(to: &str, then: &str) -> Vec<u8> {
    format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n{then}").into_bytes()
}

/// Every name that is resolved must lead to somebody who gives back what he is sent.
pub(super) async fn contract(egress: &dyn Egress, dial: &dyn Dial) {
    what_may_be_reached(egress, dial).await;
    one_run_has_nothing_of_another(egress, dial).await;
    bytes_are_counted_and_end(egress, dial).await;
    let told: Vec<_> = variables(7).into_iter().map(|(_, value)| value).collect();
    assert!(told.iter().filter(|value| *value == "http://127.0.0.1:7").count() == 4, "{told:?}");
}

async fn what_may_be_reached(egress: &dyn Egress, dial: &dyn Dial) {
    let way = egress.open(&order(&["api.example.com", "*.example.org:8443"])).await.unwrap();
    let socket = way.socket().to_owned();
    let opened = |text: &str| Answer::Opened(text.as_bytes().to_vec());
    for (said, answer) in [
        (connect("api.example.com:443", "hello"), opened("hello")),
        (connect("API.example.com.:443", ""), opened("")),
        (connect("a.b.example.org:8443", "x"), opened("x")),
        (connect("api.example.com:80", "x"), Answer::Refused(403)),
        (connect("example.org:8443", "x"), Answer::Refused(403)),
        (connect("evil\n.example:443", "x"), Answer::Refused(400)),
        (connect("127.0.0.1:443", "x"), Answer::Refused(403)),
        (b"GET http://api.example.com/ HTTP/1.1\r\n\r\n".to_vec(), Answer::Refused(405)),
        (b"\x16\x03\x01 no head at all".to_vec(), Answer::Refused(400)),
    ] {
        let told = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(dial.dial(&socket, &said).await, answer, "{told}");
    }
    let account = way.close().await;
    assert_eq!((account.opened, account.refused), (3, 6), "{account:#?}");
    assert_eq!((account.bytes_out, account.bytes_in), (6, 6));
    let hosts: Vec<_> = account.refused_hosts.iter().map(String::as_str).collect();
    assert_eq!(hosts, ["api.example.com:80", "example.org:8443"]);
    assert_eq!(account.lines.len(), 9);
    assert!(account.lines[0].starts_with("opened api.example.com:443 at "), "{account:#?}");
    assert!(account.lines.iter().all(|line| line.is_ascii() && line.len() <= 200));
    assert_eq!(dial.dial(&socket, &connect("api.example.com:443", "")).await, Answer::Nobody);
}

async fn one_run_has_nothing_of_another(egress: &dyn Egress, dial: &dyn Dial) {
    let mine = egress.open(&order(&["mine.example.com"])).await.unwrap();
    let yours = egress.open(&order(&["yours.example.com"])).await.unwrap();
    let asked = connect("yours.example.com:443", "");
    assert_eq!(dial.dial(mine.socket(), &asked).await, Answer::Refused(403));
    assert_eq!(dial.dial(yours.socket(), &asked).await, Answer::Opened(Vec::new()));
    let socket = mine.socket().to_owned();
    drop(mine);
    let gone = dial.dial(&socket, &connect("mine.example.com:443", "")).await;
    assert_eq!(gone, Answer::Nobody, "a way that is dropped is closed");
    assert_eq!(yours.close().await.opened, 1);
}

async fn bytes_are_counted_and_end(egress: &dyn Egress, dial: &dyn Dial) {
    let mut order = order(&["api.example.com"]);
    order.caps.bytes_max = 10;
    let way = egress.open(&order).await.unwrap();
    let said = connect("api.example.com:443", "123456");
    dial.dial(way.socket(), &said).await;
    assert_eq!(dial.dial(way.socket(), &said).await, Answer::Refused(403), "they are used up");
    let account = way.close().await;
    assert!(account.lines.iter().any(|line| line.contains("bytes used up")), "{account:#?}");
}
