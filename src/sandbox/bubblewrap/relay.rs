//! The mode beside the program: hands bytes between a port of loopback and a socket of the host.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// The hidden subcommand: `sandbox-relay SOCKET [PULSE]`, with the listener as standard input.
pub const SUBCOMMAND: &str = "sandbox-relay";
/// Connections at once; more are closed.
const AT_ONCE_MAX: usize = 64;
const BUFFER_BYTES: usize = 32 * 1024;

/// Returns when the listener is gone, with the reason.
pub fn relay(mut words: impl Iterator<Item = OsString>) -> String {
    let Some(socket) = words.next().map(PathBuf::from) else { return "no socket".to_owned() };
    // Of the same user as the program, and not for it to look into.
    if let Err(why) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        return why.to_string();
    }
    let pulse = words.next().and_then(|path| File::options().write(true).open(path).ok());
    let listener = match io::stdin().as_fd().try_clone_to_owned() {
        Ok(stdin) => TcpListener::from(stdin),
        Err(why) => return why.to_string(),
    };
    serve(&listener, socket, pulse).to_string()
}

fn serve(listener: &TcpListener, socket: PathBuf, pulse: Option<File>) -> io::Error {
    let (pulse, socket) = (Arc::new(pulse), Arc::new(socket));
    let busy = Arc::new(AtomicUsize::new(0));
    loop {
        let inside = match listener.accept() {
            Ok((inside, _)) => inside,
            Err(why) if why.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(why) => return why,
        };
        if busy.fetch_add(1, Ordering::Relaxed) >= AT_ONCE_MAX {
            busy.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (socket, pulse, busy) = (Arc::clone(&socket), Arc::clone(&pulse), Arc::clone(&busy));
        let work = move || {
            // A broken connection is the business of its two ends.
            drop(connect(&inside, &socket, pulse.as_ref().as_ref()));
            busy.fetch_sub(1, Ordering::Relaxed);
        };
        if std::thread::Builder::new().spawn(work).is_err() {
            return io::Error::other("no thread");
        }
    }
}

fn connect(inside: &TcpStream, socket: &Path, pulse: Option<&File>) -> io::Result<()> {
    let outside = UnixStream::connect(socket)?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop(pump(inside, &outside, pulse));
            drop(outside.shutdown(Shutdown::Write));
        });
        drop(pump(&outside, inside, pulse));
        drop(inside.shutdown(Shutdown::Write));
    });
    Ok(())
}

fn pump(mut from: impl Read, mut to: impl Write, pulse: Option<&File>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..count).unwrap_or_default())?;
        if let Some(pulse) = pulse {
            pulse.write_all_at(b"x", 0)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_both_ways_and_the_end_of_one_is_not_the_end_of_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let host = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let pulse = directory.path().join("pulse");
        let file = File::create_new(&pulse).unwrap();
        std::thread::spawn(move || serve(&listener, path, Some(file)));
        let mut inside = TcpStream::connect(address).unwrap();
        inside.write_all(b"question").unwrap();
        inside.shutdown(Shutdown::Write).unwrap();
        let (mut outside, _) = host.accept().unwrap();
        let mut heard = String::new();
        outside.read_to_string(&mut heard).unwrap();
        outside.write_all(b"answer").unwrap();
        drop(outside);
        let mut answer = String::new();
        inside.read_to_string(&mut answer).unwrap();
        assert_eq!((heard.as_str(), answer.as_str()), ("question", "answer"));
        assert_eq!(std::fs::read(&pulse).unwrap(), b"x", "traffic is a sign of life");
    }
}
