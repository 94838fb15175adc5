//! App keys, signed claims and tokens: GitHub's rules for who is believed.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use octocrab::jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::Value;

use super::accounts::{Permissions, Token};
use super::{Actor, ApiError, ApiResult, State, World};

/// An installation token lives one hour.
const TOKEN_LIFE_MS: i64 = 3_600_000;
/// An App's claim may reach this far into the future, with a minute for wrong clocks.
const CLAIM_LIFE_MAX_S: i64 = 600;
const CLOCK_SLACK_S: i64 = 60;

/// An App's key pair, made at run time.
#[derive(Clone, Debug)]
pub struct AppKey {
    pem: String,
    public_der: Vec<u8>,
}

impl AppKey {
    fn generate() -> Option<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        let text = STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Some(Self { pem, public_der: pair.public_key().as_ref().to_vec() })
    }
}

#[derive(Deserialize)]
struct Claims {
    iat: Option<i64>,
    exp: Option<i64>,
    iss: Option<Value>,
}

/// What a new installation token is asked to be limited to.
#[derive(Clone, Debug, Default)]
pub struct TokenScope {
    /// Repository names without the owner.
    pub repositories: Option<Vec<String>>,
    pub repository_ids: Option<Vec<u64>>,
    pub permissions: Option<Permissions>,
}

impl World {
    /// The App's private key in PEM form; made on first use, which takes a moment.
    pub fn app_pem(&self, app: u64) -> Option<String> {
        self.app_key(app).map(|key| key.pem)
    }

    /// The App's key pair, made on first use.
    pub fn app_key(&self, app: u64) -> Option<AppKey> {
        let cell = self.with(|state| state.apps.get(&app).map(|app| Arc::clone(&app.key)))?;
        cell.get_or_init(AppKey::generate).clone()
    }

    /// Gives an App a key pair that was made before, as whoever makes many Worlds in a row
    /// wants it. An App that has one already keeps it.
    pub fn lend_app_key(&self, app: u64, key: AppKey) {
        self.with(|state| state.apps.get(&app).map(|app| app.key.set(Some(key)).is_ok()));
    }

    /// Who an `Authorization` header speaks for.
    pub fn authenticate(&self, header: Option<&str>) -> ApiResult<Actor> {
        let Some(header) = header else {
            return Ok(Actor::Anonymous);
        };
        let (scheme, value) = header.split_once(' ').ok_or_else(ApiError::bad_credentials)?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            let bytes = STANDARD.decode(value).ok().ok_or_else(ApiError::bad_credentials)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (user, password) = text.split_once(':').ok_or_else(ApiError::bad_credentials)?;
            let secret = if password.is_empty() { user } else { password };
            return self.with(|state| state.token_actor(secret));
        }
        self.with(|state| {
            let is_claim = value.starts_with("ey") && value.matches('.').count() == 2;
            if is_claim { state.claim_actor(value) } else { state.token_actor(value) }
        })
    }

    /// The installation itself with all its permissions, for callers in this process.
    pub fn as_installation(&self, installation: u64) -> ApiResult<Actor> {
        self.with(|state| {
            let found = state.installations.get(&installation).ok_or_else(ApiError::not_found)?;
            Ok(Actor::Bot {
                app: found.app,
                installation,
                permissions: found.permissions.clone(),
                repositories: None,
                expires_ms: i64::MAX,
            })
        })
    }

    /// A token with which a person uses REST, git and the pages.
    pub fn human_token(&self, user: u64) -> String {
        self.with(|state| {
            let token = format!("ghp_{}", state.fresh_secret());
            state.human_tokens.insert(token.clone(), user);
            token
        })
    }
}

impl State {
    fn token_actor(&self, secret: &str) -> ApiResult<Actor> {
        if let Some(user) = self.human_tokens.get(secret) {
            return Ok(Actor::User(*user));
        }
        let token = self.tokens.get(secret).filter(|token| self.now_ms < token.expires_ms);
        let token = token.ok_or_else(ApiError::bad_credentials)?;
        let installed = self.installations.get(&token.installation);
        if installed.is_none_or(|one| one.suspended) {
            return Err(ApiError::bad_credentials());
        }
        Ok(Actor::Bot {
            app: token.app,
            installation: token.installation,
            permissions: token.permissions.clone(),
            repositories: token.repositories.clone(),
            expires_ms: token.expires_ms,
        })
    }

    fn claim_actor(&self, claim: &str) -> ApiResult<Actor> {
        let refused = |why: &str| ApiError::new(401, why);
        let mut rules = Validation::new(Algorithm::RS256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_aud = false;
        let signed = self.apps.values().find_map(|app| {
            let key = app.key.get()?.as_ref()?;
            let key = DecodingKey::from_rsa_der(&key.public_der);
            Some((app, decode::<Claims>(claim, &key, &rules).ok()?.claims))
        });
        let (app, claims) =
            signed.ok_or_else(|| refused("A JSON web token could not be decoded"))?;
        let issuer = match &claims.iss {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(refused("Missing 'issuer' claim ('iss') in assertion")),
        };
        if issuer != app.id.to_string() && issuer != app.client_id {
            return Err(refused("'Issuer' claim ('iss') must be an Integer"));
        }
        let now_s = self.now_ms.div_euclid(1000);
        let (Some(issued_s), Some(expires_s)) = (claims.iat, claims.exp) else {
            return Err(refused("Missing 'expiration time' claim ('exp') in assertion"));
        };
        if issued_s > now_s + CLOCK_SLACK_S {
            return Err(refused("'Issued at' claim ('iat') must be in the past"));
        }
        if expires_s <= now_s {
            return Err(refused("'Expiration time' claim ('exp') must be in the future"));
        }
        if expires_s > now_s + CLAIM_LIFE_MAX_S + CLOCK_SLACK_S {
            return Err(refused("'Expiration time' claim ('exp') is too far in the future"));
        }
        Ok(Actor::App(app.id))
    }

    /// `POST /app/installations/{id}/access_tokens`.
    pub fn create_token(
        &mut self,
        actor: &Actor,
        installation: u64,
        scope: &TokenScope,
    ) -> ApiResult<(String, Token)> {
        let app = Self::app_of(actor)?;
        let found = self.installations.get(&installation).filter(|one| one.app == app);
        let found = found.ok_or_else(ApiError::not_found)?;
        if found.suspended {
            return Err(ApiError::new(403, "This installation has been suspended"));
        }
        let repositories = self.token_repositories(&found.repositories, scope)?;
        let permissions = match &scope.permissions {
            None => found.permissions.clone(),
            Some(asked) => {
                let held = |(name, level): (&String, &super::Level)| {
                    found.permissions.get(name).is_some_and(|has| has >= level)
                };
                if !asked.iter().all(held) {
                    let why = "The permissions requested are not granted to this installation.";
                    return Err(ApiError::new(422, why));
                }
                asked.clone()
            }
        };
        let secret = self.token_text(app);
        let expires_ms = self.now_ms + TOKEN_LIFE_MS;
        let token = Token { app, installation, permissions, repositories, expires_ms };
        self.tokens.retain(|_, old| old.expires_ms > self.now_ms);
        self.tokens.insert(secret.clone(), token.clone());
        Ok((secret, token))
    }

    fn token_repositories(
        &self,
        installed: &BTreeSet<u64>,
        scope: &TokenScope,
    ) -> ApiResult<Option<BTreeSet<u64>>> {
        let refused = || {
            let why = "There is at least one repository that does not exist or is not accessible \
                       to the parent installation.";
            ApiError::new(422, why)
        };
        let mut only: Option<BTreeSet<u64>> = None;
        for name in scope.repositories.iter().flatten() {
            let named = |id: &&u64| self.repos.get(id).is_some_and(|repo| repo.name == *name);
            let id = installed.iter().find(named).ok_or_else(refused)?;
            only.get_or_insert_default().insert(*id);
        }
        for id in scope.repository_ids.iter().flatten() {
            if !installed.contains(id) {
                return Err(refused());
            }
            only.get_or_insert_default().insert(*id);
        }
        Ok(only)
    }

    /// The long form of 2026: about 520 characters with two dots.
    fn token_text(&mut self, app: u64) -> String {
        let text: String = (0..8).map(|_| self.fresh_secret()).collect();
        let (head, rest) = text.split_at_checked(36).unwrap_or((&text, ""));
        let (claims, signature) = rest.split_at_checked(140).unwrap_or((rest, ""));
        format!("ghs_{app}_{head}.{claims}.{signature}")
    }

    pub(crate) fn app_of(actor: &Actor) -> ApiResult<u64> {
        match actor {
            Actor::App(app) => Ok(*app),
            Actor::Anonymous | Actor::User(_) | Actor::Bot { .. } => {
                Err(ApiError::new(401, "A JSON web token could not be decoded"))
            }
        }
    }
}
