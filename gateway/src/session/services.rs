//! What every session needs and none owns.
//!
//! Owns the bundle of handles, built once by the daemon. Must not know how any of them works.
//! Lives as long as the daemon.

use std::sync::Arc;

use masking::Transforms;
use model::{Clock, Limits};

use super::databases::Databases;
use super::dial::Dial;
use super::policies::Policies;
use super::statements::Readings;
use crate::approvals::Approvals;
use crate::credentials::CredentialStore;
use crate::host_keys::HostKeys;
use crate::recording::Recorder;
use crate::telemetry::Events;

/// The handles of a session.
#[derive(Debug)]
pub struct Services {
    /// The policy of now.
    pub policies: Arc<Policies>,
    /// Facts go out here.
    pub events: Events,
    /// Recordings.
    pub recorder: Recorder,
    /// Holds.
    pub approvals: Arc<Approvals>,
    /// The way to upstreams.
    pub dial: Arc<dyn Dial>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The limits.
    pub limits: Arc<Limits>,
    /// Statements already read.
    pub readings: Arc<Readings>,
    /// What upstream databases hold.
    pub databases: Arc<Databases>,
    /// The real credentials.
    pub credentials: Arc<CredentialStore>,
    /// Host keys of SSH, of both sides.
    pub host_keys: Arc<HostKeys>,
    /// How values are changed.
    pub transforms: Arc<Transforms>,
}
