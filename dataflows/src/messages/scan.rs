//! Reads plain JSON by looking at each byte once: the compact form that producers write, without escapes in its strings.
//!
//! Every method is `None` at anything else, right or wrong: whoever calls it asks the general parser then, which tells the
//! two apart. So this accepts only what that parser accepts, and reads it as the same values.
//!
//! A dump's payload is JSON within a JSON string, its quotes written `\"`. With `ESCAPED` that form is read where it lies:
//! taking the backslashes out first would cost as much as reading.

use super::lanes::{append_digits, plain_length};
use crate::time::Instant;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Digits that certainly fit in 64 bits.
const MAX_DIGITS: usize = 18;

/// A text and how far it was read.
pub struct Scan<'a, const ESCAPED: bool> {
    text: &'a str,
    at: usize,
}

impl<'a, const ESCAPED: bool> Scan<'a, ESCAPED> {
    /// Reads `text` from its beginning.
    pub fn new(text: &'a str) -> Self {
        Scan { text, at: 0 }
    }

    /// Whether all was read.
    pub fn ended(&self) -> bool {
        self.at == self.text.len()
    }

    /// Where the next byte lies.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What was read since `start`.
    pub fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// Steps over `byte`, if it is next.
    #[inline(always)]
    pub fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    /// Begins an object: whether it has a member, whose name is next then.
    #[inline(always)]
    pub fn begin(&mut self) -> Option<bool> {
        self.expect(b'{')?;
        Some(!self.skip(b'}'))
    }

    /// Steps over a name and its colon, if they are next: as they stand in plain text, or else escaped. Its value is next
    /// then. Both are constants, so that this is a comparison of known length.
    #[inline(always)]
    pub fn member(&mut self, plain: &str, escaped: &str) -> bool {
        self.word(if ESCAPED { escaped } else { plain }) && {
            self.skip(b' ');
            true
        }
    }

    /// The name of an object's next member, its value being next.
    pub fn name(&mut self) -> Option<&'a str> {
        let name = self.text()?;
        self.expect(b':')?;
        self.skip(b' ');
        Some(name)
    }

    /// Steps over what follows a member's value: whether another member is next, or the object has ended.
    #[inline(always)]
    pub fn more(&mut self) -> Option<bool> {
        if self.skip(b',') {
            self.skip(b' ');
            return Some(true);
        }
        self.expect(b'}')?;
        Some(false)
    }

    #[inline(always)]
    fn word(&mut self, word: &str) -> bool {
        let there = self.text.as_bytes().get(self.at..self.at + word.len()) == Some(word.as_bytes());
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// A string.
    #[inline]
    pub fn text(&mut self) -> Option<&'a str> {
        self.quote()?;
        let start = self.at;
        self.at += plain_length(&self.text.as_bytes()[start..]);
        let text = self.text.get(start..self.at)?;
        self.quote()?;
        Some(text)
    }

    #[inline(always)]
    fn quote(&mut self) -> Option<()> {
        self.word(if ESCAPED { "\\\"" } else { "\"" }).then_some(())
    }

    /// A string that is a time.
    #[inline]
    pub fn instant(&mut self) -> Option<Instant> {
        Instant::parse_plain(self.text()?.as_bytes())
    }

    /// `null`, if it is next.
    #[inline]
    pub fn null(&mut self) -> bool {
        self.word("null")
    }

    /// A number below 2^32 without sign, point and exponent.
    #[inline]
    pub fn integer(&mut self) -> Option<u32> {
        let (value, _) = self.digits()?;
        u32::try_from(value).ok().filter(|_| !matches!(self.peek(), Some(b'.' | b'e' | b'E')))
    }

    /// A whole number of 18 digits at most.
    #[inline]
    pub fn whole(&mut self) -> Option<i64> {
        let negative = self.skip(b'-');
        let (value, digits) = self.digits()?;
        if digits > MAX_DIGITS || matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        let value = value.cast_signed();
        Some(if negative { -value } else { value })
    }

    /// A number without an exponent, correctly rounded.
    #[inline]
    pub fn number(&mut self) -> Option<f64> {
        let start = self.at;
        let negative = self.skip(b'-');
        let (whole, whole_digits) = self.digits()?;
        let (mut mantissa, mut decimals) = (whole, 0);
        if self.skip(b'.') {
            let (fraction, digits) = self.run_of_digits(whole)?;
            (mantissa, decimals) = (fraction, digits);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) || whole_digits + decimals > MAX_DIGITS {
            return None;
        }
        if mantissa >> 53 != 0 {
            return self.since(start)?.parse().ok();
        }
        // Both are exact, so their quotient is rounded once, as it must be.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53 nothing is lost")]
        let value = mantissa as f64 / EXACT_POWERS[decimals];
        Some(if negative { -value } else { value })
    }

    /// A whole number's digits, not led by a zero: their value and number.
    #[inline]
    fn digits(&mut self) -> Option<(u64, usize)> {
        let zero = self.peek() == Some(b'0');
        let (value, count) = self.run_of_digits(0)?;
        (count == 1 || !zero).then_some((value, count))
    }

    /// Digits, one at least, appended to `value`; and their number. The value is right up to [`MAX_DIGITS`].
    #[inline]
    fn run_of_digits(&mut self, mut value: u64) -> Option<(u64, usize)> {
        let start = self.at;
        while let Some((&eight, _)) = self.text.as_bytes()[self.at..].split_first_chunk::<8>() {
            let count;
            (value, count) = append_digits(value, eight);
            self.at += count;
            if count < 8 {
                return (self.at > start).then_some((value, self.at - start));
            }
        }
        while let Some(digit) = self.peek().map(|b| b.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        (self.at > start).then_some((value, self.at - start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_the_parser_reads() {
        let plain = [
            "0",
            "-0",
            "1",
            "0.1",
            "-12.375",
            "33.60716",
            "123456789012345678",
            "9007199254740993",
            "0.30000000000000004",
        ];
        for text in plain {
            let parsed: f64 = serde_json::from_str(text).unwrap();
            let read = Scan::<false>::new(text).number();
            assert_eq!(read.map(f64::to_bits), Some(parsed.to_bits()), "{text}");
        }
        for text in ["", "-", "01", "-00", "1.", ".5", "+1", "1e3", "1.5E-3", "1234567890123456789"] {
            assert_eq!(Scan::<false>::new(text).number(), None, "{text}");
        }
    }

    #[test]
    fn random_decimals_are_rounded_as_the_parser_rounds_them() {
        let mut state = 7u64;
        for _ in 0..100_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let text = format!("{}.{:0width$}", state >> 54, state % 1_000_000_000_000, width = (state % 13) as usize);
            if let Some(read) = Scan::<false>::new(&text).number() {
                assert_eq!(read, text.parse::<f64>().unwrap(), "{text}");
            }
        }
    }

    #[test]
    fn both_forms_read_alike() {
        fn members<const ESCAPED: bool>(text: &str) -> Option<Vec<(String, u32)>> {
            let (mut scan, mut members) = (Scan::<ESCAPED>::new(text), Vec::new());
            let mut more = scan.begin()?;
            if more && scan.member("\"a\":", "\\\"a\\\":") {
                members.push(("a".to_owned(), scan.integer()?));
                more = scan.more()?;
            }
            while more {
                members.push((scan.name()?.to_owned(), scan.integer()?));
                more = scan.more()?;
            }
            scan.ended().then_some(members)
        }
        let expected = Some(vec![("a".to_owned(), 1), ("b".to_owned(), 20)]);
        assert_eq!(members::<false>(r#"{"a":1, "b": 20}"#), expected);
        assert_eq!(members::<true>(r#"{\"a\":1, \"b\": 20}"#), expected);
        for other in
            ["", "{", "{}}", r#"{"a":1,}"#, r#"{,"a":1}"#, r#"{"a":1 "b":2}"#, r#"{"a\u0041":1}"#, r#"{"a":1.5}"#]
        {
            assert_eq!(members::<false>(other), None, "{other}");
            assert_eq!(members::<true>(&other.replace('"', "\\\"")), None, "{other}");
        }
        assert_eq!(members::<true>(r#"{\"a":1}"#), None);
    }
}
