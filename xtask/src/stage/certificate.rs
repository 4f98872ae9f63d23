//! A stage's authority, and the certificates that it signs.
//!
//! Owns making them. Must not know what a server serves.

use std::path::Path;

use crate::call::Call;
use crate::fault::Outcome;

/// Makes `authority.pem`, and `server.crt` with `server.key` for a name of a certificate's
/// (`DNS:api.example`, `IP:192.0.2.1`; several with commas), in this directory.
pub(crate) fn make(place: &Path, names: &str) -> Outcome {
    let path = |name: &str| place.join(name).display().to_string();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
    Call::new("openssl")
        .with(["req", "-x509", "-subj", "/CN=authority of the stage"])
        .with(key)
        .with(["-keyout", &path("authority.key"), "-out", &path("authority.pem")])
        .output()?;
    sign(place, "server", &[&format!("subjectAltName={names}")])
}

/// Has the authority in this directory sign a certificate with these extensions, as `name.crt` with
/// `name.key`.
pub(crate) fn sign(place: &Path, name: &str, extensions: &[&str]) -> Outcome {
    let path = |name: &str| place.join(name).display().to_string();
    let subject = format!("/CN={name} of the stage");
    let mut call = Call::new("openssl")
        .with(["req", "-x509", "-subj", &subject, "-newkey", "ec"])
        .with(["-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"])
        .with(["-CA", &path("authority.pem"), "-CAkey", &path("authority.key")])
        .with(["-keyout", &path(&format!("{name}.key")), "-out", &path(&format!("{name}.crt"))]);
    // Said or not, a certificate of this tool is an authority's.
    if !extensions.iter().any(|extension| extension.starts_with("basicConstraints")) {
        call = call.with(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    for extension in extensions {
        call = call.with(["-addext", extension]);
    }
    call.output().map(|_| ())
}
