//! `[sandbox_container]`: what containers are like, where they are the sandbox.

use std::path::PathBuf;

use super::ConfigError;
use super::file::ContainerEntry;
use super::layer::Said;

const MEMORY_MB_MAX: u32 = 1 << 20;
const CPUS_MAX: u32 = 1_024;
const PIDS_MAX: u32 = 65_536;
const WORD_CHARS_MAX: usize = 100;
/// Where an engine's client looks for its engine.
const CLIENT_ENV: [&str; 5] =
    ["HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST"];

/// What containers are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containers {
    /// By digest.
    pub image: String,
    pub runtime: Option<String>,
    /// `all`, or the name of one CDI device.
    pub gpus: Option<String>,
    pub memory_mb_max: u32,
    pub cpus_max: u32,
    pub pids_max: u32,
    pub seccomp: Option<PathBuf>,
    /// What of our environment the engine's client needs.
    pub client_env: Vec<(String, String)>,
}

pub(super) fn parse(
    said: Option<Said<ContainerEntry>>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<Containers>, ConfigError> {
    let Some(Said { value, place }) = said else { return Ok(None) };
    let refuse = |why: &str, next: &str| Err(ConfigError::new(&place, why, next));
    let Some(image) = value.image.filter(|image| by_digest(image)) else {
        let next = "write image = \"name@sha256:…\"; a tag may be another image tomorrow";
        return refuse("the image is not named by its digest", next);
    };
    for (name, word) in [("runtime", &value.runtime), ("gpus", &value.gpus)] {
        if word.as_deref().is_some_and(|word| !is_word(word)) {
            let next = "write for example runtime = \"runsc\", gpus = \"all\"";
            return refuse(&format!("{name} is not a name"), next);
        }
    }
    let seccomp = value.seccomp.map(PathBuf::from);
    if seccomp.as_ref().is_some_and(|path| !path.is_absolute()) {
        return refuse("seccomp is not an absolute path", "write where the profile is");
    }
    let within = |name: &str, said: Option<u32>, default: u32, (min, max): (u32, u32)| {
        let said = said.unwrap_or(default);
        let next = format!("write a number from {min} to {max}");
        let good = (min..=max).contains(&said);
        let out = || ConfigError::new(&place, format!("{name} is out of bounds"), next);
        if good { Ok(said) } else { Err(out()) }
    };
    let given = |name: &str| Some((name.to_owned(), env(name).filter(|text| !text.is_empty())?));
    Ok(Some(Containers {
        image,
        runtime: value.runtime,
        gpus: value.gpus,
        memory_mb_max: within("memory_mb_max", value.memory_mb_max, 4_096, (64, MEMORY_MB_MAX))?,
        cpus_max: within("cpus_max", value.cpus_max, 2, (1, CPUS_MAX))?,
        pids_max: within("pids_max", value.pids_max, 512, (16, PIDS_MAX))?,
        seccomp,
        client_env: CLIENT_ENV.iter().filter_map(|name| given(name)).collect(),
    }))
}

fn by_digest(image: &str) -> bool {
    let Some((name, digest)) = image.split_once("@sha256:") else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    !name.is_empty()
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && digest.len() == 64
        && digest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

/// A name that is no option and holds no separator of an engine's client.
fn is_word(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=:".contains(c);
    word.len() <= WORD_CHARS_MAX
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: ContainerEntry) -> Result<Option<Containers>, ConfigError> {
        let env = |name: &str| (name == "DOCKER_HOST").then(|| "unix:///run/x.sock".to_owned());
        parse(Some(Said::at("sandbox_container", entry)), &env)
    }

    fn entry() -> ContainerEntry {
        let image = Some(format!("registry.example.com:5000/agents@sha256:{}", "0f".repeat(32)));
        ContainerEntry { image, ..ContainerEntry::default() }
    }

    #[test]
    fn an_image_is_named_by_its_digest_and_limits_have_bounds() {
        let read_well = read(entry()).unwrap().unwrap();
        assert_eq!(
            (read_well.memory_mb_max, read_well.cpus_max, read_well.pids_max),
            (4_096, 2, 512)
        );
        assert_eq!(read_well.client_env.len(), 1, "what the client needs, and nothing else");
        for image in ["agents", "agents:latest", "agents@sha256:12", "-x@sha256:00", ""] {
            let error = read(ContainerEntry { image: Some(image.to_owned()), ..entry() });
            assert!(error.unwrap_err().why.contains("digest"), "{image}");
        }
        let word = |word: &str| Some(word.to_owned());
        for bad in [
            ContainerEntry { image: None, ..entry() },
            ContainerEntry { runtime: word("--privileged"), ..entry() },
            ContainerEntry { gpus: word("all,capabilities=x"), ..entry() },
            ContainerEntry { seccomp: word("profile.json"), ..entry() },
            ContainerEntry { memory_mb_max: Some(1), ..entry() },
            ContainerEntry { cpus_max: Some(0), ..entry() },
            ContainerEntry { pids_max: Some(1), ..entry() },
        ] {
            assert!(read(bad.clone()).is_err(), "{bad:?}");
        }
        let gpu = ContainerEntry { gpus: word("nvidia.com/gpu=0"), ..entry() };
        assert!(read(gpu).is_ok());
        assert_eq!(parse(None, &|_| None).unwrap(), None);
    }
}
