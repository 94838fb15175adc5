//! The playground as a server: git over HTTP, script CI, the courier, faults on the wire.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::playground::faults::Fault;
use crate::playground::mailbox::Logged;
use crate::playground::process::{base_command, git_program};
use crate::playground::seed::{Sample, sample};
use crate::playground::world::World;
use crate::playground::world::events::sign;
use crate::playground::{Config, Playground, Running};

pub(super) struct Server {
    pub(super) running: Running,
    pub(super) sample: Sample,
    tasks: TaskTracker,
    cancel: CancellationToken,
    client: reqwest::Client,
    token: String,
}

impl Server {
    pub(super) async fn start() -> Self {
        let (tasks, cancel) = (TaskTracker::new(), CancellationToken::new());
        let config = Config { now_ms: Arc::new(now_ms), seed: 11, pages: Some(pages) };
        let running = Playground::start(config, &tasks, &cancel).await.unwrap();
        let sample = sample(&running, None).unwrap();
        let token = running.world.human_token(sample.reviewer.id);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { running, sample, tasks, cancel, client, token }
    }

    pub(super) async fn stop(self) {
        let dir = self.running.dir().to_owned();
        drop((self.client, self.running));
        self.cancel.cancel();
        self.tasks.close();
        tokio::time::timeout(Duration::from_secs(10), self.tasks.wait()).await.unwrap();
        assert!(!dir.exists(), "the repositories are gone");
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.running.base_url);
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let sent = self.client.request(method, url).bearer_auth(&self.token).json(&body).send();
        let answer = sent.await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    fn remote(&self, token: &str) -> String {
        let host = self.running.base_url.strip_prefix("http://").unwrap();
        format!("http://x-access-token:{token}@{host}/{}.git", self.sample.repo)
    }

    /// Waits until the newest run of CI on a commit is done and gives it.
    async fn check(&self, sha: &str) -> Value {
        for _ in 0..1_000 {
            let path = format!("/repos/mara/greet/commits/{sha}/check-runs");
            let (_, found) = self.send("GET", &path, Value::Null).await;
            if found["check_runs"][0]["status"] == "completed" {
                return found["check_runs"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("CI never finished on {sha}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a server test runs on the real clock")]
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn pages(world: World) -> Router {
    let home = move || async move { world.with(|state| state.repos.len().to_string()) };
    Router::new().route("/{owner}/{repo}", axum::routing::get(home))
}

async fn git(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = base_command(git_program().unwrap());
    command.args(["-c", "user.name=rio", "-c", "user.email=rio@example.org"]);
    command.current_dir(dir).args(arguments);
    let output = tokio::process::Command::from(command).output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_over_http_opens_the_way_to_ci_review_and_merge() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (here, clone) = (dir.path(), dir.path().join("greet"));
    let remote = server.remote(&server.token);
    let (good, said) = git(here, &["clone", "--quiet", &remote, "greet"]).await;
    assert!(good, "{said}");
    git(&clone, &["switch", "--quiet", "-c", "louder"]).await;
    std::fs::write(clone.join("lib/text.sh"), "greet() {\n    echo Hello, $1!   \n}\n").unwrap();
    git(&clone, &["commit", "--quiet", "-am", "Use echo"]).await;
    let (good, said) = git(&clone, &["push", "--quiet", "origin", "louder"]).await;
    assert!(good, "{said}");
    let pull = json!({"title": "Louder", "head": "louder", "base": "main", "body": "Closes #9"});
    let (status, pull) = server.send("POST", "/repos/mara/greet/pulls", pull).await;
    assert_eq!((status, &pull["changed_files"]), (201, &json!(1)));
    let number = pull["number"].as_u64().unwrap();
    let red = server.check(pull["head"]["sha"].as_str().unwrap()).await;
    assert_eq!(red["conclusion"], "failure", "{red}");
    assert!(red["output"]["text"].as_str().unwrap().contains("blanks at the end"));
    let logs =
        format!("{}/repos/mara/greet/actions/jobs/{}/logs", server.running.base_url, red["id"]);
    let log = server.client.get(logs).bearer_auth(&server.token).send().await.unwrap();
    assert!(log.text().await.unwrap().contains("unit: ok"));

    std::fs::write(clone.join("lib/text.sh"), "greet() {\n    echo \"Hello, $1!\"\n}\n").unwrap();
    git(&clone, &["commit", "--quiet", "-am", "No blanks"]).await;
    git(&clone, &["push", "--quiet", "origin", "louder"]).await;
    let (_, head) = git(&clone, &["rev-parse", "HEAD"]).await;
    assert_eq!(server.check(&head).await["conclusion"], "success");
    let merge = format!("/repos/mara/greet/pulls/{number}/merge");
    let call = json!({"sha": head, "merge_method": "squash"});
    let (status, refused) = server.send("PUT", &merge, call.clone()).await;
    assert_eq!(status, 405, "{refused}");
    let mara = server.sample.maintainer.id;
    let approve = (crate::playground::world::ReviewState::Approved, "");
    server.running.world.review(mara, "mara/greet", number, approve).unwrap();
    let (status, merged) = server.send("PUT", &merge, call).await;
    assert_eq!(status, 200, "{merged}");
    git(&clone, &["fetch", "--quiet", "origin"]).await;
    let (_, main) = git(&clone, &["rev-parse", "origin/main"]).await;
    assert_eq!(merged["sha"], main);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn git_refuses_strangers_weak_tokens_and_protected_branches() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (here, clone) = (dir.path(), dir.path().join("greet"));
    let anonymous = format!("{}/mara/greet.git", server.running.base_url);
    let (good, said) = git(here, &["clone", "--quiet", &anonymous, "greet"]).await;
    assert!(good, "a public repository may be read by all: {said}");
    git(&clone, &["commit", "--quiet", "--allow-empty", "-m", "Nothing"]).await;
    let otto = server.running.world.human_token(server.sample.outsider.id);
    for (remote, why) in [
        (server.remote("ghp_unknown"), "Authentication failed"),
        (server.remote(&otto), "403"),
        (server.remote(&server.token), "protected branch hook declined"),
    ] {
        let (good, said) = git(&clone, &["push", &remote, "HEAD:refs/heads/main"]).await;
        assert!(!good && said.contains(why), "{why}: {said}");
    }
    let remote = server.remote(&server.token);
    let fault = Fault::status(500, true);
    server.running.world.faults(|plan| plan.on_people("git/push", 2, fault));
    let (good, said) = git(&clone, &["push", &remote, "HEAD:refs/heads/side"]).await;
    assert!(!good, "the answer was lost: {said}");
    let journal = server.running.world.journal();
    let pushes = journal.iter().filter(|call| call.operation == "git/push");
    let pushes: Vec<_> = pushes.map(|call| (call.status, call.effect)).collect();
    assert_eq!(pushes, [(422, false), (500, true)]);
    let (_, branch) = server.send("GET", "/repos/mara/greet/branches/side", Value::Null).await;
    let (_, head) = git(&clone, &["rev-parse", "HEAD"]).await;
    assert_eq!(branch["commit"]["sha"], head, "and yet the push was made");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_courier_posts_signed_deliveries_and_sends_them_again_when_asked() {
    let server = Server::start().await;
    let got: Arc<Mutex<Vec<(String, String, bool)>>> = Arc::default();
    let (sink, secret) = (Arc::clone(&got), server.sample.bot.webhook_secret.clone());
    let receive = move |headers: HeaderMap, body: Bytes| async move {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let signed = text("x-hub-signature-256") == sign(&secret, &body);
        sink.lock().unwrap().push((text("x-github-event"), text("x-github-delivery"), signed));
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let router = Router::new().route("/webhook", post(receive));
    let stop = server.cancel.clone().cancelled_owned();
    server.tasks.spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(stop).await.unwrap();
    });
    let world = server.running.world.clone();
    world.set_webhook_url(server.sample.bot.id, &url);
    world.open_issue(server.sample.outsider.id, "mara/greet", "Please", "").unwrap();
    let wait = async |count: usize| {
        for _ in 0..500 {
            let seen = got.lock().unwrap().clone();
            let about = seen.into_iter().filter(|one| one.0 == "issues").collect::<Vec<_>>();
            if about.len() >= count {
                return about;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing was delivered");
    };
    let first = wait(1).await.remove(0);
    assert!(first.2, "the signature is right");
    let id = world.with(|state| {
        let same = |one: &&Logged| one.delivery.guid == first.1;
        let id = state.mailbox.log().find(same).unwrap().delivery.id;
        let actor = crate::playground::world::Actor::App(server.sample.bot.id);
        state.redeliver(&actor, id).unwrap();
        id
    });
    assert_eq!(wait(2).await[1].1, first.1, "the same delivery of {id} again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_breaks_the_connection_and_pages_have_their_own_paths() {
    let server = Server::start().await;
    let world = &server.running.world;
    world.faults(|plan| plan.on_people("issues/create", 1, Fault::reset(true)));
    let url = format!("{}/repos/mara/greet/issues", server.running.base_url);
    let post = server.client.post(&url).bearer_auth(&server.token).json(&json!({"title": "x"}));
    let broken = match post.send().await {
        Ok(answer) => answer.text().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    let home = format!("{}/mara/greet", server.running.base_url);
    let page = server.client.get(home).send().await.unwrap();
    assert_eq!(page.text().await.unwrap(), "1", "pages have the other paths");
    let (_, user) = server.send("GET", "/users/mara", Value::Null).await;
    assert_eq!(user["login"], "mara", "and the API keeps its own");
    let (_, issues) = server.send("GET", "/repos/mara/greet/issues", Value::Null).await;
    assert_eq!(issues.as_array().unwrap().len(), 1);
    server.stop().await;
}
