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

/// Whom a destination belongs to.
#[derive(Clone, Debug)]
pub enum Claim {
    /// One target.
    One(Arc<Target>),
    /// Several of a protocol whose clients say by name whom they mean.
    ByName(Vec<Arc<Target>>),
}

impl Claim {
    /// The one target that answers to the name that a client gave.
    ///
    /// # Errors
    /// Where none does, or more than one.
    pub fn named(
        &self,
        address: SocketAddr,
        name: Option<&str>,
    ) -> Result<Arc<Target>, TargetError> {
        let several = match self {
            Self::One(target) => return Ok(Arc::clone(target)),
            Self::ByName(several) => several,
        };
        let Some(name) = name else { return Err(ambiguous(address, several)) };
        let serves =
            |target: &&Arc<Target>| target.http.as_ref().is_some_and(|http| http.serves(name));
        let meant: Vec<Arc<Target>> = several.iter().filter(serves).cloned().collect();
        match meant.as_slice() {
            [one] => Ok(Arc::clone(one)),
            [] => Err(TargetError::NoSuchName { address, name: name.to_owned() }),
            several => Err(ambiguous(address, several)),
        }
    }
}

fn ambiguous(address: SocketAddr, several: &[Arc<Target>]) -> TargetError {
    TargetError::Ambiguous {
        address,
        targets: several.iter().map(|target| target.name.to_string()).collect(),
    }
}

/// Why a destination has no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// None claims it.
    #[error("no target has the address {0}")]
    None(SocketAddr),
    /// Those that claim it do not answer to this name.
    #[error("no target at {address} has the host {name}")]
    NoSuchName {
        /// The address.
        address: SocketAddr,
        /// What the client asked for.
        name: String,
    },
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

    /// Whom an address belongs to.
    ///
    /// # Errors
    /// Where to nobody, or to several that no name could tell apart.
    pub fn of(&self, address: SocketAddr) -> Result<Claim, TargetError> {
        match self.by_address.get(&plain(address)).map(Vec::as_slice) {
            Some([one]) => Ok(Claim::One(Arc::clone(one))),
            Some([]) | None => Err(TargetError::None(address)),
            Some(several) if several.iter().all(|target| target.http.is_some()) => {
                Ok(Claim::ByName(several.to_vec()))
            }
            Some(several) => Err(ambiguous(address, several)),
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
