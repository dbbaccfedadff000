//! Temporal values in documents: eight bytes, little-endian, of the packed form of MySQL's `my_time.h` (`TIME_to_longlong_packed`): year × 13 + month,
//! day, hour, minute and second in 17, 5, 5, 6 and 6 bits (TIME has no date, and its hour takes 10), then 24 bits of microseconds; negative values
//! are negated as a whole.

use std::fmt;

use crate::error::InvalidJson;

/// A temporal value; its `Display` is the text that the server prints, always with six fractional digits where there is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporal {
    /// DATE.
    Date(Date),
    /// TIME.
    Time(Time),
    /// DATETIME.
    Datetime(Date, Time),
    /// TIMESTAMP; the server prints it as it does a DATETIME.
    Timestamp(Date, Time),
}

/// A date, which may be zero or incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Year.
    pub year: u32,
    /// Month, 0 to 12.
    pub month: u32,
    /// Day, 0 to 31.
    pub day: u32,
}

/// A time of day, or a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Whether it is negative, which only TIME may be.
    pub negative: bool,
    /// Hour, 0 to 838.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
    /// Microsecond.
    pub microsecond: u32,
}

/// Codes of `enum_field_types`.
const TIMESTAMP: u8 = 7;
const DATE: u8 = 10;
const TIME: u8 = 11;
const DATETIME: u8 = 12;

impl Temporal {
    /// The type's code and the bytes.
    pub(crate) fn encode(&self) -> (u8, [u8; 8]) {
        let of_date =
            |date: &Date| u64::from(date.year * 13 + date.month) << 22 | u64::from(date.day) << 17;
        let of_time = |time: &Time| {
            let whole = time.hour << 12 | time.minute << 6 | time.second;
            (u64::from(whole), u64::from(time.microsecond))
        };
        let midnight = (0, 0);
        let (type_code, date, (whole, fraction), negative) = match self {
            Self::Date(date) => (DATE, of_date(date), midnight, false),
            Self::Time(time) => (TIME, 0, of_time(time), time.negative),
            Self::Datetime(date, time) => (DATETIME, of_date(date), of_time(time), false),
            Self::Timestamp(date, time) => (TIMESTAMP, of_date(date), of_time(time), false),
        };
        let packed = ((date | whole) << 24 | fraction) as i64;
        let packed = if negative { -packed } else { packed };
        (type_code, packed.to_le_bytes())
    }

    pub(crate) fn decode(type_code: u8, bytes: &[u8]) -> Option<Result<Self, InvalidJson>> {
        if !matches!(type_code, TIMESTAMP | DATE | TIME | DATETIME) {
            return None;
        }
        let Ok(bytes) = <[u8; 8]>::try_from(bytes) else {
            return Some(Err(InvalidJson::new(0, "a temporal value has eight bytes")));
        };
        let packed = i64::from_le_bytes(bytes);
        let magnitude = packed.unsigned_abs();
        let whole = magnitude >> 24;
        let date = Date {
            year: (whole >> 22) as u32 / 13,
            month: (whole >> 22) as u32 % 13,
            day: (whole >> 17) as u32 & 0x1f,
        };
        let hour_mask = if type_code == TIME { 0x3ff } else { 0x1f };
        let time = Time {
            negative: packed < 0,
            hour: (whole >> 12) as u32 & hour_mask,
            minute: (whole >> 6) as u32 & 0x3f,
            second: whole as u32 & 0x3f,
            microsecond: magnitude as u32 & 0xff_ffff,
        };
        Some(Ok(match type_code {
            DATE => Self::Date(date),
            TIME => Self::Time(time),
            DATETIME => Self::Datetime(date, time),
            _ => Self::Timestamp(date, time),
        }))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            negative,
            hour,
            minute,
            second,
            microsecond,
        } = *self;
        let sign = if negative { "-" } else { "" };
        write!(
            f,
            "{sign}{hour:02}:{minute:02}:{second:02}.{microsecond:06}"
        )
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Datetime(date, time) | Self::Timestamp(date, time) => write!(f, "{date} {time}"),
        }
    }
}
