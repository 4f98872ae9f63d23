//! Prints one of the documents that are made from the code; `cargo xtask gen` writes them to
//! `docs/reference/`.
//!
//! `cargo run -p gateway --example reference -- config|schema|cli|metrics`

use std::io::Write as _;
use std::process::ExitCode;

use gateway::{cli, config, telemetry};

fn main() -> ExitCode {
    let text = match std::env::args().nth(1).as_deref() {
        Some("config") => config::reference(),
        Some("schema") => config::schema(),
        Some("cli") => cli::reference(),
        Some("metrics") => telemetry::metrics_reference(),
        _ => {
            let _unwritten = writeln!(std::io::stderr(), "name one: config, schema, cli, metrics");
            return ExitCode::from(2);
        }
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
