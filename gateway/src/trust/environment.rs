//! The environment of runtimes that do not read the system's store.
//!
//! Owns the variables and what they are set to. Must not know where they are set. A variable that
//! replaces a runtime's own list names a bundle that holds the system's certificates, too.
//! `JAVA_TOOL_OPTIONS` is left alone: every Java program prints it, and parsers break.

use std::path::Path;

/// Variables that name a bundle, each with who reads it.
pub(super) const BUNDLES: &[&str] = &[
    "SSL_CERT_FILE",      // OpenSSL, Go, httpx
    "REQUESTS_CA_BUNDLE", // requests, pip
    "CURL_CA_BUNDLE",     // curl, requests
    "AWS_CA_BUNDLE",      // boto3, the AWS command line
    "PIP_CERT",           // pip
    "GIT_SSL_CAINFO",     // git
];
/// Names a file with certificates beside those that Node brings.
pub(super) const NODE_EXTRA: &str = "NODE_EXTRA_CA_CERTS";
/// Has Node from version 22.15 on read the system's store.
const NODE_SYSTEM: &str = "NODE_USE_SYSTEM_CA";

/// Whether a variable says whom a runtime trusts.
pub(super) fn is_about_trust(name: &str) -> bool {
    BUNDLES.contains(&name)
        || [NODE_EXTRA, NODE_SYSTEM, "SSL_CERT_DIR", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS"]
            .contains(&name)
}

/// What is to be set: names and values.
pub(super) fn variables(certificate: &Path, bundle: Option<&Path>) -> Vec<(&'static str, String)> {
    let mut variables =
        vec![(NODE_EXTRA, certificate.display().to_string()), (NODE_SYSTEM, String::from("1"))];
    if let Some(bundle) = bundle {
        variables.extend(BUNDLES.iter().map(|name| (*name, bundle.display().to_string())));
    }
    variables
}

/// The drop-in for a unit.
pub(super) fn drop_in(
    instance: &str,
    variables: &[(&'static str, String)],
    binds: &[(String, String)],
) -> String {
    let mut text = format!(
        "# Written by `portcullis trust apply`, instance {instance}; `portcullis trust revert` takes it away.\n\
         [Service]\n"
    );
    for (name, value) in variables {
        text.push_str(&format!("Environment=\"{name}={}\"\n", value.replace('%', "%%")));
    }
    for (from, to) in binds {
        text.push_str(&format!("BindReadOnlyPaths=-{from}:{to}\n"));
    }
    text
}

/// The lines that give a shell, a cron table or a container the same environment.
#[must_use]
pub fn exports(variables: &[(&'static str, String)]) -> Vec<String> {
    variables.iter().map(|(name, value)| format!("export {name}={value}")).collect()
}
