//! Keys from the three places they may be in, a vault of a few lines among them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::*;
use crate::clock::FakeClock;

fn made_up() -> String {
    format!("key-{:032x}", fastrand::u128(..))
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only(std::iter::empty());
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn ring(token: &str, clock: &Arc<FakeClock>) -> Ring {
    let token = token.to_owned();
    let variable = move |name: &str| (name == "TOKEN").then(|| Secret::new(token.clone()));
    let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(clock);
    Ring::new(Arc::new(variable), client(), clock)
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(Millis(0)))
}

/// Answers every request as `say` does, and remembers them.
struct Vault {
    url: url::Url,
    asked: Arc<Mutex<Vec<String>>>,
    tasks: TaskTracker,
}

impl Vault {
    async fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let tasks = TaskTracker::new();
        let heard = Arc::clone(&asked);
        tasks.spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut said = vec![0; 4_096];
                let length = stream.read(&mut said).await.unwrap();
                heard.lock().unwrap().push(String::from_utf8_lossy(&said[..length]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked, tasks }
    }

    fn source(&self, field: &str) -> KeySource {
        KeySource::Vault(VaultKey {
            url: self.url.clone(),
            mount: "secret".to_owned(),
            path: "slipway/house".to_owned(),
            field: field.to_owned(),
            token: Box::new(KeySource::Environment("TOKEN".to_owned())),
            lives: Duration::from_mins(5),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn http(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn version_two(key: &str) -> String {
    let body = format!(
        r#"{{"data":{{"data":{{"n":1,"key":"{key}"}},"metadata":{{"version":3}}}},"lease_id":""}}"#
    );
    http(200, &body)
}

#[tokio::test]
async fn a_key_is_read_from_a_variable_or_a_file_each_time_anew() {
    let key = made_up();
    let ring = ring(&format!(" {key}\n"), &clock());
    let variable = KeySource::Environment("TOKEN".to_owned());
    assert_eq!(ring.key(&variable).await, Ok(Some(Secret::new(key))));
    assert_eq!(ring.key(&KeySource::None).await, Ok(None));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let source = KeySource::File(file.clone());
    for _turn in 0..2 {
        let key = made_up();
        std::fs::write(&file, format!("{key}\n")).unwrap();
        assert_eq!(ring.key(&source).await, Ok(Some(Secret::new(key))));
    }
    for wrong in ["", "two words", "line\nline", "short", &"x".repeat(KEY_BYTES_MAX + 1)] {
        std::fs::write(&file, wrong).unwrap();
        let error = ring.key(&source).await.unwrap_err().0;
        assert!(error.contains("key") && (wrong.is_empty() || !error.contains(wrong)), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(ring.key(&source).await.is_err());
    let missing = KeySource::Environment("OTHER".to_owned());
    assert!(ring.key(&missing).await.unwrap_err().0.contains("OTHER is not set"));
}

#[tokio::test]
async fn a_key_from_a_vault_is_held_for_its_time() {
    let (token, first, second) = (made_up(), made_up(), made_up());
    let vault = Vault::new(vec![version_two(&first), version_two(&second)]).await;
    let clock = clock();
    let ring = ring(&token, &clock);
    let source = vault.source("key");
    assert_eq!(ring.key(&source).await, Ok(Some(Secret::new(first.clone()))));
    clock.advance(5 * 60_000 - 1);
    assert_eq!(ring.key(&source).await, Ok(Some(Secret::new(first))));
    assert_eq!(vault.asked().len(), 1);
    clock.advance(1);
    assert_eq!(ring.key(&source).await, Ok(Some(Secret::new(second))));
    let asked = vault.asked().remove(1);
    assert!(asked.starts_with("GET /v1/secret/data/slipway/house HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_ascii_lowercase().contains(&format!("x-vault-token: {token}")), "{asked}");
    assert!(vault.tasks.close());
}

#[tokio::test]
async fn a_key_that_was_refused_is_asked_for_anew() {
    let (first, second) = (made_up(), made_up());
    let vault = Vault::new(vec![version_two(&first), version_two(&second)]).await;
    let ring = ring(&made_up(), &clock());
    let source = vault.source("key");
    ring.key(&source).await.unwrap();
    ring.forget(&source);
    assert_eq!(ring.key(&source).await, Ok(Some(Secret::new(second))));
}

#[tokio::test]
async fn what_a_vault_refuses_is_told_without_what_it_said() {
    let inside = made_up();
    let far = http(307, "").replace("\r\n\r\n", "\r\nLocation: http://127.0.0.1:1/\r\n\r\n");
    let long = " ".repeat(70_000);
    for (answer, field, says) in [
        (http(403, &inside), "key", "may not read"),
        (http(404, &inside), "key", "no such secret"),
        (http(503, &inside), "key", "answers 503"),
        (far, "key", "answers 307"),
        (http(200, &format!("{{\"x\":\"{inside}\"}}")), "key", "version 2"),
        (http(200, &long), "key", "too long"),
        (version_two(&inside), "other", "no such text field"),
        (version_two(&inside), "n", "no such text field"),
        (version_two(""), "key", "holds no key"),
    ] {
        let vault = Vault::new(vec![answer]).await;
        let token = made_up();
        let error = ring(&token, &clock()).key(&vault.source(field)).await.unwrap_err().0;
        assert!(error.contains(says), "{says}: {error}");
        assert!(!error.contains(&inside) && !error.contains(&token), "{error}");
    }
}
