//! From an original destination to the one target it belongs to.
//!
//! Owns the lookup. Must not know how a name became an address. Swapped whole on reload.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::session::Target;

/// The targets by address.
#[derive(Debug, Default)]
pub struct Targets {
    by_address: FxHashMap<SocketAddr, Vec<Arc<Target>>>,
    all: Vec<Arc<Target>>,
}

/// Why a destination has no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// None claims it.
    #[error("no target has the address {0}")]
    None(SocketAddr),
    /// More than one claims it.
    #[error("{address} belongs to more than one target: {}", .targets.join(", "))]
    Ambiguous {
        /// The address.
        address: SocketAddr,
        /// Who claims it.
        targets: Vec<String>,
    },
}

impl Targets {
    /// Over these targets.
    #[must_use]
    pub fn new(all: Vec<Arc<Target>>) -> Self {
        let mut by_address: FxHashMap<SocketAddr, Vec<Arc<Target>>> = FxHashMap::default();
        for target in &all {
            for address in &target.addresses {
                let claims = by_address.entry(plain(*address)).or_default();
                if !claims.iter().any(|claim| claim.name == target.name) {
                    claims.push(Arc::clone(target));
                }
            }
        }
        Self { by_address, all }
    }

    /// Every target.
    #[must_use]
    pub fn all(&self) -> &[Arc<Target>] {
        &self.all
    }

    /// The target of an address.
    ///
    /// # Errors
    /// Where there is none, or more than one.
    pub fn of(&self, address: SocketAddr) -> Result<Arc<Target>, TargetError> {
        match self.by_address.get(&plain(address)).map(Vec::as_slice) {
            Some([one]) => Ok(Arc::clone(one)),
            Some([]) | None => Err(TargetError::None(address)),
            Some(several) => Err(TargetError::Ambiguous {
                address,
                targets: several.iter().map(|target| target.name.to_string()).collect(),
            }),
        }
    }
}

/// A v4-mapped address means the IPv4 one; scope and flow of IPv6 do not name another host here.
fn plain(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V6(ip) => ip.to_canonical(),
        ip @ IpAddr::V4(_) => ip,
    };
    SocketAddr::new(ip, address.port())
}
