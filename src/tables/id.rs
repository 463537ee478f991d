//! Ids that rows hold as numbers and tables as text.

use hexflow_dataflows::rows::text;
use uuid::Uuid;

/// An axion track id, as text.
#[derive(Clone, Copy, Debug)]
pub struct AxionId([u8; 36]);

impl AxionId {
    /// The text of an id.
    pub fn of(axion: u128) -> Self {
        let mut id = [0; 36];
        Uuid::from_u128(axion).hyphenated().encode_lower(&mut id);
        AxionId(id)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// As bytes of text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An H3 cell as 15 hex digits.
#[derive(Clone, Copy, Debug)]
pub struct Cell([u8; 15]);

impl Cell {
    /// The text of a cell's index.
    pub fn of(index: u64) -> Self {
        let mut digits = [0; 15];
        for (n, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(index >> (4 * n) & 0xf) as usize];
        }
        Cell(digits)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// As bytes of text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_fifteen_hex_digits() {
        assert_eq!(Cell::of(0x0822_9a7f_ffff_ffff).as_str(), "8229a7fffffffff");
    }
}
