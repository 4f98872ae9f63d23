//! Prints the speed of the detectors in GB/s of scanned text, beside a byte-by-byte baseline.
//!
//! `cargo run --release -p portcullis-masking --example throughput`

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use masking::{ScanSet, Transforms};
use model::{Detector, DetectorMask, MaskProfile, Secret, Transform};

/// Something that goes over one piece of text.
type Scan<'a> = &'a dyn Fn(&[u8], &mut Vec<u8>) -> usize;

/// Bytes of text, small enough to stay in the cache as what has just been received does.
const TEXT_BYTES: usize = 256 * 1024;
/// Times the text is gone over in a round, and rounds; the best round counts.
const REPEATS: u32 = 64;
const ROUNDS: u32 = 15;

fn set(detectors: &[Detector]) -> ScanSet {
    let detectors = detectors
        .iter()
        .map(|detector| DetectorMask {
            detector: *detector,
            tag: "bench".into(),
            transform: Transform::Last4,
        })
        .collect();
    let profile = MaskProfile { detectors, ..MaskProfile::default() };
    ScanSet::new(&profile, Arc::new(Transforms::new(&Secret::new(vec![0; 32]))))
}

/// Words, names, dates and short numbers, as columns hold them; `dirty` adds a card and an
/// address to every row of six.
fn columns(dirty: bool) -> Vec<String> {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let words = ["order", "shipped", "to", "Lisbon", "invoice", "pending", "blue", "large", "and"];
    let mut columns = Vec::new();
    let mut bytes = 0;
    while bytes < TEXT_BYTES {
        let column = match columns.len() % 6 {
            0 => format!("{} Avenida da Liberdade {}", next(99), next(999)),
            1 => format!(
                "2024-{:02}-{:02} 10:11:12.{:06}",
                1 + next(12),
                1 + next(28),
                next(999_999)
            ),
            2 if dirty => "bob.smith@example.com x".to_owned(),
            4 if dirty => "card 4111 1111 1111 1111 x".to_owned(),
            _ => (0..4)
                .filter_map(|_| words.get(usize::try_from(next(9)).ok()?).copied())
                .collect::<Vec<_>>()
                .join(" "),
        };
        bytes += column.len();
        columns.push(column);
    }
    columns
}

/// Groups of digits with dashes, as `sysbench` fills its columns, and long numbers.
fn numbers(dashed: bool) -> Vec<String> {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut columns = Vec::new();
    let mut bytes = 0;
    while bytes < TEXT_BYTES {
        let column = if dashed {
            let groups: Vec<_> =
                (0..10).map(|_| format!("{:011}", next() % 100_000_000_000)).collect();
            groups.join("-")
        } else {
            format!("{:016}", next() % 10_000_000_000_000_000)
        };
        bytes += column.len();
        columns.push(column);
    }
    columns
}

/// The best of some rounds, in GB/s.
fn rate(bytes: usize, mut round: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for _ in 0..REPEATS {
            round();
        }
        best = best.min(begin.elapsed().as_secs_f64() / f64::from(REPEATS));
    }
    #[expect(clippy::cast_precision_loss, reason = "a byte count far below 2^52")]
    let bytes = bytes as f64;
    bytes / best / 1e9
}

/// What one writes first: every byte, counting digits and looking for `@`.
fn naive(text: &[u8]) -> usize {
    let (mut digits, mut sum, mut found) = (0_u32, 0_u32, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                let value = u32::from(byte - b'0') << (digits % 2);
                sum += if value > 9 { value - 9 } else { value };
            }
            b' ' | b'-' | b'.' => {}
            b'@' => found += 1,
            _ => {
                found += usize::from((13..=19).contains(&digits) && sum % 10 == 0);
                (digits, sum) = (0, 0);
            }
        }
    }
    found
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn main() {
    let cards = set(&[Detector::PaymentCard]);
    let emails = set(&[Detector::Email]);
    let both = set(&[Detector::PaymentCard, Detector::Email]);
    let names = ["clean", "dirty", "dashed", "16 digits"];
    print!("{:<34}", "GB/s, one core");
    names.iter().for_each(|name| print!(" {name:>9}"));
    println!();
    let mut out = Vec::new();
    let texts = [columns(false), columns(true), numbers(true), numbers(false)];
    let rows: [(&str, Scan<'_>); 5] = [
        ("payment_card", &|text, out| cards.mask(text, out)),
        ("email", &|text, out| emails.mask(text, out)),
        ("payment_card and email", &|text, out| both.mask(text, out)),
        ("naive, byte by byte", &|text, _| naive(text)),
        ("length only (loop overhead)", &|text, _| text.len()),
    ];
    for (name, scan) in rows {
        let mut line = format!("{:<34}", format!("{name}, per column"));
        for text in &texts {
            let bytes = text.iter().map(String::len).sum();
            let speed = rate(bytes, || {
                for column in text {
                    out.clear();
                    black_box(scan(black_box(column.as_bytes()), &mut out));
                }
            });
            line.push_str(&format!(" {speed:>9.2}"));
        }
        println!("{line}");
        let mut line = format!("{:<34}", format!("{name}, per 64 KiB"));
        for text in &texts {
            let joined = text.join(",");
            let speed = rate(joined.len(), || {
                for chunk in joined.as_bytes().chunks(64 * 1024) {
                    out.clear();
                    black_box(scan(black_box(chunk), &mut out));
                }
            });
            line.push_str(&format!(" {speed:>9.2}"));
        }
        println!("{line}");
    }
}
