//! Hashes with a fixed seed: the same on every worker, process and version, since they route rows and name keys.

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

/// The 128-bit XXH3 of a key. At a billion keys the chance that any two collide is below 2^-68.
///
/// ```
/// # use hexflow_operators::hash::key_of;
/// assert_eq!(key_of(b"cf-1"), key_of(b"cf-1"));
/// assert_ne!(key_of(b"cf-1"), key_of(b"cf-2"));
/// ```
pub fn key_of(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// Hashes a row's fields one by one, to tell equal content from other content.
///
/// ```
/// # use hexflow_operators::hash::Content;
/// let row = |name: &str, speed: f64| Content::default().text(name).number(speed).finish();
/// assert_eq!(row("a", 1.0), row("a", 1.0));
/// assert_ne!(row("a", 1.0), row("a", 2.0));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Content(u64);

impl Content {
    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        Content(xxh3_64_with_seed(text.as_bytes(), self.0))
    }

    /// Adds a text that may be missing; missing differs from empty.
    #[must_use]
    pub fn maybe_text(self, text: Option<&str>) -> Self {
        text.map_or_else(|| self.bits(0x6e6f_6e65), |text| self.bits(1).text(text))
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, value: f64) -> Self {
        self.bits(value.to_bits())
    }

    /// Adds a number that may be missing.
    #[must_use]
    pub fn maybe_number(self, value: Option<f64>) -> Self {
        value.map_or_else(|| self.bits(0x6e6f_6e65), |value| self.bits(1).number(value))
    }

    /// Adds 64 bits: a multiplication to 128 bits, folded, as wyhash does.
    #[must_use]
    pub fn bits(self, bits: u64) -> Self {
        let product = u128::from(self.0 ^ bits ^ 0x9e37_79b9_7f4a_7c15) * u128::from(bits ^ 0xe703_7ed1_a0b4_28db);
        #[expect(clippy::cast_possible_truncation, reason = "the halves are what is folded")]
        let folded = product as u64 ^ (product >> 64) as u64;
        Content(folded ^ self.0.rotate_left(23))
    }

    /// The hash of all that was added, in its order.
    pub fn finish(self) -> u64 {
        self.bits(0).0
    }
}
