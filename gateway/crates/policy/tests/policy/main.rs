//! What a policy means, from the outside: decisions, errors, explanations and the laws that hold
//! for every policy.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conditions;
mod decisions;
mod errors;
mod explanations;
mod fixture;
mod http;
mod kubernetes;
mod laws;
mod oracle;
mod ssh;
