//! What leaves a workspace: what was packed and taken, with what steers put back, and nothing of
//! what was planted.

use super::{Place, fetched, import, line, message, order};
use crate::git::{Import, QUESTION_PATH, RESULT_PATH, WorkspaceOrder};

pub(super) async fn all<P: Place, F: Future<Output = P>>(make: &impl Fn() -> F) {
    importing(&make().await).await;
    steering(&make().await).await;
    planting(&make().await).await;
    asking(&make().await).await;
}

async fn asking(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let root = place.seed("main", &[("f", "1\n")], None).await;
    let own = place.seed("own", &[("f", "1\n"), (QUESTION_PATH, "ours\n")], None).await;
    fetched(place, &["main", "own"]).await;
    let workspace = git.workspace(&order(&remote, &root)).await.unwrap();
    assert_eq!(git.question(&workspace).await, Ok(None));
    place.edit(&workspace, QUESTION_PATH, Some("Which one?\n"));
    place.edit(&workspace, "f", Some("2\n"));
    let asked = git.question(&workspace).await.unwrap();
    assert_eq!(asked.as_deref(), Some(&b"Which one?\n"[..]));
    import(place, &workspace).await;
    let changes = git.changes(&workspace).await.unwrap();
    let paths: Vec<&str> = changes.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, ["f"], "a question is no part of the work");
    let workspace = git.workspace(&order(&remote, &own)).await.unwrap();
    place.edit(&workspace, QUESTION_PATH, Some("Which one?\n"));
    assert_eq!(git.question(&workspace).await, Ok(None), "the file is the repository's");
    import(place, &workspace).await;
    assert_eq!(git.changes(&workspace).await.unwrap().files.len(), 1);
}

async fn importing(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let root = place.seed("main", &[("f", "1\n")], None).await;
    fetched(place, &["main"]).await;
    let workspace = git.workspace(&order(&remote, &root)).await.unwrap();
    place.edit(&workspace, "f", Some("2\n"));
    place.edit(&workspace, RESULT_PATH, Some("{\"summary\": \"two\"}"));
    assert!(git.changes(&workspace).await.is_err(), "nothing was imported");
    assert!(git.commit(&workspace, &message("Early")).await.is_err());
    let unpacked = git.import(&workspace).await.unwrap();
    assert!(matches!(unpacked, Import::Refused { .. }), "nothing was packed");
    assert!(!git.packing(&workspace).await.unwrap().program.is_empty());
    import(place, &workspace).await;
    place.edit(&workspace, "f", Some("3\n"));
    let changes = git.changes(&workspace).await.unwrap();
    assert_eq!(changes.files.len(), 1, "what an agent leaves beside its work is no part of it");
    assert_eq!(changes.files[0].added_lines, [line(1, "2")], "what comes later does not count");
    let result = git.result(&workspace).await.unwrap();
    assert_eq!(result.as_deref(), Some(&b"{\"summary\": \"two\"}"[..]));
    git.discard(workspace.clone()).await.unwrap();
    assert!(git.packing(&workspace).await.is_err() && git.import(&workspace).await.is_err());
}

async fn steering(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let base = [("f", "1\n"), ("AGENTS.md", "base\n"), (".mcp.json", "{}\n")];
    let base = place.seed("main", &base, None).await;
    let head = [("f", "1\n"), ("AGENTS.md", "head\n"), (".claude/settings.json", "hooks\n")];
    let head = place.seed("head", &head, Some(&base)).await;
    fetched(place, &["main", "head"]).await;
    let steered = WorkspaceOrder { steering: Some(base.clone()), ..order(&remote, &head) };
    let workspace = git.workspace(&steered).await.unwrap();
    assert_eq!(place.look(&workspace, "AGENTS.md").as_deref(), Some("base\n"));
    assert_eq!(place.look(&workspace, ".mcp.json").as_deref(), Some("{}\n"));
    assert_eq!(place.look(&workspace, ".claude/settings.json"), None);
    import(place, &workspace).await;
    assert_eq!(git.changes(&workspace).await.unwrap().files, [], "it is not the agent's doing");
    assert_eq!(git.commit(&workspace, &message("Nothing")).await.unwrap(), None);

    let workspace = git.workspace(&steered).await.unwrap();
    place.edit(&workspace, "f", Some("2\n"));
    place.edit(&workspace, ".mcp.json", Some("own\n"));
    import(place, &workspace).await;
    let changes = git.changes(&workspace).await.unwrap();
    let paths: Vec<&str> = changes.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, [".mcp.json", "f"], "what it did to configuration is seen");
    let made = git.commit(&workspace, &message("Change")).await.unwrap().unwrap();
    let built = git.workspace(&order(&remote, &made.commit)).await.unwrap();
    let look = |path| place.look(&built, path);
    assert_eq!(look("AGENTS.md").as_deref(), Some("head\n"), "the pull request's own is kept");
    assert_eq!(look(".claude/settings.json").as_deref(), Some("hooks\n"));
    assert_eq!((look("f").as_deref(), look(".mcp.json").as_deref()), (Some("2\n"), Some("own\n")));
}

async fn planting(place: &dyn Place) {
    let (git, remote) = (place.git(), place.remote());
    let root = place.seed("main", &[("f", "1\n"), (".env", "own\n")], None).await;
    fetched(place, &["main"]).await;
    let workspace = git.workspace(&order(&remote, &root)).await.unwrap();
    git.plant(&workspace, ".env.other", "planted\n").await.unwrap();
    assert_eq!(place.look(&workspace, ".env.other").as_deref(), Some("planted\n"));
    import(place, &workspace).await;
    assert_eq!(git.changes(&workspace).await.unwrap().files, [], "it is no change");
    assert_eq!(git.commit(&workspace, &message("Nothing")).await, Ok(None));
    let workspace = git.workspace(&order(&remote, &root)).await.unwrap();
    git.plant(&workspace, ".env.other", "planted\n").await.unwrap();
    place.edit(&workspace, "f", Some("2\n"));
    import(place, &workspace).await;
    let made = git.commit(&workspace, &message("Change")).await.unwrap().unwrap();
    let built = git.workspace(&order(&remote, &made.commit)).await.unwrap();
    assert_eq!(place.look(&built, ".env.other"), None, "it never leaves");
    git.plant(&built, ".env", "planted\n").await.unwrap();
    assert_eq!(place.look(&built, ".env").as_deref(), Some("own\n"), "nothing is replaced");
}
