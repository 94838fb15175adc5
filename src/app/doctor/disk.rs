//! Check: there is room for mirrors, workspaces and the database.

use super::Case;
use super::machine::Room;
use super::report::Line;

const NAME: &str = "disk";
/// Below this nothing works for long.
const FREE_KIB_MIN: u64 = 200 * 1024;
/// A few checkouts of a middling repository.
const FREE_KIB_GOOD: u64 = 2 * 1024 * 1024;

pub(super) fn check(case: &Case) -> Vec<Line> {
    case.machine.rooms.iter().map(one).collect()
}

fn one(room: &Room) -> Line {
    let (what, path) = (room.what, room.path.display());
    let free = match &room.free_kib {
        Ok(free) => *free,
        Err(why) => {
            let next = format!("let Slipway's user write to {path}, or set {what} elsewhere");
            return Line::fail(NAME, format!("{what}: {why}"), next);
        }
    };
    let finding = format!("{what}: {} free at {path}", size(free));
    let next = "make room, or move it to another disk";
    if free >= FREE_KIB_GOOD {
        Line::ok(NAME, finding)
    } else if free >= FREE_KIB_MIN {
        Line::warn(NAME, finding, next)
    } else {
        Line::fail(NAME, finding, next)
    }
}

fn size(kib: u64) -> String {
    match kib {
        0..10_240 => format!("{kib} KiB"),
        10_240..10_485_760 => format!("{} MiB", kib / 1024),
        _more => format!("{} GiB", kib / 1024 / 1024),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::report::Report;
    use super::*;

    #[test]
    fn little_room_warns_and_none_fails() {
        let line = |free_kib| one(&Room { what: "work_dir", path: PathBuf::from("/w"), free_kib });
        let text = |free_kib| Report::of(vec![line(free_kib)]).text();
        assert!(text(Ok(FREE_KIB_GOOD)).starts_with("ok    disk: work_dir: 2048 MiB free at /w"));
        assert!(text(Ok(FREE_KIB_MIN)).starts_with("warn  disk: work_dir: 200 MiB"));
        assert!(text(Ok(9)).starts_with("FAIL  disk: work_dir: 9 KiB"));
        assert!(text(Err("no".to_owned())).starts_with("FAIL  disk: work_dir: no"));
        assert_eq!(size(30 * 1024 * 1024), "30 GiB");
    }
}
