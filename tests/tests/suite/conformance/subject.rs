//! What a protocol brings to be tested: its words for what every protocol can do.
//!
//! Owns the seam of the suite.

use std::sync::atomic::{AtomicU32, Ordering};

use model::Protocol;
use tests::middle::{Middle, Plan};
use tests::world::{Configuration, Opener, Upstream, World};

/// Something a workload wants to do, each time with a number of its own, which makes it findable.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) kind: Kind,
    /// After how many bytes its answer is cut, where a request can ask for that; else 0.
    pub(super) cut: usize,
    number: u32,
}

/// What sort of deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A rule allows it.
    Allowed,
    /// A rule denies it.
    Denied,
    /// A rule holds it.
    Held,
    /// It is allowed, and its answer has values that must be masked.
    Sensitive,
    /// It is allowed, and the upstream fails at it.
    Failing,
    /// It is allowed, and its answer is long.
    Long,
}

impl Deed {
    fn new(kind: Kind) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(700_000_001);
        Self { kind, cut: 0, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    pub(super) fn allowed() -> Self {
        Self::new(Kind::Allowed)
    }

    pub(super) fn denied() -> Self {
        Self::new(Kind::Denied)
    }

    pub(super) fn held() -> Self {
        Self::new(Kind::Held)
    }

    pub(super) fn sensitive() -> Self {
        Self::new(Kind::Sensitive)
    }

    pub(super) fn sensitive_cut_at(cut: usize) -> Self {
        Self { cut, ..Self::sensitive() }
    }

    pub(super) fn failing() -> Self {
        Self::new(Kind::Failing)
    }

    pub(super) fn long() -> Self {
        Self::new(Kind::Long)
    }

    /// The number, as it stands in the request.
    pub(super) fn marker(&self) -> String {
        self.number.to_string()
    }
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// All of it, as text.
    pub(super) text: String,
    /// The values in it.
    pub(super) values: Vec<String>,
    /// How many rows or chunks.
    pub(super) rows: usize,
    /// The protocol's word for a refusal by the gateway, where it is one.
    pub(super) refusal: Option<String>,
}

impl Answer {
    pub(super) fn refused(&self) -> bool {
        self.refusal.is_some()
    }
}

/// A session of a client.
pub(super) trait Peer: Send {
    /// Sends bytes.
    fn send(&mut self, bytes: &[u8]);
    /// Sends the request of a deed.
    fn begin(&mut self, deed: &Deed);
    /// Sends the request of a deed, with a pause after so many of its bytes.
    fn begin_cut(&mut self, deed: &Deed, at: usize);
    /// Sends so many bytes of the request of a deed, and no more.
    fn begin_truncated(&mut self, deed: &Deed, at: usize);
    /// Sends the request of a deed, drawn out beyond the limit of a statement.
    fn begin_too_long(&mut self, deed: &Deed);
    /// Sends the requests of many deeds without waiting for an answer.
    fn begin_at_once(&mut self, deeds: &[Deed]);
    /// Waits until something of the answer is there.
    fn first_part(&mut self);
    /// Takes in one whole answer.
    fn answer(&mut self) -> Answer;
    /// Takes in what comes until the connection ends.
    fn until_end(&mut self) -> String;

    /// Does a deed.
    fn run(&mut self, deed: &Deed) -> Answer {
        self.begin(deed);
        self.answer()
    }
}

/// A protocol under test.
pub(super) trait Subject {
    /// Which.
    fn protocol(&self) -> Protocol;
    /// The real server behind the gateway.
    fn server(&self) -> Upstream;
    /// Where the request of a deed is cut.
    fn cuts(&self, deed: &Deed) -> Vec<usize>;
    /// The part of a rule that is about the deeds that are allowed.
    fn block_of_allowed(&self) -> &'static str;
    /// Whether a server says why it closes where nothing was asked. HTTP has no word for that.
    fn speaks_unasked(&self) -> bool {
        true
    }
    /// Whether a client is told that the upstream went away without an answer. Clients of HTTP try
    /// again by themselves where a connection just ends, so it does.
    fn tells_of_lost_upstreams(&self) -> bool {
        true
    }
    /// A session of the usual workload with the usual place.
    fn session(&self, world: &World) -> Box<dyn Peer>;
    /// A place of its own for a deed that changes things.
    fn fresh_place(&self, world: &World) -> String;
    /// A session of the usual workload with that place.
    fn session_at(&self, world: &World, place: &str) -> Box<dyn Peer>;
    /// Logs in where it must be refused, and gives what the client was told.
    fn refused_login(&self, world: &World) -> String;
    /// Logs in over a connection that carries no binding.
    fn login_from_nowhere(&self, world: &World) -> Result<(), String>;
    /// Logs in over a connection that somebody else opened.
    fn login_as(&self, world: &World, opener: &Opener) -> Result<(), String>;
    /// Whether the upstream has seen the request of a deed.
    fn reached(&self, world: &World, deed: &Deed) -> bool;
    /// Whether a held deed has been done there.
    fn has_happened(&self, world: &World, place: &str, deed: &Deed) -> bool;
    /// Has a server in the middle carry out a plan at this deed. [`Plan::CutAt`] may do nothing
    /// where the deed asks for its cut itself.
    fn plan(&self, middle: &Middle, deed: &Deed, plan: Plan);
    /// Ways of the gateway to log in.
    fn credentials(&self) -> Vec<Credential>;
    /// Values of a sensitive answer as the upstream has them.
    fn raw_values(&self) -> &'static [&'static str];
    /// At most so many bytes of a sensitive answer are of interest.
    fn sensitive_answer_bytes(&self) -> usize;
    /// How many answers can be cut side by side.
    fn cuts_at_once(&self) -> usize;
    /// Rows of a long answer.
    fn long_rows(&self) -> usize;
    /// Frames that no honest client sends, and what is wrong with each.
    fn oversize_frames(&self) -> Vec<(&'static str, Vec<u8>)>;
    /// Names of answers to a sensitive request that no honest upstream gives.
    fn lies(&self) -> Vec<&'static str>;
    /// A world whose upstream answers this deed with that lie, raw values in it.
    fn deceived(&self, lie: &str, deed: &Deed) -> Deceived;
}

/// A way of the gateway to log in.
pub(super) struct Credential {
    /// What it is.
    pub(super) name: &'static str,
    /// A configuration that has it.
    pub(super) right: Box<dyn Fn(Configuration) -> Configuration>,
    /// A configuration that has one like it, which the upstream does not take.
    pub(super) wrong: Box<dyn Fn(Configuration) -> Configuration>,
    /// What must be found nowhere, of both.
    pub(super) secrets: Vec<String>,
}

/// A world with an upstream that lies.
pub(super) struct Deceived {
    pub(super) world: World,
    begin: Box<dyn Fn()>,
}

impl Deceived {
    /// `begin` has the upstream lie from now on, and keeps it.
    pub(super) fn new(world: World, begin: impl Fn() + 'static) -> Self {
        Self { world, begin: Box::new(begin) }
    }

    /// From now on the upstream lies.
    pub(super) fn begin(&self) {
        (self.begin)();
    }
}
