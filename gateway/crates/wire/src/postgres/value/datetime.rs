//! Dates and timestamps: decoded to text, and cut to their year.
//!
//! Owns the proleptic Gregorian arithmetic that two formats need. Must not know time zones: a
//! `timestamptz` is read as UTC.

use std::io::Write as _;

use super::Shape;
use crate::postgres::Format;

/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
const EPOCH_DAYS: i64 = 10_957;
const DAY_US: i64 = 86_400_000_000;

/// Year, month and day of a day counted from 1970-01-01, by Hinnant's `civil_from_days`.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The day of 1 January of a year, counted from 1970-01-01.
const fn january_first(year: i64) -> i64 {
    let before = year - 1;
    365 * before + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

fn put_civil(days: i64, out: &mut Vec<u8>) -> Option<()> {
    let (year, month, day) = civil(days);
    if year > 0 {
        write!(out, "{year:04}-{month:02}-{day:02}").ok()
    } else {
        write!(out, "{:04}-{month:02}-{day:02} BC", 1 - year).ok()
    }
}

fn put_clock(us: i64, out: &mut Vec<u8>) -> Option<()> {
    let seconds = us / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hour:02}:{minute:02}:{second:02}").ok()?;
    let fraction = us % 1_000_000;
    if fraction > 0 {
        write!(out, ".{fraction:06}").ok()?;
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    Some(())
}

/// Appends the text of a binary `date`.
pub(super) fn put_date(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match i32::from_be_bytes(bytes.try_into().ok()?) {
        i32::MAX => out.write_all(b"infinity").ok(),
        i32::MIN => out.write_all(b"-infinity").ok(),
        days => put_civil(i64::from(days) + EPOCH_DAYS, out),
    }
}

/// Appends the text of a binary `timestamp` or `timestamptz` (in UTC).
pub(super) fn put_timestamp(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match i64::from_be_bytes(bytes.try_into().ok()?) {
        i64::MAX => out.write_all(b"infinity").ok(),
        i64::MIN => out.write_all(b"-infinity").ok(),
        us => {
            put_civil(us.div_euclid(DAY_US) + EPOCH_DAYS, out)?;
            out.push(b' ');
            put_clock(us.rem_euclid(DAY_US), out)
        }
    }
}

/// Appends the text of a binary `time`.
pub(super) fn put_time(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match i64::from_be_bytes(bytes.try_into().ok()?) {
        us @ 0..=DAY_US => put_clock(us, out),
        _ => None,
    }
}

/// Appends a date or timestamp cut to the first of January of its year, in its own format; false
/// where the type is another or the bytes are not understood (then the caller puts a stand-in).
pub fn year_start(type_oid: u32, format: Format, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let cut = match (Shape::of(type_oid), format) {
        (shape @ (Shape::Date | Shape::Timestamp), Format::Text) => text_year(shape, bytes, out),
        (Shape::Date, Format::Binary) => binary_date_year(bytes, out),
        (Shape::Timestamp, Format::Binary) => binary_timestamp_year(bytes, out),
        _ => None,
    };
    cut.is_some()
}

/// Only ISO text (`2024-05-06`, four to six digits of year, no era) is understood: with another
/// `DateStyle` the first group need not be the year.
fn text_year(shape: Shape, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let dash = memchr::memchr(b'-', bytes)?;
    let year = bytes.get(..dash)?;
    let month_and_day = bytes.get(dash..dash + 6)?;
    let iso = (4..=6).contains(&year.len())
        && year.iter().all(u8::is_ascii_digit)
        && matches!(month_and_day, [b'-', a, b, b'-', c, d]
            if [a, b, c, d].into_iter().all(u8::is_ascii_digit));
    if !iso || bytes.ends_with(b"BC") {
        return None;
    }
    out.extend_from_slice(year);
    out.extend_from_slice(b"-01-01");
    if shape == Shape::Timestamp {
        out.extend_from_slice(b" 00:00:00");
        // The offset of a timestamptz stays, so that the client's parser still finds one.
        let clock = bytes.get(dash + 6..).unwrap_or_default();
        if let Some(sign) = memchr::memchr2(b'+', b'-', clock) {
            out.extend_from_slice(clock.get(sign..).unwrap_or_default());
        }
    }
    Some(())
}

fn binary_date_year(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let days = i32::from_be_bytes(bytes.try_into().ok()?);
    if days == i32::MAX || days == i32::MIN {
        return None;
    }
    let (year, _, _) = civil(i64::from(days) + EPOCH_DAYS);
    let cut = i32::try_from(january_first(year) - EPOCH_DAYS).ok()?;
    out.extend_from_slice(&cut.to_be_bytes());
    Some(())
}

fn binary_timestamp_year(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let us = i64::from_be_bytes(bytes.try_into().ok()?);
    if us == i64::MAX || us == i64::MIN {
        return None;
    }
    let (year, _, _) = civil(us.div_euclid(DAY_US) + EPOCH_DAYS);
    let cut = (january_first(year) - EPOCH_DAYS).checked_mul(DAY_US)?;
    out.extend_from_slice(&cut.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::oid;
    use super::*;
    use proptest::prelude::*;

    fn date_text(days: i32) -> String {
        let mut out = Vec::new();
        put_date(&days.to_be_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_read_as_the_server_prints_them() {
        assert_eq!(date_text(0), "2000-01-01");
        assert_eq!(date_text(8_891), "2024-05-05");
        assert_eq!(date_text(-10_957), "1970-01-01");
        assert_eq!(date_text(-730_485), "0001-01-01 BC");
        assert_eq!(date_text(i32::MAX), "infinity");
        let mut out = Vec::new();
        put_timestamp(&1_500_000i64.to_be_bytes(), &mut out).unwrap();
        assert_eq!(out, b"2000-01-01 00:00:01.5");
        let mut out = Vec::new();
        put_timestamp(&(-1i64).to_be_bytes(), &mut out).unwrap();
        assert_eq!(out, b"1999-12-31 23:59:59.999999");
    }

    #[test]
    fn text_dates_are_cut_to_their_year() {
        let cut = |type_oid, text: &str| {
            let mut out = Vec::new();
            year_start(type_oid, Format::Text, text.as_bytes(), &mut out)
                .then(|| String::from_utf8(out).unwrap())
        };
        assert_eq!(cut(oid::DATE, "2024-05-06").as_deref(), Some("2024-01-01"));
        assert_eq!(
            cut(oid::TIMESTAMPTZ, "2024-05-06 07:08:09.1+02").as_deref(),
            Some("2024-01-01 00:00:00+02")
        );
        assert_eq!(
            cut(oid::TIMESTAMP, "2024-05-06 07:08:09").as_deref(),
            Some("2024-01-01 00:00:00")
        );
        assert_eq!(cut(oid::DATE, "05-06-2024"), None);
        assert_eq!(cut(oid::DATE, "0044-03-15 BC"), None);
        assert_eq!(cut(oid::DATE, "infinity"), None);
        assert_eq!(cut(oid::TEXT, "2024-05-06"), None);
    }

    proptest! {
        #[test]
        fn a_cut_date_is_the_first_of_january_of_its_year(days in -700_000i32..3_000_000) {
            let mut cut = Vec::new();
            prop_assert!(year_start(oid::DATE, Format::Binary, &days.to_be_bytes(), &mut cut));
            let cut_days = i32::from_be_bytes(cut.try_into().unwrap());
            let (year, _, _) = civil(i64::from(days) + EPOCH_DAYS);
            prop_assert_eq!(civil(i64::from(cut_days) + EPOCH_DAYS), (year, 1, 1));
            let us = i64::from(days) * DAY_US + 12_345;
            let mut cut = Vec::new();
            prop_assert!(year_start(oid::TIMESTAMP, Format::Binary, &us.to_be_bytes(), &mut cut));
            prop_assert_eq!(
                i64::from_be_bytes(cut.try_into().unwrap()), i64::from(cut_days) * DAY_US);
        }
    }
}
