//! The same row as owned values: nested tuples, which abomonation knows without a line of ours. bincode writes tuples as it
//! writes structs of the same fields, byte for byte. Keys are pairs: abomonation reads rows where their bytes came to lie, and
//! that is aligned to 8, where a `u128` must be to 16.

use super::fields::Fields;

/// A detection: where it stands, keys, versions, texts of the record, texts of the row, numbers.
pub(super) type Tuple = (
    (u32, u64, i64),
    ((u64, u64), (u64, u64), (u64, u64)),
    (u64, i64, u64),
    (String, Option<String>, Option<String>),
    (String, String, String, String, String),
    (f64, (f64, f64, f64, f64), f64, f64, u64, i64),
);

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// The tuple of a row.
pub(super) fn tuple(fields: &Fields<'_>) -> Tuple {
    let [request_id, org_id, traceparent, detection_id, frame_id, track_id, detector, class_name] =
        fields.texts.map(text);
    let w = fields.words;
    let number = |at: usize| f64::from_bits(w[at]);
    let must = Option::unwrap_or_default;
    (
        (u32::try_from(w[0]).unwrap_or_default(), w[1], w[2].cast_signed()),
        ((w[3], w[4]), (w[5], w[6]), (w[7], w[8])),
        (w[9], w[10].cast_signed(), w[11]),
        (must(request_id), org_id, traceparent),
        (must(detection_id), must(frame_id), must(track_id), must(detector), must(class_name)),
        (
            number(12),
            (number(13), number(14), number(15), number(16)),
            number(17),
            number(18),
            w[19],
            w[20].cast_signed(),
        ),
    )
}

/// The fields of a tuple.
pub(super) fn fields(row: &Tuple) -> Fields<'_> {
    let ((stream, offset, ts), (track_key, axion, key), (content, updated_at, order), of_record, of_row, numbers) = row;
    let (request_id, org_id, traceparent) = of_record;
    let (detection_id, frame_id, track_id, detector, class_name) = of_row;
    let (confidence, (x, y, width, height), lat, lon, cell, detected_at) = numbers;
    Fields {
        texts: [
            Some(request_id.as_bytes()),
            org_id.as_deref().map(str::as_bytes),
            traceparent.as_deref().map(str::as_bytes),
            Some(detection_id.as_bytes()),
            Some(frame_id.as_bytes()),
            Some(track_id.as_bytes()),
            Some(detector.as_bytes()),
            Some(class_name.as_bytes()),
        ],
        words: [
            u64::from(*stream),
            *offset,
            ts.cast_unsigned(),
            track_key.0,
            track_key.1,
            axion.0,
            axion.1,
            key.0,
            key.1,
            *content,
            updated_at.cast_unsigned(),
            *order,
            confidence.to_bits(),
            x.to_bits(),
            y.to_bits(),
            width.to_bits(),
            height.to_bits(),
            lat.to_bits(),
            lon.to_bits(),
            *cell,
            detected_at.cast_unsigned(),
        ],
    }
}
