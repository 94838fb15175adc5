//! `slipway setup`: from nothing to a GitHub App with its key on this machine.
//!
//! A page on loopback carries the manifest to GitHub in the person's own browser; GitHub sends
//! the browser back with a code, and the code is exchanged for the App. No password and no
//! token of the person's ever comes here, and nothing secret is shown.

mod browser;
mod desk;
mod files;
mod page;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use aws_lc_rs::rand;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::desk::Desk;
use self::files::{Place, Surroundings};
use super::args::{Common, Setup};
use super::{hub, manifest};
use crate::clock::{Clock, SystemClock};
use crate::config::{GitHubUrls, Settings};
use crate::github::app::{Config, Registered};
use crate::model::Secret;

/// GitHub's code is good for an hour, and so is the page.
const OPEN_MAX: Duration = Duration::from_hours(1);
/// How long the last page may be fetched after everything is done.
const LINGER_MAX: Duration = Duration::from_secs(10);
/// And its style sheet after it.
const LINGER: Duration = Duration::from_millis(1_500);
/// Bytes of what only we and the browser shall know.
const SECRET_BYTES: usize = 32;
/// Longest login of an organisation, in characters.
const ORG_CHARS_MAX: usize = 39;

/// Everything that is decided before a browser comes.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Pages of GitHub, such as `https://github.com`.
    web: String,
    github: Config,
    org: Option<String>,
    name: String,
    public_url: Option<String>,
    place: Place,
    around: Surroundings,
}

impl Plan {
    fn of(settings: &Settings, args: &Setup) -> anyhow::Result<Self> {
        let org = args.org.as_deref().map(organization).transpose()?;
        let name = match &args.name {
            Some(name) => name.trim().to_owned(),
            None => default_name(org.as_deref())?,
        };
        let fits = (1..=manifest::NAME_CHARS_MAX).contains(&name.chars().count());
        ensure!(
            fits && !name.contains(char::is_control),
            "GitHub takes names of 1 to {} characters; give another --name",
            manifest::NAME_CHARS_MAX
        );
        let place = Place::open(&directory(args.dir.as_deref())?, args.force)?;
        let elsewhere = settings.github != GitHubUrls::default();
        let around = Surroundings {
            github_url: elsewhere.then(|| settings.github.web.clone()),
            public_url: settings.public_url.clone(),
        };
        Ok(Self {
            web: settings.github.web.clone(),
            github: hub::nobody(settings)?,
            org,
            name,
            public_url: settings.public_url.clone(),
            place,
            around,
        })
    }

    /// Where the form goes, with the word GitHub is to bring back.
    fn action(&self, state: &str) -> String {
        let web = &self.web;
        match &self.org {
            Some(org) => format!("{web}/organizations/{org}/settings/apps/new?state={state}"),
            None => format!("{web}/settings/apps/new?state={state}"),
        }
    }

    /// What to type next.
    fn commands(&self) -> [String; 2] {
        let config = self.place.config();
        let usual = directory(None).is_ok_and(|usual| config.parent() == Some(usual.as_path()));
        let option = if usual { String::new() } else { format!(" --config {}", shell(&config)) };
        [format!("slipway{option} doctor"), format!("slipway{option} serve")]
    }
}

/// Makes an App and stores what belongs to it. Until GitHub made it, nothing is written.
pub(super) async fn setup(common: &Common, args: &Setup) -> anyhow::Result<ExitCode> {
    let settings = common.for_setup(args)?;
    let plan = Plan::of(&settings, args)?;
    let address: SocketAddr = args.listen.parse().context("--listen is no address with a port")?;
    ensure!(
        address.ip().is_loopback(),
        "--listen must be on loopback: whoever sees the page can take part"
    );
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let desk = Arc::new(Desk::new(plan.clone(), address, clock)?);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let router = desk::router(Arc::clone(&desk));
    let ended = stop.clone().cancelled_owned();
    tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
            tracing::error!(%error, "the page cannot be served");
        }
    });
    let shown = !args.no_browser && browser::show(&desk.url());
    greet(&plan, &desk.url(), address, shown)?;
    let mut term = signal(SignalKind::terminate())?;
    let code = tokio::select! {
        done = tokio::time::timeout(OPEN_MAX, desk.done()) => {
            let app = done.ok().context("an hour is over; run `slipway setup` again")??;
            tell(&plan, &app)?;
            let _seen = tokio::time::timeout(LINGER_MAX, desk.shown()).await.is_ok();
            tokio::time::sleep(LINGER).await;
            ExitCode::SUCCESS
        }
        _ = tokio::signal::ctrl_c() => ExitCode::from(130),
        _ = term.recv() => ExitCode::from(143),
    };
    stop.cancel();
    tasks.close();
    let _ended = tokio::time::timeout(LINGER, tasks.wait()).await.is_ok();
    Ok(code)
}

fn greet(plan: &Plan, url: &str, address: SocketAddr, shown: bool) -> anyhow::Result<()> {
    let port = address.port();
    let mut out = std::io::stdout().lock();
    writeln!(out, "Slipway set-up: a GitHub App on {}\n", plan.web)?;
    let what = if shown { "your browser shows" } else { "open in a browser" };
    writeln!(out, "  {what}:\n  {url}\n")?;
    writeln!(out, "  The browser is on another machine? There, first:")?;
    writeln!(out, "  ssh -L {port}:{address} THIS-MACHINE\n")?;
    writeln!(out, "Waiting for GitHub, an hour at most. Until it answers, no file is written.")?;
    Ok(out.flush()?)
}

fn tell(plan: &Plan, app: &Registered) -> anyhow::Result<()> {
    let [doctor, serve] = plan.commands();
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{} (App {}, owned by {}) exists. Written:", app.slug, app.id, app.owner)?;
    writeln!(out, "  {}", plan.place.key().display())?;
    writeln!(out, "  {}\n", plan.place.config().display())?;
    writeln!(out, "Next:")?;
    writeln!(out, "  1. install it: {}", page::install_url(&plan.web, app))?;
    writeln!(out, "  2. put your agent's command into {}", plan.place.config().display())?;
    writeln!(out, "  3. {doctor}")?;
    writeln!(out, "  4. {serve}")?;
    Ok(out.flush()?)
}

fn organization(login: &str) -> anyhow::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let good = (1..=ORG_CHARS_MAX).contains(&login.len()) && login.chars().all(plain);
    ensure!(good, "--org takes the name in the organisation's address, such as acme");
    Ok(login.to_owned())
}

/// Names of Apps are unique on a whole GitHub, so ours ends in chance.
fn default_name(org: Option<&str>) -> anyhow::Result<String> {
    let chance: String = draw()?.reveal().chars().take(4).collect();
    let owner: String = org.unwrap_or_default().chars().take(20).collect();
    let middle = if owner.is_empty() { String::new() } else { format!("-{owner}") };
    Ok(format!("slipway{middle}-{chance}"))
}

/// Where `slipway` looks for its configuration by itself, unless another place was named.
fn directory(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let usual = directories::ProjectDirs::from("", "", "slipway");
    let usual = usual.context("this platform names no directory for configuration; give --dir")?;
    Ok(usual.config_dir().to_owned())
}

/// One word for a POSIX shell.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Hexadecimal digits that nobody can guess.
fn draw() -> anyhow::Result<Secret> {
    let mut bytes = [0_u8; SECRET_BYTES];
    rand::fill(&mut bytes).ok().context("the system gives no random numbers")?;
    Ok(Secret::new(hex::encode(bytes)))
}
