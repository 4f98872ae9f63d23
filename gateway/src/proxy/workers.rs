//! The threads on which connections are served.
//!
//! Owns a runtime for each thread and the choice among them. Must not know what is served. A connection
//! stays on its thread from accept to end, with everything that it starts: its tasks wake each other
//! without waking another processor, and no thread looks for work of another one. What takes long must
//! therefore go elsewhere (`spawn_blocking`). The threads end when the last owner of the workers is gone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Stack of a thread, also of those that read long statements. Reading recurses; the reader grows its
/// stack from here on.
const STACK_BYTES: usize = 4 * 1024 * 1024;

/// Threads that serve connections.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Arc<Worker>>,
    /// Ends the threads.
    _end: DropGuard,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Connections that it serves.
    connections: AtomicUsize,
}

/// A connection's place on a thread, until it is dropped.
#[derive(Debug)]
struct Place(Arc<Worker>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workers {
    /// One for each processor.
    ///
    /// # Errors
    /// Of the system, which has no thread or no descriptor left.
    pub fn start() -> io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let end = CancellationToken::new();
        let guard = end.clone().drop_guard();
        let workers: io::Result<Vec<_>> =
            (0..processors).map(|number| Worker::start(number, end.clone())).collect();
        Ok(Self { workers: workers?, _end: guard })
    }

    /// Has a connection served by the thread that has the fewest. `serve` is given the stream there.
    ///
    /// # Errors
    /// Of taking the stream along.
    pub(super) fn serve<F>(
        &self,
        stream: TcpStream,
        tracker: &TaskTracker,
        serve: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let least = self.workers.iter().min_by_key(|one| one.connections.load(Ordering::Relaxed));
        let Some(worker) = least else { return Err(io::ErrorKind::NotFound.into()) };
        // Its readiness is told to the thread that waits for it.
        let stream = stream.into_std()?;
        worker.connections.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(worker));
        let served = async move {
            let _place = place;
            match TcpStream::from_std(stream) {
                Ok(stream) => serve(stream).await,
                Err(error) => tracing::error!(%error, "an accepted connection was lost"),
            }
        };
        drop(tracker.spawn_on(served, &worker.runtime));
        Ok(())
    }
}

impl Worker {
    fn start(number: usize, end: CancellationToken) -> io::Result<Arc<Self>> {
        let runtime =
            Builder::new_current_thread().enable_all().thread_stack_size(STACK_BYTES).build()?;
        let worker = Self { runtime: runtime.handle().clone(), connections: AtomicUsize::new(0) };
        std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .stack_size(STACK_BYTES)
            .spawn(move || runtime.block_on(end.cancelled_owned()))?;
        Ok(Arc::new(worker))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn connections_are_spread_and_stay_where_they_are() {
        let workers = Workers {
            workers: (0..3)
                .map(|number| Worker::start(number, CancellationToken::new()).unwrap())
                .collect(),
            _end: CancellationToken::new().drop_guard(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tracker = TaskTracker::new();
        let (tell, mut told) = mpsc::unbounded_channel();
        let leave = CancellationToken::new();
        for _ in 0..6 {
            let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
            let (tell, leave) = (tell.clone(), leave.clone());
            workers
                .serve(accepted.unwrap().0, &tracker, move |_stream| async move {
                    let begun = thread::current().id();
                    leave.cancelled().await;
                    let inner = tokio::spawn(async { thread::current().id() }).await.unwrap();
                    tell.send((begun, inner, thread::current().id())).unwrap();
                })
                .unwrap();
        }
        let served: Vec<_> =
            workers.workers.iter().map(|one| one.connections.load(Ordering::Relaxed)).collect();
        assert_eq!(served, [2, 2, 2]);
        leave.cancel();
        for _ in 0..6 {
            let (begun, inner, ended) = told.recv().await.unwrap();
            assert_eq!((inner, ended), (begun, begun));
        }
        tracker.close();
        tracker.wait().await;
        assert!(workers.workers.iter().all(|one| one.connections.load(Ordering::Relaxed) == 0));
    }

    #[tokio::test]
    async fn threads_end_with_their_owner() {
        let end = CancellationToken::new();
        let worker = Worker::start(0, end.clone()).unwrap();
        let task = worker.runtime.spawn(std::future::pending::<()>());
        drop(end.drop_guard());
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
