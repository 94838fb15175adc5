//! The adapter against an engine that is a shell script: no real one runs on this machine.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::process::say_aloud;
use crate::sandbox::Door;
use crate::sandbox::trial::{self, Trial};

const RUNTIME: &str = include_str!("runtime.sh");

/// An engine's client and what its engine knows.
struct Played {
    directory: tempfile::TempDir,
}

impl Played {
    fn new(security: &str) -> Option<Self> {
        if !Path::new("/usr/bin/setsid").exists() {
            say_aloud("containers on a played engine: there is no setsid");
            return None;
        }
        let played = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir(played.state("")).unwrap();
        let program = played.directory.path().join("docker");
        std::fs::write(&program, RUNTIME).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        played.set("security", security);
        played.set("image", "");
        Some(played)
    }

    fn state(&self, name: &str) -> PathBuf {
        self.directory.path().join("state").join(name)
    }

    fn set(&self, name: &str, text: &str) {
        std::fs::write(self.state(name), text).unwrap();
    }

    /// What the client was told, one call a line.
    fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.state("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn containers(&self) -> usize {
        let entries = std::fs::read_dir(self.state("")).unwrap().map(|entry| entry.unwrap());
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("slipway-")).count()
    }

    async fn probe(&self) -> Result<Container, Error> {
        let program = self.directory.path().join("docker");
        Container::probe_with(Engine::Docker, program, wanted(), Tools::default()).await
    }
}

fn wanted() -> Wanted {
    Wanted {
        image: format!("agents@sha256:{}", "ab".repeat(32)),
        runtime: None,
        gpus: None,
        memory_mb_max: 4_096,
        cpus_max: 2,
        pids_max: 512,
        seccomp: None,
        client_env: vec![("DOCKER_HOST".to_owned(), "unix:///run/user/1/docker.sock".to_owned())],
        owner: "0011".to_owned(),
        program: "/opt/slipway".into(),
    }
}

const ROOTLESS: &str = "[\"name=seccomp\",\"name=rootless\"]";

#[tokio::test]
async fn it_keeps_the_contract() {
    let Some(played) = Played::new(ROOTLESS) else { return };
    let container = played.probe().await.unwrap();
    trial::contract(&container).await;
    assert_eq!(played.containers(), 0, "every container is removed");
    let calls = played.calls();
    let count = |what: &str| calls.iter().filter(|call| call.starts_with(what)).count();
    assert_eq!(count("kill slipway-0011-"), 1, "what is deaf is ended by name: {calls:#?}");
    assert_eq!(count("kill --signal INT slipway-0011-"), 2, "{calls:#?}");
    assert_eq!(count("kill --signal TERM slipway-0011-"), 4, "{calls:#?}");
}

#[tokio::test]
async fn what_is_missing_is_said_with_what_to_do() {
    let Some(played) = Played::new(ROOTLESS) else { return };
    let why = |error: Result<Container, Error>| error.unwrap_err().0;
    std::fs::remove_file(played.state("image")).unwrap();
    let said = why(played.probe().await);
    assert!(said.contains("no such image") && said.contains("docker pull agents@"), "{said}");
    played.set("image", "");
    played.set("broken", "");
    let said = why(played.probe().await);
    assert!(said.contains("did not run the program") && said.contains("is broken"), "{said}");
    assert_eq!(played.containers(), 0);
    played.set("away", "");
    assert!(why(played.probe().await).contains("cannot connect to the engine"));
    let tools = Tools::default();
    let apple = Wanted { gpus: Some("all".to_owned()), ..wanted() };
    let none = Container::probe_with(Engine::Apple, "/none".into(), apple, tools).await;
    assert!(why(none).contains("cannot lend a GPU"));
}

#[tokio::test]
async fn what_a_killed_slipway_left_behind_is_swept() {
    let Some(played) = Played::new(ROOTLESS) else { return };
    std::fs::create_dir(played.state("slipway-0011-left")).unwrap();
    let container = played.probe().await.unwrap();
    assert_eq!(played.containers(), 1, "who only looks removes nothing");
    container.sweep().await.unwrap();
    assert_eq!(played.containers(), 0);
    let calls = played.calls();
    let asked = "ps --all --quiet --filter label=slipway.owner=0011 ";
    assert!(calls.iter().any(|call| call == asked), "{calls:#?}");
    assert!(calls.iter().any(|call| call == "rm --force --volumes slipway-0011-left "));
}

#[tokio::test]
async fn a_run_nobody_waits_for_is_removed_too() {
    let Some(played) = Played::new(ROOTLESS) else { return };
    let container = played.probe().await.unwrap();
    let trial = Trial::new();
    let order = trial.shell("echo up > file; sleep 60");
    let cancel = CancellationToken::new();
    tokio::select! {
        done = container.run(&order, &cancel) => panic!("it ended: {done:?}"),
        () = async {
            while !order.directory.join("file").exists() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        } => {}
    }
    container.tasks.close();
    container.tasks.wait().await;
    assert_eq!(played.containers(), 0, "{:#?}", played.calls());
}

#[tokio::test]
async fn used_up_memory_is_told_apart() {
    let Some(played) = Played::new(ROOTLESS) else { return };
    let container = played.probe().await.unwrap();
    played.set("hungry", "");
    let trial = Trial::new();
    let order = trial.shell("kill -s KILL $$");
    let done = container.run(&order, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.end, End::Limit(Limit::Memory), "{done:?}");
}

#[tokio::test]
async fn what_would_steer_the_client_is_not_set_for_a_program() {
    let Some(played) = Played::new(ROOTLESS) else { return };
    let container = played.probe().await.unwrap();
    let trial = Trial::new();
    for name in ["LD_PRELOAD", "DOCKER_HOST", "HOME", "XDG_RUNTIME_DIR", "A=B", ""] {
        let mut order = trial.shell("true");
        order.env.push((name.to_owned(), "x".to_owned()));
        assert!(container.run(&order, &CancellationToken::new()).await.is_err(), "{name:?}");
    }
    let secret = format!("{:x}", fastrand::u128(..));
    let mut order = trial.shell("echo $KEY");
    order.env.push(("KEY".to_owned(), secret.clone()));
    let done = container.run(&order, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.stdout.trim(), secret);
    assert!(played.calls().iter().all(|call| !call.contains(&secret)), "a command line told it");
}

#[tokio::test]
async fn the_level_is_what_the_engine_and_its_runtime_give() {
    let Some(rootless) = Played::new(ROOTLESS) else { return };
    assert_eq!(rootless.probe().await.unwrap().level().0, 3);
    let mut container = rootless.probe().await.unwrap();
    let protection = container.protection();
    assert_eq!((protection.level, protection.layers[0].as_str()), (3, "a rootless engine"));
    container.wanted.runtime = Some("runsc".to_owned());
    assert_eq!(container.level(), (4, "gVisor"));
    let remapped = Played::new("[\"name=userns\"]").unwrap();
    assert_eq!(remapped.probe().await.unwrap().level().0, 2);
    let plain = Played::new("[\"name=seccomp\"]").unwrap();
    assert_eq!(plain.probe().await.unwrap().level().0, 1);
}

/// The arguments, an option a line.
fn told(engine: Engine, wanted: &Wanted, user: User, doors: &[Door]) -> String {
    let tools = Tools { path: vec!["/opt/tools".into()], read_only: Vec::new() };
    let frame = Frame { engine, wanted, user, name: "slipway-0011-7", home: None, tools: &tools };
    let mut invocation = Trial::new().shell("true");
    invocation.directory = "/checkout".into();
    invocation.doors = doors.to_vec();
    let args = args::run(&frame, &invocation).unwrap();
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let told = args.join(" ").replace(&"ab".repeat(32), "abab");
    // What comes last is a script of ours, the same for all.
    let told = told.split_once(" /bin/sh -c ").unwrap().0;
    told.replace(" --", "\n--").replace(" agents@", "\nagents@")
}

fn door() -> Door {
    Door { port: 3_128, socket: "/tmp/slipway-way-x/way".into() }
}

#[test]
fn docker_is_told_everything_that_may_not_be_done() {
    insta::assert_snapshot!(told(Engine::Docker, &wanted(), User::Nobody, &[door()]), @r"
    run
    --init
    --interactive
    --pull=never
    --name slipway-0011-7
    --label slipway.owner=0011
    --network none
    --read-only
    --user 65532:65532
    --cap-drop ALL
    --security-opt no-new-privileges=true
    --ipc private
    --cgroupns private
    --hostname sandbox
    --log-driver none
    --stop-timeout 5
    --pids-limit 512
    --memory 4096m
    --memory-swap 4096m
    --cpus 2
    --ulimit nofile=4096:4096
    --ulimit nproc=512:512
    --ulimit fsize=1073741824:1073741824
    --ulimit core=0
    --shm-size 64m
    --tmpfs /tmp:rw,nosuid,nodev,size=256m,mode=1777
    --tmpfs /home/agent:rw,nosuid,nodev,size=512m,uid=65532,gid=65532,mode=0700
    --mount type=bind,src=/checkout,dst=/workspace
    --mount type=bind,src=/tmp/slipway-way-x,dst=/sbx/sock/3128,readonly
    --mount type=bind,src=/opt/slipway,dst=/sbx/sbx,readonly
    --mount type=bind,src=/opt/tools,dst=/opt/tools,readonly
    --workdir /workspace
    --env PATH=/opt/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    --env HOME=/home/agent
    --env TMPDIR=/tmp
    --env LANG=C.UTF-8
    --env GIVEN
    --entrypoint /sbx/sbx
    agents@sha256:abab sandbox-inner
    --door 3128 /sbx/sock/3128/way
    --write /workspace
    --write /home/agent
    --write /tmp
    --write /dev
    --write /proc
    --landlock
    --
    ");
}

#[test]
fn podman_is_told_the_same_and_maps_its_user() {
    let wanted = Wanted {
        runtime: Some("runsc".to_owned()),
        gpus: Some("all".to_owned()),
        seccomp: Some("/etc/slipway/seccomp.json".into()),
        ..wanted()
    };
    let told = told(Engine::Podman, &wanted, User::Mapped, &[]);
    let docker = self::told(Engine::Docker, &wanted, User::Mapped, &[]);
    let only = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(only(&told, &docker), @r"
    --runtime-flag host-uds=open run
    --cgroups=enabled
    --read-only-tmpfs=false
    --http-proxy=false
    --userns=keep-id:uid=65532,gid=65532
    --device nvidia.com/gpu=all
    ");
    insta::assert_snapshot!(only(&docker, &told), @r"
    run
    --gpus all
    ");
}

#[test]
fn apple_is_told_what_it_knows_and_lends_no_door() {
    insta::assert_snapshot!(told(Engine::Apple, &wanted(), User::Mapped, &[]), @r"
    run
    --init
    --interactive
    --name slipway-0011-7
    --label slipway.owner=0011
    --read-only
    --cap-drop ALL
    --user 65532
    --cpus 2
    --memory 4096M
    --ulimit nofile=4096
    --shm-size 64M
    --tmpfs /tmp
    --tmpfs /home/agent
    --no-dns
    --network slipway
    --mount type=bind,source=/checkout,target=/workspace
    --mount type=bind,source=/opt/tools,target=/opt/tools,readonly
    --workdir /workspace
    --env PATH=/opt/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    --env HOME=/home/agent
    --env TMPDIR=/tmp
    --env LANG=C.UTF-8
    --env GIVEN
    agents@sha256:abab
    ");
    let tools = Tools::default();
    let wanted = wanted();
    let (engine, user) = (Engine::Apple, User::Mapped);
    let frame = Frame { engine, wanted: &wanted, user, name: "x", home: None, tools: &tools };
    let mut invocation = Trial::new().shell("true");
    invocation.doors.push(door());
    let refused = args::run(&frame, &invocation).unwrap_err().0;
    assert!(refused.contains("cannot be lent a way out"), "{refused}");
}

#[test]
fn no_engine_is_lent_a_socket_of_an_engine_and_no_path_breaks_a_mount() {
    for engine in [Engine::Docker, Engine::Podman, Engine::Apple] {
        let told = told(engine, &wanted(), User::Mapped, &[]);
        assert!(!told.contains("docker.sock") && !told.contains("privileged"), "{told}");
        let tools = Tools::default();
        let wanted = wanted();
        let frame = Frame {
            engine,
            wanted: &wanted,
            user: User::Root,
            name: "x",
            home: None,
            tools: &tools,
        };
        let mut invocation = Trial::new().shell("true");
        for bad in ["/w,dst=/etc", "/w\"x", "/w\nx", "/w=x"] {
            invocation.directory = bad.into();
            assert!(args::run(&frame, &invocation).is_err(), "{bad:?}");
        }
    }
}
