//! What the demo of MySQL plays in: a server in a network namespace of its own, a job's files.
//!
//! Owns making them, running the job and asking the server. Must not know the plot.

use std::fs;
use std::path::PathBuf;

use crate::console;
use crate::demo::daemon::{Daemon, write};
use crate::demo::job;
use crate::demo::plot::{self, Unit};
use crate::demo::running::{Running, Said};
use crate::fault::{During, Fault, Outcome};
use crate::stage::mariadb::{self, MariaDb};
use crate::stage::postgres::Listen;
use crate::stage::{Stage, certificate, network};

const SHOP_SQL: &str = include_str!("../../../../tests/fixtures/shop.mysql.sql");
const CONFIGURATION: &str = include_str!("../../../demo/mysql.yaml");
const SCRIPT: &str = include_str!("../../../demo/nightly-export.sh");
const PAYMENTS: &str = include_str!("../../../demo/export_payments.py");

/// What the job knows, and has known for years.
const REPORT_PASSWORD: &str = "static-password-from-2017";
/// What only the gateway knows.
const GATEWAY_PASSWORD: &str = "secret-of-the-gateway-5c1b";

/// Everything that is staged.
#[derive(Debug)]
pub(in crate::demo) struct Scene {
    server: MariaDb,
    daemon: Daemon,
}

impl Scene {
    /// Stages the server and the job. The gateway starts later.
    pub(in crate::demo) fn set_up() -> Outcome<Self> {
        console::step("Staging", "a shop in a network namespace of its own");
        let stage = Stage::set_up("portcullis-demo-mysql")?;
        network::make(stage.name())?;
        let place = stage.directory();
        certificate::make(place, &format!("IP:{}", network::SERVER))?;
        mariadb::own(&place.join("server.key"))?;
        let server = start_server(&stage)?;
        write(&place.join("secret"), GATEWAY_PASSWORD, 0o600)?;
        let daemon = Daemon::new(stage, CONFIGURATION)?;
        let scene = Self { server, daemon };
        scene.write_job()?;
        Ok(scene)
    }

    fn job_directory(&self) -> PathBuf {
        job::directory(&self.daemon.stage)
    }

    fn write_job(&self) -> Outcome {
        let place = self.job_directory();
        fs::create_dir_all(&place).during(place.display())?;
        let options = format!(
            "[client]\nhost={}\nuser=report\npassword={REPORT_PASSWORD}\n",
            network::SERVER
        );
        for (name, text, mode) in [
            ("nightly-export.sh", SCRIPT, 0o755),
            ("export_payments.py", PAYMENTS, 0o644),
            ("my.cnf", &options, 0o600),
        ] {
            write(&place.join(name), text, mode)?;
        }
        job::own(&place.join("my.cnf"))?;
        job::copy_packages(&self.daemon.stage, &["pymysql"])
    }

    /// Runs SQL, past everything.
    fn query(&self, sql: &str) -> Outcome<String> {
        Ok(self.server.query(sql)?.trim().to_owned())
    }

    /// Runs a program as the job's unit would: the one difference between the control run and the
    /// governed one is the unit's name, and the copy that the former works on.
    fn spawn(&self, unit: Unit, line: &[&str]) -> Outcome<Running> {
        let (unit, database) = match unit {
            Unit::Unbound => ("unbound-export.service", "shop_copy"),
            Unit::Governed => ("nightly-export.service", "shop"),
        };
        let mut command = job::command(&self.daemon.stage, unit, line)?;
        command.env("OPTIONS", self.job_directory().join("my.cnf")).env("DATABASE", database);
        Running::start(command, self.daemon.job_output())
    }

    /// How many connections the server has let in for a user. Over the socket it is us, looking.
    fn let_in(&self, users: &[&str]) -> usize {
        let log = self.server.log();
        let is_one = |line: &&str| {
            users.iter().any(|user| line.contains(&format!("Connect\t{user}@")))
                && ["TCP/IP", "SSL/TLS"].iter().any(|way| line.contains(way))
        };
        log.lines().filter(is_one).count()
    }
}

impl plot::Scene for Scene {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn job(&self, unit: Unit) -> Outcome<Running> {
        let script = self.job_directory().join("nightly-export.sh");
        self.spawn(unit, &["sh", &script.to_string_lossy()])
    }

    fn glance(&self) -> Outcome<Said> {
        let options = format!("--defaults-file={}", self.job_directory().join("my.cnf").display());
        let look = "SELECT id, email FROM shop.users ORDER BY id LIMIT 1";
        self.spawn(Unit::Governed, &["mariadb", &options, "--execute", look])?.ended()
    }

    fn sensitive_values(&self) -> Outcome<Vec<String>> {
        let values = self.query(
            "SELECT email FROM shop.users UNION SELECT card FROM shop.payments \
             UNION SELECT SUBSTRING_INDEX(note, ' ', -1) FROM shop.users WHERE note LIKE '%@%'",
        )?;
        if values.is_empty() {
            return Fault::because("the shop has nothing sensitive");
        }
        Ok(values.lines().map(str::to_owned).collect())
    }

    fn connections(&self) -> Outcome<usize> {
        Ok(self.let_in(&["report", "gateway"]))
    }

    fn direct_connections(&self) -> Outcome<usize> {
        Ok(self.let_in(&["report"]))
    }

    fn approved_done(&self) -> Outcome<bool> {
        let left = "SELECT COUNT(*) FROM information_schema.TABLES \
                    WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'old_reports'";
        Ok(self.query(left)? == "0")
    }

    fn denied_undone(&self) -> Outcome<bool> {
        Ok(self.query("SELECT COUNT(*) FROM shop.payments")? == "200")
    }
}

fn start_server(stage: &Stage) -> Outcome<MariaDb> {
    let listen = Listen { address: network::SERVER, port: 3306, in_namespace: true };
    let place = stage.directory().display();
    let settings = [
        "--general-log=1".to_owned(),
        "--general-log-file=general.log".to_owned(),
        format!("--ssl-cert={place}/server.crt"),
        format!("--ssl-key={place}/server.key"),
    ];
    let server = MariaDb::start(stage, listen, &settings)?;
    // Both may do anything: that is how such accounts are.
    server.query(&format!(
        "CREATE USER report IDENTIFIED BY '{REPORT_PASSWORD}'; GRANT ALL ON *.* TO report; \
         CREATE USER gateway IDENTIFIED BY '{GATEWAY_PASSWORD}'; GRANT ALL ON *.* TO gateway"
    ))?;
    for shop in ["shop", "shop_copy"] {
        server.query(&format!("CREATE DATABASE {shop}; USE {shop}; {SHOP_SQL}"))?;
    }
    Ok(server)
}
