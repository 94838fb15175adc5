//! Check: there is an agent, and its program is found where it will be started.

use super::Case;
use super::machine::Found;
use super::report::Line;

const NAME: &str = "agents";

pub(super) fn check(case: &Case) -> Vec<Line> {
    if case.machine.agents.is_empty() {
        let next = "add [[agents]] with name and command to the configuration file, or set \
                    SLIPWAY_AGENT";
        return vec![Line::fail(NAME, "none is configured", next)];
    }
    case.machine.agents.iter().map(one).collect()
}

fn one(found: &Found) -> Line {
    let (name, hosts) = (&found.agent, &found.hosts);
    match (&found.program, &found.there) {
        (None, _) => {
            let next = "begin its command with the program to let it be looked for";
            let finding = format!("{name}: only a shell can tell what it starts; hosts: {hosts}");
            Line::warn(NAME, finding, next)
        }
        (Some(program), Ok(true)) => {
            Line::ok(NAME, format!("{name}: {program} is found; hosts: {hosts}"))
        }
        (Some(program), Ok(false)) => {
            let finding = format!("{name}: the sandbox finds no program {program}");
            Line::fail(NAME, finding, "install it, or add its directory to `tools`")
        }
        (Some(program), Err(why)) => {
            let finding = format!("{name}: {program} could not be looked for: {why}");
            Line::fail(NAME, finding, "see the line about the sandbox")
        }
    }
}
