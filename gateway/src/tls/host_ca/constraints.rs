//! Names in certificates: as constraints, as alternative names, and read back.
//!
//! Owns the encoding (RFC 5280 sections 4.2.1.6 and 4.2.1.10). Must not know files.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints, SanType};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::HostCaError;
use crate::tls::names::CertificateNames;

/// What an authority's certificate on disk says.
pub(super) struct Found {
    pub(super) names: CertificateNames,
    pub(super) public_key: Vec<u8>,
    pub(super) valid_until_seconds: u64,
}

/// The names and nothing else. A kind of name of which there is none must be excluded as a whole:
/// constraints bind only the kinds that they mention.
pub(super) fn constraints(names: &CertificateNames) -> NameConstraints {
    let mut permitted_subtrees: Vec<GeneralSubtree> =
        names.dns.iter().cloned().map(GeneralSubtree::DnsName).collect();
    let (mut v4, mut v6) = (false, false);
    for address in &names.addresses {
        let prefix = match address {
            IpAddr::V4(_) => {
                v4 = true;
                32
            }
            IpAddr::V6(_) => {
                v6 = true;
                128
            }
        };
        let subnet = CidrSubnet::from_addr_prefix(*address, prefix);
        permitted_subtrees.push(GeneralSubtree::IpAddress(subnet));
    }
    let mut excluded_subtrees = Vec::new();
    if names.dns.is_empty() {
        excluded_subtrees.push(GeneralSubtree::DnsName(String::new()));
    }
    // An address of either family binds both, but clients differ; being explicit costs nothing.
    if !v4 {
        excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
    }
    if !v6 {
        excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    NameConstraints { permitted_subtrees, excluded_subtrees }
}

pub(super) fn alternative_names(names: &CertificateNames) -> Result<Vec<SanType>, HostCaError> {
    let dns = names.dns.iter().map(|name| Ok(SanType::DnsName(name.as_str().try_into()?)));
    let addresses = names.addresses.iter().map(|address| Ok(SanType::IpAddress(*address)));
    dns.chain(addresses).collect()
}

/// Reads a certificate with constraints; `None` where it is none of ours.
pub(super) fn read(text: &str) -> Option<(CertificateDer<'static>, Found)> {
    let certificate = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
    let found = {
        let (rest, parsed) = X509Certificate::from_der(&certificate).ok()?;
        let constraints = parsed.name_constraints().ok()??.value;
        if !rest.is_empty() || !parsed.is_ca() {
            return None;
        }
        let mut names = CertificateNames::default();
        for subtree in constraints.permitted_subtrees.as_deref().unwrap_or_default() {
            match &subtree.base {
                GeneralName::DNSName(name) => names.add(name).ok()?,
                GeneralName::IPAddress(bytes) => {
                    names.addresses.insert(whole_address(bytes)?);
                }
                _ => return None,
            }
        }
        let valid_until_seconds = u64::try_from(parsed.validity().not_after.timestamp()).ok()?;
        let public_key = parsed.public_key().subject_public_key.data.to_vec();
        Found { names, public_key, valid_until_seconds }
    };
    Some((certificate, found))
}

/// An address and a mask of all ones.
fn whole_address(bytes: &[u8]) -> Option<IpAddr> {
    let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
    if !mask.iter().all(|&byte| byte == 0xff) {
        return None;
    }
    if let Ok(v4) = <[u8; 4]>::try_from(address) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(address).ok().map(|v6| Ipv6Addr::from(v6).into())
}
