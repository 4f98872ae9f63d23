//! Recordings from push to verdict, on real files.

mod listing;
mod replaying;
mod results;
mod tamper;
mod trouble;
pub(crate) mod world;

use super::*;
use world::World;

#[tokio::test]
async fn what_was_pushed_is_read_back_in_order_and_the_seal_holds() {
    let world = World::new();
    let records = world::story();
    let path = world.record(&records, model::audit::SessionEnd::Client).await;
    let mut reader = open(&world.directory(), world::SESSION, &world.trust()).unwrap();
    let entries: Vec<Entry> = reader.by_ref().map(Result::unwrap).collect();
    let read: Vec<_> = entries.iter().map(|entry| entry.record.clone()).collect();
    assert_eq!(read[..records.len()], records[..]);
    assert!(matches!(read.last(), Some(Record::SessionEnded { .. })));
    assert_eq!(reader.header(), &world::header());
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=entries.len() as u64).collect::<Vec<_>>());
    let report = verify(&path, &world.trust()).unwrap();
    assert!(report.ok(), "{report:?}");
    assert_eq!(report.records, entries.len() as u64);
    assert_eq!(report.signed_records, report.records);
    assert_eq!(report.signature, SignatureState::Trusted);
    assert_eq!(report.seal.as_ref(), reader.seal());
}
