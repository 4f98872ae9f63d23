//! Keys that only targets of HTTP and rules for them have.
//!
//! Owns their names, kinds and documentation. Must not know what makes a value good (`check`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use model::{Action, Domain};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::scalar::{Word, Words};
use super::target::RawSecret;
use crate::config::read::At;

/// Methods of HTTP on hosts and paths. Each list that is given must fit a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HttpBlock")]
pub(in crate::config) struct RawHttp {
    /// The methods, in upper case: `OTHER` for all that have no word here, `"*"` for every method.
    /// Needed, but beside `statuses`.
    #[schemars(with = "Vec<Word<HttpMethod>>")]
    pub(in crate::config) methods: Option<At<Vec<At<String>>>>,
    /// The hosts that requests are for: `api.example`, `*.api.example`, `10.0.0.5`. `*` stands for
    /// any characters. Default: all of the target.
    pub(in crate::config) hosts: Option<At<Vec<At<String>>>>,
    /// The paths, decoded: `*` stands for characters of a part, `**` for any number of parts:
    /// `/v1/users/*`, `/v1/**` is `/v1` and all below it. Default: all.
    pub(in crate::config) paths: Option<At<Vec<At<String>>>>,
    /// What the query must have: each name with its value, in which `*` stands for any characters
    /// and `?` for one. To allow, every occurrence of the name must match; to deny or hold, one.
    pub(in crate::config) query: Option<At<BTreeMap<String, At<String>>>>,
    /// Whether requests to go on in another protocol (WebSocket) are meant too. They need it beside
    /// their method. Default: where `methods` has `"*"` or `UPGRADE`.
    pub(in crate::config) upgrade: Option<At<bool>>,
    /// The statuses of answers: `404`, `5xx`. With them the rule is about answers instead of
    /// requests, and can only `deny`: then the answer is not shown.
    pub(in crate::config) statuses: Option<At<Vec<At<RawStatus>>>>,
}

/// The words of `methods`.
pub(in crate::config) struct HttpMethod;

/// Stands for every method.
pub(in crate::config) const EVERY_METHOD: &str = "*";

/// The words for methods. An answer has no method of its own.
pub(in crate::config) fn method_words() -> Vec<&'static str> {
    let own = |action: &&Action| action.domain() == Domain::Http && **action != Action::Answer;
    let words = Action::ALL.iter().filter(own).map(|action| action.as_str());
    words.chain([EVERY_METHOD]).collect()
}

impl Words for HttpMethod {
    fn words() -> Vec<String> {
        method_words().into_iter().map(str::to_owned).collect()
    }
}

/// A status as a number, or a class of them as text. Parsing the text is for `check`.
#[derive(Clone, Debug)]
pub(in crate::config) struct RawStatus(pub(in crate::config) String);

impl<'de> Deserialize<'de> for RawStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = RawStatus;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status, such as 404 or 5xx")
            }
            fn visit_u64<E>(self, status: u64) -> Result<RawStatus, E> {
                Ok(RawStatus(status.to_string()))
            }
            fn visit_str<E>(self, text: &str) -> Result<RawStatus, E> {
                Ok(RawStatus(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for RawStatus {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "status",
            "anyOf": [
                { "type": "integer", "minimum": 100, "maximum": 599 },
                { "type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$" },
            ],
        })
    }
}

/// What happens to clients that do not trust the gateway.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "UntrustingClients", inline)]
pub(in crate::config) enum RawUntrusting {
    /// They are refused, and what to do is reported.
    Deny,
    /// They reach the target with their own credentials: **nothing is judged, masked or recorded**
    /// but that it happened.
    Passthrough,
}

/// What happens to a `%2F` in a path.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EncodedSlashes", inline)]
pub(in crate::config) enum RawEncodedSlashes {
    /// The request is refused: servers differ in what they make of it.
    Refuse,
    /// It is a character of its part, which patterns write `%2F`.
    Allow,
}

/// A header with a secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HeaderCredential")]
pub(in crate::config) struct RawHeaderCredential {
    /// The header's name, such as `X-Api-Key`.
    pub(in crate::config) name: At<String>,
    /// Where its value is.
    pub(in crate::config) value: At<RawSecret>,
}

/// A part of the query with a secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QueryCredential")]
pub(in crate::config) struct RawQueryCredential {
    /// The name in the query, such as `key`.
    pub(in crate::config) name: At<String>,
    /// Where its value is.
    pub(in crate::config) value: At<RawSecret>,
}

/// Keys of AWS, with which each request is signed (Signature Version 4).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AwsCredential")]
pub(in crate::config) struct RawAwsCredential {
    /// The id of the access key.
    pub(in crate::config) access_key_id: At<String>,
    /// Where the secret access key is.
    pub(in crate::config) secret_access_key: At<RawSecret>,
    /// Where the session token is, for keys that were given out for a time.
    pub(in crate::config) session_token: Option<At<RawSecret>>,
    /// The region that requests are signed for.
    pub(in crate::config) region: At<String>,
    /// The service that requests are signed for, such as `s3`.
    pub(in crate::config) service: At<String>,
}

/// Credentials of an OAuth 2.0 client, with which tokens are fetched and kept until they expire.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OAuth2Credential")]
pub(in crate::config) struct RawOAuth2Credential {
    /// Where tokens are fetched: an `https` URL.
    pub(in crate::config) token_url: At<String>,
    /// The client's id.
    pub(in crate::config) client_id: At<String>,
    /// Where the client's secret is.
    pub(in crate::config) client_secret: At<RawSecret>,
    /// The scopes that are asked for. Default: none, which leaves them to the provider.
    #[serde(default)]
    pub(in crate::config) scopes: Vec<At<String>>,
    /// Whom tokens are for, where the provider wants to know.
    pub(in crate::config) audience: Option<At<String>>,
    /// File of the authorities that are trusted at `token_url`, in PEM. Default: the host's.
    pub(in crate::config) ca: Option<At<String>>,
}
