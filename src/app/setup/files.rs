//! What set-up leaves behind: a key and a configuration, whole or not at all, for one person's
//! eyes.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::github::app::Registered;

/// The App's private key.
const KEY: &str = "private-key.pem";
/// The configuration.
const CONFIG: &str = "slipway.toml";

/// A directory that takes the files.
#[derive(Debug, Clone)]
pub(super) struct Place {
    directory: PathBuf,
    /// Files that are there already may be replaced.
    force: bool,
}

/// What goes into the configuration beside the App's own facts.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub(super) github_url: Option<String>,
    pub(super) public_url: Option<String>,
}

impl Place {
    /// Makes the directory if need be, tries to write there, and refuses to touch what is there
    /// already: before GitHub is asked for anything that exists only once.
    pub(super) fn open(directory: &Path, force: bool) -> anyhow::Result<Self> {
        let shown = directory.display();
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(directory).with_context(|| format!("cannot create {shown}"))?;
        let directory = directory.canonicalize().with_context(|| format!("cannot find {shown}"))?;
        let place = Self { directory, force };
        for path in [place.key(), place.config()] {
            ensure!(
                force || path.symlink_metadata().is_err(),
                "{} exists already; choose another --dir, or --force to replace it",
                path.display()
            );
        }
        drop(place.draft()?);
        Ok(place)
    }

    pub(super) fn key(&self) -> PathBuf {
        self.directory.join(KEY)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.directory.join(CONFIG)
    }

    /// Writes both files; the configuration last, so that it never names a key that is not
    /// there.
    pub(super) fn write(&self, app: &Registered, around: &Surroundings) -> anyhow::Result<()> {
        self.put(&self.key(), app.private_key.reveal())?;
        self.put(&self.config(), &self.text(app, around)?)
    }

    fn draft(&self) -> anyhow::Result<tempfile::NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".slipway-").permissions(Permissions::from_mode(0o600));
        let shown = self.directory.display();
        builder.tempfile_in(&self.directory).with_context(|| format!("cannot write to {shown}"))
    }

    /// The whole file appears under its name at once, and stays after a power cut.
    fn put(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let failed = || format!("cannot write {}", path.display());
        let mut draft = self.draft()?;
        draft.write_all(text.as_bytes()).with_context(failed)?;
        draft.as_file().sync_all().with_context(failed)?;
        let kept = if self.force { draft.persist(path) } else { draft.persist_noclobber(path) };
        kept.map_err(|error| error.error).with_context(failed)?;
        File::open(&self.directory).and_then(|dir| dir.sync_all()).with_context(failed)
    }

    fn text(&self, app: &Registered, around: &Surroundings) -> anyhow::Result<String> {
        // What JSON writes between quotes, TOML reads.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let key = self.key();
        let key = key.to_str().context("the directory's name is not valid UTF-8")?;
        let secret = app.webhook_secret.as_ref().map_or_else(super::draw, |s| Ok(s.clone()))?;
        let mut text = format!(
            "# Written by `slipway setup` for the GitHub App {slug}. It holds the webhook secret:\n\
             # keep it readable for Slipway's user alone. docs/OPERATIONS.md has every key.\n\
             app_id = {id}\n\
             private_key_file = {key}\n\
             webhook_secret = {secret}\n",
            slug = app.slug,
            id = app.id,
            key = quoted(key),
            secret = quoted(secret.reveal()),
        );
        if let Some(url) = &around.github_url {
            writeln!(text, "github_url = {}", quoted(url))?;
        }
        match &around.public_url {
            Some(url) => writeln!(text, "public_url = {}", quoted(url))?,
            None => text.push_str(
                "# GitHub cannot reach this machine, so Slipway asks GitHub instead.\n\
                 webhooks = \"poll\"\n",
            ),
        }
        text.push_str(AGENT);
        Ok(text)
    }
}

/// What the operator still has to decide.
const AGENT: &str = "
# The agent: any command that edits the working directory, with its prompt on standard input.
# [[agents]]
# name = \"my-agent\"
# command = \"my-agent --print\"
# hosts = [\"api.example.com\"]   # what it may reach, its model say; without this, nothing
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Layer};
    use crate::model::Secret;

    fn app() -> Registered {
        let kind = "RSA PRIVATE KEY";
        let key =
            format!("-----BEGIN {kind}-----\n{:x}\n-----END {kind}-----\n", fastrand::u128(..));
        Registered {
            id: 77,
            slug: "slipway-of-mara".to_owned(),
            owner: "mara".to_owned(),
            html_url: String::new(),
            private_key: Secret::new(key),
            webhook_secret: Some(Secret::new(format!("{:032x}", fastrand::u128(..)))),
        }
    }

    fn around(public_url: Option<&str>) -> Surroundings {
        let github_url = Some("https://ghe.example.com".to_owned());
        Surroundings { github_url, public_url: public_url.map(str::to_owned) }
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_is_written_is_the_configuration_and_for_nobody_else() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("a 'quoted\" place");
        let place = Place::open(&directory, false).unwrap();
        let app = app();
        place.write(&app, &around(Some("https://s.example.com"))).unwrap();
        assert_eq!(mode(&directory), 0o700);
        assert_eq!((mode(&place.key()), mode(&place.config())), (0o600, 0o600));
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 2, "no draft is left");
        let state = |name: &str| (name == "STATE_DIRECTORY").then(|| "/state".to_owned());
        let settings = config::load(Some(&place.config()), state, Layer::default()).unwrap();
        let identity = settings.identity().unwrap();
        assert_eq!(identity.app_id, 77);
        let [key] = <[Secret; 1]>::try_from(identity.key.secrets()).unwrap();
        assert_eq!(key, app.private_key);
        let secret = app.webhook_secret.unwrap();
        assert_eq!(identity.webhook_secrets[0].reveal(), secret.reveal());
        assert_eq!(settings.github.web, "https://ghe.example.com");
        assert_eq!(settings.public_url.as_deref(), Some("https://s.example.com"));
    }

    #[test]
    fn without_an_address_it_asks_github_and_a_secret_is_made_up() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::open(home.path(), false).unwrap();
        let app = Registered { webhook_secret: None, ..app() };
        let texts = [(); 2].map(|()| place.text(&app, &around(None)).unwrap());
        assert!(texts[0].contains("\nwebhooks = \"poll\"\n"));
        place.write(&app, &around(None)).unwrap();
        let state = |name: &str| (name == "STATE_DIRECTORY").then(|| "/state".to_owned());
        let settings = config::load(Some(&place.config()), state, Layer::default()).unwrap();
        assert!(matches!(settings.webhooks, config::Webhooks::Poll));
        let secret =
            |text: &str| text.lines().find(|l| l.starts_with("webhook_secret")).map(str::len);
        assert_eq!(secret(&texts[0]), Some("webhook_secret = \"\"".len() + 64));
        assert_ne!(texts[0], texts[1], "each time another secret");
    }

    #[test]
    fn nothing_is_overwritten_unless_it_is_said() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::open(home.path(), false).unwrap();
        std::fs::write(place.key(), "somebody's").unwrap();
        let error = Place::open(home.path(), false).unwrap_err().to_string();
        assert!(error.contains("exists already") && error.contains("--force"), "{error}");
        assert!(place.write(&app(), &around(None)).is_err(), "it came up meanwhile");
        assert_eq!(std::fs::read_to_string(place.key()).unwrap(), "somebody's");
        assert!(!place.config().exists());
        let forced = Place::open(home.path(), true).unwrap();
        forced.write(&app(), &around(None)).unwrap();
        assert!(std::fs::read_to_string(place.key()).unwrap().contains("PRIVATE KEY"));
        assert_eq!(mode(&place.key()), 0o600);
    }
}
