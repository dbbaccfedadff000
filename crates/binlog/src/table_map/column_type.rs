//! Type codes of columns: `enum_field_types` of MySQL's `field_types.h`.

/// DECIMAL of MySQL before 5.0.
pub const DECIMAL: u8 = 0;
/// TINYINT.
pub const TINY: u8 = 1;
/// SMALLINT.
pub const SHORT: u8 = 2;
/// INT.
pub const LONG: u8 = 3;
/// FLOAT.
pub const FLOAT: u8 = 4;
/// DOUBLE.
pub const DOUBLE: u8 = 5;
/// TIMESTAMP of tables made before 5.6.
pub const TIMESTAMP: u8 = 7;
/// BIGINT.
pub const LONGLONG: u8 = 8;
/// MEDIUMINT.
pub const INT24: u8 = 9;
/// DATE, in table maps of all versions.
pub const DATE: u8 = 10;
/// TIME of tables made before 5.6.
pub const TIME: u8 = 11;
/// DATETIME of tables made before 5.6.
pub const DATETIME: u8 = 12;
/// YEAR.
pub const YEAR: u8 = 13;
/// DATE, an internal code with the same bytes as [`DATE`].
pub const NEWDATE: u8 = 14;
/// VARCHAR and VARBINARY.
pub const VARCHAR: u8 = 15;
/// BIT.
pub const BIT: u8 = 16;
/// TIMESTAMP with fractional digits.
pub const TIMESTAMP2: u8 = 17;
/// DATETIME with fractional digits.
pub const DATETIME2: u8 = 18;
/// TIME with fractional digits.
pub const TIME2: u8 = 19;
/// VECTOR (9.0).
pub const VECTOR: u8 = 242;
/// JSON.
pub const JSON: u8 = 245;
/// DECIMAL.
pub const NEWDECIMAL: u8 = 246;
/// ENUM, only ever inside the metadata of [`STRING`].
pub const ENUM: u8 = 247;
/// SET, only ever inside the metadata of [`STRING`].
pub const SET: u8 = 248;
/// TINYTEXT and TINYBLOB; in table maps [`BLOB`] stands for all sizes.
pub const TINY_BLOB: u8 = 249;
/// MEDIUMTEXT and MEDIUMBLOB.
pub const MEDIUM_BLOB: u8 = 250;
/// LONGTEXT and LONGBLOB.
pub const LONG_BLOB: u8 = 251;
/// TEXT and BLOB of every size.
pub const BLOB: u8 = 252;
/// VARCHAR of tables made before 5.0.
pub const VAR_STRING: u8 = 253;
/// CHAR and BINARY; by its metadata also ENUM and SET.
pub const STRING: u8 = 254;
/// GEOMETRY and its kinds.
pub const GEOMETRY: u8 = 255;

/// Whether the signedness metadata has a bit for columns of this type. YEAR is one of them, always unsigned, though a YEAR has no sign.
pub(crate) fn is_numeric(code: u8) -> bool {
    matches!(
        code,
        TINY | SHORT | INT24 | LONG | LONGLONG | FLOAT | DOUBLE | NEWDECIMAL | YEAR
    )
}

/// Whether the charset metadata counts columns of this (real) type.
pub(crate) fn is_character(real_type: u8) -> bool {
    matches!(
        real_type,
        STRING | VAR_STRING | VARCHAR | TINY_BLOB | MEDIUM_BLOB | LONG_BLOB | BLOB
    )
}

/// The type that hides in the metadata of [`STRING`], and the length in bytes: of the longest value for CHAR and BINARY, of the stored number for ENUM and SET.
///
/// The metadata's first byte is the real type. Lengths over 255 put their two upper bits, inverted, into bits 4 and 5 of it, which are both set in
/// every type that may stand there.
pub(crate) fn real_string_type(metadata: [u8; 2]) -> (u8, u16) {
    let [first, second] = metadata;
    if first & 0x30 == 0x30 {
        return (first, u16::from(second));
    }
    let upper = u16::from((first & 0x30) ^ 0x30) << 4;
    (first | 0x30, upper | u16::from(second))
}
