//! The two things the proxy asks of the network, small enough to be played in tests.

use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What a name stands for.
#[async_trait]
pub(super) trait Resolve: Send + Sync {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// A connection to an address; names do not come this far.
#[async_trait]
pub(super) trait Connect: Send + Sync {
    async fn connect(&self, to: SocketAddr) -> io::Result<Box<dyn Stream>>;
}

/// This machine's own.
pub(super) struct System;

#[async_trait]
impl Resolve for System {
    /// The dot at the end keeps the machine's search list away: what was judged is looked up.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((format!("{host}."), 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

#[async_trait]
impl Connect for System {
    async fn connect(&self, to: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
