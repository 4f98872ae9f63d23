//! A connection that is bound, identified and at a target, but has not said what it wants.
//!
//! Owns the step from there to a [`Session`]. Must not know how a client says it (the driver reads
//! that). Ends by [`Pending::open`], or by being dropped, after which the proxy closes the socket.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use model::audit::{AuditEvent, SessionEnd, SessionFacts};
use model::{
    Access, Action, Binding, Effect, Limits, Object, ObjectPath, Operation, OperationNumber,
    Principal, Timestamp,
};
use rustls::ServerConfig;

use super::altered::Altered;
use super::aside::Aside;
use super::card::{Card, Phase};
use super::dial::BoxFuture;
use super::judgement::Judgement;
use super::live::Session;
use super::log::SessionLog;
use super::permit::ConnectPermit;
use super::refusal::{Refusal, RefusalKind};
use super::services::Services;
use super::target::{ClientTls, Target};
use crate::recording::SessionHeader;

/// The identity of a session, and the question whether it still holds.
pub trait Identified: Send + Sync + std::fmt::Debug {
    /// The principal as last verified.
    fn principal(&self) -> Arc<Principal>;

    /// Whether nothing has happened that asks for [`Self::verify`]. Cheap: it is asked before
    /// every batch of operations.
    fn stands(&self, now: Timestamp) -> bool;

    /// Verifies again. Says whether the principal has changed.
    ///
    /// # Errors
    /// Why the identity no longer holds, for people.
    fn verify(&mut self) -> BoxFuture<'_, Result<bool, String>>;
}

/// A connection before it is a session.
#[derive(Debug)]
pub struct Pending {
    pub(super) services: Arc<Services>,
    pub(super) target: Arc<Target>,
    pub(super) card: Arc<Card>,
    pub(super) facts: Arc<SessionFacts>,
    pub(super) identity: Box<dyn Identified>,
    pub(super) client_tls: Option<Arc<ServerConfig>>,
    pub(super) opened: Opened,
}

/// What to do when the connection becomes a session: counted as one from then on.
pub(super) struct Opened(Option<Box<dyn FnOnce() + Send + Sync>>);

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

/// What the client wants to be logged in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user name the client gave. It decides nothing; it is shown and recorded.
    pub user: Arc<str>,
    /// The database, where the protocol has them.
    pub database: Option<Arc<str>>,
    /// Whether the client is connected over TLS.
    pub encrypted: bool,
}

impl Pending {
    /// Puts together what the proxy found out.
    #[must_use]
    pub fn new(
        services: Arc<Services>,
        target: Arc<Target>,
        card: Arc<Card>,
        facts: Arc<SessionFacts>,
        identity: Box<dyn Identified>,
    ) -> Self {
        Self { services, target, card, facts, identity, client_tls: None, opened: Opened(None) }
    }

    /// Offers the client TLS.
    #[must_use]
    pub fn with_client_tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.client_tls = Some(config);
        self
    }

    /// Calls `opened` once the connection is a session.
    #[must_use]
    pub fn on_open(mut self, opened: impl FnOnce() + Send + Sync + 'static) -> Self {
        self.opened = Opened(Some(Box::new(opened)));
        self
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Arc<Limits> {
        &self.services.limits
    }

    /// The target.
    #[must_use]
    pub const fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The visible side.
    #[must_use]
    pub const fn card(&self) -> &Arc<Card> {
        &self.card
    }

    /// The kernel's record.
    #[must_use]
    pub fn binding(&self) -> &Binding {
        &self.card.binding
    }

    /// Who connects.
    #[must_use]
    pub fn principal(&self) -> Arc<Principal> {
        self.identity.principal()
    }

    /// What to greet the client with where it asks for TLS; without it TLS is declined.
    #[must_use]
    pub const fn client_tls(&self) -> Option<&Arc<ServerConfig>> {
        self.client_tls.as_ref()
    }

    /// A target may be some databases of a server; the others are nobody's.
    fn foreign_database(&self, login: &Login) -> Option<Refusal> {
        let database = login.database.as_ref()?;
        let known = &self.target.databases;
        if known.is_empty() || known.contains(database) {
            return None;
        }
        let message = format!("portcullis: database \"{database}\" belongs to no target here");
        Some(
            Refusal::new(RefusalKind::Policy, message)
                .because(format!("Target \"{}\" lists its databases.", self.target.name)),
        )
    }

    /// A target of SSH may be some logins of a host; the others are nobody's.
    fn foreign_user(&self, login: &Login) -> Option<Refusal> {
        let known = &self.target.ssh.as_ref()?.users;
        if known.is_empty() || known.contains(&login.user) {
            return None;
        }
        let message = format!("portcullis: login \"{}\" belongs to no target here", login.user);
        Some(
            Refusal::new(RefusalKind::Policy, message)
                .because(format!("Target \"{}\" lists its users.", self.target.name)),
        )
    }

    /// A target may be for clients over TLS only.
    fn unencrypted(&self, login: &Login) -> Option<Refusal> {
        if login.encrypted || self.target.client_tls != ClientTls::Require {
            return None;
        }
        let message = "portcullis: this target is for connections over TLS only";
        Some(
            Refusal::new(RefusalKind::Policy, message)
                .because(format!("Target \"{}\" says client_tls: require.", self.target.name))
                .with_hint("Turn TLS on in the client, such as by sslmode=require."),
        )
    }

    /// Dials the upstream for a message that needs no session and grants nothing by itself (a
    /// cancellation with a key that only a live session can have given out).
    ///
    /// # Errors
    /// The refusal, worded for the client.
    pub async fn dial_aside(&self) -> Result<super::Upstream, Refusal> {
        super::upstream::dial(&self.services, &self.target, &self.card.binding, false).await
    }

    /// Whether somebody who names neither user nor database would be let in, at once. Where the
    /// upstream speaks first, a driver may then look at what it says before the client has said
    /// what it wants: nobody who may not connect causes a connection.
    #[must_use]
    pub fn may_look_ahead(&self) -> bool {
        let login = Login { user: "".into(), database: None, encrypted: true };
        let connect = connect_operation(&login, &self.target);
        let policy = self.services.policies.current();
        let standing = policy.standing(&self.identity.principal(), &self.target.name);
        standing.decide(&Arc::new(connect), self.services.clock.now()).effect == Effect::Allow
    }

    /// Asks to be let in. `gone` resolves when the client goes away: if letting in is held, that
    /// cancels the hold.
    ///
    /// # Errors
    /// The refusal, where it is not let in.
    pub async fn open(
        self,
        login: Login,
        gone: impl Future<Output = ()> + Send,
    ) -> Result<(Session, ConnectPermit), Refusal> {
        self.card.set_login(Arc::clone(&login.user), login.database.clone());
        let refused = self
            .unencrypted(&login)
            .or_else(|| self.foreign_database(&login))
            .or_else(|| self.foreign_user(&login));
        if let Some(refusal) = refused {
            return Err(refusal);
        }
        let connect = Arc::new(connect_operation(&login, &self.target));
        let opened = self.opened;
        let policies = Arc::clone(&self.services.policies);
        let policy_changes = policies.follow();
        let policy = policies.current();
        let principal = self.identity.principal();
        let standing = policy.standing(&principal, &self.target.name);
        let log = SessionLog::begin(
            &self.services,
            &self.target,
            &self.facts,
            SessionHeader {
                session: self.card.session,
                started_us: self.services.clock.now(),
                principal: (*principal).clone(),
                target: self.target.name.clone(),
                environment: self.target.environment.clone(),
                protocol: self.target.protocol,
                binding: (*self.card.binding).clone(),
                attestation: (*self.card.attestation).clone(),
                policy: policy.digest(),
            },
        )
        .await?;
        let mut session = Session {
            masks: Arc::clone(standing.masks()),
            masker: OnceLock::new(),
            classified: Arc::default(),
            path_masks: None,
            services: self.services,
            target: self.target,
            card: self.card,
            facts: self.facts,
            identity: self.identity,
            log,
            policy,
            standing,
            standing_number: 0,
            policy_changes,
            number: OperationNumber(0),
            database: None,
            own_tables: None,
            altered: Altered::default(),
            aside: Aside::default(),
            login,
            connect: Arc::clone(&connect),
            verified: None,
        };
        session.ready().await?;
        let let_in = match session.judge(&connect, &[]) {
            Judgement::Allowed(_permit) => Ok(()),
            Judgement::Denied(refusal) => Err(refusal),
            Judgement::Held(mut held) => {
                tokio::pin!(gone);
                let cancelled = tokio::select! {
                    biased; // A client that is gone cannot be let in, whoever approved.
                    () = &mut gone => true,
                    () = held.wait() => false,
                };
                session.settle(held, cancelled).await.map(|_permit| ())
            }
        };
        match let_in {
            Ok(()) => {
                session.card.set_phase(Phase::Live);
                if let Some(opened) = opened.0 {
                    opened();
                }
                Ok((session, ConnectPermit { _minted: () }))
            }
            Err(refusal) => {
                session.close(SessionEnd::Refused);
                Err(refusal)
            }
        }
    }

    /// Reports that the client could not be served at all, before it was a session.
    pub fn failed(&self, because: impl Into<Arc<str>>) {
        self.services.events.emit(AuditEvent::UpstreamFailed {
            session: (*self.facts).clone(),
            because: because.into(),
        });
    }
}

fn connect_operation(login: &Login, target: &Target) -> Operation {
    let name = login.database.as_deref().unwrap_or(target.name.as_str());
    let kind = target.protocol.connects_to();
    let object = Object::Named { kind, path: ObjectPath::new([name]) };
    Operation {
        kind: "connect".into(),
        text: format!("connect to {name} as {}", login.user).into(),
        accesses: [Access { action: Action::Connect, object }].into(),
    }
}
