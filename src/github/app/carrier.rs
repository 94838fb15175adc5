//! Another way to carry requests than our own client: a server in this very process.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response, Uri};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};

use super::Config;
use crate::github::Error;

/// Largest body carried, in bytes; GitHub's own limits lie far below.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An answer, or why there is none.
pub type Carried = Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>>;

/// Carries one request and brings its answer. It follows no redirects.
#[async_trait]
pub trait Carrier: Send + Sync {
    async fn carry(&self, request: Request<Bytes>) -> Carried;
}

/// Octocrab over `carrier`, with paths relative to the configured address.
pub(super) fn octocrab(config: &Config, carrier: Arc<dyn Carrier>) -> Result<Octocrab, Error> {
    let base: Uri = config
        .api_url
        .parse()
        .map_err(|error| Error::Unexpected(format!("the address of the interface: {error}")))?;
    let service = tower::service_fn(move |request: Request<OctoBody>| {
        let carrier = Arc::clone(&carrier);
        async move {
            let (parts, body) = request.into_parts();
            let bytes = to_bytes(Body::new(body), BODY_BYTES_MAX).await?;
            let answer = carrier.carry(Request::from_parts(parts, bytes)).await?;
            Carried::Ok(answer).map(|answer| answer.map(reqwest::Body::from))
        }
    });
    let built = OctocrabBuilder::new_empty()
        .with_service(service)
        .with_layer(&BaseUriLayer::new(base))
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(crab) => Ok(crab),
        Err(never) => match never {},
    }
}
