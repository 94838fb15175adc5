//! What the sandbox gives, beside what it keeps: the contract, doors, lent directories, masks.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use super::*;

#[tokio::test]
async fn bubblewrap_keeps_the_contract() {
    if let Some(sandbox) = shipped().await {
        trial::contract(&sandbox).await;
    }
}

#[tokio::test]
async fn it_says_its_level_and_every_layer_the_kernel_confirmed() {
    let Some(sandbox) = shipped().await else { return };
    let protection = sandbox.protection();
    assert_eq!(protection.level, 3, "{protection}");
    let said = protection.to_string();
    assert!(said.starts_with("level 3: bubblewrap (namespaces without any power, seccomp, "));
    let less = sandbox.with(Defences::all().without(Defence::Seccomp));
    let status = run(&less, &Trial::new().shell("grep ^Seccomp: /proc/self/status")).await;
    assert_eq!(status.stdout, "Seccomp:\t0\n", "what is missing can be seen");
}

#[tokio::test]
async fn only_the_workspace_the_home_and_temporary_files_can_be_written_and_nothing_stays() {
    let script = "for p in / /usr /etc /bin/sh /proc/sys/kernel/hostname /dev /run /run/sbx; do \
                  (echo x > $p/x || echo x > $p) 2>/dev/null && echo wrote $p; done; \
                  echo mine > file && echo x > $HOME/x && echo x > $TMPDIR/x && echo end; \
                  mkdir -p d && ln -s /etc d/link && chmod 700 d";
    let Some(sandbox) = shipped().await else { return };
    let trial = Trial::new();
    let order = trial.shell(script);
    let done = run(&sandbox, &order).await;
    assert_eq!(done.stdout, "end\n", "{done:?}");
    assert_eq!(trial.read("file"), "mine\n");
    for path in ["file", "d", "d/link"] {
        let meta = order.directory.join(path).symlink_metadata().unwrap();
        assert_eq!(meta.uid(), rustix::process::geteuid().as_raw(), "{path} came back to us");
    }
}

#[tokio::test]
async fn programs_and_tools_below_a_closed_directory_can_be_lent() {
    let Some(_) = shipped().await else { return };
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let (tools, objects) = (closed.path().join("bin"), closed.path().join("objects"));
    for path in [&tools, &objects] {
        std::fs::create_dir(path).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    for name in ["tool", "other"] {
        let program = tools.join(name);
        std::fs::write(&program, format!("#!/bin/sh\necho {name} in $PWD\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let mut setup = setup();
    setup.tools = Tools { path: vec![tools], read_only: Vec::new() };
    let sandbox = Bubblewrap::probe(setup).await.unwrap();
    let trial = Trial::new();
    let mut order = trial.shell("");
    (order.program, order.args) = ("tool".to_owned(), Vec::new());
    assert_eq!(run(&sandbox, &order).await.stdout, "tool in /workspace\n");
    std::fs::write(objects.join("pack"), "packed").unwrap();
    let path = objects.display();
    let mut order =
        trial.shell(&format!("cat {path}/pack; echo x > {path}/pack; echo x > {path}/y"));
    order.read_only.push(objects.clone());
    let done = run(&sandbox, &order).await;
    assert_eq!(done.stdout, "packed", "read at the same path, and not written: {done:?}");
    assert_eq!(std::fs::read_dir(&objects).unwrap().count(), 1);
}

#[tokio::test]
async fn a_door_is_the_only_way_out_and_its_traffic_is_a_sign_of_life() {
    if !python() {
        return;
    }
    let host = tempfile::tempdir().unwrap();
    let path = host.path().join("door.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let served = std::thread::spawn(move || {
        let mut heard = Vec::new();
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 64];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            heard.extend_from_slice(&buffer[..count]);
            stream.write_all(b"pong").unwrap();
        }
        heard.len()
    });
    let script = "import socket, time\n\
                  s = socket.create_connection(('127.0.0.1', 3128))\n\
                  for _ in range(8):\n\
                  \x20 s.sendall(b'ping'); assert s.recv(4) == b'pong'; time.sleep(0.25)\n\
                  s.shutdown(socket.SHUT_WR); assert s.recv(1) == b''\n\
                  print('through')\n\
                  try: open('/run/sbx/pulse', 'w').write('x'); print('forged')\n\
                  except OSError: pass\n\
                  try: socket.create_connection(('127.0.0.1', 3129))\n\
                  except OSError: print('closed')\n";
    let trial = Trial::new();
    let mut order = snake(&trial, script, &[]);
    order.doors.push(Door { port: 3_128, socket: path });
    order.limits.idle_ms_max = 1_000;
    let Some(sandbox) = shipped().await else { return };
    let done = run(&sandbox, &order).await;
    assert_eq!((done.end, done.stdout.as_str()), (End::Exited(0), "through\nclosed\n"), "{done:?}");
    assert_eq!(served.join().unwrap(), 32);
    // Without the kernel's own rules the sign could be forged.
    let forge = "echo x > /run/sbx/pulse && echo forged";
    let path = host.path().join("other.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let mut order = trial.shell(forge);
    order.doors.push(Door { port: 3_128, socket: path });
    if sandbox.protection().to_string().contains("Landlock ABI") {
        let open =
            run(&sandbox.clone().with(Defences::all().without(Defence::Landlock)), &order).await;
        assert_eq!(open.stdout, "forged\n", "{open:?}");
    }
    let silent = snake(&trial, "import time\ntime.sleep(9)\n", &[]);
    let order = Invocation { limits: Limits { idle_ms_max: 500, ..order.limits }, ..silent };
    assert_eq!(run(&sandbox, &order).await.end, End::Limit(Limit::Idle));
}

#[tokio::test]
async fn masks_hide_what_is_there_and_keep_away_what_is_not() {
    let trial = Trial::new();
    let script = "cat CLAUDE.md; for p in CLAUDE.md .agents/x .tool/settings.json; do \
                  echo evil > $p && echo wrote $p; done 2>/dev/null; \
                  mv .agents gone 2>/dev/null && echo moved; rm -rf .agents 2>/dev/null; ls -A";
    let mut order = trial.shell(script);
    std::fs::write(order.directory.join("CLAUDE.md"), "do evil").unwrap();
    let open = order.clone();
    order.masks = ["CLAUDE.md", ".agents/", ".tool/settings.json"].map(str::to_owned).into();
    let Some(sandbox) = shipped().await else { return };
    let held = run(&sandbox, &order).await;
    assert_eq!(held.stdout, ".agents\n.tool\nCLAUDE.md\n", "{held:?}");
    assert_eq!(everything(&order), "do evil", "what was there is there again");
    assert_eq!(std::fs::read_dir(&order.directory).unwrap().count(), 1, "and nothing else");
    let open = run(&sandbox, &open).await;
    assert!(open.stdout.contains("do evil") && open.stdout.contains("wrote CLAUDE.md"), "{open:?}");
}
