//! A provider as the operator names it: where it is, how it talks, whose key, which prices.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};

use super::prices::{self, Price, Prices};
use super::{Error, Wire};

/// Longest name of a provider, in bytes.
const NAME_BYTES_MAX: usize = 40;
/// How long a key from a vault is used before it is asked for again, unless said otherwise.
const MINUTES: u64 = 5;
/// The longest a key from a vault may be used, in minutes.
const MINUTES_MAX: u64 = 1_440;

/// A provider of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub name: String,
    pub wire: Wire,
    /// Without a slash at its end. The only address that is ever asked.
    pub url: Url,
    pub key: KeySource,
    pub pricing: Pricing,
}

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// None is needed.
    None,
    Environment(String),
    File(PathBuf),
    Vault(VaultKey),
}

/// A key in the KV store, version 2, of a HashiCorp Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKey {
    pub url: Url,
    pub mount: String,
    pub path: String,
    pub field: String,
    /// Where the token for the vault is; not a vault again.
    pub token: Box<KeySource>,
    /// How long what was read is used.
    pub lives: Duration,
}

/// How calls are priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pricing {
    /// They cost nothing: the operator's own machine. Said, not assumed.
    Free,
    /// By the operator's own figures, then by the table's under the name of a house.
    Listed { house: Option<String>, own: BTreeMap<String, Price> },
}

impl Provider {
    /// What a model costs; nothing is said where nobody told.
    pub fn price(&self, prices: &Prices, model: &str) -> Option<Price> {
        match &self.pricing {
            Pricing::Free => Some(Price::FREE),
            Pricing::Listed { house, own } => own
                .get(model)
                .copied()
                .or_else(|| house.as_ref().and_then(|house| prices.get(house, model))),
        }
    }
}

/// One `[[providers]]` of the settings, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    name: String,
    wire: String,
    url: String,
    key: Option<KeyEntry>,
    /// A house of the table, `free` or `none`.
    prices: String,
    #[serde(default)]
    models: BTreeMap<String, prices::Entry>,
}

/// Where a key is: exactly one of `environment`, `file` and `vault`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    environment: Option<String>,
    file: Option<PathBuf>,
    vault: Option<VaultEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultEntry {
    url: String,
    mount: String,
    path: String,
    field: String,
    token: TokenEntry,
    minutes: Option<u64>,
}

/// Where a vault's token is: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    environment: Option<String>,
    file: Option<PathBuf>,
}

/// Reads one entry; the error says what to write instead.
pub fn parse(entry: Entry, prices: &Prices) -> Result<Provider, Error> {
    let Entry { name, wire, url, key, prices: house, models } = entry;
    let failed = |why: String| Error(format!("provider {name:?}: {why}"));
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(word) {
        return Err(failed("a name has lower-case letters, digits and dashes".to_owned()));
    }
    let wire = Wire::named(&wire).ok_or_else(|| {
        let known = Wire::ALL.map(Wire::name).join(", ");
        failed(format!("`wire` is not {wire:?}: write one of {known}"))
    })?;
    let key = key.map_or(Ok(KeySource::None), source).map_err(&failed)?;
    let url = address(&url, key != KeySource::None).map_err(&failed)?;
    let own: BTreeMap<_, _> =
        models.into_iter().map(|(model, entry)| (model, entry.price())).collect();
    let pricing = match house.as_str() {
        "free" if own.is_empty() => Pricing::Free,
        "free" => return Err(failed("what is free has no prices in `models`".to_owned())),
        "none" => Pricing::Listed { house: None, own },
        house if prices.has_house(house) => Pricing::Listed { house: Some(house.to_owned()), own },
        unknown => {
            return Err(failed(format!(
                "`prices` is not {unknown:?}: write a house of the table, `free` or `none`"
            )));
        }
    };
    Ok(Provider { name, wire, url, key, pricing })
}

/// A key goes over an encrypted connection, or to this machine.
fn address(text: &str, with_key: bool) -> Result<Url, String> {
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|error| format!("`url` is no address: {error}"))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err("`url` names no host".to_owned()),
    };
    let plain = url.query().is_none() && url.fragment().is_none();
    if !plain || !url.username().is_empty() || url.password().is_some() {
        return Err(
            "`url` has only a host, a port and a path; the key is named in `key`".to_owned()
        );
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if here || !with_key => Ok(url),
        "http" => Err("a key is sent over https only; change `url`".to_owned()),
        _other => Err("`url` begins with https://, or with http:// for this machine".to_owned()),
    }
}

fn source(entry: KeyEntry) -> Result<KeySource, String> {
    match entry {
        KeyEntry { environment, file, vault: None } => near(environment, file),
        KeyEntry { environment: None, file: None, vault: Some(vault) } => {
            let VaultEntry { url, mount, path, field, token, minutes } = vault;
            let minutes = minutes.unwrap_or(MINUTES);
            if !(1..=MINUTES_MAX).contains(&minutes) {
                return Err(format!("`minutes` is 1 to {MINUTES_MAX}"));
            }
            let place = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
            for part in [&mount, &path] {
                let steps = part.split('/').all(|step| !matches!(step, "" | "." | ".."));
                if !steps || !part.chars().all(place) {
                    return Err("`mount` and `path` are words with slashes between".to_owned());
                }
            }
            Ok(KeySource::Vault(VaultKey {
                url: address(&url, true)?,
                mount,
                path,
                field,
                token: Box::new(near(token.environment, token.file)?),
                lives: Duration::from_secs(minutes * 60),
            }))
        }
        KeyEntry { .. } => Err(ONE.to_owned()),
    }
}

const ONE: &str = "name exactly one place of the key: `environment`, `file` or `vault`";

fn near(environment: Option<String>, file: Option<PathBuf>) -> Result<KeySource, String> {
    match (environment, file) {
        (Some(name), None) => {
            let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(known) {
                return Err("`environment` is the name of a variable".to_owned());
            }
            Ok(KeySource::Environment(name))
        }
        (None, Some(file)) if file.is_absolute() => Ok(KeySource::File(file)),
        (None, Some(_)) => Err("`file` begins with a slash".to_owned()),
        (Some(_), Some(_)) | (None, None) => Err(ONE.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Provider, String> {
        let prices = Prices::ours().unwrap();
        let entry: Entry = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        parse(entry, &prices).map_err(|error| error.0)
    }

    #[test]
    fn a_provider_is_read_from_its_entry() {
        let text = "name = 'anthropic'\nwire = 'messages'\nurl = 'https://api.anthropic.com/'\n\
                    key = { file = '/run/keys/anthropic' }\nprices = 'anthropic'\n\
                    models.mine = { input = '1', output = '2.5', input_max = 10, output_max = 5 }";
        let provider = read(text).unwrap();
        assert_eq!(provider.url.as_str(), "https://api.anthropic.com/");
        assert_eq!(provider.key, KeySource::File(PathBuf::from("/run/keys/anthropic")));
        let prices = Prices::ours().unwrap();
        let known = |model: &str| provider.price(&prices, model).is_some();
        assert!(known("mine") && known("claude-sonnet-4-5"));
        assert!(!known("gpt-5"), "another house's model has no price here");
        let text =
            "name = 'here'\nwire = 'ollama'\nurl = 'http://127.0.0.1:11434'\nprices = 'free'";
        let provider = read(text).unwrap();
        assert_eq!(provider.price(&prices, "anything"), Some(Price::FREE));
    }

    #[test]
    fn a_vault_is_named_with_its_own_token() {
        let text = "name = 'a'\nwire = 'chat'\nurl = 'https://example.com/v1'\nprices = 'none'\n\
                    [key.vault]\nurl = 'https://vault.example.com:8200'\nmount = 'secret'\n\
                    path = 'slipway/a'\nfield = 'key'\ntoken = { environment = 'VAULT_TOKEN' }";
        let KeySource::Vault(vault) = read(text).unwrap().key else { panic!("no vault") };
        assert_eq!(vault.lives, Duration::from_mins(5));
        assert_eq!(*vault.token, KeySource::Environment("VAULT_TOKEN".to_owned()));
        for (from, to) in [("slipway/a", "../sys"), ("'secret'", "''"), ("https://v", "http://v")] {
            assert!(read(&text.replace(from, to)).is_err(), "{to}");
        }
        assert!(read(&format!("{text}\nminutes = 0")).unwrap_err().contains("1440"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_write() {
        let good = "name = 'a'\nwire = 'chat'\nurl = 'https://e.com'\nprices = 'none'\n\
                    key = { environment = 'A' }";
        assert!(read(good).is_ok());
        for (from, to, says) in [
            ("'a'", "'A b'", "lower-case"),
            ("'chat'", "'soap'", "one of responses, chat"),
            ("https://e.com", "http://e.com", "https only"),
            ("https://e.com", "https://k@e.com", "only a host"),
            ("https://e.com", "https://e.com/?k=1", "only a host"),
            ("https://e.com", "ftp://e.com", "begins with"),
            ("'none'", "'nobody'", "a house of the table"),
            ("environment = 'A'", "file = 'a'", "begins with a slash"),
            ("environment = 'A'", "file = '/a', environment = 'A'", "exactly one"),
            ("environment = 'A'", "", "exactly one"),
            ("name = 'a'", "name = 'a'\nsecret = 'x'", "unknown field"),
        ] {
            let refused = read(&good.replace(from, to)).unwrap_err();
            assert!(refused.contains(says), "{to}: {refused}");
        }
    }
}
