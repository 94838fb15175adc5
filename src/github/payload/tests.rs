//! Payloads as GitHub sends them, maims them and will one day change them.

use serde_json::{Value, json};

use super::*;
use crate::model::{Repo, UserId};

const APP: u64 = 77;
const SHA: &str = "1111111111111111111111111111111111111111";

fn at() -> At {
    At { installation: InstallationId(9), repo: Repo::parse("octo/hello").unwrap() }
}

fn mara() -> User {
    User { id: UserId(5), login: "mara".to_owned(), bot: false }
}

/// `extra` within what every payload has.
fn payload(action: &str, extra: Value) -> Value {
    let mut all = json!({
        "action": action,
        "installation": {"id": 9, "node_id": "x"},
        "repository": {"id": 3, "full_name": "octo/hello", "private": false},
        "sender": {"id": 5, "login": "mara", "type": "User"},
    });
    let Value::Object(extra) = extra else { panic!("an object") };
    all.as_object_mut().unwrap().extend(extra);
    all
}

fn read_json(event: &str, body: &Value) -> Happening {
    read(event, body.to_string().as_bytes(), APP).unwrap()
}

fn is_nothing(happening: &Happening) -> bool {
    matches!(happening, Happening::Nothing { .. })
}

fn comment(action: &str, comment: Value) -> Value {
    let mut extra = json!({"issue": {"number": 4}});
    extra.as_object_mut().unwrap().insert("comment".to_owned(), comment);
    payload(action, extra)
}

#[test]
fn a_new_comment_arrives_with_its_author_and_place() {
    let body = comment(
        "created",
        json!({"id": 8, "body": "/go", "user": {"id": 5, "login": "mara", "type": "User"}}),
    );
    let expected = Happening::Comment {
        at: at(),
        number: IssueNumber(4),
        is_pull: false,
        comment: CommentId(8),
        by: mara(),
        via: None,
        body: "/go".to_owned(),
    };
    assert_eq!(read_json("issue_comment", &body), expected);
    let mut on_pull = body;
    on_pull["issue"]["pull_request"] = json!({"url": "x"});
    assert!(matches!(
        read_json("issue_comment", &on_pull),
        Happening::Comment { is_pull: true, .. }
    ));
}

#[test]
fn attack_02_edits_deletions_and_ghosts_are_nothing() {
    let mara = json!({"id": 5, "login": "mara", "type": "User"});
    let whole = json!({"id": 8, "body": "/go", "user": mara});
    for action in ["edited", "deleted", "pinned", "unheard_of", ""] {
        let edited = comment(action, whole.clone());
        assert!(is_nothing(&read_json("issue_comment", &edited)));
        let body = serde_json::to_vec(&edited).unwrap();
        let any = read_with("issue_comment", &body, APP, Trust::without(Rule::Created)).unwrap();
        assert!(matches!(any, Happening::Comment { .. }), "the rule is what keeps {action} out");
    }
    let mut forged = comment("created", whole);
    assert!(matches!(read_json("issue_comment", &forged), Happening::Comment { .. }));
    forged["sender"]["id"] = json!(6);
    assert!(is_nothing(&read_json("issue_comment", &forged)), "its author did not send it");
    for ghost in [json!({"id": 8, "body": "x", "user": null}), json!({"id": 8}), Value::Null] {
        assert!(is_nothing(&read_json("issue_comment", &comment("created", ghost))));
    }
}

#[test]
fn bots_are_marked_by_type_by_name_and_by_being_us() {
    let via = json!({"id": APP});
    for (user, app, bot) in [
        (json!({"id": 1, "login": "x", "type": "Bot"}), Value::Null, true),
        (json!({"id": 1, "login": "x[bot]", "type": "User"}), Value::Null, true),
        (json!({"id": 1, "login": "x", "type": "User"}), via, true),
        (json!({"id": 1, "login": "x", "type": "User"}), json!({"id": 1}), false),
        (json!({"id": 1, "login": "x"}), Value::Null, true),
        (json!({"id": 1, "login": "x", "type": "Organization"}), Value::Null, true),
    ] {
        let one = json!({"id": 8, "body": "", "user": user, "performed_via_github_app": app});
        let mut sent = comment("created", one);
        sent["sender"] = user.clone();
        let happening = read_json("issue_comment", &sent);
        assert_eq!(happening.by().map(|by| by.bot), Some(bot), "{user} {app}");
    }
}

#[test]
fn labels_and_states_of_issues() {
    let with = |action: &str| {
        let extra = json!({"issue": {"number": 4}, "label": {"name": "go"}});
        read_json("issues", &payload(action, extra))
    };
    let (issue, label) = (IssueNumber(4), "go".to_owned());
    assert_eq!(
        with("labeled"),
        Happening::Labeled { at: at(), issue, label: label.clone(), by: mara() }
    );
    let by = Some(mara());
    assert_eq!(with("unlabeled"), Happening::Unlabeled { at: at(), issue, label, by: by.clone() });
    assert_eq!(with("closed"), Happening::IssueClosed { at: at(), issue, by: by.clone() });
    assert_eq!(with("reopened"), Happening::IssueReopened { at: at(), issue, by });
    assert!(is_nothing(&with("typed")));
    let mut nobody = payload("labeled", json!({"issue": {"number": 4}, "label": {"name": "go"}}));
    nobody["sender"] = Value::Null;
    assert!(is_nothing(&read_json("issues", &nobody)), "a label by nobody starts nothing");
    nobody["action"] = json!("unlabeled");
    assert!(!is_nothing(&read_json("issues", &nobody)), "but taking it away still stops");
}

#[test]
fn pulls_tell_whose_branch_it_is() {
    let with = |action: &str, repo: Value, merged: bool| {
        let head = json!({"ref": "feat/x", "sha": SHA, "repo": repo});
        let base = json!({"ref": "main", "sha": SHA, "repo": {"id": 3}});
        let one = json!({"number": 6, "merged": merged, "head": head, "base": base});
        read_json("pull_request", &payload(action, json!({"pull_request": one})))
    };
    let expected = Happening::Pull {
        at: at(),
        pull: PullNumber(6),
        action: PullAction::Synchronized,
        head: CommitSha::parse(SHA).unwrap(),
        branch: Some(BranchName::parse("feat/x").unwrap()),
        base: BranchName::parse("main").unwrap(),
        by: Some(mara()),
    };
    assert_eq!(with("synchronize", json!({"id": 3}), false), expected);
    for elsewhere in [Value::Null, json!({"id": 4}), json!({})] {
        let found = with("synchronize", elsewhere, false);
        assert!(matches!(found, Happening::Pull { branch: None, .. }));
    }
    let own = json!({"id": 3});
    let action = |found| {
        if let Happening::Pull { action, .. } = found { Some(action) } else { None }
    };
    assert_eq!(action(with("closed", own.clone(), true)), Some(PullAction::Merged));
    assert_eq!(action(with("closed", own.clone(), false)), Some(PullAction::Closed));
    assert_eq!(action(with("auto_merge_enabled", own.clone(), false)), Some(PullAction::Queued));
    assert_eq!(action(with("labeled", own, false)), None);
}

#[test]
fn pushes_create_move_and_delete() {
    let zero = "0".repeat(40);
    let with = |name: &str, before: &str, after: &str| {
        let mut body = payload("", json!({"ref": name, "before": before, "after": after}));
        body.as_object_mut().unwrap().remove("action");
        read_json("push", &body)
    };
    let expected = Happening::Push {
        at: at(),
        branch: BranchName::parse("feat/x").unwrap(),
        before: None,
        after: Some(CommitSha::parse(SHA).unwrap()),
        by: Some(mara()),
    };
    assert_eq!(with("refs/heads/feat/x", &zero, SHA), expected);
    let gone = with("refs/heads/x", SHA, &zero);
    assert!(matches!(gone, Happening::Push { after: None, before: Some(_), .. }));
    assert!(is_nothing(&with("refs/tags/v1", &zero, SHA)));
    assert!(is_nothing(&with("refs/heads/-x", &zero, SHA)), "never an option");
    assert!(is_nothing(&with("refs/heads/x", &zero, "HEAD")));
}

#[test]
fn checks_of_others_are_looked_at_and_ours_only_listened_to() {
    let run = |app: u64| {
        json!({"head_sha": SHA, "external_id": "r0123456789", "app": {"id": app},
            "pull_requests": [{"number": 6, "base": {"repo": {"id": 3}}},
                {"number": 7, "base": {"repo": {"id": 4}}}, {}]})
    };
    let with = |action: &str, app: u64| {
        let extra = json!({"check_run": run(app), "requested_action": {"identifier": "stop"}});
        read_json("check_run", &payload(action, extra))
    };
    let (head, pulls) = (CommitSha::parse(SHA).unwrap(), vec![PullNumber(6)]);
    let checks = Happening::Checks { at: at(), head: head.clone(), pulls: pulls.clone() };
    assert_eq!(with("completed", 1), checks);
    assert_eq!(with("requested_action", 1), checks, "a button of another App is not ours");
    assert!(is_nothing(&with("completed", APP)));
    let external_id = "r0123456789".to_owned();
    let expected = Happening::Button {
        at: at(),
        external_id: external_id.clone(),
        head: head.clone(),
        identifier: "stop".to_owned(),
        by: mara(),
        pulls,
    };
    assert_eq!(with("requested_action", APP), expected);
    let expected =
        Happening::Rerequested { at: at(), external_id: Some(external_id), head, by: mara() };
    assert_eq!(with("rerequested", APP), expected);
}

#[test]
fn suites_statuses_and_workflows_name_a_head() {
    let suite = |action: &str, app: u64| {
        let one = json!({"head_sha": SHA, "app": {"id": app}, "pull_requests": []});
        read_json("check_suite", &payload(action, json!({"check_suite": one})))
    };
    let head = CommitSha::parse(SHA).unwrap();
    let checks = Happening::Checks { at: at(), head: head.clone(), pulls: Vec::new() };
    assert_eq!(suite("completed", 1), checks);
    assert!(is_nothing(&suite("requested", APP)));
    let again = Happening::Rerequested { at: at(), external_id: None, head, by: mara() };
    assert_eq!(suite("rerequested", APP), again);
    assert_eq!(read_json("status", &payload("", json!({"sha": SHA}))), checks);
    let run = json!({"workflow_run": {"head_sha": SHA, "pull_requests": null}});
    assert_eq!(read_json("workflow_run", &payload("completed", run)), checks);
}

#[test]
fn reviews_and_installations() {
    let extra = json!({"pull_request": {"number": 6}, "review": {"state": "approved"}});
    let expected = Happening::Review { at: at(), pull: PullNumber(6), by: Some(mara()) };
    assert_eq!(read_json("pull_request_review", &payload("submitted", extra)), expected);
    let expected =
        Happening::Installation { installation: InstallationId(9), action: "created".to_owned() };
    assert_eq!(read_json("installation", &payload("created", json!({}))), expected);
}

#[test]
fn whatever_is_missing_or_of_another_type_is_nothing_and_never_an_error() {
    let full = payload(
        "created",
        json!({
            "issue": {"number": 4}, "label": {"name": "go"}, "sha": SHA,
            "comment": {"id": 8, "body": "/go", "user": {"id": 5, "login": "mara"}},
            "pull_request": {"number": 6, "head": {"ref": "x", "sha": SHA}, "base": {"ref": "m"}},
            "check_run": {"head_sha": SHA, "app": {"id": APP}}, "ref": "refs/heads/x",
            "check_suite": {"head_sha": SHA}, "workflow_run": {"head_sha": SHA},
            "before": SHA, "after": SHA,
        }),
    );
    let keys: Vec<String> = full.as_object().unwrap().keys().cloned().collect();
    for event in EVENTS {
        for key in &keys {
            for odd in [Value::Null, json!(7), json!("x"), json!([1]), json!({"id": {}})] {
                let mut body = full.clone();
                body[key] = odd;
                assert!(read(event, body.to_string().as_bytes(), APP).is_ok(), "{event} {key}");
            }
        }
        assert!(is_nothing(&read(event, b"{}", APP).unwrap()), "{event}");
    }
}

#[test]
fn an_unknown_event_is_nothing_and_broken_json_an_error() {
    assert!(is_nothing(&read("sub_issues", b"{\"action\":\"x\"}", APP).unwrap()));
    let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec()].concat();
    let broken: [&[u8]; 7] = [b"", b"[]", b"{", b"{}x", b"\"x\"", b"{\"a\":\"\xff\"}", &deep];
    for body in broken {
        assert!(!is_json_object(body));
        for event in ["issue_comment", "sub_issues"] {
            assert_eq!(read(event, body, APP), Err(Malformed));
        }
    }
    assert!(is_json_object(b" {\"a\": [1, {}]}\n"));
}
