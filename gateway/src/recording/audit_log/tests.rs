//! The audit log on real files, a full disk included.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn note(by: &str) -> AuditEvent {
    AuditEvent::ControlAction {
        action: "reload",
        subject: "policy".into(),
        by: by.into(),
        accepted: true,
    }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "a half line: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sequences(path: &Path) -> Vec<u64> {
    lines(path).iter().map(|line| line["sequence"].as_u64().unwrap()).collect()
}

fn until(mut reached: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if reached() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it was not reached within ten seconds");
}

#[test]
fn lines_from_many_threads_are_whole_in_order_and_without_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log/audit.jsonl");
    let log = AuditLog::open(&path, Metrics::new()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = &log;
            scope.spawn(move || {
                for _ in 0..250 {
                    log.append(Timestamp(thread), note("uid 0 (root)"));
                }
            });
        }
    });
    log.close();
    assert_eq!(sequences(&path), (1..=2000).collect::<Vec<_>>());
    assert_eq!(log.lost(), 0);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn a_line_looks_like_this() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let log = AuditLog::open(&path, Metrics::new()).unwrap();
    log.append(Timestamp(1_795_291_200_000_000), note("uid 0 (root)"));
    log.close();
    insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r#"{"time_us":1795291200000000,"sequence":1,"event":"control_action","action":"reload","subject":"policy","by":"uid 0 (root)","accepted":true}"#);
}

#[test]
fn after_a_rotation_lines_go_to_the_new_file_and_none_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let moved = directory.path().join("audit.jsonl.1");
    let log = AuditLog::open(&path, Metrics::new()).unwrap();
    log.append(Timestamp(1), note("before"));
    until(|| !lines(&path).is_empty());
    std::fs::rename(&path, &moved).unwrap();
    log.append(Timestamp(2), note("moved"));
    until(|| lines(&moved).len() == 2);
    log.reopen();
    until(|| path.exists());
    log.append(Timestamp(3), note("after"));
    log.close();
    assert_eq!((sequences(&moved), sequences(&path)), (vec![1, 2], vec![3]));
}

#[test]
fn a_half_line_of_a_crash_does_not_spoil_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    std::fs::write(&path, "{\"time_us\":1,\"sequ").unwrap();
    let log = AuditLog::open(&path, Metrics::new()).unwrap();
    log.append(Timestamp(2), note("next"));
    log.close();
    let text = std::fs::read_to_string(&path).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["sequence"], 1);
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn d6_a_full_disk_is_said_kept_through_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let metrics = Metrics::new();
    let log = AuditLog::open(&path, Arc::clone(&metrics)).unwrap();
    log.append(Timestamp(1), note("first"));
    until(|| !log.healthy());
    assert!(metrics.render().contains("portcullis_audit_healthy 0"));
    let kept = LINES_MAX as u64;
    for _ in 0..kept + 5 {
        log.append(Timestamp(2), note("while full"));
    }
    let lost = log.lost();
    assert!((5..kept).contains(&lost), "{lost}");
    assert!(metrics.render().contains(&format!("portcullis_audit_lines_lost_total {lost}\n")));

    // Room again: the writer opens the log anew for its retry.
    std::fs::remove_file(&path).unwrap();
    until(|| log.healthy());
    log.append(Timestamp(3), note("after"));
    log.close();
    let lines = lines(&path);
    let sequences = sequences(&path);
    assert!(sequences.is_sorted());
    assert_eq!(sequences.first(), Some(&1), "what failed first was kept");
    let told = lines.iter().position(|line| line["event"] == "audit_lines_lost").unwrap();
    assert_eq!(lines[told]["lines"], lost);
    assert_eq!(sequences[told] - sequences[told - 1], lost + 1, "the gap is the lost lines");
    assert_eq!(lines[told + 1]["by"], "after");
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let error = AuditLog::open(directory.path(), Metrics::new()).unwrap_err();
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
}

#[test]
fn after_the_close_lines_are_lost_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let log = AuditLog::open(&directory.path().join("audit.jsonl"), Metrics::new()).unwrap();
    log.close();
    assert!(!log.healthy());
    log.append(Timestamp(1), note("late"));
    assert_eq!(log.lost(), 1);
}
