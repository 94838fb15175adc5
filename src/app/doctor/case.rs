//! One look at everything: what GitHub says, and what this machine is like.

use std::sync::Arc;

use super::branches::{self, Guarded};
use super::machine::Machine;
use crate::app::hub;
use crate::clock::Clock;
use crate::config::{ConfigError, Identity, Settings};
use crate::github::Error;
use crate::github::app::{About, App, Delivered, Greeting, Hook, Installed, greet};
use crate::model::Millis;

/// What the checks judge.
pub(super) struct Case {
    pub(super) settings: Settings,
    pub(super) identity: Result<Identity, ConfigError>,
    /// Our clock when GitHub answered.
    pub(super) now: Millis,
    pub(super) greeting: Result<Greeting, Error>,
    /// What GitHub says of the App; `None` without a key to ask with.
    pub(super) about: Option<Result<About, Error>>,
    /// What else it says, when it knows the App.
    pub(super) seen: Option<Seen>,
    pub(super) machine: Machine,
}

/// What GitHub tells an App that it knows.
pub(super) struct Seen {
    pub(super) installed: Result<Vec<Place>, Error>,
    pub(super) hook: Result<Option<Hook>, Error>,
    /// Newest first.
    pub(super) deliveries: Result<Vec<Delivered>, Error>,
    /// Repositories that merge by themselves.
    pub(super) branches: Result<Vec<Guarded>, Error>,
}

/// An installation and the number of its repositories, where it gives that away.
pub(super) struct Place {
    pub(super) installed: Installed,
    pub(super) repositories: Result<Option<u64>, Error>,
}

impl Case {
    pub(super) async fn look(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let identity = settings.identity();
        let greeting = match hub::nobody(&settings) {
            Ok(config) => greet(&config).await,
            Err(error) => Err(Error::Unexpected(error.to_string())),
        };
        let now = clock.now();
        let (mut about, mut seen) = (None, None);
        if let (Ok(identity), Ok(_)) = (&identity, &greeting) {
            let config = hub::ourselves(&settings, identity)
                .map_err(|error| Error::Unexpected(error.to_string()));
            match config.and_then(|config| App::new(&config, clock)) {
                Ok(app) => {
                    let answer = app.about().await;
                    if answer.is_ok() {
                        seen = Some(Seen::of(&app).await);
                    }
                    about = Some(answer);
                }
                Err(error) => about = Some(Err(error)),
            }
        }
        let machine = Machine::look(&settings).await;
        Self { settings, identity, now, greeting, about, seen, machine }
    }

    /// The App, when GitHub knows it.
    pub(super) fn app(&self) -> Option<&About> {
        self.about.as_ref().and_then(|about| about.as_ref().ok())
    }

    /// The App's settings on GitHub; `page` is one of theirs, or empty.
    pub(super) fn app_settings(&self, page: &str) -> String {
        let web = &self.settings.github.web;
        let slash = if page.is_empty() { "" } else { "/" };
        match self.app() {
            Some(About { slug, owner, by_organization: true, .. }) => {
                format!("{web}/organizations/{owner}/settings/apps/{slug}{slash}{page}")
            }
            Some(About { slug, .. }) => format!("{web}/settings/apps/{slug}{slash}{page}"),
            None => format!("{web}/settings/apps"),
        }
    }
}

impl Seen {
    async fn of(app: &App) -> Self {
        let installed = match app.installations().await {
            Ok(found) => {
                let mut places = Vec::new();
                for installed in found {
                    let repositories = if installed.suspended {
                        Ok(None)
                    } else {
                        app.repositories_of(installed.id).await
                    };
                    places.push(Place { installed, repositories });
                }
                Ok(places)
            }
            Err(error) => Err(error),
        };
        let (hook, deliveries) = (app.hook().await, app.lately_delivered().await);
        Self { installed, hook, deliveries, branches: branches::look(app).await }
    }
}
