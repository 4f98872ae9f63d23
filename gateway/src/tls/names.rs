//! Names that certificates are for.
//!
//! Owns checking and comparing DNS names and addresses. Must not know certificates' encoding.

use std::collections::BTreeSet;
use std::net::IpAddr;

use rustls_pki_types::DnsName;

/// DNS names, lower case, and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateNames {
    /// DNS names.
    pub dns: BTreeSet<String>,
    /// Addresses.
    pub addresses: BTreeSet<IpAddr>,
}

/// A text is neither a DNS name nor an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a DNS name nor an address")]
pub struct NameError(String);

impl CertificateNames {
    /// From texts, each a DNS name or an address.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn of<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Self, NameError> {
        let mut names = Self::default();
        for text in texts {
            names.add(text.as_ref())?;
        }
        Ok(names)
    }

    /// Adds a DNS name or an address.
    ///
    /// # Errors
    /// Where the text is neither.
    pub fn add(&mut self, text: &str) -> Result<(), NameError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            self.addresses.insert(address.to_canonical());
            return Ok(());
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if DnsName::try_from(name.as_str()).is_err() {
            return Err(NameError(text.to_owned()));
        }
        self.dns.insert(name);
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.addresses.is_empty()
    }

    /// Whether a certificate authority constrained to these may sign for all of `others`: a name
    /// stands for itself and everything below it (RFC 5280 section 4.2.1.10).
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        others.dns.iter().all(|name| self.cover_dns(name))
            && others.addresses.is_subset(&self.addresses)
    }

    /// Whether `name` is one of the DNS names or below one.
    #[must_use]
    pub fn cover_dns(&self, name: &str) -> bool {
        let mut at = Some(name);
        while let Some(suffix) = at {
            if self.dns.contains(suffix) {
                return true;
            }
            at = suffix.split_once('.').map(|(_, parent)| parent);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_trailing_dot() {
        let names = CertificateNames::of(["DB.Example.", "::ffff:10.0.0.1", "fd00::1"]).unwrap();
        assert!(names.dns.contains("db.example"));
        assert!(names.addresses.contains(&"10.0.0.1".parse().unwrap()));
        assert!(CertificateNames::of(["not a name"]).is_err());
        assert!(CertificateNames::of([""]).is_err());
    }

    #[test]
    fn a_name_covers_itself_and_what_is_below() {
        let names = CertificateNames::of(["db.example", "10.0.0.1"]).unwrap();
        for (other, covered) in [
            ("db.example", true),
            ("replica.db.example", true),
            ("mydb.example", false),
            ("example", false),
            ("10.0.0.1", true),
            ("10.0.0.2", false),
        ] {
            let other = CertificateNames::of([other]).unwrap();
            assert_eq!(names.cover(&other), covered, "{other:?}");
        }
        assert!(names.cover(&CertificateNames::default()));
    }
}
