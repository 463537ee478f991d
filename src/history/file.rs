//! Settled rows as Parquet files: one a day, more where they are many.

use std::sync::Arc;

use anyhow::{Context, Result};
use hexflow_dataflows::cameras::detections::Detection;
use hexflow_dataflows::cameras::settle::Settled;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};

use super::name;
use crate::objects::store::Object;

/// The columns: those of the table, but for where records lay.
const SCHEMA: &str = "
message camera_detections {
    required int64 detection_oid;
    required int64 geographical_location_oid;
    optional binary geographical_location (STRING);
    required int64 video_camera_oid;
    required binary item_name (STRING);
    required int64 detected_at (TIMESTAMP(MILLIS,true));
}";

/// Columns in which values seldom repeat.
const RISING: [&str; 2] = ["detection_oid", "detected_at"];

/// Rows in a file, at most: it is made in memory.
const FILE_ROWS: usize = 1 << 20;

/// Rows in a row group: what a reader's thread takes at a time.
const GROUP_ROWS: usize = 1 << 17;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A row by `detection_oid`.
type Row = (i64, Detection);

/// The files of settled rows, each with rows in the order of time.
pub fn files(settled: &Settled) -> Result<Vec<Object>> {
    let mut rows: Vec<&Row> = settled.rows.iter().collect();
    rows.sort_unstable_by_key(|(oid, row)| (row.detected_at, *oid));
    let day = |row: &Row| row.1.detected_at.div_euclid(DAY_MS);
    let mut files = Vec::new();
    for rows in rows.chunk_by(|a, b| day(a) == day(b)).flat_map(|rows| rows.chunks(FILE_ROWS)) {
        let bytes = written(rows).context("cannot make a Parquet file")?;
        files.push((name::of(rows[0].1.detected_at, settled.upto_ms, &bytes), bytes));
    }
    Ok(files)
}

fn written(rows: &[&Row]) -> Result<Vec<u8>, ParquetError> {
    let schema: TypePtr = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties())?;
    for rows in rows.chunks(GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        column::<Int64Type>(&mut group, rows, |(oid, _)| Some(*oid))?;
        column::<Int64Type>(&mut group, rows, |(_, row)| Some(row.geographical_location_oid))?;
        column::<ByteArrayType>(&mut group, rows, |(_, row)| {
            row.geographical_location.as_deref().map(ByteArray::from)
        })?;
        column::<Int64Type>(&mut group, rows, |(_, row)| Some(row.video_camera_oid))?;
        column::<ByteArrayType>(&mut group, rows, |(_, row)| Some(ByteArray::from(&*row.item_name)))?;
        column::<Int64Type>(&mut group, rows, |(_, row)| Some(row.detected_at))?;
        group.close()?;
    }
    writer.into_inner()
}

fn properties() -> WriterPropertiesPtr {
    let all = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let rising = RISING.into_iter().map(ColumnPath::from);
    let set = rising.fold(all, |set, column| {
        let set = set.set_column_dictionary_enabled(column.clone(), false);
        set.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
    });
    Arc::new(set.build())
}

/// Writes the next column; only one that is optional may be without a value.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[&Row],
    of: impl Fn(&Row) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let values: Vec<Option<T::T>> = rows.iter().map(|row| of(row)).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    // Of a required column levels are not looked at.
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io::Write;

    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    fn read(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn row(oid: i64, name: Option<&str>, detected_at: i64) -> Row {
        let detection = Detection {
            geographical_location_oid: oid.wrapping_neg(),
            geographical_location: name.map(Arc::from),
            video_camera_oid: 7,
            item_name: "bïke".into(),
            detected_at,
            arrival: Default::default(),
        };
        (oid, detection)
    }

    #[test]
    fn rows_are_read_as_they_were_by_day_and_in_the_order_of_time() {
        let rows = vec![
            row(3, None, DAY_MS + 5),
            row(2, Some("gate, \"north\""), DAY_MS),
            row(i64::MAX, Some(""), DAY_MS - 1),
            row(i64::MIN, None, -1),
            row(1, Some("gate"), DAY_MS),
        ];
        let settled = Settled { upto_ms: 2 * DAY_MS, rows };
        let mut found = BTreeMap::new();
        for (name, bytes) in files(&settled).unwrap() {
            let reader = SerializedFileReader::new(read(&bytes)).unwrap();
            let read: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
            for row in &read {
                assert_eq!((row.get_long(3).unwrap(), row.get_string(4).unwrap().as_str()), (7, "bïke"));
                assert_eq!(row.get_long(0).unwrap().wrapping_neg(), row.get_long(1).unwrap());
            }
            let shown = read.iter().map(|row| {
                (row.get_long(0).unwrap(), row.get_string(2).ok().cloned(), row.get_timestamp_millis(5).unwrap())
            });
            let day = name.split('/').nth(1).unwrap().to_owned();
            assert!(found.insert(day, shown.collect::<Vec<_>>()).is_none());
        }
        let text = |text: &str| Some(text.to_owned());
        let expected = BTreeMap::from([
            ("day=1969-12-31".to_owned(), vec![(i64::MIN, None, -1)]),
            ("day=1970-01-01".to_owned(), vec![(i64::MAX, text(""), DAY_MS - 1)]),
            (
                "day=1970-01-02".to_owned(),
                vec![(1, text("gate"), DAY_MS), (2, text("gate, \"north\""), DAY_MS), (3, None, DAY_MS + 5)],
            ),
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn many_rows_are_more_than_one_group() {
        let count = GROUP_ROWS + 5;
        let rows = (0..count).map(|n| row(n.cast_signed() as i64, Some("gate"), 5)).collect();
        let files = files(&Settled { upto_ms: 9, rows }).unwrap();
        assert_eq!(files.len(), 1);
        let reader = SerializedFileReader::new(read(&files[0].1)).unwrap();
        let groups: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [GROUP_ROWS as i64, 5]);
        // A day of ids and times that rise takes few bytes.
        assert!(files[0].1.len() < count * 4, "{}", files[0].1.len());
    }
}
