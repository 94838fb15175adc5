//! Users of the host that belong to nobody: one for each run at a time.
//!
//! A user is taken by holding a name in the kernel that dies with us, so that two Slipways on
//! one machine do not take the same one and nothing has to be tidied up.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::sandbox::Error;

/// Beyond every range that distributions, systemd and container runtimes give out.
pub const UID_BASE: u32 = 1_900_000_000;
/// How many there are.
const UIDS: u32 = 512;

/// Where users are taken from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pool {
    base: u32,
}

/// The right to a user.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) uid: u32,
    _held: UnixListener,
}

impl Pool {
    /// The error says what to do where this machine does not know these users.
    pub(super) fn open(base: u32) -> Result<Self, Error> {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        if base == 0 || !known(&map, base) {
            let why = format!(
                "user {base} cannot be taken here; set sandbox_uid_base to the first of {UIDS} \
                 unused users, or run Slipway as a user that is not root"
            );
            return Err(Error(why));
        }
        Ok(Self { base })
    }

    pub(super) fn lease(self) -> Result<Lease, Error> {
        let mut users = self.base..self.base.saturating_add(UIDS);
        let lease = users.find_map(|uid| {
            let name = SocketAddr::from_abstract_name(format!("slipway-uid-{uid}")).ok()?;
            Some(Lease { uid, _held: UnixListener::bind_addr(&name).ok()? })
        });
        lease.ok_or_else(|| Error(format!("all {UIDS} users from {} are taken", self.base)))
    }
}

/// Whether the kernel knows all users from `base`, by its map of them.
fn known(map: &str, base: u32) -> bool {
    map.lines().any(|line| {
        let mut words = line.split_whitespace().map(|word| word.parse::<u64>().unwrap_or(0));
        let (Some(first), Some(_), Some(count)) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        u64::from(base) >= first && u64::from(base) + u64::from(UIDS) <= first + count
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_leases_are_for_the_same_user_and_a_dropped_one_is_free_again() {
        let pool = Pool { base: 1_800_000_000 + std::process::id() % 100_000 * 600 };
        let (one, two) = (pool.lease().unwrap(), pool.lease().unwrap());
        assert_ne!(one.uid, two.uid);
        let freed = one.uid;
        drop(one);
        assert_eq!(pool.lease().unwrap().uid, freed);
    }

    #[test]
    fn a_container_that_knows_few_users_says_so() {
        let all = "         0          0 4294967295\n";
        assert!(known(all, UID_BASE) && !known(all, u32::MAX - 1));
        let few = "0 1000 1\n1 100000 65536\n";
        assert!(known(few, 60_000) && !known(few, UID_BASE) && !known("", 5));
        assert!(Pool::open(0).is_err(), "root is nobody's user");
    }
}
