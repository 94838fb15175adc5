//! How a town's engine reaches GitHub: in this process, or as in a company's own network.

use std::sync::{Arc, OnceLock};

use slipway::clock::{Clock, FakeClock};
use slipway::github::GitHub;
use slipway::github::app::{self, Config};
use slipway::model::Millis;
use slipway::playground::face::Face;
use slipway::playground::world::World;
use slipway::playground::world::auth::AppKey;

use crate::ghes::{Authority, HERE, Served};

/// Between two looks whether the engine waits for time to pass. The engine does one thing at a
/// time: while a request is on its way, nobody sleeps for a moment that is near.
const LOOK: std::time::Duration = std::time::Duration::from_millis(2);
/// The adapter's own waits are shorter than this; a lease's heartbeats are farther apart.
const WAIT_MS_MAX: i64 = 5_000;

/// The ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By function calls.
    InProcess,
    /// Through the adapter that ships, over HTTPS below `/api/v3`, and with a certificate
    /// authority of its own.
    Enterprise,
}

impl Reach {
    pub(super) const ALL: [Self; 2] = [Self::InProcess, Self::Enterprise];
}

/// One way, made.
pub(super) struct Road {
    pub(super) hub: Arc<dyn GitHub>,
    pub(super) served: Option<Served>,
}

impl Road {
    pub(super) fn new(reach: Reach, world: &World, app: u64, clock: &Arc<FakeClock>) -> Self {
        match reach {
            Reach::InProcess => Self { hub: Arc::new(Face::new(world.clone(), app)), served: None },
            Reach::Enterprise => {
                let served = Served::start(world, Authority::shared().server(HERE));
                world.lend_app_key(app, key(world, app));
                let pem = world.app_pem(app).expect("a key");
                let mut config = Config::new(&served.api_url(), app, &pem);
                config.extra_roots = vec![Authority::shared().pem()];
                let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(clock);
                let hub = Arc::new(app::App::new(&config, clock).expect("an adapter"));
                Self { hub, served: Some(served) }
            }
        }
    }
}

/// One key for all towns: making one takes a tenth of a second.
fn key(world: &World, app: u64) -> AppKey {
    static KEY: OnceLock<AppKey> = OnceLock::new();
    KEY.get_or_init(|| world.app_key(app).expect("a key")).clone()
}

/// Lets time pass for an adapter that waits for it: when nobody asks the server anything, and
/// somebody sleeps for a moment that is near. Ends when it passed.
pub(super) async fn pass_time(served: &Served, clock: &FakeClock) {
    let mut before = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let (open, answered) = served.log().traffic();
        let quiet = open == 0 && before == Some(answered);
        before = Some(answered);
        let near = |wake: &Millis| wake.since(clock.now()) <= WAIT_MS_MAX;
        if let Some(wake) = clock.next_wake().filter(near).filter(|_| quiet) {
            clock.set(wake);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_passes_for_who_waits_a_moment_and_not_for_a_heartbeat() {
        let clock = FakeClock::at(Millis(0));
        let world = World::new(Arc::new(|| 0), 7);
        let served = Served::start(&world, Authority::shared().server(HERE));
        let (paced, passing) = (clock.sleep_until(Millis(1_000)), pass_time(&served, &clock));
        tokio::join!(paced, passing);
        assert_eq!(clock.now(), Millis(1_000));
        let beating = async {
            tokio::select! {
                () = clock.sleep_until(Millis(21_000)) => {}
                () = pass_time(&served, &clock) => {}
            }
        };
        assert!(tokio::time::timeout(5 * LOOK, beating).await.is_err(), "time passed");
        assert_eq!(clock.now(), Millis(1_000));
    }
}
