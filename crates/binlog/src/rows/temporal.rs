//! Temporal values from their stored forms to text: MySQL's `my_time.h` and `my_time.cc` (`my_datetime_packed_from_binary` and its like) describe them;
//! the forms from before 5.6 are decimal numbers.
//!
//! Fractions take (digits + 1) / 2 bytes, big-endian, in units of 10^-2, 10^-4 or 10^-6. In TIME they belong, with the part before them, to one number
//! to which half of its range was added: so the whole number is read, the half taken off, and only then, without its sign, it is cut into its parts.

use crate::cursor::Cursor;
use crate::error::Malformed;

type Result<T> = std::result::Result<T, Malformed>;

/// Text under construction; the longest is `-838:59:59.000000` or `YYYY-MM-DD HH:MM:SS.ffffff`, and nonsense in the bytes cannot make it longer than this.
struct Text {
    bytes: [u8; 40],
    len: usize,
}

impl Text {
    #[inline]
    fn new() -> Self {
        Self {
            bytes: [0; 40],
            len: 0,
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// The lowest two digits.
    #[inline]
    fn two(&mut self, n: u32) {
        let n = n % 100;
        self.push(b'0' + (n / 10) as u8);
        self.push(b'0' + (n % 10) as u8);
    }

    #[inline]
    fn date(&mut self, year: u32, month: u32, day: u32) {
        self.two(year / 100);
        self.two(year);
        self.push(b'-');
        self.two(month);
        self.push(b'-');
        self.two(day);
    }

    /// Hours of two digits, or three where they are needed.
    #[inline]
    fn time(&mut self, hour: u32, minute: u32, second: u32) {
        if hour >= 100 {
            self.push(b'0' + (hour / 100 % 10) as u8);
        }
        self.two(hour);
        self.push(b':');
        self.two(minute);
        self.push(b':');
        self.two(second);
    }

    /// A fraction of `digits` digits, stored in units of a hundredth, a ten thousandth or a millionth.
    #[inline]
    fn fraction(&mut self, digits: u8, stored: u32) {
        if digits == 0 {
            return;
        }
        self.push(b'.');
        let mut left = digits.div_ceil(2) * 2;
        let mut scale = 10u32.pow(u32::from(left));
        let end = self.len + usize::from(digits);
        while left > 0 {
            scale /= 10;
            self.push(b'0' + (stored / scale % 10) as u8);
            left -= 1;
        }
        // An odd number of digits is stored with a zero more.
        self.len = end;
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        crate::rows::value::push_bytes(out, &self.bytes[..self.len]);
    }
}

fn fraction_len(digits: u8) -> usize {
    usize::from(digits.div_ceil(2))
}

/// DATE: 3 bytes, 15 bits of year, 4 of month, 5 of day.
#[inline]
pub(crate) fn date(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let packed = cursor.uint(3, "date")? as u32;
    let mut text = Text::new();
    text.date(packed >> 9, packed >> 5 & 0xf, packed & 0x1f);
    text.write(out);
    Ok(())
}

/// TIME from before 5.6: 3 bytes, signed, hhmmss as a decimal number.
pub(crate) fn old_time(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let raw = cursor.uint(3, "time")? as u32;
    let signed = (raw << 8) as i32 >> 8;
    let n = signed.unsigned_abs();
    let mut text = Text::new();
    if signed < 0 {
        text.push(b'-');
    }
    text.time(n / 10_000, n / 100 % 100, n % 100);
    text.write(out);
    Ok(())
}

/// DATETIME from before 5.6: 8 bytes, YYYYMMDDhhmmss as a decimal number.
pub(crate) fn old_datetime(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let n = cursor.u64("datetime")?;
    let (date, time) = ((n / 1_000_000 % 100_000_000) as u32, (n % 1_000_000) as u32);
    let mut text = Text::new();
    text.date(date / 10_000, date / 100 % 100, date % 100);
    text.push(b' ');
    text.time(time / 10_000, time / 100 % 100, time % 100);
    text.write(out);
    Ok(())
}

/// TIMESTAMP from before 5.6: 4 bytes, little-endian, seconds since 1970.
pub(crate) fn old_timestamp(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let seconds = cursor.u32("timestamp")?;
    instant(seconds, 0, 0).write(out);
    Ok(())
}

/// TIME: 3 bytes and the fraction; 1 bit of sign, 1 unused, 10 of hours, 6 of minutes, 6 of seconds.
#[inline]
pub(crate) fn time(digits: u8, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let bytes = fraction_len(digits);
    let bits = 8 * bytes as u32;
    let stored = cursor.uint_be(3 + bytes, "time")? as i64;
    let signed = stored - (0x80_0000 << bits);
    let packed = signed.unsigned_abs();
    let whole = (packed >> bits) as u32;
    let mut text = Text::new();
    if signed < 0 {
        text.push(b'-');
    }
    text.time(whole >> 12 & 0x3ff, whole >> 6 & 0x3f, whole & 0x3f);
    text.fraction(digits, (packed & ((1 << bits) - 1)) as u32);
    text.write(out);
    Ok(())
}

/// DATETIME: 5 bytes and the fraction; 1 bit of sign (always set), 17 of year × 13 + month, 5 of day, 5 of hour, 6 of minute, 6 of second.
#[inline]
pub(crate) fn datetime(digits: u8, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let packed = cursor.uint_be(5, "datetime")?;
    let fraction = cursor.uint_be(fraction_len(digits), "datetime_fraction")?;
    let date = (packed >> 17 & 0x3f_ffff) as u32;
    let time = (packed & 0x1_ffff) as u32;
    let month = date >> 5;
    let mut text = Text::new();
    text.date(month / 13, month % 13, date & 0x1f);
    text.push(b' ');
    text.time(time >> 12, time >> 6 & 0x3f, time & 0x3f);
    text.fraction(digits, fraction as u32);
    text.write(out);
    Ok(())
}

/// TIMESTAMP: 4 bytes, big-endian, seconds since 1970, and the fraction.
#[inline]
pub(crate) fn timestamp(digits: u8, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<()> {
    let seconds = cursor.uint_be(4, "timestamp")? as u32;
    let fraction = cursor.uint_be(fraction_len(digits), "timestamp_fraction")?;
    instant(seconds, digits, fraction as u32).write(out);
    Ok(())
}

/// An instant in UTC. 0 seconds and no fraction is the zero value, which no valid timestamp equals.
#[inline]
fn instant(seconds: u32, digits: u8, fraction: u32) -> Text {
    let mut text = Text::new();
    if seconds == 0 && fraction == 0 {
        text.date(0, 0, 0);
        text.push(b' ');
        text.time(0, 0, 0);
    } else {
        let (year, month, day) = civil(seconds / 86_400);
        let time = seconds % 86_400;
        text.date(year, month, day);
        text.push(b' ');
        text.time(time / 3600, time / 60 % 60, time % 60);
    }
    text.fraction(digits, fraction);
    text
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// The count is shifted to begin at 0000-03-01, so that a leap day is the last of its year, and cut into eras of 400 years, which all have 146,097 days.
fn civil(day: u32) -> (u32, u32, u32) {
    const DAYS_FROM_0000_03_01: u32 = 719_468;
    const ERA: u32 = 146_097;
    let day = day + DAYS_FROM_0000_03_01;
    let (era, of_era) = (day / ERA, day % ERA);
    // Take the leap days before it away, then every year has 365 days.
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, five months have 153 days.
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Write = fn(&mut Cursor<'_>, &mut Vec<u8>) -> Result<()>;

    fn check(write: Write, stored: &[u8], expected: &str) {
        let mut out = Vec::new();
        let mut cursor = Cursor::new("test", stored, 0);
        write(&mut cursor, &mut out).expect("enough bytes");
        assert!(cursor.is_at_end());
        assert_eq!(out[..4], (expected.len() as u32).to_le_bytes());
        assert_eq!(String::from_utf8_lossy(&out[4..]), expected);
    }

    // The forms of 5.6 and later are tested with a server's own bytes in tests/real_files.rs.

    #[test]
    fn forms_from_before_5_6() {
        let time = |n: i32| n.to_le_bytes();
        check(old_time, &time(8_385_959)[..3], "838:59:59");
        check(old_time, &time(-8_385_959)[..3], "-838:59:59");
        check(old_time, &time(-1)[..3], "-00:00:01");
        check(old_time, &time(0)[..3], "00:00:00");
        let datetime = |n: u64| n.to_le_bytes();
        check(
            old_datetime,
            &datetime(20_240_229_123_456),
            "2024-02-29 12:34:56",
        );
        check(old_datetime, &datetime(0), "0000-00-00 00:00:00");
        check(
            old_datetime,
            &datetime(99_991_231_235_959),
            "9999-12-31 23:59:59",
        );
        check(old_timestamp, &0u32.to_le_bytes(), "0000-00-00 00:00:00");
        check(old_timestamp, &1u32.to_le_bytes(), "1970-01-01 00:00:01");
        check(
            old_timestamp,
            &i32::MAX.to_le_bytes(),
            "2038-01-19 03:14:07",
        );
    }

    #[test]
    fn nonsense_stays_within_bounds() {
        check(old_datetime, &[0xff; 8], "4407-37-09 55:16:15");
        check(date, &[0xff; 3], "2767-15-31");
        check(old_time, &[0xff, 0xff, 0x7f], "838:86:07");
        check(|c, o| time(6, c, o), &[0xff; 6], "023:63:63.777215");
        check(
            |c, o| datetime(5, c, o),
            &[0xff; 8],
            "0082-05-31 31:63:63.77721",
        );
    }

    #[test]
    fn every_day_until_2106() {
        let mut expected = (1970, 1, 1);
        for day in 0..=u32::MAX / 86_400 {
            assert_eq!(civil(day), expected);
            let (year, month, of_month) = &mut expected;
            let leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);
            let length = match *month {
                2 => 28 + u32::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            *of_month += 1;
            if *of_month > length {
                (*month, *of_month) = (*month + 1, 1);
            }
            if *month > 12 {
                (*year, *month) = (*year + 1, 1);
            }
        }
    }
}
