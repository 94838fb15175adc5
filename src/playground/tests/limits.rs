//! GitHub's secondary limits as the playground enforces them: what is refused, and how.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::playground::error::ApiError;
use crate::playground::world::limits::{Account, Limits, Slot, Weighed, Why};
use crate::playground::world::{Actor, Permissions, World};

const GET: Weighed<'_> = Weighed { method: "GET", path: "/repos/o/r", body: b"" };
const POST: Weighed<'_> = Weighed { method: "POST", path: "/repos/o/r/issues", body: b"{}" };

struct Door {
    now: Arc<AtomicI64>,
    world: World,
}

impl Door {
    fn new(limits: Limits) -> Self {
        let now = Arc::new(AtomicI64::new(1_800_000_000_000));
        let shared = Arc::clone(&now);
        let world = World::new(Arc::new(move || shared.load(Ordering::SeqCst)), 1);
        world.enforce_limits(limits);
        Self { now, world }
    }

    fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    fn ask(&self, installation: u64, request: &Weighed<'_>) -> Result<Option<Slot>, ApiError> {
        let (permissions, repositories, expires_ms) = (Permissions::default(), None, i64::MAX);
        let bot = Actor::Bot { app: 1, installation, permissions, repositories, expires_ms };
        self.world.admit(&bot, request)
    }
}

#[test]
fn so_many_at_once_and_no_more() {
    let door = Door::new(Limits::default());
    let slots: Vec<_> = (0..100).map(|_| door.ask(7, &GET).unwrap().unwrap()).collect();
    let refused = door.ask(7, &GET).unwrap_err();
    assert_eq!((refused.status, refused.headers.len()), (403, 1));
    assert!(refused.message.starts_with("You have exceeded a secondary rate limit"));
    assert_eq!(refused.headers[0], ("retry-after".to_owned(), "60".to_owned()));
    assert!(door.ask(8, &GET).is_ok(), "another installation");
    assert!(door.world.admit(&Actor::User(1), &GET).unwrap().is_none(), "people are not limited");
    drop(slots);
    assert!(door.ask(7, &GET).is_ok());
    let record = door.world.limits_record();
    assert_eq!((record.at_once, record.at_once_of_all, record.refused_count), (100, 101, 1));
    let refused = &record.refused[0];
    assert_eq!((refused.account, refused.why), (Account::Installation(7), Why::AtOnce));
}

#[test]
fn points_count_for_a_minute() {
    let door = Door::new(Limits { writes_a_minute_max: 1_000, ..Limits::default() });
    for _ in 0..179 {
        door.ask(7, &POST).unwrap();
    }
    for _ in 0..5 {
        door.ask(7, &GET).unwrap();
    }
    assert_eq!(door.ask(7, &GET).unwrap_err().status, 403);
    assert_eq!(door.world.limits_record().refused[0].why, Why::Points);
    let ask =
        |text: &'static str| Weighed { method: "POST", path: "/graphql", body: text.as_bytes() };
    door.ask(7, &ask(r#"{"query": "query Q { a }"}"#)).expect("GraphQL has points of its own");
    door.pass(60_000);
    door.ask(7, &GET).unwrap();
}

#[test]
fn writes_count_for_a_minute_and_for_an_hour() {
    let door = Door::new(Limits::default());
    for minute in 0..6 {
        for _ in 0..80 {
            door.ask(7, &POST).unwrap();
        }
        let refused = door.ask(7, &POST).unwrap_err();
        assert_eq!(refused.status, 429, "minute {minute}");
        assert!(refused.message.contains("content creation"));
        door.ask(7, &GET).expect("reading goes on");
        door.pass(60_000);
    }
    for _ in 0..20 {
        door.ask(7, &POST).unwrap();
    }
    door.ask(7, &POST).unwrap_err();
    let record = door.world.limits_record();
    assert_eq!(record.refused.last().unwrap().why, Why::WritesAnHour);
    assert_eq!((record.writes_a_minute, record.writes_an_hour), (80, 500));
    assert_eq!(record.write_gap_ms, Some(0));
    door.pass(3_600_000 - 360_000);
    door.ask(7, &POST).expect("the first ones are an hour old");
}

#[test]
fn tokens_of_each_installation_are_counted_apart() {
    let door = Door::new(Limits { points_a_minute_max: 5, ..Limits::default() });
    let mint = |id: u64| {
        let path = format!("/app/installations/{id}/access_tokens");
        let asked = Weighed { method: "POST", path: &path, body: b"{}" };
        door.world.admit(&Actor::App(1), &asked).map(drop)
    };
    assert!(mint(7).is_ok() && mint(8).is_ok());
    assert_eq!(mint(7).unwrap_err().status, 403);
    assert!(door.ask(7, &POST).is_ok(), "what is done with tokens is counted elsewhere");
}
