//! One request to an API server of resources, reduced to what rules can speak of.
//!
//! Owns the shape. Must not know how it is found out: whoever made one has read the request as the
//! server does. Beside the request as HTTP has it stands what it means.

use std::fmt;
use std::sync::Arc;

use crate::access::write_words;
use crate::request::RequestFacts;

/// Subresources whose requests are streams, or reach something else through the server: what comes
/// of them is no object.
const STREAMS: &[&str] = &["attach", "exec", "log", "portforward", "proxy"];
/// Those of them that are a verb of their own.
const VERBS: &[&str] = &["attach", "exec", "portforward", "proxy"];
/// Subresources of the core group that give out more than their resource: a credential, a command
/// in a running pod, every pod of a node. No wildcard grants them.
const POWERFUL: &[(&str, &str)] =
    &[("nodes", "proxy"), ("pods", "ephemeralcontainers"), ("serviceaccounts", "token")];
/// Resources that are in no namespace, by group.
const OF_CLUSTER: &[(&str, &[&str])] = &[
    ("", &["componentstatuses", "namespaces", "nodes", "persistentvolumes"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("certificates.k8s.io", &["certificatesigningrequests"]),
    ("flowcontrol.apiserver.k8s.io", &["flowschemas", "prioritylevelconfigurations"]),
    ("networking.k8s.io", &["ingressclasses"]),
    ("node.k8s.io", &["runtimeclasses"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    ("storage.k8s.io", &["csidrivers", "csinodes", "storageclasses", "volumeattachments"]),
];

/// What rules can speak of. What is not there is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceFacts {
    /// The request itself.
    pub request: Arc<RequestFacts>,
    /// The group of the API; empty for the core group.
    pub group: Arc<str>,
    /// The version of the API.
    pub version: Arc<str>,
    /// The resource, in the plural; empty for a path that is no resource (`/version`).
    pub resource: Arc<str>,
    /// The subresource.
    pub subresource: Arc<str>,
    /// The namespace; empty for all of them, and for what is in none.
    pub namespace: Arc<str>,
    /// The name of the object; empty for all of them, and for one whose name is in the body.
    pub name: Arc<str>,
    /// The words of a command that is run.
    pub command: Arc<[Arc<str>]>,
}

impl ResourceFacts {
    /// A request for a path that is no resource.
    #[must_use]
    pub fn of_path(request: Arc<RequestFacts>) -> Self {
        let nothing: Arc<str> = Arc::from("");
        Self {
            request,
            group: Arc::clone(&nothing),
            version: Arc::clone(&nothing),
            resource: Arc::clone(&nothing),
            subresource: Arc::clone(&nothing),
            namespace: Arc::clone(&nothing),
            name: nothing,
            command: Arc::new([]),
        }
    }

    /// Whether it is for a path that is no resource.
    #[must_use]
    pub fn is_path(&self) -> bool {
        self.resource.is_empty()
    }

    /// Whether the subresource is a verb of its own, and goes without saying where that is named.
    #[must_use]
    pub fn is_verb(&self) -> bool {
        VERBS.contains(&&*self.subresource)
    }

    /// Whether what comes of it is an object, or several: not a stream, and not somebody else's.
    #[must_use]
    pub fn has_objects(&self) -> bool {
        !self.is_path() && !STREAMS.contains(&&*self.subresource)
    }

    /// Whether it gives out more than its resource, so that no wildcard grants it.
    #[must_use]
    pub fn is_powerful(&self) -> bool {
        self.group.is_empty() && POWERFUL.contains(&(&*self.resource, &*self.subresource))
    }

    /// Whether it may be about objects of any namespace: about all of them, where none is named.
    #[must_use]
    pub fn spans_namespaces(&self) -> bool {
        let of_cluster = |(group, resources): &(&str, &[&str])| {
            *group == &*self.group && resources.contains(&&*self.resource)
        };
        self.namespace.is_empty() && !OF_CLUSTER.iter().any(of_cluster)
    }

    /// The resource as rules name it: `pods`, `pods/log`, `deployments/scale.apps`.
    #[must_use]
    pub fn kind(&self) -> String {
        let mut kind = self.resource.to_string();
        for (before, part) in [('/', &self.subresource), ('.', &self.group)] {
            if !part.is_empty() {
                kind.push(before);
                kind.push_str(part);
            }
        }
        kind
    }
}

impl fmt::Display for ResourceFacts {
    /// `pods shop/web-0`, `pods/log shop/web-0`, `deployments.apps shop/*`, `nodes`, `/version`;
    /// of a command `pods/exec shop/web-0: ls -l`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_path() {
            return f.write_str(&self.request.path);
        }
        f.write_str(&self.kind())?;
        match (&*self.namespace, &*self.name) {
            ("", "") => {}
            ("", name) => write!(f, " {name}")?,
            (_, name) if &*self.resource == "namespaces" => write!(f, " {name}")?,
            (namespace, "") => write!(f, " {namespace}/*")?,
            (namespace, name) => write!(f, " {namespace}/{name}")?,
        }
        if !self.command.is_empty() {
            f.write_str(": ")?;
            write_words(f, &self.command)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(resource: &str, subresource: &str, namespace: &str, name: &str) -> ResourceFacts {
        let request = RequestFacts {
            method: "GET".into(),
            host: "cluster.example".into(),
            path: "/version".into(),
            query: Vec::new(),
            headers: Vec::new(),
            status: None,
        };
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        ResourceFacts {
            group: group.into(),
            version: "v1".into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
            ..ResourceFacts::of_path(Arc::new(request))
        }
    }

    #[test]
    fn a_request_prints_as_people_say_it() {
        for (one, text) in [
            (facts("pods", "", "shop", "web-0"), "pods shop/web-0"),
            (facts("pods", "log", "shop", "web-0"), "pods/log shop/web-0"),
            (facts("deployments.apps", "scale", "shop", "web"), "deployments/scale.apps shop/web"),
            (facts("pods", "", "shop", ""), "pods shop/*"),
            (facts("nodes", "", "", ""), "nodes"),
            (facts("nodes", "", "", "a"), "nodes a"),
            (facts("namespaces", "", "shop", "shop"), "namespaces shop"),
            (facts("", "", "", ""), "/version"),
        ] {
            assert_eq!(one.to_string(), text);
        }
        let command = ["ls", "-l", "a b"].map(Arc::from).into();
        let exec = ResourceFacts { command, ..facts("pods", "exec", "shop", "web-0") };
        assert_eq!(exec.to_string(), "pods/exec shop/web-0: ls -l 'a b'");
    }

    #[test]
    fn what_is_in_no_namespace_spans_none() {
        assert!(facts("pods", "", "", "").spans_namespaces());
        assert!(facts("widgets.example.com", "", "", "").spans_namespaces());
        assert!(!facts("pods", "", "shop", "").spans_namespaces());
        assert!(!facts("nodes", "", "", "").spans_namespaces());
        assert!(!facts("clusterroles.rbac.authorization.k8s.io", "", "", "").spans_namespaces());
        assert!(facts("nodes.metrics.k8s.io", "", "", "").spans_namespaces());
    }
}
