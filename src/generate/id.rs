//! Ids: a serial number scattered over sixty-four bits by the seed. No two numbers of one kind share an id, and the
//! numbers need not be kept.

use super::random::mix;

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A Citylens track.
    Track = 1,
    /// A frame.
    Frame,
    /// A detection.
    Detection,
    /// A request, that is a message.
    Request,
    /// A traveler.
    Traveler,
}

/// Marks the number of an entity of which nothing else speaks: an orphan's.
pub(super) const GHOST: u64 = 1 << 63;

/// The ids of one seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids(u64);

impl Ids {
    /// The ids of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Ids(mix(seed))
    }

    /// The bits that a number's id is written with.
    pub(super) fn bits(self, kind: Kind, number: u64) -> u64 {
        mix(number ^ mix(self.0 ^ kind as u64))
    }

    /// Writes a number's id over `text`.
    pub(super) fn write(self, text: &mut String, kind: Kind, number: u64) {
        write(text, kind, self.bits(kind, number));
    }
}

/// Writes an id over `text`, given its bits.
pub(super) fn write(text: &mut String, kind: Kind, bits: u64) {
    text.clear();
    push(text, kind, bits);
}

/// Appends an id, given its bits.
pub(super) fn push(text: &mut String, kind: Kind, bits: u64) {
    text.push_str(match kind {
        Kind::Track => "ct-",
        Kind::Frame => "cf-",
        Kind::Detection => "cd-",
        Kind::Request => "",
        Kind::Traveler => "tv-",
    });
    push_hex(text, bits);
}

/// Appends sixteen hex digits.
pub(super) fn push_hex(text: &mut String, bits: u64) {
    text.extend((0..16).rev().map(|digit| char::from(b"0123456789abcdef"[(bits >> (4 * digit)) as usize & 15])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_hang_on_seed_and_kind() {
        let ids = Ids::new(7);
        let mut seen: Vec<u64> =
            (0..1000).chain((0..1000).map(|n| n | GHOST)).map(|n| ids.bits(Kind::Frame, n)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2000);
        assert_ne!(ids.bits(Kind::Frame, 1), ids.bits(Kind::Detection, 1));
        assert_ne!(ids.bits(Kind::Frame, 1), Ids::new(8).bits(Kind::Frame, 1));
        let mut text = "old".to_owned();
        write(&mut text, Kind::Track, 0x00ab_cdef_0123_4567);
        assert_eq!(text, "ct-00abcdef01234567");
    }
}
