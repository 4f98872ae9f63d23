//! What an upstream says on its own account.
//!
//! Owns the verdict on its host key, its banner and the channels that it opens: they are handed on, and
//! rejected where nobody takes them. Must not know what becomes of them. Kinds of channels that a
//! server has no business to open (sessions, connections to us) are rejected here. Ends with the
//! library's task, which cancels `gone`.

use russh::Channel;
use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::LoginError;
use super::banner::Banner;
use crate::protocols::ssh::fault::{Fault, is_violation};
use crate::session::{HostKeyCheck, Shown};

/// A channel that the upstream wants to open. Dropping it rejects.
pub(in crate::protocols::ssh) struct OpenedBelow {
    /// What for.
    pub(in crate::protocols::ssh) from: OpenedFor,
    /// The channel.
    pub(in crate::protocols::ssh) channel: Channel<Msg>,
    /// The way to accept it.
    pub(in crate::protocols::ssh) reply: ChannelOpenHandle,
}

/// Where a connection that is forwarded to the client comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::protocols::ssh) enum OpenedFor {
    /// Somebody connected to a port that the client has the upstream listen on.
    Port {
        /// The address that was connected to.
        address: String,
        /// Its port.
        port: u32,
        /// Who connected.
        originator: String,
        /// From which port.
        originator_port: u32,
    },
    /// Somebody connected to a socket that the client has the upstream listen on.
    Socket {
        /// Its path.
        path: String,
    },
    /// Somebody wants the client's agent.
    Agent,
    /// Somebody wants the client's display.
    X11 {
        /// Who.
        originator: String,
        /// From which port.
        originator_port: u32,
    },
}

/// The upstream's side of a connection.
#[derive(Debug)]
pub(in crate::protocols::ssh) struct Below {
    check: HostKeyCheck,
    opening: mpsc::Sender<OpenedBelow>,
    fault: Fault,
    banner: Banner,
    _gone: DropGuard,
}

impl Below {
    pub(super) fn new(
        check: HostKeyCheck,
        gone: CancellationToken,
        fault: Fault,
        opening: mpsc::Sender<OpenedBelow>,
        banner: Banner,
    ) -> Self {
        Self { check, opening, fault, banner, _gone: gone.drop_guard() }
    }

    fn hand(&self, from: OpenedFor, channel: Channel<Msg>, reply: ChannelOpenHandle) {
        // Where nobody takes it, it is dropped, and with it rejected.
        if let Err(error) = self.opening.try_send(OpenedBelow { from, channel, reply }) {
            tracing::debug!(%error, "a channel of the upstream's was rejected");
        }
    }
}

impl std::fmt::Debug for OpenedBelow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedBelow").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Handler for Below {
    type Error = LoginError;

    async fn auth_banner(
        &mut self,
        banner: &str,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.banner.add(banner);
        Ok(())
    }

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.check.verdict(Shown::Key(key))?,
            PublicKeyOrCertificate::Certificate(certificate) => {
                self.check.verdict(Shown::Certificate(certificate))?;
            }
        }
        Ok(true)
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        connected_address: &str,
        connected_port: u32,
        originator_address: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let from = OpenedFor::Port {
            address: connected_address.to_owned(),
            port: connected_port,
            originator: originator_address.to_owned(),
            originator_port,
        };
        self.hand(from, channel, reply);
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.hand(OpenedFor::Socket { path: socket_path.to_owned() }, channel, reply);
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.hand(OpenedFor::Agent, channel, reply);
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        channel: Channel<Msg>,
        originator_address: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let from = OpenedFor::X11 { originator: originator_address.to_owned(), originator_port };
        self.hand(from, channel, reply);
        Ok(())
    }

    // By default the library accepts these. Dropping the reply rejects.

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                tracing::debug!(reason = ?info.reason_code, "the upstream disconnected");
                Ok(())
            }
            DisconnectReason::Error(error) => {
                let broken = match &error {
                    LoginError::Protocol(error) => is_violation(error),
                    // Keys are exchanged again in the middle of a session.
                    LoginError::HostKey(_) => true,
                    _ => false,
                };
                if broken {
                    self.fault.note(&format!("the upstream: {error}"));
                }
                Err(error)
            }
        }
    }
}
