//! Accepts connections: not more than a limit, and none that stays silent.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// A listener that holds back when too many connections are open.
#[derive(Debug)]
pub struct Bounded {
    tcp: TcpListener,
    free: Arc<Semaphore>,
    silence_max: Duration,
}

/// A connection that is closed when its other side sends nothing, or takes nothing, for too
/// long.
#[derive(Debug)]
pub struct Connection {
    tcp: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
    silence_max: Duration,
    reading: Silence,
    writing: Silence,
}

/// How long one direction has been waiting.
#[derive(Debug, Default)]
struct Silence(Option<Pin<Box<Sleep>>>);

impl Bounded {
    /// At most `connections_max` connections, each silent for at most `silence_ms_max`
    /// milliseconds.
    pub fn new(tcp: TcpListener, connections_max: usize, silence_ms_max: u64) -> Self {
        let free = Semaphore::new(connections_max.clamp(1, Semaphore::MAX_PERMITS));
        let silence_max = Duration::from_millis(silence_ms_max);
        Self { tcp, free: Arc::new(free), silence_max }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed; without a permit the connection would only go uncounted.
        let place = Arc::clone(&self.free).acquire_owned().await.ok();
        let (tcp, from) = Listener::accept(&mut self.tcp).await;
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let silence_max = self.silence_max;
        let (reading, writing) = (Silence::default(), Silence::default());
        (Connection { tcp, _place: place, silence_max, reading, writing }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Silence {
    /// Passes on what the socket said; an endless wait becomes an error.
    fn bound<T>(
        &mut self,
        cx: &mut Context<'_>,
        said: Poll<io::Result<T>>,
        max: Duration,
    ) -> Poll<io::Result<T>> {
        if said.is_ready() {
            self.0 = None;
            return said;
        }
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep(max)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.tcp).poll_read(cx, buf);
        this.reading.bound(cx, said, this.silence_max)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.tcp).poll_write(cx, bytes);
        this.writing.bound(cx, said, this.silence_max)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.tcp).poll_flush(cx);
        this.writing.bound(cx, said, this.silence_max)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.tcp).poll_shutdown(cx);
        this.writing.bound(cx, said, this.silence_max)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.tcp).poll_write_vectored(cx, slices);
        this.writing.bound(cx, said, this.silence_max)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}
