//! No request of ours goes where a payload says: addresses in it are never used.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::Value;
use slipway::github::payload;

use crate::world::plan;

/// Somebody who waits for a visit.
struct Trap {
    listener: TcpListener,
    address: String,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        Self { listener, address }
    }

    fn was_visited(&self) -> bool {
        self.listener.accept().is_ok()
    }
}

/// The body with every address in it leading into the trap, and more of them than GitHub sends.
fn poisoned(body: &[u8], address: &str) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    poison(&mut body, address);
    body.to_string().into_bytes()
}

fn poison(value: &mut Value, address: &str) {
    match value {
        Value::String(text) if text.contains("://") => address.clone_into(text),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| poison(entry, address)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| poison(field, address));
            for name in ["url", "html_url", "clone_url", "avatar_url", "logs_url"] {
                fields.insert(name.to_owned(), Value::from(address));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn attack_54_addresses_in_payloads_are_never_visited() {
    let trap = Trap::set();
    plan().poisoned(poisoned, &trap.address).run(async |t| {
        t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert!(t.poisoned.load(Ordering::SeqCst) > 10, "payloads were poisoned");
    });
    assert!(!trap.was_visited(), "a request followed an address in a payload");
    // The trap works: who follows such an address is seen.
    let at = trap.address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    drop(std::net::TcpStream::connect(at).unwrap());
    assert!(trap.was_visited());
}

/// Names in the shapes of payloads that would hold an address.
fn addresses_read(source: &str) -> Vec<String> {
    let words = source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let address = |word: &&str| {
        let word = word.to_ascii_lowercase();
        word.split('_').any(|part| matches!(part, "url" | "uri" | "href" | "link" | "links"))
    };
    words.filter(address).map(str::to_owned).collect()
}

#[test]
fn attack_54_payloads_are_read_without_their_addresses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/github/payload");
    for name in ["shape.rs", "read.rs", "mod.rs", "interest.rs", "words.rs"] {
        let source = std::fs::read_to_string(folder.join(name)).unwrap();
        let code: Vec<&str> =
            source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        assert_eq!(addresses_read(&code.join("\n")), Vec::<String>::new(), "{name}");
        let weak = format!("{}\npub avatar_url: String,", code.join("\n"));
        assert_eq!(addresses_read(&weak), ["avatar_url"], "the search finds one");
    }
    // And what comes of a payload holds none either.
    let body = include_bytes!("fuzz/corpus/issue_comment.json");
    let bad = poisoned(body, "http://127.0.0.1:9/");
    let read = format!("{:?}", payload::read("issue_comment", &bad, 1));
    assert!(!read.contains("127.0.0.1"), "{read}");
}
