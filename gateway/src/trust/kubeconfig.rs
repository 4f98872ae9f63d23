//! Authorities in a kubeconfig.
//!
//! Owns finding the clusters that pass through the gateway, and changing nothing but the text of
//! their `certificate-authority-data`. Must not know what else is in the file: it holds credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::TrustError;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    clusters: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    server: String,
    #[serde(rename = "certificate-authority-data")]
    data: Option<String>,
    #[serde(rename = "certificate-authority")]
    file: Option<String>,
}

/// What is to be done about a kubeconfig.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Names of clusters that are the gateway's to answer for.
    pub(super) clusters: Vec<String>,
    /// Their data, as it is written.
    pub(super) data: Vec<String>,
    /// Files that name their authorities instead.
    pub(super) files: Vec<String>,
}

/// Looks at a kubeconfig; `is_ours` says whether a host is.
pub(super) fn look(text: &str, is_ours: impl Fn(&str) -> bool) -> Result<Found, TrustError> {
    let file: File = serde_saphyr::from_str(text).map_err(|_| {
        TrustError::Unfit(String::from("it is no kubeconfig: it is not YAML of that form"))
    })?;
    let mut found = Found::default();
    for Named { name, cluster } in file.clusters {
        if !host(&cluster.server).is_some_and(&is_ours) {
            continue;
        }
        found.clusters.push(name);
        if let Some(data) = cluster.data {
            if !text.contains(data.as_str()) {
                let says = "its certificate-authority-data is not on one line; write it so";
                return Err(TrustError::Unfit(says.to_owned()));
            }
            found.data.push(data);
        } else {
            found.files.extend(cluster.file);
        }
    }
    Ok(found)
}

fn host(server: &str) -> Option<&str> {
    let rest = server.strip_prefix("https://")?;
    let authority = rest.split(['/', '?']).next()?;
    if let Some(v6) = authority.strip_prefix('[') {
        return v6.split(']').next();
    }
    authority.split(':').next()
}

/// Whether data holds the certificates.
pub(super) fn holds(data: &str, certificates: &str) -> bool {
    STANDARD
        .decode(data)
        .is_ok_and(|bytes| memchr::memmem::find(&bytes, certificates.as_bytes()).is_some())
}

/// The text with the certificates in each of the data.
pub(super) fn with(text: &str, data: &[String], certificates: &str) -> Result<String, TrustError> {
    let mut text = text.to_owned();
    for data in data.iter().filter(|data| !holds(data, certificates)) {
        let unfit =
            |_| TrustError::Unfit(String::from("its certificate-authority-data is no base64"));
        let mut bytes = STANDARD.decode(data).map_err(unfit)?;
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(certificates.as_bytes());
        text = text.replace(data.as_str(), &STANDARD.encode(bytes));
    }
    Ok(text)
}

/// The data of these clusters.
pub(super) fn data_of(clusters: &[String], text: &str) -> Result<Vec<String>, TrustError> {
    let unfit = |_| TrustError::Unfit(String::from("it is no kubeconfig"));
    let file: File = serde_saphyr::from_str(text).map_err(unfit)?;
    let wanted = file.clusters.into_iter().filter(|one| clusters.contains(&one.name));
    Ok(wanted.filter_map(|one| one.cluster.data).collect())
}

/// The text without the certificates; `None` where they are nowhere in it.
pub(super) fn without(text: &str, certificates: &str) -> Option<String> {
    let mut changed = None;
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='));
    for word in words.filter(|word| word.len() > certificates.len() && holds(word, certificates)) {
        let Ok(bytes) = STANDARD.decode(word) else { continue };
        let Ok(pem) = String::from_utf8(bytes) else { continue };
        let new = STANDARD.encode(pem.replace(certificates, ""));
        changed = Some(changed.unwrap_or_else(|| text.to_owned()).replace(word, &new));
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----\n";

    fn kubeconfig(data: &str) -> String {
        format!(
            "apiVersion: v1\nclusters:\n- name: prod   # ours\n  cluster:\n    \
             certificate-authority-data: {data}\n    server: https://k8s.internal:6443\n\
             - name: other\n  cluster: {{ server: \"https://other:6443\", certificate-authority-data: b3RoZXI= }}\n\
             users:\n- name: me\n  user: {{ token: abc }}\n"
        )
    }

    #[test]
    fn only_the_data_of_our_clusters_is_changed_and_comes_back() {
        let data = STANDARD.encode("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n");
        let text = kubeconfig(&data);
        let found = look(&text, |host| host == "k8s.internal").unwrap();
        assert_eq!((found.clusters.as_slice(), found.data.len()), (&["prod".to_owned()][..], 1));
        let changed = with(&text, &found.data, OURS).unwrap();
        let again = look(&changed, |host| host == "k8s.internal").unwrap();
        assert!(holds(&again.data[0], OURS));
        assert_eq!(with(&changed, &again.data, OURS).unwrap(), changed);
        assert!(changed.contains("b3RoZXI=") && changed.contains("# ours"));
        let edited = changed.replace("token: abc", "token: new");
        assert_eq!(without(&edited, OURS).unwrap(), text.replace("token: abc", "token: new"));
        assert_eq!(without(&text, OURS), None);
    }

    #[test]
    fn hosts_are_read_from_urls() {
        for (server, expected) in [
            ("https://k8s.internal:6443", Some("k8s.internal")),
            ("https://[fd00::1]:6443/x", Some("fd00::1")),
            ("http://k8s.internal", None),
        ] {
            assert_eq!(host(server), expected);
        }
        assert!(look("{", |_| true).is_err());
    }
}
