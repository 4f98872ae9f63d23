//! What every protocol of the registry must do: the promises that no driver may break.
//!
//! Owns the promises, in no protocol's words. A protocol brings a [`Subject`] that says them; one
//! without a subject fails the first test. Each test walks all subjects.

mod http;
mod kubernetes;
mod mysql;
mod postgres;
mod ssh;
mod subject;

use gateway::recording::Record;
use model::Protocol;
use serde_json::json;
use tests::assert_eventually;
use tests::middle::{Middle, Plan};
use tests::world::{Opener, World, text_of};

use subject::{Deed, Subject};

fn subjects() -> Vec<Box<dyn Subject>> {
    vec![
        Box::new(postgres::Postgres),
        Box::new(mysql::Mysql),
        Box::new(ssh::Ssh),
        Box::new(http::Web(&http::HTTP)),
        Box::new(http::Web(&kubernetes::KUBERNETES)),
    ]
}

/// The usual world with a subject's real server.
fn world_of(subject: &dyn Subject) -> World {
    World::with(subject.server(), |usual| usual)
}

/// The usual world with something in front of a subject's real server.
fn world_behind(subject: &dyn Subject, middle: &Middle) -> World {
    World::with(subject.server(), |usual| usual.upstream_at(middle.address()))
}

#[test]
fn every_protocol_of_the_registry_is_a_subject() {
    let registry = gateway::protocols::Registry::complete();
    for protocol in Protocol::ALL {
        assert!(registry.driver(*protocol).is_some(), "no driver speaks {protocol}");
        let subjects = subjects();
        let count = subjects.iter().filter(|subject| subject.protocol() == *protocol).count();
        assert_eq!(count, 1, "{protocol} must have one subject here");
    }
}

#[test]
fn a_refused_operation_never_reaches_the_upstream_and_the_session_goes_on() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let mut peer = subject.session(&world);
        let (denied, allowed) = (Deed::denied(), Deed::allowed());
        let answer = peer.run(&denied);
        assert!(answer.refused(), "{answer:?}");
        let answer = peer.run(&allowed);
        assert!(!answer.refused(), "{answer:?}");
        // The allowed one, later, has reached it: so the log would show the denied one.
        assert!(subject.reached(&world, &allowed));
        assert!(!subject.reached(&world, &denied));
    }
}

#[test]
fn a_refusal_names_its_rule() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let answer = subject.session(&world).run(&Deed::denied());
        assert!(answer.text.contains("no-deletes"), "{answer:?}");
        let line = world.event("operation_decided", |line| line["effect"] == "deny");
        assert_eq!(line["rules"][0]["rule"], "no-deletes");
        assert_eq!(line["reason"]["kind"], "denied_by_rule");
    }
}

#[test]
fn who_may_not_connect_causes_no_connection_upstream() {
    for subject in subjects() {
        let middle = Middle::before(subject.server().address());
        let world = World::with(subject.server(), |usual| {
            usual
                .upstream_at(middle.address())
                .role_of("{ id: nobody, effect: deny, target: shop }")
        });
        let refusal = subject.refused_login(&world);
        assert!(refusal.contains("nobody"), "{refusal}");
        assert_eq!(middle.accepted(), 0);
        let line = world.event("session_ended", |_| true);
        assert_eq!(line["cause"], "refused");
    }
}

#[test]
fn a_socket_without_a_binding_or_a_workload_is_refused() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let unbound = subject.login_from_nowhere(&world);
        assert!(unbound.is_err(), "a connection without a binding was let in");
        let line = world.event("socket_refused", |line| line["why"] == "no_binding");
        assert!(line.get("workload").is_none(), "{line}");
        let stranger = Opener { cgroup: "/system.slice/stranger.service", ..world.usual_opener() };
        assert!(subject.login_as(&world, &stranger).is_err(), "a stranger was let in");
        let line = world.event("socket_refused", |line| line["why"] == "no_workload");
        assert_eq!(line["cgroup"], "/system.slice/stranger.service");
        let elsewhere = Opener { original: ([192, 0, 2, 1], 5432).into(), ..world.usual_opener() };
        assert!(subject.login_as(&world, &elsewhere).is_err());
        let _ = world.event("socket_refused", |line| line["why"] == "no_target");
    }
}

#[test]
fn a_held_operation_runs_once_it_is_approved() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let place = subject.fresh_place(&world);
        let mut peer = subject.session_at(&world, &place);
        let deed = Deed::held();
        peer.begin(&deed);
        let hold = world.hold();
        assert!(!subject.has_happened(&world, &place, &deed), "it ran before it was approved");
        assert!(world.approve(hold.id).is_ok());
        let answer = peer.answer();
        assert!(!answer.refused(), "{answer:?}");
        assert!(subject.has_happened(&world, &place, &deed));
        let line = world.event("hold_ended", |line| line["hold"] == json!(hold.id));
        assert_eq!((&line["end"], &line["by"]), (&json!("approved"), &json!(["alice"])));
    }
}

#[test]
fn a_hold_that_is_rejected_is_refused_and_the_session_goes_on() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let place = subject.fresh_place(&world);
        let mut peer = subject.session_at(&world, &place);
        let deed = Deed::held();
        peer.begin(&deed);
        assert!(world.reject(world.hold().id).is_ok());
        let answer = peer.answer();
        assert!(answer.refused(), "{answer:?}");
        assert!(!subject.has_happened(&world, &place, &deed));
        assert!(!peer.run(&Deed::allowed()).refused());
    }
}

#[test]
fn a_hold_that_nobody_answers_expires_and_is_refused() {
    for subject in subjects() {
        let world = World::with(subject.server(), |mut usual| {
            usual.roles = usual.roles.replace("within: 1m", "within: 1s");
            usual
        });
        let place = subject.fresh_place(&world);
        let mut peer = subject.session_at(&world, &place);
        let deed = Deed::held();
        let answer = peer.run(&deed);
        assert!(answer.refused(), "{answer:?}");
        assert!(!subject.has_happened(&world, &place, &deed));
        let _ = world.event("hold_ended", |line| line["end"] == "expired");
        assert!(world.holds().is_empty());
    }
}

#[test]
fn a_hold_dies_with_its_client_and_can_no_longer_be_approved() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let place = subject.fresh_place(&world);
        let mut peer = subject.session_at(&world, &place);
        let deed = Deed::held();
        peer.begin(&deed);
        let hold = world.hold();
        drop(peer);
        assert_eventually!(world.holds().is_empty(), "the hold outlives its client");
        assert!(world.approve(hold.id).is_err());
        let _ = world.event("hold_ended", |line| line["end"] == "cancelled");
        assert!(!subject.has_happened(&world, &place, &deed));
    }
}

#[test]
fn a_policy_change_is_felt_by_the_next_operation_of_a_live_session() {
    for subject in subjects() {
        let mut world = world_of(&*subject);
        let mut peer = subject.session(&world);
        assert!(!peer.run(&Deed::allowed()).refused());
        let block = subject.block_of_allowed();
        let change = format!("{{ id: closed, effect: deny, target: shop, {block} }}");
        world.reload(|usual| usual.role_of(&change)).unwrap();
        let answer = peer.run(&Deed::allowed());
        assert!(answer.refused() && answer.text.contains("closed"), "{answer:?}");
    }
}

#[test]
fn a_policy_change_that_shuts_the_door_ends_a_live_session_and_says_why() {
    for subject in subjects() {
        let mut world = world_of(&*subject);
        let mut peer = subject.session(&world);
        assert!(!peer.run(&Deed::allowed()).refused());
        let change = "{ id: shut, effect: deny, target: shop }";
        world.reload(|usual| usual.role_of(change)).unwrap();
        let last_words = peer.until_end();
        assert!(last_words.contains("policy") || !subject.speaks_unasked(), "{last_words}");
        let line = world.event("session_ended", |_| true);
        assert_eq!(line["cause"], "policy_changed");
        assert_eventually!(world.open_connections() == 0);
    }
}

#[test]
fn masks_hold_wherever_an_answer_is_cut() {
    for subject in subjects() {
        let middle = Middle::before(subject.server().address());
        let world = world_behind(&*subject, &middle);
        let mut peer = subject.session(&world);
        let whole = peer.run(&Deed::sensitive());
        assert!(!whole.refused(), "{whole:?}");
        assert!(!whole.text.is_empty());
        let cuts: Vec<usize> = (1..subject.sensitive_answer_bytes()).collect();
        for cuts in cuts.chunks(subject.cuts_at_once()) {
            let deeds: Vec<Deed> = cuts.iter().copied().map(Deed::sensitive_cut_at).collect();
            for deed in &deeds {
                subject.plan(&middle, deed, Plan::CutAt(deed.cut));
            }
            peer.begin_at_once(&deeds);
            for cut in cuts {
                let answer = peer.answer();
                assert_eq!(answer.values, whole.values, "cut after {cut} bytes");
                for raw in subject.raw_values() {
                    assert!(!answer.text.contains(raw), "cut after {cut}: {answer:?}");
                }
            }
        }
    }
}

#[test]
fn a_request_is_understood_wherever_it_is_cut() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let mut peer = subject.session(&world);
        for deed in [Deed::denied(), Deed::sensitive()] {
            let whole = peer.run(&deed);
            for cut in subject.cuts(&deed) {
                peer.begin_cut(&deed, cut);
                assert_eq!(peer.answer(), whole, "cut after {cut} bytes");
            }
        }
    }
}

#[test]
fn the_recording_holds_what_passed_and_nothing_raw() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let mut peer = subject.session(&world);
        let deeds = [Deed::allowed(), Deed::denied(), Deed::sensitive()];
        let shown: Vec<_> = deeds.iter().map(|deed| peer.run(deed)).collect();
        drop(peer);
        let ended = world.event("session_ended", |_| true);
        assert!(ended["masked_values"].as_u64().unwrap() > 0, "{ended}");
        assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
        let recordings = world.recordings();
        let [(_, entries)] = recordings.as_slice() else {
            panic!("{} recordings", recordings.len())
        };
        let operations = entries
            .iter()
            .filter(|entry| matches!(entry.record, Record::OperationStarted { .. }))
            .count();
        assert_eq!(ended["operations"], operations, "{ended}");
        let text = text_of(entries);
        for deed in &deeds {
            assert!(text.contains(&deed.marker()), "{} is not recorded", deed.marker());
        }
        for value in shown.iter().flat_map(|answer| &answer.values).filter(|value| *value != "NULL")
        {
            assert!(text.contains(value.as_str()), "{value} was shown and is not recorded");
        }
        for raw in subject.raw_values() {
            assert!(!text.contains(raw), "{raw} is recorded");
        }
    }
}

#[test]
fn a_truncated_frame_ends_its_session_and_no_other() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let mut other = subject.session(&world);
        let deed = Deed::allowed();
        for cut in subject.cuts(&deed) {
            let mut peer = subject.session(&world);
            peer.begin_truncated(&deed, cut);
            drop(peer);
        }
        assert_eventually!(world.open_connections() == 1, "sessions are left over");
        assert!(!other.run(&Deed::allowed()).refused());
        assert!(world.events("session_ended").iter().all(|line| line["cause"] != "internal"));
    }
}

#[test]
fn bytes_that_are_no_frame_end_the_session_before_anything_is_kept() {
    for subject in subjects() {
        let world = World::with(subject.server(), |usual| {
            usual.limits("{ message_bytes_max: 64KiB, statement_bytes_max: 32KiB }")
        });
        for (what, bytes) in subject.oversize_frames() {
            let before = world.events("session_ended").len();
            let mut peer = subject.session(&world);
            peer.send(&bytes);
            let last_words = peer.until_end();
            // The audit log is written beside the sessions, and may be a moment behind.
            let ended = || world.events("session_ended");
            assert_eventually!(ended().len() > before, "{what}: {last_words}");
            let line = ended().pop().unwrap();
            assert_eq!(line["cause"], "protocol_violation", "{what}: {last_words} {line}");
        }
        assert!(!subject.session(&world).run(&Deed::allowed()).refused());
    }
}

#[test]
fn a_request_beyond_its_limit_is_refused_unread_and_the_session_goes_on() {
    for subject in subjects() {
        let world = World::with(subject.server(), |usual| {
            usual.limits("{ message_bytes_max: 64KiB, statement_bytes_max: 32KiB }")
        });
        let mut peer = subject.session(&world);
        let deed = Deed::allowed();
        peer.begin_too_long(&deed);
        let answer = peer.answer();
        assert!(answer.values.is_empty() && answer.text.contains("portcullis"), "{answer:?}");
        assert!(!peer.run(&Deed::allowed()).refused());
        assert!(!subject.reached(&world, &deed));
    }
}

#[test]
fn requests_sent_ahead_are_each_decided_and_answered_in_order() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let mut peer = subject.session(&world);
        let deeds: Vec<Deed> = (0..40)
            .map(|index| if index % 3 == 1 { Deed::denied() } else { Deed::allowed() })
            .collect();
        peer.begin_at_once(&deeds);
        for (index, deed) in deeds.iter().enumerate() {
            let answer = peer.answer();
            assert_eq!(answer.refused(), index % 3 == 1, "{index}: {answer:?}");
            assert_eq!(subject.reached(&world, deed), index % 3 != 1, "{index}");
        }
    }
}

#[test]
fn the_real_credential_is_in_no_log_no_audit_no_recording_and_no_answer() {
    for subject in subjects() {
        for credential in subject.credentials() {
            let world = World::with(subject.server(), &credential.right);
            let mut peer = subject.session(&world);
            let mut shown = String::new();
            for deed in [Deed::allowed(), Deed::denied(), Deed::sensitive(), Deed::failing()] {
                shown.push_str(&peer.run(&deed).text);
            }
            drop(peer);
            let _ = world.event("session_ended", |_| true);
            // An upstream that turns the credential down is the moment when one is blurted out.
            let refused = World::with(subject.server(), &credential.wrong);
            shown.push_str(&subject.refused_login(&refused));
            let _ = refused.event("upstream_failed", |_| true);
            for written in [shown, world.everything_written(), refused.everything_written()] {
                for secret in &credential.secrets {
                    assert!(!written.contains(secret), "{} leaked", credential.name);
                }
            }
        }
    }
}

#[test]
fn a_drain_lets_an_answer_that_is_under_way_arrive_whole() {
    for subject in subjects() {
        let world = world_of(&*subject);
        let mut peer = subject.session(&world);
        peer.begin(&Deed::long());
        peer.first_part();
        let drained = world.begin_drain();
        assert_eventually!(world.gateway().proxy().is_draining());
        let answer = peer.answer();
        assert!(!answer.refused(), "{}", answer.text.len());
        assert_eq!(answer.rows, subject.long_rows());
        let _ = peer.until_end();
        world.block_on(drained).unwrap();
        let line = world.event("session_ended", |_| true);
        assert_eq!(line["cause"], "drained");
    }
}

#[test]
fn an_upstream_that_resets_ends_its_session_as_its_protocol_says_it() {
    for subject in subjects() {
        let middle = Middle::before(subject.server().address());
        let world = world_behind(&*subject, &middle);
        let mut peer = subject.session(&world);
        let deed = Deed::allowed();
        subject.plan(&middle, &deed, Plan::Reset);
        peer.begin(&deed);
        let last_words = peer.until_end();
        assert_eq!(!last_words.is_empty(), subject.tells_of_lost_upstreams(), "{last_words}");
        let line = world.event("session_ended", |_| true);
        assert_eq!(line["cause"], "upstream");
        assert!(!subject.session(&world).run(&Deed::allowed()).refused());
    }
}

#[test]
fn an_upstream_that_lies_is_cut_off_and_nothing_raw_gets_through() {
    for subject in subjects() {
        for what in subject.lies() {
            let deed = Deed::sensitive();
            let deceived = subject.deceived(what, &deed);
            let world = &deceived.world;
            let mut peer = subject.session(world);
            deceived.begin();
            peer.begin(&deed);
            let last_words = peer.until_end();
            for raw in subject.raw_values() {
                assert!(!last_words.contains(raw), "{what}: {last_words}");
            }
            let line = world.event("session_ended", |_| true);
            assert_eq!(line["cause"], "protocol_violation", "{what}: {line}");
            assert!(line["because"].as_str().unwrap().contains("upstream"), "{what}: {line}");
        }
    }
}

#[test]
fn an_unreachable_upstream_is_told_to_the_client_and_to_the_audit_log() {
    for subject in subjects() {
        // A port that was free a moment ago: nobody listens.
        let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let world = World::with(subject.server(), |usual| usual.upstream_at(nobody));
        let refusal = subject.refused_login(&world);
        assert!(refusal.contains("upstream"), "{refusal}");
        let _ = world.event("upstream_failed", |_| true);
    }
}
