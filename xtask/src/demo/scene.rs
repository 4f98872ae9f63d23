//! What the demo plays in: a server in a network namespace of its own, a gateway, a job's files.
//!
//! Owns making them and asking them. Must not know the plot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::places;
use crate::stage::postgres::{Listen, Postgres};
use crate::stage::{Stage, gateway::Gateway, network, wait_until};

/// The unit that the gateway governs.
pub(super) const GOVERNED: &str = "nightly-report.service";

const SHOP_SQL: &str = include_str!("../../../tests/fixtures/shop.sql");
const CONFIGURATION: &str = include_str!("../../demo/gateway.yaml");
const SCRIPT: &str = include_str!("../../demo/nightly-report.sh");
const PAYMENTS: &str = include_str!("../../demo/payments.py");

/// What the job knows, and has known for years.
const REPORT_PASSWORD: &str = "static-password-from-2017";
/// What only the gateway knows.
const GATEWAY_PASSWORD: &str = "secret-of-the-gateway-5c1b";

/// Everything that is staged.
#[derive(Debug)]
pub(super) struct Scene {
    gateway: Gateway,
    server: Postgres,
    pub(super) stage: Stage,
}

/// An operation that waits.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) id: String,
    pub(super) session: String,
    pub(super) text: String,
}

/// Builds the daemon.
pub(super) fn build() -> Outcome {
    console::step("Building", "portcullis");
    Call::cargo()
        .with(["build", "--quiet", "--locked", "--package", "gateway", "--bin", "portcullis"])
        .run()
}

impl Scene {
    /// Stages the server and the job. The gateway starts later.
    pub(super) fn set_up() -> Outcome<Self> {
        console::step("Staging", "a shop in a network namespace of its own");
        let stage = Stage::set_up("portcullis-demo")?;
        network::make(stage.name())?;
        let place = stage.directory();
        make_certificate(place)?;
        let server = start_server(&stage)?;
        let configuration = CONFIGURATION
            .replace("@INSTANCE@", stage.name())
            .replace("@DIRECTORY@", &place.display().to_string())
            .replace("@ADDRESS@", &network::SERVER.to_string());
        write(&place.join("gateway.yaml"), &configuration, 0o600)?;
        write(&place.join("secret"), GATEWAY_PASSWORD, 0o600)?;
        let gateway = Gateway::new(
            places::target().join("debug/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        let scene = Self { gateway, server, stage };
        scene.write_job()?;
        Ok(scene)
    }

    /// Where the job's files are.
    pub(super) fn job_directory(&self) -> PathBuf {
        self.stage.directory().join("job")
    }

    /// What the job prints.
    pub(super) fn job_output(&self) -> PathBuf {
        self.stage.directory().join("job.output")
    }

    fn write_job(&self) -> Outcome {
        let place = self.job_directory();
        let python = place.join("python");
        fs::create_dir_all(&python).during(python.display())?;
        write(&place.join("nightly-report.sh"), SCRIPT, 0o755)?;
        write(&place.join("payments.py"), PAYMENTS, 0o644)?;
        write(&place.join("pgpass"), &format!("*:*:*:report:{REPORT_PASSWORD}\n"), 0o600)?;
        Call::new("chown").with(["nobody"]).with([place.join("pgpass")]).output()?;
        // The job's user may not look into the cache, so the clients are copied.
        let packages = format!(
            "cp --recursive {}/lib/python3*/site-packages/*psycopg* \
             {0}/lib/python3*/site-packages/typing_extensions* {}",
            places::python_environment()?.display(),
            python.display()
        );
        Call::new("sh").with(["-c", &packages]).output().map(|_| ())
    }

    /// Starts the daemon and waits until it serves.
    pub(super) fn start_gateway(&self) -> Outcome {
        self.gateway.start(&self.stage).map(|_| ())
    }

    /// Kills it, without a chance to clean up.
    pub(super) fn kill_gateway(&self) -> Outcome {
        self.gateway.kill(&self.stage)
    }

    /// What the daemon logged.
    pub(super) fn gateway_log(&self) -> String {
        self.gateway.log(&self.stage)
    }

    /// Runs the command line against the daemon.
    pub(super) fn portcullis(&self, arguments: &[&str]) -> Outcome<String> {
        self.gateway.call(arguments)
    }

    /// Runs a command about recordings, which are files and need no daemon.
    pub(super) fn recordings(&self, arguments: &[&str]) -> Outcome<String> {
        let configuration = self.stage.directory().join("gateway.yaml");
        let configuration = configuration.to_string_lossy();
        let mut line = vec!["sessions"];
        line.extend(arguments);
        line.extend(["--config", &configuration]);
        self.portcullis(&line)
    }

    /// Waits for the one operation that is held.
    pub(super) fn wait_for_hold(&self) -> Outcome<Hold> {
        let mut found = None;
        let waited = wait_until("an operation is held", || {
            found = self.first_hold().unwrap_or_default();
            found.is_some()
        });
        match (waited, found) {
            (Ok(()), Some(hold)) => Ok(hold),
            _ => Fault::because(format!(
                "nothing is held; the job so far:\n{}\nthe daemon:\n{}",
                fs::read_to_string(self.job_output()).unwrap_or_default(),
                self.gateway_log()
            )),
        }
    }

    fn first_hold(&self) -> Outcome<Option<Hold>> {
        let holds = self.json(&["approvals", "list", "--json"])?;
        let text = |name: &str| {
            holds.pointer(&format!("/0/{name}")).and_then(Value::as_str).map(str::to_owned)
        };
        let hold =
            || Some(Hold { id: text("id")?, session: text("session")?, text: text("text")? });
        Ok(hold())
    }

    /// Waits until no session is live.
    pub(super) fn wait_for_ended_sessions(&self) -> Outcome {
        wait_until("every session has ended", || {
            let sockets = self.json(&["sockets", "--json"]);
            sockets.is_ok_and(|sockets| sockets.as_array().is_some_and(Vec::is_empty))
        })
    }

    /// The ids of all recorded sessions.
    pub(super) fn sessions(&self) -> Outcome<Vec<String>> {
        let said = self.recordings(&["list", "--json"])?;
        let sessions: Value = serde_json::from_str(&said).during("the list of sessions")?;
        let sessions = sessions.as_array().during("the sessions are no list")?;
        let id = |session: &Value| session.get("session")?.as_str().map(str::to_owned);
        sessions.iter().map(|session| id(session).during("a session without id")).collect()
    }

    /// The audit log.
    pub(super) fn audit_log(&self) -> Outcome<String> {
        let path = self.stage.directory().join("state/audit.jsonl");
        fs::read_to_string(&path).during(path.display())
    }

    fn json(&self, arguments: &[&str]) -> Outcome<Value> {
        let said = self.portcullis(arguments)?;
        serde_json::from_str(&said).during(format!("cannot understand {arguments:?}"))
    }

    /// Runs SQL on the shop, past everything.
    pub(super) fn query_shop(&self, sql: &str) -> Outcome<String> {
        Ok(self.server.query("shop", sql)?.trim().to_owned())
    }

    /// Every value that the job must not see raw.
    pub(super) fn sensitive_values(&self) -> Outcome<Vec<String>> {
        let values = self.query_shop(
            "SELECT email FROM users UNION SELECT card FROM payments \
             UNION SELECT substring(note FROM '[^ ]+@[^ ]+') FROM users WHERE note LIKE '%@%'",
        )?;
        if values.is_empty() {
            return Fault::because("the shop has nothing sensitive");
        }
        Ok(values.lines().map(str::to_owned).collect())
    }

    /// How many connections the server has let in.
    pub(super) fn connections(&self) -> usize {
        self.authorized("")
    }

    /// How many of them came with the job's own password.
    pub(super) fn direct_connections(&self) -> usize {
        self.authorized("user=report ")
    }

    fn authorized(&self, user: &str) -> usize {
        let wanted = format!("connection authorized: {user}");
        let log = self.server.log();
        // The superuser is us, looking.
        log.lines().filter(|line| line.contains(&wanted) && !line.contains("=postgres ")).count()
    }
}

fn start_server(stage: &Stage) -> Outcome<Postgres> {
    let listen = Listen { address: network::SERVER, port: 5432, in_namespace: true };
    let place = stage.directory().display();
    let settings = format!(
        "ssl = on\nssl_cert_file = '{place}/server.crt'\nssl_key_file = '{place}/server.key'\n\
         log_connections = on\nlog_statement = all\npassword_encryption = 'scram-sha-256'\n"
    );
    let access = "host all report,gateway 198.18.77.0/30 scram-sha-256\n";
    let server = Postgres::start(stage, listen, &settings, access)?;
    // Both may do anything: that is how such accounts are.
    server.query(
        "postgres",
        &format!(
            "CREATE ROLE shop; CREATE ROLE report LOGIN PASSWORD '{REPORT_PASSWORD}' IN ROLE shop; \
             CREATE ROLE gateway LOGIN PASSWORD '{GATEWAY_PASSWORD}' IN ROLE shop"
        ),
    )?;
    server.query("postgres", "CREATE DATABASE shop OWNER shop")?;
    server
        .query("shop", &format!("ALTER SCHEMA public OWNER TO shop; SET ROLE shop; {SHOP_SQL}"))?;
    server.query("postgres", "CREATE DATABASE shop_copy TEMPLATE shop OWNER shop")?;
    Ok(server)
}

/// An authority and the server's certificate, for its address.
fn make_certificate(place: &Path) -> Outcome {
    let path = |name: &str| place.join(name).display().to_string();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
    Call::new("openssl")
        .with(["req", "-x509", "-subj", "/CN=authority of the demo"])
        .with(key)
        .with(["-keyout", &path("authority.key"), "-out", &path("authority.pem")])
        .output()?;
    let name = format!("subjectAltName=IP:{}", network::SERVER);
    Call::new("openssl")
        .with(["req", "-x509", "-subj", "/CN=shop", "-addext", &name])
        .with(["-addext", "basicConstraints=critical,CA:FALSE"])
        .with(key)
        .with(["-CA", &path("authority.pem"), "-CAkey", &path("authority.key")])
        .with(["-keyout", &path("server.key"), "-out", &path("server.crt")])
        .output()?;
    Call::new("chown").with(["postgres"]).with([path("server.key")]).output().map(|_| ())
}

fn write(path: &Path, text: &str, mode: u32) -> Outcome {
    fs::write(path, text).during(path.display())?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).during(path.display())
}
