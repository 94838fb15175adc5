//! The side of the socket that has the key: who knocks is looked at first, what is asked is one
//! of a closed list, and everything is written down.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::protocol::{self, CALL_BYTES_MAX, Call};
use super::{Keys, Wanted};
use crate::github::Error;

/// Connections at once; one more waits.
const CALLS_MAX: usize = 64;
/// For the call to come.
const CALL_MAX: Duration = Duration::from_secs(5);
/// For the reply to be taken.
const REPLY_MAX: Duration = Duration::from_secs(30);
/// A socket that cannot accept is not asked again at once.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Users who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers(Option<BTreeSet<u32>>);

impl Peers {
    /// Processes of these users, as the kernel tells it, and nobody else; not even root.
    pub fn only(uids: impl IntoIterator<Item = u32>) -> Self {
        Self(Some(uids.into_iter().collect()))
    }

    /// Everybody: what the check of the peer protects from.
    #[cfg(test)]
    pub(super) fn unchecked() -> Self {
        Self(None)
    }

    fn admit(&self, uid: u32) -> bool {
        self.0.as_ref().is_none_or(|uids| uids.contains(&uid))
    }
}

/// What stands behind the socket.
#[derive(Clone)]
pub struct Door(Arc<dyn Keys>);

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    pub(super) fn new(keys: Arc<dyn Keys>) -> Self {
        Self(keys)
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> Arc<dyn Keys> {
        Arc::clone(&self.0)
    }
}

/// Answers calls at `listener` until `stop`; what is being answered then is finished.
pub async fn serve(listener: UnixListener, door: Door, peers: Peers, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CALLS_MAX));
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _address)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
        };
        let (door, peers) = (door.clone(), peers.clone());
        tasks.spawn(async move {
            if let Err(error) = door.answer(stream, &peers).await {
                tracing::debug!(%error, "a caller went away");
            }
            drop(place);
        });
    }
    tasks.close();
    tasks.wait().await;
}

impl Door {
    /// One connection, which brings one call.
    async fn answer(&self, stream: UnixStream, peers: &Peers) -> std::io::Result<()> {
        let uid = stream.peer_cred()?.uid();
        if !peers.admit(uid) {
            tracing::warn!(target: "audit", what = "refusal", uid, why = "this user may not ask");
            return Ok(());
        }
        let mut stream = BufReader::new(stream);
        let read = timeout(CALL_MAX, protocol::read_line(&mut stream, CALL_BYTES_MAX)).await;
        let line = match read {
            Ok(Ok(Some(line))) => line,
            // Whoever only looks who listens here says nothing.
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => return Err(std::io::ErrorKind::TimedOut.into()),
        };
        let Some(call) = protocol::call(&line) else {
            let why = "it asks for what is not on the list";
            tracing::warn!(target: "audit", what = "refusal", uid, why);
            return Ok(());
        };
        let (head, body) = self.reply(uid, &call).await.map_err(std::io::Error::other)?;
        let writing = async {
            stream.write_all(&head).await?;
            stream.write_all(&body).await?;
            stream.flush().await
        };
        timeout(REPLY_MAX, writing)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    async fn reply(&self, uid: u32, call: &Call) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match call {
            Call::Mint { installation, repo, grant } => {
                let (installation, grant) = (*installation, *grant);
                let wanted = Wanted { installation, repo: repo.clone(), grant };
                let minted = self.0.mint(&wanted).await;
                let repo = repo.as_ref().map(ToString::to_string).unwrap_or_default();
                let (what, purpose) = ("token", grant.word());
                match minted {
                    Ok(token) => {
                        let left_ms = token.left_ms;
                        tracing::info!(
                            target: "audit", what, uid, %installation, repo, purpose, left_ms
                        );
                        Ok((protocol::token_line(&token)?, Vec::new()))
                    }
                    Err(error) => {
                        let what = "refusal";
                        tracing::warn!(
                            target: "audit", what, uid, %installation, repo, purpose, why = %error
                        );
                        Ok((protocol::error_line(error)?, Vec::new()))
                    }
                }
            }
            Call::Ask(question) => {
                let what = question.word();
                tracing::info!(target: "audit", what, uid);
                match self.0.ask(question).await {
                    Ok(answer) => {
                        let head = protocol::answer_line(answer.link(), answer.body.len())?;
                        Ok((head, answer.body))
                    }
                    Err(error) => Ok((protocol::error_line(error)?, Vec::new())),
                }
            }
        }
    }
}
