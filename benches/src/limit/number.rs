//! Numbers: their text is kept, since it mostly is what would be written, and read only where a value is asked for.
//!
//! A double is written as the shortest decimal that reads back as it. Decimals of at most fifteen digits read as doubles that
//! all differ, so where one is given, without a zero too many and in the range that is written without an exponent, no shorter
//! one reads the same: the text that came is the text to write. Any other is read and written anew.

use super::lanes::{LANES, digits, no_digits};

/// Longest text of a double.
const LONGEST: usize = 24;

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A finite double, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    text: [u8; LONGEST],
    length: u8,
}

impl Number {
    /// The number at the beginning of a text, and its length there. None too if less than sixteen bytes are left.
    #[inline]
    pub(super) fn scan(from: &[u8]) -> Option<(Number, usize)> {
        let lanes = from.first_chunk::<LANES>()?;
        let minus = usize::from(lanes[0] == b'-');
        let breaks = no_digits(lanes) >> minus << minus;
        let point = breaks.trailing_zeros() as usize;
        let after_point = breaks & breaks.wrapping_sub(1);
        let end = after_point.trailing_zeros() as usize;
        let ended = lanes.get(end).is_some_and(|end| matches!(end, b',' | b'}'));
        if !ended || lanes[point] != b'.' || !is_shortest(&lanes[minus..end], point - minus) {
            return Self::scan_any(from);
        }
        let mut text = [0; LONGEST];
        text[..LANES].copy_from_slice(lanes);
        #[expect(clippy::cast_possible_truncation, reason = "less than sixteen")]
        Some((Number { text, length: end as u8 }, end))
    }

    /// The same for any number, read and written anew.
    #[cold]
    fn scan_any(from: &[u8]) -> Option<(Number, usize)> {
        let end = from.iter().position(|byte| matches!(byte, b',' | b'}' | b']'))?;
        let value: f64 = serde_json::from_slice(&from[..end]).ok()?;
        Some((Number::of(value)?, end))
    }

    /// A finite double.
    pub(super) fn of(value: f64) -> Option<Self> {
        let mut buffer = zmij::Buffer::new();
        let shortest = buffer.format_finite(value).as_bytes();
        let mut text = [0; LONGEST];
        text.get_mut(..shortest.len())?.copy_from_slice(shortest);
        value.is_finite().then_some(Number { text, length: u8::try_from(shortest.len()).ok()? })
    }

    /// A whole number.
    #[inline]
    pub(super) fn whole(value: i64) -> Self {
        let (mut text, mut buffer) = ([0; LONGEST], itoa::Buffer::new());
        let digits = buffer.format(value).as_bytes();
        text[..digits.len()].copy_from_slice(digits);
        #[expect(clippy::cast_possible_truncation, reason = "at most twenty")]
        Number { text, length: digits.len() as u8 }
    }

    /// As it is written, and bytes to ignore: a copy of constant length is the faster.
    #[inline]
    pub(super) fn text(&self) -> (&[u8; LONGEST], usize) {
        (&self.text, usize::from(self.length))
    }

    /// Its value. A mantissa of at most fifteen digits and a power of ten up to 22 are both exact, and one division rounds
    /// their quotient correctly.
    #[inline]
    pub(super) fn value(&self) -> Option<f64> {
        let text = &self.text[..usize::from(self.length)];
        let (mut mantissa, mut decimals, mut digits) = (0u64, None, 0);
        for &byte in &text[usize::from(text[0] == b'-')..] {
            match byte {
                b'.' => decimals = Some(digits),
                b'0'..=b'9' if digits < 15 => (mantissa, digits) = (mantissa * 10 + u64::from(byte - b'0'), digits + 1),
                _ => return std::str::from_utf8(text).ok()?.parse().ok(),
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
        let value = mantissa as f64 / POWERS[digits - decimals.unwrap_or(digits)];
        Some(if text[0] == b'-' { -value } else { value })
    }
}

/// Whether digits with a point after `whole` of them, at most sixteen bytes, are the shortest text of a double.
fn is_shortest(digits: &[u8], whole: usize) -> bool {
    let decimals = digits.len().wrapping_sub(whole + 1);
    if whole == 0 || decimals == 0 || decimals > LANES || digits.len() > LANES {
        return false;
    }
    let last_is_zero = digits[digits.len() - 1] == b'0';
    if digits[0] == b'0' {
        // Small ones have an exponent, so: none but zero, and those that are a thousandth or more.
        whole == 1 && if last_is_zero { decimals == 1 } else { decimals <= 3 || digits[2] != b'0' }
    } else {
        !last_is_zero || decimals == 1
    }
}

/// A whole number of up to nine digits, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) Number);

impl Count {
    /// The number at the beginning of a text, and its length there.
    #[inline]
    pub(super) fn scan(from: &[u8]) -> Option<(Count, usize)> {
        let lanes = from.first_chunk::<LANES>()?;
        let end = digits(lanes);
        let is_usual = (1..10).contains(&end) && (lanes[0] != b'0' || end == 1) && matches!(lanes[end], b',' | b'}');
        let mut text = [0; LONGEST];
        text[..LANES].copy_from_slice(lanes);
        #[expect(clippy::cast_possible_truncation, reason = "less than ten")]
        is_usual.then_some((Count(Number { text, length: end as u8 }), end))
    }

    /// A number of any size.
    pub(super) fn of(value: u32) -> Count {
        Count(Number::whole(value.into()))
    }
}

/// A whole number and its length, if it has less than sixteen digits and then something else.
#[inline]
pub(super) fn whole(from: &[u8]) -> Option<(u64, usize)> {
    let lanes = from.first_chunk::<LANES>()?;
    let end = digits(lanes);
    let value = lanes[..end].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    (1..LANES).contains(&end).then_some((value, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<(String, f64)> {
        let (number, length) = Number::scan(format!("{text},\"and more than sixteen\"").as_bytes())?;
        assert_eq!(length, text.len());
        let (bytes, length) = number.text();
        Some((String::from_utf8(bytes[..length].to_vec()).unwrap(), number.value().unwrap()))
    }

    fn check(text: &str) {
        let value: f64 = text.parse().unwrap();
        let (written, read) = written(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(written, serde_json::to_string(&value).unwrap(), "{text}");
        assert_eq!(read.to_bits(), value.to_bits(), "{text}");
    }

    #[test]
    fn any_number_is_written_and_read_as_by_serde_json() {
        let odd = [
            "0",
            "-0",
            "0.0",
            "-0.0",
            "1",
            "-1",
            "0.5",
            "0.50",
            "5.0",
            "5.00",
            "10.0",
            "100.10",
            "0.001",
            "0.0001",
            "0.00001",
            "0.000012",
            "0.010",
            "-0.001",
            "123456789012345",
            "1234567.12345678",
            "1234567.123456789",
            "0.3000000000000001",
            "1e5",
            "1E-7",
            "1.5e300",
            "9007199254740993.0",
            "99999999999999.9",
            "999999999999999.9",
            "-180.0",
            "38.7188956",
            "0.1234567890123456789",
            "5e-324",
            "1.7976931348623157e308",
            "12345678901234567890",
            "1.0e0",
        ];
        odd.into_iter().for_each(check);
        let mut seed = 1u64;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (sign, decimals) = (if seed >> 60 & 1 == 0 { "" } else { "-" }, (seed >> 50) as usize % 14);
            let (whole, part) = ((seed >> 20) % 10u64.pow((seed >> 40) as u32 % 8), seed % 10u64.pow(decimals as u32));
            check(&if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:0decimals$}") });
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "-", ".5", "5.", "01.5", "00", "+1.0", "1.2.3", "1-2.0", "--1.0", "1.0x", "0x10", "1.5e", "NaN",
            "1 .5", "1e999",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn counts_and_whole_numbers() {
        let written = |count: Count| {
            let (text, length) = count.0.text();
            String::from_utf8(text[..length].to_vec()).unwrap()
        };
        for value in [0, 120, 999_999_999] {
            let (count, length) = Count::scan(format!("{value},                  ").as_bytes()).unwrap();
            assert_eq!(
                (written(count), written(Count::of(value)), length),
                (value.to_string(), value.to_string(), length)
            );
        }
        for no in ["012,", "-1,", "1.0,", "4294967296,", ",", "1e2,"] {
            assert_eq!(Count::scan(format!("{no}{}", " ".repeat(20)).as_bytes()).map(|_| ()), None, "{no}");
        }
        assert_eq!(whole(b"1767225601018,\"broker\":"), Some((1_767_225_601_018, 13)));
        assert_eq!(whole(b"x1767225601018,\"broker\":"), None);
        assert_eq!(whole(b"12345678901234567"), None);
    }
}
