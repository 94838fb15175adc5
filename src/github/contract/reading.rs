//! Permissions, settings, files, rules and checks as they are read.

use std::collections::BTreeSet;

use super::bench::{Bench, POLICY, REPO, branch, user};
use crate::clock::Clock;
use crate::gate::seen::{CheckResult, Rules};
use crate::github::{Error, FILE_BYTES_MAX, LOG_BYTES_MAX};
use crate::model::{Permission, User, UserId};
use crate::playground::world::checks::RunEdit;
use crate::playground::world::{self, Actor, CheckOutput, Method, RequiredCheck, Role};
use crate::policy::MergeMethod;

pub(super) async fn permission_is_asked_by_id(b: Bench) {
    let ask = async |user: &User| b.hub.permission(&b.at, user).await.unwrap();
    assert_eq!(ask(&user(&b.mara)).await, Permission::Admin);
    assert_eq!(ask(&user(&b.rio)).await, Permission::Write);
    assert_eq!(ask(&user(&b.otto)).await, Permission::Read, "the repository is public");
    for (role, expected) in [
        (Role::Triage, Permission::Triage),
        (Role::Maintain, Permission::Maintain),
        (Role::Write, Permission::Write),
    ] {
        b.world.set_permission(REPO, b.otto.id, role).unwrap();
        assert_eq!(ask(&user(&b.otto)).await, expected);
    }
    for login in ["nobody", "mara/../rio", "", "mara?x=1"] {
        let stranger = User { id: UserId(b.mara.id), login: login.to_owned(), bot: false };
        assert_eq!(ask(&stranger).await, Permission::None, "{login:?}");
    }
    // Rio changes the name, and a newcomer takes the old one and becomes administrator.
    b.world.with(|state| state.users.get_mut(&b.rio.id).unwrap().login = "rio2".to_owned());
    let newcomer = b.world.add_user("rio");
    b.world.set_permission(REPO, newcomer.id, Role::Admin).unwrap();
    assert_eq!(ask(&user(&b.rio)).await, Permission::None);
    assert_eq!(ask(&user(&newcomer)).await, Permission::Admin);
    b.world.set_settings(REPO, |settings| settings.private = true).unwrap();
    b.world.set_permission(REPO, b.otto.id, Role::None).unwrap();
    assert_eq!(ask(&user(&b.otto)).await, Permission::None);
}

pub(super) async fn repositories_and_files_are_read(b: Bench) {
    let found = b.hub.repository(&b.at).await.unwrap();
    assert_eq!(found.default_branch, branch("main"));
    assert_eq!(found.methods.len(), 3);
    b.world.set_settings(REPO, |settings| settings.allow_rebase_merge = false).unwrap();
    let allowed = Some(vec![Method::Squash, Method::Rebase]);
    let rules = world::Rules { allowed_merge_methods: allowed, ..world::Rules::default() };
    b.world.set_rules(REPO, "main", rules).unwrap();
    let found = b.hub.repository(&b.at).await.unwrap();
    assert_eq!(found.methods, BTreeSet::from([MergeMethod::Squash]));

    let file = async |path: &str| b.hub.file(&b.at, path).await;
    assert_eq!(file(".github/slipway.yml").await.unwrap().as_deref(), Some(POLICY));
    for missing in ["nothing", "a/b", "../a", "a?ref=x"] {
        assert_eq!(file(missing).await, Ok(None), "{missing}");
    }
    b.push("other", &[("only-there", "x")]);
    assert_eq!(file("only-there").await, Ok(None), "only the default branch speaks");
    b.push("main", &[("big", &"x".repeat(FILE_BYTES_MAX + 1))]);
    assert!(matches!(file("big").await, Err(Error::Unexpected(_))));
}

pub(super) async fn rules_of_both_kinds_add_up(b: Bench) {
    let ask = async |name: &str| b.hub.rules(&b.at, &branch(name)).await;
    assert_eq!(ask("main").await, Ok(Rules::default()));
    assert!(matches!(ask("nowhere").await, Err(Error::Gone(_))));
    b.push("release/1.0", &[("a", "two\n")]);
    let check = |name: &str| RequiredCheck { context: name.to_owned(), integration_id: None };
    let rules = world::Rules {
        required_checks: vec![check("test"), check("lint")],
        strict: true,
        approvals: Some(2),
        ..world::Rules::default()
    };
    b.world.set_rules(REPO, "release/1.0", rules.clone()).unwrap();
    let required = BTreeSet::from(["lint".to_owned(), "test".to_owned()]);
    let expected = Rules {
        required: required.clone(),
        strict: true,
        approvals: 2,
        protected: true,
        ..Rules::default()
    };
    assert_eq!(ask("release/1.0").await, Ok(expected));
    b.world.set_rules(REPO, "main", world::Rules { classic: true, ..rules }).unwrap();
    let expected = Rules { required, protected: true, ..Rules::default() };
    assert_eq!(ask("main").await, Ok(expected), "classic protection shows only the names");
}

pub(super) async fn checks_of_others_are_judged(b: Bench) {
    let (_, head) = b.pull("feat/x", &[("a", "a bug\n")]);
    let sha = head.as_str();
    let ask = async || b.hub.checks(&b.at, &head).await.unwrap();
    let pending = ask().await;
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].result, CheckResult::Pending);
    b.run_ci();
    let failed = ask().await;
    assert_eq!(failed[0].result, CheckResult::Failed);
    assert_eq!(failed[0].app, Some(b.ci));
    assert!(failed[0].signature.as_deref().unwrap().starts_with("test: "));
    b.hub.rerun(&b.at, failed[0].id.unwrap()).await.unwrap();
    assert_ne!(ask().await[0].result, CheckResult::Failed, "it runs again");
    b.clock.advance(5_000);
    b.run_ci();
    let again = ask().await;
    assert_eq!(again[0].result, CheckResult::Failed);
    assert_eq!(again[0].signature, failed[0].signature, "the same failure");
    assert_ne!(again[0].stamp, failed[0].stamp, "another result");
    for (word, expected) in [
        ("success", CheckResult::Passed),
        ("skipped", CheckResult::Skipped),
        ("timed_out", CheckResult::Aborted),
        ("action_required", CheckResult::NeedsPerson),
    ] {
        b.world.set_check(REPO, sha, "test", Some(word)).unwrap();
        assert_eq!(ask().await[0].result, expected, "{word}");
    }
    let rio = Actor::User(b.rio.id);
    for word in ["pending", "failure"] {
        b.world.with(|state| {
            let more = (Some("3 of 7 failed"), Some("https://ci.example.com/1"));
            state.create_status(&rio, REPO, (sha, "legacy", word), more).unwrap();
        });
    }
    let found = ask().await;
    let legacy = found.iter().find(|check| check.name == "legacy").unwrap();
    assert_eq!((legacy.result, legacy.id), (CheckResult::Failed, None));
    assert_eq!(legacy.url.as_deref(), Some("https://ci.example.com/1"));
    assert_eq!(legacy.signature.as_deref(), Some("legacy: # of # failed"));
    for n in 0..150 {
        b.world.set_check(REPO, sha, &format!("job {n}"), Some("success")).unwrap();
    }
    assert_eq!(ask().await.len(), 152, "every page is read");
}

pub(super) async fn logs_are_told_from_their_end(b: Bench) {
    let (_, head) = b.pull("feat/x", &[("a", "two\n")]);
    let edit = |log: Option<String>| RunEdit {
        name: Some("build".to_owned()),
        conclusion: Some("failure".to_owned()),
        output: Some(CheckOutput {
            title: Some("1 error".to_owned()),
            summary: Some("\u{1b}[31mit broke\u{1b}[0m".to_owned()),
            text: Some("from the text".to_owned()),
            annotations: vec![serde_json::json!({"path": "a", "start_line": 7, "end_line": 7,
                "annotation_level": "failure", "message": "no such word"})],
        }),
        log,
        ..RunEdit::default()
    };
    let make = |edit: &RunEdit| {
        b.world
            .with(|state| state.put_run(b.repo_id, b.ci, (None, head.as_str()), edit).unwrap().id)
    };
    let told = async |id: u64| b.hub.check_log(&b.at, crate::model::CheckId(id)).await;
    let short = told(make(&edit(None))).await.unwrap();
    assert_eq!(short, "a:7: failure: no such word\n1 error\nit broke\nfrom the text");
    let long = format!("{}the end", "a line of the log\n".repeat(10_000));
    let job = make(&edit(Some(long)));
    let long = told(job).await.unwrap();
    let asked = || b.calls("actions/download-job-logs-for-workflow-run");
    let before = asked();
    assert_eq!(told(job).await.as_ref(), Ok(&long));
    assert!(b.http.is_none() || asked() == before, "the log of a job that ended is read once");
    assert!(long.starts_with("a:7: failure") && long.ends_with("a line of the log\nthe end"));
    assert!(long.len() <= LOG_BYTES_MAX && long.len() > LOG_BYTES_MAX / 2);
    assert!(matches!(told(1).await, Err(Error::Gone(_))));
}

pub(super) async fn a_sweep_finds_places_and_late_comments(b: Bench) {
    assert_eq!(b.hub.places().await.unwrap(), std::slice::from_ref(&b.at));
    let issue = b.world.open_issue(b.otto.id, REPO, "An issue", "").unwrap().number;
    let (pull, _) = b.pull("feat/x", &[("a", "two\n")]);
    let say = |number: u64, body: &str| {
        b.clock.advance(2_000);
        b.world.comment(b.otto.id, REPO, number, body).unwrap().id
    };
    let (early, late) = (say(issue, "early"), say(issue, "late"));
    let since = b.clock.now();
    let on_pull = say(pull.0, "/go");
    b.clock.advance(2_000);
    b.world.edit_comment(b.otto.id, REPO, early, "/stop").unwrap();
    let found = b.hub.comments_since(&b.at, since).await.unwrap();
    let short = |one: &crate::github::Comment| {
        (one.id.0, one.number.0, one.is_pull, one.edited, one.body.clone())
    };
    let mut short: Vec<_> = found.iter().map(short).collect();
    short.sort_unstable();
    let expected = [
        (early, issue, false, true, "/stop".to_owned()),
        (late, issue, false, false, "late".to_owned()),
        (on_pull, pull.0, true, false, "/go".to_owned()),
    ];
    assert_eq!(short, expected, "changed since, edits marked as such");
    assert!(found.iter().all(|one| one.by.as_ref() == Some(&user(&b.otto))));
    b.world.suspend(b.at.installation.0, true).unwrap();
    assert_eq!(b.hub.places().await.unwrap(), [], "a suspended installation is no place");
}
