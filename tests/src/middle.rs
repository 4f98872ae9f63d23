//! An upstream that misbehaves: between the gateway and the real server.
//!
//! Owns the misbehaviour. Bytes pass unchanged until a request holds a marker that a test chose;
//! then, and only for that request, the plan is carried out. Connections end with their ends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;

/// What is done to the answer of a request that holds the marker.
#[derive(Clone, Debug)]
pub enum Plan {
    /// It comes in two pieces, cut after so many bytes.
    CutAt(usize),
    /// The connection is reset instead of an answer.
    Reset,
    /// These bytes come instead of an answer; the server never sees the request.
    Say(Vec<u8>),
    /// Nothing comes, ever.
    Silence,
}

/// The plan, with the marker of the requests it is for.
type Planned = Mutex<Option<(Vec<u8>, Plan)>>;

/// A server in the middle.
#[derive(Debug)]
pub struct Middle {
    address: SocketAddr,
    plan: Arc<Planned>,
    accepted: Arc<AtomicUsize>,
}

impl Middle {
    /// In front of a real server.
    ///
    /// # Panics
    /// Where no port can be had.
    #[must_use]
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let middle = Self { address, plan: Arc::default(), accepted: Arc::default() };
        let (plan, accepted) = (Arc::clone(&middle.plan), Arc::clone(&middle.accepted));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                accepted.fetch_add(1, Ordering::SeqCst);
                let plan = Arc::clone(&plan);
                std::thread::spawn(move || {
                    if let Ok(server) = TcpStream::connect(server) {
                        serve(client, server, &plan);
                    }
                });
            }
        });
        middle
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has taken.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Plans what happens to what is sent next, where nobody can read in it. It happens once.
    ///
    /// # Panics
    /// Where an earlier test of this value panicked.
    pub fn plan_next(&self, plan: Plan) {
        *self.plan.lock().expect("nobody panicked") = Some((Vec::new(), plan));
    }

    /// Plans what happens to requests that hold `marker`.
    ///
    /// # Panics
    /// Where an earlier test of this value panicked.
    pub fn plan(&self, marker: &str, plan: Plan) {
        *self.plan.lock().expect("nobody panicked") = Some((marker.as_bytes().to_vec(), plan));
    }
}

fn serve(client: TcpStream, server: TcpStream, plan: &Planned) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let cut = Arc::new(Mutex::new(None));
    let (Ok(to_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { return };
    let watched = Arc::clone(&cut);
    std::thread::spawn(move || answers(from_server, to_client, &watched));
    requests(client, server, plan, &cut);
}

fn requests(
    mut client: TcpStream,
    mut server: TcpStream,
    plan: &Planned,
    cut: &Mutex<Option<usize>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let request = buffer.get(..count).unwrap_or_default();
        match planned(plan, request) {
            None => {}
            Some(Plan::CutAt(at)) => *cut.lock().expect("nobody panicked") = Some(at),
            Some(Plan::Reset) => {
                // Closing with unread data or without lingering sends a reset.
                let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
                let _ = server.shutdown(Shutdown::Both);
                return;
            }
            Some(Plan::Say(bytes)) => {
                let _ = client.write_all(&bytes);
                continue;
            }
            Some(Plan::Silence) => continue,
        }
        if server.write_all(request).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

fn answers(mut server: TcpStream, mut client: TcpStream, cut: &Mutex<Option<usize>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        let answer = buffer.get(..count).unwrap_or_default();
        let at = cut.lock().expect("nobody panicked").take().unwrap_or(0).min(answer.len());
        let (first, second) = answer.split_at(at);
        if !first.is_empty() {
            let _ = client.write_all(first);
            // Long enough for the other side to have read the first piece alone.
            std::thread::sleep(Duration::from_millis(3));
        }
        if client.write_all(second).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Write);
}

/// The plan for a request. One without a marker is for any, and for one.
fn planned(plan: &Planned, request: &[u8]) -> Option<Plan> {
    let mut planned = plan.lock().expect("nobody panicked");
    let (marker, _) = planned.as_ref()?;
    if marker.is_empty() {
        return planned.take().map(|(_, plan)| plan);
    }
    planned.clone().filter(|(marker, _)| holds(request, marker)).map(|(_, plan)| plan)
}

fn holds(request: &[u8], marker: &[u8]) -> bool {
    request.windows(marker.len()).any(|window| window == marker)
}
