//! Dates and timestamps: between binary and text.
//!
//! Owns the proleptic Gregorian arithmetic that two formats need. Must not know time zones: a
//! `timestamptz` is read as UTC.

use std::io::Write as _;

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

/// Appends the binary form of an ISO date (`2024-05-06`).
pub(super) fn put_binary_date(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let days = i32::try_from(days_of(text)? - EPOCH_DAYS).ok()?;
    out.extend_from_slice(&days.to_be_bytes());
    Some(())
}

/// Appends the binary form of an ISO timestamp at midnight; an offset after it is left out, as a
/// masked value has no more than its year.
pub(super) fn put_binary_timestamp(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (date, clock) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    clock.starts_with("00:00:00").then_some(())?;
    let us = (days_of(date)? - EPOCH_DAYS).checked_mul(DAY_US)?;
    out.extend_from_slice(&us.to_be_bytes());
    Some(())
}

/// The day of an ISO date, counted from 1970-01-01.
fn days_of(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut number = |digits: std::ops::RangeInclusive<usize>| -> Option<i64> {
        let part = parts.next()?;
        let sound = digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if sound { part.parse().ok() } else { None }
    };
    let (year, month, day) = (number(4..=6)?, number(2..=2)?, number(2..=2)?);
    if year == 0 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = BEFORE.get(usize::try_from(month - 1).ok()?)?;
    Some(january_first(year) + before + i64::from(leap && month > 2) + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
