//! Values of columns as SQL: corners, ordinary ones, and small ones that meet again.

use super::json;
use super::kind::{Kind, Size, hex};
use crate::seed::{Rng, chance, pick};

/// A value for a column of this type, not NULL.
pub fn literal(rng: &mut Rng, kind: &Kind) -> String {
    match kind {
        Kind::Integer { bytes, unsigned } => integer(rng, *bytes, *unsigned),
        Kind::Decimal { digits, scale } => decimal(rng, *digits, *scale),
        Kind::Float => match rng.u8(0..8) {
            0 => pick(
                rng,
                &[
                    "0",
                    "-0e0",
                    "3.402823466e38",
                    "-3.402823466e38",
                    "1.17549435e-38",
                    "1e-45",
                    "0.1",
                    "16777217",
                ],
            )
            .to_owned(),
            1..5 => format!("{}e0", rng.i32(-1000..1000)),
            _ => real(f64::from(finite(
                || f32::from_bits(rng.u32(..)),
                f32::is_finite,
            ))),
        },
        Kind::Double => match rng.u8(0..8) {
            0 => pick(
                rng,
                &[
                    "0",
                    "-0e0",
                    "1.7976931348623157e308",
                    "2.2250738585072014e-308",
                    "4.9406564584124654e-324",
                    "0.1",
                    "9007199254740993",
                ],
            )
            .to_owned(),
            1..4 => format!("{}e0", rng.i32(-1000..1000)),
            _ => real(finite(|| f64::from_bits(rng.u64(..)), f64::is_finite)),
        },
        Kind::Bit(n) => {
            let mask = u64::MAX >> (64 - u32::from(*n));
            (rng.u64(..) & pick(rng, &[mask, mask, 1, 0xff]) & mask).to_string()
        }
        Kind::Year => pick(rng, &[0, 1901, 1970, 2000, 2024, 2155]).to_string(),
        Kind::Date => format!("'{}'", date(rng)),
        Kind::Time(precision) => {
            let sign = if chance(rng, 30) { "-" } else { "" };
            let hours = pick(rng, &[0, 0, 1, 12, 23, 24, 99, 100, 837]);
            format!(
                "'{sign}{hours:02}:{:02}:{:02}{}'",
                rng.u8(0..60),
                rng.u8(0..60),
                fraction(rng, *precision)
            )
        }
        Kind::Datetime(precision) => format!(
            "'{} {}{}'",
            date(rng),
            clock(rng),
            fraction(rng, *precision)
        ),
        Kind::Timestamp(precision) => {
            let day = pick(
                rng,
                &[
                    "1970-01-02",
                    "2001-09-09",
                    "2021-03-28",
                    "2021-10-31",
                    "2024-02-29",
                    "2038-01-18",
                    "1999-12-31",
                ],
            );
            format!("'{day} {}{}'", clock(rng), fraction(rng, *precision))
        }
        Kind::Characters { size, charset, .. } if chance(rng, 6) => charset
            .raw(rng, size.most())
            .unwrap_or_else(|| hex(&charset.text(rng, size.most()))),
        Kind::Characters { size, charset, .. } => hex(&charset.text(rng, size.most())),
        Kind::Bytes(size) => bytes(rng, *size),
        // The invalid value. Strict mode refuses it, unless the statement says IGNORE.
        Kind::Enum(_) if chance(rng, 7) => "0".to_owned(),
        // By number, which stands for the member in every sql_mode.
        Kind::Enum(members) => rng.usize(1..=members.len()).to_string(),
        Kind::Set(members) => (rng.u64(..) & (u64::MAX >> (64 - members.len()))).to_string(),
        Kind::Json => json::document(rng),
        Kind::Geometry { name, srid } => geometry(rng, name, srid.unwrap_or(0)),
        Kind::Vector(n) => {
            let numbers: Vec<String> = (0..*n)
                .map(|_| format!("{}", f32::from(rng.i16(..)) / 8.0))
                .collect();
            format!("STRING_TO_VECTOR('[{}]')", numbers.join(","))
        }
    }
}

fn integer(rng: &mut Rng, bytes: u8, unsigned: bool) -> String {
    let bits = u32::from(bytes) * 8;
    let (low, high) = if unsigned {
        (0, (1_i128 << bits) - 1)
    } else {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    };
    match rng.u8(0..10) {
        0 => low.to_string(),
        1 => high.to_string(),
        2..5 => (i128::from(rng.i64(..)) % (high + 1)).max(low).to_string(),
        // Small ones, so that keys meet.
        _ => i128::from(rng.i32(-3..120)).clamp(low, high).to_string(),
    }
}

fn decimal(rng: &mut Rng, digits: u8, scale: u8) -> String {
    let mut text = String::from(if chance(rng, 40) { "-" } else { "" });
    let whole = digits - scale;
    let many = if chance(rng, 20) {
        whole
    } else {
        rng.u8(0..=whole.min(3))
    };
    if many == 0 {
        text.push('0');
    }
    for _ in 0..many {
        text.push(char::from(b'0' + rng.u8(0..10)));
    }
    if scale > 0 {
        text.push('.');
        for _ in 0..rng.u8(1..=scale) {
            text.push(char::from(b'0' + rng.u8(0..10)));
        }
    }
    text
}

fn finite<T>(mut next: impl FnMut() -> T, good: impl Fn(T) -> bool) -> T
where
    T: Copy,
{
    loop {
        let number = next();
        if good(number) {
            return number;
        }
    }
}

/// In full precision, with an exponent.
fn real(number: f64) -> String {
    format!("{number:e}")
}

fn date(rng: &mut Rng) -> String {
    match rng.u8(0..12) {
        // Only where sql_mode lets them in.
        0 => pick(
            rng,
            &["0000-00-00", "2020-00-00", "2020-05-00", "2021-02-30"],
        )
        .to_owned(),
        1 => pick(rng, &["1000-01-01", "9999-12-31", "0001-01-01"]).to_owned(),
        _ => format!(
            "{:04}-{:02}-{:02}",
            rng.u16(1990..2030),
            rng.u8(1..13),
            rng.u8(1..29)
        ),
    }
}

fn clock(rng: &mut Rng) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        rng.u8(0..24),
        rng.u8(0..60),
        rng.u8(0..60)
    )
}

fn fraction(rng: &mut Rng, precision: u8) -> String {
    match precision {
        0 => String::new(),
        _ if chance(rng, 30) => String::new(),
        n => format!(
            ".{:0width$}",
            rng.u32(0..10_u32.pow(u32::from(n))),
            width = usize::from(n)
        ),
    }
}

fn bytes(rng: &mut Rng, size: Size) -> String {
    let most = size.most();
    let length = match rng.u8(0..20) {
        0 => 0,
        1 => most,
        2..16 => rng.usize(0..=most.min(6)),
        _ => rng.usize(0..=most),
    };
    let mut text = String::from("X'");
    for _ in 0..length {
        let byte = if chance(rng, 40) {
            pick(rng, &[0, 0x20, 0x27, 0x5c, 0x0a, 0x1a, 0xff, 0x41])
        } else {
            rng.u8(..)
        };
        text.push_str(&format!("{byte:02X}"));
    }
    text.push('\'');
    text
}

fn geometry(rng: &mut Rng, name: &str, srid: u32) -> String {
    let mut point = || {
        format!(
            "{} {}",
            f64::from(rng.i16(-85..85)) / 2.0,
            f64::from(rng.i16(-170..170)) / 2.0
        )
    };
    let (a, b) = (point(), point());
    let text = match name {
        "LINESTRING" => format!("LINESTRING({a}, {b})"),
        "POLYGON" => "POLYGON((0 0, 0 1, 1 1, 1 0, 0 0))".to_owned(),
        "MULTIPOINT" => format!("MULTIPOINT(({a}), ({b}))"),
        "GEOMETRYCOLLECTION" => format!("GEOMETRYCOLLECTION(POINT({a}), LINESTRING({a}, {b}))"),
        _ => format!("POINT({a})"),
    };
    format!("ST_GeomFromText('{text}', {srid})")
}
