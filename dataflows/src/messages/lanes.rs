//! Several bytes looked at together: where a run of plain text or of digits ends, and what digits say.
//!
//! Written for any processor; compilers make vector instructions of the loop over lanes.

/// Bytes of text that are looked at together.
const LANES: usize = 16;

/// Every byte one.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Powers of ten, of up to eight digits.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The bytes before the first quote, backslash or control character.
#[inline]
pub fn plain_length(bytes: &[u8]) -> usize {
    let is_special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let (mut rest, mut length) = (bytes, 0);
    while let Some((lanes, after)) = rest.split_first_chunk::<LANES>() {
        let special = u128::from_le_bytes(lanes.map(|byte| if is_special(byte) { 0xff } else { 0 }));
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        (rest, length) = (after, length + LANES);
    }
    length + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

/// Appends to a number the digits that eight bytes begin with; says how many there are.
#[inline]
pub fn append_digits(value: u64, bytes: [u8; 8]) -> (u64, usize) {
    let digits = u64::from_le_bytes(bytes) ^ (ONES * 0x30);
    // Bytes are now 0 to 9 where they were digits: what is more reaches the highest bit, and carries nothing on from there.
    let more = (digits & (ONES * 0x7f)) + ONES * 0x76;
    let count = ((more | digits) & (ONES * 0x80)).trailing_zeros() as usize / 8;
    if count == 0 {
        return (value, 0);
    }
    // The first digit is the highest: what is missing of eight becomes zeros before it. Then neighbours are joined.
    let eight = digits << (64 - 8 * count);
    let pairs = (eight * 10 + (eight >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let all = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    (value.wrapping_mul(POWERS[count]).wrapping_add(all), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_where_it_must() {
        for before in 0..20 {
            for special in [b'"', b'\\', b'\n', 0x1f] {
                let mut bytes = "é".repeat(before).into_bytes();
                let length = bytes.len();
                bytes.push(special);
                bytes.extend_from_slice(b"\"\\ and more than sixteen");
                assert_eq!(plain_length(&bytes), length);
                assert_eq!(plain_length(&bytes[..length]), length);
            }
        }
    }

    #[test]
    fn digits_end_at_any_other_byte() {
        for count in 0..=8 {
            for other in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                let mut bytes = *b"98765432";
                let text = std::str::from_utf8(&bytes[..count]).unwrap().to_owned();
                bytes[count..].iter_mut().skip(1).for_each(|byte| *byte = b'7');
                bytes[count..].iter_mut().take(1).for_each(|byte| *byte = other);
                let expected: u64 = format!("12{text}").parse().unwrap();
                assert_eq!(append_digits(12, bytes), (expected, count), "{other}");
            }
        }
    }
}
