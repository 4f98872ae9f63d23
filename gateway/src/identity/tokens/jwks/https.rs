//! Keys from an `https` address.
//!
//! Owns what is asked for. Must not know keys, nor how a server is reached (`tls`). Ends with the
//! call.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{FetchError, FetchKeys, JWKS_BYTES_MAX};
use crate::tls::{DialHost, HttpsAddress};

const ACCEPT: &str = "application/jwk-set+json, application/json";

/// A JWK set behind an `https` address.
#[derive(Debug)]
pub struct HttpsKeys {
    address: HttpsAddress,
}

impl HttpsKeys {
    /// Checks the address; nothing is connected yet.
    ///
    /// # Errors
    /// Where it is not `https`, or holds a user name.
    pub fn new(
        url: &str,
        ca_file: Option<PathBuf>,
        dialer: Arc<dyn DialHost>,
    ) -> Result<Self, FetchError> {
        Ok(Self { address: HttpsAddress::new(url, ca_file, dialer)? })
    }
}

impl FetchKeys for HttpsKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, FetchError>> {
        Box::pin(async { Ok(self.address.get(ACCEPT, JWKS_BYTES_MAX).await?) })
    }
}
