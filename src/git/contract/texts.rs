//! Reading files as texts: by name everywhere, by path from the top, within bounds.

use super::{Place, fetched};
use crate::git::{Sought, TEXT_BYTES_MAX, TEXT_FILES_MAX};

pub(super) async fn all(place: &dyn Place) {
    let (git, repo) = (place.git(), place.remote().repo);
    let large = "x".repeat(TEXT_BYTES_MAX + 1);
    let most = "é".repeat(TEXT_BYTES_MAX / 2);
    let files = [
        ("AGENTS.md", "top\n"),
        ("CLAUDE.md", large.as_str()),
        ("a/AGENTS.md", "same\n"),
        ("a/CLAUDE.md", "elsewhere\n"),
        ("b/c/AGENTS.md", "same\n"),
        ("b/AGENTS.md.bak", "no\n"),
        ("d/e.md", most.as_str()),
        ("f", "f\n"),
    ];
    let root = place.seed("main", &files, None).await;
    let many: Vec<(String, String)> =
        (0..=TEXT_FILES_MAX).map(|n| (format!("{n:03}/AGENTS.md"), format!("{n}\n"))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (&**path, &**text)).collect();
    let many = place.seed("many", &many, None).await;
    fetched(place, &["main", "many"]).await;

    let names = ["AGENTS.md".to_owned()].into();
    let paths = ["CLAUDE.md", "d/e.md", "d", "nowhere", "*", ":(glob)**"].map(str::to_owned).into();
    let sought = Sought { names, paths };
    let found = git.texts(&repo, &root, &sought).await.unwrap();
    let told: Vec<_> = found.files.iter().map(|file| (&*file.path, &*file.text)).collect();
    let expected = [
        ("AGENTS.md", "top\n"),
        ("a/AGENTS.md", "same\n"),
        ("b/c/AGENTS.md", "same\n"),
        ("d/e.md", most.as_str()),
    ];
    assert_eq!(told, expected, "names everywhere, paths from the top, both taken literally");
    assert_eq!(found.left_out, ["CLAUDE.md"], "what is too large is named");

    let found = git.texts(&repo, &many, &sought).await.unwrap();
    assert_eq!((found.files.len(), found.left_out.len()), (TEXT_FILES_MAX, 1));
    let none = git.texts(&repo, &root, &Sought::default()).await.unwrap();
    assert!(none.files.is_empty() && none.left_out.is_empty());
}
