//! Tests of locations in Parquet files: one that another writer has made, those of this one, and broken ones.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

use super::super::set::tests::set;
use super::*;

/// Written by Arrow's C++: zstd, dictionaries, row groups of 3 and of 1, a column beside, a null name.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/locations.parquet");

const USUAL: &str =
    "message m { optional binary geographical_location (utf8); required int64 geographical_location_oid; }";

/// Writes row groups of oids and names to a file of `schema`, which has both columns or either.
fn written(folder: &TempDir, schema: &str, pack: Compression, groups: &[&[(Option<i64>, Option<&[u8]>)]]) -> PathBuf {
    let path = folder.path().join("l.parquet");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(pack).build());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, properties).unwrap();
    for rows in groups {
        let mut group = writer.next_row_group().unwrap();
        while let Some(mut column) = group.next_column().unwrap() {
            let levels = |null: fn(&(Option<i64>, Option<&[u8]>)) -> bool| -> Vec<i16> {
                rows.iter().map(|row| i16::from(!null(row))).collect()
            };
            let oids = rows.iter().filter_map(|(oid, _)| *oid);
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(to) => {
                    to.write_batch(&oids.collect::<Vec<_>>(), Some(&levels(|row| row.0.is_none())), None).unwrap()
                }
                ColumnWriter::Int32ColumnWriter(to) => {
                    let oids: Vec<i32> = oids.map(|oid| i32::try_from(oid).unwrap()).collect();
                    to.write_batch(&oids, None, None).unwrap()
                }
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    let names: Vec<_> = rows.iter().filter_map(|(_, name)| name.map(ByteArray::from)).collect();
                    to.write_batch(&names, Some(&levels(|row| row.1.is_none())), None).unwrap()
                }
                _ => panic!("no such column"),
            };
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    path
}

#[test]
fn reads_what_another_program_has_written() {
    let expected = set(&[(-1, "gate, \"north\""), (1, "bridge"), (9_007_199_254_740_993, "Brücke")]);
    assert_eq!(read(Path::new(GOLDEN)), Ok(expected));
}

#[test]
fn reads_files_of_any_packing_and_more_rows_than_are_read_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<(i64, String)> = (0..20_000).map(|oid| (oid - 7_000, format!("camera {}", oid % 13))).collect();
    let rows: Vec<_> = names.iter().map(|(oid, name)| (Some(*oid), Some(name.as_bytes()))).collect();
    let expected = set(&names.iter().map(|(oid, name)| (*oid, name.as_str())).collect::<Vec<_>>());
    let (first, second) = rows.split_at(17_000);
    for pack in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())] {
        let schema = "message m { required int64 geographical_location_oid; optional binary geographical_location; }";
        assert_eq!(read(&written(&folder, schema, pack, &[first, second])).as_ref(), Ok(&expected), "{pack}");
    }
    assert_eq!(read(&written(&folder, USUAL, Compression::SNAPPY, &[])), Ok(set(&[])));
}

#[test]
fn says_what_is_wrong_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let optional = "message m { optional int64 geographical_location_oid; optional binary geographical_location; }";
    let nested = "message m { required int64 geographical_location_oid; optional group x { \
                  optional binary geographical_location; } }";
    let (a, b): (&[u8], &[u8]) = (b"a", b"b");
    for (schema, group, expected) in [
        (
            "message m { required int64 geographical_location_oid; }",
            &[(Some(1), None)][..],
            "no column geographical_location:",
        ),
        (
            "message m { required int32 geographical_location_oid; optional binary geographical_location; }",
            &[(Some(1), Some(a))],
            "geographical_location_oid is of type INT32, expected INT64",
        ),
        (nested, &[], "no column geographical_location:"),
        (
            optional,
            &[(Some(1), Some(a)), (None, Some(b))],
            "row group 1, row 1: column geographical_location_oid: is null",
        ),
        (
            USUAL,
            &[(Some(1), Some(a)), (Some(2), Some(b"\xff"))],
            "row group 1, row 1: column geographical_location: not UTF-8",
        ),
        (
            USUAL,
            &[(Some(2), Some(a)), (Some(7), Some(b))],
            "row group 1, row 1: location 7 is \"b\" here and \"z\" above",
        ),
    ] {
        let zeroth: &[_] = &[(Some(7), Some(&b"z"[..]))];
        let groups = if group.is_empty() { vec![] } else { vec![zeroth, group] };
        let path = written(&folder, schema, Compression::SNAPPY, &groups);
        let problem = read(&path).unwrap_err();
        assert!(problem.contains("l.parquet: ") && problem.contains(expected), "{problem}");
    }
    let missing = read(&folder.path().join("none.parquet")).unwrap_err();
    assert!(missing.contains("none.parquet: No such file"), "{missing}");
}

/// Half of a file is told; of a file with wrong bytes it is told what can be known, and nothing ends the process.
#[test]
fn broken_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole) = (folder.path().join("l.parquet"), fs::read(GOLDEN).unwrap());
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(read(&path).is_err(), "{length} bytes of {}", whole.len());
    }
    let mut told = 0;
    for at in 0..whole.len() {
        for bits in [0x01, 0x80, 0xff] {
            let mut broken = whole.clone();
            broken[at] ^= bits;
            fs::write(&path, &broken).unwrap();
            told += usize::from(read(&path).is_err());
        }
    }
    assert!(told > whole.len(), "{told} of {} broken files", whole.len() * 3);
}
