//! What was counted, and what it must be.
//!
//! Owns the line of JSON that ends the demo, and the judgement of every field. Must not know how
//! a number was found, except those that the audit log holds.

use serde_json::{Value, json};

use super::plot::{Direct, Plot};
use crate::fault::{During, Outcome};

/// The numbers, and the texts in which nothing sensitive may stand.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Sessions of captured sockets.
    pub(super) captured: usize,
    /// Connections, or requests, that reached the server with the job's own password.
    pub(super) direct: usize,
    /// As many were made by the control run.
    pub(super) direct_expected: usize,
    /// Decisions by effect.
    pub(super) allowed: usize,
    pub(super) denied: usize,
    /// Holds, and those that were approved.
    pub(super) held: usize,
    pub(super) approved: usize,
    /// Values changed on their way to the job.
    pub(super) masked: u64,
    /// Sensitive values found where they must not be.
    pub(super) leaked: usize,
    /// Sensitive values found in the control run: the search works.
    pub(super) control_leaks: usize,
    /// Without a daemon a governed connect was refused, and with it back served.
    pub(super) fail_closed: bool,
    /// Every recording was verified.
    pub(super) verified: bool,
    /// What was approved was done, and what was denied was not.
    pub(super) approved_done: bool,
    pub(super) denied_undone: bool,
    /// What the governed job saw, what is recorded and what is logged.
    pub(super) heard: Vec<String>,
}

impl Tally {
    /// Takes the counts out of the audit log.
    pub(super) fn count_events(&mut self, audit: &str) -> Outcome {
        for line in audit.lines() {
            let event: Value = serde_json::from_str(line).during("a line that is not JSON")?;
            let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
            match (text("event"), text("effect"), text("end")) {
                ("session_started", ..) => self.captured += 1,
                ("session_ended", ..) => {
                    self.masked += event.get("masked_values").and_then(Value::as_u64).unwrap_or(0);
                }
                ("operation_decided", "allow", _) => self.allowed += 1,
                ("operation_decided", "deny", _) => self.denied += 1,
                ("hold_started", ..) => self.held += 1,
                ("hold_ended", _, "approved") => self.approved += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// The line.
    pub(super) fn json(&self) -> String {
        json!({
            "captured": self.captured,
            "direct": self.direct,
            "allowed": self.allowed,
            "denied": self.denied,
            "held": self.held,
            "approved": self.approved,
            "masked_values": self.masked,
            "leaked_values": self.leaked,
            "fail_closed": self.fail_closed,
            "recording_verified": self.verified,
        })
        .to_string()
    }

    /// What is not as it must be.
    pub(super) fn wrong(&self, plot: &Plot) -> Vec<String> {
        let Plot { connections, direct, denied, held, .. } = *plot;
        let captured = connections + 1;
        let (denials, denied) = (denied.len(), denied.join(", "));
        let direct = match direct {
            Direct::Connections => connections,
            Direct::Requests => self.direct_expected.max(connections),
        };
        [
            (self.captured == captured, format!("captured must be {captured}")),
            (
                self.direct == direct && self.direct_expected == direct,
                format!("direct must be {direct}: the control run and nobody else"),
            ),
            (self.allowed >= captured, format!("allowed must be at least {captured}")),
            (self.denied == denials, format!("denied must be {denials}: {denied}")),
            (self.held == 1, format!("held must be 1: {held}")),
            (self.approved == 1, "approved must be 1".to_owned()),
            (self.masked > 0, "masked_values must not be 0".to_owned()),
            (self.leaked == 0, "leaked_values must be 0".to_owned()),
            (self.control_leaks > 0, "the control run must show raw values".to_owned()),
            (self.fail_closed, "fail_closed must be true".to_owned()),
            (self.verified, "recording_verified must be true".to_owned()),
            (self.approved_done, format!("what was approved must have been done: {held}")),
            (self.denied_undone, format!("what was refused must not have been done: {denied}")),
        ]
        .into_iter()
        .filter_map(|(good, says)| (!good).then_some(says))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLOT: Plot = crate::demo::postgres::PLOT;

    #[test]
    fn a_good_run_has_nothing_wrong_and_every_field() {
        let audit = concat!(
            r#"{"event":"session_started"}"#,
            "\n",
            r#"{"event":"operation_decided","effect":"allow"}"#,
            "\n",
            r#"{"event":"session_ended","cause":"client","masked_values":3}"#,
            "\n",
        )
        .repeat(5)
            + concat!(
                r#"{"event":"operation_decided","effect":"deny"}"#,
                "\n",
                r#"{"event":"hold_started"}"#,
                "\n",
                r#"{"event":"hold_ended","end":"approved"}"#,
                "\n",
            );
        let mut tally = Tally {
            direct: 4,
            direct_expected: 4,
            control_leaks: 9,
            fail_closed: true,
            verified: true,
            approved_done: true,
            denied_undone: true,
            ..Tally::default()
        };
        tally.count_events(&audit).unwrap();
        assert_eq!(tally.wrong(&PLOT), Vec::<String>::new());
        assert_eq!(
            tally.json(),
            r#"{"captured":5,"direct":4,"allowed":5,"denied":1,"held":1,"approved":1,"masked_values":15,"leaked_values":0,"fail_closed":true,"recording_verified":true}"#
        );
    }

    #[test]
    fn a_run_that_counted_nothing_is_wrong_everywhere() {
        assert_eq!(Tally::default().wrong(&PLOT).len(), 12);
    }

    #[test]
    fn requests_that_went_past_the_gateway_are_those_of_the_control_run() {
        let plot = Plot { direct: Direct::Requests, ..PLOT };
        let wrong = |direct| Tally { direct, direct_expected: 30, ..Tally::default() }.wrong(&plot);
        assert_eq!(wrong(30).len() + 1, wrong(31).len());
    }
}
