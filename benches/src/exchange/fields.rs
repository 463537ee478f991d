//! A detection's fields, whatever holds them: so that every way's rows are made from the same, and compared as the same.

use columnar::Ref;
use hexflow_dataflows::rows::Detection;
use xxhash_rust::xxh3::xxh3_64;

/// Texts of a row, in the order of [`Detection`]'s fields.
pub(super) const TEXTS: usize = 8;

/// Words of 64 bits of a row: numbers, and keys in two halves.
pub(super) const WORDS: usize = 21;

/// The fields of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fields<'a> {
    pub(super) texts: [Option<&'a [u8]>; TEXTS],
    pub(super) words: [u64; WORDS],
}

/// A key as two words, the higher first.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a key")]
pub(super) fn halves(key: u128) -> [u64; 2] {
    [(key >> 64) as u64, key as u64]
}

impl<'a> Fields<'a> {
    /// Those of a row in columns.
    pub(super) fn of(row: Ref<'a, Detection>) -> Self {
        let meta = row.meta;
        let texts = [
            Some(meta.request_id),
            meta.org_id,
            meta.traceparent,
            Some(row.detection_id),
            Some(row.frame_id),
            Some(row.track_id),
            Some(row.detector),
            Some(row.class_name),
        ];
        let ([t0, t1], [a0, a1], [k0, k1]) = (halves(meta.track_key), halves(meta.axion), halves(meta.key));
        let (x, y, width, height) = row.bbox;
        let words = [
            u64::from(*meta.stream),
            *meta.offset,
            meta.ts.cast_unsigned(),
            t0,
            t1,
            a0,
            a1,
            k0,
            k1,
            *meta.content,
            meta.updated_at.cast_unsigned(),
            *meta.order,
            row.confidence.to_bits(),
            x.to_bits(),
            y.to_bits(),
            width.to_bits(),
            height.to_bits(),
            row.lat.to_bits(),
            row.lon.to_bits(),
            *row.cell,
            row.detected_at.cast_unsigned(),
        ];
        Fields { texts, words }
    }

    /// A hash of all fields: rows that arrived are the rows that were sent where the sums of these agree.
    pub(super) fn hash(&self) -> u64 {
        let fold = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let texts = self.texts.iter().map(|text| text.map_or(1, xxh3_64));
        self.words.iter().copied().chain(texts).fold(0, fold)
    }
}
