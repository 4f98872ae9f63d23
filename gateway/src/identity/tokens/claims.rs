//! What verified claims say about groups.
//!
//! Owns the shapes in which providers write groups. Must not know signatures. Absence is never
//! everything: no claim means no groups, a claim that cannot be read refuses the token.

use std::collections::BTreeSet;

use model::Group;
use serde_json::{Map, Value};

/// Groups of one token. Raised, a provider can make principals arbitrarily large.
const GROUPS_MAX: usize = 1_000;
/// Bytes of one group's name.
const GROUP_BYTES_MAX: usize = 256;

/// Why the groups cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// The provider left them out because they are too many, and points elsewhere.
    #[error(
        "the provider left the groups out because there are too many (`{0}`); assign fewer groups \
         to this application, or let it emit only those assigned to it"
    )]
    Overflow(String),
    /// The claim is neither a list of names nor one name.
    #[error("the claim `{0}` holds neither a list of names nor one name")]
    Shape(String),
    /// Too many, too long, empty, or with control characters.
    #[error(
        "the claim `{0}` holds too many names, or one that is empty, too long or not printable"
    )]
    Names(String),
}

/// Where the groups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupsClaim(String);

impl GroupsClaim {
    /// From a claim's name or a path of names joined by dots. A claim whose whole name is the text
    /// (`https://corp.example/groups`) comes before the path.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The groups in `claims`; none where the claim is missing.
    ///
    /// # Errors
    /// Where there is something that cannot be taken for a list of groups.
    pub fn groups_in(&self, claims: &Map<String, Value>) -> Result<BTreeSet<Group>, ClaimsError> {
        self.refuse_overflow(claims)?;
        let one;
        let names = match self.find(claims) {
            None | Some(Value::Null) => return Ok(BTreeSet::new()),
            Some(Value::Array(names)) => names,
            Some(name @ Value::String(_)) => {
                one = vec![name.clone()];
                &one
            }
            Some(_) => return Err(ClaimsError::Shape(self.0.clone())),
        };
        if names.len() > GROUPS_MAX {
            return Err(ClaimsError::Names(self.0.clone()));
        }
        names.iter().map(|name| self.group(name)).collect()
    }

    fn group(&self, name: &Value) -> Result<Group, ClaimsError> {
        let name = name.as_str().ok_or_else(|| ClaimsError::Shape(self.0.clone()))?;
        if name.is_empty() || name.len() > GROUP_BYTES_MAX || name.chars().any(char::is_control) {
            return Err(ClaimsError::Names(self.0.clone()));
        }
        Ok(Group::new(name))
    }

    fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        if let Some(whole) = claims.get(&self.0) {
            return Some(whole);
        }
        let mut names = self.0.split('.');
        let mut at = claims.get(names.next()?)?;
        for name in names {
            at = at.as_object()?.get(name)?;
        }
        Some(at)
    }

    /// Entra ID gives a pointer (`_claim_names`, or `hasgroups` in implicit flows) in place of the
    /// groups when there are more than 200 (150 in SAML, 6 in implicit flows). OpenID Connect Core
    /// 5.6.2 defines `_claim_names`.
    fn refuse_overflow(&self, claims: &Map<String, Value>) -> Result<(), ClaimsError> {
        let top = self.0.split('.').next().unwrap_or_default();
        let pointed = |name: &str| {
            claims.get("_claim_names").is_some_and(|names| match names {
                Value::Object(names) => names.contains_key(name),
                _ => true,
            })
        };
        if pointed(&self.0) || pointed(top) {
            return Err(ClaimsError::Overflow(String::from("_claim_names")));
        }
        match claims.get("hasgroups") {
            None | Some(Value::Bool(false) | Value::Null) => Ok(()),
            Some(_) => Err(ClaimsError::Overflow(String::from("hasgroups"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn groups(path: &str, claims: &Value) -> Result<Vec<String>, ClaimsError> {
        let groups = GroupsClaim::new(path).groups_in(claims.as_object().unwrap())?;
        Ok(groups.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn groups_are_found_by_name_and_by_path() {
        assert_eq!(groups("groups", &json!({"groups": ["b", "a", "b"]})).unwrap(), ["a", "b"]);
        assert_eq!(groups("groups", &json!({"groups": "one"})).unwrap(), ["one"]);
        let keycloak = json!({"realm_access": {"roles": ["x"]}});
        assert_eq!(groups("realm_access.roles", &keycloak).unwrap(), ["x"]);
        let url = json!({"https://corp.example/groups": ["y"]});
        assert_eq!(groups("https://corp.example/groups", &url).unwrap(), ["y"]);
    }

    #[test]
    fn b3_no_groups_claim_means_no_groups() {
        assert!(groups("groups", &json!({})).unwrap().is_empty());
        assert!(groups("groups", &json!({"groups": null})).unwrap().is_empty());
        assert!(groups("groups", &json!({"groups": []})).unwrap().is_empty());
        assert!(groups("a.b", &json!({"a": "text"})).unwrap().is_empty());
    }

    #[test]
    fn b3_a_pointer_in_place_of_the_groups_is_refused() {
        let pointer = json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}});
        assert!(matches!(groups("groups", &pointer), Err(ClaimsError::Overflow(_))));
        assert!(matches!(
            groups("groups", &json!({"hasgroups": true})),
            Err(ClaimsError::Overflow(_))
        ));
        let both = json!({"groups": ["a"], "_claim_names": {"groups": "src1"}});
        assert!(matches!(groups("groups", &both), Err(ClaimsError::Overflow(_))));
        let other = json!({"groups": ["a"], "_claim_names": {"address": "src1"}});
        assert_eq!(groups("groups", &other).unwrap(), ["a"]);
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        for wrong in [json!(7), json!(true), json!({"a": 1}), json!([["a"]]), json!([1])] {
            let claims = json!({ "groups": wrong });
            assert!(matches!(groups("groups", &claims), Err(ClaimsError::Shape(_))), "{claims}");
        }
        let many: Vec<String> = (0..=GROUPS_MAX).map(|n| n.to_string()).collect();
        let long = "x".repeat(GROUP_BYTES_MAX + 1);
        for wrong in [json!([""]), json!(["a\nb"]), json!([long]), json!(many)] {
            let claims = json!({ "groups": wrong });
            assert!(matches!(groups("groups", &claims), Err(ClaimsError::Names(_))));
        }
    }
}
