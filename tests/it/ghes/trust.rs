//! Whom the adapter believes: the configured authority, for the host it calls, and in time.

use std::sync::Arc;

use slipway::clock::{Clock, FakeClock};
use slipway::github::app::{App, Config};
use slipway::github::{At, Error, GitHub};
use slipway::model::{InstallationId, IssueNumber, Millis, Repo};
use slipway::playground::memory::MemoryForge;
use slipway::playground::world::World;
use slipway::playground::world::setup::NewApp;
use tokio_rustls::rustls::ServerConfig;

use super::{Authority, HERE, Served};

/// A World with one issue, served, and our App before it.
struct Stand {
    world: World,
    served: Served,
    config: Config,
    clock: Arc<FakeClock>,
    at: At,
}

impl Stand {
    fn new(tls: Arc<ServerConfig>, believed: &[&Authority]) -> Self {
        let clock = Arc::new(FakeClock::at(Millis(1_800_000_000_000)));
        let ticks = Arc::clone(&clock);
        let world = World::new(Arc::new(move || ticks.now().0), 7);
        let mara = world.add_user("mara");
        let forge = Arc::new(MemoryForge::default());
        let repo = world.add_repo(&mara, "greet", "main", forge).unwrap();
        world.open_issue(mara.id, "mara/greet", "An issue", "").unwrap();
        let app = world.add_app(&NewApp::bot("slipway", mara.id)).unwrap().id;
        let installation = InstallationId(world.install(app, &mara, &[repo]).unwrap());
        let at = At { installation, repo: Repo::parse("mara/greet").unwrap() };
        let served = Served::start(&world, tls);
        let mut config = Config::new(&served.api_url(), app, &world.app_pem(app).unwrap());
        config.extra_roots = believed.iter().map(|authority| authority.pem()).collect();
        Self { world, served, config, clock, at }
    }

    async fn ask(&self) -> Result<String, Error> {
        let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(&self.clock);
        let app = App::new(&self.config, clock)?;
        Ok(app.issue(&self.at, IssueNumber(1)).await?.title)
    }

    /// The words of a failure; nobody got through.
    async fn refusal(&self) -> String {
        let asked = self.ask().await;
        let Err(Error::Unavailable(words)) = asked else { panic!("{asked:?}") };
        assert_eq!(self.served.log().answered, 0, "{words}");
        assert!(self.served.log().turned_away > 0, "{words}");
        assert!(self.world.journal().iter().all(|call| call.actor != "slipway"), "{words}");
        words
    }
}

#[tokio::test]
async fn the_configured_authority_is_believed() {
    let authority = Authority::shared();
    let stand = Stand::new(authority.server(HERE), &[&Authority::new("Another Root"), authority]);
    assert_eq!(stand.ask().await.unwrap(), "An issue");
    let log = stand.served.log();
    assert_eq!((log.answered, log.turned_away), (2, 0), "a token and the issue");
    assert!(log.findings.is_empty(), "{:?}", log.findings);
}

#[tokio::test]
async fn without_its_authority_a_server_is_not_believed_and_it_is_said_what_to_do() {
    let (ours, other) = (Authority::shared(), Authority::new("Another Root"));
    for believed in [&[][..], &[&other][..]] {
        let stand = Stand::new(ours.server(HERE), believed);
        let words = stand.refusal().await;
        assert!(words.contains("UnknownIssuer") && words.contains("ca_file"), "{words}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::shared();
    let stand = Stand::new(authority.server(&["github.example.com"]), &[authority]);
    let words = stand.refusal().await;
    assert!(words.contains("correct github_url"), "{words}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::shared();
    let stand = Stand::new(authority.expired(HERE), &[authority]);
    let words = stand.refusal().await;
    assert!(words.contains("renewed"), "{words}");
}

#[tokio::test]
async fn a_file_without_certificates_is_refused_before_anything_is_sent() {
    let authority = Authority::shared();
    let mut stand = Stand::new(authority.server(HERE), &[]);
    stand.config.extra_roots = vec!["no certificate".to_owned()];
    let asked = stand.ask().await;
    assert!(
        matches!(&asked, Err(Error::Unexpected(words)) if words.contains("ca_file")),
        "{asked:?}"
    );
    assert_eq!(stand.served.log().turned_away, 0);
}

#[tokio::test]
async fn an_enterprise_server_has_nothing_at_the_addresses_of_github_com() {
    let authority = Authority::shared();
    let mut stand = Stand::new(authority.server(HERE), &[authority]);
    stand.config.api_url.clone_from(&stand.served.url);
    assert!(matches!(stand.ask().await, Err(Error::Gone(_))));
    let log = stand.served.log();
    assert!(log.findings[0].contains("has no such path"), "{:?}", log.findings);
}
