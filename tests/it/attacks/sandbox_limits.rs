//! Using more than one's share: processes, memory, processors, disk, files, words, silence.

use super::*;

/// One way to use too much.
struct Glutton {
    what: &'static str,
    script: &'static str,
    limits: Limits,
    ends: Limit,
    /// Without this the program comes to its end and says `done`.
    less: Defence,
}

fn small() -> Limits {
    Limits { wall_ms_max: 30_000, output_bytes_max: 10_000, ..Limits::default() }
}

fn gluttons() -> Vec<Glutton> {
    vec![
        Glutton {
            what: "a fork bomb",
            script: "import os, time\n\
                     for _ in range(200):\n\
                     \x20 if os.fork() == 0: time.sleep(20); os._exit(0)\n\
                     print('done')\n",
            limits: Limits { pids_max: 64, ..small() },
            ends: Limit::Pids,
            less: Defence::Cgroup,
        },
        Glutton {
            what: "memory",
            script: "hog = []\n\
                     for _ in range(40): hog.append(bytearray(b'x' * (8 << 20)))\n\
                     print('done')\n",
            limits: Limits { memory_bytes_max: 128 << 20, ..small() },
            ends: Limit::Memory,
            less: Defence::Cgroup,
        },
        Glutton {
            what: "a disk filled with one file after another",
            script: "import os\n\
                     for n in range(40): open('f%d' % n, 'wb').write(os.urandom(1 << 20))\n\
                     print('done')\n",
            limits: Limits { disk_bytes_max: 8 << 20, ..small() },
            ends: Limit::Disk,
            less: Defence::Watch,
        },
        Glutton {
            what: "a disk filled with empty files",
            script: "import os, time\n\
                     os.mkdir('d')\n\
                     for n in range(3000): open('d/%d' % n, 'w').close()\n\
                     print('done', flush=True); time.sleep(1)\n",
            limits: Limits { disk_files_max: 1_000, ..small() },
            ends: Limit::Files,
            less: Defence::Watch,
        },
        Glutton {
            what: "a flood of words",
            script: "import sys, time\n\
                     for _ in range(100): sys.stdout.write('x' * 100000); sys.stdout.flush()\n\
                     print('done', flush=True); time.sleep(1)\n",
            limits: Limits { flood_bytes_max: 1 << 20, ..small() },
            ends: Limit::Output,
            less: Defence::Watch,
        },
        Glutton {
            what: "silence",
            script: "import time\ntime.sleep(3)\nprint('done')\n",
            limits: Limits { idle_ms_max: 800, ..small() },
            ends: Limit::Idle,
            less: Defence::Watch,
        },
    ]
}

#[tokio::test]
async fn attack_21_who_uses_too_much_is_ended_and_the_run_says_of_what() {
    let Some(sandbox) = shipped().await else { return };
    if !python() {
        return;
    }
    let grouped = !sandbox.protection().brief().contains("control groups: ");
    for glutton in gluttons() {
        if glutton.less == Defence::Cgroup && !grouped {
            say_aloud(&format!("limit on {}: no control groups here", glutton.what));
            continue;
        }
        let trial = Trial::new();
        let mut order = snake(&trial, glutton.script, &[]);
        order.limits = glutton.limits;
        let held = run(&sandbox, &order).await;
        assert_eq!(held.end, End::Limit(glutton.ends), "{}: {held:?}", glutton.what);
        let trial = Trial::new();
        order.directory = trial.shell("").directory;
        let open = run(&sandbox.clone().with(Defences::all().without(glutton.less)), &order).await;
        assert!(open.succeeded(), "{}: {open:?}", glutton.what);
        assert!(open.stdout.ends_with("done\n"), "{}: {open:?}", glutton.what);
    }
}

#[tokio::test]
async fn attack_21_processors_are_shared_and_descriptors_and_file_sizes_are_bounded() {
    let Some(sandbox) = shipped().await else { return };
    if !python() {
        return;
    }
    let busy = "import os, threading, time\n\
                end = time.monotonic() + 1.5\n\
                for _ in range(2):\n\
                \x20 if os.fork() == 0:\n\
                \x20   while time.monotonic() < end: pass\n\
                \x20   os._exit(0)\n\
                os.wait(); os.wait()\n\
                used = os.times()\n\
                print(int((used.children_user + used.children_system) * 1000))\n";
    let trial = Trial::new();
    let mut order = snake(&trial, busy, &[]);
    order.limits = Limits { cpu_percent_max: 20, ..small() };
    let used = |done: &Transcript| done.stdout.trim().parse::<u64>().unwrap();
    if sandbox.protection().brief().contains("processors") {
        say_aloud("limit on processors: no control group for it here");
    } else {
        let held = run(&sandbox, &order).await;
        let open =
            run(&sandbox.clone().with(Defences::all().without(Defence::Cgroup)), &order).await;
        assert!(used(&held) < 700, "{held:?}");
        assert!(used(&open) > used(&held), "{held:?} {open:?}");
    }
    let leak = "import os, resource\n\
                files = []\n\
                try:\n\
                \x20 for _ in range(4200): files.append(os.open('/dev/null', os.O_RDONLY))\n\
                except OSError as why: print('no more', why.errno)\n\
                print('hard', resource.getrlimit(resource.RLIMIT_FSIZE)[1])\n";
    let order = snake(&trial, leak, &[]);
    let held = run(&sandbox, &order).await;
    let open = run(&sandbox.with(Defences::all().without(Defence::Rlimits)), &order).await;
    assert_eq!(held.stdout, "no more 24\nhard 1073741824\n", "{held:?}");
    assert_ne!(open.stdout, held.stdout, "{open:?}");
}

#[tokio::test]
async fn without_control_groups_processes_are_still_counted() {
    let Some(sandbox) = shipped().await else { return };
    let script = "i=0; while [ $i -lt 200 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo done";
    let trial = Trial::new();
    let mut order = trial.shell(script);
    order.limits = Limits { pids_max: 50, ..small() };
    let held = run(&sandbox.clone().ungrouped(), &order).await;
    assert!(!held.stdout.contains("done"), "the shell cannot fork: {held:?}");
    let open =
        run(&sandbox.ungrouped().with(Defences::all().without(Defence::Cgroup)), &order).await;
    assert_eq!(open.stdout, "done\n", "{open:?}");
}
