//! `bench ssh`: bulk both ways by cipher, copies, and what a connection and a command cost, over
//! OpenSSH itself and through the gateway with its policy, its recording and its detectors on.
//!
//! Owns the cases and their bars. The bar is for bulk: a file by SFTP, as `scp` and `sftp` copy it,
//! with aes256-gcm. Text that is looked through for what to mask is shown beside it.

mod arena;

use std::time::Instant;

use self::arena::{Arena, HOST, TEXT_BYTES, succeed};
use super::peers::Way;
use super::report::{Bar, Report, Row, Sense};
use super::statistics::{median, median_ratio};
use super::{BenchArguments, processor};
use crate::console;
use crate::fault::{During, Outcome};

/// The ciphers, the one of the bar first.
const CIPHERS: &[&str] = &["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"];

/// Processor seconds of the gateway for a GB of bulk.
const BULK_CPU_MAX: f64 = 1.6;

/// The same to what OpenSSH's client and server take together for it: the gateway is the end of two
/// connections, too.
const BULK_TO_ENDS_MAX: f64 = 0.5;

/// Both ends of OpenSSH, among those that are compared.
const ENDS: &str = "ssh + sshd";

/// Connections of a round.
const CONNECTIONS: u32 = 20;

/// Commands of a round over one shared connection.
const COMMANDS: u32 = 100;

/// Commands over a shared connection. Its making and its end are not measured.
const SHARED: &str = r#"
for number in $(seq "$3"); do ssh -F "$1" -o ControlPath="$2" "$4" true; done
"#;

/// What is copied, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copy {
    /// A file from the host, by SFTP.
    Down,
    /// A file to the host, by SFTP.
    Up,
    /// Text that a command prints.
    Text,
}

/// How much is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    /// Of a bulk case, a multiple of the text.
    bulk: u64,
    /// Of a copy by the old protocol of `scp`.
    copy: u64,
}

impl Sizes {
    /// A second is worth 256 MiB, and more than two are not waited for.
    fn of(seconds: u32) -> Self {
        let seconds = u64::from(seconds.clamp(1, 2));
        Self { bulk: seconds * (256 << 20), copy: seconds * 150_000_000 }
    }
}

/// Measures all of it.
pub(super) fn measure(arguments: &BenchArguments) -> Outcome<Report> {
    let sizes = Sizes::of(arguments.seconds);
    let arena = Arena::set_up(sizes.bulk)?;
    let mut report = Report::of("ssh", arguments);
    for cipher in CIPHERS {
        for copy in [Copy::Down, Copy::Up, Copy::Text] {
            bulk(&arena, copy, cipher, sizes.bulk, arguments.rounds, &mut report)?;
        }
    }
    old_copy(&arena, sizes.copy, arguments.rounds, &mut report)?;
    connections(&arena, arguments.rounds, &mut report)?;
    commands(&arena, arguments.rounds, &mut report)?;
    Ok(report)
}

/// Figures of one way, one a round.
struct Series<'a> {
    way: &'a Way,
    seconds: Vec<f64>,
    /// Processor seconds of what is in between.
    processor: Vec<f64>,
    /// Processor seconds of OpenSSH's client and server.
    ends: Vec<f64>,
}

impl<'a> Series<'a> {
    /// Runs a case over both ways, round by round.
    fn measure(
        arena: &'a Arena,
        rounds: usize,
        run: impl Fn(&Way) -> Outcome<f64>,
    ) -> Outcome<[Self; 2]> {
        let [direct, ours] = &arena.ways;
        let empty =
            |way| Series { way, seconds: Vec::new(), processor: Vec::new(), ends: Vec::new() };
        let mut all = [empty(direct), empty(ours)];
        for _ in 0..rounds {
            for series in &mut all {
                let way = series.way;
                let before = (processor::seconds(&way.processes), arena.ends(way)?);
                series.seconds.push(run(way)?);
                series.processor.push(processor::seconds(&way.processes) - before.0);
                series.ends.push(arena.ends(way)? - before.1);
            }
        }
        Ok(all)
    }
}

/// Runs a command to its end, and gives the seconds it took.
fn timed(run: impl FnOnce() -> Outcome) -> Outcome<f64> {
    let began = Instant::now();
    run()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Many bytes of one kind with one cipher.
fn bulk(
    arena: &Arena,
    copy: Copy,
    cipher: &str,
    bytes: u64,
    rounds: usize,
    report: &mut Report,
) -> Outcome {
    let short = cipher.split('@').next().unwrap_or(cipher);
    let case = match copy {
        Copy::Down => format!("{short}, sftp down"),
        Copy::Up => format!("{short}, sftp up"),
        Copy::Text => format!("{short}, text down, masked"),
    };
    if !report.begins(&case) {
        return Ok(());
    }
    let remote = format!("{HOST}:/srv/data/binary");
    let local = arena.file("openssh/srv/data/binary").display().to_string();
    let sink = format!("{HOST}:/dev/null");
    let text = vec!["/srv/data/text"; usize::try_from(bytes / TEXT_BYTES).unwrap_or(1)];
    let (program, rest) = match copy {
        Copy::Down => ("scp", vec!["-q", remote.as_str(), "/dev/null"]),
        Copy::Up => ("scp", vec!["-q", local.as_str(), sink.as_str()]),
        Copy::Text => ("ssh", [vec![HOST, "cat"], text].concat()),
    };
    let line = [vec!["-c", cipher], rest].concat();
    let found = Series::measure(arena, rounds, |way| timed(|| arena.run(way, program, &line)))?;
    let cost = throughput(&case, bytes, &found, report)?;
    if short == "aes256-gcm" && copy != Copy::Text {
        let sense = Sense::AtMost;
        let name = format!("CPU s/GB of the gateway, {case}");
        report.bars.push(Bar { name, value: cost.a_gb, bar: BULK_CPU_MAX, sense });
        let name = format!("CPU to that of both ends, {case}");
        report.bars.push(Bar { name, value: cost.to_ends, bar: BULK_TO_ENDS_MAX, sense });
    }
    Ok(())
}

/// What a GB costs in the gateway.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    /// Processor seconds.
    a_gb: f64,
    /// The same in what both ends of OpenSSH take for it without a gateway.
    to_ends: f64,
}

/// Adds the speed and the cost of a case; gives the cost.
fn throughput(
    case: &str,
    bytes: u64,
    [direct, ours]: &[Series<'_>; 2],
    report: &mut Report,
) -> Outcome<Cost> {
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    let bytes = bytes as f64;
    let speed = |series: &Series<'_>| -> Vec<f64> {
        series.seconds.iter().map(|seconds| bytes / seconds / 1e6).collect()
    };
    pair(case, "MB/s", &speed(direct), &speed(ours), report)?;
    let a_gb = |used: &[f64]| -> Vec<f64> { used.iter().map(|used| used / bytes * 1e9).collect() };
    let (costs, ends) = (a_gb(&ours.processor), a_gb(&direct.ends));
    let cost = median(&costs).during("no rounds")?;
    let peers = vec![(ENDS, median(&ends).during("no rounds")?)];
    report.rows.push(Row { case: case.to_owned(), metric: "CPU s/GB", ours: Some(cost), peers });
    Ok(Cost { a_gb: cost, to_ends: median_ratio(&costs, &ends).during("no rounds")? })
}

/// A copy by the old protocol of `scp` to a file, as it is with everybody's defaults.
fn old_copy(arena: &Arena, bytes: u64, rounds: usize, report: &mut Report) -> Outcome {
    let case = format!("scp -O of {} MB", bytes / 1_000_000);
    if !report.begins(&case) {
        return Ok(());
    }
    let file = arena.file("copied");
    let made = std::fs::File::create(&file).during(file.display())?;
    made.set_len(bytes).during(file.display())?;
    let (local, remote) = (file.display().to_string(), format!("{HOST}:/srv/data/copied"));
    let line = ["-q", "-O", local.as_str(), remote.as_str()];
    let found = Series::measure(arena, rounds, |way| timed(|| arena.run(way, "scp", &line)))?;
    throughput(&case, bytes, &found, report).map(|_| ())
}

/// From nothing to the end of a command that does nothing.
fn connections(arena: &Arena, rounds: usize, report: &mut Report) -> Outcome {
    let case = "ssh true, a connection each";
    if !report.begins(case) {
        return Ok(());
    }
    let found = Series::measure(arena, rounds, |way| {
        let mut all = Vec::new();
        for _ in 0..CONNECTIONS {
            all.push(timed(|| arena.run(way, "ssh", &[HOST, "true"]))?);
        }
        median(&all).during("no connections")
    })?;
    latency(case, &found, report)
}

/// Commands over one connection, as Ansible and Git use it.
fn commands(arena: &Arena, rounds: usize, report: &mut Report) -> Outcome {
    let case = "100 x ssh true over ControlMaster";
    if !report.begins(case) {
        return Ok(());
    }
    let found = Series::measure(arena, rounds, |way| {
        let path = arena.file(&format!("{}.sock", way.name)).display().to_string();
        let path = format!("ControlPath={path}");
        arena.run(way, "ssh", &["-o", &path, "-o", "ControlPersist=60", "-MNf", HOST])?;
        let mut command = arena.shell(way, SHARED)?;
        command.args([&COMMANDS.to_string(), HOST]);
        let seconds = timed(|| succeed(&mut command, way))?;
        arena.run(way, "ssh", &["-o", &path, "-O", "exit", HOST])?;
        Ok(seconds)
    })?;
    latency(case, &found, report)
}

fn latency(case: &str, [direct, ours]: &[Series<'_>; 2], report: &mut Report) -> Outcome {
    let milliseconds = |series: &Series<'_>| -> Vec<f64> {
        series.seconds.iter().map(|seconds| seconds * 1e3).collect()
    };
    pair(case, "ms", &milliseconds(direct), &milliseconds(ours), report)
}

/// Adds a row of both ways, and says their ratio.
fn pair(
    case: &str,
    metric: &'static str,
    direct: &[f64],
    ours: &[f64],
    report: &mut Report,
) -> Outcome {
    let ratio = median_ratio(ours, direct).during("no rounds")?;
    console::note(&format!("{ratio:.2} of direct"));
    report.rows.push(Row {
        case: case.to_owned(),
        metric,
        ours: median(ours),
        peers: vec![("direct", median(direct).during("no rounds")?)],
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded_whatever_the_seconds() {
        assert_eq!(Sizes::of(0), Sizes::of(1));
        assert_eq!(Sizes::of(2), Sizes { bulk: 512 << 20, copy: 300_000_000 });
        assert_eq!(Sizes::of(1000), Sizes::of(2));
        assert_eq!(Sizes::of(1).bulk % TEXT_BYTES, 0);
    }

    #[test]
    fn a_case_has_its_speed_on_both_ways_and_the_cost_of_ours() {
        let way = |name| Way { name, port: 22, processes: Vec::new(), unit: "one.service" };
        let (direct, ours) = (way("direct"), way("gateway"));
        let series = |way, seconds, used, ends| Series {
            way,
            seconds: vec![seconds],
            processor: vec![used],
            ends: vec![ends],
        };
        let found = [series(&direct, 1.0, 0.0, 1.0), series(&ours, 2.0, 0.75, 1.5)];
        let mut report = Report::default();
        let cost = throughput("case", 500_000_000, &found, &mut report).unwrap();
        assert_eq!(cost, Cost { a_gb: 1.5, to_ends: 0.75 });
        let [speed, cost] = &report.rows[..] else { panic!("{report:?}") };
        assert_eq!((speed.ours, &speed.peers[..]), (Some(250.0), &[("direct", 500.0)][..]));
        assert_eq!((cost.ours, &cost.peers[..]), (Some(1.5), &[(ENDS, 2.0)][..]));
    }
}
