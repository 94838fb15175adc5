//! `slipway keyd`: the App's key in a process of its own, which makes narrow tokens for one user
//! of this machine and does nothing else.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::args::{Common, Keyd};
use super::{hub, private, serve};
use crate::clock::{Clock, SystemClock};
use crate::github::app::keys::{self, Peers};
use crate::model::Vault;
use crate::telemetry::{Logs, Redactor};

pub(super) async fn keyd(common: &Common, args: &Keyd) -> anyhow::Result<ExitCode> {
    private::hide()?;
    let settings = common.key_settings(args)?;
    let vault = Vault::default();
    let known = [Some(settings.key.clone()), settings.key_old.clone()];
    let redactor = Redactor::new(known.into_iter().flatten()).with_vault(vault.clone());
    Logs { format: settings.log, filter: settings.log_filter.clone(), redactor }.install()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut config = hub::holder(&settings);
    config.vault = vault;
    let door = keys::holder(&config, clock).context("the way to GitHub")?;
    let listener = listen(&args.socket).await?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(serve::signals(stop.clone())?);
    let uids = &args.allow_uid;
    let (socket, app) = (args.socket.display(), settings.app_id);
    tracing::info!(%socket, ?uids, app, "holding the key");
    keys::serve(listener, door, Peers::only(uids.iter().copied()), stop).await;
    if let Err(error) = std::fs::remove_file(&args.socket) {
        tracing::warn!(%error, "the socket stays");
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes the place of a socket nobody listens at any more. Everybody may knock: the kernel says
/// who it is.
async fn listen(path: &Path) -> anyhow::Result<UnixListener> {
    let at = || format!("cannot listen at {}", path.display());
    if keys::peer(path).await.is_ok() {
        anyhow::bail!("{}: another process does", at());
    }
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path).with_context(at)?;
    }
    let listener = UnixListener::bind(path).with_context(at)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).with_context(at)?;
    Ok(listener)
}
