//! A stage's authority, and the certificate of its server.
//!
//! Owns making them. Must not know what the server serves.

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
    let names = format!("subjectAltName={names}");
    Call::new("openssl")
        .with(["req", "-x509", "-subj", "/CN=server of the stage", "-addext", &names])
        .with(["-addext", "basicConstraints=critical,CA:FALSE"])
        .with(key)
        .with(["-CA", &path("authority.pem"), "-CAkey", &path("authority.key")])
        .with(["-keyout", &path("server.key"), "-out", &path("server.crt")])
        .output()
        .map(|_| ())
}
