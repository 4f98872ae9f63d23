//! The security sequence, written once. A protocol supplies only its words.
//!
//! Owns the choreography of a connection from the moment it is bound and identified: letting in,
//! judging every operation, holding, masking, recording. Must not know a protocol's bytes, where
//! bindings come from, or who looks on. A session ends when its driver returns, whatever the
//! cause; the proxy states the end.
//!
//! ```text
//! Pending ── open ──▶ Session + ConnectPermit ── dial ──▶ Upstream ── login ──▶ Gate
//!                        │
//!                        └─ judge ──▶ Permit ── Gate::forward ──▶ Receipt ── row_plan, finished
//! ```

mod altered;
mod answers;
mod aside;
mod card;
mod change;
mod classified;
mod databases;
mod dial;
mod exchanges;
mod gate;
mod guard;
mod holding;
mod host_identity;
mod judgement;
mod live;
mod log;
mod own_tables;
mod pending;
mod permit;
mod policies;
mod refusal;
mod rows;
mod services;
mod statements;
mod stream;
mod target;
mod upstream;

pub use card::{Card, CardFacts, LastDecision, Phase};
pub use change::{Change, Changes, Ending};
pub use databases::{DatabaseKey, Databases, SNAPSHOT_AGE_MAX, Snapshot};
pub use dial::{BoxFuture, Dial};
pub use gate::Gate;
pub use guard::Guarded;
pub use host_identity::HostKeyCheck;
pub use judgement::{Held, Judgement};
pub use live::Session;
pub use log::{Answer, Transfer};
pub use own_tables::OwnTables;
pub use pending::{Identified, Login, Pending};
pub use permit::{ConnectPermit, Permit, Receipt};
pub use policies::Policies;
pub use refusal::{Refusal, RefusalKind};
pub use rows::{OutputColumn, RowPlan};
pub use services::Services;
pub use statements::{DatabaseScope, Readings, Statements};
pub use stream::Stream;
pub use target::{
    ClientTls, Enforcement, HttpTarget, OnRecordingFailure, SshTarget, Target, TargetHost,
    UntrustingClients,
};
pub use upstream::{Upstream, UpstreamError};

// What drivers need of the parts that they may not import themselves.
pub use crate::credentials::{Credential, Tokens};
pub use crate::host_keys::{Expected, HostIdentity, HostKeyError, Shown};
pub use crate::recording::{Direction, OperationOutcome, Stream as OutputStream};
pub use masking::body::{BodyKind, BodyMasker, FieldSet, Place, mask_message};
pub use masking::{CarryOver, Masked, ValueKind};
pub use sql::{self, Catalog, CatalogBuilder, Dialect};
