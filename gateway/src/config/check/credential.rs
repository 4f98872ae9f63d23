//! What the gateway logs in with, by protocol.
//!
//! Owns which credential goes with which protocol. Must not read a secret, nor say one in an error.

use model::{HttpCredential, Protocol};

use super::Checker;
use crate::config::raw::http::{RawAwsCredential, RawOAuth2Credential};
use crate::config::raw::ssh::RawCertificate;
use crate::config::raw::target::{RawCredential, RawSecret};
use crate::config::read::At;
use crate::config::settings::{CredentialSettings, SecretSource};
use crate::config::tree::Spot;

/// What a credential for HTTP may be.
const KINDS: &str = "write one of bearer, user with password, header, query, aws, oauth2 and \
                     none: true";
/// Headers that say where a message ends or whom it is for: no place for a secret.
const FRAMING: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "content-encoding",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Checker<'_> {
    pub(super) fn credential(
        self,
        raw: &RawCredential,
        spot: Spot,
        protocol: Option<Protocol>,
    ) -> Option<CredentialSettings> {
        let user = match &raw.user {
            None => Some(None),
            Some(at) => self.free_text(at).map(|user| Some(user.to_owned())),
        };
        let secret = |at: Option<&At<RawSecret>>| match at {
            None => Some(None),
            Some(at) => at.get().and_then(|secret| self.secret(secret)).map(Some),
        };
        let password = secret(raw.password.as_ref());
        let private_key = secret(raw.private_key.as_ref());
        let certificate = match &raw.certificate {
            None => Some(None),
            Some(at) => at.get().and_then(|RawCertificate::File(at)| self.path(at)).map(Some),
        };
        let http = match protocol {
            Some(protocol) if protocol.is_over_http() => self.http_credential(raw, spot).map(Some),
            _ => Some(None),
        };
        self.credential_fits(raw, spot, protocol?)?;
        if let Some(http) = http? {
            let nothing = CredentialSettings::default();
            return Some(CredentialSettings { http: Some(http), ..nothing });
        }
        Some(CredentialSettings {
            user: user?,
            password: password?,
            private_key: private_key?,
            certificate: certificate?,
            http: None,
        })
    }

    fn secret(self, raw: &RawSecret) -> Option<SecretSource> {
        match raw {
            RawSecret::File(at) => self.path(at).map(SecretSource::File),
            RawSecret::Env(at) => {
                let name = self.free_text(at)?;
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
                    let remedy = "write the name of the variable, such as DB_PASSWORD";
                    self.refuse(at, "this is not the name of an environment variable", remedy);
                    return None;
                }
                Some(SecretSource::Environment(name.to_owned()))
            }
            RawSecret::SystemdCredential(at) => {
                self.name(at).map(|name| SecretSource::SystemdCredential(name.to_owned()))
            }
        }
    }

    /// Refuses what a credential cannot be for the protocol; `None` where it did.
    fn credential_fits(self, raw: &RawCredential, spot: Spot, protocol: Protocol) -> Option<()> {
        let before = self.report.count();
        let refuse = |spot: Spot, reason: &str, remedy: &str| {
            self.report.refuse(spot, reason, Some(remedy.to_owned()));
        };
        let keys = [
            raw.private_key.as_ref().map(|at| at.spot),
            raw.certificate.as_ref().map(|at| at.spot),
        ];
        let of_http = [
            raw.bearer.as_ref().map(|at| at.spot),
            raw.header.as_ref().map(|at| at.spot),
            raw.query.as_ref().map(|at| at.spot),
            raw.aws.as_ref().map(|at| at.spot),
            raw.oauth2.as_ref().map(|at| at.spot),
            raw.none.as_ref().map(|at| at.spot),
        ];
        match protocol {
            Protocol::Postgres | Protocol::Mysql => {
                if raw.user.is_none() {
                    refuse(spot, "the key user is missing", "add user: the name to log in with");
                }
                for spot in keys.into_iter().chain(of_http).flatten() {
                    let reason = "no database logs in with this";
                    refuse(spot, reason, "remove it; write password: { file: .. }");
                }
            }
            Protocol::Ssh => {
                for spot in of_http.into_iter().flatten() {
                    let reason = "SSH does not log in with this";
                    refuse(spot, reason, "remove it; write private_key: { file: .. }");
                }
                if raw.password.is_none() && raw.private_key.is_none() {
                    let remedy = "add private_key: { file: .. } or password: { file: .. }";
                    refuse(spot, "there is nothing to log in with", remedy);
                }
                if let Some(at) = raw.certificate.as_ref().filter(|_| raw.private_key.is_none()) {
                    let reason = "a certificate is of no use without its private key";
                    refuse(at.spot, reason, "add private_key: { file: .. }");
                }
            }
            Protocol::Http | Protocol::Kubernetes => {
                for spot in keys.into_iter().flatten() {
                    let remedy = "remove it; a certificate for TLS goes under \
                                  upstream_tls.client_certificate";
                    refuse(spot, "HTTP does not log in with this", remedy);
                }
                let kinds = of_http.into_iter().chain([basic(raw)]).flatten();
                match kinds.count() {
                    0 => refuse(spot, "there is nothing to log in with", KINDS),
                    1 => {}
                    _ => refuse(spot, "there is more than one thing to log in with", KINDS),
                }
            }
        }
        (self.report.count() == before).then_some(())
    }

    /// The first credential for HTTP that is there; whether it is the only one is asked elsewhere.
    fn http_credential(
        self,
        raw: &RawCredential,
        spot: Spot,
    ) -> Option<HttpCredential<SecretSource>> {
        if let Some(at) = &raw.bearer {
            return self.secret_at(at).map(HttpCredential::Bearer);
        }
        if let Some(header) = &raw.header {
            let header = header.get()?;
            let (name, value) = (self.header_name(&header.name), self.secret_at(&header.value));
            return Some(HttpCredential::Header { name: name?, value: value? });
        }
        if let Some(query) = &raw.query {
            let query = query.get()?;
            let (name, value) = (self.owned_text(&query.name), self.secret_at(&query.value));
            return Some(HttpCredential::Query { name: name?, value: value? });
        }
        if let Some(aws) = &raw.aws {
            return aws.get().and_then(|aws| self.aws(aws));
        }
        if let Some(oauth2) = &raw.oauth2 {
            return oauth2.get().and_then(|oauth2| self.oauth2(oauth2));
        }
        if let Some(none) = &raw.none {
            if *none.get()? {
                return Some(HttpCredential::None);
            }
            self.refuse(none, "there is nothing to log in with", KINDS);
            return None;
        }
        basic(raw)?;
        let (Some(user), Some(password)) = (&raw.user, &raw.password) else {
            let reason = "a user goes with a password, and a password with a user";
            self.report.refuse(spot, reason, Some(KINDS.to_owned()));
            return None;
        };
        let (user, password) = (self.basic_user(user), self.secret_at(password));
        Some(HttpCredential::Basic { user: user?, password: password? })
    }

    /// A user, which ends at the first colon (RFC 7617).
    fn basic_user(self, at: &At<String>) -> Option<String> {
        let user = self.owned_text(at)?;
        if user.contains(':') {
            self.refuse(at, "a user for basic authentication has no colon", "write it without");
            return None;
        }
        Some(user)
    }

    fn aws(self, raw: &RawAwsCredential) -> Option<HttpCredential<SecretSource>> {
        let token = match &raw.session_token {
            None => Some(None),
            Some(at) => self.secret_at(at).map(Some),
        };
        let (id, key) = (self.name(&raw.access_key_id), self.secret_at(&raw.secret_access_key));
        let (region, service) = (self.name(&raw.region), self.name(&raw.service));
        Some(HttpCredential::Aws {
            access_key_id: id?.to_owned(),
            secret_access_key: key?,
            session_token: token?,
            region: region?.to_owned(),
            service: service?.to_owned(),
        })
    }

    fn oauth2(self, raw: &RawOAuth2Credential) -> Option<HttpCredential<SecretSource>> {
        let url = self.https_url(&raw.token_url, "https://idp.example/oauth2/token");
        let (id, secret) = (self.owned_text(&raw.client_id), self.secret_at(&raw.client_secret));
        let scopes: Vec<String> =
            raw.scopes.iter().filter_map(|scope| self.oauth2_scope(scope)).collect();
        let audience = match &raw.audience {
            None => Some(None),
            Some(at) => self.owned_text(at).map(Some),
        };
        let ca = match &raw.ca {
            None => Some(None),
            Some(at) => self.path(at).map(Some),
        };
        Some(HttpCredential::OAuth2 {
            token_url: url?,
            client_id: id?,
            client_secret: secret?,
            scopes: Some(scopes).filter(|read| read.len() == raw.scopes.len())?,
            audience: audience?,
            ca: ca?,
        })
    }

    /// One scope: they are divided by spaces (RFC 6749 section 3.3).
    fn oauth2_scope(self, at: &At<String>) -> Option<String> {
        let scope = self.owned_text(at)?;
        if scope.contains([' ', '"', '\\']) || !scope.is_ascii() {
            self.refuse(at, "this is not one scope", "write a list of scopes, one each");
            return None;
        }
        Some(scope)
    }

    /// The name of a header that can hold a secret, in lower case.
    fn header_name(self, at: &At<String>) -> Option<String> {
        let name = self.free_text(at)?.to_ascii_lowercase();
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !name.bytes().all(is_token) {
            self.refuse(at, "this is not the name of a header", "write it like X-Api-Key");
            return None;
        }
        if FRAMING.contains(&name.as_str()) {
            let reason = "this header says how the request is read, and has no room for a secret";
            self.refuse(at, reason, "write the header that the target reads the secret from");
            return None;
        }
        Some(name)
    }

    fn owned_text(self, at: &At<String>) -> Option<String> {
        self.free_text(at).map(str::to_owned)
    }

    fn secret_at(self, at: &At<RawSecret>) -> Option<SecretSource> {
        at.get().and_then(|secret| self.secret(secret))
    }
}

/// Where basic authentication is written.
fn basic(raw: &RawCredential) -> Option<Spot> {
    let password = raw.password.as_ref().map(|at| at.spot);
    raw.user.as_ref().map(|at| at.spot).or(password)
}

/// The files that a credential refers to.
pub(super) fn referenced<'a>(
    raw: Option<&'a RawCredential>,
    files: &mut Vec<(&'static str, &'a At<String>)>,
) {
    let Some(raw) = raw else { return };
    let mut secret = |what, at: Option<&'a At<RawSecret>>| {
        if let Some(RawSecret::File(at)) = at.and_then(At::get) {
            files.push((what, at));
        }
    };
    secret("the file of the password", raw.password.as_ref());
    secret("the file of the private key", raw.private_key.as_ref());
    secret("the file of the bearer token", raw.bearer.as_ref());
    let header = raw.header.as_ref().and_then(At::get);
    secret("the file of the header's value", header.map(|one| &one.value));
    let query = raw.query.as_ref().and_then(At::get);
    secret("the file of the query's value", query.map(|one| &one.value));
    let aws = raw.aws.as_ref().and_then(At::get);
    secret("the file of the secret access key", aws.map(|one| &one.secret_access_key));
    let token = aws.and_then(|one| one.session_token.as_ref());
    secret("the file of the session token", token);
    let oauth2 = raw.oauth2.as_ref().and_then(At::get);
    secret("the file of the client's secret", oauth2.map(|one| &one.client_secret));
    let ca = oauth2.and_then(|one| one.ca.as_ref());
    files.extend(ca.map(|at| ("the file of authorities", at)));
    if let Some(RawCertificate::File(at)) = raw.certificate.as_ref().and_then(At::get) {
        files.push(("the file of the certificate", at));
    }
}
