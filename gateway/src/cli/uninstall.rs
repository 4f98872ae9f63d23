//! `portcullis uninstall`: the kernel programs go.
//!
//! Owns the question before it. Must not know pins: the binary lends the entry.

use std::path::PathBuf;

use clap::Args;

use super::context::{Context, block_on};
use super::failure::{Exit, Failure};
use super::{CONFIG_VARIABLE, DEFAULT_CONFIG, Entries};
use crate::control::view::DoneView;
use crate::control::{Client, ClientError, DEFAULT_SOCKET};

const EXAMPLES: &str = "\
Examples:
  systemctl stop portcullis && portcullis uninstall --yes
  portcullis uninstall --instance portcullis --yes     # without a readable configuration";

/// Detach the kernel programs and remove their pins
///
/// They outlive the daemon on purpose: with it gone, connects of governed workloads are refused.
/// After this, workloads reach everything directly again, with nothing in between. Files
/// (configuration, recordings, audit log) stay.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The configuration that names the instance
    #[arg(long, short, value_name = "PATH", env = CONFIG_VARIABLE, hide_env_values = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The instance, instead of the configuration's
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Really do it
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    context: &Context,
    entries: Entries,
) -> Result<Exit, Failure> {
    let (instance, socket) = match &arguments.instance {
        Some(instance) => (instance.clone(), DEFAULT_SOCKET.into()),
        None => {
            let settings = super::settings(&arguments.config)?;
            (settings.instance, settings.control.socket)
        }
    };
    let client = Client::new(context.control().unwrap_or(socket));
    match block_on(client.status())? {
        Err(ClientError::NotRunning { .. }) => {}
        Ok(_) | Err(_) => {
            let message = format!("a daemon listens on {}", client.path().display());
            return Err(Failure::new(Exit::Impossible, message)
                .with_remedy("Stop it first: `systemctl stop portcullis`."));
        }
    }
    if !arguments.yes {
        let message = format!("this lets all workloads of instance {instance} go direct");
        return Err(
            Failure::new(Exit::Impossible, message).with_remedy("Say --yes if you mean it.")
        );
    }
    (entries.uninstall)(&instance).map_err(|error| {
        Failure::new(Exit::Impossible, error.to_string()).with_remedy("Run it as root.")
    })?;
    let done =
        DoneView { message: format!("instance {instance} is detached; nothing is captured") };
    context.show(&done, |done, _| format!("{}\n", done.message))?;
    Ok(Exit::Done)
}
