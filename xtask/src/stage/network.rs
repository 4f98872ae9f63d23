//! A network namespace for a stage's server: one cable to this host, and no way anywhere else.
//!
//! Owns the namespace, its two ends and their addresses. The host's end vanishes with the
//! namespace.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::call::Call;
use crate::fault::Outcome;

/// The host's end of the cable; a network that documentation and benchmarks may use (RFC 2544).
const HOST: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 1);
/// The server's end.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 2);

/// Makes the namespace and the cable.
pub(crate) fn make(name: &str) -> Outcome {
    let (near, far) = ends(name);
    ip(&["netns", "add", name])?;
    ip(&["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", name])?;
    ip(&["addr", "add", &format!("{HOST}/30"), "dev", &near])?;
    ip(&["link", "set", &near, "up"])?;
    ip(&["-n", name, "addr", "add", &format!("{SERVER}/30"), "dev", &far])?;
    ip(&["-n", name, "link", "set", &far, "up"])?;
    ip(&["-n", name, "link", "set", "lo", "up"])
}

/// The file that names the namespace, for `nsenter`.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from("/run/netns").join(name)
}

/// Removes the namespace and with it the cable, where they are.
pub(crate) fn clear(name: &str) -> Outcome {
    if file(name).exists() { ip(&["netns", "delete", name]) } else { Ok(()) }
}

/// Names of the two ends: an interface's name has at most 15 bytes.
fn ends(name: &str) -> (String, String) {
    let short: String = name.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
    (format!("pc-{short}h"), format!("pc-{short}s"))
}

fn ip(arguments: &[&str]) -> Outcome {
    Call::new("ip").with(arguments).output().map(|_| ())
}
