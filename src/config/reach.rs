//! How far the program may reach: hosts beside GitHub's own.

use super::ConfigError;
use super::layer::Said;
use crate::egress::Rule;

const HOSTS_MAX: usize = 50;
const HOST_CHARS_MAX: usize = 253;

/// Hosts as one variable lists them.
pub(super) fn split(list: &str) -> Vec<String> {
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Names, or `*.name` for everything below one that is not a whole country's.
pub(super) fn hosts(said: Option<Said<Vec<String>>>) -> Result<Vec<String>, ConfigError> {
    let Some(Said { value: hosts, place }) = said else { return Ok(Vec::new()) };
    let refuse = |why: String| {
        let next = "write names such as proxy.example.com or *.storage.example.com";
        Err(ConfigError::new(&place, why, next))
    };
    if hosts.len() > HOSTS_MAX {
        return refuse(format!("there are more than {HOSTS_MAX} hosts"));
    }
    match hosts.iter().find(|host| !is_host(host)) {
        Some(bad) => refuse(format!("{bad:?} is no host")),
        None => Ok(hosts),
    }
}

/// What an agent may reach. `network` is what was written before there were hosts.
pub(super) fn rules(
    agent: &str,
    hosts: &[String],
    network: Option<bool>,
) -> Result<Vec<Rule>, (String, String)> {
    let next = "write for example hosts = [\"api.example.com\", \"*.example.org:8443\"], or \
                leave it out for no network at all";
    if network.is_some() {
        let why = format!("agent {agent} has `network`: agents reach hosts by name only");
        return Err((why, next.to_owned()));
    }
    if hosts.len() > HOSTS_MAX {
        return Err((format!("agent {agent} has more than {HOSTS_MAX} hosts"), next.to_owned()));
    }
    let rules = hosts.iter().map(|host| Rule::parse(host));
    rules
        .collect::<Result<_, _>>()
        .map_err(|why| (format!("agent {agent}: {why}"), next.to_owned()))
}

fn is_host(text: &str) -> bool {
    let (name, below) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    name.len() <= HOST_CHARS_MAX && name.split('.').all(label) && (!below || name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_never_addresses_or_everything() {
        let read = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            hosts(Some(Said::at("hosts", names)))
        };
        let good = ["proxy", "10.0.0.1", "a.example.com", "*.blob.example.com"];
        assert_eq!(read(&good).unwrap(), good);
        for bad in ["", "*", "*.com", "a..b", "https://a.example", "a/b", "a.*.b", "a:80"] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
        assert!(read(&["a"; HOSTS_MAX + 1]).is_err());
        assert_eq!(split("a.example, *.b.example  c"), ["a.example", "*.b.example", "c"]);
    }
}
