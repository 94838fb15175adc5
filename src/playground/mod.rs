//! The playground: our own GitHub, honest enough that a bot proven on it survives the real one.
//!
//! [`world::World`] holds everything and knows no time but what it is given. It stands on real
//! bare repositories ([`bare`]) or on repositories in memory ([`memory`]).

pub mod bare;
pub mod ci;
pub mod courier;
pub mod error;
pub mod face;
pub mod faults;
pub mod forge;
pub mod http;
pub mod mailbox;
pub mod memory;
#[cfg(test)]
#[path = "../../tests/it/openapi/mod.rs"]
pub(crate) mod openapi;
pub mod pages;
mod process;
pub mod render;
pub mod seed;
pub mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use bare::BareForge;
use error::{ApiError, ApiResult};
use world::{NowMs, User, World};

/// How often the courier and the CI look for work.
const TICK: Duration = Duration::from_millis(5);

/// What a playground is started with.
#[derive(Clone)]
pub struct Config {
    pub now_ms: NowMs,
    /// What tokens and secrets are derived from; draw it at random outside of tests.
    pub seed: u64,
    /// Makes what is served to people's browsers.
    pub pages: Option<fn(World) -> axum::Router>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

/// The playground as a server.
#[derive(Debug)]
pub struct Playground;

/// A playground at work; its repositories are removed when it is dropped.
#[derive(Debug)]
pub struct Running {
    pub base_url: String,
    pub world: World,
    dir: tempfile::TempDir,
}

impl Playground {
    /// Listens on a free loopback port and serves until `cancel`; `tasks` holds what it runs.
    pub async fn start(
        config: Config,
        tasks: &TaskTracker,
        cancel: &CancellationToken,
    ) -> std::io::Result<Running> {
        let dir = tempfile::Builder::new().prefix("slipway-playground-").tempdir()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let world = World::new(config.now_ms, config.seed);
        world.set_base_url(&base_url);
        let pages = config.pages.map(|make| make(world.clone()));
        let face = http::Face { world: world.clone(), cancel: cancel.clone(), pages };
        let router = http::router(face);
        let stop = cancel.clone().cancelled_owned();
        tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop).await;
            if let Err(error) = served {
                tracing::error!(%error, "the playground stopped serving");
            }
        });
        tasks.spawn(courier::run(world.clone(), cancel.clone()));
        tasks.spawn(ci::run(world.clone(), cancel.clone()));
        Ok(Running { base_url, world, dir })
    }
}

impl Running {
    /// Adds an empty repository on disk, or a copy of the branches of another one.
    pub fn add_repo(
        &self,
        owner: &User,
        name: &str,
        default_branch: &str,
        from: Option<&Path>,
    ) -> ApiResult<u64> {
        let plain = |text: &str| {
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            text.chars().all(good) && !text.starts_with('.') && !text.is_empty()
        };
        if !plain(&owner.login) || !plain(name) {
            return Err(ApiError::new(422, "name is invalid"));
        }
        let dir = self.dir.path().join(&owner.login).join(format!("{name}.git"));
        let forge = BareForge::create(&dir, default_branch)?;
        if let Some(from) = from {
            forge.import(from)?;
        }
        self.world.add_repo(owner, name, default_branch, Arc::new(forge))
    }

    /// The directory that holds the repositories.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

#[cfg(test)]
mod tests;
