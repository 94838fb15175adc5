//! Walls: the key stays here, and nothing else than what is ordered goes out.

use super::super::super::defence::Defence;
use super::*;

const GOOD: &str = r#"{"model":"claude-sonnet-4-5","max_tokens":100}"#;

async fn post(line: &dyn Line, path: &str, body: &str) -> Heard {
    let token = format!("x-api-key: {}", line.token().reveal());
    speak(line.socket(), &format!("POST {path}"), &token, body).await
}

#[tokio::test]
async fn the_key_never_comes_back_in_whatever_a_provider_says() {
    for fault in [
        Fault::EchoBody(200),
        Fault::EchoBody(400),
        Fault::EchoBody(401),
        Fault::Echo(200),
        Fault::Echo(400),
    ] {
        let town = Town::new(Script::failing(fault.clone())).await;
        let (heard, _tally) = town.call().await;
        assert!(!heard.text().contains(&town.key), "{fault:?}: {}", heard.text());
        let open = Defences::without(Defence::Mask);
        let town = Town::without(Script::failing(fault.clone()), open).await;
        let (heard, _tally) = town.call().await;
        assert!(heard.text().contains(&town.key), "{fault:?}: this is what the mask is for");
    }
}

#[tokio::test]
async fn a_token_is_of_one_line_and_for_its_time() {
    let town = Town::new(Script::saying("yes")).await;
    let (line, other) = (town.open().await, town.open().await);
    for shown in [
        String::new(),
        "x-api-key: ".to_owned(),
        format!("x-api-key: {}", other.token().reveal()),
        format!("x-api-key: {}x", line.token().reveal()),
        format!("authorization: Basic {}", line.token().reveal()),
    ] {
        let header = if shown.is_empty() { "x-y: z" } else { &shown };
        let heard = speak(line.socket(), "POST /v1/messages", header, GOOD).await;
        assert_eq!(heard.status, 401, "{}", heard.text());
    }
    let bearer = format!("authorization: bearer {}", line.token().reveal());
    assert_eq!(speak(line.socket(), "POST /v1/messages", &bearer, GOOD).await.status, 200);
    assert_eq!(town.model.heard().len(), 1);
    assert!(line.token().len() > 64, "it cannot be guessed");
    let open = Town::without(Script::saying("yes"), Defences::without(Defence::Token)).await;
    let line = open.open().await;
    assert_eq!(speak(line.socket(), "POST /v1/messages", "x-y: z", GOOD).await.status, 200);
}

#[tokio::test]
async fn another_path_and_another_model_are_not_passed_on() {
    let dear = GOOD.replace("sonnet-4-5", "opus-5");
    for (path, body, status, defence) in [
        ("/v1/messages/batches", GOOD, 404, Defence::Path),
        ("/v1/messages", dear.as_str(), 403, Defence::Model),
    ] {
        let town = Town::new(Script::saying("yes")).await;
        let line = town.open().await;
        let heard = post(line.as_ref(), path, body).await;
        assert_eq!(heard.status, status, "{}", heard.text());
        assert!(heard.text().contains("slipway: this"), "{}", heard.text());
        assert!(town.model.heard().is_empty() && town.jar.reservations() == 0);
        let open = Town::without(Script::saying("yes"), Defences::without(defence)).await;
        let line = open.open().await;
        post(line.as_ref(), path, body).await;
        assert_eq!(open.model.heard().len(), 1, "without {defence:?} it goes out");
    }
}

#[tokio::test]
async fn what_a_program_says_beside_its_call_stays_here() {
    let town = Town::new(Script::saying("yes")).await;
    let line = town.open().await;
    let token = line.token().reveal().to_owned();
    let headers = format!(
        "x-api-key: {token}\r\nauthorization: Bearer {token}\r\ncookie: a=b\r\nx-mine: 1\r\n\
         openai-organization: o\r\nanthropic-beta: b\r\naccept-encoding: gzip\r\nuser-agent: cli"
    );
    let line_said = "POST /v1/messages?beta=true&key=k&x=y";
    assert_eq!(speak(line.socket(), line_said, &headers, GOOD).await.status, 200);
    let asked = town.model.heard().remove(0);
    assert_eq!(asked.path, "/v1/messages?beta=true");
    assert_eq!(asked.header("x-api-key"), Some(town.key.as_str()));
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert_eq!(asked.header("anthropic-beta"), Some("b"));
    assert_eq!(asked.header("user-agent"), Some("cli"));
    for name in ["authorization", "cookie", "x-mine", "openai-organization"] {
        assert_eq!(asked.header(name), None, "{name}");
    }
    assert!(!asked.headers.iter().any(|header| header.contains(&token)));
    let host = town.model.url("").replace("http://", "");
    assert_eq!(asked.header("host"), Some(host.as_str()), "not the one the program named");
}

#[tokio::test]
async fn nobody_is_followed_elsewhere() {
    let elsewhere = Model::start(Script::saying("come in")).await.unwrap();
    let town = Town::new(Script::failing(Fault::Redirect(elsewhere.url("/v1/messages")))).await;
    let (heard, tally) = town.call().await;
    assert_eq!(heard.status, 502);
    assert!(!heard.text().contains(&elsewhere.url("")), "{}", heard.text());
    assert!(elsewhere.heard().is_empty());
    assert_eq!((town.jar.spent(), town.jar.set_aside(), tally.retries), (0, 0, 0));
}

#[tokio::test]
async fn a_request_has_a_limit_and_is_told_so() {
    let mut town = Town::new(Script::saying("yes")).await;
    town.order.caps = caps(|caps| {
        caps.request_bytes_max = 100_000;
        caps.head_bytes_max = 8 * 1024;
        caps.body_max = Duration::from_millis(80);
        caps.idle_max = Duration::from_millis(80);
    });
    let line = town.open().await;
    let padded = |length: usize| GOOD.replace('{', &format!("{{\"x\":\"{}\",", "x".repeat(length)));
    assert_eq!(post(line.as_ref(), "/v1/messages", &padded(90_000)).await.status, 200);
    assert_eq!(post(line.as_ref(), "/v1/messages", &padded(100_000)).await.status, 413);
    assert_eq!(post(line.as_ref(), "/v1/messages", &padded(300_000)).await.status, 413);
    let header = format!("x-long: {}", "x".repeat(20_000));
    let heard = speak(line.socket(), "POST /v1/messages", &header, GOOD).await;
    assert_eq!(heard.status, 431);
    let mut slow = UnixStream::connect(line.socket()).await.unwrap();
    let token = line.token().reveal();
    let begun =
        format!("POST /v1/messages HTTP/1.1\r\nx-api-key: {token}\r\ncontent-length: 9\r\n\r\n");
    slow.write_all(begun.as_bytes()).await.unwrap();
    let mut raw = vec![0; 12];
    slow.read_exact(&mut raw).await.unwrap();
    assert_eq!(raw, b"HTTP/1.1 408");
    let mut mute = UnixStream::connect(line.socket()).await.unwrap();
    mute.write_all(b"POST /v1").await.unwrap();
    let mut raw = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), mute.read_to_end(&mut raw)).await.unwrap().ok();
    assert_eq!(town.model.heard().len(), 1);
}

#[tokio::test]
async fn calls_connections_and_requests_have_their_limits() {
    let mut town = Town::new(Script::failing(Fault::Stall)).await;
    town.order.caps = caps(|caps| {
        caps.calls_max = 1;
        caps.requests_max = 2;
        caps.connections_max = 2;
    });
    let line = town.open().await;
    let first = call(line.as_ref(), Wire::Messages);
    let others = async {
        until(|| line.tally().calling == 1).await;
        let heard = call(line.as_ref(), Wire::Messages).await;
        assert_eq!(heard.status, 429, "{}", heard.text());
        assert!(heard.head.to_ascii_lowercase().contains("retry-after: 1"), "{}", heard.head);
        let heard = call(line.as_ref(), Wire::Messages).await;
        assert_eq!(heard.status, 403, "{}", heard.text());
        assert!(heard.text().contains("all 2 requests of this run"), "{}", heard.text());
        let kept = UnixStream::connect(line.socket()).await.unwrap();
        let heard = call(line.as_ref(), Wire::Messages).await;
        assert_eq!(heard.status, 0, "a third connection is closed at once");
        drop(kept);
    };
    tokio::select! {
        _heard = first => panic!("it stalls"),
        () = others => {}
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_asked() {
    let mut town = Town::new(Script::saying("yes")).await;
    town.order.provider.key = KeySource::File("/nowhere/key".into());
    let (heard, tally) = town.call().await;
    assert_eq!((heard.status, tally.trouble), (403, Some(crate::model::Trouble::Auth)));
    assert!(!heard.text().contains("/nowhere"), "the place is for the log: {}", heard.text());
    assert_eq!((town.model.heard().len(), town.jar.spent(), town.jar.set_aside()), (0, 0, 0));
}
