//! How long a large workspace takes. Not tests: nothing passes or fails by time; the figures are
//! in `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use super::ground::Disk;
use super::*;
use crate::git::contract::{self, Place, fetched, order};

const FILES: usize = 100_000;
/// Lines of each file: text that does not repeat itself.
const LINES: usize = 20;
/// How often each is done; the median is told.
const TIMES: usize = 3;

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

fn say(what: &str) {
    writeln!(std::io::stderr(), "\n{what}").unwrap();
}

/// Paths and texts of a generated repository.
fn generated() -> Vec<(String, String)> {
    let file = |file: usize| {
        let mut text = String::new();
        for line in 0..LINES {
            writeln!(text, "fn line_{line}() -> u64 {{ {} }}", file * 31 + line * 7).unwrap();
        }
        (format!("src/d{}/e{}/f{file}.rs", file / 1_000, file / 50 % 20), text)
    };
    (0..FILES).map(file).collect()
}

#[tokio::test]
#[ignore = "a measurement"]
async fn measure_a_workspace_of_many_files() {
    let place = Disk::new().await;
    let files = generated();
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(p, t)| (&**p, &**t)).collect();
    let at = place.seed("main", &borrowed, None).await;
    fetched(&place, &["main"]).await;
    let order = order(&place.remote(), &at);
    let (mut ready, mut same, mut moved, mut gone) = (vec![], vec![], vec![], vec![]);
    // The first time brings the mirror into memory and does not count.
    for round in 0..=TIMES * 2 {
        let began = now();
        let workspace = place.git.workspace(&order).await.unwrap();
        let made = began.elapsed();
        if round % 2 == 1 {
            // Files that changed hands: git compares what they hold.
            for (path, _) in &files {
                std::os::unix::fs::chown(workspace.path.join(path), None, None).unwrap();
            }
        }
        place.edit(&workspace, "src/d0/e0/f0.rs", Some("fn changed() {}\n"));
        let began = now();
        contract::import(&place, &workspace).await;
        let imported = began.elapsed();
        let began = now();
        place.git.discard(workspace).await.unwrap();
        if round > 0 {
            ready.push(made);
            gone.push(began.elapsed());
            if round % 2 == 1 { &mut moved } else { &mut same }.push(imported);
        }
    }
    say(&format!(
        "{FILES} files: ready {:?}, packed and imported {:?}, the same after changing hands {:?}, \
         removed {:?}",
        median(ready),
        median(same),
        median(moved),
        median(gone)
    ));
}
