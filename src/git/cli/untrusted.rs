//! The one way to read a file that an agent could have written.
//!
//! Such a file may be a link to a secret, a pipe that blocks for ever, a device, a second name
//! of somebody's file, or endless. It is opened below a directory of ours without following
//! anything, looked at while it is open, and read up to a limit.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use super::defence::{Defence, Defences};

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is none.
    Absent,
    /// There is something that is not read, with the reason.
    Refused(&'static str),
}

/// Reads `path` below `root`, which is a directory of ours; at most `bytes_max` bytes.
pub(super) fn read(
    defences: &Defences,
    root: &Path,
    path: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, Unread> {
    let file = if defences.has(Defence::NoFollow) {
        open(root, path)?
    } else {
        OwnedFd::from(File::open(root.join(path)).map_err(|_error| Unread::Absent)?)
    };
    let stat =
        rustix::fs::fstat(&file).map_err(|_error| Unread::Refused("it cannot be looked at"))?;
    let plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if defences.has(Defence::PlainFile) {
        if !plain {
            return Err(Unread::Refused("it is not a plain file"));
        }
        if stat.st_nlink != 1 {
            return Err(Unread::Refused("it has a second name"));
        }
    }
    let sized = defences.has(Defence::FileSize);
    let bytes_max = if sized { bytes_max } else { u64::MAX - 1 };
    if u64::try_from(stat.st_size).map_or(true, |size| size > bytes_max) {
        return Err(Unread::Refused("it is too large"));
    }
    let mut bytes = Vec::new();
    let taken = File::from(file).take(bytes_max + 1).read_to_end(&mut bytes);
    match taken {
        Ok(count) if count as u64 <= bytes_max => Ok(bytes),
        Ok(_) => Err(Unread::Refused("it is too large")),
        Err(_) => Err(Unread::Refused("it cannot be read")),
    }
}

const OPENED: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

#[cfg(target_os = "linux")]
fn open(root: &Path, path: &str) -> Result<OwnedFd, Unread> {
    use rustix::fs::ResolveFlags;
    let root = rustix::fs::open(root, DIRECTORY, Mode::empty()).map_err(reason)?;
    let how = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(&root, path, OPENED, Mode::empty(), how).map_err(reason)
}

/// Part by part where there is no `openat2`.
#[cfg(not(target_os = "linux"))]
fn open(root: &Path, path: &str) -> Result<OwnedFd, Unread> {
    let way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(root, way, Mode::empty()).map_err(reason)?;
    let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
    for part in directories.split('/').filter(|part| !part.is_empty()) {
        if part == ".." {
            return Err(Unread::Refused("it is elsewhere"));
        }
        at = rustix::fs::openat(&at, part, way, Mode::empty()).map_err(reason)?;
    }
    rustix::fs::openat(&at, name, OPENED, Mode::empty()).map_err(reason)
}

fn reason(error: rustix::io::Errno) -> Unread {
    use rustix::io::Errno;
    match error {
        Errno::NOENT | Errno::NOTDIR => Unread::Absent,
        Errno::LOOP => Unread::Refused("a link leads to it"),
        Errno::XDEV => Unread::Refused("it is elsewhere"),
        _ => Unread::Refused("it cannot be opened"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    const BYTES_MAX: u64 = 100_000;

    type Leave<'a> = &'a dyn Fn(&Path);

    /// A run's directory beside a secret, with one thing left in it under the name `result`.
    fn left(leave: impl Fn(&Path)) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("run");
        std::fs::create_dir_all(root.join("real")).unwrap();
        std::fs::write(place.path().join("secret"), "s3cret").unwrap();
        leave(&root);
        place
    }

    /// What is read of it, off this thread: a pipe would block it for ever.
    fn found(defences: Defences, place: &Path, path: &'static str) -> Option<Vec<u8>> {
        let (answer, given) = std::sync::mpsc::channel();
        let root = place.join("run");
        std::thread::spawn(move || answer.send(read(&defences, &root, path, BYTES_MAX).ok()));
        given.recv_timeout(std::time::Duration::from_millis(400)).unwrap_or(Some(Vec::new()))
    }

    #[test]
    fn attack_24_a_result_that_is_no_plain_file_is_not_read() {
        use Defence::{FileSize, NoFollow, PlainFile};
        let pipe = |root: &Path| {
            let mode = Mode::RUSR | Mode::WUSR;
            rustix::fs::mkfifoat(rustix::fs::CWD, root.join("result"), mode).unwrap();
        };
        let socket = |root: &Path| drop(UnixListener::bind(root.join("result")).unwrap());
        let large = |root: &Path| std::fs::write(root.join("result"), vec![b'x'; 100_001]).unwrap();
        let huge = |root: &Path| {
            File::create(root.join("result")).unwrap().set_len(10 << 20).unwrap();
        };
        let cases: [(&str, Leave<'_>, &'static str, Option<Defence>); 11] = [
            (
                "a link to a file",
                &|r| link("../secret", &r.join("result")),
                "result",
                Some(NoFollow),
            ),
            (
                "an absolute link",
                &|r| link("/etc/passwd", &r.join("result")),
                "result",
                Some(NoFollow),
            ),
            (
                "a link among the directories",
                &|r| link("..", &r.join("d")),
                "d/secret",
                Some(NoFollow),
            ),
            ("a way up", &|_| (), "../secret", Some(NoFollow)),
            ("an absolute path", &|_| (), "/etc/passwd", Some(NoFollow)),
            ("a pipe", &pipe, "result", Some(NoFollow)),
            ("a link to a device", &|r| link("/dev/null", &r.join("result")), "result", None),
            ("a socket", &socket, "result", None),
            ("another's file", &|r| second_name(r), "result", Some(PlainFile)),
            ("a large file", &large, "result", Some(FileSize)),
            ("a sparse file", &huge, "result", Some(FileSize)),
        ];
        for (what, leave, path, defence) in cases {
            let place = left(leave);
            assert_eq!(found(Defences::default(), place.path(), path), None, "{what}");
            if let Some(defence) = defence {
                let got = found(Defences::without(defence), place.path(), path);
                assert!(got.is_some(), "without {defence:?}: {what}");
                // Whoever waits at the other end of a pipe goes on.
                let release = OFlags::WRONLY | OFlags::NONBLOCK;
                let pipe = place.path().join("run/result");
                drop(rustix::fs::open(pipe, release, Mode::empty()));
            }
        }
        let place = left(|root| std::fs::write(root.join("result"), "fine").unwrap());
        assert_eq!(found(Defences::default(), place.path(), "result").unwrap(), b"fine");
        let root = place.path().join("run");
        let absent = read(&Defences::default(), &root, "real/none", BYTES_MAX);
        assert_eq!(absent, Err(Unread::Absent));
    }

    fn link(to: &str, at: &Path) {
        symlink(to, at).unwrap();
    }

    fn second_name(root: &Path) {
        let secret = root.parent().unwrap().join("secret");
        std::fs::hard_link(secret, root.join("result")).unwrap();
    }
}
