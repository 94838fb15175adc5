//! Set-up with the playground as GitHub and an HTTP client as the browser.

use std::path::PathBuf;

use clap::Parser;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};

use super::*;
use crate::app::args::{Args, Command};
use crate::config::{self, Layer};
use crate::playground::{self, Playground, Running, pages};

/// GitHub, a desk, and a browser with one cookie.
struct Scene {
    github: Running,
    desk: Arc<Desk>,
    client: Client,
    directory: tempfile::TempDir,
    stop: CancellationToken,
}

fn asked(words: &[&str]) -> Setup {
    let args = Args::try_parse_from(["slipway", "setup"].iter().chain(words)).unwrap();
    let Command::Setup(setup) = args.command else { panic!("another command") };
    setup
}

fn settings(directory: &Path, github: &str, public_url: Option<&str>) -> Settings {
    let empty = directory.join("empty.toml");
    std::fs::write(&empty, "").unwrap();
    let flags = Layer {
        github_url: Some(github.to_owned()),
        public_url: public_url.map(str::to_owned),
        ..Layer::default()
    };
    let state = |name: &str| (name == "STATE_DIRECTORY").then(|| "/state".to_owned());
    config::load(Some(&empty), state, flags).unwrap()
}

async fn scene(words: &[&str]) -> Scene {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let now_ms = Arc::new(|| SystemClock.now().0);
    let config = playground::Config { now_ms, seed: 7, pages: Some(pages::router) };
    let github = Playground::start(config, &tasks, &stop).await.unwrap();
    github.world.add_user("mara");
    github.world.add_user("acme");
    let directory = tempfile::tempdir().unwrap();
    let public = Some("https://s.example.com");
    let settings = settings(directory.path(), &github.base_url, public);
    let mut setup = asked(words);
    setup.dir = Some(directory.path().join("slipway"));
    let plan = Plan::of(&settings, &setup).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let desk = Arc::new(Desk::new(plan, address, Arc::new(SystemClock)).unwrap());
    let router = desk::router(Arc::clone(&desk));
    let ended = stop.clone().cancelled_owned();
    tasks.spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(ended).await.unwrap();
    });
    let client = Client::builder().no_proxy().redirect(Policy::none());
    let client = client.tls_certs_only(std::iter::empty()).build().unwrap();
    Scene { github, desk, client, directory, stop }
}

/// A form as a browser sends it.
fn filled(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(text)
}

fn cookie(response: &Response) -> String {
    let set = response.headers()["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly; SameSite=Lax"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

fn place(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// A field of the page's form, or what follows `action="`.
fn between<'a>(html: &'a str, before: &str) -> &'a str {
    html.split_once(before).unwrap().1.split_once('"').unwrap().0
}

fn plain(html: &str) -> String {
    html.replace("&quot;", "\"").replace("&amp;", "&")
}

impl Scene {
    async fn get(&self, url: &str, cookie: &str) -> (u16, String) {
        let answer = self.client.get(url).header("cookie", cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Looks at the first page, and presses the buttons here and on GitHub; gives the cookie
    /// and the address that GitHub sends the browser back to.
    async fn to_github_and_back(&self) -> (String, String) {
        let first = self.client.get(self.desk.url()).send().await.unwrap();
        let cookie = cookie(&first);
        let html = plain(&first.text().await.unwrap());
        let action = between(&html, "method=\"post\" action=\"").to_owned();
        let manifest = html.split_once("name=\"manifest\" value=\"").unwrap().1;
        let manifest = manifest.split_once("\"><button").unwrap().0;
        let form = [("manifest", manifest)];
        let page = self.client.post(&action).header("sec-fetch-site", "cross-site");
        let page = filled(page, &form).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let html = plain(&page.text().await.unwrap());
        assert!(policy.contains("form-action 'self' http://127.0.0.1:"), "{policy}");
        let state = between(&html, "name=\"state\" value=\"").to_owned();
        let owner = between(&html, "name=\"owner\" value=\"").to_owned();
        let name = "Slipway of the test";
        let form = [("manifest", manifest), ("state", &state), ("owner", &owner), ("name", name)];
        let button = format!("{}/settings/apps/manifest", self.github.base_url);
        let made = self.client.post(&button).header("origin", &self.github.base_url);
        let made = filled(made, &form).send().await.unwrap();
        assert_eq!(made.status(), 303, "{}", made.text().await.unwrap());
        (cookie, place(&made))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join("slipway").join(name)
    }
}

#[tokio::test]
async fn one_click_makes_an_app_and_stores_its_key() {
    let scene = scene(&["--org", "acme"]).await;
    let (cookie, back) = scene.to_github_and_back().await;
    assert!(!scene.file("slipway.toml").exists(), "nothing is written before the App exists");
    let answer = scene.client.get(&back).header("cookie", &cookie).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), place(&answer).as_str()), (303, "done"));
    let app = scene.desk.done().await.unwrap();
    assert_eq!((app.slug.as_str(), app.owner.as_str()), ("slipway-of-the-test", "acme"));
    let (status, html) = scene.get(&format!("{}done", scene.desk.url()), &cookie).await;
    assert_eq!(status, 200);
    assert!(html.contains("/apps/slipway-of-the-test/installations/new"), "{html}");
    let secret = app.webhook_secret.as_ref().unwrap().reveal();
    assert!(!html.contains("PRIVATE KEY") && !html.contains(secret), "nothing secret is shown");
    assert!(!format!("{:?}", scene.desk).contains(secret));
    let key = std::fs::read_to_string(scene.file("private-key.pem")).unwrap();
    assert_eq!(Some(key), scene.github.world.app_pem(app.id));
    let config = std::fs::read_to_string(scene.file("slipway.toml")).unwrap();
    assert!(config.contains(&format!("app_id = {}\n", app.id)) && config.contains(secret));
    let (hook, permissions) = scene.github.world.with(|state| {
        let made = &state.apps[&app.id];
        (made.webhook_url.clone().unwrap(), made.permissions.len())
    });
    assert_eq!(hook, "https://s.example.com/webhook");
    assert_eq!(permissions, manifest::needs().permissions.len());
    // Coming back once more, or to the beginning, finds it done.
    for url in [back, scene.desk.url()] {
        let again = scene.client.get(&url).header("cookie", &cookie).send().await.unwrap();
        assert_eq!((again.status().as_u16(), place(&again).as_str()), (303, "done"));
    }
    scene.stop.cancel();
}

#[tokio::test]
async fn an_answer_to_another_question_or_an_old_code_does_nothing_and_can_be_tried_again() {
    let scene = scene(&[]).await;
    let (cookie, back) = scene.to_github_and_back().await;
    let (before, state) = back.split_once("state=").unwrap();
    let flipped: String = state.chars().rev().collect();
    let (status, html) = scene.get(&format!("{before}state={flipped}"), &cookie).await;
    assert_eq!(status, 400);
    assert!(html.contains("belongs to another question") && html.contains("Start again"));
    let code = between(&format!("{back}\""), "code=").to_owned();
    let code = code.split('&').next().unwrap();
    assert!(scene.github.world.with(|state| state.take_code(code)).is_ok(), "it was not used");
    let (status, html) = scene.get(&back, &cookie).await;
    assert_eq!(status, 502);
    assert!(html.contains("works once, within an hour"), "{html}");
    let (status, html) = scene.get(&back, &cookie).await;
    assert_eq!(status, 400, "a state is good once: {html}");
    let (status, html) = scene.get(&scene.desk.url(), &cookie).await;
    assert!(status == 200 && !html.contains(state), "the next try has a state of its own");
    assert!(!scene.file("private-key.pem").exists());
    scene.stop.cancel();
}

#[tokio::test]
async fn only_the_browser_that_was_given_the_address_is_served() {
    let scene = scene(&[]).await;
    let url = scene.desk.url();
    let address = url.split('/').nth(2).unwrap().to_owned();
    for bad in [format!("http://{address}/"), format!("http://{address}/{}/", "0".repeat(64))] {
        assert_eq!(scene.get(&bad, "").await.0, 404, "{bad}");
    }
    let rebound = scene.client.get(&url).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), 404);
    assert_eq!(scene.client.post(&url).send().await.unwrap().status(), 404);
    // Coming back without having begun does not take the place of whoever is to come.
    assert_eq!(scene.get(&format!("{url}back?code=x&state=y"), "").await.0, 403);
    let first = scene.client.get(&url).send().await.unwrap();
    let policy = first.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    let cookie = cookie(&first);
    assert_eq!(scene.get(&url, &cookie).await.0, 200);
    let (status, why) = scene.get(&url, "").await;
    assert!(status == 403 && why.contains("another browser"), "{why}");
    assert_eq!(scene.get(&format!("{url}slipway.css"), "").await.0, 200);
    scene.stop.cancel();
}

#[tokio::test]
async fn a_key_that_cannot_be_stored_is_said_aloud() {
    let scene = scene(&[]).await;
    let (cookie, back) = scene.to_github_and_back().await;
    std::fs::write(scene.file("private-key.pem"), "somebody was here first").unwrap();
    let (status, html) = scene.get(&back, &cookie).await;
    assert!(status == 500 && html.contains("could not be stored"), "{html}");
    let error = scene.desk.done().await.unwrap_err().to_string();
    assert!(error.contains("delete the App on its settings page"), "{error}");
    let kept = std::fs::read_to_string(scene.file("private-key.pem")).unwrap();
    assert_eq!(kept, "somebody was here first");
    scene.stop.cancel();
}

#[test]
fn a_plan_is_refused_before_anything_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(home.path(), "https://ghe.example.com", None);
    let dir = home.path().join("new").display().to_string();
    let plan = |words: &[&str]| {
        let words: Vec<&str> = ["--dir", &dir].into_iter().chain(words.iter().copied()).collect();
        Plan::of(&settings, &asked(&words))
    };
    let error = |words: &[&str]| plan(words).unwrap_err().to_string();
    assert!(error(&["--org", "a/b"]).contains("--org takes the name"));
    assert!(error(&["--name", &"x".repeat(35)]).contains("1 to 34 characters"));
    let good = plan(&["--org", "acme"]).unwrap();
    assert_eq!(
        good.action("S"),
        "https://ghe.example.com/organizations/acme/settings/apps/new?state=S"
    );
    assert!(good.name.starts_with("slipway-acme-"), "{}", good.name);
    let config = shell(&good.place.config());
    assert_eq!(good.commands()[0], format!("slipway --config {config} doctor"));
    std::fs::write(good.place.key(), "there").unwrap();
    assert!(error(&[]).contains("exists already"));
    assert!(plan(&["--force"]).is_ok());
}
