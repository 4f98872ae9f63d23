//! The vocabulary of Portcullis: what every other part says, and nothing that does anything.
//!
//! Owns the identifiers, the binding of a socket, the principal, targets, operations and their
//! accesses, decisions and their obligations, secrets, limits and the audit events. Must not know
//! a clock, a file, a socket or a policy language: it holds values that were read elsewhere.
//! Nothing here has a life of its own; values end with their owners.

pub mod access;
pub mod audit;
pub mod binding;
pub mod command;
pub mod credential;
pub mod decision;
pub mod id;
pub mod limits;
pub mod mask;
pub mod operation;
pub mod pattern;
pub mod principal;
pub mod request;
pub mod resource;
pub mod secret;
pub mod target;
pub mod time;

pub use access::{Access, Action, Columns, Domain, Object, ObjectPath};
pub use binding::{Binding, CgroupId, FileId, ProcessFacts, UserFacts};
pub use credential::HttpCredential;
pub use decision::{ApprovalRequirement, DecidingRule, Decision, Effect, Reason};
pub use id::{
    Group, HoldId, OperationNumber, PolicyDigest, RoleName, RuleId, SessionId, Tag, TargetName,
    WorkloadName,
};
pub use limits::Limits;
pub use mask::{ColumnMask, Detector, DetectorMask, FieldMask, FileMask, MaskProfile, Transform};
pub use operation::{Operation, OperationDigest};
pub use pattern::{
    ApiPattern, CommandPattern, CommandPatternError, EndpointPattern, EndpointPatternError,
    FieldPart, FieldPattern, FieldPatternError, FilePattern, FilePatternError, HostPattern,
    HostPatternError, NameGlob, PathPattern, PatternError, QueryPattern, QueryPatternError,
    RequestPart, RequestPattern, ResourcePattern, ResourcePatternError, RoutePattern,
    RoutePatternError, StatusPattern, StatusPatternError,
};
pub use principal::{Attestation, Principal, TokenSubject};
pub use request::RequestFacts;
pub use resource::ResourceFacts;
pub use secret::Secret;
pub use target::{Environment, Protocol};
pub use time::{Clock, Timestamp};
