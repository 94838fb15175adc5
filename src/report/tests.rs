//! What people read in the main situations, whole.

use super::sample::{self, T, merging, sha, shown, with};
use super::*;
use crate::pipeline::state::Approval;
use crate::pipeline::{Outcome, ParkReason, Phase, Role, StageKind, Task};
use crate::policy::MergeMode;

fn issue(state: &State) -> String {
    with(state, &Policy::default(), issue_comment).to_string()
}

fn pull(state: &State) -> String {
    with(state, &Policy::default(), pull_comment).to_string()
}

#[test]
fn the_issue_shows_an_agent_at_work() {
    insta::assert_snapshot!(shown(&issue(&sample::building())), @"
    <!-- slipway:r4c18d1e9e0:issue -->

    **An agent is making the change.**

    Since 2026-11-21 14:06 UTC. A call may last 30 minutes from its start, until about
    2026-11-21 14:36 UTC; then it counts as failed. Then Slipway is publishing the
    change.

    `/stop` ends the run, `/hold` keeps it from merging.

    ```mermaid
    flowchart LR
    accept:::done --> plan:::done --> build:::active --> verify:::skipped -->
    publish:::open --> conflicts:::open --> ci:::open --> review:::open --> merge:::open
    --> close:::open
    classDef done fill:#1a7f37,stroke:#1a7f37,color:#fff
    classDef active fill:#0969da,stroke:#0969da,color:#fff
    classDef skipped fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3
    classDef open fill:none,stroke:#818b98
    ```

    Asked for by ann · into `main` · agent calls 2 · cost $0.13

    <details><summary>The plan</summary>

    ````text
    1. Look at `add`.
    2. ```fix``` it, @bob.
    ````

    </details>

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    ");
}

#[test]
fn the_issue_points_to_the_pull_request_and_stays_calm() {
    let calm = issue(&sample::waiting_for_ci());
    assert_eq!(calm, issue(&sample::fixing()));
    assert_eq!(calm, issue(&merging()));
    assert_ne!(calm, issue(&sample::parked(ParkReason::BaseRace, "the base moves")));
    insta::assert_snapshot!(shown(&calm), @"
    <!-- slipway:r4c18d1e9e0:issue -->

    **The change is in pull request #13.**

    Slipway sees it through conflicts, CI, review and merge; the comment there says what
    is being done and what is awaited.

    `/stop` ends the run, here or there.

    <details><summary>The plan</summary>

    ```text
    Turn the minus into a plus.
    ```

    </details>

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    ");
}

#[test]
fn the_pull_request_shows_what_is_awaited_with_the_evidence() {
    insta::assert_snapshot!(shown(&pull(&sample::waiting_for_ci())), @"
    <!-- slipway:r4c18d1e9e0:pull -->

    **Slipway is waiting for CI (test).**

    Since 2026-11-21 14:06 UTC. Until 2026-11-21 15:10 UTC at the latest; then it asks
    you what to do.

    `/approve` approves exactly this commit. `/stop` ends the run, `/hold` keeps it from
    merging.

    ```mermaid
    flowchart LR
    accept:::done --> plan:::done --> build:::done --> verify:::skipped -->
    publish:::done --> conflicts:::done --> ci:::waiting --> review:::open -->
    merge:::open --> close:::open
    classDef done fill:#1a7f37,stroke:#1a7f37,color:#fff
    classDef waiting fill:#9a6700,stroke:#9a6700,color:#fff
    classDef skipped fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3
    classDef open fill:none,stroke:#818b98
    ```

    | Gate | Commit | Verdict |
    |---|---|---|
    | head | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ GitHub and git agree |
    | verification | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ no command is configured |
    | conflicts | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ merges cleanly |
    | freshness | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ contains the base |
    | checks | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ running: test |
    | review | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ an approving review of this commit |
    | hold | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ nobody holds it |

    Asked for by ann · issue #12 · into `main` · newest commit
    [`aaaaaaaaaa`](HELLO/commit/A) · agent calls 2

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    ");
}

#[test]
fn the_pull_request_shows_what_is_repaired() {
    insta::assert_snapshot!(shown(&pull(&sample::fixing())), @r#"
    <!-- slipway:r4c18d1e9e0:pull -->

    **An agent is repairing what CI found (test @(zero width)all\|x).**

    Since 2026-11-21 14:06 UTC. A call may last 30 minutes from its start, until about
    2026-11-21 14:36 UTC; then it counts as failed. Then the new commit is verified and
    pushed.

    `/stop` ends the run, `/hold` keeps it from merging.

    ```mermaid
    flowchart LR
    accept:::done --> plan:::done --> build:::done --> verify:::skipped -->
    publish:::done --> conflicts:::done --> ci:::active --> review:::open -->
    merge:::open --> close:::open
    classDef done fill:#1a7f37,stroke:#1a7f37,color:#fff
    classDef active fill:#0969da,stroke:#0969da,color:#fff
    classDef skipped fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3
    classDef open fill:none,stroke:#818b98
    ```

    | Gate | Commit | Verdict |
    |---|---|---|
    | head | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ GitHub and git agree |
    | verification | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ no command is configured |
    | conflicts | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ merges cleanly |
    | freshness | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ contains the base |
    | checks | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ running: test |
    | review | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ an approving review of this commit |
    | hold | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ nobody holds it |

    Asked for by ann · issue #12 · into `main` · newest commit
    [`aaaaaaaaaa`](HELLO/commit/A) · agent calls 2 · fix rounds 1 of 3

    <details><summary>Checks that failed last</summary>

    - test @(zero width)all\|x

    </details>

    <details><summary>Checks that failed once and passed when run again</summary>

    - browser

    </details>

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    "#);
}

#[test]
fn the_pull_request_shows_who_is_needed() {
    let mut state =
        sample::parked(ParkReason::FixesSpent, "CI fails (test), and all 3 fix rounds are used up");
    state.held_by = Some(sample::user("cid"));
    insta::assert_snapshot!(shown(&pull(&state)), @"
    <!-- slipway:r4c18d1e9e0:pull -->

    **Slipway needs a person: CI fails (test), and all 3 fix rounds are used up.**

    Since 2026-11-21 14:06 UTC. There is no time limit, and nothing is spent meanwhile.

    Comment `/retry` to try again, push to the branch yourself, or `/stop`.

    On hold: cid said `/hold`, and nothing is merged until `/unhold`.

    ```mermaid
    flowchart LR
    accept:::done --> plan:::done --> build:::done --> verify:::skipped -->
    publish:::done --> conflicts:::done --> ci:::parked --> review:::open -->
    merge:::open --> close:::open
    classDef done fill:#1a7f37,stroke:#1a7f37,color:#fff
    classDef parked fill:#cf222e,stroke:#cf222e,color:#fff
    classDef skipped fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3
    classDef open fill:none,stroke:#818b98
    ```

    | Gate | Commit | Verdict |
    |---|---|---|
    | head | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ GitHub and git agree |
    | verification | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ no command is configured |
    | conflicts | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ merges cleanly |
    | freshness | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ contains the base |
    | checks | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ running: test |
    | review | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ an approving review of this commit |
    | hold | [`aaaaaaaaaa`](HELLO/commit/A) | ⏳ cid said `/hold` |

    Asked for by ann · issue #12 · into `main` · newest commit
    [`aaaaaaaaaa`](HELLO/commit/A) · agent calls 2

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    ");
}

#[test]
fn the_end_is_one_sentence_with_its_proof() {
    insta::assert_snapshot!(shown(&pull(&sample::merged())), @"
    <!-- slipway:r4c18d1e9e0:pull -->

    **Merged: `eeeeeeeeee` is in `main`.**

    At 2026-11-21 14:15 UTC. What landed is exactly the tree that was predicted from the
    verified commit.

    ```mermaid
    flowchart LR
    accept:::done --> plan:::done --> build:::done --> verify:::skipped -->
    publish:::done --> conflicts:::done --> ci:::done --> review:::done --> merge:::done
    --> close:::done
    classDef done fill:#1a7f37,stroke:#1a7f37,color:#fff
    classDef skipped fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3
    ```

    | Gate | Commit | Verdict |
    |---|---|---|
    | verification | [`aaaaaaaaaa`](HELLO/commit/A) | ✅ the repository's commands passed
    |
    | landed | [`eeeeeeeeee`](HELLO/commit/E) | ✅ is the predicted tree |

    Asked for by ann · issue #12 · into `main` · newest commit
    [`aaaaaaaaaa`](HELLO/commit/A) · agent calls 2

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    ");
    let stopped = sample::finished(Outcome::Stopped { why: "Stopped by ann.".to_owned() });
    insta::assert_snapshot!(shown(&issue(&stopped)), @"
    <!-- slipway:r4c18d1e9e0:issue -->

    **Stopped by ann.**

    At 2026-11-21 14:15 UTC.

    `/go` starts a new run, `/retry` the same one once more.

    ```mermaid
    flowchart LR
    accept:::done --> plan:::done --> build:::done --> verify:::skipped -->
    publish:::done --> conflicts:::open --> ci:::open --> review:::open --> merge:::open
    --> close:::open
    classDef done fill:#1a7f37,stroke:#1a7f37,color:#fff
    classDef skipped fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3
    classDef open fill:none,stroke:#818b98
    ```

    Asked for by ann · pull request #13 · into `main` · newest commit
    [`aaaaaaaaaa`](HELLO/commit/A) · agent calls 2

    <details><summary>The plan</summary>

    ```text
    Turn the minus into a plus.
    ```

    </details>

    <sub>Slipway, [run `r4c18d1e9e0`](https://slipway.example/runs/x). `/help` lists the
    commands.</sub>
    ");
}

#[test]
fn every_situation_has_its_line() {
    let mut lines = String::new();
    let mut resolving = sample::waiting_for_ci();
    resolving.progress = Progress::Running {
        stage: StageKind::Conflicts,
        since: T,
        phase: Phase::Doing(Task::Agent { role: Role::Resolver, round: 1 }),
    };
    for state in vec![
        sample::queued(),
        sample::building(),
        sample::verifying(),
        sample::waiting_for_ci(),
        sample::fixing(),
        resolving,
        sample::awaiting_review(),
        sample::parked(ParkReason::NoChecks, "nothing proves\nthis commit\u{1b}[31m."),
        merging(),
        sample::merged(),
        sample::finished(Outcome::Merged {
            commit: sha('f'),
            verified: false,
            by: Some("a person".to_owned()),
        }),
        sample::finished(Outcome::HandedOver { why: "The rest is yours.".to_owned() }),
        sample::finished(Outcome::Failed { why: "there is no branch `x`".to_owned() }),
    ] {
        lines.push_str(&line(&state));
        lines.push('\n');
    }
    insta::assert_snapshot!(lines, @"
    queued: Slipway is about to start
    build: An agent is making the change
    verify: Slipway is running the repository's own commands on `aaaaaaaaaa`
    ci: Slipway is waiting for CI (test)
    ci: An agent is repairing what CI found (test @all|x)
    conflicts: An agent is resolving the conflict with `main`
    review: Slipway is waiting for an approving review of this commit
    ci: Slipway needs a person: nothing proves this commit [31m
    merge: Slipway is merging `aaaaaaaaaa` into `main`
    Merged: `eeeeeeeeee` is in `main`
    Merged by a person: `ffffffffff` is in `main`
    Handed over: The rest is yours
    Failed: there is no branch `x`
    ");
}

#[test]
fn an_approval_is_asked_for_once_and_only_where_it_counts() {
    let mut state = sample::awaiting_review();
    let asks = |state: &State, merge| {
        let policy = Policy { merge, ..Policy::default() };
        with(state, &policy, pull_comment).to_string()
    };
    assert!(asks(&state, MergeMode::OnApproval).contains("`/approve` approves"));
    assert!(asks(&state, MergeMode::OnCommand).contains("`/merge` orders"));
    assert!(!asks(&state, MergeMode::Auto).contains("`/approve` approves"));
    state.work.approved = Some(Approval { by: sample::user("bob"), head: sha('a') });
    assert!(!asks(&state, MergeMode::OnApproval).contains("`/approve` approves"));
    state.work.approved = Some(Approval { by: sample::user("bob"), head: sha('b') });
    assert!(asks(&state, MergeMode::OnApproval).contains("`/approve` approves"));
}

#[test]
fn a_mere_look_changes_nothing() {
    let before = sample::waiting_for_ci();
    let mut after = before.clone();
    let mut seen = sample::seen();
    seen.at = seen.at.plus(60_000);
    after.seen = Some(std::sync::Arc::new(seen));
    after.entry += 1;
    assert_eq!(pull(&before), pull(&after));
    assert_eq!(issue(&before), issue(&after));
    let check = |state| with(state, &Policy::default(), |context| check_run(context, &sha('a')));
    assert_eq!(check(&before), check(&after));
}

#[test]
fn a_dry_run_shows_its_plan_open() {
    let mut state = sample::building();
    std::sync::Arc::make_mut(&mut state.request).dry_run = true;
    let text = issue(&state);
    assert!(text.contains("<details open><summary>The plan</summary>"));
    assert!(text.contains("dry run: nothing is changed"));
}

#[test]
fn what_is_cut_says_where_the_whole_is() {
    let mut state = sample::building();
    let shown = "[the run's page](https://slipway.example/runs/x) tells it whole";
    assert!(!issue(&state).contains("Cut here"));
    state.work.plan = Some("p".repeat(20_000));
    assert!(issue(&state).contains(&format!("<sub>Cut here; {shown}.</sub>")));
    let links = Links { run_page: None, ..sample::links() };
    let policy = Policy::default();
    let context = Context::new(&state, &policy, &links);
    let text = issue_comment(&context).to_string();
    let run = &state.request.run;
    assert!(text.contains(&format!("Cut here; `slipway show {run}` on the server")), "{text}");
}
