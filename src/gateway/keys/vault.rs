//! Reads one field of a secret from HashiCorp Vault, KV version 2.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderValue;
use serde::Deserialize;
use tokio::time::timeout;

use super::usable;
use crate::gateway::Error;
use crate::gateway::provider::VaultKey;
use crate::model::Secret;

/// Longest answer of a vault, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest wait for one.
const ANSWER_MAX: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Answer {
    data: Version,
}

#[derive(Deserialize)]
struct Version {
    data: BTreeMap<String, Field>,
}

/// Other fields may be anything.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Text(Secret),
    Other(serde::de::IgnoredAny),
}

/// By what a key is held, and named in errors.
pub(super) fn place(vault: &VaultKey) -> String {
    let url = vault.url.as_str().trim_end_matches('/');
    format!("{url}/v1/{}/data/{}#{}", vault.mount, vault.path, vault.field)
}

/// Asks; what the vault says besides is not told, because it may hold other keys.
pub(super) async fn read(
    client: &reqwest::Client,
    vault: &VaultKey,
    token: &Secret,
) -> Result<Secret, Error> {
    let place = place(vault);
    let failed = |why: &str| Error(format!("the vault at {place}: {why}"));
    let mut shown =
        HeaderValue::from_str(token.reveal()).map_err(|_why| failed("no such token"))?;
    shown.set_sensitive(true);
    let address = place.split('#').next().unwrap_or_default();
    let asked = client.get(address).header("X-Vault-Token", shown);
    let answer = async {
        let mut answer = asked.send().await.map_err(|_why| failed("it does not answer"))?;
        match answer.status().as_u16() {
            200 => {}
            403 => return Err(failed("the token may not read it")),
            404 => return Err(failed("it has no such secret")),
            status => return Err(failed(&format!("it answers {status}"))),
        }
        let mut body = zeroize::Zeroizing::new(Vec::new());
        while let Some(part) = answer.chunk().await.map_err(|_why| failed("it broke off"))? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(failed("its answer is too long"));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    };
    let body = timeout(ANSWER_MAX, answer).await.map_err(|_why| failed("it is too slow"))??;
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_why| failed("its answer is not of version 2"))?;
    match answer.data.data.get(&vault.field) {
        Some(Field::Text(key)) => usable(key, &place),
        Some(Field::Other(_)) | None => Err(failed("the secret has no such text field")),
    }
}
