//! What the gateway logs in with over HTTP.
//!
//! Owns the kinds and what each is made of. Must not know where a secret is kept nor how it is put
//! into a request: `S` is the place of a secret where the configuration is meant, and the secret
//! itself once it was read.

use std::path::PathBuf;

/// A credential for HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HttpCredential<S> {
    /// None: the target asks for none, or for a certificate only.
    None,
    /// `Authorization: Bearer ..` (RFC 6750).
    Bearer(S),
    /// `Authorization: Basic ..` (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: S,
    },
    /// A header of the target's own.
    Header {
        /// Its name, in lower case.
        name: String,
        /// Its value.
        value: S,
    },
    /// A name of the query.
    Query {
        /// The name.
        name: String,
        /// Its value.
        value: S,
    },
    /// A signature of each request (AWS Signature Version 4).
    Aws {
        /// Which key.
        access_key_id: String,
        /// The key.
        secret_access_key: S,
        /// What belongs to a key that was given out for a time.
        session_token: Option<S>,
        /// The region that signatures are for.
        region: String,
        /// The service that signatures are for.
        service: String,
    },
    /// A token that is fetched with the client's own credentials (RFC 6749 section 4.4).
    OAuth2 {
        /// Where: an `https` URL.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// Its secret.
        client_secret: S,
        /// What is asked for.
        scopes: Vec<String>,
        /// Whom the token is for, where the provider wants to know.
        audience: Option<String>,
        /// File of the authorities that are trusted there, in PEM; `None` for the host's.
        ca: Option<PathBuf>,
    },
}

impl<S> HttpCredential<S> {
    /// The same with each secret read, or moved to another place.
    ///
    /// # Errors
    /// The first that `read` gives.
    pub fn try_map<T, E>(
        &self,
        mut read: impl FnMut(&S) -> Result<T, E>,
    ) -> Result<HttpCredential<T>, E> {
        Ok(match self {
            Self::None => HttpCredential::None,
            Self::Bearer(token) => HttpCredential::Bearer(read(token)?),
            Self::Basic { user, password } => {
                HttpCredential::Basic { user: user.clone(), password: read(password)? }
            }
            Self::Header { name, value } => {
                HttpCredential::Header { name: name.clone(), value: read(value)? }
            }
            Self::Query { name, value } => {
                HttpCredential::Query { name: name.clone(), value: read(value)? }
            }
            Self::Aws { access_key_id, secret_access_key, session_token, region, service } => {
                HttpCredential::Aws {
                    access_key_id: access_key_id.clone(),
                    secret_access_key: read(secret_access_key)?,
                    session_token: session_token.as_ref().map(&mut read).transpose()?,
                    region: region.clone(),
                    service: service.clone(),
                }
            }
            Self::OAuth2 { token_url, client_id, client_secret, scopes, audience, ca } => {
                HttpCredential::OAuth2 {
                    token_url: token_url.clone(),
                    client_id: client_id.clone(),
                    client_secret: read(client_secret)?,
                    scopes: scopes.clone(),
                    audience: audience.clone(),
                    ca: ca.clone(),
                }
            }
        })
    }

    /// The same with each secret moved to another place.
    #[must_use]
    pub fn map<T>(&self, mut place: impl FnMut(&S) -> T) -> HttpCredential<T> {
        let Ok(mapped) = self.try_map(|secret| Ok::<T, std::convert::Infallible>(place(secret)));
        mapped
    }
}
