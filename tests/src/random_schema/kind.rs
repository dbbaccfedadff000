//! Types of columns: which there are, how they are declared, and what they can be used for.

use super::characters::{self, Charset};
use crate::seed::{Rng, chance, pick};

/// A column's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// TINYINT to BIGINT, by bytes.
    Integer {
        /// 1, 2, 3, 4 or 8.
        bytes: u8,
        /// UNSIGNED.
        unsigned: bool,
    },
    /// DECIMAL(digits, scale).
    Decimal {
        /// All digits.
        digits: u8,
        /// Those after the point.
        scale: u8,
    },
    /// FLOAT.
    Float,
    /// DOUBLE.
    Double,
    /// BIT(n).
    Bit(u8),
    /// YEAR.
    Year,
    /// DATE.
    Date,
    /// TIME(n).
    Time(u8),
    /// DATETIME(n).
    Datetime(u8),
    /// TIMESTAMP(n).
    Timestamp(u8),
    /// CHAR, VARCHAR and the TEXTs.
    Characters {
        /// Which.
        size: Size,
        /// Character set.
        charset: &'static Charset,
        /// Collation.
        collation: &'static str,
    },
    /// BINARY, VARBINARY and the BLOBs.
    Bytes(Size),
    /// ENUM.
    Enum(Vec<String>),
    /// SET.
    Set(Vec<String>),
    /// JSON.
    Json,
    /// GEOMETRY and its kinds.
    Geometry {
        /// The type's name.
        name: &'static str,
        /// The SRID that the column is bound to.
        srid: Option<u32>,
    },
    /// VECTOR(n).
    Vector(u16),
}

/// How long strings may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// CHAR(n), BINARY(n).
    Fixed(u16),
    /// VARCHAR(n), VARBINARY(n).
    Variable(u16),
    /// TINY-, plain, MEDIUM- and LONG-.
    Large(u8),
}

impl Size {
    fn any(rng: &mut Rng) -> Size {
        match rng.u8(0..10) {
            0..3 => Size::Fixed(pick(rng, &[0, 1, 2, 5, 10, 60])),
            3..7 => Size::Variable(pick(rng, &[1, 3, 10, 20, 60, 63, 64, 100, 255, 256, 700])),
            _ => Size::Large(rng.u8(0..4)),
        }
    }

    /// Most characters or bytes that a value gets.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Size::Fixed(n) | Size::Variable(n) => usize::from(n),
            Size::Large(0) => 60,
            Size::Large(_) => 3000,
        }
    }
}

impl Kind {
    /// Any type.
    pub fn any(rng: &mut Rng) -> Kind {
        match rng.u8(0..100) {
            0..18 => Kind::integer(rng),
            18..25 => {
                let digits = pick(rng, &[1, 5, 9, 10, 18, 19, 30, 65]);
                Kind::Decimal {
                    digits,
                    scale: rng.u8(0..=digits.min(30)),
                }
            }
            25..29 => Kind::Float,
            29..33 => Kind::Double,
            33..37 => Kind::Bit(pick(rng, &[1, 7, 8, 9, 31, 32, 63, 64])),
            37..39 => Kind::Year,
            39..42 => Kind::Date,
            42..45 => Kind::Time(rng.u8(0..=6)),
            45..49 => Kind::Datetime(rng.u8(0..=6)),
            49..53 => Kind::Timestamp(rng.u8(0..=6)),
            53..73 => Kind::characters(rng),
            73..81 => Kind::Bytes(Size::any(rng)),
            81..85 => Kind::Enum(members(rng)),
            85..88 => {
                let mut members = members(rng);
                members.retain(|member| !member.is_empty());
                members.truncate(64);
                Kind::Set(members)
            }
            88..95 => Kind::Json,
            95..98 => Kind::Geometry {
                name: pick(
                    rng,
                    &[
                        "GEOMETRY",
                        "POINT",
                        "LINESTRING",
                        "POLYGON",
                        "MULTIPOINT",
                        "GEOMETRYCOLLECTION",
                    ],
                ),
                srid: pick(rng, &[None, None, Some(0), Some(4326), Some(3857)]),
            },
            _ => Kind::Vector(pick(rng, &[1, 3, 100])),
        }
    }

    /// An integer type.
    pub fn integer(rng: &mut Rng) -> Kind {
        Kind::Integer {
            bytes: pick(rng, &[1, 2, 3, 4, 4, 8, 8]),
            unsigned: rng.bool(),
        }
    }

    /// A character type.
    pub fn characters(rng: &mut Rng) -> Kind {
        let (charset, collation) = characters::any(rng);
        Kind::Characters {
            size: Size::any(rng),
            charset,
            collation,
        }
    }

    /// The type as SQL.
    #[must_use]
    pub fn sql(&self) -> String {
        const LARGE: [&str; 4] = ["TINY", "", "MEDIUM", "LONG"];
        match self {
            Kind::Integer { bytes, unsigned } => {
                let name = match bytes {
                    1 => "TINYINT",
                    2 => "SMALLINT",
                    3 => "MEDIUMINT",
                    4 => "INT",
                    _ => "BIGINT",
                };
                format!("{name}{}", if *unsigned { " UNSIGNED" } else { "" })
            }
            Kind::Decimal { digits, scale } => format!("DECIMAL({digits},{scale})"),
            Kind::Float => "FLOAT".to_owned(),
            Kind::Double => "DOUBLE".to_owned(),
            Kind::Bit(n) => format!("BIT({n})"),
            Kind::Year => "YEAR".to_owned(),
            Kind::Date => "DATE".to_owned(),
            Kind::Time(n) => format!("TIME({n})"),
            Kind::Datetime(n) => format!("DATETIME({n})"),
            Kind::Timestamp(n) => format!("TIMESTAMP({n})"),
            Kind::Characters {
                size,
                charset,
                collation,
            } => {
                let base = match size {
                    Size::Fixed(n) => format!("CHAR({n})"),
                    Size::Variable(n) => format!("VARCHAR({n})"),
                    Size::Large(n) => format!("{}TEXT", LARGE[usize::from(*n)]),
                };
                format!("{base} CHARACTER SET {} COLLATE {collation}", charset.name)
            }
            Kind::Bytes(size) => match size {
                Size::Fixed(n) => format!("BINARY({n})"),
                Size::Variable(n) => format!("VARBINARY({n})"),
                Size::Large(n) => format!("{}BLOB", LARGE[usize::from(*n)]),
            },
            Kind::Enum(members) => format!("ENUM({})", list(members)),
            Kind::Set(members) => format!("SET({})", list(members)),
            Kind::Json => "JSON".to_owned(),
            Kind::Geometry { name, srid } => match srid {
                Some(srid) => format!("{name} SRID {srid}"),
                None => (*name).to_owned(),
            },
            Kind::Vector(n) => format!("VECTOR({n})"),
        }
    }

    /// Whether a whole column of it can be in a key: if so, with how many bytes at most.
    #[must_use]
    pub fn key_bytes(&self) -> Option<u32> {
        match self {
            Kind::Characters {
                size: Size::Fixed(n) | Size::Variable(n),
                charset,
                ..
            } => (*n > 0).then_some(u32::from(*n) * charset.longest),
            Kind::Bytes(Size::Fixed(n) | Size::Variable(n)) => (*n > 0).then_some(u32::from(*n)),
            Kind::Characters { .. }
            | Kind::Bytes(_)
            | Kind::Json
            | Kind::Geometry { .. }
            | Kind::Vector(_) => None,
            _ => Some(16),
        }
    }

    /// Whether a prefix of it can be in a key.
    #[must_use]
    pub fn takes_prefix(&self) -> bool {
        matches!(self, Kind::Characters { size, .. } | Kind::Bytes(size) if size.most() > 4)
    }

    /// Whether DEFAULT takes a plain literal.
    #[must_use]
    pub fn takes_plain_default(&self) -> bool {
        !matches!(
            self,
            Kind::Characters {
                size: Size::Large(_),
                ..
            } | Kind::Bytes(Size::Large(_))
                | Kind::Json
                | Kind::Geometry { .. }
                | Kind::Vector(_)
        )
    }
}

fn members(rng: &mut Rng) -> Vec<String> {
    let mut members: Vec<String> = [
        "a",
        "b",
        "",
        "d'quote",
        "größe",
        "x y",
        "back\\slash",
        "日本",
    ]
    .iter()
    .take(rng.usize(1..=8))
    .map(|member| (*member).to_owned())
    .collect();
    if chance(rng, 15) {
        members.extend((0..300).map(|n| format!("member {n}")));
    }
    members
}

/// Members as SQL. With NO_BACKSLASH_ESCAPES a backslash becomes two, which is as good a member; values go by number.
fn list(members: &[String]) -> String {
    let quoted =
        |member: &String| format!("'{}'", member.replace('\\', "\\\\").replace('\'', "''"));
    members.iter().map(quoted).collect::<Vec<_>>().join(",")
}

/// A string as a literal of its UTF-8 bytes.
#[must_use]
pub fn hex(text: &str) -> String {
    let digits: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    format!("_utf8mb4 X'{digits}'")
}
