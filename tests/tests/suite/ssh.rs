//! What only SSH can get wrong, with a real OpenSSH server and the clients that jobs use.
//!
//! Owns the list of modules.

mod clients;
mod forwards;
