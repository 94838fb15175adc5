//! The demo's configuration is one that the doctor passes.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cast::Place;
use super::known::Lines;
use crate::app::doctor::examine;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Layer};
use crate::playground::seed::sample;
use crate::playground::{Config, Playground};

#[tokio::test]
async fn the_configuration_of_the_demo_passes() {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let now_ms = Arc::new(|| SystemClock.now().0);
    let config = Config { now_ms, seed: 7, pages: None };
    let running = Playground::start(config, &tasks, &stop).await.unwrap();
    let sample = sample(&running, None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let taking = axum::Router::new().fallback(|| async { axum::http::StatusCode::ACCEPTED });
    let ended = stop.clone().cancelled_owned();
    tasks.spawn(async move {
        axum::serve(listener, taking).with_graceful_shutdown(ended).await.unwrap();
    });
    running.world.set_webhook_url(sample.bot.id, &format!("http://{address}/webhook"));
    running.world.open_issue(sample.maintainer.id, &sample.repo, "Hello", "There.").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let place = Place {
        running: &running,
        sample: &sample,
        address: &address,
        lossy: false,
        own_agent: false,
        hosts: &[],
        tools: None,
        hearing: "",
    };
    let agent = Lines::command("A='1 2' exec sh -c true").unwrap();
    place.configure(directory.path(), &program, &agent).unwrap();
    // What was sent before there was an address was not taken; the newest is.
    for _ in 0..2_000 {
        let newest = running.world.mailbox(|box_| box_.log().next().map(|one| one.status_code));
        if newest == Some(202) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let file = directory.path().join("slipway.toml");
    let settings = config::load(Some(&file), |_| None, Layer::default());
    let report = examine(settings, Arc::new(SystemClock)).await;
    assert!(report.ok(), "{}", report.text());
    stop.cancel();
}
