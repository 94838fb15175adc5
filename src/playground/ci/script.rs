//! Script jobs: a commit's tree in a directory of its own, a shell, a clock and a cap.

use std::path::{Component, Path};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::Ended;
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::forge::Forge;
use crate::playground::process::SEARCH_PATH;
use crate::playground::world::World;

/// How much of its output is kept, in bytes.
const OUTPUT_MAX: u64 = 1024 * 1024;

/// A script to be run on a commit's files.
#[derive(Clone, Debug)]
pub struct ScriptJob {
    pub id: u64,
    pub command: String,
    pub sha: String,
    pub time_max: Duration,
    pub(super) forge: Arc<dyn Forge>,
}

/// Runs the script jobs that are due, one after the other; gives how many there were.
pub async fn run_pending(world: &World) -> ApiResult<usize> {
    let mut done = 0;
    while let Some(job) = world.ci_claim()? {
        let ended = match run_script(&job).await {
            Ok(ended) => ended,
            Err(error) => {
                let log = format!("##[error]the job could not be started: {error}\n");
                Ended { conclusion: "startup_failure".to_owned(), log }
            }
        };
        world.ci_finish(job.id, &ended)?;
        done += 1;
    }
    Ok(done)
}

async fn run_script(job: &ScriptJob) -> ApiResult<Ended> {
    let failed = |error: std::io::Error| ApiError::new(500, error.to_string());
    let dir = tempfile::tempdir().map_err(failed)?;
    let (tree, home) = (dir.path().join("tree"), dir.path().join("home"));
    std::fs::create_dir_all(&home).map_err(failed)?;
    let (forge, sha, to) = (Arc::clone(&job.forge), job.sha.clone(), tree.clone());
    let copied = tokio::task::spawn_blocking(move || check_out(&*forge, &sha, &to)).await;
    copied.map_err(|error| ApiError::new(500, error.to_string()))??;
    let mut child = shell(&job.command, &tree, &home).spawn().map_err(failed)?;
    let _group = Group(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let output = tokio::join!(collect(stdout), collect(stderr));
        (child.wait().await, output)
    };
    let ended = if let Ok((status, (out, err))) = tokio::time::timeout(job.time_max, work).await {
        let code = status.map_err(failed)?.code();
        let good = code == Some(0);
        let verdict = if good { String::new() } else { format!("##[error]exit {code:?}\n") };
        let conclusion = if good { "success" } else { "failure" }.to_owned();
        Ended { conclusion, log: format!("$ {}\n{out}{err}{verdict}", job.command) }
    } else {
        let log = format!("$ {}\n##[error]timed out after {:?}\n", job.command, job.time_max);
        Ended { conclusion: "timed_out".to_owned(), log }
    };
    Ok(ended)
}

#[expect(clippy::disallowed_methods, reason = "the playground's CI is no part of the bot")]
fn shell(command: &str, tree: &Path, home: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).current_dir(tree).env_clear();
    shell.env("PATH", SEARCH_PATH).env("HOME", home).env("CI", "true").env("LC_ALL", "C");
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.process_group(0).kill_on_drop(true);
    shell
}

/// A script's process group; whatever the script left behind in it ends with this value.
struct Group(Option<u32>);

impl Drop for Group {
    #[expect(clippy::disallowed_methods, reason = "the playground's CI is no part of the bot")]
    fn drop(&mut self) {
        let Some(group) = self.0 else {
            return;
        };
        let mut kill = std::process::Command::new("/bin/sh");
        kill.arg("-c").arg("kill -s KILL -- \"-$0\"").arg(group.to_string()).env_clear();
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group that is already empty is what is wanted.
        kill.status().ok();
    }
}

async fn collect(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else {
        return String::new();
    };
    let mut bytes = Vec::new();
    let mut kept = (&mut pipe).take(OUTPUT_MAX);
    if kept.read_to_end(&mut bytes).await.is_err() {
        bytes.extend_from_slice(b"\n[output was cut]\n");
    }
    let mut rest = tokio::io::sink();
    if tokio::io::copy(&mut pipe, &mut rest).await.is_ok_and(|more| more > 0) {
        bytes.extend_from_slice(b"\n[output was cut]\n");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn check_out(forge: &dyn Forge, sha: &str, to: &Path) -> ApiResult<()> {
    let failed = |error: std::io::Error| ApiError::new(500, error.to_string());
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in forge.list_tree(sha)? {
        let path = Path::new(&entry.path);
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let Some(bytes) = forge.read_file(sha, &entry.path)?.filter(|_| plain) else {
            continue;
        };
        let file = to.join(path);
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir).map_err(failed)?;
        }
        std::fs::write(&file, bytes).map_err(failed)?;
        if entry.executable {
            make_executable(&file).map_err(failed)?;
        }
    }
    Ok(())
}

fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
}
