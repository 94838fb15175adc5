//! Check: the process that holds the key is there, is another user's, and is the only holder.

use super::Case;
use super::report::Line;

const NAME: &str = "key_service";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(path) = case.settings.key_service() else { return Vec::new() };
    let at = path.display();
    let peer = match case.machine.keyd.as_ref() {
        Some(Ok(peer)) => peer,
        Some(Err(why)) => {
            let next = "start slipway-keyd.service; see docs/OPERATIONS.md, The key apart";
            return vec![Line::fail(NAME, format!("nobody answers at {at}: {why}"), next)];
        }
        None => return Vec::new(),
    };
    let us = case.machine.uid;
    if let Some(file) = &case.machine.key_file {
        let next = "give it to keyd's user alone (mode 0400), or take it away";
        return vec![Line::fail(NAME, format!("we can read the key: {}", file.display()), next)];
    }
    if peer.uid == us {
        let next = "run it as a user of its own: then what breaks into us does not reach the key";
        return vec![Line::warn(NAME, format!("{at} is held by our own user, {us}"), next)];
    }
    if us == 0 {
        let next = "run serve as a user of its own: root can read every file and every process";
        let finding = format!("{at} is held by user {}, and we are root", peer.uid);
        return vec![Line::warn(NAME, finding, next)];
    }
    vec![Line::ok(NAME, format!("{at} is held by user {}, we are user {us}", peer.uid))]
}
