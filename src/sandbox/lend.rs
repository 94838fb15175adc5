//! Doors where a program shares the host's loopback interface: each at a free port, found by
//! what its environment says.
//!
//! The door's own port may be taken by another run, so a variable that names it gets the port
//! that was found. Who does not look there is not kept from anything: nothing is, here.

use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Error, Invocation};

/// The doors of one program; closed when dropped.
pub(super) struct Lent {
    _stop: DropGuard,
}

/// Opens the doors of `invocation`, and says how it is then.
pub(super) async fn lend(invocation: &Invocation) -> Result<(Invocation, Lent), Error> {
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let lent = Lent { _stop: stop.clone().drop_guard() };
    let mut invocation = invocation.clone();
    for door in std::mem::take(&mut invocation.doors) {
        let failed = |error: std::io::Error| Error(format!("no port for a door: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        for (_, value) in &mut invocation.env {
            *value = moved(value, door.port, port);
        }
        tasks.spawn(serve(listener, door.socket, tasks.clone(), stop.clone()));
    }
    Ok((invocation, lent))
}

/// `value` with every address of the old port at the new one.
fn moved(value: &str, from: u16, to: u16) -> String {
    let (from, to) = (format!("127.0.0.1:{from}"), format!("127.0.0.1:{to}"));
    let mut parts = value.split(from.as_str());
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let longer = part.starts_with(|next: char| next.is_ascii_digit());
        moved.push_str(if longer { &from } else { &to });
        moved.push_str(part);
    }
    moved
}

async fn serve(
    listener: TcpListener,
    socket: PathBuf,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _program)) = accepted else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let (socket, stop) = (socket.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                _ended = pump(stream, &socket) => {}
            }
        });
    }
}

async fn pump(mut stream: TcpStream, socket: &Path) -> std::io::Result<()> {
    let mut door = UnixStream::connect(socket).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut door).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;
    use crate::sandbox::process::Process;
    use crate::sandbox::trial::Trial;
    use crate::sandbox::{Door, Sandbox};

    #[test]
    fn only_the_doors_own_port_is_moved() {
        let value = "http://127.0.0.1:31,127.0.0.1:312,http://127.0.0.1:31/x";
        assert_eq!(moved(value, 31, 9), "http://127.0.0.1:9,127.0.0.1:312,http://127.0.0.1:9/x");
        assert_eq!(moved("http://127.0.0.2:31", 31, 9), "http://127.0.0.2:31");
    }

    #[tokio::test]
    async fn a_program_goes_through_its_door_and_it_is_closed_behind_it() {
        if !Path::new("/usr/bin/bash").exists() {
            return crate::process::say_aloud("doors of plain processes: there is no bash");
        }
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("door");
        let listener = UnixListener::bind(&socket).unwrap();
        let trial = Trial::new();
        let mut order =
            trial.shell("exec 3<>/dev/tcp/127.0.0.1/${WHERE##*:}; echo hello >&3; cat <&3; env");
        order.program = "bash".to_owned();
        order.env.push(("WHERE".to_owned(), "http://127.0.0.1:3128".to_owned()));
        order.doors.push(Door { port: 3_128, socket });
        let cancel = CancellationToken::new();
        let process = Process::default();
        let (done, heard) = tokio::join!(process.run(&order, &cancel), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = [0; 6];
            stream.read_exact(&mut heard).await.unwrap();
            stream.write_all(b"welcome\n").await.unwrap();
            heard
        });
        let done = done.unwrap();
        assert_eq!(&heard, b"hello\n");
        assert!(done.stdout.starts_with("welcome\n"), "{done:?}");
        let told = done.stdout.lines().find_map(|line| line.strip_prefix("WHERE=http://")).unwrap();
        for _ in 0..500 {
            if TcpStream::connect(told).await.is_err() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the door is not closed");
    }
}
