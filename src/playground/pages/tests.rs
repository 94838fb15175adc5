//! The pages as a browser meets them, over a World in memory.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use tower::ServiceExt;

use super::router;
use crate::playground::http;
use crate::playground::memory::MemoryForge;
use crate::playground::world::checks::RunEdit;
use crate::playground::world::people::FilePush;
use crate::playground::world::pulls::NewPull;
use crate::playground::world::setup::NewApp;
use crate::playground::world::{
    Actor, CheckAction, CheckOutput, RequiredCheck, Role, Rules, RunStatus, User, World,
};

const REPO: &str = "mara/greet";

struct Scene {
    world: World,
    pages: Router,
    mara: User,
    rio: User,
    otto: User,
    run: u64,
}

/// A repository with an issue (1), a pull request (2) and a bot's finished check run on it.
fn scene() -> Scene {
    let world = World::new(Arc::new(|| 1_700_000_000_000), 7);
    let [mara, rio, otto] = ["mara", "rio", "otto"].map(|name| world.add_user(name));
    let repo = world.add_repo(&mara, "greet", "main", Arc::new(MemoryForge::default())).unwrap();
    let file = |path: &str, text: &str| (path.to_owned(), Some(text.as_bytes().to_vec()));
    let first = vec![
        file("README.md", "# Greet\n\nIt *greets*. <script>alert(1)</script>\n"),
        file("greet.sh", "echo hello\n"),
    ];
    world.first_commit(repo, &mara, &first).unwrap();
    world.set_permission(REPO, rio.id, Role::Write).unwrap();
    let check = RequiredCheck { context: "test".to_owned(), integration_id: None };
    let rules = Rules { required_checks: vec![check], approvals: Some(1), ..Rules::default() };
    world.set_rules(REPO, "main", rules).unwrap();
    let bot = world.add_app(&NewApp::bot("slipway", mara.id)).unwrap();
    let installation = world.install(bot.id, &mara, &[repo]).unwrap();
    world.open_issue(mara.id, REPO, "Greet <b>in</b> Danish", "Please.").unwrap();
    let files = vec![file("greet.sh", "echo hej & <script>\n")];
    let push = FilePush { branch: "danish", onto: None, files: &files, message: "Say hej" };
    let head = world.push_files(mara.id, REPO, &push).unwrap();
    let [title, body, head_ref, base] =
        ["Say hej", "Closes #1", "danish", "main"].map(str::to_owned);
    let new = NewPull { title, body, head: head_ref, base, draft: false };
    world.open_pull(mara.id, REPO, &new).unwrap();
    let permissions = bot.permissions.clone();
    let expires_ms = i64::MAX;
    let actor =
        Actor::Bot { app: bot.id, installation, permissions, repositories: None, expires_ms };
    let [label, description, identifier] = ["Retry", "Start again", "retry"].map(str::to_owned);
    let summary = Some("Stuck at **ci** <img src=x>".to_owned());
    let edit = RunEdit {
        name: Some("slipway".to_owned()),
        status: Some(RunStatus::Completed),
        conclusion: Some("action_required".to_owned()),
        output: Some(CheckOutput { summary, ..CheckOutput::default() }),
        actions: Some(vec![CheckAction { label, description, identifier }]),
        log: Some("line one\n##[error]exit 1\n".to_owned()),
        ..RunEdit::default()
    };
    let run = world.with(|state| state.create_check_run(&actor, REPO, &head, &edit)).unwrap().id;
    Scene { pages: router(world.clone()), world, mara, rio, otto, run }
}

impl Scene {
    async fn send(&self, request: Request<Body>) -> (StatusCode, Response<()>, String) {
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 22).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, Response::from_parts(parts, ()), text)
    }

    async fn get(&self, path: &str) -> String {
        let (status, answer, text) =
            self.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(status, 200, "{path}: {text}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(!text.contains("<script") && !text.contains("<img"), "{path}: {text}");
        text
    }

    /// A form of these pages, sent by `user`; the answer's status and where it leads.
    async fn post(&self, user: &User, path: &str, form: &str) -> (StatusCode, String) {
        self.post_from(user, path, form, "same-origin").await
    }

    async fn post_from(
        &self,
        user: &User,
        path: &str,
        form: &str,
        site: &str,
    ) -> (StatusCode, String) {
        let request = Request::post(path)
            .header("host", "127.0.0.1:9")
            .header("sec-fetch-site", site)
            .header("referer", "http://127.0.0.1:9/mara/greet/issues?from")
            .header("cookie", format!("a=b; slipway_as={}", user.id))
            .header("content-type", "application/x-www-form-urlencoded");
        let (status, answer, text) =
            self.send(request.body(Body::from(form.to_owned())).unwrap()).await;
        let place = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (status, place.unwrap_or(text))
    }
}

#[tokio::test]
async fn every_page_shows_what_it_is_about_and_hostile_text_is_inert() {
    let scene = scene();
    let run = format!("/mara/greet/runs/{}", scene.run);
    let head = scene.world.with(|state| state.repos.values().next().unwrap().pulls[&2].clone());
    let commit = format!("/mara/greet/commit/{}", head.head_sha);
    for (path, wanted) in [
        ("/ui", vec!["mara/greet", "act as"]),
        ("/mara/greet", vec!["<em>greets</em>", "danish", "Check “test” must pass"]),
        ("/mara/greet/issues", vec!["Greet &lt;b&gt;in&lt;/b&gt; Danish", "1 open", "0 closed"]),
        ("/mara/greet/issues?state=closed", vec!["Nothing closed here"]),
        ("/mara/greet/pulls", vec!["Say hej", "checks failed"]),
        ("/mara/greet/issues/new", vec!["Open as mara"]),
        ("/mara/greet/issues/1", vec!["Please.", "Write a comment", ">Close<", "Say hej"]),
        ("/mara/greet/compare", vec!["Take the changes of"]),
        (
            "/mara/greet/pull/2",
            vec!["href=\"/mara/greet/issues/1\"", "danish", "Retry", "Merge by"],
        ),
        ("/mara/greet/pull/2/files", vec!["echo hej &amp; &lt;script&gt;", "class=\"sign\">+"]),
        ("/mara/greet/pull/2/checks", vec!["slipway", "asks for you"]),
        ("/mara/greet/pull/2/commits", vec!["Say hej"]),
        (run.as_str(), vec!["<strong>ci</strong>", "exit 1", "Retry"]),
        (commit.as_str(), vec!["Say hej", "echo hello"]),
        ("/mara/greet/commits", vec!["First commit"]),
        ("/mara/greet/commits/danish", vec!["Say hej"]),
        ("/mara/greet/tree/danish", vec!["greet.sh"]),
        ("/mara/greet/blob/danish/greet.sh", vec!["echo hej", "Commit and push as mara"]),
    ] {
        let html = scene.get(path).await;
        for text in wanted {
            assert!(html.contains(text), "{path} lacks {text}: {html}");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{path} has one first heading");
    }
}

#[tokio::test]
async fn forms_act_as_the_chosen_person() {
    let scene = scene();
    let form = "body=%2Fgo%0D%0Aplease+%3Cscript%3E";
    let (status, place) = scene.post(&scene.rio, "/mara/greet/issues/1/comments", form).await;
    assert_eq!(status, 303, "{place}");
    assert!(place.starts_with("/mara/greet/issues/1#issuecomment-"), "{place}");
    scene.world.with(|state| {
        let repo = state.repos.values().next().unwrap();
        let comment = repo.comments.values().next().unwrap();
        assert_eq!(comment.user.login, "rio");
        assert_eq!(comment.body, "/go\r\nplease <script>");
    });
    assert!(scene.get("/mara/greet/issues/1").await.contains("/go"));

    let (status, _) = scene.post(&scene.mara, "/mara/greet/issues/1/labels", "add=go").await;
    assert_eq!(status, 303);
    let (status, text) = scene.post(&scene.otto, "/mara/greet/issues/1/labels", "add=no").await;
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("href=\"/mara/greet/issues?from\">Go back"), "{text}");
    let review = |sha: &str| format!("verdict=approve&body=&sha={sha}");
    let head = scene.world.with(|s| s.repos.values().next().unwrap().pulls[&2].head_sha.clone());
    let reviews = "/mara/greet/pull/2/reviews";
    let (status, _) = scene.post(&scene.rio, reviews, &review(&"0".repeat(40))).await;
    assert_eq!(status, 409, "a head that the reviewer did not see");
    assert_eq!(scene.post(&scene.rio, reviews, &review(&head)).await.0, 303);
    let again = "content=eyes";
    for count in [1, 0] {
        scene.post(&scene.otto, "/mara/greet/issues/1/reactions", again).await;
        scene.world.with(|state| {
            let repo = state.repos.values().next().unwrap();
            assert_eq!(repo.issues[&1].reactions.len(), count);
        });
    }
    let merge = format!("method=squash&sha={head}");
    let (status, text) = scene.post(&scene.mara, "/mara/greet/pull/2/merge", &merge).await;
    assert_eq!(status, 405);
    assert!(text.contains("Required status check &quot;test&quot; is expected."), "{text}");
}

#[tokio::test]
async fn files_change_and_pull_requests_open_and_merge_by_hand() {
    let scene = scene();
    scene.world.set_rules(REPO, "main", Rules::default()).unwrap();
    let edit = "path=greet.sh&from=main&branch=swedish%2Fone&message=Hej&text=echo+hej%0D%0Aexit";
    let (status, place) = scene.post(&scene.rio, "/mara/greet/edit", edit).await;
    assert_eq!(
        (status, place.as_str()),
        (StatusCode::SEE_OTHER, "/mara/greet/blob/swedish%2Fone/greet.sh")
    );
    assert!(scene.get(&place).await.contains("exit"));
    let form = "title=Swedish&body=Fixes+%231&head=swedish%2Fone&base=main";
    let (status, place) = scene.post(&scene.rio, "/mara/greet/pulls", form).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/mara/greet/pull/3"));
    assert!(scene.get("/mara/greet/pull/3").await.contains("being found out"));
    assert!(scene.get("/mara/greet/pull/3").await.contains("This can be merged"));
    let head = scene.world.with(|s| s.repos.values().next().unwrap().pulls[&3].head_sha.clone());
    let merge = format!("method=squash&sha={head}");
    let (status, _) = scene.post(&scene.rio, "/mara/greet/pull/3/merge", &merge).await;
    assert_eq!(status, 303);
    assert!(scene.get("/mara/greet/pull/3").await.contains("Merged"));
    assert!(scene.get("/mara/greet/issues?state=closed").await.contains("Danish"));
    let main = scene.get("/mara/greet/blob/main/greet.sh").await;
    assert!(main.contains("echo hej") && main.contains(">exit<"), "{main}");
}

#[tokio::test]
async fn a_pressed_button_tells_the_app() {
    let scene = scene();
    scene.world.due_deliveries(i64::MAX);
    let path = format!("/mara/greet/runs/{}/button", scene.run);
    assert_eq!(scene.post(&scene.otto, &path, "button=retry").await.0, 403);
    assert_eq!(scene.world.due_deliveries(i64::MAX).len(), 0);
    assert_eq!(scene.post(&scene.rio, &path, "button=retry").await.0, 303);
    let sent = scene.world.due_deliveries(i64::MAX);
    assert_eq!(sent.len(), 1);
    let body: serde_json::Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(
        (sent[0].event.as_str(), &body["action"]),
        ("check_run", &"requested_action".into())
    );
    assert_eq!(body["requested_action"]["identifier"], "retry");
    assert_eq!(body["sender"]["login"], "rio");
}

#[tokio::test]
async fn forms_from_elsewhere_and_private_repositories_are_refused() {
    let scene = scene();
    let path = "/mara/greet/issues/1/comments";
    for site in ["cross-site", "same-site", "none"] {
        let (status, _) = scene.post_from(&scene.mara, path, "body=x", site).await;
        assert_eq!(status, 403, "{site}");
    }
    scene.world.with(|state| assert!(state.repos.values().all(|repo| repo.comments.is_empty())));
    scene.world.set_settings(REPO, |settings| settings.private = true).unwrap();
    let gone = ["/mara/greet", "/mara/greet/pull/2", "/mara/greet/blob/main/greet.sh", "/a/b/c/d"];
    for path in gone {
        let request = Request::get(path).header("cookie", format!("slipway_as={}", scene.otto.id));
        let (status, _, text) = scene.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, 404, "{path}");
        assert!(text.contains("There is nothing here") && !text.contains("echo"), "{text}");
    }
}

#[tokio::test]
async fn acting_as_somebody_leads_back_but_never_away() {
    let scene = scene();
    for (back, wanted) in [
        ("%2Fmara%2Fgreet%3Fa%3Db", "/mara/greet?a=b"),
        ("%2F%2Fevil.example", "/ui"),
        ("%2F%5Cevil.example", "/ui"),
        ("https%3A%2F%2Fevil.example", "/ui"),
    ] {
        let form = format!("user={}&back={back}", scene.rio.id);
        let (status, place) = scene.post(&scene.mara, "/ui/as", &form).await;
        assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, wanted));
    }
    let request = Request::get("/mara/greet/issues/1")
        .header("cookie", format!("slipway_as={}", scene.rio.id));
    let (_, _, text) = scene.send(request.body(Body::empty()).unwrap()).await;
    assert!(text.contains("Comment as rio"), "{text}");
    let (status, _, _) =
        scene.send(Request::get("/ui/style.css").body(Body::empty()).unwrap()).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn only_a_page_without_text_boxes_loads_itself_again() {
    let scene = scene();
    for path in ["/mara/greet/issues/1", "/mara/greet/pull/2"] {
        let calm = scene.get(path).await;
        assert!(calm.contains("<textarea") && !calm.contains("http-equiv"), "{calm}");
        let watched = scene.get(&format!("{path}?watch")).await;
        assert!(watched.contains("http-equiv=\"refresh\""), "{watched}");
        assert!(
            !watched.contains("<textarea name=\"body\" id") && !watched.contains("id=\"comment\"")
        );
        assert!(watched.contains(&format!("href=\"{path}#write\"")), "{watched}");
    }
    let done = scene.get("/mara/greet/pull/2/checks").await;
    assert!(!done.contains("http-equiv"), "nothing runs");
    let head = scene.world.with(|s| s.repos.values().next().unwrap().pulls[&2].head_sha.clone());
    let app = scene.world.add_app(&NewApp::bot("ci", scene.mara.id)).unwrap();
    scene.world.set_ci_app(app.id);
    scene.world.set_check(REPO, &head, "test", None).unwrap();
    let running = scene.get("/mara/greet/pull/2/checks").await;
    assert!(running.contains("running") && running.contains("http-equiv"), "{running}");
}

#[tokio::test]
async fn git_and_the_api_keep_their_paths() {
    let scene = scene();
    let cancel = tokio_util::sync::CancellationToken::new();
    let pages = Some(router(scene.world.clone()));
    let all = http::router(http::Face { world: scene.world.clone(), cancel, pages });
    for (path, is_page) in [
        ("/repos/mara/greet", false),
        ("/users/rio", false),
        ("/api/v3/repos/mara/greet", false),
        ("/mara/greet", true),
        ("/mara/greet/pull/2", true),
        ("/ui", true),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = all.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind.starts_with("text/html"), is_page, "{path}");
    }
}
