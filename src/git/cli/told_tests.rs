//! What is told as plain files.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::ground::Disk;
use super::*;
use crate::git::contract::{self, Place, message, order};

#[tokio::test]
async fn what_git_alone_can_say_is_not_told_as_plain_files() {
    let disk = Disk::new().await;
    let files = disk.workspace(&[("run.sh", "true\n"), ("plain", "p\n")]).await;
    let (repo, at) = (files.repo.clone(), files.at.clone());
    let told = async |change: &dyn Fn(&Path)| {
        let workspace = disk.git.workspace(&order(&disk.remote(), &at)).await.unwrap();
        change(&workspace.path);
        contract::import(&disk, &workspace).await;
        let made = disk.git.commit(&workspace, &message("Change")).await.unwrap().unwrap();
        disk.git.plain(&repo, &at, &made.commit).await.unwrap()
    };
    let executable = |path: &Path| {
        std::fs::set_permissions(path.join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    };
    let linked = |path: &Path| symlink("plain", path.join("link")).unwrap();
    let large = |path: &Path| {
        for name in ["x", "y"] {
            let text = name.repeat(crate::git::PLAIN_BYTES_MAX / 2 + 1);
            std::fs::write(path.join(name), text).unwrap();
        }
    };
    let many = |path: &Path| {
        for name in 0..=crate::git::PLAIN_FILES_MAX {
            std::fs::write(path.join(format!("f{name}")), "x").unwrap();
        }
    };
    for (change, said) in [
        (&executable as &dyn Fn(&Path), "`run.sh` is executable"),
        (&linked, "`link` is no plain file"),
        (&large, "too large"),
        (&many, "too many files"),
    ] {
        let told = told(change).await;
        assert!(matches!(&told, Plain::No { why } if why.contains(said)), "{said}: {told:?}");
    }
    let odd = |path: &Path| {
        std::fs::write(path.join("a \"b\" \u{e9}.txt"), "\0\n\n").unwrap();
        std::fs::write(path.join("empty"), "").unwrap();
        std::fs::remove_file(path.join("plain")).unwrap();
    };
    let Plain::Yes(change) = told(&odd).await else { panic!("plain") };
    let names: Vec<&str> = change.written.keys().map(String::as_str).collect();
    assert_eq!(names, ["a \"b\" \u{e9}.txt", "empty"]);
    assert_eq!(change.written.values().map(Vec::len).collect::<Vec<_>>(), [3, 0]);
    assert!(change.deleted.contains("plain"));
}
