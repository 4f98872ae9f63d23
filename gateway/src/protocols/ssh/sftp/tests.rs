//! The relay between a scripted client and either OpenSSH's `sftp-server` or a scripted upstream.

mod decisions;
mod files;
mod hostile;
mod stand;
