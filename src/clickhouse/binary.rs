//! RowBinary, ClickHouse's plainest format: values one after the other, a text with its length before it.

/// Appends a text.
#[inline]
pub fn put_text(to: &mut Vec<u8>, text: &[u8]) {
    let mut length = text.len();
    while length >= 0x80 {
        to.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    to.push(length as u8);
    to.extend_from_slice(text);
}

/// Reads values; each is `None` where there is no whole one.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// From the first value on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let [byte] = *self.take(1)? else { return None };
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return self.take(length);
            }
            shift += 7;
        }
    }

    /// So many texts, as they stand: with their lengths.
    pub fn texts_as_they_stand(&mut self, count: usize) -> Option<&'a [u8]> {
        self.as_they_stand(|reader| (0..count).try_for_each(|_| reader.text().map(drop)))
    }

    /// The bytes of what `read` reads.
    pub fn as_they_stand(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'a [u8]> {
        let all = self.rest;
        read(self)?;
        Some(&all[..all.len() - self.rest.len()])
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// A `UInt8`.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A `UInt32`.
    pub fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A `Float64`.
    pub fn real(&mut self) -> Option<f64> {
        Some(f64::from_bits(self.unsigned()?))
    }

    /// An `Int64`.
    pub fn signed(&mut self) -> Option<i64> {
        Some(self.unsigned()?.cast_signed())
    }

    /// A `UInt64`.
    pub fn unsigned(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A `Nullable(Float64)`.
    pub fn maybe_real(&mut self) -> Option<Option<f64>> {
        let [is_null] = *self.take(1)? else { return None };
        if is_null == 0 { Some(Some(f64::from_bits(self.unsigned()?))) } else { Some(None) }
    }

    /// Bytes that are not read yet.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_read_as_written() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000] {
            let text = vec![b'x'; length];
            let mut bytes = Vec::new();
            put_text(&mut bytes, &text);
            bytes.extend_from_slice(&(-7_i64).to_le_bytes());
            let mut reader = Reader::new(&bytes);
            assert_eq!((reader.text(), reader.signed(), reader.is_at_end()), (Some(&text[..]), Some(-7), true));
            assert_eq!(Reader::new(&bytes).texts_as_they_stand(1).map(<[u8]>::len), Some(bytes.len() - 8));
            assert_eq!(Reader::new(&bytes[..length.min(1)]).unsigned(), None);
        }
        let mut reals = vec![1, 0];
        reals.extend_from_slice(&2.5_f64.to_le_bytes());
        let mut reader = Reader::new(&reals);
        assert_eq!((reader.maybe_real(), reader.left(), reader.maybe_real()), (Some(None), 9, Some(Some(2.5))));
        assert_eq!(reader.maybe_real(), None);
        assert_eq!(Reader::new(&[5, b'x']).text(), None);
        assert_eq!(Reader::new(&[0xff; 12]).text(), None);
    }
}
