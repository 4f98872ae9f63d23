//! D5: whatever is done to a recording's file is found.

use std::path::{Path, PathBuf};

use model::audit::SessionEnd;
use model::{SessionId, Timestamp};
use proptest::prelude::*;

use super::world::{self, World};
use crate::recording::layout::{FOOTER_BYTES, HEAD_BYTES, Head, PREAMBLE_BYTES, header_length};
use crate::recording::*;

/// A sealed recording of several blocks and checkpoints, and where its blocks begin.
struct Specimen {
    world: World,
    bytes: Vec<u8>,
    /// Begin of each block, then of the footer.
    blocks: Vec<usize>,
}

impl Specimen {
    async fn new() -> Self {
        Self::of(world::SESSION).await
    }

    async fn of(session: SessionId) -> Self {
        let world = World::with(|settings| settings.sign_every = std::time::Duration::ZERO);
        let path = recorded(&world, session).await;
        let bytes = std::fs::read(path).unwrap();
        let blocks = blocks(&bytes);
        assert!(blocks.len() >= 6, "too few blocks to move about: {blocks:?}");
        Self { world, bytes, blocks }
    }

    fn verdict(&self, bytes: &[u8]) -> VerifyReport {
        let path = self.world.directory().join("tampered.rec");
        std::fs::write(&path, bytes).unwrap();
        let report = verify(&path, &self.world.trust()).unwrap();
        reading_agrees(&path, &self.world.trust(), &report);
        report
    }

    /// The bytes of block `index`.
    fn block(&self, index: usize) -> &[u8] {
        &self.bytes[self.blocks[index]..self.blocks[index + 1]]
    }

    fn preamble(&self) -> &[u8] {
        &self.bytes[..self.blocks[0]]
    }

    fn footer(&self) -> &[u8] {
        &self.bytes[self.bytes.len() - FOOTER_BYTES..]
    }

    fn block_count(&self) -> usize {
        self.blocks.len() - 1
    }

    /// The file with its blocks in another order.
    fn arranged(&self, order: &[usize]) -> Vec<u8> {
        let blocks = order.iter().flat_map(|index| self.block(*index)).copied();
        self.preamble().iter().copied().chain(blocks).chain(self.footer().iter().copied()).collect()
    }
}

/// Records the story in blocks of a few records.
async fn recorded(world: &World, session: SessionId) -> PathBuf {
    let header = world::header_of(session, world::START);
    let mut recorder = world.recorder.begin(header).await.unwrap();
    for (place, record) in world::story().iter().enumerate() {
        recorder.push(record).unwrap();
        if place % 4 == 3 {
            // Waits for the writer to take the block, so that the next record begins another.
            let shared = recorder.shared();
            while shared.pending.lock().batch.records > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
    recorder.finish(SessionEnd::Client);
    world.sealed().await;
    find(&world.directory(), session).unwrap()
}

fn blocks(bytes: &[u8]) -> Vec<usize> {
    let start: &[u8; PREAMBLE_BYTES] = bytes.first_chunk().unwrap();
    let mut at = PREAMBLE_BYTES + header_length(start).unwrap();
    let mut begins = vec![at];
    while at < bytes.len() - FOOTER_BYTES {
        let head: &[u8; HEAD_BYTES] = bytes[at..].first_chunk().unwrap();
        at += HEAD_BYTES + Head::parse(head).unwrap().0.payload_bytes();
        begins.push(at);
    }
    begins
}

/// A reader never yields more than the verifier found good, and fails where it found a problem.
fn reading_agrees(path: &Path, trust: &Trust, report: &VerifyReport) {
    let Ok(reader) = Reader::open_path(path, trust) else {
        assert!(report.problem.is_some(), "{report:?}");
        return;
    };
    let read: Vec<_> = reader.collect();
    let good = read.iter().filter(|entry| entry.is_ok()).count() as u64;
    assert!(good <= report.records, "{report:?}");
    assert_eq!(read.iter().any(Result::is_err), report.problem.is_some(), "{report:?}");
}

#[tokio::test]
async fn an_untouched_recording_is_sealed_and_its_head_is_the_one_in_the_audit_log() {
    let specimen = Specimen::new().await;
    let report = specimen.verdict(&specimen.bytes);
    assert!(report.ok(), "{report:?}");
    let (chain_head, records) = specimen.world.sealed().await;
    assert_eq!((report.chain_head, report.records), (chain_head, records));
}

#[tokio::test]
async fn d5_every_changed_byte_is_found() {
    let specimen = Specimen::new().await;
    for place in 0..specimen.bytes.len() {
        for flip in [0x01, 0x80] {
            let mut bytes = specimen.bytes.clone();
            bytes[place] ^= flip;
            let report = specimen.verdict(&bytes);
            assert_eq!(report.verdict, Verdict::Broken, "byte {place} ^ {flip:#x}: {report:?}");
            // Named where it is; a change to the header shows at the first block.
            let named = report.problem.unwrap().offset;
            assert!(named <= place.max(specimen.blocks[0]) as u64, "byte {place}: {named}");
        }
    }
}

#[tokio::test]
async fn d5_every_truncation_is_found_and_what_is_left_still_holds() {
    let specimen = Specimen::new().await;
    let whole = specimen.verdict(&specimen.bytes).records;
    for length in 0..specimen.bytes.len() {
        let report = specimen.verdict(&specimen.bytes[..length]);
        assert!(!report.ok() && !report.sealed || report.problem.is_some(), "{length}: {report:?}");
        assert!(report.records <= whole);
        if length >= specimen.blocks[0] && length <= *specimen.blocks.get(4).unwrap() {
            // As after a crash: all whole blocks, and the torn bytes named.
            let last = specimen.blocks.iter().rfind(|begin| **begin <= length).unwrap();
            assert_eq!(report.verdict, Verdict::Unsealed, "{length}: {report:?}");
            assert_eq!(report.torn_bytes, (length - last) as u64, "{length}: {report:?}");
        }
    }
}

#[tokio::test]
async fn d5_every_block_cut_out_moved_or_repeated_is_found() {
    let specimen = Specimen::new().await;
    let count = specimen.block_count();
    let straight: Vec<usize> = (0..count).collect();
    assert!(specimen.verdict(&specimen.arranged(&straight)).ok());
    for index in 0..count {
        let without: Vec<usize> = straight.iter().copied().filter(|it| *it != index).collect();
        assert!(!specimen.verdict(&specimen.arranged(&without)).ok(), "cut {index}");
        let mut twice = straight.clone();
        twice.insert(index, index);
        let report = specimen.verdict(&specimen.arranged(&twice));
        assert_eq!(report.verdict, Verdict::Broken, "twice {index}: {report:?}");
        for other in index + 1..count {
            let mut swapped = straight.clone();
            swapped.swap(index, other);
            let report = specimen.verdict(&specimen.arranged(&swapped));
            assert_eq!(report.verdict, Verdict::Broken, "swap {index} {other}: {report:?}");
            assert_eq!(
                report.problem.map(|problem| problem.offset),
                Some(specimen.blocks[index] as u64),
                "the first moved block is named"
            );
        }
    }
}

#[tokio::test]
async fn d5_the_tail_of_another_recording_fits_nowhere() {
    let specimen = Specimen::new().await;
    let other = Specimen::of(SessionId::from_u128(0x07e4)).await;
    for index in 0..specimen.block_count() {
        for from in 0..other.block_count() {
            let mut bytes = specimen.bytes[..specimen.blocks[index]].to_vec();
            bytes.extend_from_slice(&other.bytes[other.blocks[from]..]);
            let report = specimen.verdict(&bytes);
            assert_eq!(report.verdict, Verdict::Broken, "{index} {from}: {report:?}");
        }
    }
}

#[tokio::test]
async fn d5_bytes_after_the_end_are_found() {
    let specimen = Specimen::new().await;
    for extra in [b"\0".as_slice(), specimen.footer(), specimen.block(0), &specimen.bytes] {
        let bytes = [&specimen.bytes, extra].concat();
        assert_eq!(specimen.verdict(&bytes).verdict, Verdict::Broken);
    }
}

#[tokio::test]
async fn d5_a_recording_made_anew_with_another_key_is_found() {
    let specimen = Specimen::new().await;
    let forged = Specimen::new().await;
    let report = specimen.verdict(&forged.bytes);
    assert_eq!(report.verdict, Verdict::Broken);
    assert_eq!(report.signature, SignatureState::Bad);
    assert_eq!(
        report.problem.unwrap().kind,
        ProblemKind::ForeignKey(forged.world.recorder.public_key())
    );
    // Nobody's key given: it holds in itself, and the report says that this is all it knows.
    let path = specimen.world.directory().join("tampered.rec");
    let report = verify(&path, &Trust::AnyKey).unwrap();
    assert!(report.ok());
    assert_eq!(report.signature, SignatureState::SelfNamed);
}

#[tokio::test]
async fn a_recording_whose_daemon_died_holds_up_to_its_last_block_and_is_called_unsealed() {
    let world = World::with(|settings| settings.sign_every = std::time::Duration::ZERO);
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    for record in &world::story() {
        session.push(record).unwrap();
    }
    world.recorder.shutdown(std::time::Duration::from_secs(5)).await.unwrap();
    let path = find(&world.directory(), world::SESSION).unwrap();
    let report = verify(&path, &world.trust()).unwrap();
    assert_eq!(report.verdict, Verdict::Unsealed, "{report:?}");
    assert_eq!(report.records, world::story().len() as u64);
    assert_eq!(report.signed_records, report.records, "the checkpoint covers them");
    assert_eq!(report.signature, SignatureState::Trusted);
    drop(session);
    assert_eq!(verify(&path, &world.trust()).unwrap().records, report.records);
}

#[test]
fn d5_no_bytes_make_the_verifier_panic_or_say_yes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let specimen = runtime.block_on(Specimen::new());
    let length = specimen.bytes.len();
    proptest!(ProptestConfig::with_cases(300), |(
        edits in prop::collection::vec((0..length, any::<u8>()), 1..8),
        cut in 0..length,
        noise in prop::collection::vec(any::<u8>(), 0..200),
    )| {
        let mut edited = specimen.bytes.clone();
        for (place, byte) in &edits {
            edited[*place] = *byte;
        }
        prop_assert_eq!(specimen.verdict(&edited).ok(), edited == specimen.bytes);
        let spliced = [&specimen.bytes[..cut], &noise, &specimen.bytes[cut..]].concat();
        prop_assert_eq!(specimen.verdict(&spliced).ok(), noise.is_empty());
        let overwritten = [&specimen.bytes[..cut], &noise].concat();
        prop_assert!(!specimen.verdict(&overwritten).ok() || overwritten == specimen.bytes);
    });
}

#[tokio::test]
async fn a_clock_that_is_set_back_leaves_times_in_order() {
    let world = World::new();
    let late = Timestamp(world::START.0 + 3_600_000_000);
    let header = world::header_of(world::SESSION, late);
    let mut session = world.recorder.begin(header).await.unwrap();
    for record in &world::story() {
        session.push(record).unwrap();
    }
    session.finish(SessionEnd::Client);
    world.sealed().await;
    let reader = open(&world.directory(), world::SESSION, &world.trust()).unwrap();
    let times: Vec<_> = reader.map(|entry| entry.unwrap().at).collect();
    assert!(times.is_sorted(), "{times:?}");
}
