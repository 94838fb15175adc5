//! Stealing and reaching out: files, environment, processes, sockets, network, rights.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use super::*;

/// Says everything it can find out about anything but itself.
const SNOOP: &str = r#"
import glob, os, subprocess, sys
print("environment", sorted(os.environ.items()))
for path in sys.argv[1:] + glob.glob("/root/.ssh/*") + ["/etc/shadow"]:
    try: print("file", path, open(path).read()[:2000])
    except OSError as why: print("closed", path, why.errno)
for proc in glob.glob("/proc/[0-9]*"):
    if proc.endswith("/%d" % os.getpid()): continue
    for name in ["cmdline", "environ"]:
        try: print("process", open(proc + "/" + name, "rb").read()[:2000])
        except OSError: pass
    try:
        maps = [line.split()[0] for line in open(proc + "/maps") if "rw-p" in line]
        with open(proc + "/mem", "rb", 0) as memory:
            for area in maps[:40]:
                begin, end = (int(part, 16) for part in area.split("-"))
                memory.seek(begin)
                print("memory", memory.read(min(end - begin, 1 << 20)))
    except (OSError, ValueError): pass
subprocess.run(["git", "config", "--list", "--show-origin"], stderr=subprocess.DEVNULL)
"#;

#[tokio::test]
async fn attack_13_an_agent_that_steals_everything_finds_nothing_to_steal() {
    if !python() {
        return;
    }
    let host = open_directory();
    let canaries: Vec<String> = (0..3).map(|_| canary()).collect();
    let mut paths = Vec::new();
    for (name, canary) in ["slipway.db", "private-key.pem", "token"].iter().zip(&canaries) {
        let path = host.path().join(name);
        std::fs::write(&path, canary).unwrap();
        paths.push(path.display().to_string());
    }
    let trial = Trial::new();
    let args: Vec<&str> = paths.iter().map(String::as_str).collect();
    let order = snake(&trial, SNOOP, &args);
    // This process holds them in memory, as Slipway holds its keys.
    let Some((held, open)) = twice(&order, Defence::Binds).await else { return };
    assert!(held.succeeded(), "{held:?}");
    let written = everything(&order);
    for canary in &canaries {
        assert!(!held.stdout.contains(canary) && !held.stderr.contains(canary), "{held:?}");
        assert!(!written.contains(canary));
        assert!(open.stdout.contains(canary), "the attack works without the boundary: {open:?}");
    }
    // Something that was given to this process, as a service manager gives Slipway its secrets.
    let own = ["GIVEN", "HOME", "LANG", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "LC_CTYPE"];
    let mut names = std::env::vars().map(|(name, _)| name).filter(|name| name.len() > 2);
    let ours = names.find(|name| !own.contains(&name.as_str())).expect("a variable of ours");
    let ours = format!("('{ours}', ");
    let sandbox = shipped().await.unwrap().with(Defences::all().without(Defence::Environment));
    let open = run(&sandbox, &order).await;
    assert!(!held.stdout.contains(&ours) && open.stdout.contains(&ours), "{open:?}");
}

const PEEK: &str = r#"
import ctypes, glob, os
libc = ctypes.CDLL(None, use_errno=True)
others = [p for p in glob.glob("/proc/[0-9]*") if int(p[6:]) > 64]
print("processes", "many" if len(glob.glob("/proc/[0-9]*")) > 10 or others else "own")
child = os.fork()
if child == 0:
    os._exit(0 if libc.ptrace(0, 0, 0, 0) == 0 else 1)
print("ptrace", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
keys = libc.syscall(248, b"user", b"slipway", b"x", 1, -3) if os.uname().machine == "x86_64" else -1
print("keyring", "open" if keys > 0 else "closed")
fault = libc.syscall(323, 1) if os.uname().machine == "x86_64" else -1
print("userfaultfd", "open" if fault >= 0 else "closed")
try:
    open("/proc/1/mem", "r+b", 0); print("init", "open")
except OSError: print("init", "closed")
"#;

#[tokio::test]
async fn attack_15_other_processes_keyrings_and_debugging_are_out_of_reach() {
    if !python() {
        return;
    }
    let trial = Trial::new();
    let order = snake(&trial, PEEK, &[]);
    let Some((held, open)) = twice(&order, Defence::Seccomp).await else { return };
    let closed = "processes own\nptrace 1\nkeyring closed\nuserfaultfd closed\ninit closed\n";
    assert_eq!(held.stdout, closed, "{held:?}");
    assert!(open.stdout.contains("ptrace 0\n"), "{open:?}");
    if cfg!(target_arch = "x86_64") {
        assert!(open.stdout.contains("keyring open\n"), "{open:?}");
    }
    let sandbox = shipped().await.unwrap().with(Defences::all().without(Defence::Processes));
    let open = run(&sandbox, &order).await;
    assert!(open.stdout.contains("processes many\n"), "{open:?}");
}

#[tokio::test]
async fn attack_16_files_of_the_host_and_of_other_runs_are_not_there() {
    let host = open_directory();
    let secret = canary();
    for name in ["id_ed25519", "other-run"] {
        std::fs::write(host.path().join(name), &secret).unwrap();
    }
    let trial = Trial::new();
    let script = format!(
        "cat {0}/id_ed25519 {0}/other-run /etc/shadow /root/.ssh/* 2>/dev/null; ls {0} /root \
         /home /run /var 2>/dev/null; exit 0",
        host.path().display()
    );
    let Some((held, open)) = twice(&trial.shell(&script), Defence::Binds).await else { return };
    assert_eq!(held.stdout, "/home:\nagent\n\n/run:\nsbx\n", "{held:?}");
    assert!(open.stdout.contains(&secret), "{open:?}");
}

#[tokio::test]
async fn attack_17_unix_sockets_of_the_host_cannot_be_reached() {
    if !python() {
        return;
    }
    let host = open_directory();
    let path = host.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let script = "import socket, sys\n\
                  for path in sys.argv[1:]:\n\
                  \x20 s = socket.socket(socket.AF_UNIX)\n\
                  \x20 try: s.connect(path); print('connected')\n\
                  \x20 except OSError as why: print(why.errno)\n";
    let trial = Trial::new();
    let args = [path.to_str().unwrap(), "/var/run/docker.sock", "/run/dbus/system_bus_socket"];
    let order = snake(&trial, script, &args);
    let Some((held, open)) = twice(&order, Defence::Binds).await else { return };
    assert_eq!(held.stdout, "2\n2\n2\n", "no such file: {held:?}");
    assert!(open.stdout.starts_with("connected\n"), "{open:?}");
}

const REACH: &str = r#"
import socket, sys, time
port = int(sys.argv[1])
def attempt(name, family, kind, address):
    try:
        s = socket.socket(family, kind); s.settimeout(2)
        s.connect(address)
        if kind == socket.SOCK_DGRAM:
            s.send(b"x"); s.recv(1)
        print(name, "reached")
    except (OSError, OverflowError): pass
attempt("loopback", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))
attempt("datagram", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))
if len(sys.argv) < 3:
    for name, address in [("metadata", "169.254.169.254"), ("direct", "1.1.1.1"),
                          ("private", "10.0.0.1"), ("link", "192.168.0.1")]:
        attempt(name, socket.AF_INET, socket.SOCK_STREAM, (address, 80))
    attempt("names", socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53))
    attempt("v6", socket.AF_INET6, socket.SOCK_STREAM, ("2606:4700:4700::1111", 443))
    began = time.monotonic()
    try: socket.getaddrinfo("example.com", 80); print("name reached")
    except OSError: pass
    print("soon" if time.monotonic() - began < 3 else "waited long for a name")
for family in [40, 17, 38, 16]:
    try:
        kind = socket.SOCK_DGRAM if family == 40 else socket.SOCK_RAW
        socket.socket(family, kind, 9 if family == 16 else 0)
        print("family", family, "open")
    except OSError as why: print("family", family, "refused" if why.errno == 1 else "missing")
"#;

#[tokio::test]
async fn attack_18_no_address_and_no_family_of_sockets_leads_out() {
    if !python() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let datagrams = std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
    datagrams.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let echo = std::thread::spawn(move || {
        let mut heard = [0; 1];
        let from = datagrams.recv_from(&mut heard);
        from.map(|(_, from)| datagrams.send_to(&heard, from).is_ok())
    });
    let trial = Trial::new();
    let Some(sandbox) = shipped().await else { return };
    let held = run(&sandbox, &snake(&trial, REACH, &[&port.to_string()])).await;
    let refused = "family 40 refused\nfamily 17 refused\nfamily 38 refused\nfamily 16 refused\n";
    assert_eq!(held.stdout, format!("soon\n{refused}"), "{held:?}");
    let near = snake(&trial, REACH, &[&port.to_string(), "loopback only"]);
    let open = run(&sandbox.clone().with(Defences::all().without(Defence::Network)), &near).await;
    assert!(open.stdout.starts_with("loopback reached\ndatagram reached\n"), "{open:?}");
    assert!(echo.join().unwrap().unwrap());
    let open = run(&sandbox.with(Defences::all().without(Defence::Seccomp)), &near).await;
    assert_ne!(open.stdout, refused, "{open:?}");
}

#[tokio::test]
async fn attack_23_the_program_has_no_power_and_can_get_none() {
    let script = "grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | cut -f2 | sort -u; \
                  test $(stat -c %u /usr) = $(id -u) && echo root of the host || echo nobody; \
                  unshare -U true 2>/dev/null && echo nested; \
                  mount -o remount,rw,bind / 2>/dev/null && echo mounted; \
                  echo x 2>/dev/null > /usr/x && echo wrote; exit 0";
    let trial = Trial::new();
    let order = trial.shell(script);
    let Some(sandbox) = shipped().await else { return };
    let held = run(&sandbox, &order).await;
    assert_eq!(held.stdout, "0000000000000000\nnobody\n", "{held:?}");
    let powers = sandbox.clone().with(Defences::all().without(Defence::Capabilities));
    let open = run(&powers, &order).await;
    assert!(!open.stdout.contains("0000000000000000\nnobody"), "{open:?}");
    if root() {
        let open = run(&sandbox.clone().with(Defences::all().without(Defence::Uid)), &order).await;
        assert!(open.stdout.contains("root of the host"), "{open:?}");
    } else {
        say_aloud("that root's programs get a user of their own: this is not root");
    }
    // Two layers stand before user namespaces, so one is away in both.
    let unfiltered = Defences::all().without(Defence::Seccomp);
    let held = run(&sandbox.clone().with(unfiltered.clone()), &order).await;
    assert!(!held.stdout.contains("nested"), "{held:?}");
    let open = run(&sandbox.with(unfiltered.without(Defence::Userns)), &order).await;
    assert!(open.stdout.contains("nested"), "{open:?}");
}

#[tokio::test]
async fn attack_36_the_prompt_and_the_environment_never_reach_a_command_line() {
    let word = canary();
    let prompt = format!("--dangerously-skip {word}\nnext\u{0}end");
    let trial = Trial::new();
    // Everything on the host, seen from the host while the program runs.
    let seen = || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.filter(|line| String::from_utf8_lossy(line).contains(&word)).count()
    };
    let Some(sandbox) = shipped().await else { return };
    let mut order = trial.shell("cat > said; touch up; while [ ! -e go ]; do sleep 0.02; done");
    order.stdin.clone_from(&prompt);
    order.env.push(("KEY".to_owned(), word.clone()));
    let counted = while_up(&sandbox, &order, &seen).await;
    assert_eq!((counted, trial.read("said")), (0, prompt.clone()));
    // The defence taken away: a prompt as an argument.
    std::fs::remove_file(order.directory.join("up")).unwrap();
    std::fs::remove_file(order.directory.join("go")).unwrap();
    order.args.push(word.clone());
    assert_ne!(while_up(&sandbox, &order, &seen).await, 0);
}

/// What `look` says while the program is up.
async fn while_up(sandbox: &Bubblewrap, order: &Invocation, look: &dyn Fn() -> usize) -> usize {
    let (done, counted) = tokio::join!(run(sandbox, order), async {
        while !order.directory.join("up").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let counted = look();
        std::fs::write(order.directory.join("go"), "").unwrap();
        counted
    });
    assert!(done.succeeded(), "{done:?}");
    counted
}

#[tokio::test]
async fn attack_46_two_runs_at_once_cannot_see_each_other() {
    let Some(sandbox) = shipped().await else { return };
    let script = |own: &str, other: &Trial| {
        format!(
            "echo {own} > mine; echo {own} > /tmp/mine; echo {own} > $HOME/mine; \
             sh -c 'while [ ! -e go ]; do sleep 0.02; done' marker-{own} & \
             touch up; while [ ! -e go ]; do sleep 0.02; done; \
             cat {0}/mine /tmp/mine $HOME/mine > found 2>/dev/null; \
             cat /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -o marker-. > markers; wait",
            other.shell("").directory.display()
        )
    };
    for (defences, apart) in [
        (Defences::all(), true),
        (Defences::all().without(Defence::Processes), false),
        (Defences::all().without(Defence::Uid), false),
    ] {
        let (a, b) = (Trial::new(), Trial::new());
        let (one, two) = (a.shell(&script("A", &b)), b.shell(&script("B", &a)));
        let sandbox = sandbox.clone().with(defences.clone());
        let both = async {
            while !(one.directory.join("up").exists() && two.directory.join("up").exists()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let user = |order: &Invocation| order.directory.join("up").metadata().unwrap().uid();
            let users = (user(&one), user(&two));
            std::fs::write(two.directory.join("go"), "").unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            std::fs::write(one.directory.join("go"), "").unwrap();
            users
        };
        let (first, second, users) = tokio::join!(run(&sandbox, &one), run(&sandbox, &two), both);
        assert!(first.succeeded() && second.succeeded(), "{first:?} {second:?}");
        assert_eq!((a.read("found"), b.read("found")), ("A\nA\n".into(), "B\nB\n".into()));
        let alone = !b.read("markers").contains("marker-A");
        let users = !root() || users.0 != users.1;
        assert_eq!(alone && users, apart || !root() && alone, "{defences:?}");
    }
}
