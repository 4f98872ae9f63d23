//! nginx, as Debian has it: a real server of the web that nobody here wrote.
//!
//! Owns its configuration, its files and its process, which ends with the test process. Must not
//! know whether a gateway is in between.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::certificates::Authority;
use crate::web::NAME;

/// Starts the server on a first line; ends it and removes its files once standard input has ended,
/// which it does with the test process.
const KEEPER: &str = r#"
directory=$1
if read -r _; then
    nginx -p "$directory" -e stderr -c "$directory/nginx.conf" &
    server=$!
    read -r _
    kill "$server"
    wait "$server"
fi
rm -rf -- "$directory"
"#;

/// A server.
#[derive(Debug)]
pub struct Nginx {
    directory: PathBuf,
    plain: u16,
    secure: u16,
    authority: Authority,
    _keeper: Child,
}

impl Nginx {
    /// A new one, which lives as long as the test process.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start() -> &'static Self {
        let (plain, secure) = (free_port(), free_port());
        let name = format!("portcullis-test-{}-nginx-{plain}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let mut keeper = launch(&directory);
        let authority = Authority::new("nginx's authority");
        let _ = authority.issue(&[NAME, "127.0.0.1"]).write(&directory, "server");
        write_pages(&directory.join("www"));
        fs::write(directory.join("nginx.conf"), configuration(&directory, plain, secure))
            .expect("its configuration");
        let lifeline = keeper.stdin.as_mut().expect("a pipe to the keeper");
        lifeline.write_all(b"serve\n").expect("a keeper that reads");
        let server = Self { directory, plain, secure, authority, _keeper: keeper };
        for address in [server.plain(), server.secure()] {
            crate::assert_eventually!(
                TcpStream::connect(address).is_ok(),
                "nginx does not start: {}",
                fs::read_to_string(server.directory.join("server.log")).unwrap_or_default()
            );
        }
        Box::leak(Box::new(server))
    }

    /// Where it speaks in the clear.
    #[must_use]
    pub fn plain(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.plain).into()
    }

    /// Where it speaks TLS, and HTTP/2.
    #[must_use]
    pub fn secure(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.secure).into()
    }

    /// Who signed its certificate.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }
}

fn launch(directory: &Path) -> Child {
    for name in ["www/up", "tmp"] {
        fs::create_dir_all(directory.join(name)).expect("a temporary directory");
    }
    let log = fs::File::create(directory.join("server.log")).expect("the server's log");
    let again = log.try_clone().expect("the server's log");
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(directory);
    keeper.current_dir("/").stdin(Stdio::piped()).stdout(log).stderr(again);
    keeper.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    // Of its own group: an interrupt at the terminal ends the tests, and then the keeper cleans up.
    std::os::unix::process::CommandExt::process_group(&mut keeper, 0);
    keeper.spawn().expect("a keeper of the server")
}

fn write_pages(www: &Path) {
    let people: String = (0..200).map(|n| format!("{{\"number\":{n}}}\n")).collect();
    let big: Vec<u8> = (0..8 * 1024 * 1024_u32).map(|n| (n / 7 % 251) as u8).collect();
    for (name, bytes) in [
        ("small.txt", b"a small page\n".as_slice()),
        ("numbers.json", people.as_bytes()),
        ("empty.txt", b""),
        ("big.bin", &big),
    ] {
        fs::write(www.join(name), bytes).expect("a page");
    }
}

fn configuration(directory: &Path, plain: u16, secure: u16) -> String {
    let directory = directory.display();
    format!(
        "user root;\nworker_processes 1;\ndaemon off;\npid {directory}/nginx.pid;\n\
         error_log stderr;\nevents {{}}\n\
         http {{\n\
         types {{ text/plain txt; application/json json; application/octet-stream bin; }}\n\
         access_log off;\nclient_max_body_size 64m;\n\
         client_body_temp_path {directory}/tmp/body;\nproxy_temp_path {directory}/tmp/proxy;\n\
         fastcgi_temp_path {directory}/tmp/fastcgi;\nuwsgi_temp_path {directory}/tmp/uwsgi;\n\
         scgi_temp_path {directory}/tmp/scgi;\n\
         gzip on; gzip_types text/plain application/json; gzip_min_length 200;\n\
         server {{\n\
         listen 127.0.0.1:{plain};\nlisten 127.0.0.1:{secure} ssl http2;\n\
         ssl_certificate {directory}/server.pem;\nssl_certificate_key {directory}/server.key;\n\
         server_name {NAME};\nroot {directory}/www;\n\
         location /up/ {{ dav_methods PUT DELETE; }}\n\
         location = /moved {{ return 301 /small.txt; }}\n\
         location = /cookies {{ add_header Set-Cookie a=1; add_header Set-Cookie b=2; \
         add_header X-Mixed-Case Kept; return 200 \"cookies\\n\"; }}\n\
         location = /closing {{ keepalive_timeout 0; return 200 \"bye\\n\"; }}\n\
         location = /nothing {{ return 204; }}\n\
         location = /gone {{ return 444; }}\n\
         }}\n}}\n"
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
