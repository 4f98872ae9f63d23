//! A PostgreSQL client that can do what no library would: half messages, wrong messages, messages
//! out of order.
//!
//! Owns framing and log-in, by the protocol's documentation (PostgreSQL, "Frontend/Backend
//! Protocol", message formats). Must not know what is on the other side. Every read has a bound,
//! so a test that waits for what never comes fails.

pub mod messages;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::cluster::User;
pub use messages::{Fields, Message};

/// How long a read waits.
const READ_WITHIN: Duration = Duration::from_secs(20);

/// A connection.
pub struct Client {
    stream: Box<dyn Duplex>,
    /// The server's process number and secret, once it has sent them.
    pub cancel_key: Option<Vec<u8>>,
    /// What the server reported of its settings.
    pub parameters: Vec<(String, String)>,
}

/// Something that can be read and written: a socket, or TLS over one.
pub trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// Why a log-in did not end in a session.
#[derive(Debug)]
pub enum LoginFailure {
    /// The server said no.
    Refused(Fields),
    /// The connection ended or broke.
    Broken(io::Error),
}

impl LoginFailure {
    /// The server's error.
    ///
    /// # Panics
    /// Where there was none.
    #[must_use]
    pub fn refused(self) -> Fields {
        match self {
            Self::Refused(fields) => fields,
            Self::Broken(error) => panic!("no error, but a broken connection: {error}"),
        }
    }
}

impl From<io::Error> for LoginFailure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Client {
    /// A connection over which nothing has been sent.
    ///
    /// # Errors
    /// Where nobody accepts.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::over(dial(address)?))
    }

    /// A connection over TLS, asked for with an SSLRequest.
    ///
    /// # Errors
    /// Where the server does not want TLS or its certificate is not of this authority.
    pub fn connect_tls(address: SocketAddr, authority_pem: &str, name: &str) -> io::Result<Self> {
        let mut socket = dial(address)?;
        socket.write_all(&messages::ssl_request())?;
        let mut answer = [0; 1];
        socket.read_exact(&mut answer)?;
        if answer != *b"S" {
            return Err(io::Error::other("the server does not want TLS"));
        }
        Ok(Self::over(tls(socket, authority_pem, name, &[])?))
    }

    /// A connection over TLS from the first byte, by ALPN.
    ///
    /// # Errors
    /// Where the server does not want it or its certificate is not of this authority.
    pub fn connect_direct_tls(
        address: SocketAddr,
        authority_pem: &str,
        name: &str,
    ) -> io::Result<Self> {
        Self::connect_direct_tls_saying(address, authority_pem, name, &[b"postgresql"])
    }

    /// A connection over TLS from the first byte, with these names in its ALPN.
    ///
    /// # Errors
    /// Where the server does not want it or its certificate is not of this authority.
    pub fn connect_direct_tls_saying(
        address: SocketAddr,
        authority_pem: &str,
        name: &str,
        alpn: &[&[u8]],
    ) -> io::Result<Self> {
        Ok(Self::over(tls(dial(address)?, authority_pem, name, alpn)?))
    }

    /// A connection over a stream that exists.
    #[must_use]
    pub fn over(stream: impl Duplex + 'static) -> Self {
        Self { stream: Box::new(stream), cancel_key: None, parameters: Vec::new() }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// Where the server refuses or breaks off.
    pub fn login(address: SocketAddr, user: User, database: &str) -> Result<Self, LoginFailure> {
        let mut client = Self::connect(address)?;
        client.start(user, &[("user", user.name), ("database", database)])?;
        Ok(client)
    }

    /// Sends a startup packet with these parameters and answers what the server asks, until it is
    /// ready.
    ///
    /// # Errors
    /// Where the server refuses or breaks off.
    pub fn start(&mut self, user: User, parameters: &[(&str, &str)]) -> Result<(), LoginFailure> {
        self.send(&messages::startup(parameters))?;
        self.authenticate(user)
    }

    fn authenticate(&mut self, user: User) -> Result<(), LoginFailure> {
        let mut scram: Option<ScramSha256> = None;
        loop {
            let message = self.receive()?;
            match (message.tag, message.authentication()) {
                (b'R', Some((0, _))) => {}
                (b'R', Some((3, _))) => self.send(&messages::password(user.password))?,
                (b'R', Some((5, salt))) => {
                    let salt = salt.try_into().map_err(io::Error::other)?;
                    let hash = md5_hash(user.name.as_bytes(), user.password.as_bytes(), salt);
                    self.send(&messages::password(&hash))?;
                }
                (b'R', Some((10, _))) => {
                    let binding = ChannelBinding::unsupported();
                    let exchange = ScramSha256::new(user.password.as_bytes(), binding);
                    self.send(&messages::sasl_initial(SCRAM_SHA_256, exchange.message()))?;
                    scram = Some(exchange);
                }
                (b'R', Some((11, data))) => {
                    let exchange = scram.as_mut().ok_or_else(unasked)?;
                    exchange.update(data)?;
                    self.send(&messages::message(b'p', exchange.message()))?;
                }
                (b'R', Some((12, data))) => {
                    let exchange = scram.as_mut().ok_or_else(unasked)?;
                    exchange.finish(data)?;
                }
                (b'S', _) => self.parameters.extend(message.parameter()),
                (b'K', _) => self.cancel_key = Some(message.body),
                (b'E', _) => return Err(LoginFailure::Refused(message.fields())),
                (b'Z', _) => return Ok(()),
                (b'N', _) => {}
                (tag, _) => {
                    let says = format!("unexpected message {:?} during log-in", char::from(tag));
                    return Err(io::Error::other(says).into());
                }
            }
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Receives one message.
    ///
    /// # Errors
    /// Where the connection ended, or nothing came in time.
    pub fn receive(&mut self) -> io::Result<Message> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        let mut body = vec![0; length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?];
        self.stream.read_exact(&mut body)?;
        Ok(Message { tag, body })
    }

    /// Receives messages until the server is ready for the next query; that message is the last.
    ///
    /// # Panics
    /// Where the connection ends first.
    #[must_use]
    pub fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            match self.receive() {
                Ok(message) => {
                    let ready = message.tag == b'Z';
                    messages.push(message);
                    if ready {
                        return messages;
                    }
                }
                Err(error) => panic!("{error}, after {messages:?}"),
            }
        }
    }

    /// Receives messages until the connection ends.
    pub fn until_end(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.receive().ok()).collect()
    }

    /// Runs a simple query and gives all that came back.
    ///
    /// # Panics
    /// Where the connection ends first.
    #[must_use]
    pub fn query(&mut self, text: &str) -> Vec<Message> {
        self.send(&messages::query(text)).unwrap_or_else(|error| panic!("{error}: {text}"));
        self.until_ready()
    }

    /// Runs a statement without parameters in the extended protocol, with results in text (0) or
    /// binary (1), and gives all that came back.
    ///
    /// # Panics
    /// Where the connection ends first.
    #[must_use]
    pub fn extended(&mut self, text: &str, format: i16) -> Vec<Message> {
        let batch = [
            messages::parse("", text, &[]),
            messages::bind("", "", &[], &[format]),
            messages::describe_portal(""),
            messages::execute("", 0),
            messages::sync(),
        ];
        self.send(&batch.concat()).unwrap_or_else(|error| panic!("{error}: {text}"));
        self.until_ready()
    }
}

/// The server answers a SASL exchange that it did not begin.
fn unasked() -> io::Error {
    io::Error::other("a SASL message without an exchange")
}

fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(READ_WITHIN))?;
    Ok(socket)
}

fn tls(
    mut socket: TcpStream,
    authority_pem: &str,
    name: &str,
    alpn: &[&[u8]],
) -> io::Result<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    let authority =
        CertificateDer::from_pem_slice(authority_pem.as_bytes()).map_err(io::Error::other)?;
    roots.add(authority).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut connection =
        rustls::ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(rustls::StreamOwned::new(connection, socket))
}
