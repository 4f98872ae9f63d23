//! What the demo of PostgreSQL plays in: a server in a network namespace of its own, a job's files.
//!
//! Owns making them and asking the server. Must not know the plot.

use std::fs;
use std::path::PathBuf;

use crate::call::Call;
use crate::console;
use crate::demo::daemon::{Daemon, write};
use crate::demo::job;
use crate::demo::plot::{self, Unit};
use crate::demo::running::{Running, Said};
use crate::fault::{During, Fault, Outcome};
use crate::stage::postgres::{Listen, Postgres};
use crate::stage::{Stage, certificate, network};

const SHOP_SQL: &str = include_str!("../../../../tests/fixtures/shop.sql");
const CONFIGURATION: &str = include_str!("../../../demo/gateway.yaml");
const SCRIPT: &str = include_str!("../../../demo/nightly-report.sh");
const PAYMENTS: &str = include_str!("../../../demo/payments.py");

/// What the job knows, and has known for years.
const REPORT_PASSWORD: &str = "static-password-from-2017";
/// What only the gateway knows.
const GATEWAY_PASSWORD: &str = "secret-of-the-gateway-5c1b";

/// Everything that is staged.
#[derive(Debug)]
pub(in crate::demo) struct Scene {
    server: Postgres,
    daemon: Daemon,
}

impl Scene {
    /// Stages the server and the job. The gateway starts later.
    pub(in crate::demo) fn set_up() -> Outcome<Self> {
        console::step("Staging", "a shop in a network namespace of its own");
        let stage = Stage::set_up("portcullis-demo")?;
        network::make(stage.name())?;
        let place = stage.directory();
        certificate::make(place, &format!("IP:{}", network::SERVER))?;
        Call::new("chown").with(["postgres"]).with([place.join("server.key")]).output()?;
        let server = start_server(&stage)?;
        write(&place.join("secret"), GATEWAY_PASSWORD, 0o600)?;
        let daemon = Daemon::new(stage, CONFIGURATION)?;
        let scene = Self { server, daemon };
        scene.write_job()?;
        Ok(scene)
    }

    /// Where the job's files are.
    fn job_directory(&self) -> PathBuf {
        job::directory(&self.daemon.stage)
    }

    fn write_job(&self) -> Outcome {
        let place = self.job_directory();
        fs::create_dir_all(&place).during(place.display())?;
        write(&place.join("nightly-report.sh"), SCRIPT, 0o755)?;
        write(&place.join("payments.py"), PAYMENTS, 0o644)?;
        write(&place.join("pgpass"), &format!("*:*:*:report:{REPORT_PASSWORD}\n"), 0o600)?;
        job::own(&place.join("pgpass"))?;
        job::copy_packages(&self.daemon.stage, &["*psycopg*", "typing_extensions*"])
    }

    /// Runs SQL on the shop, past everything.
    fn query_shop(&self, sql: &str) -> Outcome<String> {
        Ok(self.server.query("shop", sql)?.trim().to_owned())
    }

    /// Runs a program as the job's unit would: the one difference between the control run and the
    /// governed one is the unit's name, and the copy that the former works on.
    fn spawn(&self, unit: Unit, line: &[&str]) -> Outcome<Running> {
        let (unit, database) = match unit {
            Unit::Unbound => ("unbound-report.service", "shop_copy"),
            Unit::Governed => ("nightly-report.service", "shop"),
        };
        let mut command = job::command(&self.daemon.stage, unit, line)?;
        command.env("PGHOST", network::SERVER.to_string()).env("PGPORT", "5432");
        command.env("PGUSER", "report").env("PGDATABASE", database);
        command.env("PGPASSFILE", self.job_directory().join("pgpass"));
        command.env("PGCONNECT_TIMEOUT", "10");
        Running::start(command, self.daemon.job_output())
    }

    fn authorized(&self, user: &str) -> usize {
        let wanted = format!("connection authorized: {user}");
        let log = self.server.log();
        // The superuser is us, looking.
        log.lines().filter(|line| line.contains(&wanted) && !line.contains("=postgres ")).count()
    }
}

impl plot::Scene for Scene {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn job(&self, unit: Unit) -> Outcome<Running> {
        let script = self.job_directory().join("nightly-report.sh");
        self.spawn(unit, &["sh", &script.to_string_lossy()])
    }

    fn glance(&self) -> Outcome<Said> {
        let look = "SELECT id, email FROM users ORDER BY id LIMIT 1";
        let line = ["psql", "--no-psqlrc", "--no-align", "--tuples-only", "--command", look];
        self.spawn(Unit::Governed, &line)?.ended()
    }

    fn sensitive_values(&self) -> Outcome<Vec<String>> {
        let values = self.query_shop(
            "SELECT email FROM users UNION SELECT card FROM payments \
             UNION SELECT substring(note FROM '[^ ]+@[^ ]+') FROM users WHERE note LIKE '%@%'",
        )?;
        if values.is_empty() {
            return Fault::because("the shop has nothing sensitive");
        }
        Ok(values.lines().map(str::to_owned).collect())
    }

    fn connections(&self) -> Outcome<usize> {
        Ok(self.authorized(""))
    }

    fn direct_connections(&self) -> Outcome<usize> {
        Ok(self.authorized("user=report "))
    }

    fn approved_done(&self) -> Outcome<bool> {
        Ok(self.query_shop("SELECT to_regclass('old_reports') IS NULL")? == "t")
    }

    fn denied_undone(&self) -> Outcome<bool> {
        Ok(self.query_shop("SELECT count(*) FROM payments")? == "200")
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
