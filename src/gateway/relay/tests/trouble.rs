//! Providers with no room, providers that fail, and how long anybody waits for them.

use super::*;
use crate::model::{Millis, Trouble};

fn impatient() -> Patience {
    Patience { tries_max: 3, wait_max: Duration::from_secs(2), waits_max: Duration::from_secs(2) }
}

#[tokio::test]
async fn a_rush_is_waited_out_before_the_program_hears_anything() {
    for (status, after) in [(429, Some("0")), (529, None), (503, Some("0")), (500, None)] {
        let mut script = Script::saying("at last");
        script.faults = vec![Fault::Status(status, after, "rate_limit_error")];
        let town = Town::new(script).await;
        let (heard, tally) = town.call().await;
        assert_eq!((heard.status, heard.whole), (200, true), "{status}");
        assert_eq!((tally.retries, tally.turns, tally.requests), (1, 1, 1), "{status}");
        assert_eq!((tally.trouble, tally.failures), (None, 0), "{status}");
        assert_eq!(town.jar.spent(), trial::MICROS, "{status}: paid once");
    }
}

#[tokio::test]
async fn waiting_ends_however_long_the_provider_refuses() {
    let mut town =
        Town::new(Script::failing(Fault::Status(429, Some("0"), "rate_limit_error"))).await;
    town.order.caps = caps(|caps| {
        caps.patience = impatient();
        caps.failures_max = 4;
    });
    let line = town.open().await;
    let mut heard = Vec::new();
    // A program that never gives up.
    for _turn in 0..20 {
        heard.push(call(line.as_ref(), Wire::Messages).await);
    }
    let statuses: Vec<u16> = heard.iter().map(|heard| heard.status).collect();
    assert_eq!(statuses[..5], [429, 429, 429, 429, 403]);
    assert!(statuses[5..].iter().all(|status| *status == 403));
    assert!(heard[0].head.to_ascii_lowercase().contains("retry-after: 0"), "{}", heard[0].head);
    assert!(heard[4].text().contains("the last 4 calls failed"), "{}", heard[4].text());
    assert_eq!(town.model.heard().len(), 12, "three tries for each of four calls");
    let tally = line.close().await;
    assert_eq!((tally.retries, tally.last_status), (8, Some(429)));
    assert_eq!((town.jar.spent(), town.jar.set_aside()), (0, 0));
}

#[tokio::test]
async fn while_it_waits_the_tally_says_for_what() {
    let town = Town::new(Script::failing(Fault::Status(429, Some("20"), "slow down"))).await;
    let line = town.open().await;
    let socket = line.socket().to_owned();
    let token = format!("x-api-key: {}", line.token().reveal());
    let body = r#"{"model":"claude-sonnet-4-5","max_tokens":1}"#;
    let waiting = speak(&socket, "POST /v1/messages", &token, body);
    tokio::select! {
        heard = waiting => panic!("it waits twenty seconds: {heard:?}"),
        () = until(|| line.tally().retries == 1) => {}
    }
    let tally = line.tally();
    assert_eq!((tally.trouble, tally.calling), (Some(Trouble::RateLimit), 1));
    assert!(tally.quiet_ms(Millis(tally.moved_at.0 + 5)) == 5);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_the_programs_to_wait() {
    for (after, trouble) in [("3600", Trouble::RateLimit), ("0", Trouble::Quota)] {
        let words = if trouble == Trouble::Quota { "insufficient_quota" } else { "slow" };
        let town = Town::new(Script::failing(Fault::Status(429, Some(after), words))).await;
        let (heard, tally) = town.call().await;
        assert_eq!((heard.status, tally.retries), (429, 0), "{after}");
        assert_eq!(tally.trouble, Some(trouble));
        assert!(heard.text().contains(words), "the provider's own words: {}", heard.text());
        assert_eq!(town.model.heard().len(), 1);
    }
}

#[tokio::test]
async fn what_will_not_be_better_is_not_tried_again() {
    for (status, trouble) in [
        (401, Trouble::Auth),
        (402, Trouble::Quota),
        (403, Trouble::Auth),
        (400, Trouble::BadRequest),
    ] {
        let town = Town::new(Script::failing(Fault::Status(status, None, "no"))).await;
        let (heard, tally) = town.call().await;
        assert_eq!((heard.status, tally.trouble), (status, Some(trouble)));
        assert_eq!((tally.last_status, town.model.heard().len()), (Some(status), 1));
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_said_not_to_answer() {
    let mut town = Town::new(Script::saying("never heard")).await;
    // Nobody listens at the port of something that was closed.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    town.order.provider.url = format!("http://{port}").parse().unwrap();
    town.order.caps = caps(|caps| caps.patience.tries_max = 2);
    let (heard, tally) = town.call().await;
    assert_eq!((heard.status, tally.trouble), (502, Some(Trouble::Network)));
    assert_eq!((tally.retries, town.jar.spent(), town.jar.set_aside()), (1, 0, 0));
}

#[tokio::test]
async fn a_provider_that_begins_no_answer_is_given_up() {
    for whole in [false, true] {
        let mut town = Town::new(Script::failing(Fault::Silent)).await;
        town.order.caps = caps(|caps| {
            let limit = if whole { &mut caps.call_max } else { &mut caps.first_max };
            *limit = Duration::from_millis(60);
        });
        let (heard, tally) = town.call().await;
        assert_eq!((heard.status, tally.trouble), (504, Some(Trouble::Network)));
        assert!(town.jar.spent() > trial::MICROS, "it may have worked: at its worst");
        assert_eq!(town.model.heard().len(), 1, "and is not asked twice");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_is_told() {
    for (wire, kind, trouble) in [
        (Wire::Messages, "overloaded_error", Trouble::Overloaded),
        (Wire::Responses, "rate_limit_exceeded", Trouble::RateLimit),
        (Wire::Chat, "server_error", Trouble::Server),
        (Wire::Gemini, "UNAVAILABLE", Trouble::Overloaded),
        (Wire::Ollama, "it broke", Trouble::Server),
    ] {
        let town = Town::new(Script::failing(Fault::Error(kind))).await.speaking(wire);
        let (heard, tally) = town.call().await;
        assert!(heard.status == 200 && heard.text().contains(kind), "{wire:?}");
        assert_eq!((tally.trouble, tally.failures), (Some(trouble), 1), "{wire:?}");
        assert_eq!(town.jar.set_aside(), 0, "{wire:?}");
    }
}

#[tokio::test]
async fn an_answer_has_a_limit_and_a_length_that_is_kept() {
    let mut town = Town::new(Script::failing(Fault::Huge(1 << 20))).await;
    town.order.caps = caps(|caps| caps.answer_bytes_max = 1 << 19);
    let (heard, tally) = town.call().await;
    assert!(!heard.whole && heard.body.len() <= 1 << 19, "{}", heard.body.len());
    assert_eq!(tally.trouble, Some(Trouble::Protocol));
    town.order.caps.answer_bytes_max = 1 << 21;
    let (heard, _tally) = town.call().await;
    assert!(heard.whole && heard.body.len() >= 1 << 20);
    let town = Town::new(Script::failing(Fault::WrongLength)).await;
    let (heard, tally) = town.call().await;
    assert!(!heard.whole, "{}", heard.text());
    assert_eq!((tally.uncertain, town.jar.set_aside()), (1, 0));
}
