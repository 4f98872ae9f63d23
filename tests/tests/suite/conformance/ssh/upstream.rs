//! Upstreams that are odd, or somebody else.
//!
//! Owns what is asked of SSH alone. Must not know how an upstream lies.

use tests::sshd::{RAW_VALUES, SshServer};
use tests::world::World;

use super::liar::{DRIBBLE, Liar, UNASKED};
use super::{PLACE, Ssh, session};
use crate::conformance::subject::{Deed, Peer, Subject};

#[test]
fn a_mask_holds_where_the_upstream_sends_byte_by_byte_with_the_status_in_the_middle() {
    let liar = Liar::new(DRIBBLE);
    liar.begin();
    let answer = session(&liar.world(), PLACE).run(&Deed::sensitive());
    assert!(answer.text.contains("call") && answer.text.contains("4444"), "{answer:?}");
    for raw in RAW_VALUES {
        assert!(!answer.text.contains(raw), "{answer:?}");
    }
    // Nor a part of one that was let go when the status came.
    assert!(!answer.text.contains("customer1"), "{answer:?}");
}

#[test]
fn channels_that_the_upstream_opens_unasked_are_rejected_and_the_session_goes_on() {
    let liar = Liar::new(UNASKED);
    let world = liar.world();
    let mut peer = session(&world, PLACE);
    liar.begin();
    assert!(!peer.run(&Deed::allowed()).refused());
    assert_eq!(liar.channels(), (0, 7), "accepted, rejected");
    assert!(!peer.run(&Deed::allowed()).refused());
}

#[test]
fn an_upstream_with_another_host_key_gets_no_login_and_its_operator_is_told() {
    let other = SshServer::shared().file("host_authority");
    let liar = Liar::with_key("", &other);
    let world: World = liar.world();
    let told = Ssh.refused_login(&world);
    assert!(told.contains("host key"), "{told}");
    assert_eq!(liar.logins(), 0);
    let _ = world.event("upstream_failed", |_| true);
}
