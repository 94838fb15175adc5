//! Check: the database can be opened, and its tables are ours.

use super::Case;
use super::machine::Base;
use super::report::Line;
use crate::store::Schema;

const NAME: &str = "database";

pub(super) fn check(case: &Case) -> Vec<Line> {
    vec![match &case.machine.base {
        Base::New(path) => Line::ok(NAME, format!("{} will be made", path.display())),
        Base::Ready(schema) => judge(schema),
        Base::Broken(why) => {
            let next = "check `database`, who may write there, and that it is Slipway's";
            Line::fail(NAME, why, next)
        }
    }]
}

fn judge(schema: &Schema) -> Line {
    let Schema { found, ours } = schema;
    match found {
        None => Line::ok(NAME, "its tables will be made"),
        Some(found) if found == ours => Line::ok(NAME, format!("tables of version {found}")),
        Some(found) if found < ours => Line::ok(
            NAME,
            format!("tables of version {found}, brought to {ours} at the next start"),
        ),
        Some(found) => {
            let finding = format!("tables of version {found}, this program knows {ours}");
            Line::fail(NAME, finding, "use the newer Slipway that made them")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::*;

    #[test]
    fn only_a_newer_database_is_refused() {
        for (found, fine) in [(None, true), (Some(2), true), (Some(3), true), (Some(4), false)] {
            let report = Report::of(vec![judge(&Schema { found, ours: 3 })]);
            assert_eq!(report.ok(), fine, "{found:?}");
        }
    }
}
