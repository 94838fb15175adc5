//! Trying it out: what protects the host is what was seen to, not what was asked for.

use tokio_util::sync::CancellationToken;

use super::{Bubblewrap, Pool, Setup};
use crate::sandbox::cgroup::Cgroups;
use crate::sandbox::protection::Missing;
use crate::sandbox::{
    Deaf, Error, Home, Invocation, LEVEL_MIN, Limits, Protection, Purpose, Signal, Tools, owner,
};

/// Writes to the workspace, sees nothing of root's, and shows how the kernel sees it. Root's
/// files are somebody's we do not know, unless we are root.
const SCRIPT: &str = "echo works > file && test ! -e /root && cat /proc/self/status \
                      && stat -c 'owner %u' /usr && echo \"ourselves $(id -u)\"";

pub(super) async fn probe(setup: Setup) -> Result<Bubblewrap, Error> {
    let program = match &setup.bwrap {
        Some(path) => Tools::default().find(&path.to_string_lossy())?,
        None => Tools::default().find("bwrap")?,
    };
    let root = rustix::process::geteuid().is_root();
    let users = root.then(|| Pool::open(setup.uid_base)).transpose()?;
    let cgroups = Cgroups::find();
    let (dead, runs) = (cgroups.clone(), setup.runs.clone());
    super::blocking(move || {
        let reaped = dead.reap();
        let orphans = owner::orphans(&runs);
        let removed = orphans.iter().filter(|path| std::fs::remove_dir_all(path).is_ok()).count();
        if reaped + removed > 0 {
            tracing::info!(groups = reaped, directories = removed, "tidied up after a kill");
        }
    })
    .await?;
    let protection = Protection::none("bubblewrap");
    let mut own = Bubblewrap { setup, program, users, cgroups, protection };
    let directory = tempfile::tempdir().map_err(|error| Error(error.to_string()))?;
    let trial = Invocation {
        purpose: Purpose::Check,
        program: "sh".to_owned(),
        args: vec!["-c".to_owned(), SCRIPT.to_owned()],
        env: Vec::new(),
        stdin: String::new(),
        directory: directory.path().to_owned(),
        workspace: "probe".to_owned(),
        doors: Vec::new(),
        read_only: Vec::new(),
        masks: Vec::new(),
        home: Home::default(),
        limits: Limits { wall_ms_max: 10_000, output_bytes_max: 8_192, ..Limits::default() },
        signal: Signal::Term,
    };
    let done = own.perform(&trial, (&CancellationToken::new(), &Deaf), true).await?;
    if !done.succeeded() || !directory.path().join("file").is_file() {
        let why = format!("bwrap does not work here: {:?} {}", done.end, done.stderr.trim());
        return Err(Error(why));
    }
    own.protection = judge(&done.stdout, &done.stderr, &own.cgroups, root);
    Ok(own)
}

/// What the kernel says of the trial, as a level.
fn judge(status: &str, told: &str, cgroups: &Cgroups, root: bool) -> Protection {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    };
    let is = |name: &str, value: &str| field(name).is_some_and(|found| found == value);
    let mut protection = Protection::none("bubblewrap");
    let mut layer = |there: bool, name: &str, lacks: (&str, &str)| {
        if there {
            protection.layers.push(name.to_owned());
        } else {
            let (what, next) = (lacks.0.to_owned(), lacks.1.to_owned());
            protection.missing.push(Missing { what, next });
        }
        there
    };
    let nobody = field("owner ").is_some_and(|owner| !is("ourselves ", &owner));
    let powerless = is("CapEff:", "0000000000000000") && nobody;
    let core = layer(
        powerless,
        "namespaces without any power",
        ("powers: the program has some", "see docs/OPERATIONS.md, Sandbox"),
    ) & layer(
        is("Seccomp:", "2"),
        "seccomp",
        ("seccomp: no system call is refused", "use a kernel with CONFIG_SECCOMP_FILTER"),
    );
    let user = if root { "a user of its own for each run" } else { "the user Slipway has" };
    layer(true, user, ("", ""));
    let groups = cgroups.describe().unwrap_or_default();
    let unbounded: Vec<&str> = [
        (cgroups.bounds_memory(), "memory"),
        (cgroups.bounds_pids(), "processes (but by the limit of the user)"),
        (cgroups.bounds_cpu(), "processors"),
    ]
    .iter()
    .filter_map(|(there, what)| (!there).then_some(*what))
    .collect();
    let lack = format!("control groups: nothing bounds {}", unbounded.join(", "));
    let next = "run Slipway as a service with Delegate=yes, or as root";
    layer(unbounded.is_empty(), &groups, (&lack, next));
    let landlock = told.lines().find_map(|line| line.strip_prefix("landlock: ")).unwrap_or("off");
    layer(
        landlock.starts_with("ABI"),
        &format!("Landlock {landlock}"),
        (&format!("Landlock: {landlock}"), "use Linux 5.13 or newer with lsm=landlock,…"),
    );
    protection.level = if core { LEVEL_MIN } else { 1 };
    protection
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "CapEff:\t0000000000000000\nSeccomp:\t2\nowner 65534\nourselves 1000\n";

    #[test]
    fn the_level_is_what_the_kernel_says() {
        let all = judge(GOOD, "landlock: ABI 7\n", &Cgroups::default(), true);
        assert_eq!(all.level, 3);
        assert_eq!(
            all.to_string(),
            "level 3: bubblewrap (namespaces without any power, seccomp, a user of its own for \
             each run, Landlock ABI 7)"
        );
        assert_eq!(all.missing.len(), 1, "no control group: {all:?}");
        for (good, bad) in [
            ("0000000000000000", "000001fffeffffff"),
            ("Seccomp:\t2", "Seccomp:\t0"),
            ("owner 65534", "owner 1000"),
        ] {
            let less = judge(&GOOD.replace(good, bad), "", &Cgroups::default(), true);
            assert_eq!(less.level, 1, "{bad}");
            assert!(!less.missing.is_empty());
        }
        let less = judge(GOOD, "landlock: not enabled\n", &Cgroups::default(), false);
        assert_eq!(less.level, 3, "a layer more, and not the boundary");
        assert!(less.brief().contains("missing: control groups: "), "{}", less.brief());
        assert!(less.brief().contains("Landlock: not enabled"), "{}", less.brief());
    }
}
