//! Parquet files of locations.

use std::collections::BTreeMap;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const SCHEMA: &str =
    "message places { required int64 geographical_location_oid; required binary geographical_location (STRING); }";

/// A file of these locations.
pub(crate) fn locations(names: &BTreeMap<i64, &str>) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).expect("a file");
    let mut group = writer.next_row_group().expect("a group");
    let (oids, names): (Vec<i64>, Vec<ByteArray>) =
        names.iter().map(|(oid, name)| (*oid, ByteArray::from(*name))).unzip();
    let mut column = group.next_column().expect("a column").expect("the first");
    column.typed::<Int64Type>().write_batch(&oids, None, None).expect("its values");
    column.close().expect("a column");
    let mut column = group.next_column().expect("a column").expect("the second");
    column.typed::<ByteArrayType>().write_batch(&names, None, None).expect("its values");
    column.close().expect("a column");
    group.close().expect("a group");
    writer.into_inner().expect("a file")
}
