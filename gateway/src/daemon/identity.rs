//! The proxy's questions about identity, answered by the identity service of now.
//!
//! Owns the adapter and the re-verification of live sessions after a reload. Must not know
//! sockets. A session keeps its own answer and asks again through the service that is current.

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{Binding, Principal, Timestamp};

use crate::identity::{Identified, IdentityRefusal, IdentityService, Standing};
use crate::proxy::{Accepted, Identity, IdentityError};
use crate::session::{self, BoxFuture};

/// The identity service of now.
#[derive(Clone, Debug)]
pub(super) struct CurrentIdentity(pub(super) Arc<ArcSwap<IdentityService>>);

impl Identity for CurrentIdentity {
    fn identify<'a>(
        &'a self,
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Accepted, IdentityError>> {
        Box::pin(async move {
            let service = self.0.load_full();
            match service.identify(binding).await {
                Ok(identified) => Ok(Accepted {
                    attestation: Arc::clone(&identified.attestation),
                    identified: Box::new(SessionIdentity {
                        current: Arc::clone(&self.0),
                        service,
                        identified,
                    }),
                }),
                Err(refusal) => Err(refused(&refusal)),
            }
        })
    }
}

fn refused(refusal: &IdentityRefusal) -> IdentityError {
    IdentityError {
        why: refusal.kind(),
        detail: refusal.to_string().into(),
        cgroup: refusal.cgroup().map(Into::into),
        workload: refusal.workload().cloned(),
    }
}

/// The identity of one session.
#[derive(Debug)]
struct SessionIdentity {
    current: Arc<ArcSwap<IdentityService>>,
    service: Arc<IdentityService>,
    identified: Identified,
}

impl session::Identified for SessionIdentity {
    fn principal(&self) -> Arc<Principal> {
        Arc::clone(&self.identified.principal)
    }

    fn stands(&self, now: Timestamp) -> bool {
        Arc::ptr_eq(&self.current.load(), &self.service)
            && self.identified.standing(now) == Standing::Good
    }

    fn verify(&mut self) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async move {
            let service = self.current.load_full();
            let again = service.reidentify(&self.identified).await;
            let again = again.map_err(|refusal| refusal.to_string())?;
            if again.principal.workload != self.identified.principal.workload {
                return Err(format!(
                    "the process now belongs to workload `{}`",
                    again.principal.workload
                ));
            }
            let changed = again.principal != self.identified.principal;
            self.identified = again;
            self.service = service;
            Ok(changed)
        })
    }
}
