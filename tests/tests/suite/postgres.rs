//! PostgreSQL through the gateway, message by message, with a real server behind.
//!
//! Owns what only this protocol can get wrong: order and skipping in a pipeline, transaction
//! state, names, formats, COPY, cancellation, the startup. What every protocol must do is in
//! `conformance`.

mod adversarial;
mod bulk;
mod client_trust;
mod clients;
mod copy;
mod cursors;
mod definitions;
mod honest;
mod leaks;
mod masks;
mod pipeline;
mod startup;
mod temporaries;
mod upstream_trust;
