//! Sixteen bytes looked at together, without a word for the processor in particular.

/// Bytes that are looked at together.
pub(super) const LANES: usize = 16;

/// How many bytes stand before the first that ends a run of plain text, if one does: a quote, a backslash, a control
/// character, or what is not ASCII. As a signed byte, the latter two are less than a space.
#[expect(clippy::cast_possible_wrap, reason = "so as to compare once")]
#[inline(always)]
pub(super) fn plain(from: &[u8]) -> Option<usize> {
    let ends = |byte: u8| ((byte as i8) < 0x20) | (byte == b'"') | (byte == b'\\');
    let (mut rest, mut length) = (from, 0);
    while let Some((lanes, after)) = rest.split_first_chunk::<LANES>() {
        let mut found = [0; LANES];
        for (mark, &byte) in found.iter_mut().zip(lanes) {
            *mark = if ends(byte) { 0xff } else { 0 }; // becomes vector instructions
        }
        let found = u128::from_le_bytes(found);
        if found != 0 {
            return Some(length + found.trailing_zeros() as usize / 8);
        }
        (rest, length) = (after, length + LANES);
    }
    rest.iter().position(|&byte| ends(byte)).map(|more| length + more)
}

/// The highest bit of each byte that is no digit. Within words, since what vector instructions find is slow to bring there.
#[inline(always)]
fn not_digits(lanes: &[u8; LANES]) -> [u64; 2] {
    let (low, high) = lanes.split_at(8);
    [low, high].map(|half| {
        let word = half.try_into().map_or(0, u64::from_le_bytes) ^ (u64::MAX / 255 * 0x30);
        // Digits are now 0 to 9: what is more reaches the highest bit, from which nothing is carried on.
        let more = (word & (u64::MAX / 255 * 0x7f)) + (u64::MAX / 255 * 0x76);
        (more | word) & (u64::MAX / 255 * 0x80)
    })
}

/// How many digits come first, up to sixteen.
#[inline(always)]
pub(super) fn digits(lanes: &[u8; LANES]) -> usize {
    let [low, high] = not_digits(lanes);
    let zeros = if low == 0 { 64 + high.trailing_zeros() } else { low.trailing_zeros() };
    zeros as usize / 8
}

/// A bit for each byte that is no digit.
#[inline(always)]
pub(super) fn no_digits(lanes: &[u8; LANES]) -> u32 {
    // The product brings the bits of eight bytes together in its highest byte.
    let [low, high] = not_digits(lanes).map(|half| ((half >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32);
    low | high << 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_ends_at_quotes_escapes_controls_and_other_alphabets() {
        for length in 0..70 {
            for end in ["\"", "\\", "\n", "\0", "é", "\x1f"] {
                let text = format!("{}{end}{}", "a~ \x7f"[..4].repeat(20).get(..length).unwrap(), "b".repeat(40));
                assert_eq!(plain(text.as_bytes()), Some(length), "{text:?}");
                assert_eq!(plain(&text.as_bytes()[..length]), None);
            }
        }
    }

    #[test]
    fn every_byte_is_a_digit_or_not() {
        for byte in 0..=u8::MAX {
            for at in 0..LANES {
                let mut lanes = [b'5'; LANES];
                lanes[at] = byte;
                assert_eq!(no_digits(&lanes), u32::from(!byte.is_ascii_digit()) << at);
                assert_eq!(digits(&lanes), if byte.is_ascii_digit() { LANES } else { at });
            }
        }
    }
}
