//! `portcullis explain`: why a socket or a statement is judged as it is.
//!
//! Owns the layout of an explanation. Must not know how anything is decided.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use model::SessionId;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use super::wording::{shortened, span};
use crate::control::view::{
    AccessView, CandidateFile, DecisionView, ExplainRequest, ExplainSubject, ExplainView,
    HttpQuestion, RuleView, SshQuestion,
};
use crate::recording::replay::plain;

/// Characters of a statement that are shown.
const STATEMENT_CHARS_MAX: usize = 2_000;

const EXAMPLES: &str = "\
Examples:
  portcullis explain --pid 4711
  portcullis explain --socket ses_0190c0ffee0070008000000000000001
  portcullis explain --workload nightly-report --target analytics --statement 'DELETE FROM users'
  portcullis explain --workload deploy --target web --exec 'systemctl restart app'
  portcullis explain --workload deploy --target web --sftp 'read /srv/app/config.yaml'
  portcullis explain --workload sync --target crm --request 'DELETE https://api.example/v1/users/7'
  portcullis explain --workload nightly-report --target analytics --statement 'SELECT 1' \\
      --policy ./candidate.yaml             # what a change would do, before it is in force";

/// Explain a decision: binding, workload, principal, roles, rules, masks
///
/// Asks about a live socket, or about a workload and a statement, under the policy in force or a
/// candidate. Exit status 0 whatever the decision is.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("subject").required(true).args(["socket", "pid", "workload"]))]
#[command(group = clap::ArgGroup::new("operation").args(["statement", "exec", "sftp", "forward", "request"]))]
pub(super) struct Arguments {
    /// The live session to explain
    #[arg(long, value_name = "ID")]
    socket: Option<SessionId>,
    /// The newest live session of this process
    #[arg(long)]
    pid: Option<u32>,
    /// A workload, live or not
    #[arg(long, value_name = "NAME", requires = "target")]
    workload: Option<String>,
    /// The target
    #[arg(long, value_name = "NAME", conflicts_with_all = ["socket", "pid"])]
    target: Option<String>,
    /// The database, where the target has several
    #[arg(long, value_name = "NAME", requires = "target")]
    database: Option<String>,
    /// The statement to judge; without one, the last operation of a live socket, or the session
    #[arg(long, value_name = "TEXT")]
    statement: Option<String>,
    /// The command line to judge, at a target of SSH
    #[arg(long, value_name = "TEXT")]
    exec: Option<String>,
    /// The action on files to judge, at a target of SSH: read /srv/x
    #[arg(long, value_name = "TEXT")]
    sftp: Option<String>,
    /// The forwarded connection to judge, at a target of SSH
    #[arg(long, value_name = "HOST:PORT")]
    forward: Option<String>,
    /// The request to judge, at a target of HTTP: GET https://api.example/v1/users
    #[arg(long, value_name = "METHOD URL")]
    request: Option<String>,
    /// A header of the request, as far as conditions ask for it; `Upgrade: ..` makes it an upgrade
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "request")]
    headers: Vec<String>,
    /// Judge by this configuration (a file or directory) instead of the one in force
    #[arg(long, value_name = "PATH")]
    policy: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, context: &Context) -> Result<Exit, Failure> {
    let subject = match (arguments.socket, arguments.pid, arguments.workload, arguments.target) {
        (Some(session), ..) => ExplainSubject::Socket(session),
        (None, Some(pid), ..) => ExplainSubject::Pid(pid),
        (None, None, Some(workload), Some(target)) => ExplainSubject::Workload {
            workload: workload.as_str().into(),
            target: target.as_str().into(),
            database: arguments.database,
        },
        _ => return Err(Failure::new(Exit::Impossible, "nothing to explain was named")),
    };
    let candidate = match &arguments.policy {
        Some(path) => candidate_files(path)?,
        None => Vec::new(),
    };
    let exec = arguments.exec.map(SshQuestion::Exec);
    let sftp = arguments.sftp.map(SshQuestion::Sftp);
    let ssh = exec.or(sftp).or(arguments.forward.map(SshQuestion::Forward));
    let headers = arguments.headers;
    let http = arguments.request.map(|request| HttpQuestion { request, headers });
    let request = ExplainRequest { subject, statement: arguments.statement, ssh, http, candidate };
    let explanation = context.ask(async |client| client.explain(&request).await)?;
    context.show(&explanation, render)?;
    Ok(Exit::Done)
}

/// Reads the candidate as the caller: the daemon sees text, never a path.
fn candidate_files(path: &Path) -> Result<Vec<CandidateFile>, Failure> {
    let fault = |path: &Path, error: &std::io::Error| {
        Failure::new(Exit::Impossible, format!("cannot read {}: {error}", path.display()))
    };
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| fault(path, &error))?;
        paths = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        paths.sort();
    }
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok(CandidateFile { name: path.display().to_string(), text }),
        Err(error) => Err(fault(&path, &error)),
    };
    paths.into_iter().map(read).collect()
}

pub(super) fn render(explained: &ExplainView, look: &Look) -> String {
    let mut text = String::new();
    render_identity(explained, &mut text, look);
    let statement = explained.statement.as_ref().map_or_else(String::new, |statement| {
        format!(": {}", shortened(statement, STATEMENT_CHARS_MAX))
    });
    look.labelled(&mut text, "operation", &format!("{}{statement}", explained.kind));
    for access in &explained.accesses {
        render_access(access, &mut text, look);
    }
    render_decision(&explained.decision, &mut text, look);
    for (index, mask) in explained.masks.iter().enumerate() {
        let label = if index == 0 { "masks" } else { "" };
        look.labelled(
            &mut text,
            label,
            &format!("{} {} ({})", mask.transform, mask.what, mask.tag),
        );
    }
    let digest: String = explained.policy.chars().take(16).collect();
    let which = if explained.candidate { "a candidate, not in force" } else { "in force" };
    look.labelled(&mut text, "policy", &format!("{digest} ({which})"));
    for note in &explained.notes {
        look.labelled(&mut text, "note", note);
    }
    text
}

fn render_identity(explained: &ExplainView, text: &mut String, look: &Look) {
    if let Some(session) = explained.session {
        look.labelled(text, "socket", &session.to_string());
    }
    for (label, value) in &explained.binding {
        look.labelled(text, label, &plain(value));
    }
    if let Some(found) = &explained.attestation {
        let executable = match (&found.executable, &found.executable_unknown_because) {
            (Some(path), _) => plain(path),
            (None, Some(because)) => format!("executable unknown ({})", plain(because)),
            (None, None) => "executable unknown".to_owned(),
        };
        let unit = found.systemd_unit.as_deref().unwrap_or("no systemd unit");
        let line = format!("{executable}, {}, cgroup {}", plain(unit), plain(&found.cgroup_path));
        look.labelled(text, "process", &line);
    }
    if let Some(workload) = &explained.workload {
        let by = workload.matched_by.join(", ");
        let by = if by.is_empty() { String::new() } else { format!(", by {by}") };
        look.labelled(text, "workload", &format!("{}{by}", workload.name));
    }
    let groups =
        if explained.groups.is_empty() { "none".to_owned() } else { explained.groups.join(", ") };
    look.labelled(text, "principal", &format!("{}, groups: {groups}", plain(&explained.principal)));
    look.labelled(text, "target", explained.target.as_str());
    if explained.roles.is_empty() {
        look.labelled(text, "roles", "none at this target");
    }
    for (index, role) in explained.roles.iter().enumerate() {
        let label = if index == 0 { "roles" } else { "" };
        look.labelled(text, label, &format!("{}, through {}", role.name, role.through.join(", ")));
    }
}

fn render_access(access: &AccessView, text: &mut String, look: &Look) {
    _ = writeln!(text, "  {} -> {}", plain(&access.access), look.effect(access.effect));
    let name = |rule: &RuleView| format!("{}/{}", rule.role, rule.rule);
    let width = access.rules.iter().map(|rule| name(rule).len()).max().unwrap_or(0);
    for rule in &access.rules {
        let line = format!("{:<5} {:<width$}  {}", rule.effect, name(rule), plain(&rule.because));
        if rule.matches {
            _ = writeln!(text, "    * {line}");
        } else {
            _ = writeln!(text, "      {}", look.dim(&line));
        }
    }
    if access.rules.is_empty() {
        _ = writeln!(text, "      {}", look.dim("no rule speaks to it"));
    }
}

fn render_decision(decision: &DecisionView, text: &mut String, look: &Look) {
    let by = match decision.rules.as_slice() {
        [] => String::new(),
        rules => format!(" by {}", rules.join(", ")),
    };
    let observed = if decision.enforced { "" } else { " (only observed: it is let through)" };
    let line =
        format!("{}{by}: {}{observed}", look.effect(decision.effect), plain(&decision.reason));
    look.labelled(text, "decision", &line);
    for need in &decision.approvals {
        let within = span(std::time::Duration::from_millis(need.within_ms));
        let line = format!("{} of {} within {within}", need.count, need.group);
        look.labelled(text, "approvers", &line);
    }
}
