//! What the demo of HTTP plays in: a server in a network namespace of its own, a job's machine.
//!
//! Owns making them, running the job and asking the server. The job runs with an `/etc/hosts` and a
//! bundle of trusted authorities of its own, so that nothing of this machine's is changed. Must not
//! know the plot.

use std::fs;
use std::path::PathBuf;

use crate::console;
use crate::demo::daemon::{Daemon, write};
use crate::demo::job;
use crate::demo::plot::{self, Unit};
use crate::demo::running::{Running, Said};
use crate::fault::{During, Fault, Outcome};
use crate::stage::nginx::{self, Nginx};
use crate::stage::postgres::Listen;
use crate::stage::{Stage, certificate, network};

const CONFIGURATION: &str = include_str!("../../../demo/api.yaml");
const SITE: &str = include_str!("../../../demo/api.nginx");
const SCRIPT: &str = include_str!("../../../demo/sync-orders.sh");
const ORDERS: &str = include_str!("../../../demo/orders.py");

/// The server's name.
const HOST: &str = "api.shop.example";

/// What the job knows, and has known for years.
const JOB_TOKEN: &str = "static-token-from-2017";
/// What only the gateway knows.
const GATEWAY_TOKEN: &str = "token-of-the-gateway-8e2f";

const CUSTOMERS: &str = r#"[
  {"id": 1, "name": "Ada", "email": "customer1@mail.example", "since": 2019},
  {"id": 2, "name": "Grace", "email": "customer2@mail.example", "since": 2021},
  {"id": 3, "name": "Edsger", "email": "customer3@mail.example", "since": 2020,
   "note": "left; write to private3@home.example"}
]
"#;
/// Kind and text of each order.
const LIST_OF_ORDERS: &str = r#"[{"id": 7}, {"id": 8}, {"id": 9}]"#;

/// What the job must not see: what is masked, and what it would log in with.
const SENSITIVE_VALUES: &[&str] = &[
    "customer1@mail.example",
    "customer2@mail.example",
    "customer3@mail.example",
    "private3@home.example",
    "4111111111111111",
    "5555555555554444",
    GATEWAY_TOKEN,
];

/// Enters the job's machine: the names and the authorities it knows.
const ENTER: &str = r#"
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/authorities.pem" /etc/ssl/certs/ca-certificates.crt
shift
exec setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
"#;

/// Everything that is staged.
#[derive(Debug)]
pub(in crate::demo) struct Scene {
    server: Nginx,
    daemon: Daemon,
}

impl Scene {
    /// Stages the server and the job. The gateway starts later.
    pub(in crate::demo) fn set_up() -> Outcome<Self> {
        console::step("Staging", "an API in a network namespace of its own");
        let stage = Stage::set_up("portcullis-demo-api")?;
        network::make(stage.name())?;
        certificate::make(stage.directory(), &format!("DNS:{HOST}"))?;
        write_shops(&stage)?;
        let site = SITE
            .replace("@ADDRESS@", &network::SERVER.to_string())
            .replace("@HOST@", HOST)
            .replace("@DIRECTORY@", &stage.directory().display().to_string())
            .replace("@JOB_TOKEN@", JOB_TOKEN)
            .replace("@GATEWAY_TOKEN@", GATEWAY_TOKEN);
        let listen = Listen { address: network::SERVER, port: 443, in_namespace: true };
        let server = Nginx::start(&stage, "nginx", listen, &site)?;
        write(&stage.directory().join("token"), GATEWAY_TOKEN, 0o600)?;
        let daemon = Daemon::new(stage, CONFIGURATION)?;
        let scene = Self { server, daemon };
        scene.write_job()?;
        Ok(scene)
    }

    fn job_directory(&self) -> PathBuf {
        job::directory(&self.daemon.stage)
    }

    /// What a user, years ago, has set up: a script and a token; and the machine's own trust, in
    /// which the server's authority is.
    fn write_job(&self) -> Outcome {
        let place = self.job_directory();
        fs::create_dir_all(&place).during(place.display())?;
        let authority = self.daemon.stage.directory().join("authority.pem");
        let authority = fs::read_to_string(&authority).during(authority.display())?;
        let hosts = format!("127.0.0.1 localhost\n{} {HOST}\n", network::SERVER);
        let token = format!("authorization: Bearer {JOB_TOKEN}\n");
        for (name, text, mode) in [
            ("sync-orders.sh", SCRIPT, 0o755),
            ("orders.py", ORDERS, 0o644),
            ("prices.json", "{\"7\": 19, \"8\": 23, \"9\": 29}\n", 0o644),
            ("token", &token, 0o644),
            ("hosts", &hosts, 0o644),
            ("authorities.pem", &authority, 0o644),
        ] {
            write(&place.join(name), text, mode)?;
        }
        Ok(())
    }

    fn spawn(&self, unit: Unit, line: &[&str]) -> Outcome<Running> {
        // By its token the server takes the control run to a copy of the shop.
        let unit = match unit {
            Unit::Unbound => "unbound.service",
            Unit::Governed => "sync-orders.service",
        };
        let mut command = self.daemon.stage.command(unit, "unshare")?;
        command.args(["--mount", "--propagation", "private", "--", "sh", "-ec", ENTER, "job"]);
        command.arg(self.job_directory()).args(line).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("API", format!("https://{HOST}"));
        Running::start(command, self.daemon.job_output())
    }

    /// The control run works on a copy of it.
    fn shop(&self) -> PathBuf {
        self.daemon.stage.directory().join("shops/gateway")
    }
}

impl plot::Scene for Scene {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn job(&self, unit: Unit) -> Outcome<Running> {
        let script = self.job_directory().join("sync-orders.sh");
        self.spawn(unit, &["sh", &script.to_string_lossy()])
    }

    fn glance(&self) -> Outcome<Said> {
        let token = format!("@{}", self.job_directory().join("token").display());
        let place = format!("https://{HOST}/v1/customers");
        let line = ["curl", "--silent", "--show-error", "--fail", "--header", &token, &place];
        self.spawn(Unit::Governed, &line)?.ended()
    }

    fn trust_gateway(&self) -> Outcome {
        let bundle = self.job_directory().join("authorities.pem");
        let gateway = self.daemon.stage.directory().join("state/ca/host-ca.pem");
        let gateway = fs::read_to_string(&gateway).during(gateway.display())?;
        let trusted = fs::read_to_string(&bundle).during(bundle.display())?;
        write(&bundle, &format!("{trusted}{gateway}"), 0o644)
    }

    fn sensitive_values(&self) -> Outcome<Vec<String>> {
        Ok(SENSITIVE_VALUES.iter().map(|value| (*value).to_owned()).collect())
    }

    /// Those that have brought the server a request.
    fn connections(&self) -> Outcome<usize> {
        Ok(distinct(&self.server.access_log(), |_| true))
    }

    fn direct_connections(&self) -> Outcome<usize> {
        Ok(distinct(&self.server.access_log(), |who| who == "job"))
    }

    /// The shop has the prices that the job brought.
    fn approved_done(&self) -> Outcome<bool> {
        let prices = fs::read_to_string(self.shop().join("v1/prices"));
        Ok(prices.is_ok_and(|prices| prices.contains("23")))
    }

    /// The customer is still there whom the job would remove.
    fn denied_undone(&self) -> Outcome<bool> {
        Ok(self.shop().join("v1/customers/3").exists())
    }

    /// Every request that came through the gateway came with its token: the server saw it.
    fn saw_only_the_gateway(&self) -> Outcome {
        let log = self.server.access_log();
        if distinct(&log, |who| who == "gateway") > 0 && distinct(&log, |who| who == "-") == 0 {
            return Ok(());
        }
        Fault::because(format!("the server saw other tokens than it should:\n{log}"))
    }
}

/// What the server serves: the shop for the gateway, and a copy of it for the job's own token.
fn write_shops(stage: &Stage) -> Outcome {
    let order = |id: u32, card: &str| {
        format!(
            r#"{{"id": {id}, "customer": {{"email": "customer{}@mail.example"}}, "card": "{card}"}}"#,
            id - 6
        )
    };
    let shops = stage.directory().join("shops");
    for shop in ["job", "gateway"] {
        for (name, text) in [
            ("customers.json", CUSTOMERS),
            ("orders.json", LIST_OF_ORDERS),
            ("v1/prices", "{}\n"),
            ("v1/customers/3", "{\"id\": 3}\n"),
            ("v1/orders/7", &order(7, "4111111111111111")),
            ("v1/orders/8", &order(8, "5555555555554444")),
            ("v1/orders/9", &order(9, "4111111111111111")),
        ] {
            let path = shops.join(shop).join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).during(parent.display())?;
            }
            write(&path, text, 0o644)?;
        }
    }
    nginx::own(&shops)
}

/// The connections in a log whose lines are `connection who ..`.
fn distinct(log: &str, is_meant: impl Fn(&str) -> bool) -> usize {
    let mut seen: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, rest)| rest.split(' ').next().is_some_and(&is_meant))
        .map(|(connection, _)| connection)
        .collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_once_whatever_it_asked_for() {
        let log = "1 job GET\n2 gateway GET\n1 job PUT\n3 - GET\n4 gateway GET\n";
        assert_eq!(distinct(log, |who| who == "job"), 1);
        assert_eq!(distinct(log, |who| who == "gateway"), 2);
        assert_eq!(distinct(log, |_| true), 4);
    }

    #[test]
    fn every_sensitive_value_but_the_token_is_served() {
        let served = [CUSTOMERS, "4111111111111111", "5555555555554444"].concat();
        for value in SENSITIVE_VALUES {
            assert!(served.contains(value) || *value == GATEWAY_TOKEN, "{value}");
        }
    }
}
