//! Bitmaps: ⌈n/8⌉ bytes, bit i is bit i mod 8 of byte i div 8.

/// A borrowed bitmap of a known number of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bitmap<'a> {
    bytes: &'a [u8],
    bits: usize,
}

impl<'a> Bitmap<'a> {
    /// Bytes that a bitmap of `bits` bits takes.
    #[must_use]
    pub const fn bytes_for(bits: usize) -> usize {
        bits.div_ceil(8)
    }

    /// A view of the first `bits` bits of `bytes`; `None` when there are too few bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8], bits: usize) -> Option<Self> {
        let bytes = bytes.get(..Self::bytes_for(bits))?;
        Some(Self { bytes, bits })
    }

    /// Number of bits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits
    }

    /// Whether it has no bits at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits == 0
    }

    /// Bit `i`; false beyond the end.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        i < self.bits && self.bytes[i / 8] >> (i % 8) & 1 == 1
    }

    /// How many of the bits are set.
    #[must_use]
    pub fn count_ones(&self) -> usize {
        let whole = self.bits / 8;
        let mut ones: usize = self.bytes[..whole]
            .iter()
            .map(|b| b.count_ones() as usize)
            .sum();
        if !self.bits.is_multiple_of(8) {
            let mask = (1u16 << (self.bits % 8)) as u8 - 1;
            ones += (self.bytes[whole] & mask).count_ones() as usize;
        }
        ones
    }

    /// The bytes that hold the bits.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the bits after the last one are 0, as the format demands.
    #[must_use]
    pub fn padding_is_zero(&self) -> bool {
        self.bits.is_multiple_of(8) || self.bytes[self.bytes.len() - 1] >> (self.bits % 8) == 0
    }

    /// The bits in order.
    pub fn iter(&self) -> impl Iterator<Item = bool> + 'a {
        let this = *self;
        (0..this.bits).map(move |i| this.get(i))
    }
}
