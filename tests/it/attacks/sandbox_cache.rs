//! Poisoning what the next run takes: what is lent to all runs, and what one leaves behind.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A cache that all runs are lent and that, as far as the host is asked, everybody may write.
fn cache() -> tempfile::TempDir {
    let cache = tempfile::tempdir().unwrap();
    let entry = cache.path().join("entry");
    std::fs::write(&entry, "good\n").unwrap();
    for (path, mode) in [(cache.path(), 0o777), (entry.as_path(), 0o666)] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    cache
}

/// What the second of two runs takes from all the places where the first left poison.
async fn taken_after(sandbox: &Bubblewrap) -> String {
    let cache = cache();
    let places = format!(
        "{0}/entry {0}/new $HOME/.cache/x /tmp/x /dev/shm/x /workspace/x",
        cache.path().display()
    );
    let lent = |trial: &Trial, script: &str| {
        let mut order = trial.shell(script);
        order.read_only.push(cache.path().to_owned());
        order
    };
    let poison = format!(
        "mkdir -p $HOME/.cache; for place in {places}; do echo poison > $place; done 2>/dev/null; \
         cat /workspace/x /tmp/x"
    );
    let (first, second) = (Trial::new(), Trial::new());
    let done = run(sandbox, &lent(&first, &poison)).await;
    assert_eq!(done.stdout, "poison\npoison\n", "the first run did its worst: {done:?}");
    let done = run(sandbox, &lent(&second, &format!("cat {places} 2>/dev/null; exit 0"))).await;
    assert!(done.succeeded(), "{done:?}");
    done.stdout
}

#[tokio::test]
async fn attack_51_what_one_run_leaves_behind_reaches_no_other() {
    let Some(sandbox) = shipped().await else { return };
    assert_eq!(taken_after(&sandbox).await, "good\n");
    // Where the kernel's own rules reach, they are a second layer, so it is away in both.
    let unruled = Defences::all().without(Defence::Landlock);
    assert_eq!(taken_after(&sandbox.clone().with(unruled.clone())).await, "good\n");
    let open = taken_after(&sandbox.with(unruled.without(Defence::Lent))).await;
    assert_eq!(open, "poison\npoison\n", "a cache that can be written is a way to the next run");
}
