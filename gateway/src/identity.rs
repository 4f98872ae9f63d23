//! Who a captured socket belongs to: from the kernel's binding to a principal.
//!
//! Owns attestation (cgroup, unit, container, user, executable), the choice of the workload, and
//! tokens. Must not know how a binding is fetched (`interception`), what a role may do (`policy`),
//! or a protocol. The service is rebuilt when the configuration changes and hands its keys and its
//! memory of tokens to its successor; what it found out ends with the session.
//!
//! ```text
//! Binding -> attest -> Attestation -> resolve -> workload -+-> groups of the configuration -> Principal
//!            (denies: cgroup gone)    (denies: none,       |
//!                                      ambiguous)          +-> read -> verify -> present -> Principal
//!                                                              (each can deny)
//! ```

pub mod attestation;
pub mod cgroup;
mod mounts;
pub mod process;
mod service;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;
pub mod unit;
pub mod user;
pub mod workload;

pub use attestation::{AttestationError, Attested, Attestor, AttestorError};
pub use service::{Identified, IdentityRefusal, IdentityService, IdentitySettings, SettingsError};
pub use tokens::{JwksSource, ProviderSettings, Standing, TokenSettings, TokenSource};
pub use workload::{UserMatch, WorkloadDefinition, WorkloadMatch, WorkloadRefusal, WorkloadTable};
