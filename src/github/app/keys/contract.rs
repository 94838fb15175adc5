//! What every holder of the App's key must do, run on the fake, on the one in this process over
//! the World, and on both of them behind a socket; and what the socket's side refuses.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::fake::Fake;
use super::{Door, Grant, Keys, Peers, Question, Socket, Wanted, serve};
use crate::github::Error;
use crate::model::{InstallationId, Repo};

/// A holder with something it can make tokens for.
struct Subject {
    keys: Arc<dyn Keys>,
    installation: InstallationId,
    repo: Repo,
    rest: Rest,
}

/// What must outlive it: the World, the socket's place, and what stops its listener.
type Rest = (Option<crate::github::contract::World>, Option<tempfile::TempDir>, Option<DropGuard>);

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn fake() -> Subject {
    let (installation, repo) = (InstallationId(7), Repo::parse("octo/hello").unwrap());
    let installed = [(installation, repo.clone())].into();
    Subject { keys: Arc::new(Fake { installed }), installation, repo, rest: Rest::default() }
}

async fn local() -> Subject {
    let bench = crate::github::contract::World::new().await;
    let at = bench.at();
    let keys = super::holder(&bench.config(), bench.clock()).unwrap().keys();
    Subject { keys, installation: at.installation, repo: at.repo, rest: (Some(bench), None, None) }
}

/// Puts a holder behind a socket that admits `peers`.
fn behind(keys: Arc<dyn Keys>, peers: Peers) -> (PathBuf, tempfile::TempDir, DropGuard) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("keyd.sock");
    let stop = CancellationToken::new();
    let listener = UnixListener::bind(&path).unwrap();
    TaskTracker::new().spawn(serve(listener, Door::new(keys), peers, stop.clone()));
    (path, place, stop.drop_guard())
}

fn apart(subject: Subject) -> Subject {
    let (path, place, stop) = behind(Arc::clone(&subject.keys), Peers::only([me()]));
    let keys = Arc::new(Socket::new(&path));
    let rest = (subject.rest.0, Some(place), Some(stop));
    Subject { keys, rest, installation: subject.installation, repo: subject.repo }
}

impl Subject {
    fn wanted(&self, grant: Grant) -> Wanted {
        Wanted { installation: self.installation, repo: Some(self.repo.clone()), grant }
    }
}

macro_rules! suite {
    ($($sentence:ident)+) => {
        suite!(@each fake_here { fake() } $($sentence)+);
        suite!(@each fake_apart { apart(fake()) } $($sentence)+);
        suite!(@each local_here { local().await } $($sentence)+);
        suite!(@each local_apart { apart(local().await) } $($sentence)+);
    };
    (@each $module:ident $stage:block $($sentence:ident)+) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test]
                async fn $sentence() {
                    let subject: Subject = $stage;
                    super::$sentence(&subject).await;
                }
            )+
        }
    };
}

suite! {
    a_token_is_made_for_every_purpose
    a_token_for_everything_is_refused
    what_is_not_installed_gets_none
    the_app_may_ask_what_is_on_the_list
}

async fn a_token_is_made_for_every_purpose(subject: &Subject) {
    let mut seen = std::collections::BTreeSet::new();
    for grant in Grant::ALL {
        let repo = (*grant != Grant::List).then(|| subject.repo.clone());
        let wanted = Wanted { installation: subject.installation, repo, grant: *grant };
        let token = subject.keys.mint(&wanted).await.unwrap();
        assert!(token.left_ms > 30 * 60 * 1000 && token.left_ms <= 60 * 60 * 1000);
        assert!(seen.insert(token.secret.reveal().to_owned()), "each purpose has its own");
    }
}

async fn a_token_for_everything_is_refused(subject: &Subject) {
    let unscoped = Wanted { repo: None, ..subject.wanted(Grant::Push) };
    let refused = subject.keys.mint(&unscoped).await;
    assert!(matches!(refused, Err(Error::Unexpected(_) | Error::Unavailable(_))), "{refused:?}");
    let named = subject.wanted(Grant::List);
    assert!(subject.keys.mint(&named).await.is_err());
}

async fn what_is_not_installed_gets_none(subject: &Subject) {
    let nowhere = Wanted { installation: InstallationId(4_711), ..subject.wanted(Grant::Fetch) };
    let refused = subject.keys.mint(&nowhere).await;
    assert!(matches!(refused, Err(Error::Gone(_) | Error::Forbidden(_))), "{refused:?}");
    let other = Repo::parse("nobody/nothing").unwrap();
    let other = Wanted { repo: Some(other), ..subject.wanted(Grant::Fetch) };
    let refused = subject.keys.mint(&other).await;
    assert!(matches!(refused, Err(Error::Gone(_) | Error::Forbidden(_))), "{refused:?}");
}

async fn the_app_may_ask_what_is_on_the_list(subject: &Subject) {
    let app: serde_json::Value = subject.keys.ask(&Question::App).await.unwrap().json().unwrap();
    assert!(app["id"].is_u64() && app["slug"].is_string(), "{app}");
    let first = Question::Installations { page: 1 };
    let found: serde_json::Value = subject.keys.ask(&first).await.unwrap().json().unwrap();
    assert_eq!(found[0]["id"], subject.installation.0);
    let log = Question::Deliveries { failed: false, cursor: None };
    let found: serde_json::Value = subject.keys.ask(&log).await.unwrap().json().unwrap();
    assert!(found.is_array());
    let none = subject.keys.ask(&Question::Delivery { id: 4_711 }).await;
    assert!(matches!(none, Err(Error::Gone(_))), "{none:?}");
}

/// What comes back for bytes that are sent as they are.
async fn told(path: &std::path::Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut told = String::new();
    // A side that hangs up with something unread resets the connection.
    let _reset = stream.read_to_string(&mut told).await;
    told
}

const ASK: &[u8] = b"{\"mint\":{\"installation\":7,\"repo\":\"octo/hello\",\"grant\":\"push\"}}\n";

#[tokio::test]
async fn attack_45_a_process_of_another_user_gets_no_token() {
    // Nobody's and root's are other users too.
    let others = Peers::only([me().wrapping_add(1), 65_533]);
    for (peers, given) in [(others, false), (Peers::only([me()]), true), (Peers::unchecked(), true)]
    {
        let (path, _place, _stop) = behind(fake().keys, peers.clone());
        assert_eq!(told(&path, ASK).await.contains("ghs_"), given, "{peers:?}");
    }
}

#[tokio::test]
async fn attack_45_a_caller_who_may_ask_gets_neither_the_claim_nor_a_wide_token() {
    let subject = local().await;
    let (path, _place, _stop) = behind(Arc::clone(&subject.keys), Peers::only([me()]));
    let id = subject.installation;
    let repo = &subject.repo;
    for bad in [
        "\n".to_owned(),
        "{\"claim\":{}}\n".to_owned(),
        "{\"ask\":{\"get\":\"/app\"}}\n".to_owned(),
        "GET /app HTTP/1.1\r\n\r\n".to_owned(),
        format!("{{\"mint\":{{\"installation\":{id},\"repo\":null,\"grant\":\"push\"}}}}\n"),
        format!("{{\"mint\":{{\"installation\":{id},\"repo\":\"{repo}\",\"grant\":\"all\"}}}}\n"),
        format!("{}\n", "x".repeat(5_000)),
    ] {
        assert_eq!(told(&path, bad.as_bytes()).await, "", "{bad}");
    }
    let good =
        format!("{{\"mint\":{{\"installation\":{id},\"repo\":\"{repo}\",\"grant\":\"push\"}}}}\n");
    let told = told(&path, good.as_bytes()).await;
    assert!(told.starts_with("{\"token\":"), "what may be asked is answered");
    assert!(!told.contains("eyJ"), "a claim never leaves");
}

#[tokio::test]
async fn who_listens_can_be_seen_without_asking() {
    let (path, _place, stop) = behind(fake().keys, Peers::only([me()]));
    assert_eq!(super::peer(&path).await.unwrap().uid, me());
    drop(stop);
    assert!(super::peer(&path.with_extension("gone")).await.is_err());
}
