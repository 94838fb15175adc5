//! What is told to remotes, and what is told as plain files.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::tests::Disk;
use super::*;
use crate::git::contract::{Place, message, order};
use crate::model::Secret;

/// Answers one request with a redirect to `target`; gives back what was asked and whether
/// `secret` stood in the arguments of any process meanwhile.
async fn redirect(
    target: String,
    secret: String,
) -> (u16, tokio::task::JoinHandle<(String, bool)>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 8_192];
        let length = stream.read(&mut request).await.unwrap();
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let arguments = processes.map(|entry| std::fs::read(entry.path().join("cmdline")));
        let seen = arguments.flatten().any(|line| String::from_utf8_lossy(&line).contains(&secret));
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        (String::from_utf8_lossy(&request[..length]).into_owned(), seen)
    };
    #[expect(clippy::disallowed_methods, reason = "a test's own server")]
    (port, tokio::spawn(serve))
}

#[tokio::test]
async fn the_secret_goes_to_the_remote_and_nowhere_else() {
    let place = Disk::new().await;
    let secret = format!("ghs_{:032x}", fastrand::u128(..));
    let login = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("x-access-token:{secret}"),
    );
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/o/r.git", elsewhere.local_addr().unwrap());
    let (port, served) = redirect(target, login.clone()).await;
    let url = format!("http://127.0.0.1:{port}/octo/hello.git");
    let remote = Remote { repo: place.remote().repo, url, secret: Secret::new(secret.clone()) };
    let error = place.git.fetch(&remote, &[BranchName::parse("main").unwrap()]).await.unwrap_err();
    let (request, in_arguments) = served.await.unwrap();
    assert!(request.contains(&format!("Authorization: Basic {login}")), "{request}");
    assert!(!in_arguments, "the secret stood in a command line");
    assert!(matches!(&error, Error::Remote(text) if !text.contains(&login)), "{error:?}");
    let followed = tokio::time::timeout(std::time::Duration::from_millis(50), elsewhere.accept());
    assert!(followed.await.is_err(), "the redirect was followed");
    let mut files = vec![place.directory.path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(&secret) && !text.contains(&login), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn what_git_alone_can_say_is_not_told_as_plain_files() {
    let disk = Disk::new().await;
    let files = disk.workspace(&[("run.sh", "true\n"), ("plain", "p\n")]).await;
    let (repo, at) = (files.repo.clone(), files.at.clone());
    let told = async |change: &dyn Fn(&Path)| {
        let workspace = disk.git.workspace(&order(&disk.remote(), &at)).await.unwrap();
        change(&workspace.path);
        let made = disk.git.commit(&workspace, &message("Change")).await.unwrap().unwrap();
        disk.git.plain(&repo, &at, &made.commit).await.unwrap()
    };
    let executable = |path: &Path| {
        std::fs::set_permissions(path.join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    };
    let linked = |path: &Path| symlink("plain", path.join("link")).unwrap();
    let large = |path: &Path| {
        for name in ["x", "y"] {
            let text = name.repeat(crate::git::PLAIN_BYTES_MAX / 2 + 1);
            std::fs::write(path.join(name), text).unwrap();
        }
    };
    let many = |path: &Path| {
        for name in 0..=crate::git::PLAIN_FILES_MAX {
            std::fs::write(path.join(format!("f{name}")), "x").unwrap();
        }
    };
    for (change, said) in [
        (&executable as &dyn Fn(&Path), "`run.sh` is executable"),
        (&linked, "`link` is no plain file"),
        (&large, "too large"),
        (&many, "too many files"),
    ] {
        let told = told(change).await;
        assert!(matches!(&told, Plain::No { why } if why.contains(said)), "{said}: {told:?}");
    }
    let odd = |path: &Path| {
        std::fs::write(path.join("a \"b\" \u{e9}.txt"), "\0\n\n").unwrap();
        std::fs::write(path.join("empty"), "").unwrap();
        std::fs::remove_file(path.join("plain")).unwrap();
    };
    let Plain::Yes(change) = told(&odd).await else { panic!("plain") };
    let names: Vec<&str> = change.written.keys().map(String::as_str).collect();
    assert_eq!(names, ["a \"b\" \u{e9}.txt", "empty"]);
    assert_eq!(change.written.values().map(Vec::len).collect::<Vec<_>>(), [3, 0]);
    assert!(change.deleted.contains("plain"));
}
