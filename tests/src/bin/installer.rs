//! A daemon that the tests can kill: adopts or installs the programs of an instance, listens in its
//! own network namespace, greets with `PROXY`, and ends when it is killed.

use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::sync::Arc;

use gateway::interception::{
    FlowTable, Installation, InstanceName, KernelFlows, Listeners, Namespaces, Programs,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("which instance?")?;
    let installation = Installation::new(InstanceName::new(&name)?);
    let programs = Arc::new(Programs::load_or_adopt(&installation)?);
    let flows: Arc<dyn FlowTable> = Arc::new(KernelFlows::new(Arc::clone(&programs)));
    let listeners = Listeners::new(programs, Arc::clone(&flows), Namespaces::start()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let opened = runtime.block_on(listeners.discover())?;
    let listener = opened.into_iter().next().ok_or("no listener was opened")?.v4;
    listener.set_nonblocking(false)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "ok")?;
    out.flush()?;
    greet(&listener, &*flows)
}

fn greet(listener: &TcpListener, flows: &dyn FlowTable) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let (mut stream, _) = listener.accept()?;
        let bound = flows.binding(stream.as_fd())?.is_some();
        stream.write_all(if bound { b"PROXY" } else { b"UNBOUND" })?;
    }
}
