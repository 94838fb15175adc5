//! A real client against the playground: octocrab must read what we answer and what we send.

use octocrab::models::webhook_events::WebhookEvent;
use octocrab::models::{AppId, InstallationId, issues, pulls};
use octocrab::params;
use serde_json::{Value, json};

use super::serving::Server;
use super::{REPO, Stage};
use crate::playground::world::{Op, ReviewState, RunStatus, checks::RunEdit, merge::MergeCall};

#[tokio::test(flavor = "multi_thread")]
async fn octocrab_reads_our_answers() {
    let server = Server::start().await;
    let (world, sample) = (&server.running.world, &server.sample);
    let pem = world.app_pem(sample.bot.id).unwrap();
    let key = octocrab::auth::AppAuth {
        app_id: AppId(sample.bot.id),
        key: octocrab::jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
    };
    let app = octocrab::Octocrab::builder()
        .base_uri(format!("{}/api/v3", server.running.base_url))
        .unwrap()
        .app(key.app_id, key.key)
        .build()
        .unwrap();
    let found = app.apps().get_repository_installation("mara", "greet").await.unwrap();
    assert_eq!(found.id, InstallationId(sample.installation));
    let bot = app.installation(found.id).unwrap();
    let (handler, wish) = (bot.issues("mara", "greet"), "A wish");
    let made = Box::pin(handler.create(wish).body("please").send()).await;
    let issue: issues::Issue = made.unwrap();
    let comment = bot.issues("mara", "greet").create_comment(issue.number, "ok").await.unwrap();
    assert_eq!(comment.user.r#type, "Bot");
    let listed = bot.issues("mara", "greet").list_comments(issue.number).send().await.unwrap();
    assert_eq!(listed.items.len(), 1);
    let repo = bot.repos("mara", "greet").get().await.unwrap();
    assert_eq!(repo.default_branch.as_deref(), Some("main"));
    let main = bot
        .repos("mara", "greet")
        .get_ref(&params::repos::Reference::Branch("main".to_owned()))
        .await
        .unwrap();
    let octocrab::models::repos::Object::Commit { sha, .. } = main.object else {
        panic!("a branch is a commit");
    };
    let work = params::repos::Reference::Branch("work/1".to_owned());
    bot.repos("mara", "greet").create_ref(&work, sha).await.unwrap();
    let files = super::files(&[("new.txt", "new\n")]);
    let push = crate::playground::world::people::FilePush {
        branch: "work/1",
        onto: None,
        files: &files,
        message: "More",
    };
    world.push_files(sample.maintainer.id, REPO, &push).unwrap();
    let pull: pulls::PullRequest =
        bot.pulls("mara", "greet").create("More", "work/1", "main").send().await.unwrap();
    assert_eq!(pull.mergeable, None);
    let pull = bot.pulls("mara", "greet").get(pull.number).await.unwrap();
    let reviews = bot.pulls("mara", "greet").list_reviews(pull.number).send().await.unwrap();
    assert!(reviews.items.is_empty());
    let refused = bot.pulls("mara", "greet").merge(pull.number).send().await.unwrap_err();
    let octocrab::Error::GitHub { source, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(source.status_code.as_u16(), 405);
    let route = format!("/repos/{REPO}/commits/{}/check-runs", pull.head.sha);
    let runs: Value = bot.get(route, None::<&()>).await.unwrap();
    assert_eq!(runs["total_count"], 1);
    let threads = json!({"query": "query ReviewThreads($n: Int!) { x }",
        "variables": {"owner": "mara", "name": "greet", "number": pull.number}});
    let threads: Value = bot.graphql(&threads).await.unwrap();
    assert_eq!(threads["repository"]["pullRequest"]["reviewThreads"]["totalCount"], 0);
    drop((app, bot));
    server.stop().await;
}

#[test]
fn octocrab_reads_our_webhooks() {
    let stage = Stage::new();
    let issue = stage.world.open_issue(stage.mara.id, REPO, "Wish", "").unwrap().number;
    stage.world.comment(stage.rio.id, REPO, issue, "/go").unwrap();
    stage.world.label(stage.rio.id, REPO, issue, "go").unwrap();
    let number = stage.pull("work", "", &[("b.txt", "b\n")]);
    let head = stage.head(number);
    stage.push("work", &[("c.txt", "c\n")]);
    stage.world.set_check(REPO, &head, "test", Some("success")).unwrap();
    let edit = RunEdit {
        name: Some("slipway".to_owned()),
        status: Some(RunStatus::InProgress),
        ..RunEdit::default()
    };
    let op = Op::write("checks/create", "");
    let made = stage.world.call(&stage.actor, op, |state| {
        state.create_check_run(&stage.actor, REPO, &head, &edit)?;
        let actor = crate::playground::world::Actor::User(stage.mara.id);
        state.create_status(&actor, REPO, (&head, "ci/x", "success"), (None, None))
    });
    made.unwrap();
    stage.world.review(stage.rio.id, REPO, number, (ReviewState::Approved, "")).unwrap();
    stage.world.merge_pull(stage.mara.id, REPO, number, &MergeCall::default()).unwrap();
    stage.world.suspend(stage.installation, true).unwrap();
    stage.world.with(|state| state.ping(stage.bot.id));
    let due = stage.world.due_deliveries(stage.world.now_ms());
    let mut kinds = std::collections::BTreeSet::new();
    for one in &due {
        let parsed = WebhookEvent::try_from_header_and_body(&one.event, &one.body);
        let body = String::from_utf8_lossy(&one.body);
        assert!(parsed.is_ok(), "{} {:?}: {parsed:?}\n{body}", one.event, one.action);
        kinds.insert(one.event.as_str());
    }
    let wanted = [
        "check_run",
        "check_suite",
        "installation",
        "issue_comment",
        "issues",
        "ping",
        "pull_request",
        "pull_request_review",
        "push",
        "status",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted);
}

/// Whether `part` is `whole` with fields left out.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|all| is_part(value, all)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(a, b)| is_part(a, b))
        }
        (part, whole) => part == whole,
    }
}

#[test]
fn brief_payloads_are_the_whole_ones_with_fields_left_out() {
    let told = |brief: bool| {
        let stage = Stage::new();
        stage.world.with(|state| state.brief_payloads = brief);
        stage.pull("work", "", &[("b.txt", "b\n")]);
        stage.world.set_check(REPO, &stage.head(1), "test", Some("success")).unwrap();
        stage.world.merge_pull(stage.mara.id, REPO, 1, &MergeCall::default()).unwrap();
        stage.events()
    };
    let (brief, whole) = (told(true), told(false));
    assert_eq!(brief.len(), whole.len());
    for (part, all) in brief.iter().zip(&whole) {
        assert!(is_part(&part.1, &all.1), "{}", part.0);
        assert!(part.1.to_string().len() < all.1.to_string().len());
    }
}
