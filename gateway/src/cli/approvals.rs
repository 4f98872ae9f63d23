//! `portcullis approvals`: held operations, and votes.
//!
//! Owns the listing and the vote as people see them. Must not know who may vote: the daemon says.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use model::{HoldId, Timestamp};

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use super::wording::{shortened, span};
use crate::control::view::{HoldView, RequirementView, VoteRequest, VoteView};

/// Characters of a held operation that a listing shows: enough to judge by.
const TEXT_CHARS_MAX: usize = 4_000;

const EXAMPLES: &str = "\
Examples:
  portcullis approvals list
  portcullis approvals approve hold_0190c0ffee0070008000000000000002 --comment 'change 1234'
  portcullis approvals reject hold_0190c0ffee0070008000000000000002 --comment 'not on a Friday'";

/// List held operations, approve or reject them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what is held now
    #[command(
        after_help = "Examples:\n  portcullis approvals list\n  portcullis approvals list --json"
    )]
    List,
    /// Approve a held operation
    ///
    /// You vote as the user you are; the workload's own user and processes inside its cgroup
    /// cannot. The approval is bound to this operation, counts once, and expires with the hold.
    #[command(after_help = EXAMPLES)]
    Approve(VoteArguments),
    /// Reject a held operation; one rejection ends it
    #[command(after_help = EXAMPLES)]
    Reject(VoteArguments),
}

#[derive(Debug, Args)]
struct VoteArguments {
    /// The hold, as `approvals list` prints it
    #[arg(value_name = "ID")]
    id: HoldId,
    /// What to tell the workload and the audit log
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// The digest of the operation you looked at: another operation is then not approved
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
}

pub(super) fn run(arguments: Arguments, context: &Context) -> Result<Exit, Failure> {
    let voted = match arguments.command {
        Command::List => {
            let holds = context.ask(async |client| client.holds().await)?;
            context.show(&holds, |holds, look| render(holds, now(), look))?;
            return Ok(Exit::Done);
        }
        Command::Approve(vote) => {
            let request = vote.request();
            context.ask(async |client| client.approve(vote.id, &request).await)?
        }
        Command::Reject(vote) => {
            let request = vote.request();
            let voted = context.ask(async |client| client.reject(vote.id, &request).await)?;
            context.show(&voted, |voted, _| format!("rejected {}\n", voted.id))?;
            return Ok(Exit::Done);
        }
    };
    context.show(&voted, render_vote)?;
    Ok(Exit::Done)
}

impl VoteArguments {
    fn request(&self) -> VoteRequest {
        VoteRequest { comment: self.comment.clone(), digest: self.digest.clone() }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since)
}

/// Each hold in full: whoever approves should read all of it.
pub(super) fn render(holds: &[HoldView], now: Timestamp, look: &Look) -> String {
    if holds.is_empty() {
        return "nothing is held\n".to_owned();
    }
    let mut text = String::new();
    for hold in holds {
        if !text.is_empty() {
            text.push('\n');
        }
        let left = span(hold.expires_us.since(now));
        let waits = span(now.since(hold.since_us));
        _ = writeln!(text, "{}", look.warning(&hold.id.to_string()));
        let subject = hold.subject.as_ref().map_or_else(String::new, |s| format!(" ({s})"));
        look.labelled(
            &mut text,
            "workload",
            &format!("{}{subject}, pid {}", hold.workload, hold.pid),
        );
        let session = format!("{}, operation {} of {}", hold.target, hold.operation, hold.session);
        look.labelled(&mut text, "target", &session);
        let operation = shortened(&hold.text, TEXT_CHARS_MAX);
        look.labelled(&mut text, "operation", &format!("{}: {operation}", hold.kind));
        look.labelled(&mut text, "waits", &format!("{waits}, expires in {left}"));
        look.labelled(&mut text, "asks", &requirements(&hold.requirements));
        if !hold.approved_by.is_empty() {
            look.labelled(&mut text, "approved by", &hold.approved_by.join(", "));
        }
        look.labelled(&mut text, "digest", &hold.digest);
    }
    _ = writeln!(text, "\napprove: portcullis approvals approve ID");
    text
}

pub(super) fn render_vote(vote: &VoteView, look: &Look) -> String {
    if vote.ended {
        return format!("{} {}: the operation goes on\n", look.good("approved"), vote.id);
    }
    format!("your vote for {} counts; still asked: {}\n", vote.id, requirements(&vote.missing))
}

fn requirements(needs: &[RequirementView]) -> String {
    let need = |need: &RequirementView| format!("{} of {}", need.count.max(1), need.group);
    needs.iter().map(need).collect::<Vec<_>>().join(" and ")
}
