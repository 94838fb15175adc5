//! The system call filter, as data: what nobody needs to build and test software.
//!
//! Namespaces do not cover keyrings, virtual sockets, user-handled faults and the like, and a
//! bug in a call that cannot be made cannot be used.

use serde_json::{Value, json};

/// Refused with "not permitted".
const REFUSED: &[&str] = &[
    // Other processes.
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_getfd",
    // Mounts and namespaces.
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "unshare",
    "setns",
    // Programs in the kernel, and ways round its checks.
    "bpf",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "perf_event_open",
    "memfd_secret",
    "fanotify_init",
    "lookup_dcookie",
    // Keyrings go by user, not by namespace.
    "keyctl",
    "add_key",
    "request_key",
    // Files by number instead of by path.
    "open_by_handle_at",
    "name_to_handle_at",
    // The machine.
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "quotactl_fd",
    "syslog",
    "vhangup",
    "nfsservctl",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "move_pages",
    "migrate_pages",
    "personality",
];
/// The same, where only this architecture has them.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[&str] = &[
    "iopl",
    "ioperm",
    "modify_ldt",
    "uselib",
    "ustat",
    "sysfs",
    "_sysctl",
    "create_module",
    "query_module",
    "get_kernel_syms",
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[&str] = &[];
/// Flags of `clone` that make namespaces: time, mount, cgroup, uts, ipc, user, pid, network.
const NAMESPACES: [u64; 8] = [
    0x80,
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];
/// Families of sockets that are let through: unix, IPv4, IPv6, netlink.
const FAMILIES: [u64; 4] = [1, 2, 10, NETLINK];
const NETLINK: u64 = 16;
/// Terminal requests that type into somebody's terminal.
const TYPING: [u64; 2] = [0x5412, 0x541c];

/// Calls beyond this number are made in another convention (x32), which the names above do
/// not cover.
const OTHER_CALLS: u32 = 0x4000_0000;
/// `clone3` keeps its flags where a filter cannot look; told that it does not exist, C
/// libraries use `clone`. The number is the same on every architecture.
const CLONE3: u32 = 435;
/// Answers "no such system call".
const NOT_THERE: u32 = 0x0005_0000 + 38;

/// The program as the kernel reads it. Calls of another architecture (such as `int 0x80`)
/// kill the process.
pub(super) fn program() -> Result<Vec<u8>, String> {
    let arch = std::env::consts::ARCH.try_into().map_err(|why| format!("{why}"))?;
    let text = policy().to_string();
    let mut compiled = seccompiler::compile_from_json(text.as_bytes(), arch)
        .map_err(|why| format!("the filter cannot be built: {why}"))?;
    let main = compiled.remove("main").ok_or("the filter is empty")?;
    let before = [
        // Load the number; not there if beyond, not there if clone3.
        op(0x20, 0, 0, 0),
        op(0x35, 1, 0, OTHER_CALLS),
        op(0x15, 0, 1, CLONE3),
        op(0x06, 0, 0, NOT_THERE),
    ];
    let instructions =
        before.into_iter().chain(main.iter().map(|one| op(one.code, one.jt, one.jf, one.k)));
    Ok(instructions.flatten().collect())
}

/// One instruction.
fn op(code: u16, yes: u8, no: u8, value: u32) -> [u8; 8] {
    let [low, high] = code.to_ne_bytes();
    let [first, second, third, fourth] = value.to_ne_bytes();
    [low, high, yes, no, first, second, third, fourth]
}

fn policy() -> Value {
    let mut filter: Vec<Value> =
        REFUSED.iter().chain(REFUSED_HERE).map(|name| json!({ "syscall": name })).collect();
    filter.extend(NAMESPACES.map(|flag| {
        json!({ "syscall": "clone", "args": [
            { "index": 0, "type": "qword", "op": { "masked_eq": flag }, "val": flag }
        ]})
    }));
    for name in ["socket", "socketpair"] {
        let others = FAMILIES.map(|family| arg(0, "ne", family));
        filter.push(json!({ "syscall": name, "args": others }));
        let beyond_routes = [arg(0, "eq", NETLINK), arg(2, "ne", 0)];
        filter.push(json!({ "syscall": name, "args": beyond_routes }));
    }
    filter.extend(
        TYPING.map(|request| json!({ "syscall": "ioctl", "args": [arg(1, "eq", request)] })),
    );
    json!({ "main": {
        "mismatch_action": "allow", "match_action": { "errno": 1 }, "filter": filter
    }})
}

fn arg(index: u8, op: &str, value: u64) -> Value {
    json!({ "index": index, "type": "dword", "op": op, "val": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_the_program_is_one_the_kernel_takes() {
        let program = program().unwrap();
        assert_eq!(program.len() % 8, 0);
        assert!((100..4_096).contains(&(program.len() / 8)), "{}", program.len() / 8);
        assert_eq!(program[24..32], op(0x06, 0, 0, NOT_THERE));
    }

    #[test]
    fn what_builds_and_tests_need_is_not_refused() {
        for needed in ["clone", "execve", "futex", "socket", "landlock_restrict_self", "seccomp"] {
            assert!(!REFUSED.contains(&needed), "{needed}");
        }
    }
}
