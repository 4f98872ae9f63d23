//! `portcullis check`: every error of a configuration.
//!
//! Owns the report. Must not know the checks themselves (`config`), and asks no daemon.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use super::{CONFIG_VARIABLE, DEFAULT_CONFIG};
use crate::config::{ConfigError, ConfigErrors, ConfigWarning, Settings};

const EXAMPLES: &str = "\
Examples:
  portcullis check
  portcullis check --config ./portcullis.yaml
  portcullis check --no-files --json        # in CI, where the host's files are not";

/// Check a configuration and report every error in one run
///
/// Each error names file, line, key, reason and remedy. Warnings are about what may be meant and is
/// dangerous, such as an upstream that is not verified; with them alone the configuration is good. Rules that can never fire and names that
/// do not exist are errors too. Needs no daemon.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The configuration: a file, or a directory of *.yaml files
    #[arg(long, short, value_name = "PATH", env = CONFIG_VARIABLE, hide_env_values = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Do not look whether the files it refers to exist on this host
    #[arg(long)]
    no_files: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    good: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    targets: usize,
    workloads: usize,
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigWarning>,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let report = match Settings::load(&arguments.config) {
        Ok(settings) => {
            let files = if arguments.no_files {
                Ok(())
            } else {
                settings.check_files(|path| path.exists())
            };
            Report {
                good: files.is_ok(),
                policy: Some(format!("{:#}", settings.policy.digest())),
                targets: settings.targets.len(),
                workloads: settings.workloads.len(),
                errors: files.err().map_or_else(Vec::new, |ConfigErrors(errors)| errors),
                warnings: settings.warnings,
            }
        }
        Err(ConfigErrors(errors)) => {
            let warnings = Vec::new();
            Report { good: false, policy: None, targets: 0, workloads: 0, errors, warnings }
        }
    };
    context.show(&report, render)?;
    Ok(if report.good { Exit::Done } else { Exit::NotGood })
}

fn render(report: &Report, look: &Look) -> String {
    if !report.good {
        return format!("{}\n", ConfigErrors(report.errors.clone()));
    }
    let mut text = String::new();
    for warning in &report.warnings {
        _ = writeln!(text, "{warning}\n");
    }
    let policy: String = report.policy.iter().flat_map(|digest| digest.chars()).take(16).collect();
    _ = writeln!(
        text,
        "{}: {} targets, {} workloads, policy {policy}",
        look.good("good"),
        report.targets,
        report.workloads,
    );
    text
}
