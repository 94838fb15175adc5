//! What to do where bubblewrap does not work, read from what it complains of.

/// Words of the complaint, and what to do about them; the first that fits.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["setting up uid map: Permission denied", "Failed RTM_NEWADDR"],
        "AppArmor keeps user namespaces from it (Ubuntu 23.10 and newer): install the profile \
         bwrap-userns-restrict of the package apparmor-profiles",
    ),
    (
        &["Can't mount proc", "mount proc on"],
        "this container masks /proc: start it with --security-opt systempaths=unconfined \
         (podman: unmask=ALL), or under systemd without ProtectKernelTunables and ProtectProc",
    ),
    (
        &[
            "creating new namespace failed",
            "Creating new namespace failed",
            "No permissions to creat",
        ],
        "allow user namespaces: sysctl user.max_user_namespaces and \
         kernel.unprivileged_userns_clone, under systemd without RestrictNamespaces",
    ),
    (
        &["Unknown option --disable-userns", "Unknown option --assert-userns-disabled"],
        "bubblewrap is too old: 0.8 or newer is needed",
    ),
    (
        &["cannot be lent to another user"],
        "root without the power to mount: run Slipway as a user that is not root",
    ),
    (&["there is no program"], "install bubblewrap (the package of that name)"),
    (&["sandbox_uid_base"], "set sandbox_uid_base, or run Slipway as a user that is not root"),
];

/// A sentence for the operator.
pub(super) fn advice(complaint: &str) -> &'static str {
    let found = ADVICE.iter().find(|(words, _)| words.iter().any(|one| complaint.contains(one)));
    found.map_or("see docs/OPERATIONS.md, Sandbox, for where bubblewrap works", |(_, next)| next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_complaint_has_its_own_way_out() {
        for (complaint, next) in [
            ("bwrap: setting up uid map: Permission denied", "AppArmor"),
            ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "AppArmor"),
            ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "masks /proc"),
            ("bwrap: Creating new namespace failed: No space left on device", "max_user_namesp"),
            ("bwrap: No permissions to creating new namespace, likely because", "user namespaces"),
            ("bwrap: Unknown option --disable-userns", "0.8"),
            ("there is no program \"bwrap\" in /usr/bin", "install bubblewrap"),
            ("something else", "OPERATIONS"),
        ] {
            assert!(advice(complaint).contains(next), "{complaint}: {}", advice(complaint));
        }
    }
}
