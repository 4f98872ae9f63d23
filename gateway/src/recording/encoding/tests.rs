//! Every record survives its encoding, and no bytes break the decoder.

use std::borrow::Cow;
use std::sync::Arc;

use model::audit::{HoldEnd, SessionEnd};
use model::{DecidingRule, Effect, HoldId, OperationNumber, Reason, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::recording::header::Counts;
use crate::recording::record::{Direction, OperationOutcome, Stream, Value};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just(String::new()), Just("x".repeat(300))]
}

fn cow() -> impl Strategy<Value = Cow<'static, str>> {
    text().prop_map(Cow::Owned)
}

fn operation() -> impl Strategy<Value = OperationNumber> {
    prop_oneof![1..200_u64, any::<u64>()].prop_map(OperationNumber)
}

fn some_operation() -> impl Strategy<Value = Option<OperationNumber>> {
    prop::option::of((1..u64::MAX).prop_map(OperationNumber))
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        Just(Value::Null),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| Value::Whole(bytes.into())),
        (prop::collection::vec(any::<u8>(), 0..50), 51..u64::MAX)
            .prop_map(|(kept, bytes_total)| Value::Cut { kept: kept.into(), bytes_total }),
    ]
}

fn values() -> impl Strategy<Value = Cow<'static, [Value<'static>]>> {
    prop::collection::vec(value(), 0..6).prop_map(Cow::Owned)
}

fn effect() -> impl Strategy<Value = Effect> {
    prop_oneof![Just(Effect::Allow), Just(Effect::Hold), Just(Effect::Deny)]
}

fn reason() -> impl Strategy<Value = Reason> {
    prop_oneof![
        Just(Reason::Granted),
        Just(Reason::DeniedByRule),
        Just(Reason::HeldByRule),
        Just(Reason::NoRole),
        text().prop_map(|access| Reason::NotGranted { access: access.into() }),
        text().prop_map(|because| Reason::Refused { because: because.into() }),
        (text(), text()).prop_map(|(rule, because)| Reason::ConditionFailed {
            rule: rule.as_str().into(),
            because: because.into()
        }),
    ]
}

fn rules() -> impl Strategy<Value = Cow<'static, [DecidingRule]>> {
    let rule =
        (text(), text(), effect(), text()).prop_map(|(role, rule, effect, access)| DecidingRule {
            role: role.as_str().into(),
            rule: rule.as_str().into(),
            effect,
            access: access.into(),
        });
    prop::collection::vec(rule, 0..4).prop_map(Cow::Owned)
}

fn session_end() -> impl Strategy<Value = SessionEnd> {
    prop_oneof![
        Just(SessionEnd::Client),
        Just(SessionEnd::Upstream),
        Just(SessionEnd::PolicyChanged),
        Just(SessionEnd::TokenExpired),
        Just(SessionEnd::Killed),
        Just(SessionEnd::Drained),
        Just(SessionEnd::Refused),
        text().prop_map(|because| SessionEnd::ProtocolViolation { because: because.into() }),
        text().prop_map(|because| SessionEnd::Internal { because: because.into() }),
    ]
}

fn of_operations() -> impl Strategy<Value = Record<'static>> {
    prop_oneof![
        (operation(), cow(), cow(), values()).prop_map(|(operation, kind, text, parameters)| {
            Record::OperationStarted { operation, kind, text, parameters }
        }),
        (operation(), effect(), any::<bool>(), reason(), rules()).prop_map(
            |(operation, effect, observed_only, reason, rules)| Record::Decided {
                operation,
                effect,
                observed_only,
                reason: Cow::Owned(reason),
                rules
            }
        ),
        (operation(), prop::collection::vec(cow(), 0..5)).prop_map(|(operation, names)| {
            Record::ResultColumns { operation, names: names.into() }
        }),
        (operation(), values())
            .prop_map(|(operation, values)| Record::ResultRow { operation, values }),
        (
            operation(),
            prop_oneof![
                Just(OperationOutcome::Completed),
                Just(OperationOutcome::Failed),
                Just(OperationOutcome::Refused),
                Just(OperationOutcome::Abandoned),
            ],
            cow(),
            prop::option::of(cow()),
            any::<(u64, u64, u64, u32)>(),
        )
            .prop_map(|(operation, outcome, status, code, numbers)| {
                Record::OperationEnded {
                    operation,
                    outcome,
                    status,
                    code,
                    rows: numbers.0,
                    bytes: numbers.1,
                    masked_values: numbers.2,
                    duration: Duration::from_micros(numbers.3.into()),
                }
            }),
    ]
}

fn of_sessions() -> impl Strategy<Value = Record<'static>> {
    let hold_end = prop_oneof![
        Just(HoldEnd::Approved),
        Just(HoldEnd::Rejected),
        Just(HoldEnd::Expired),
        Just(HoldEnd::Cancelled),
    ];
    let stream = prop_oneof![Just(Stream::Input), Just(Stream::Output), Just(Stream::Error)];
    let by = prop::collection::vec(text().prop_map(Arc::<str>::from), 0..3);
    prop_oneof![
        (operation(), any::<u128>(), any::<u64>()).prop_map(|(operation, hold, expires)| {
            Record::Held { operation, hold: HoldId::from_u128(hold), expires: Timestamp(expires) }
        }),
        (operation(), any::<u128>(), hold_end, by, prop::option::of(cow())).prop_map(
            |(operation, hold, end, by, comment)| Record::HoldEnded {
                operation,
                hold: HoldId::from_u128(hold),
                end,
                by: by.into(),
                comment
            }
        ),
        (operation(), any::<u64>(), any::<u64>())
            .prop_map(|(operation, rows, bytes)| Record::ResultOmitted { operation, rows, bytes }),
        (some_operation(), stream, prop::collection::vec(any::<u8>(), 0..300)).prop_map(
            |(operation, stream, bytes)| Record::Output { operation, stream, bytes: bytes.into() }
        ),
        (some_operation(), cow(), cow()).prop_map(|(operation, severity, text)| Record::Notice {
            operation,
            severity,
            text
        }),
        cow().prop_map(|text| Record::Note { text }),
        any::<u64>().prop_map(|records| Record::Gap { records }),
        (session_end(), any::<[u64; 6]>()).prop_map(|(end, counts)| Record::SessionEnded {
            end: Cow::Owned(end),
            counts: Counts {
                operations: counts[0],
                denied: counts[1],
                held: counts[2],
                failed: counts[3],
                rows: counts[4],
                masked_values: counts[5],
            },
        }),
    ]
}

fn of_terminals_and_files() -> impl Strategy<Value = Record<'static>> {
    prop_oneof![
        (operation(), cow(), any::<(u32, u32)>()).prop_map(|(operation, term, (columns, rows))| {
            Record::Terminal { operation, term, columns, rows }
        }),
        (operation(), any::<(u32, u32)>())
            .prop_map(|(operation, (columns, rows))| Record::Resized { operation, columns, rows }),
        (operation(), cow(), any::<(bool, u64, Option<[u8; 32]>, bool)>()).prop_map(
            |(operation, path, (up, bytes, sha256, whole))| Record::Transferred {
                operation,
                path,
                direction: if up { Direction::Upload } else { Direction::Download },
                bytes,
                sha256,
                whole,
            }
        ),
    ]
}

fn record() -> impl Strategy<Value = Record<'static>> {
    prop_oneof![of_operations(), of_sessions(), of_terminals_and_files()]
}

proptest! {
    #[test]
    fn every_record_reads_back_as_it_was(
        records in prop::collection::vec((record(), any::<u32>()), 1..5)
    ) {
        let mut block = Vec::new();
        for (record, at) in &records {
            let at = Duration::from_micros((*at).into());
            append(&mut block, at, record, &mut usize::MAX.clone()).unwrap();
        }
        let mut rest = block.as_slice();
        for (record, at) in &records {
            let taken = take(&mut rest).unwrap();
            prop_assert_eq!(taken.record.as_ref(), Some(record));
            prop_assert_eq!(taken.at, Duration::from_micros((*at).into()));
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_record_cut_short_is_an_error(record in record(), keep in any::<prop::sample::Index>()) {
        let mut block = Vec::new();
        append(&mut block, Duration::ZERO, &record, &mut usize::MAX.clone()).unwrap();
        let kept = &block[..keep.index(block.len())];
        prop_assert!(take(&mut &kept[..]).is_err());
    }

    #[test]
    fn no_bytes_break_the_decoder(body in prop::collection::vec(any::<u8>(), 0..400), kind in 0..20_u8) {
        let length = u32::try_from(body.len() + 1).unwrap();
        let framed = [&length.to_le_bytes()[..], &[kind], &body].concat();
        let mut rest = framed.as_slice();
        if let Ok(taken) = take(&mut rest) {
            prop_assert!(rest.is_empty());
            prop_assert!(taken.record.is_some() || kind == 0 || kind > 16);
        }
    }
}

#[test]
fn a_kind_of_a_later_version_is_passed_over() {
    let later = [&5_u32.to_le_bytes()[..], &[200, 7, 1, 2, 3]].concat();
    let mut rest = later.as_slice();
    let taken = take(&mut rest).unwrap();
    assert!(taken.record.is_none() && rest.is_empty());
}

#[test]
fn a_field_added_by_a_later_version_is_passed_over() {
    let mut block = Vec::new();
    append(&mut block, Duration::ZERO, &Record::Note { text: "hello".into() }, &mut 0).unwrap();
    block.extend_from_slice(b"more");
    let length = u32::try_from(block.len() - 4).unwrap();
    block[..4].copy_from_slice(&length.to_le_bytes());
    let taken = take(&mut block.as_slice()).unwrap();
    assert_eq!(taken.record, Some(Record::Note { text: "hello".into() }));
}

#[test]
fn a_record_that_is_too_large_leaves_the_block_as_it_was() {
    let mut block = b"before".to_vec();
    let text = "x".repeat(RECORD_BYTES_MAX);
    let added = append(&mut block, Duration::ZERO, &Record::Note { text: text.into() }, &mut 0);
    assert_eq!(added, Err(EncodingError::TooLarge));
    assert_eq!(block, b"before");
}

#[test]
fn a_row_from_its_values_is_the_row_of_a_record() {
    let values = [Some(b"one".as_slice()), None, Some(b"three".as_slice())];
    let (mut streamed, mut built) = (Vec::new(), Vec::new());
    append_row(&mut streamed, Duration::ZERO, 7, values.into_iter(), &mut 5).unwrap();
    let values: Vec<Value<'_>> = values.into_iter().map(Value::from).collect();
    let record = Record::ResultRow { operation: OperationNumber(7), values: values.into() };
    append(&mut built, Duration::ZERO, &record, &mut 5).unwrap();
    assert_eq!(streamed, built);
}
