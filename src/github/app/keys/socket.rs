//! The key in another process, reached by a socket of this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::super::wire::Answer;
use super::protocol::{self, ANSWER_BYTES_MAX, Call, REPLY_BYTES_MAX, Reply};
use super::{Keys, Question, Token, Wanted};
use crate::github::Error;

/// The other process waits for GitHub, and for its turn.
const ANSWER_MAX: Duration = Duration::from_mins(2);
/// A socket nobody listens at is known at once.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Asks the process that listens at a path, with one connection for each call.
#[derive(Debug)]
pub(in crate::github::app) struct Socket {
    path: PathBuf,
}

/// Who listens at a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
}

/// Looks who listens at `path`, without asking for anything.
///
/// # Errors
/// Why nobody can be reached there.
pub async fn peer(path: &Path) -> Result<Peer, String> {
    let connected = timeout(CONNECT_MAX, UnixStream::connect(path)).await;
    let stream = connected.map_err(|_elapsed| "nobody accepts".to_owned())?;
    let held = stream.and_then(|stream| stream.peer_cred());
    held.map(|held| Peer { uid: held.uid() }).map_err(|error| error.to_string())
}

impl Socket {
    pub(in crate::github::app) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn lost(&self, why: &str) -> Error {
        let path = self.path.display();
        Error::Unavailable(format!("slipway keyd at {path}: {why}; `slipway doctor` looks at it"))
    }

    /// One call and its reply, with the bytes that follow an answer.
    async fn call(&self, call: &Call) -> Result<(Reply, Vec<u8>), Error> {
        let exchange = async {
            let mut stream = BufReader::new(UnixStream::connect(&self.path).await?);
            stream.write_all(&protocol::line(call).map_err(std::io::Error::other)?).await?;
            let Some(line) = protocol::read_line(&mut stream, REPLY_BYTES_MAX).await? else {
                return Ok(None);
            };
            // The parser's own message may quote the token.
            let Ok(reply) = serde_json::from_slice::<Reply>(&line) else { return Ok(None) };
            let mut body = Vec::new();
            if let Reply::Answer { bytes, .. } = &reply {
                let bytes = *bytes;
                if bytes > ANSWER_BYTES_MAX {
                    return Ok(None);
                }
                stream.take(bytes as u64).read_to_end(&mut body).await?;
                if body.len() < bytes {
                    return Ok(None);
                }
            }
            Ok::<_, std::io::Error>(Some((reply, body)))
        };
        match timeout(ANSWER_MAX, exchange).await {
            Ok(Ok(Some(told))) => Ok(told),
            Ok(Ok(None)) => Err(self.lost("it hung up; may this user ask it (--allow-uid)?")),
            Ok(Err(error)) => Err(self.lost(&error.to_string())),
            Err(_elapsed) => Err(self.lost("no answer in time")),
        }
    }

    fn crossed(&self) -> Error {
        self.lost("it answers something else")
    }
}

#[async_trait]
impl Keys for Socket {
    async fn mint(&self, wanted: &Wanted) -> Result<Token, Error> {
        match self.call(&wanted.into()).await?.0 {
            Reply::Token { secret, left_ms } => Ok(Token { secret, left_ms }),
            Reply::Error(problem) => Err(problem.into()),
            Reply::Answer { .. } => Err(self.crossed()),
        }
    }

    async fn ask(&self, question: &Question) -> Result<Answer, Error> {
        match self.call(&Call::Ask(question.clone())).await? {
            (Reply::Answer { link, .. }, body) => Ok(Answer::told(link.as_deref(), body)),
            (Reply::Error(problem), _) => Err(problem.into()),
            (Reply::Token { .. }, _) => Err(self.crossed()),
        }
    }
}
