//! The forms of an answer that can be masked.
//!
//! Owns what a request may say under `accept` where its answer is masked. Must not know what the
//! masks do. The server picks among what is left, which is JSON always: neither protobuf nor YAML
//! is read here, and tables only of what is known not to show a field in a cell.

use http::header::{self, HeaderMap, HeaderValue};
use model::{FieldMask, FieldPart, ResourceFacts};

const JSON: &str = "application/json";
/// Resources of the core group whose tables count what is in these fields, and show none of it.
const TABLES: &[&str] = &["configmaps", "secrets"];
const COUNTED: &[&str] = &["binaryData", "data", "stringData"];

/// Whether no cell of a table of the resource shows what the masks are about.
pub(super) fn shows_tables<'a>(
    facts: &ResourceFacts,
    mut about: impl Iterator<Item = &'a FieldMask>,
) -> bool {
    let is_counted = |mask: &FieldMask| match mask.pattern.parts().first() {
        Some(FieldPart::Name(name)) => COUNTED.contains(&name.as_str()),
        _ => false,
    };
    let is_known = facts.group.is_empty() && TABLES.contains(&&*facts.resource);
    about.all(|mask| is_known && is_counted(mask))
}

/// Leaves the forms that can be masked, in their order; JSON where there is none of them.
pub(super) fn narrow(headers: &mut HeaderMap, tables: bool) {
    let given: Vec<String> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter(|form| can_be_masked(form, tables))
        .map(|form| form.trim().to_owned())
        .collect();
    let left = if given.is_empty() { JSON.to_owned() } else { given.join(",") };
    headers.remove(header::ACCEPT);
    headers.insert(
        header::ACCEPT,
        HeaderValue::from_str(&left).unwrap_or_else(|_| HeaderValue::from_static(JSON)),
    );
}

fn can_be_masked(form: &str, tables: bool) -> bool {
    let mut parts = form.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(JSON));
    let fits = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "as" => match value {
                "Table" => tables,
                other => matches!(other, "PartialObjectMetadata" | "PartialObjectMetadataList"),
            },
            _ => !value.contains('"'),
        }
    };
    is_json && parts.all(fits)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{FieldPattern, RequestFacts, Transform};

    use super::*;

    fn narrowed(accept: &[&str], tables: bool) -> String {
        let mut headers = HeaderMap::new();
        for one in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(one).unwrap());
        }
        narrow(&mut headers, tables);
        let all: Vec<_> = headers.get_all(header::ACCEPT).iter().collect();
        assert_eq!(all.len(), 1);
        all[0].to_str().unwrap().to_owned()
    }

    const KUBECTL: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,\
                           application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
    const CLIENT_GO: &str = "application/vnd.kubernetes.protobuf, application/json";

    #[test]
    fn only_what_can_be_masked_is_left() {
        assert_eq!(narrowed(&[KUBECTL], true), KUBECTL);
        assert_eq!(narrowed(&[KUBECTL], false), "application/json");
        assert_eq!(narrowed(&[CLIENT_GO], true), "application/json");
        assert_eq!(narrowed(&[], true), "application/json");
        for other in [
            "*/*",
            "application/*",
            "application/yaml",
            "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
            "application/json;as=Other",
            "application/json;as=\"Table\"",
            "application/json; As = Table",
            "application/json;x=\"a,b\"",
            "text/plain",
        ] {
            assert_eq!(narrowed(&[other], false), "application/json", "{other}");
        }
        assert_eq!(
            narrowed(
                &["application/yaml", "Application/JSON;as=PartialObjectMetadata;v=v1;q=0.5"],
                false
            ),
            "Application/JSON;as=PartialObjectMetadata;v=v1;q=0.5"
        );
    }

    #[test]
    fn a_table_is_shown_of_what_is_known_to_count_its_fields() {
        let facts = |group: &str, resource: &str| ResourceFacts {
            group: group.into(),
            resource: resource.into(),
            ..ResourceFacts::of_path(Arc::new(RequestFacts {
                method: "GET".into(),
                host: "a".into(),
                path: "/".into(),
                query: Vec::new(),
                headers: Vec::new(),
                status: None,
            }))
        };
        let masks = |patterns: &[&str]| -> Vec<FieldMask> {
            let mask = |pattern: &&str| FieldMask {
                pattern: FieldPattern::parse(pattern).unwrap(),
                routes: Vec::new(),
                resources: Vec::new(),
                tag: "secret".into(),
                transform: Transform::Redact,
            };
            patterns.iter().map(mask).collect()
        };
        let shows =
            |facts: &ResourceFacts, patterns: &[&str]| shows_tables(facts, masks(patterns).iter());
        assert!(shows(&facts("", "secrets"), &["data.*", "stringData.*"]));
        assert!(!shows(&facts("", "secrets"), &["data.*", "type"]));
        assert!(!shows(&facts("", "secrets"), &["**.password"]));
        assert!(!shows(&facts("", "pods"), &["data.*"]));
        assert!(!shows(&facts("example.com", "secrets"), &["data.*"]));
        assert!(shows(&facts("", "pods"), &[]));
    }
}
