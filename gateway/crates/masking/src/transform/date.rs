//! Dates and timestamps cut to their year, in the format they came in.
//!
//! Owns the recognition of a written date: three groups of digits, one of them a year of four or
//! more digits at either end, then perhaps a time and an offset. The day and month become the
//! first, the time midnight, and the offset zero (it would tell summer from winter). A date with
//! the month in letters is not recognised; the caller has a fixed value for it.

/// What becomes of the year.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Year {
    /// It stays.
    Keep,
    /// It becomes 1970.
    Fixed,
}

/// Appends the date cut to its year and says whether it was recognised; otherwise writes nothing.
pub(super) fn cut(value: &[u8], year: Year, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    let recognised = write_cut(value, year, out).is_some();
    if !recognised {
        out.truncate(begin);
    }
    recognised
}

fn write_cut(value: &[u8], year: Year, out: &mut Vec<u8>) -> Option<()> {
    let (body, era) = value.strip_suffix(b" BC").map_or((value, &b""[..]), |body| (body, b" BC"));
    if body.len() > 40 {
        return None;
    }
    let mut rest = body;
    let mut group = 0;
    let mut years = 0;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, after) = rest.split_at_checked(digits)?;
        if digits > 0 {
            group += 1;
            if group <= 3 {
                years += write_date_group(number, group, year, out)?;
            } else {
                out.resize(out.len() + digits, b'0');
            }
        }
        let (separator, after) = after.split_first().map_or((None, after), |(s, a)| (Some(s), a));
        match separator {
            None => {}
            Some(mark @ (b'-' | b'/' | b'.')) if group < 3 && digits > 0 => out.push(*mark),
            Some(mark @ (b' ' | b'T' | b':' | b'.' | b'Z')) if group >= 3 => out.push(*mark),
            Some(b'+' | b'-') if group >= 3 => out.push(b'+'),
            Some(_) => return None,
        }
        rest = after;
    }
    out.extend_from_slice(era);
    (years == 1 && group >= 3).then_some(())
}

/// Writes one of the three groups of the day and answers how many years it was.
fn write_date_group(number: &[u8], group: u8, year: Year, out: &mut Vec<u8>) -> Option<u8> {
    match number.len() {
        1 | 2 => {
            out.extend_from_slice(b"01".get(2 - number.len()..)?);
            Some(0)
        }
        4..=6 if group != 2 => {
            out.extend_from_slice(if year == Year::Keep { number } else { b"1970" });
            Some(1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn year_of(value: &str) -> Option<String> {
        let mut out = Vec::new();
        cut(value.as_bytes(), Year::Keep, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_date_is_cut_in_the_format_it_came_in() {
        for (value, want) in [
            ("1980-05-17", "1980-01-01"),
            ("17.05.1980", "01.01.1980"),
            ("05/17/1980", "01/01/1980"),
            ("0044-03-15 BC", "0044-01-01 BC"),
            ("12345-06-07", "12345-01-01"),
            ("1980-05-17 10:11:12", "1980-01-01 00:00:00"),
            ("1980-07-17 10:11:12.123456+02", "1980-01-01 00:00:00.000000+00"),
            ("1980-07-17T10:11:12Z", "1980-01-01T00:00:00Z"),
            ("1980-01-17 10:11:12-03:30", "1980-01-01 00:00:00+00:00"),
        ] {
            assert_eq!(year_of(value).as_deref(), Some(want), "{value}");
        }
    }

    #[test]
    fn what_is_no_date_is_left_to_the_caller_and_writes_nothing() {
        for value in
            ["infinity", "Sat May 17 1980", "", "1980", "05-17", "80-05-17", "1980-1980-01", "x"]
        {
            assert_eq!(year_of(value), None, "{value}");
        }
        let mut out = b"before".to_vec();
        assert!(!cut(b"1980-05-x", Year::Keep, &mut out));
        assert_eq!(out, b"before");
    }
}
