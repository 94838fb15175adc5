//! The road to the remote: its secret, its redirects, and who else pushes.

use super::*;
use crate::git::cli::defence::Defence;
use crate::git::contract::{Place, fetched};
use crate::model::Secret;

#[tokio::test]
async fn attack_39_somebody_elses_push_is_never_overwritten() {
    let mut place = Disk::new().await;
    let root = place.seed("main", &[("f", "1\n")], None).await;
    let ours = place.seed("ours", &[("f", "2\n")], Some(&root)).await;
    place.seed("work/1", &[("f", "1\n")], Some(&root)).await;
    let expected = fetched(&place, &["main", "ours", "work/1"]).await.pop();
    let theirs = place.seed("work/1", &[("f", "theirs\n")], expected.as_ref()).await;
    let branch = BranchName::parse("work/1").unwrap();
    let reference = branch.reference();
    for expect in [expected.clone(), None] {
        let push = Push { branch: branch.clone(), new: Some(ours.clone()), expect };
        let answer = place.git.push(&place.remote(), &push).await;
        assert_eq!(answer, Ok(PushAnswer::Stale { actual: Some(theirs.clone()) }));
        assert_eq!(
            place.said(&["rev-parse", "--verify"], &[&reference]).await.trim(),
            theirs.as_str()
        );
    }
    let push = Push { branch, new: Some(ours.clone()), expect: expected };
    place.without(Defence::Lease);
    assert_eq!(place.git.push(&place.remote(), &push).await, Ok(PushAnswer::Pushed));
    assert_eq!(place.said(&["rev-parse", "--verify"], &[&reference]).await.trim(), ours.as_str());
}

/// Answers one request with a redirect to `target`; gives back what was asked and whether
/// `secret` stood in the arguments of any process meanwhile.
async fn redirect(
    target: String,
    secret: [String; 2],
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
        let seen = arguments.flatten().any(|line| {
            secret.iter().any(|secret| String::from_utf8_lossy(&line).contains(secret))
        });
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

/// What a remote that sends us elsewhere learns: what it was asked, whether the secret stood in
/// the arguments of a process, what git said, and whether the other place was visited.
async fn sent_elsewhere(place: &Disk) -> ([String; 2], String, bool, Error, bool) {
    let secret = format!("ghs_{:032x}", fastrand::u128(..));
    let login = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("x-access-token:{secret}"),
    );
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/o/r.git", elsewhere.local_addr().unwrap());
    let (port, served) = redirect(target, [login.clone(), secret.clone()]).await;
    let url = format!("http://127.0.0.1:{port}/octo/hello.git");
    let remote = Remote { repo: place.remote().repo, url, secret: Secret::new(secret.clone()) };
    let main = [BranchName::parse("main").unwrap()];
    let fetching = place.git.fetch(&remote, &main);
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(3), elsewhere.accept());
    let (failed, visited) = tokio::join!(
        async { tokio::time::timeout(std::time::Duration::from_secs(4), fetching).await },
        waiting
    );
    let error = failed.map_or_else(|_| Error::Remote("late".to_owned()), Result::unwrap_err);
    let (request, in_arguments) = served.await.unwrap();
    ([login, secret], request, in_arguments, error, visited.is_ok())
}

#[tokio::test]
async fn attack_45_the_secret_goes_to_the_remote_and_nowhere_else() {
    let mut place = Disk::new().await;
    let (secrets, request, in_arguments, error, followed) = sent_elsewhere(&place).await;
    assert!(request.contains(&format!("Authorization: Basic {}", secrets[0])), "{request}");
    assert!(!in_arguments, "the secret stood in a command line");
    let silent = |text: &str| secrets.iter().all(|secret| !text.contains(secret.as_str()));
    assert!(matches!(&error, Error::Remote(text) if silent(text)), "{error:?}");
    assert!(!followed, "the redirect was followed");
    let mut files = vec![place.directory.path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = std::fs::read(&path).unwrap();
            assert!(silent(&String::from_utf8_lossy(&text)), "{}", path.display());
        }
    }
    place.without(Defence::SecretInEnvironment);
    let (_, _, in_arguments, _, _) = sent_elsewhere(&place).await;
    assert!(in_arguments, "in the address, everybody on the host can read it");
    place.without(Defence::NoRedirects);
    let (_, _, _, _, followed) = sent_elsewhere(&place).await;
    assert!(followed, "without our settings a remote sends us where it likes");
}
