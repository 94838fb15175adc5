//! What pages show, and that words of others stay words there.

use super::super::sample::{self, T};
use super::*;
use crate::policy::Policy;

const EVIL: &str = "<script>alert('x')</script>\" onload=x\u{202e}";

fn rows() -> Vec<TimelineRow> {
    let row = |number, ignored: Option<&str>| TimelineRow {
        number,
        at: T.plus(60_000),
        what: format!("{EVIL} {number}"),
        after: "ci: waiting".to_owned(),
        ignored: ignored.map(str::to_owned),
    };
    vec![row(1, None), row(2, Some("ignored: not now"))]
}

fn audits() -> Vec<Audit> {
    vec![Audit {
        at: T.plus(60_000),
        act: crate::model::Act::Push,
        who: EVIL.to_owned(),
        run: None,
        repo: None,
        head: None,
        tree: None,
        digest: None,
        verdict: EVIL.to_owned(),
    }]
}

#[test]
fn words_of_others_stay_words() {
    let mut state = sample::verifying();
    state.work.plan = Some(EVIL.to_owned());
    state.work.summary = Some(EVIL.to_owned());
    let request = std::sync::Arc::make_mut(&mut state.request);
    request.title = EVIL.to_owned();
    request.by.login = EVIL.to_owned();
    let links = sample::links();
    let policy = Policy::default();
    let context = Context { state: &state, policy: &policy, links: &links };
    let page = run_page(&context, (&rows(), &audits()), None);
    assert!(!page.contains("<script") && !page.contains("\" onload"));
    assert!(page.contains("&lt;script&gt;") && !page.contains('\u{202e}'));
    assert!(page.contains("ignored: not now"));
}

#[test]
fn a_live_page_loads_itself_again_and_a_finished_one_does_not() {
    let load = |state: crate::pipeline::State| {
        let (links, policy) = (sample::links(), Policy::default());
        run_page(
            &Context { state: &state, policy: &policy, links: &links },
            (&rows(), &[]),
            Some(5),
        )
    };
    assert!(load(sample::verifying()).contains(r#"http-equiv="refresh" content="5""#));
    assert!(!load(sample::merged()).contains("refresh"));
}

#[test]
fn the_current_stage_is_announced() {
    let links = sample::links();
    let policy = Policy::default();
    let state = sample::waiting_for_ci();
    let page =
        run_page(&Context { state: &state, policy: &policy, links: &links }, (&[], &[]), None);
    assert!(page.contains(r#"<li class="waiting" aria-current="step">ci <span"#), "{page}");
    assert!(page.contains(r#"<li class="skipped">verify"#));
    assert_eq!(page.matches("aria-current").count(), 1);
}

#[test]
fn the_list_is_a_table_with_headings() {
    let empty = list_page(&[], None).replace("><", ">\n<");
    insta::assert_snapshot!(sample::shown(&empty), @r#"
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>Runs · Slipway</title>
    <link rel="stylesheet" href="/slipway.css">
    </head>
    <body>
    <header>
    <a class="brand" href="/">Slipway</a>
    </header>
    <main>
    <h1>Runs</h1>
    <p>There is no run yet. A comment <code>/go</code> on an issue starts one.</p>
    </main>
    </body>
    </html>
    "#);
    let row = ListRow {
        run: sample::request().run,
        repo: sample::request().repo,
        issue: IssueNumber(12),
        title: "a <b>".to_owned(),
        pull: None,
        at_stage: "ci".to_owned(),
        live: true,
        opened: T,
        moved: T.plus(1_000),
    };
    let many = vec![row; ROWS_MAX + 1];
    let page = list_page(&many, None);
    assert_eq!(page.matches("<tr>").count(), ROWS_MAX + 1);
    assert!(page.contains("#12 a &lt;b&gt;"));
}
